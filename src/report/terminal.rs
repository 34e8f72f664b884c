//! The report for people at a terminal: the answer, the table, the first place, the others.

use super::context::ReportContext;
use super::gutter::Gutter;
use super::layout::{Detail, detail};
use super::story::{Story, kind_word, sentence_name};
use super::style::{Page, Style};
use super::verdict::{Verdict, facts};
use super::visible::{bytes, clip, columns, counted, grouped, pad, visible, wrapped};
use super::{fields, lists, table};
use crate::diverge::Outcome;
use crate::profile::Profile;
use crate::source::{Keep, Side, SourceError};

/// Narrower terminals are written past their edge.
const WIDTH_MIN: usize = 60;

/// Paints a report for a terminal.
///
/// # Errors
/// A kept text cannot be read back.
pub fn terminal(
    outcome: &Outcome,
    keep: &Keep,
    profile: &Profile,
    context: &ReportContext,
) -> Result<String, SourceError> {
    let story = &Story::new(outcome, keep, profile, context);
    let mut page = Page::new(story.context.colour);
    let width = story.context.width.max(WIDTH_MIN);
    headline(story, &mut page, width);
    logs(story, &mut page, width);
    table::paint(story, &mut page, width);
    let detailed = story.detailed();
    for &at in &detailed {
        if let Some(found) = story.divergence(at) {
            page.gap();
            place(story, at, &detail(story, found)?, &mut page, width);
        }
    }
    lists::others(story, &detailed, &mut page, width);
    lists::ends(story, &mut page);
    lists::faults(story, &mut page, width);
    lists::coverage(story, &mut page, width);
    Ok(page.finish())
}

fn headline(story: &Story, page: &mut Page, width: usize) {
    let style = match story.verdict {
        Verdict::Identical => Style::Good,
        Verdict::Diverged | Verdict::Trouble => Style::Bad,
        Verdict::Inconclusive => Style::Warn,
    };
    let word = story.verdict.word();
    let parts = story.sentence();
    let whole = parts.join("; ");
    // One line where it fits; else one for the answer, and its parts below.
    let fits = columns(word) + 2 + columns(&whole) <= width;
    let lines =
        if fits { vec![whole] } else { parts.iter().flat_map(|part| wrapped(part, width - word.len() - 2)).collect() };
    for (at, line) in lines.iter().enumerate() {
        if at == 0 {
            page.put(style, word).put(style, ": ").put(Style::Bold, line).end();
        } else {
            page.put(Style::Plain, &" ".repeat(word.len() + 2)).put(Style::Plain, line).end();
        }
    }
}

/// The two logs, how far they were read, and where their headers differ.
fn logs(story: &Story, page: &mut Page, width: usize) {
    page.gap();
    let labels = Side::BOTH.map(|side| clip(&story.label(side), 20));
    let label_width = labels.iter().map(|label| columns(label)).max().unwrap_or(0);
    let sizes = Side::BOTH.map(|side| {
        let log = facts(story.outcome, side);
        if story.context.first_only {
            return String::new();
        }
        let mut text = format!(
            "{} in {}, {}",
            counted(log.events, "event", "events"),
            counted(log.threads, "thread", "threads"),
            bytes(log.bytes)
        );
        if log.lines_skipped > 0 {
            text += &format!(", {} skipped", counted(log.lines_skipped, "line", "lines"));
        }
        text
    });
    let paths = Side::BOTH.map(|side| visible(&story.context.name(side).path.to_string_lossy()));
    let room = width.saturating_sub(label_width + 4 + sizes.iter().map(|size| columns(size) + 2).max().unwrap_or(0));
    let path_width = paths.iter().map(|path| columns(path)).max().unwrap_or(0).min(room.max(16));
    for side in Side::BOTH {
        let at = side.index();
        page.put(Style::Plain, "  ").put(side_style(side), &pad(&labels[at], label_width)).put(Style::Plain, "  ");
        page.put(Style::Plain, &pad(&clip_front(&paths[at], path_width), path_width));
        page.put(Style::Dim, &format!("  {}", sizes[at])).end();
    }
    for difference in &story.header {
        let value = |value: &Option<Vec<u8>>| match value {
            Some(value) => clip(&visible(&String::from_utf8_lossy(value)), 24),
            None => "absent".to_owned(),
        };
        let path = clip(&visible(&difference.path.dotted()), 24);
        let text =
            format!("  headers differ in {path}: {} → {}", value(&difference.reference), value(&difference.candidate));
        page.line(Style::Dim, &clip(&text, width));
    }
}

/// The end of a path says more than its beginning.
fn clip_front(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let kept: Vec<char> = text
        .chars()
        .rev()
        .take_while(|&c| {
            used += super::visible::columns_of(c);
            used <= width
        })
        .collect();
    format!("…{}", kept.into_iter().rev().collect::<String>())
}

pub(crate) fn side_style(side: Side) -> Style {
    match side {
        Side::Reference => Style::Reference,
        Side::Candidate => Style::Candidate,
    }
}

/// One divergence in detail.
fn place(story: &Story, at: usize, detail: &Detail, page: &mut Page, width: usize) {
    let pairing = story.pairing(at);
    let Some(found) = &pairing.divergence else { return };
    let title = if story.outcome.first == Some(at) {
        "First divergence".to_owned()
    } else {
        format!("Divergence {}", found.rank)
    };
    let kind = kind_word(found.kind);
    page.put(Style::Bold, &title);
    page.put(Style::Plain, &format!(": {} at position {} ({kind})", sentence_name(pairing), grouped(found.position)))
        .end();
    for side in Side::BOTH {
        if let Some(place) = &detail.places[side.index()] {
            let label = pad(
                &clip(&story.label(side), 20),
                Side::BOTH.map(|side| columns(&clip(&story.label(side), 20))).into_iter().max().unwrap_or(0),
            );
            page.put(Style::Plain, "  ").put(side_style(side), &label).put(Style::Plain, &format!("  {place}")).end();
        }
    }
    page.gap();
    let gutter = Gutter::new(story, detail, width);
    gutter.head(page);
    for pair in &detail.before {
        gutter.pair(page, pair);
    }
    for side in Side::BOTH {
        if let Some(event) = &detail.here[side.index()] {
            gutter.one(page, side, event, Style::Bold);
        } else if found.kind == crate::diverge::DivergenceKind::EndedEarly {
            gutter.end_of_lane(page, side);
        }
    }
    fields::paint(story, detail, page, width);
    for side in Side::BOTH {
        for event in &detail.apart[side.index()] {
            gutter.one(page, side, event, Style::Plain);
        }
    }
    for pair in &detail.rejoined {
        gutter.pair(page, pair);
    }
    for remark in &detail.remarks {
        page.gap();
        for line in wrapped(remark, width - 2) {
            page.put(Style::Plain, "  ").put(Style::Plain, &line).end();
        }
    }
    if let Some(command) = &detail.command {
        page.gap();
        page.line(Style::Dim, "  show it again:");
        page.put(Style::Plain, "  ").put(Style::Command, command).end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    #[test]
    fn look() {
        let (profile, context) = (profile(), context());
        for (outcome, keep) in [typical(), cut_short(), many(20_000), nasty()] {
            println!("{}\n==========", terminal(&outcome, &keep, &profile, &context).unwrap());
        }
    }
}
