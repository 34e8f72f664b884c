//! The table of pairings on a terminal.

use super::overview::{Overview, Row, overview};
use super::story::Story;
use super::style::{Page, Style};
use super::verdict::Class;
use super::visible::{clip, columns, grouped, pad, pad_left};
use crate::source::Side;

/// The cells of the table in one spelling of its numbers; `brief` leaves out what the others tell.
fn cells(row: &Row, number: fn(u64) -> String, brief: bool) -> [String; 8] {
    let fault = if row.after_fault { " (after fault)" } else { "" };
    let total = |at: usize| row.totals[at].map_or_else(String::new, number);
    [
        clip(&row.reference, 24),
        "→".to_owned(),
        clip(&row.candidate, 24),
        row.matched.clone(),
        number(row.compared),
        total(0),
        total(1),
        match row.parts_at {
            // The lane parts just behind its equal pairs, unless some were stepped over.
            Some(position) if !(brief && position == row.compared) => {
                format!("{} at {}{fault}", row.outcome, number(position))
            }
            _ => format!("{}{fault}", row.outcome),
        },
    ]
}

const RIGHT: [bool; 8] = [true, false, false, false, true, true, true, false];

fn heads([reference, candidate]: &[String; 2]) -> [String; 8] {
    [
        reference.clone(),
        "→".into(),
        candidate.clone(),
        "matched by".into(),
        "equal".into(),
        format!("of {reference}"),
        format!("of {candidate}"),
        "outcome".into(),
    ]
}

fn layout(rows: &[Row], heads: &[String; 8], number: fn(u64) -> String, brief: bool) -> (Vec<[String; 8]>, [usize; 8]) {
    let body: Vec<[String; 8]> = rows.iter().map(|row| cells(row, number, brief)).collect();
    let mut widths = std::array::from_fn(|at| columns(&heads[at]));
    for line in &body {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(columns(cell));
        }
    }
    (body, widths)
}

/// Paints the table.
pub(crate) fn paint(story: &Story, page: &mut Page, width: usize) {
    let overview = overview(story);
    let marks = overview.marks();
    let Overview { rows, others } = overview;
    if rows.is_empty() && others.is_empty() {
        return;
    }
    page.gap();
    let labels = Side::BOTH.map(|side| clip(&story.label(side), 12));
    let short = ["ref".to_owned(), "cand".to_owned()];
    let total = |widths: &[usize; 8]| 2 + widths.iter().sum::<usize>() + 2 * 5 + 2;
    let plain: fn(u64) -> String = |number| number.to_string();
    // From the roomiest spelling to the tightest; labels cut alike would tell nothing.
    let spellings = [(&labels, grouped as fn(u64) -> String, false), (&labels, grouped, true), (&labels, plain, true)];
    let tight = [(&short, grouped as fn(u64) -> String, true), (&short, plain, true)];
    let mut laid = None;
    for (labels, number, brief) in spellings.into_iter().filter(|_| labels[0] != labels[1]).chain(tight) {
        let mut heads = heads(labels);
        if story.context.first_only {
            heads[5..7].iter_mut().for_each(String::clear);
        }
        let (body, widths) = layout(&rows, &heads, number, brief);
        let fits = total(&widths) <= width;
        laid = Some((heads, body, widths));
        if fits {
            break;
        }
    }
    let Some((heads, body, widths)) = laid else { return };
    page.put(Style::Plain, "  ");
    line(page, &heads, &widths, [Style::Dim; 8]);
    for (row, cells) in rows.iter().zip(&body) {
        page.put(Style::Bad, if row.first { "> " } else { "  " });
        let outcome = match row.class {
            Class::Identical => Style::Good,
            Class::Event | Class::Faulty => Style::Bad,
            Class::EndedEarly | Class::StartedLate | Class::Unmatched => Style::Warn,
            Class::NotCompared => Style::Dim,
        };
        let mut styles = [Style::Plain; 8];
        styles[3] = Style::Dim;
        styles[7] = outcome;
        line(page, cells, &widths, styles);
    }
    for text in &others {
        page.line(Style::Dim, &format!("  {text}"));
    }
    if !others.is_empty() {
        page.line(Style::Dim, "  (--details all lists every pairing)");
    }
    if rows.iter().any(|row| row.matched.contains(" vs ")) {
        page.line(Style::Dim, "  n/m vs k: n of the first m events fit, k of them with the next best lane");
    }
    for mark in marks {
        page.line(Style::Warn, &format!("  {mark}"));
    }
}

fn line(page: &mut Page, cells: &[String; 8], widths: &[usize; 8], styles: [Style; 8]) {
    for at in 0..8 {
        let gap = match at {
            0 => "",
            1 | 2 => " ",
            _ => "  ",
        };
        let cell = if RIGHT[at] { pad_left(&cells[at], widths[at]) } else { pad(&cells[at], widths[at]) };
        page.put(Style::Plain, gap).put(styles[at], &cell);
    }
    page.end();
}
