//! The report for people at a terminal: the answer, the table, the first place, the others.

use super::accepted::acceptance_remarks;
use super::context::ReportContext;
use super::gutter::Gutter;
use super::layout::{Detail, detail};
use super::rule_flags::rule_remarks;
use super::story::{Story, kind_word, sentence_name};
use super::style::{Page, Style};
use super::verdict::facts;
use super::visible::{bytes, clip, columns, counted, grouped, pad, visible, wrapped};
use super::{accepted, fields, lists, table};
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
    if let Some(state) = &context.state {
        state.paint(&mut page, width);
    }
    logs(story, &mut page, width);
    table::paint(story, &mut page, width);
    let detailed = story.detailed();
    for &at in &detailed {
        if let Some(found) = story.divergence(at) {
            page.gap();
            place(story, at, &detail(story, story.pairing(at), found)?, &mut page, width);
        }
    }
    lists::others(story, &detailed, &mut page, width);
    lists::ends(story, &mut page);
    accepted::paint(story, &mut page, width);
    lists::faults(story, &mut page, width);
    lists::coverage(story, &mut page, width);
    lists::next(story, &mut page);
    Ok(page.finish())
}

fn headline(story: &Story, page: &mut Page, width: usize) {
    let style = Style::of(story.verdict);
    let word = story.verdict.word();
    let parts = story.sentence();
    let whole = parts.join("; ");
    // One line where it fits; else one for the answer, and its parts below.
    let fits = columns(word) + 2 + columns(&whole) <= width;
    let lines =
        if fits { vec![whole] } else { parts.iter().flat_map(|part| wrapped(part, width - word.len() - 2)).collect() };
    page.headline(style, word, &lines, Style::Plain);
    for remark in rule_remarks(story).into_iter().chain(acceptance_remarks(story)) {
        for (at, line) in wrapped(&remark, width - 4).iter().enumerate() {
            page.line(Style::Warn, &format!("{}{line}", if at == 0 { "  " } else { "    " }));
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
    } else if story.lead() == Some(at) {
        "Look first at".to_owned()
    } else if story.first_outside() == Some(at) {
        "First outside of the pool".to_owned()
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
            let others = detail.apart[side.index()].iter().filter(|_| found.reordered.is_some());
            others.for_each(|event| gutter.one(page, side, event, Style::Bold));
        } else if found.kind == crate::diverge::DivergenceKind::EndedEarly {
            gutter.end_of_lane(page, side);
        }
    }
    fields::paint(story, detail, page, width);
    for side in Side::BOTH {
        for event in detail.apart[side.index()].iter().filter(|_| found.reordered.is_none()) {
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
    if !detail.further.is_empty() {
        page.gap();
        page.line(Style::Plain, "  Then, in the same threads:");
        for (what, place) in &detail.further {
            let room = width.saturating_sub(columns(place) + 2);
            let text = format!("    {what}");
            page.put(Style::Plain, &clip(&text, room.max(30))).put(Style::Dim, &format!("  {place}")).end();
        }
    }
    // Of what is told first, the end of the report tells it.
    if let Some(command) = detail.command.as_ref().filter(|_| story.in_sections().next() != Some(at)) {
        page.gap();
        page.line(Style::Dim, "  show it again:");
        page.put(Style::Plain, "  ").put(Style::Command, command).end();
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::Details;
    use super::super::samples::*;
    use super::*;

    fn painted((outcome, keep): &(Outcome, Keep), context: &ReportContext) -> String {
        terminal(outcome, keep, &profile(), context).unwrap()
    }

    #[test]
    fn a_typical_report_fits_eighty_columns() {
        let text = painted(&typical(), &context());
        assert_eq!(text, GOLDEN, "{text}");
        for line in text.lines().filter(|line| !line.contains("forkpoint show")) {
            assert!(columns(line) <= 80, "{line}");
        }
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        for sample in [nasty(), hollow()] {
            for width in [20, 60, 80, 200] {
                let text = painted(&sample, &ReportContext { width, ..context() });
                assert!(text.chars().all(|c| c == '\n' || visible(&c.to_string()) == c.to_string()), "{text}");
                assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
            }
        }
    }

    #[test]
    fn colours_change_no_text() {
        let plain = painted(&nasty(), &context());
        let coloured = painted(&nasty(), &ReportContext { colour: true, ..context() });
        let mut stripped = String::new();
        for (at, piece) in coloured.split("\x1b[").enumerate() {
            stripped.push_str(if at == 0 { piece } else { piece.split_once('m').unwrap().1 });
        }
        let without_carets = |text: &str| {
            let kept = text.lines().filter(|line| line.is_empty() || !line.chars().all(|c| c == ' ' || c == '^'));
            kept.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(without_carets(&stripped), without_carets(&plain));
        assert!(!stripped.contains('^') && plain.contains('^'));
    }

    #[test]
    fn a_pool_is_told_and_so_is_what_parts_outside() {
        let mut sample = pooled();
        let text = painted(&sample, &context());
        let told = "3 threads diverge
          first: thread 6 at position 10, payload.job: 1 → 2
          2 pairings are ambiguous
          2 threads look like a pool of equal workers whose work is distributed
          differently, or are paired wrongly: what differs in them may be
          scheduling
          first outside of it: thread 8 at position 30, payload.job: 1 → 2\n";
        assert!(text.contains(told), "{text}");
        assert!(text.contains("64/64 pool?"), "{text}");
        assert!(text.contains("\n  pool? look like equal workers"), "{text}");
        assert!(text.contains("\nFirst outside of the pool: thread 8 at position 30"), "{text}");
        assert!(text.lines().all(|line| line.contains("forkpoint show") || columns(line) <= 80), "{text}");
        sample.0.pairings.pop();
        let text = painted(&sample, &context());
        assert!(text.contains("\n          no event differs outside of it\n"), "{text}");
    }

    #[test]
    fn a_cut_log_is_told_once() {
        let text = painted(&cut_short(), &context());
        assert_eq!(text.matches("log ends at line 721; no event differs before").count(), 1, "{text}");
        assert!(text.contains("  7 → 3  ours ends after 300 of 400 events"), "{text}");
    }

    #[test]
    fn the_first_alone_needs_no_totals() {
        let (mut outcome, keep) = typical();
        outcome.pairings = vec![outcome.pairings.swap_remove(1)];
        outcome.lead = None;
        (outcome.first, outcome.only_first) = (Some(0), Some([Some(1_684_445), Some(2_245_926)]));
        let first = ReportContext { first_only: true, diff_flags: vec!["--first".into()], ..context() };
        let sample = (outcome, keep);
        let text = painted(&sample, &first);
        assert!(text.starts_with("diverged: thread 6 → 9 at position 561,481, payload.return_value: 0 →"), "{text}");
        let told =
            "looked for (--first); for the others and totals:\n  forkpoint diff runs/canary.jsonl runs/ours.jsonl\n";
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("600,000") && !text.contains(" events in ") && !text.contains("of canary"), "{text}");
        let piped = painted(&sample, &{
            let mut piped = first;
            piped.candidate.reopenable = false;
            piped
        });
        assert!(piped.contains("totals:\n  run without --first\n"), "{piped}");
        assert!(text.lines().all(|line| columns(line) <= 80 || line.contains("forkpoint ")), "{text}");
    }

    #[test]
    fn long_tables_are_summed_up_unless_all_is_wanted() {
        let sample = many(20_000);
        let text = painted(&sample, &context());
        assert!(text.lines().count() < 90, "{}", text.lines().count());
        assert!(text.contains("… and 19,898 identical pairings"), "{text}");
        let text = painted(&sample, &ReportContext { details: Details::All, ..context() });
        assert!(text.lines().count() > 20_000 + 100 * 10);
        let text = painted(&sample, &ReportContext { details: Details::Count(3), ..context() });
        assert_eq!(text.matches("show it again").count(), 3);
    }

    #[test]
    fn a_hollow_comparison_is_no_pass() {
        let text = painted(&hollow(), &context());
        assert!(text.starts_with("inconclusive: nothing was compared: no thread was paired"), "{text}");
    }

    const GOLDEN: &str = r#"diverged: 3 threads diverge, 2 only end early, 1 has no partner
          first: thread 6 → 9 at position 561,481, payload.return_value: 0 →
          3221225524 and 1 other field
          1 pairing is ambiguous

  canary  runs/canary.jsonl  916,332 events in 8 threads, 183 MB
  ours    runs/ours.jsonl    913,010 events in 7 threads, 183 MB
  headers differ in engine: "canary" → "ours"
  headers differ in build: "a1b2" → absent

  canary → ours  matched by              equal  of canary  of ours  outcome
       1 → 4     first-call 64/64      120,004    120,004  120,004  identical
>      6 → 9     first-call 64/64      561,481    600,000  599,001  value
       7 → 3     prefix 41/64 vs 41 ?   40,200     80,000   79,998  missing
       8 → 8     first-call 64/64           12     52,000   52,000  kind
       9 → 11    first-call 64/64       31,000     32,000   31,000  ended-early
      10 → 12    first-call 64/64       31,000     32,000   31,000  ended-early
      11 → 5     first-call 64/64            7          7        7  identical
      14 → —     none                        0        321           unmatched
  n/m vs k: n of the first m events fit, k of them with the next best lane
  ? ambiguous: another lane fits as well

First divergence: thread 6 → 9 at position 561,481 (value)
  canary  runs/canary.jsonl:1684445
  ours    runs/ours.jsonl:2245926

   canary    ours
  1684430 2245906   [561476] kernel.call NtReadFile
  1684433 2245910   [561477] kernel.return NtReadFile
  1684436 2245914   [561478] kernel.call RtlLeaveCriticalSection
  1684439 2245918   [561479] kernel.return RtlLeaveCriticalSection
  1684442 2245922   [561480] kernel.call RtlEnterCriticalSection
  1684445         - [561481] kernel.return NtOpenFile
          2245926 + [561481] kernel.return NtOpenFile

                            canary        ours
      payload.return_value  0             3221225524
                            ^             ^^^^^^^^^^
      payload.status        "0x00000000"  "0xC0000034"
                               ^^^^^^^^      ^^^^^^^^

  1684448 2245930   [561482] kernel.call NtWaitForSingleObjectEx
  1684451 2245934   [561483] kernel.return NtWaitForSingleObjectEx
  1684454 2245938   [561484] kernel.call KeSetEvent

  The two agree again right after it, for at least 255 events.

  Also different here, but overlooked by rule: ignore:/payload/host_ns.

Other divergences
  8 → 8  at 12: kind: "wait.begin" → "kernel.call"  runs/canary.jsonl:38
  7 → 3  at 40,200: ours lacks 2 events  runs/canary.jsonl:120602

Only end early
  9 → 11   ours ends after 31,000 of 32,000 events, runs/ours.jsonl:123998
  10 → 12  ours ends after 31,000 of 32,000 events, runs/ours.jsonl:123998

Without a partner
  canary 14  321 events, from runs/canary.jsonl:2

783,704 pairs compared, 705,333 equal by bytes, 78,370 read, profile schema-v1
overlooked by rule: raw-handle-id in 12, allocator in 1,234
note: ours: the last line is torn

show it again:
forkpoint show runs/canary.jsonl runs/ours.jsonl --offset 336889000 --candidate-offset 449185200 --position 561481 --line 1684445 --candidate-line 2245926

go on behind it:
forkpoint diff runs/canary.jsonl runs/ours.jsonl --continue 10
"#;
}
