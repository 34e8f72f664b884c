//! Divergences that were accepted: how often, by what, and which acceptances look wrong.

use super::context::Details;
use super::doc::Doc;
use super::story::{Story, kind_word};
use super::style::{Page, Style};
use super::verdict::Verdict;
use super::visible::{clip, counted, grouped, visible};
use crate::diverge::AcceptanceUse;

/// So many lines of a list are shown unless all details are wanted.
const LINES_MAX: usize = 20;

/// What is suspicious of an acceptance, as a word of the JSON report.
fn flag(story: &Story, entry: &AcceptanceUse) -> Option<&'static str> {
    if entry.has_expired {
        return Some("expired");
    }
    // What trouble kept from being compared may be what it is for; under `--first` nothing is counted.
    let is_known = story.verdict != Verdict::Trouble && !story.context.first_only;
    (is_known && entry.accepted == 0).then_some("unused")
}

/// Sentences on acceptances that look wrong, safe to show.
pub(crate) fn acceptance_remarks(story: &Story) -> Vec<String> {
    let sentence = |entry: &AcceptanceUse| {
        let place = visible(&entry.place);
        Some(match (flag(story, entry)?, &entry.expires) {
            ("expired", Some(day)) => format!("{place}: accepts nothing any more: it expired on {day}"),
            _ => format!("{place}: accepted nothing"),
        })
    };
    let mut told: Vec<String> = story.outcome.acceptances.iter().filter_map(sentence).collect();
    let limit = if story.context.details == Details::All { told.len() } else { LINES_MAX };
    if told.len() > limit {
        let more = told.len() - limit;
        told.truncate(limit);
        told.push(format!("… and {} (--details all)", counted(more as u64, "other acceptance", "other acceptances")));
    }
    told
}

/// The acceptances that accepted something, one line each: how often, where it stands, why.
pub(crate) fn lines(story: &Story) -> Vec<String> {
    let used = story.outcome.acceptances.iter().filter(|entry| entry.accepted > 0);
    let used: Vec<&AcceptanceUse> = used.filter(|_| !story.context.first_only).collect();
    let shown = if story.context.details == Details::All { used.len() } else { used.len().min(LINES_MAX) };
    let mut told: Vec<String> = used[..shown]
        .iter()
        .map(|entry| {
            let link = entry.link.as_ref().map_or_else(String::new, |link| format!(" ({})", visible(link)));
            let (place, reason) = (visible(&entry.place), visible(&entry.reason));
            format!("{} {} by {place}: {reason}{link}", grouped(entry.accepted), kind_word(entry.divergence))
        })
        .collect();
    if shown < used.len() {
        told.push(format!("… and {} (--details all)", counted((used.len() - shown) as u64, "other", "others")));
    }
    told
}

/// The list on a terminal.
pub(crate) fn paint(story: &Story, page: &mut Page, width: usize) {
    let lines = lines(story);
    if lines.is_empty() {
        return;
    }
    page.gap();
    page.line(Style::Bold, "Accepted");
    lines.iter().for_each(|line| page.line(Style::Plain, &clip(&format!("  {line}"), width)));
}

/// What the JSON report tells.
pub(crate) fn doc(story: &Story) -> Doc {
    let entry = |entry: &AcceptanceUse| {
        let mut doc = Doc::object([
            ("place", Doc::text(&entry.place)),
            ("divergence", Doc::text(kind_word(entry.divergence))),
            ("accepted", Doc::number(entry.accepted)),
            ("flag", Doc::or_null(flag(story, entry).map(Doc::text))),
            ("reason", Doc::text(&entry.reason)),
        ]);
        for (key, value) in [("expires", &entry.expires), ("link", &entry.link)] {
            if let Some(value) = value {
                doc.add(key, Doc::text(value));
            }
        }
        doc
    };
    Doc::object([
        ("total", Doc::number(story.outcome.accepted)),
        ("entries", Doc::Array(story.outcome.acceptances.iter().map(entry).collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::diverge::{DivergenceKind, Outcome};
    use crate::report::{ReportContext, terminal};
    use crate::source::Keep;

    fn entry(line: usize, accepted: u64, has_expired: bool) -> AcceptanceUse {
        AcceptanceUse {
            place: format!("known.toml:{line}"),
            divergence: DivergenceKind::Missing,
            reason: "a \u{1b}[31mbug".into(),
            link: (line == 3).then(|| "https://bugs/3".into()),
            expires: has_expired.then(|| "2026-01-31".into()),
            has_expired,
            accepted,
        }
    }

    fn sample(acceptances: Vec<AcceptanceUse>) -> (Outcome, Keep) {
        let mut sample = Sample::default();
        sample.pairings.push(equal(1, 1, 50));
        let mut outcome = sample.outcome(None);
        outcome.accepted = acceptances.iter().map(|entry| entry.accepted).sum();
        outcome.acceptances = acceptances;
        (outcome, sample.keep)
    }

    fn painted((outcome, keep): &(Outcome, Keep), context: &ReportContext) -> String {
        terminal(outcome, keep, &profile(), context).unwrap()
    }

    #[test]
    fn a_pass_with_accepted_differences_says_so() {
        let text = painted(&sample(vec![entry(3, 2, false)]), &context());
        assert!(
            text.starts_with("identical: no event differs in 50 compared pairs of 1 thread, but for 2 accepted\n"),
            "{text}"
        );
        assert!(
            text.contains("\nAccepted\n  2 missing by known.toml:3: a \\u{1b}[31mbug (https://bugs/3)\n"),
            "{text}"
        );
        assert!(!painted(&sample(vec![]), &context()).contains("ccepted"));
    }

    #[test]
    fn what_accepted_nothing_and_what_expired_is_told() {
        let entries = || vec![entry(3, 1, false), entry(9, 0, false), entry(20, 0, true)];
        let told = |context: &ReportContext| {
            let (outcome, keep) = sample(entries());
            acceptance_remarks(&Story::new(&outcome, &keep, &profile(), context))
        };
        let expired = "known.toml:20: accepts nothing any more: it expired on 2026-01-31";
        assert_eq!(told(&context()), ["known.toml:9: accepted nothing", expired]);
        assert_eq!(told(&ReportContext { first_only: true, ..context() }), [expired]);
        assert_eq!(told(&ReportContext { trouble: true, ..context() }), [expired]);
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let (outcome, keep) = sample((0..30).map(|line| entry(line, line as u64 % 2, false)).collect());
        let profile = profile();
        let context = context();
        let story = Story::new(&outcome, &keep, &profile, &context);
        assert_eq!((lines(&story).len(), acceptance_remarks(&story).len()), (15, 15));
        let (outcome, keep) = sample((0..30).map(|line| entry(line, 1, false)).collect());
        let story = Story::new(&outcome, &keep, &profile, &context);
        assert_eq!(lines(&story).last().unwrap(), "… and 10 others (--details all)");
    }
}
