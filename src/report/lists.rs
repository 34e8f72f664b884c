//! What follows the details on a terminal: the other divergences, lanes that only end, lanes
//! without a partner, malformed lines, coverage.

use std::collections::HashSet;

use super::Validated;
use super::context::Details;
use super::hints::{REST_UNREAD, fault_line, next_steps, whole_command};
use super::layout::ended_after;
use super::story::{Story, lane_name, late_start, pair_name};
use super::style::{Page, Style};
use super::terminal::side_style;
use super::visible::{clip, columns, counted, grouped, pad, visible, wrapped};
use crate::source::Side;

/// A list shows so many lines unless all details are wanted.
const LIST_MAX: usize = 20;

/// The divergences not told in detail, one line each.
pub(crate) fn others(story: &Story, detailed: &[usize], page: &mut Page, width: usize) {
    let told: HashSet<usize> = detailed.iter().copied().collect();
    let rest: Vec<usize> = story.events.iter().copied().filter(|at| !told.contains(at)).collect();
    if rest.is_empty() {
        return;
    }
    page.gap();
    page.line(Style::Bold, if detailed.is_empty() { "Divergences" } else { "Other divergences" });
    let shown = if story.context.details == Details::All { rest.len() } else { rest.len().min(LIST_MAX) };
    let names: Vec<String> = rest[..shown].iter().map(|&at| pair_name(story.pairing(at))).collect();
    let name_width = names.iter().map(|name| columns(name)).max().unwrap_or(0).min(24);
    for (name, &at) in names.iter().zip(&rest) {
        let Some(found) = story.divergence(at) else { continue };
        let what = story.what(found);
        let lines = [(&found.reference, Side::Reference), (&found.candidate, Side::Candidate)]
            .into_iter()
            .find_map(|(event, side)| event.as_ref().map(|event| story.file_line(side, event.line)))
            .unwrap_or_default();
        let mark = if found.after_fault { " (behind skipped lines)" } else { "" };
        let more = match story.pairing(at).further.len() {
            0 => String::new(),
            count => format!(", and {} more", grouped(count as u64)),
        };
        let name = pad(&clip(name, name_width), name_width);
        let text = format!("  {name}  at {}: {what}{mark}{more}", grouped(found.position));
        let room = width.saturating_sub(columns(&lines) + 2);
        page.put(Style::Plain, &clip(&text, room.max(30))).put(Style::Dim, &format!("  {lines}")).end();
        follows(story, at, name_width, page);
    }
    if rest.len() > shown {
        page.line(
            Style::Dim,
            &format!("  … and {} (--details all)", counted((rest.len() - shown) as u64, "other", "others")),
        );
    }
}

/// "may follow from 8 → 4 (signals)", under the line of the divergence that may.
fn follows(story: &Story, at: usize, name_width: usize, page: &mut Page) {
    let Some(from) = story.divergence(at).and_then(|found| found.follows.as_ref()) else { return };
    let (pair, edge) = (pair_name(story.pairing(from.pairing)), visible(&from.edge));
    page.line(Style::Dim, &format!("  {}  may follow from {pair} ({edge})", pad("", name_width)));
}

/// Lanes that only end early, and lanes without a partner.
pub(crate) fn ends(story: &Story, page: &mut Page) {
    let limit = |count: usize| if story.context.details == Details::All { count } else { count.min(LIST_MAX) };
    let more = |page: &mut Page, all: usize| {
        if all > limit(all) {
            let text = format!("  … and {} (--details all)", counted((all - limit(all)) as u64, "other", "others"));
            page.line(Style::Dim, &text);
        }
    };
    if !story.ended.is_empty() {
        page.gap();
        page.line(Style::Bold, "Only end early");
        let shown = &story.ended[..limit(story.ended.len())];
        let name_width = shown.iter().map(|&at| columns(&pair_name(story.pairing(at)))).max().unwrap_or(0).min(24);
        for &at in shown {
            let name = clip(&pair_name(story.pairing(at)), 24);
            page.line(Style::Plain, &format!("  {}  {}", pad(&name, name_width), ended_after(story, at)));
            follows(story, at, name_width, page);
        }
        more(page, story.ended.len());
    }
    if !story.late.is_empty() {
        page.gap();
        page.line(Style::Bold, "Only start late");
        let shown = &story.late[..limit(story.late.len())];
        let name_width = shown.iter().map(|&at| columns(&pair_name(story.pairing(at)))).max().unwrap_or(0).min(24);
        for &at in shown {
            let name = clip(&pair_name(story.pairing(at)), 24);
            let late = story.started_late(story.divergence(at).and_then(late_start));
            page.line(Style::Plain, &format!("  {}  {late}", pad(&name, name_width)));
        }
        more(page, story.late.len());
    }
    if !story.unmatched.is_empty() {
        page.gap();
        page.line(Style::Bold, "Without a partner");
        for &at in &story.unmatched[..limit(story.unmatched.len())] {
            let pairing = story.pairing(at);
            let sides = [(&pairing.reference, Side::Reference), (&pairing.candidate, Side::Candidate)];
            for (lane, side) in sides {
                if let Some(lane) = lane {
                    page.put(Style::Plain, "  ").put(side_style(side), &clip(&story.label(side), 20));
                    let from = story.file_line(side, lane.first_line);
                    let events = counted(lane.events, "event", "events");
                    let events = if story.context.first_only { String::new() } else { format!("{events}, ") };
                    let text = format!(" {}  {events}from {from}", lane_name(lane));
                    page.put(Style::Plain, &text).end();
                }
            }
        }
        more(page, story.unmatched.len());
    }
}

/// Malformed lines and other trouble.
pub(crate) fn faults(story: &Story, page: &mut Page, width: usize) {
    let (outcome, context) = (story.outcome, story.context);
    if outcome.faults.is_empty() && context.messages.is_empty() {
        return;
    }
    page.gap();
    page.line(Style::Bold, if context.messages.is_empty() { "Malformed lines" } else { "Trouble" });
    for message in &context.messages {
        page.line(Style::Plain, &format!("  {}", visible(message)));
    }
    let shown = if context.details == Details::All { outcome.faults.len() } else { outcome.faults.len().min(LIST_MAX) };
    for fault in &outcome.faults[..shown] {
        for (at, line) in wrapped(&fault_line(story, fault), width - 4).iter().enumerate() {
            page.line(Style::Plain, &format!("{}{line}", if at == 0 { "  " } else { "    " }));
        }
    }
    let left = outcome.faults_total.saturating_sub(shown as u64);
    if left > 0 {
        page.line(Style::Dim, &format!("  … and {}", counted(left, "other", "others")));
    }
}

/// What to do next.
pub(crate) fn next(story: &Story, page: &mut Page) {
    for (words, command) in next_steps(story) {
        page.gap();
        page.line(Style::Dim, &format!("{words}:"));
        page.put(Style::Command, &command).end();
    }
}

/// What the answer rests on: how much was compared, and what was overlooked.
pub(crate) fn coverage(story: &Story, page: &mut Page, width: usize) {
    page.gap();
    let (outcome, context) = (story.outcome, story.context);
    let mut parts = Vec::new();
    if !context.first_only {
        let coverage = &outcome.coverage;
        parts.push(counted(coverage.events_compared, "pair compared", "pairs compared"));
        parts.push(format!("{} equal by bytes", grouped(coverage.equal_by_bytes)));
        let depth = if context.validated == Validated::Full { "every line read" } else { "" };
        parts.push(if depth.is_empty() { format!("{} read", grouped(coverage.read)) } else { depth.to_owned() });
        for (count, text) in [
            (coverage.unverified, "stepped over unverified"),
            (coverage.skipped_nondeterministic, "nondeterministic payloads skipped"),
        ] {
            if count > 0 {
                parts.push(format!("{} {text}", grouped(count)));
            }
        }
    }
    parts.push(format!("profile {}", visible(&story.profile.name)));
    for line in wrapped(&parts.join(", "), width) {
        page.line(Style::Dim, &line);
    }
    if context.first_only {
        page.line(Style::Dim, &format!("{REST_UNREAD}:"));
        match whole_command(context) {
            // On a line of its own, never broken.
            Some(command) => page.put(Style::Plain, "  ").put(Style::Command, &command).end(),
            None => page.line(Style::Dim, "  run without --first"),
        };
    }
    if !outcome.coverage.overlooked.is_empty() && !context.first_only {
        let rules: Vec<String> = outcome
            .coverage
            .overlooked
            .iter()
            .map(|(rule, count)| format!("{} in {}", visible(rule), grouped(*count)))
            .collect();
        for line in wrapped(&format!("overlooked by rule: {}", rules.join(", ")), width) {
            page.line(Style::Dim, &line);
        }
    }
    if !outcome.coverage.taken_out.is_empty() && !context.first_only {
        let told = |(rule, [reference, candidate]): &(String, [u64; 2])| {
            format!("{} {} and {} events", visible(rule), grouped(*reference), grouped(*candidate))
        };
        let rules: Vec<String> = outcome.coverage.taken_out.iter().map(told).collect();
        for line in wrapped(&format!("taken out by rule: {}", rules.join(", ")), width) {
            page.line(Style::Dim, &line);
        }
    }
    for line in story.open_causes().iter().flat_map(|text| wrapped(text, width)) {
        page.line(Style::Dim, &line);
    }
    for note in &outcome.notes {
        for line in wrapped(&format!("note: {}: {}", story.label(note.side), visible(&note.text)), width) {
            page.line(Style::Dim, &line);
        }
    }
}
