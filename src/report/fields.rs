//! Differing fields on a terminal: side by side where they fit, else one under the other, the
//! differing part in colour or, without colour, with carets under it.

use super::context::Details;
use super::focus::{Focus, alone, focus};
use super::layout::{Detail, Field};
use super::story::Story;
use super::style::{Page, Style};
use super::terminal::side_style;
use super::visible::{clip, columns, counted, pad};
use crate::source::Side;

/// So many fields are shown unless all details are wanted.
const FIELDS_MAX: usize = 12;
const INDENT: &str = "      ";

/// Paints the fields of one divergence.
pub(crate) fn paint(story: &Story, detail: &Detail, page: &mut Page, width: usize) {
    if detail.fields.is_empty() {
        return;
    }
    page.gap();
    let shown =
        if story.context.details == Details::All { detail.fields.len() } else { detail.fields.len().min(FIELDS_MAX) };
    let fields = &detail.fields[..shown];
    let path_width = fields.iter().map(|field| columns(&field.path)).max().unwrap_or(0);
    let labels = Side::BOTH.map(|side| clip(&story.label(side), 20));
    let widest = |at: usize| {
        let values = fields.iter().map(|field| value_columns(field, at));
        values.chain([columns(&labels[at])]).max().unwrap_or(0)
    };
    let beside = INDENT.len() + path_width + 2 + widest(0) + 2 + widest(1);
    if beside <= width {
        side_by_side(page, fields, &labels, path_width, widest(0));
    } else {
        stacked(page, fields, &labels, width);
    }
    let left = (detail.fields.len() - shown) as u64 + detail.fields_more;
    if left > 0 {
        page.put(Style::Dim, &format!("{INDENT}… and {}", counted(left, "other field", "other fields"))).end();
    }
    page.gap();
}

fn value_columns(field: &Field, at: usize) -> usize {
    field.values[at].as_deref().map_or("(absent)".len(), columns)
}

/// Both values around what differs, each in at most so many columns.
pub(crate) fn focused(field: &Field, width: usize) -> [Option<Focus>; 2] {
    match &field.values {
        [Some(reference), Some(candidate)] => focus(reference, candidate, width).map(Some),
        [reference, candidate] => [reference, candidate].map(|value| value.as_ref().map(|value| alone(value, width))),
    }
}

fn side_by_side(page: &mut Page, fields: &[Field], labels: &[String; 2], path_width: usize, value_width: usize) {
    page.put(Style::Plain, INDENT).put(Style::Plain, &pad("", path_width + 2));
    page.put(Style::Dim, &pad(&labels[0], value_width + 2)).put(Style::Dim, &labels[1]).end();
    for field in fields {
        let [reference, candidate] = focused(field, usize::MAX);
        page.put(Style::Plain, INDENT).put(Style::Bold, &pad(&field.path, path_width + 2));
        let used = value(page, Side::Reference, reference.as_ref());
        page.put(Style::Plain, &" ".repeat(value_width + 2 - used));
        value(page, Side::Candidate, candidate.as_ref());
        page.end();
        if !page.colour() {
            page.put(Style::Plain, INDENT).put(Style::Plain, &pad("", path_width + 2));
            let used = carets(page, reference.as_ref());
            page.put(Style::Plain, &" ".repeat(value_width + 2 - used));
            carets(page, candidate.as_ref());
            page.end();
        }
    }
}

fn stacked(page: &mut Page, fields: &[Field], labels: &[String; 2], width: usize) {
    let label_width = labels.iter().map(|label| columns(label)).max().unwrap_or(0);
    let room = width.saturating_sub(INDENT.len() + 2 + label_width + 2).max(8);
    for field in fields {
        page.put(Style::Plain, INDENT).put(Style::Bold, &clip(&field.path, width - INDENT.len())).end();
        let sides = focused(field, room);
        for side in Side::BOTH {
            let here = sides[side.index()].as_ref();
            page.put(Style::Plain, INDENT).put(Style::Plain, "  ");
            page.put(Style::Dim, &pad(&labels[side.index()], label_width + 2));
            value(page, side, here);
            page.end();
            if !page.colour() && here.is_some_and(|here| !here.marked.is_empty()) {
                page.put(Style::Plain, &" ".repeat(INDENT.len() + 2 + label_width + 2));
                carets(page, here);
                page.end();
            }
        }
    }
}

/// Paints a value with its differing part marked; answers the columns it took.
fn value(page: &mut Page, side: Side, focus: Option<&Focus>) -> usize {
    let Some(focus) = focus else {
        page.put(Style::Dim, "(absent)");
        return "(absent)".len();
    };
    let mark = match side {
        Side::Reference => Style::ReferenceMark,
        Side::Candidate => Style::CandidateMark,
    };
    let plain = side_style(side);
    page.put(plain, &focus.before).put(mark, &focus.marked).put(plain, &focus.behind);
    columns(&focus.before) + columns(&focus.marked) + columns(&focus.behind)
}

/// Carets under the differing part; answers the columns they took.
fn carets(page: &mut Page, focus: Option<&Focus>) -> usize {
    let Some(focus) = focus else { return 0 };
    let (before, marked) = (columns(&focus.before), columns(&focus.marked));
    page.put(Style::Plain, &" ".repeat(before)).put(Style::Plain, &"^".repeat(marked));
    before + marked
}
