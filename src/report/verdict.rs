//! The answer: one word, one exit code, one sentence.

use super::context::ReportContext;
use super::state::StateGate;
use super::visible::{counted, grouped};
use crate::diverge::{DivergenceKind, LogFacts, Outcome, Pairing, Status};
use crate::source::Side;

/// What a comparison says in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Compared, and the same.
    Identical,
    /// Compared, and they differ.
    Diverged,
    /// Nothing, or not enough, was compared to say.
    Inconclusive,
    /// Malformed or unreadable input.
    Trouble,
}

impl Verdict {
    /// The verdict by the order of BEHAVIOUR 2: the first that fits.
    pub fn of(outcome: &Outcome, context: &ReportContext) -> Verdict {
        Verdict::from_tally(&Tally::of(outcome), outcome, context)
    }

    pub(crate) fn from_tally(tally: &Tally, outcome: &Outcome, context: &ReportContext) -> Verdict {
        match Verdict::by_events(tally, outcome, context) {
            // From another state whatever else differs says nothing.
            Verdict::Identical | Verdict::Diverged if context.state.as_ref().is_some_and(StateGate::stops) => {
                Verdict::Inconclusive
            }
            verdict => verdict,
        }
    }

    /// The verdict as if both runs had begun in one state.
    fn by_events(tally: &Tally, outcome: &Outcome, context: &ReportContext) -> Verdict {
        let stepped_over = outcome.reference.lines_skipped + outcome.candidate.lines_skipped > 0
            || outcome.coverage.unverified > 0
            || tally.after_fault > 0;
        let faults = outcome.faults_total > 0 && !context.malformed_skip;
        if context.trouble || faults || !outcome.map_unknown.is_empty() || tally.faulty > 0 {
            Verdict::Trouble
        } else if tally.paired == 0 || !tally.compared_any {
            Verdict::Inconclusive
        } else if tally.trustworthy(context) > 0 {
            Verdict::Diverged
        } else if stepped_over {
            Verdict::Inconclusive
        } else {
            Verdict::Identical
        }
    }

    /// The exit code of `diff`.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Identical => 0,
            Verdict::Diverged => 1,
            Verdict::Trouble => 2,
            Verdict::Inconclusive => 3,
        }
    }

    /// The word of the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Identical => "identical",
            Verdict::Diverged => "diverged",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Trouble => "trouble",
        }
    }
}

/// Which class of the verdict a pairing belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Identical,
    /// An event differs, is missing or is extra.
    Event,
    EndedEarly,
    StartedLate,
    Unmatched,
    Faulty,
    NotCompared,
}

impl Class {
    pub(crate) fn of(pairing: &Pairing) -> Class {
        match (pairing.status, pairing.divergence.as_ref().map(|divergence| divergence.kind)) {
            (Status::NotCompared, _) => Class::NotCompared,
            (Status::Unmatched, _) | (_, Some(DivergenceKind::Unmatched)) => Class::Unmatched,
            (_, Some(DivergenceKind::EndedEarly)) => Class::EndedEarly,
            (_, Some(DivergenceKind::StartedLate)) => Class::StartedLate,
            (_, Some(_)) | (Status::Diverged, None) => Class::Event,
            (Status::Faulty, None) => Class::Faulty,
            (Status::Identical, None) => Class::Identical,
        }
    }
}

/// The pairings counted by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pairings of two lanes that were held against each other.
    pub paired: u64,
    /// At least one event was weighed against another.
    pub compared_any: bool,
    pub identical: u64,
    /// Pairings in which an event differs, less those after a fault.
    pub diverged: u64,
    pub ended_early: u64,
    pub started_late: u64,
    pub unmatched: u64,
    /// Divergences of every class behind skipped lines: not to be trusted.
    pub after_fault: u64,
    pub faulty: u64,
    pub not_compared: u64,
    pub ambiguous: u64,
}

impl Tally {
    /// Counts an outcome's pairings, those that are not told and yet count among them.
    pub fn of(outcome: &Outcome) -> Tally {
        let mut tally = Tally { compared_any: outcome.coverage.events_compared > 0, ..Tally::default() };
        for pairing in outcome.pairings.iter().chain(&outcome.untold) {
            let class = Class::of(pairing);
            tally.ambiguous += u64::from(pairing.ambiguous);
            if pairing.reference.is_some() && pairing.candidate.is_some() && class != Class::NotCompared {
                tally.paired += 1;
            }
            tally.compared_any |= pairing.compared > 0 || class == Class::Event;
            let after_fault = pairing.divergence.as_ref().is_some_and(|divergence| divergence.after_fault);
            match class {
                Class::NotCompared => tally.not_compared += 1,
                Class::Faulty => tally.faulty += 1,
                Class::Identical => tally.identical += 1,
                _ if after_fault => tally.after_fault += 1,
                Class::Event => tally.diverged += 1,
                Class::EndedEarly => tally.ended_early += 1,
                Class::StartedLate => tally.started_late += 1,
                Class::Unmatched => tally.unmatched += 1,
            }
        }
        tally
    }

    /// Divergences that decide the verdict: those the user did not accept beforehand.
    pub(crate) fn trustworthy(&self, context: &ReportContext) -> u64 {
        self.diverged
            + self.started_late
            + if context.prefix { 0 } else { self.ended_early }
            + if context.ignore_unmatched { 0 } else { self.unmatched }
    }

    /// The classes counted apart: "2 threads diverge, 5 only end early".
    fn classes(&self, context: &ReportContext) -> String {
        let accepted = |yes: bool, flag: &str| if yes { format!(" (accepted by {flag})") } else { String::new() };
        let parts = [
            (self.diverged, "diverges", "diverge", String::new()),
            (self.ended_early, "only ends early", "only end early", accepted(context.prefix, "--prefix")),
            (self.started_late, "only starts late", "only start late", String::new()),
            (
                self.unmatched,
                "has no partner",
                "have no partner",
                accepted(context.ignore_unmatched, "--ignore-unmatched"),
            ),
            (self.after_fault, "differs only behind skipped lines", "differ only behind skipped lines", String::new()),
            (self.faulty, "stops at a malformed line", "stop at a malformed line", String::new()),
        ];
        let mut told: Vec<String> = Vec::new();
        for (count, one, many, remark) in parts {
            if count > 0 {
                let noun = if told.is_empty() { counted(count, "thread", "threads") } else { grouped(count) };
                told.push(format!("{noun} {}{remark}", if count == 1 { one } else { many }));
            }
        }
        told.join(", ")
    }
}

/// The answer without its word, in parts. `first` tells where the first divergence is.
pub(crate) fn sentence(
    verdict: Verdict,
    tally: &Tally,
    outcome: &Outcome,
    context: &ReportContext,
    first: Option<&str>,
) -> Vec<String> {
    if context.first_only {
        return first_sentence(verdict, tally, outcome, context, first);
    }
    let by_events = Verdict::by_events(tally, outcome, context);
    if by_events != verdict {
        return sentence(by_events, tally, outcome, context, first);
    }
    let classes = some(tally.classes(context));
    let cut = cut_sentence(outcome, context, tally);
    let first = first.map(|place| format!("first: {place}"));
    let accepted = some_accepted(outcome);
    let mut parts: Vec<String> = match verdict {
        Verdict::Identical => vec![Some(no_difference(tally, outcome)), cut, classes],
        Verdict::Diverged if tally.diverged == 0 => vec![cut, classes, accepted],
        Verdict::Diverged => vec![classes, first, cut, accepted],
        Verdict::Inconclusive => inconclusive(tally, outcome, classes, first, cut),
        Verdict::Trouble => vec![Some(cause(outcome, context)), Some(so_far(tally, outcome, classes)), first, cut],
    }
    .into_iter()
    .flatten()
    .collect();
    match tally.ambiguous {
        0 => {}
        1 => parts.push("1 pairing is ambiguous".to_owned()),
        count => parts.push(format!("{} pairings are ambiguous", grouped(count))),
    }
    parts
}

/// The answer where only the first divergence is told: nothing is counted.
fn first_sentence(
    verdict: Verdict,
    tally: &Tally,
    outcome: &Outcome,
    context: &ReportContext,
    place: Option<&str>,
) -> Vec<String> {
    let place = place.map(str::to_owned);
    let is_ambiguous = outcome.pairings.iter().any(|pairing| pairing.ambiguous);
    let kind = outcome.pairings.iter().find_map(|pairing| pairing.divergence.as_ref()).map(|found| found.kind);
    let why = match verdict {
        Verdict::Diverged => None,
        Verdict::Trouble => Some(cause(outcome, context)),
        Verdict::Identical if kind == Some(DivergenceKind::Unmatched) => {
            Some("accepted by --ignore-unmatched".to_owned())
        }
        Verdict::Identical => Some("accepted by --prefix".to_owned()),
        Verdict::Inconclusive if tally.paired == 0 => Some("nothing was compared: no thread was paired".to_owned()),
        Verdict::Inconclusive if !tally.compared_any => {
            Some("nothing was compared: the paired threads have no event in common".to_owned())
        }
        Verdict::Inconclusive => Some("malformed lines were stepped over".to_owned()),
    };
    let ambiguous = is_ambiguous.then(|| "its pairing is ambiguous".to_owned());
    [why, place, ambiguous].into_iter().flatten().collect()
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Where something else differs: how much is accepted beside it.
fn some_accepted(outcome: &Outcome) -> Option<String> {
    let count = outcome.accepted;
    (count > 0).then(|| format!("{} accepted", counted(count, "other difference", "other differences")))
}

fn no_difference(tally: &Tally, outcome: &Outcome) -> String {
    let accepted = match outcome.accepted {
        0 => String::new(),
        count => format!(", but for {} accepted", grouped(count)),
    };
    format!(
        "no event differs in {} of {}{accepted}",
        counted(outcome.coverage.events_compared, "compared pair", "compared pairs"),
        counted(tally.paired, "thread", "threads")
    )
}

/// "the candidate log ends at line 120; no event differs before", said once for all its lanes.
pub(crate) fn cut_sentence(outcome: &Outcome, context: &ReportContext, tally: &Tally) -> Option<String> {
    let cut: Vec<String> = Side::BOTH
        .into_iter()
        .filter(|side| facts(outcome, *side).cut)
        .map(|side| {
            let label = super::visible::visible(&context.name(side).label);
            format!("the {label} log ends at line {}", facts(outcome, side).last_line)
        })
        .collect();
    let no_event = if tally.diverged + tally.after_fault == 0 { "; no event differs before" } else { "" };
    (!cut.is_empty()).then(|| format!("{}{no_event}", cut.join(", ")))
}

/// One log's facts.
pub(crate) fn facts(outcome: &Outcome, side: Side) -> &LogFacts {
    match side {
        Side::Reference => &outcome.reference,
        Side::Candidate => &outcome.candidate,
    }
}

fn inconclusive(
    tally: &Tally,
    outcome: &Outcome,
    classes: Option<String>,
    first: Option<String>,
    cut: Option<String>,
) -> Vec<Option<String>> {
    if tally.paired == 0 {
        return vec![Some("nothing was compared: no thread was paired".to_owned()), classes];
    }
    if !tally.compared_any {
        return vec![Some("nothing was compared: the paired threads have no event in common".to_owned()), classes];
    }
    let skipped = outcome.reference.lines_skipped + outcome.candidate.lines_skipped;
    let unverified = outcome.coverage.unverified;
    let over: Vec<String> = [
        (skipped > 0).then(|| counted(skipped, "malformed line", "malformed lines")),
        (unverified > 0).then(|| counted(unverified, "unverified event", "unverified events")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let over = some(over.join(" and ")).map(|over| format!("{over} stepped over"));
    vec![over, classes.or_else(|| Some(no_difference(tally, outcome))), first, cut]
}

/// Why the comparison is troubled.
fn cause(outcome: &Outcome, context: &ReportContext) -> String {
    if let (None, 0, Some((side, lane))) = (context.messages.first(), outcome.faults_total, outcome.map_unknown.first())
    {
        let label = super::visible::visible(&context.name(*side).label);
        return format!("--map names a thread that the {label} log does not have, {}", super::story::map_name(lane));
    }
    match (context.messages.first(), outcome.faults_total) {
        (Some(message), _) => super::visible::visible(message),
        (None, 0) => "the comparison could not be finished".to_owned(),
        (None, count) => format!("{} met", counted(count, "malformed line", "malformed lines")),
    }
}

/// What was found in spite of the trouble.
fn so_far(tally: &Tally, outcome: &Outcome, classes: Option<String>) -> String {
    match classes {
        _ if !tally.compared_any => "nothing was compared".to_owned(),
        Some(classes) => format!("as far as compared, {classes}"),
        None => format!("as far as compared, {}", no_difference(tally, outcome)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::diverge::{Divergence, LineFault};

    fn with(pairings: Vec<Pairing>) -> Outcome {
        let mut sample = Sample { pairings, ..Sample::default() };
        sample.outcome(None)
    }

    fn parting(kind: DivergenceKind, after_fault: bool) -> Pairing {
        let mut sample = Sample::default();
        let mut found: Divergence = sample.around(3, kind);
        found.after_fault = after_fault;
        if kind == DivergenceKind::EndedEarly {
            found.candidate = None;
        }
        sample.diverged(1, 2, [9, 9], found);
        sample.pairings.remove(0)
    }

    fn alone() -> Pairing {
        Pairing { candidate: None, status: Status::Unmatched, compared: 0, evidence: None, ..equal(3, 0, 5) }
    }

    fn not_compared() -> Pairing {
        Pairing { status: Status::NotCompared, compared: 0, ..alone() }
    }

    fn told(outcome: &Outcome, context: &ReportContext) -> (u8, String) {
        let tally = Tally::of(outcome);
        let verdict = Verdict::of(outcome, context);
        (verdict.exit_code(), sentence(verdict, &tally, outcome, context, None).join("; "))
    }

    #[test]
    fn the_first_that_fits_is_the_verdict() {
        use DivergenceKind::{EndedEarly, Extra, Kind, Missing, Ordinal, Value};
        let plain = context();
        let prefix = ReportContext { prefix: true, ..context() };
        let lone = ReportContext { ignore_unmatched: true, ..context() };
        let broken = ReportContext { trouble: true, ..context() };
        let code = |pairings: Vec<Pairing>, context: &ReportContext| Verdict::of(&with(pairings), context).exit_code();
        assert_eq!(code(vec![equal(1, 1, 5)], &plain), 0);
        for kind in [Value, Kind, Ordinal, Missing, Extra] {
            assert_eq!(code(vec![equal(1, 1, 5), parting(kind, false)], &plain), 1, "{kind:?}");
            assert_eq!(code(vec![equal(1, 1, 5), parting(kind, true)], &plain), 3, "{kind:?}");
            assert_eq!(code(vec![parting(kind, false)], &prefix), 1, "{kind:?}");
        }
        assert_eq!(code(vec![parting(EndedEarly, false)], &plain), 1);
        assert_eq!(code(vec![parting(EndedEarly, false)], &prefix), 0);
        assert_eq!(code(vec![parting(EndedEarly, false)], &lone), 1);
        assert_eq!(code(vec![equal(1, 1, 5), alone()], &plain), 1);
        assert_eq!(code(vec![equal(1, 1, 5), alone()], &lone), 0);
        assert_eq!(code(vec![equal(1, 1, 5), alone()], &prefix), 1);
        assert_eq!(code(vec![equal(1, 1, 5), not_compared()], &plain), 0);
        assert_eq!(code(vec![], &plain), 3);
        assert_eq!(code(vec![alone()], &lone), 3);
        assert_eq!(code(vec![not_compared()], &plain), 3);
        assert_eq!(code(vec![equal(1, 1, 0)], &plain), 3);
        assert_eq!(code(vec![parting(Value, true), parting(Value, false)], &plain), 1);
        assert_eq!(code(vec![], &broken), 2);
        assert_eq!(code(vec![parting(Value, false)], &broken), 2);
        assert_eq!(code(vec![Pairing { status: Status::Faulty, ..equal(1, 1, 5) }], &plain), 2);
    }

    #[test]
    fn what_is_not_told_still_counts() {
        let mut outcome = with(vec![parting(DivergenceKind::EndedEarly, false)]);
        let prefix = ReportContext { prefix: true, first_only: true, ..context() };
        assert_eq!(told(&outcome, &prefix), (0, "accepted by --prefix".into()));
        outcome.untold = vec![alone(), equal(1, 1, 5)];
        assert_eq!(told(&outcome, &prefix), (1, String::new()));
        let lone = ReportContext { ignore_unmatched: true, ..prefix };
        assert_eq!(told(&outcome, &lone).0, 0);
        let outcome = with(vec![Pairing { ambiguous: true, ..parting(DivergenceKind::Value, true) }]);
        assert_eq!(told(&outcome, &lone), (3, "malformed lines were stepped over; its pairing is ambiguous".into()));
    }

    #[test]
    fn stepping_over_lines_leaves_no_pass() {
        let skip = ReportContext { malformed_skip: true, ..context() };
        let mut outcome = with(vec![equal(1, 1, 5)]);
        outcome.candidate.lines_skipped = 2;
        outcome.faults_total = 2;
        outcome.faults = vec![LineFault { side: Side::Candidate, line: 3, offset: 9, reason: "x".into() }];
        assert_eq!(told(&outcome, &skip).0, 3);
        assert_eq!(told(&outcome, &context()).0, 2);
        outcome.candidate.lines_skipped = 0;
        outcome.faults_total = 0;
        outcome.coverage.unverified = 1;
        assert_eq!(
            told(&outcome, &context()),
            (3, "1 unverified event stepped over; no event differs in 5 compared pairs of 1 thread".into())
        );
        outcome.pairings.push(parting(DivergenceKind::Value, false));
        assert_eq!(told(&outcome, &skip).0, 1);
    }

    #[test]
    fn sentences_count_classes_apart() {
        use DivergenceKind::{EndedEarly, Value};
        let context = context();
        let prefix = ReportContext { prefix: true, ..context.clone() };
        let many = |count: usize, pairing: fn() -> Pairing| std::iter::repeat_with(pairing).take(count);
        let mixed: Vec<Pairing> =
            many(2, || parting(Value, false)).chain(many(5, || parting(EndedEarly, false))).chain([alone()]).collect();
        assert_eq!(told(&with(mixed), &context).1, "2 threads diverge, 5 only end early, 1 has no partner");
        assert_eq!(told(&with(vec![parting(Value, false)]), &context).1, "1 thread diverges");
        assert_eq!(told(&with(vec![equal(1, 1, 1)]), &context).1, "no event differs in 1 compared pair of 1 thread");
        let mut cut = with(vec![equal(1, 1, 5), parting(EndedEarly, false)]);
        cut.candidate.cut = true;
        cut.candidate.last_line = 42;
        assert_eq!(
            told(&cut, &context).1,
            "the ours log ends at line 42; no event differs before; 1 thread only ends early"
        );
        assert_eq!(
            told(&cut, &prefix).1,
            "no event differs in 8 compared pairs of 2 threads; the ours log ends at line 42; no event differs before; \
             1 thread only ends early (accepted by --prefix)"
        );
        assert_eq!(told(&with(vec![]), &context).1, "nothing was compared: no thread was paired");
        let mut ambiguous = with(vec![Pairing { ambiguous: true, ..equal(1, 1, 5) }]);
        assert_eq!(
            told(&ambiguous, &context),
            (0, "no event differs in 5 compared pairs of 1 thread; 1 pairing is ambiguous".into())
        );
        ambiguous.faults_total = 1;
        assert!(
            told(&ambiguous, &context).1.starts_with("1 malformed line met; as far as compared, no event differs in 5")
        );
    }
}
