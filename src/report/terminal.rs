//! The report for people at a terminal: the answer, the table, the first place, the others.

use super::context::{Details, ReportContext};
use super::hints::fault_line;
use super::layout::{Detail, EventLine, detail, ended_after};
use super::overview::{Overview, Row, overview};
use super::story::{Story, lane_name, pair_name, sentence_name};
use super::style::{Page, Style};
use super::verdict::{Class, Verdict, facts};
use super::visible::{bytes, clip, columns, counted, grouped, pad, pad_left, visible};
use super::{fields, story};
use crate::diverge::Outcome;
use crate::profile::Profile;
use crate::source::{Keep, Side, SourceError};

/// Lists beside the table show so many lines unless all details are wanted.
const LIST_MAX: usize = 20;
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
    table(story, &mut page, width);
    let detailed = story.detailed();
    for &at in &detailed {
        if let Some(found) = story.divergence(at) {
            page.gap();
            place(story, at, &detail(story, found)?, &mut page, width);
        }
    }
    others(story, &detailed, &mut page, width);
    ends(story, &mut page, width);
    faults(story, &mut page, width);
    coverage(story, &mut page, width);
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

/// Breaks a sentence at blanks. A word longer than the line stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        if !line.is_empty() && columns(&line) + columns(word.trim_end()) > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line.push_str(word);
    }
    lines.push(line.trim_end().to_owned());
    lines
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

/// The cells of the table in one spelling of its numbers.
fn cells(row: &Row, number: fn(u64) -> String) -> [String; 8] {
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
            Some(position) => format!("{} at {}", row.outcome, number(position)),
            None => row.outcome.clone(),
        },
    ]
}

const RIGHT: [bool; 8] = [true, false, false, false, true, true, true, false];

fn table(story: &Story, page: &mut Page, width: usize) {
    let Overview { rows, others } = overview(story);
    if rows.is_empty() && others.is_empty() {
        return;
    }
    page.gap();
    let [reference, candidate] = Side::BOTH.map(|side| clip(&story.label(side), 12));
    let heads = [
        reference.clone(),
        "→".into(),
        candidate.clone(),
        "matched by".into(),
        "equal".into(),
        format!("of {reference}"),
        format!("of {candidate}"),
        "outcome".into(),
    ];
    let layout = |number: fn(u64) -> String| -> (Vec<[String; 8]>, [usize; 8]) {
        let body: Vec<[String; 8]> = rows.iter().map(|row| cells(row, number)).collect();
        let mut widths = std::array::from_fn(|at| columns(&heads[at]));
        for line in &body {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(columns(cell));
            }
        }
        (body, widths)
    };
    let total = |widths: &[usize; 8]| 2 + widths.iter().sum::<usize>() + 2 * 5 + 2;
    let mut laid = layout(grouped);
    if total(&laid.1) > width {
        laid = layout(|number| number.to_string());
    }
    let (body, widths) = laid;
    let paint = |page: &mut Page, line: &[String; 8], styles: [Style; 8]| {
        for at in 0..8 {
            let gap = match at {
                0 => "",
                1 | 2 => " ",
                _ => "  ",
            };
            let cell = if RIGHT[at] { pad_left(&line[at], widths[at]) } else { pad(&line[at], widths[at]) };
            page.put(Style::Plain, gap).put(styles[at], &cell);
        }
        page.end();
    };
    page.put(Style::Plain, "  ");
    paint(page, &heads, [Style::Dim; 8]);
    for (row, line) in rows.iter().zip(&body) {
        page.put(Style::Bad, if row.first { "> " } else { "  " });
        let outcome = match row.class {
            Class::Identical => Style::Good,
            Class::Event | Class::Faulty => Style::Bad,
            Class::EndedEarly | Class::Unmatched => Style::Warn,
            Class::NotCompared => Style::Dim,
        };
        let mut styles = [Style::Plain; 8];
        styles[3] = Style::Dim;
        styles[7] = outcome;
        paint(page, line, styles);
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
    if rows.iter().any(|row| row.matched.ends_with('?')) {
        page.line(Style::Warn, "  ? ambiguous: another lane fits as well");
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
    let kind = story::kind_word(found.kind);
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
        for event in &detail.after[side.index()] {
            gutter.one(page, side, event, Style::Plain);
        }
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

/// Event lines with the line numbers of both logs before them.
struct Gutter {
    labels: [String; 2],
    /// Columns of each number.
    columns: [usize; 2],
    width: usize,
}

impl Gutter {
    fn new(story: &Story, detail: &Detail, width: usize) -> Gutter {
        let labels = Side::BOTH.map(|side| clip(&story.label(side), 10));
        let widest = |side: Side| {
            let at = side.index();
            let lines = detail.before.iter().map(|pair| &pair[at]).chain(&detail.here[at]).chain(&detail.after[at]);
            lines.map(|event| event.line.to_string().len()).chain([columns(&labels[at])]).max().unwrap_or(0)
        };
        Gutter { columns: Side::BOTH.map(widest), labels, width }
    }

    fn start(&self, page: &mut Page, numbers: [&str; 2], sign: &str, style: Style) {
        let numbers: [String; 2] = std::array::from_fn(|at| pad_left(numbers[at], self.columns[at]));
        page.put(Style::Plain, "  ").put(Style::Dim, &numbers[0]).put(Style::Plain, " ");
        page.put(Style::Dim, &numbers[1]).put(Style::Plain, " ").put(style, sign).put(Style::Plain, " ");
    }

    fn room(&self) -> usize {
        self.width.saturating_sub(self.columns[0] + self.columns[1] + 6)
    }

    fn head(&self, page: &mut Page) {
        self.start(page, [&self.labels[0], &self.labels[1]], " ", Style::Plain);
        page.end();
    }

    /// An equal pair: one line where both sides are told alike.
    fn pair(&self, page: &mut Page, pair: &[EventLine; 2]) {
        let numbers = [0, 1].map(|at: usize| pair[at].line.to_string());
        if pair[0].told == pair[1].told {
            self.start(page, [&numbers[0], &numbers[1]], " ", Style::Plain);
            page.put(Style::Plain, &clip(&pair[0].told, self.room())).end();
        } else {
            self.start(page, [&numbers[0], ""], "=", Style::Dim);
            page.put(Style::Plain, &clip(&pair[0].told, self.room())).end();
            self.start(page, ["", &numbers[1]], "=", Style::Dim);
            page.put(Style::Plain, &clip(&pair[1].told, self.room())).end();
        }
    }

    fn one(&self, page: &mut Page, side: Side, event: &EventLine, weight: Style) {
        let number = event.line.to_string();
        let style = side_style(side);
        match side {
            Side::Reference => self.start(page, [&number, ""], "-", style),
            Side::Candidate => self.start(page, ["", &number], "+", style),
        }
        let style = if weight == Style::Bold { style } else { Style::Plain };
        page.put(style, &clip(&event.told, self.room())).end();
    }

    fn end_of_lane(&self, page: &mut Page, side: Side) {
        let sign = if side == Side::Reference { "-" } else { "+" };
        self.start(page, ["", ""], sign, side_style(side));
        page.put(Style::Dim, "(end of this thread)").end();
    }
}

/// The divergences not told in detail, one line each.
fn others(story: &Story, detailed: &[usize], page: &mut Page, width: usize) {
    let rest: Vec<usize> = story.events.iter().copied().filter(|at| !detailed.contains(at)).collect();
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
        let text =
            format!("  {}  at {}: {what}{mark}", pad(&clip(name, name_width), name_width), grouped(found.position));
        let room = width.saturating_sub(columns(&lines) + 2);
        page.put(Style::Plain, &clip(&text, room.max(30))).put(Style::Dim, &format!("  {lines}")).end();
    }
    if rest.len() > shown {
        page.line(
            Style::Dim,
            &format!("  … and {} (--details all)", counted((rest.len() - shown) as u64, "other", "others")),
        );
    }
}

/// Lanes that only end early, and lanes without a partner.
fn ends(story: &Story, page: &mut Page, width: usize) {
    let limit = |count: usize| if story.context.details == Details::All { count } else { count.min(LIST_MAX) };
    let more = |page: &mut Page, all: usize| {
        if all > limit(all) {
            let text = format!("  … and {} (--details all)", counted((all - limit(all)) as u64, "other", "others"));
            page.line(Style::Dim, &text);
        }
    };
    if !story.ended.is_empty() {
        page.gap();
        let cut = super::verdict::cut_sentence(story.outcome, story.context, &story.tally);
        let title = cut.map_or_else(|| "Only end early".to_owned(), |cut| format!("Only end early: {cut}"));
        page.line(Style::Bold, &clip(&title, width));
        let shown = &story.ended[..limit(story.ended.len())];
        let name_width = shown.iter().map(|&at| columns(&pair_name(story.pairing(at)))).max().unwrap_or(0).min(24);
        for &at in shown {
            let name = clip(&pair_name(story.pairing(at)), 24);
            page.line(Style::Plain, &format!("  {}  {}", pad(&name, name_width), ended_after(story, at)));
        }
        more(page, story.ended.len());
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
                    let text =
                        format!(" {}  {}, from {from}", lane_name(lane), counted(lane.events, "event", "events"));
                    page.put(Style::Plain, &text).end();
                }
            }
        }
        more(page, story.unmatched.len());
    }
}

fn faults(story: &Story, page: &mut Page, width: usize) {
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

/// What the answer rests on: how much was compared, and what was overlooked.
fn coverage(story: &Story, page: &mut Page, width: usize) {
    page.gap();
    let (outcome, context) = (story.outcome, story.context);
    let mut parts = Vec::new();
    if !context.first_only {
        let coverage = &outcome.coverage;
        parts.push(counted(coverage.events_compared, "pair compared", "pairs compared"));
        parts.push(format!("{} equal by bytes", grouped(coverage.equal_by_bytes)));
        let depth = if context.validated == super::Validated::Full { "every line read" } else { "" };
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
    for note in &outcome.notes {
        for line in wrapped(&format!("note: {}: {}", story.label(note.side), visible(&note.text)), width) {
            page.line(Style::Dim, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{context, profile, typical};
    use super::*;

    #[test]
    fn look() {
        let (outcome, keep) = typical();
        let (profile, mut context) = (profile(), context());
        for width in [80, 120] {
            context.width = width;
            println!("{}\n", terminal(&outcome, &keep, &profile, &context).unwrap());
        }
    }
}
