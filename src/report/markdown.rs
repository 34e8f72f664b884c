//! The report as Markdown: the summary table, then for each pairing, the one to look at before the others, the pre-context,
//! the divergent event, the next event, the raw events, as the originals had it; then what was overlooked, and what to do next.

use super::accepted::{acceptance_remarks, lines};
use super::context::{Details, ReportContext};
use super::fields::focused;
use super::hints::{REST_UNREAD, fault_line, hints, next_steps, whole_command};
use super::layout::{Detail, EventLine, detail, ended_after};
use super::overview::{Row, overview};
use super::rule_flags::rule_remarks;
use super::story::{Story, lane_name, pair_name};
use super::verdict::{Class, facts};
use super::visible::{bytes, clip, counted, grouped, visible};
use crate::diverge::{DivergenceKind, Outcome};
use crate::profile::Profile;
use crate::source::{Keep, Side, SourceError};

/// So many divergences get a section of their own unless all details are wanted.
const SECTIONS_MAX: usize = 50;

/// Where a lane has no further event.
const END_OF_STREAM: &str = "<end of stream>";

/// Longer values and event lines are cut, values around what differs.
const CELL_COLUMNS_MAX: usize = 160;

/// Paints the Markdown report.
///
/// # Errors
/// A kept text cannot be read back.
pub fn markdown(
    outcome: &Outcome,
    keep: &Keep,
    profile: &Profile,
    context: &ReportContext,
) -> Result<String, SourceError> {
    let story = &Story::new(outcome, keep, profile, context);
    let mut out = String::from("# forkpoint: first divergences\n\n");
    let sentence = story.sentence().join("; ");
    line(&mut out, &format!("**{}**: {}", story.verdict.word(), prose(&sentence)));
    let remarks = rule_remarks(story).into_iter().chain(acceptance_remarks(story));
    let remarks: String = remarks.map(|remark| format!("- {}\n", prose(&remark))).collect();
    if !remarks.is_empty() {
        line(&mut out, remarks.trim_end());
    }
    if let Some(state) = &context.state {
        line(&mut out, state.markdown().trim_end());
    }
    logs(story, &mut out);
    table(story, &mut out);
    let limit = if story.context.details == Details::All { usize::MAX } else { SECTIONS_MAX };
    let told: Vec<usize> = story.in_sections().collect();
    // The one to look at, then the others in the order of the table; where there are too many, the first by rank.
    let mut shown = told[..told.len().min(limit)].to_vec();
    if let Some(others) = shown.get_mut(1..) {
        others.sort_unstable();
    }
    for at in shown {
        section(story, at, &mut out)?;
    }
    if told.len() > limit {
        let left = counted((told.len() - limit) as u64, "other divergence", "other divergences");
        line(&mut out, &format!("… and {left}; `--details all` tells them too."));
    }
    unmatched(story, &mut out);
    accepted(story, &mut out);
    causes(story, &mut out);
    coverage(story, &mut out);
    next(story, &mut out);
    out.truncate(out.trim_end().len());
    out.push('\n');
    Ok(out)
}

/// A paragraph.
fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push_str("\n\n");
}

/// Text inside a paragraph or cell: nothing in it is markup.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // No bare links either: an escaped character ends what would be one.
    out.replace("://", "\\://").replace("www.", "www\\.")
}

/// A code span that holds any text, for paths and commands.
pub(crate) fn code(text: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A fenced block no line of which can end it.
fn fence(out: &mut String, language: &str, lines: &[String]) {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    out.push_str(&format!("{ticks}{language}\n"));
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&format!("{ticks}\n\n"));
}

fn logs(story: &Story, out: &mut String) {
    for side in Side::BOTH {
        let log = facts(story.outcome, side);
        out.push_str(&format!(
            "- {}: {}",
            prose(&story.label(side)),
            code(&story.context.name(side).path.to_string_lossy())
        ));
        if !story.context.first_only {
            let threads = counted(log.threads, "thread", "threads");
            out.push_str(&format!(", {} in {threads}, {}", counted(log.events, "event", "events"), bytes(log.bytes)));
        }
        if log.lines_skipped > 0 && !story.context.first_only {
            out.push_str(&format!(", {} skipped", counted(log.lines_skipped, "line", "lines")));
        }
        out.push('\n');
    }
    for difference in &story.header {
        let value = |value: &Option<Vec<u8>>| match value {
            Some(value) => code(&String::from_utf8_lossy(value)),
            None => "absent".to_owned(),
        };
        let path = code(&difference.path.dotted());
        out.push_str(&format!(
            "- headers differ in {path}: {} → {}\n",
            value(&difference.reference),
            value(&difference.candidate)
        ));
    }
    out.push('\n');
}

fn table(story: &Story, out: &mut String) {
    let overview = overview(story);
    line(out, "## Summary");
    let [reference, candidate] = Side::BOTH.map(|side| prose(&story.label(side)));
    out.push_str(&format!(
        "| {reference} thread | {candidate} thread | matched by | compared | {reference} total | {candidate} total | first divergence at | outcome |\n"
    ));
    out.push_str("|---|---|---|--:|--:|--:|--:|---|\n");
    for row in &overview.rows {
        out.push_str(&cells(row));
    }
    out.push('\n');
    for text in &overview.others {
        line(out, &prose(text));
    }
    overview.marks().iter().for_each(|mark| line(out, &format!("{mark}.")));
}

fn cells(row: &Row) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "—".to_owned(), |number| number.to_string());
    let cells = [
        prose(&row.reference),
        prose(&row.candidate),
        prose(&row.matched),
        row.compared.to_string(),
        number(row.totals[0]),
        number(row.totals[1]),
        number(row.parts_at),
        match (row.first, row.after_fault) {
            (true, _) => format!("**{}** (first)", prose(&row.outcome)),
            (false, true) => format!("{} (after fault)", prose(&row.outcome)),
            (false, false) => prose(&row.outcome),
        },
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn section(story: &Story, at: usize, out: &mut String) -> Result<(), SourceError> {
    let Some(found) = story.divergence(at) else { return Ok(()) };
    let laid = detail(story, story.pairing(at), found)?;
    line(out, &format!("## {}", prose(&pair_name(story.pairing(at)))));
    let first = if story.outcome.first == Some(at) { " **The first divergence of the run.**" } else { "" };
    if Class::of(story.pairing(at)) == Class::EndedEarly {
        line(out, &format!("No event differs: {}.{first}", prose(&ended_after(story, at))));
    } else {
        line(out, &format!("First divergence at position {}: {}.{first}", found.position, prose(&story.what(found))));
    }
    let places: Vec<String> = laid.places.iter().flatten().map(|place| code(place)).collect();
    if !places.is_empty() {
        line(out, &places.join(" · "));
    }
    fields(story, &laid, out);
    let labels = labels(story);
    if !laid.before.is_empty() {
        line(
            out,
            &format!("**Pre-context (last {}):**", counted(laid.before.len() as u64, "equal pair", "equal pairs")),
        );
        let pairs: Vec<String> = laid
            .before
            .iter()
            .flat_map(|pair| [told(&labels[0], Some(&pair[0])), told(&labels[1], Some(&pair[1]))])
            .collect();
        fence(out, "", &pairs);
    }
    line(out, "**Divergent event:**");
    let ends = found.kind == DivergenceKind::EndedEarly;
    let none = if ends { END_OF_STREAM } else { "<no such event>" };
    let here = Side::BOTH.map(|side| match &laid.here[side.index()] {
        Some(event) => told(&labels[side.index()], Some(event)),
        None => format!("{} {none}", labels[side.index()]),
    });
    fence(out, "", &here);
    if found.reordered.is_some() {
        line(out, "**In both orders:**");
        let orders = Side::BOTH.map(|side| {
            let events = laid.here[side.index()].iter().chain(&laid.apart[side.index()]);
            events.map(|event| told(&labels[side.index()], Some(event))).collect::<Vec<_>>()
        });
        fence(out, "", &orders.concat());
    }
    line(out, "**Next event after the divergence (if any):**");
    fence(out, "", &[told(&labels[0], laid.after[0].first()), told(&labels[1], laid.after[1].first())]);
    let raw: Vec<String> = laid.here.iter().flatten().map(raw).collect();
    if !raw.is_empty() {
        line(out, "**Raw events (JSON):**");
        fence(out, "json", &raw);
    }
    for remark in &laid.remarks {
        line(out, &prose(remark));
    }
    if !laid.further.is_empty() {
        let further = laid.further.iter().map(|(what, place)| format!("- {} ({})\n", prose(what), code(place)));
        line(out, &format!("Then, in the same threads:\n\n{}", further.collect::<String>().trim_end()));
    }
    // Of what is told first, the end of the report tells it.
    if let Some(command) = laid.command.as_ref().filter(|_| story.in_sections().next() != Some(at)) {
        fence(out, "sh", std::slice::from_ref(command));
    }
    Ok(())
}

fn fields(story: &Story, detail: &Detail, out: &mut String) {
    if detail.fields.is_empty() {
        return;
    }
    let [reference, candidate] = Side::BOTH.map(|side| prose(&story.label(side)));
    out.push_str(&format!("| field | {reference} | {candidate} |\n|---|---|---|\n"));
    for field in &detail.fields {
        let [reference, candidate] = focused(field, CELL_COLUMNS_MAX).map(|value| match value {
            Some(value) => prose(&value.text()),
            None => "*absent*".to_owned(),
        });
        out.push_str(&format!("| {} | {reference} | {candidate} |\n", prose(&field.path)));
    }
    out.push('\n');
    if detail.fields_more > 0 {
        line(out, &format!("… and {}.", counted(detail.fields_more, "other field", "other fields")));
    }
}

/// Both labels with a colon, as wide as the wider one.
fn labels(story: &Story) -> [String; 2] {
    let labels = Side::BOTH.map(|side| format!("{}:", story.label(side)));
    let width = labels.iter().map(|label| super::visible::columns(label)).max().unwrap_or(0);
    labels.map(|label| super::visible::pad(&label, width))
}

fn told(label: &str, event: Option<&EventLine>) -> String {
    let told = event.map_or_else(|| END_OF_STREAM.to_owned(), EventLine::told);
    format!("{label} {}", clip(&told, CELL_COLUMNS_MAX))
}

fn raw(event: &EventLine) -> String {
    let text = visible(&String::from_utf8_lossy(&event.raw));
    match event.cut_bytes {
        0 => text,
        count => format!("{text}… ({} cut)", counted(count, "byte", "bytes")),
    }
}

fn unmatched(story: &Story, out: &mut String) {
    if story.unmatched.is_empty() {
        return;
    }
    line(out, "## Without a partner");
    let limit = if story.context.details == Details::All { usize::MAX } else { SECTIONS_MAX };
    for &at in story.unmatched.iter().take(limit) {
        let pairing = story.pairing(at);
        for (lane, side) in [(&pairing.reference, Side::Reference), (&pairing.candidate, Side::Candidate)] {
            if let Some(lane) = lane {
                let from = code(&story.file_line(side, lane.first_line));
                let events = counted(lane.events, "event", "events");
                let events = if story.context.first_only { String::new() } else { format!("{events}, ") };
                out.push_str(&format!(
                    "- {} {}: {events}from {from}\n",
                    prose(&story.label(side)),
                    prose(&lane_name(lane))
                ));
            }
        }
    }
    if story.unmatched.len() > limit {
        out.push_str(&format!("- … and {}\n", counted((story.unmatched.len() - limit) as u64, "other", "others")));
    }
    out.push('\n');
}

fn accepted(story: &Story, out: &mut String) {
    let lines = lines(story);
    if !lines.is_empty() {
        line(out, "## Accepted");
        let items: Vec<String> = lines.iter().map(|told| format!("- {}", prose(told))).collect();
        line(out, &items.join("\n"));
    }
}

fn causes(story: &Story, out: &mut String) {
    if let Some(text) = story.open_causes() {
        line(out, &prose(&format!("Causes: {text}.")));
    }
}

fn coverage(story: &Story, out: &mut String) {
    let outcome = story.outcome;
    if !outcome.faults.is_empty() || !story.context.messages.is_empty() {
        line(out, "## Trouble");
        for text in
            story.context.messages.iter().cloned().chain(outcome.faults.iter().map(|fault| fault_line(story, fault)))
        {
            out.push_str(&format!("- {}\n", prose(&text)));
        }
        let left = outcome.faults_total.saturating_sub(outcome.faults.len() as u64);
        if left > 0 {
            out.push_str(&format!("- … and {}\n", counted(left, "other", "others")));
        }
        out.push('\n');
    }
    line(out, "## Coverage");
    let coverage = &outcome.coverage;
    if !story.context.first_only {
        out.push_str(&format!(
            "- {}, {} equal by bytes, {} read\n",
            counted(coverage.events_compared, "pair compared", "pairs compared"),
            grouped(coverage.equal_by_bytes),
            grouped(coverage.read)
        ));
        for (count, text) in [
            (coverage.unverified, "stepped over unverified"),
            (coverage.skipped_nondeterministic, "nondeterministic payloads skipped"),
        ] {
            if count > 0 {
                out.push_str(&format!("- {} {text}\n", grouped(count)));
            }
        }
        for (rule, count) in &coverage.overlooked {
            out.push_str(&format!("- overlooked by rule {}: {}\n", prose(rule), grouped(*count)));
        }
        for (rule, [reference, candidate]) in &coverage.taken_out {
            let (reference, candidate) = (grouped(*reference), grouped(*candidate));
            out.push_str(&format!("- taken out by rule {}: {reference} and {candidate} events\n", prose(rule)));
        }
    }
    if story.context.first_only {
        let how = whole_command(story.context).map_or_else(|| "run without `--first`".to_owned(), |how| code(&how));
        out.push_str(&format!("- {}: {how}\n", prose(REST_UNREAD)));
    }
    let depth =
        if story.context.validated == super::Validated::Full { "every line wholly" } else { "every line opened" };
    out.push_str(&format!("- profile {}, validated: {depth}\n", prose(&story.profile.name)));
    for note in &outcome.notes {
        out.push_str(&format!("- note: {}: {}\n", prose(&story.label(note.side)), prose(&note.text)));
    }
}

fn next(story: &Story, out: &mut String) {
    let steps = next_steps(story);
    // What is to be done about malformed lines depends on more than the report knows.
    let advice = if story.outcome.faults_total == 0 { hints(story) } else { Vec::new() };
    if steps.is_empty() && advice.is_empty() {
        return;
    }
    out.push('\n');
    line(out, "## Next");
    let mut step = |words: &str, command: String| {
        let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
        line(out, &format!("{}{}:", first.to_uppercase(), prose(rest)));
        fence(out, "sh", &[command]);
    };
    for (words, command) in steps {
        step(words, command);
    }
    for advice in advice {
        // A sentence, a colon, and a command.
        if let Some((words, command)) = advice.split_once(": forkpoint ") {
            step(words, format!("forkpoint {command}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;

    fn painted((outcome, keep): &(Outcome, Keep)) -> String {
        markdown(outcome, keep, &profile(), &context()).unwrap()
    }

    #[test]
    fn sections_keep_the_order_of_the_originals() {
        let text = painted(&typical());
        let mut at = 0;
        for part in [
            "## Summary",
            "| 6 | 9 | first-call 64/64 | 561481 | 600000 | 599001 | 561481 | **value** (first) |",
            "## 6 → 9",
            "First divergence at position 561481",
            "**Pre-context (last 5 equal pairs):**",
            "canary: [561480] kernel.call RtlEnterCriticalSection",
            "**Divergent event:**",
            "canary: [561481] kernel.return NtOpenFile\nours:   [561481] kernel.return NtOpenFile",
            "**Next event after the divergence (if any):**",
            "**Raw events (JSON):**",
            "```json",
            "0xC0000034",
            "## 7 → 3",
            "forkpoint show",
            "## 8 → 8",
            "## 9 → 11",
            "## Without a partner",
            "## Coverage",
            "## Next",
            "Show it again:",
            "forkpoint show",
        ] {
            at += text[at..].find(part).unwrap_or_else(|| panic!("{part} is not behind {at} in\n{text}"));
        }
    }

    #[test]
    fn nothing_from_a_log_is_markup() {
        for sample in [nasty(), hollow()] {
            let text = painted(&sample);
            assert!(text.chars().all(|c| c == '\n' || visible(&c.to_string()) == c.to_string()));
            let mut fence: Option<&str> = None;
            let mut columns = None;
            for line in text.lines() {
                let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
                match fence {
                    Some(open) if line == open => fence = None,
                    Some(open) => assert!(!(ticks.len() >= open.len() && line.len() == ticks.len()), "{line}"),
                    None if ticks.len() >= 3 => fence = Some(ticks),
                    None => {
                        assert!(!line.contains("<script") && !line.contains("<i>") && !line.contains("<b>"), "{line}");
                        let bars = line.replace("\\|", "").matches('|').count();
                        if line.starts_with('|') {
                            assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
                        } else {
                            columns = None;
                        }
                    }
                }
            }
            assert!(fence.is_none());
        }
    }

    #[test]
    fn only_so_many_sections_unless_all_are_wanted() {
        let (outcome, keep) = many(20_000);
        let text = painted(&(outcome, keep));
        assert_eq!(text.matches("\n## ").count(), SECTIONS_MAX + 3);
        assert!(text.contains("… and 50 other divergences"), "{}", &text[text.len() - 600..]);
    }
}
