//! What is told, in which order: built once, painted by every format.

use super::context::{Details, ReportContext};
use super::focus::focus;
use super::header::header_differences;
use super::state::StateGate;
use super::verdict::{Class, Tally, Verdict, sentence};
use super::visible::{clip, counted, grouped, visible};
use crate::diverge::{
    CauseFacts, Difference, Divergence, DivergenceKind, LaneFacts, LaneName, LateStart, MatchedBy, Outcome, Pairing,
};
use crate::profile::{Profile, Templates};
use crate::scan::ThreadKey;
use crate::source::{Keep, Side};

/// An outcome with its verdict, its classes and its order of telling.
pub struct Story<'a> {
    pub(crate) outcome: &'a Outcome,
    pub(crate) keep: &'a Keep,
    pub(crate) profile: &'a Profile,
    pub(crate) context: &'a ReportContext,
    /// The answer.
    pub verdict: Verdict,
    /// The pairings by class.
    pub tally: Tally,
    /// Pairings in which an event differs, by rank.
    pub(crate) events: Vec<usize>,
    /// Pairings in which a lane only ends early, by rank.
    pub(crate) ended: Vec<usize>,
    /// Pairings in which a lane only starts late, by rank.
    pub(crate) late: Vec<usize>,
    pub(crate) unmatched: Vec<usize>,
    pub(crate) header: Vec<Difference>,
    pub(crate) templates: Templates,
}

impl<'a> Story<'a> {
    /// Orders what an outcome holds.
    pub fn new(outcome: &'a Outcome, keep: &'a Keep, profile: &'a Profile, context: &'a ReportContext) -> Story<'a> {
        let tally = Tally::of(outcome);
        let of_class = |class| {
            let mut found: Vec<usize> =
                (0..outcome.pairings.len()).filter(|&at| Class::of(&outcome.pairings[at]) == class).collect();
            found.sort_by_key(|&at| outcome.pairings[at].divergence.as_ref().map_or(u64::MAX, |found| found.rank));
            found
        };
        Story {
            verdict: Verdict::from_tally(&tally, outcome, context),
            tally,
            events: of_class(Class::Event),
            ended: of_class(Class::EndedEarly),
            late: of_class(Class::StartedLate),
            unmatched: of_class(Class::Unmatched),
            header: header_differences(outcome),
            templates: profile.templates(),
            outcome,
            keep,
            profile,
            context,
        }
    }

    /// The answer in one line: for the top of reports and for `--validate-identical`.
    pub fn verdict_line(&self) -> String {
        format!("{}: {}", self.verdict.word(), self.sentence().join("; "))
    }

    /// The answer without its word, in the parts at which it may break.
    pub(crate) fn sentence(&self) -> Vec<String> {
        // Where nothing else is told, it is told whatever its class.
        let first = if self.context.first_only { self.outcome.first } else { self.first_event() };
        let first = first.map(|at| self.place(at));
        let mut parts = sentence(self.verdict, &self.tally, self.outcome, self.context, first.as_deref());
        if let Some(lead) = self.lead()
            && let Some(at) = parts.iter().position(|part| part.starts_with("first: "))
        {
            parts.insert(at + 1, format!("it may follow from {}", self.place(lead)));
        }
        parts.extend(self.pools());
        let stop = self.context.state.as_ref().and_then(StateGate::sentence);
        stop.into_iter().for_each(|stop| parts.insert(0, stop));
        parts
    }

    /// What is to be said of pools of workers; where what comes first lies in one, what comes first outside.
    fn pools(&self) -> Vec<String> {
        let pools = || self.outcome.pairings.iter().filter_map(|pairing| pairing.pool);
        let Some(last) = pools().map(|pool| pool.group).max() else { return Vec::new() };
        let (of_pools, them) = match last {
            0 => ("a pool of equal workers".to_owned(), "it"),
            last => (format!("{} pools of equal workers", grouped(last + 1)), "them"),
        };
        let mut told = vec![format!(
            "{} look like {of_pools} whose work is distributed differently, or are paired wrongly: what differs in them may be scheduling",
            counted(pools().count() as u64, "thread", "threads")
        )];
        match self.first_outside() {
            Some(at) => told.push(format!("first outside of {them}: {}", self.place(at))),
            None if self.is_first_of_pool() => told.push(format!("no event differs outside of {them}")),
            None => {}
        }
        told
    }

    fn is_first_of_pool(&self) -> bool {
        self.first_event().is_some_and(|at| self.pairing(at).pool.is_some())
    }

    /// Where the first divergence lies in a pool, the first one outside of all pools in which an event differs.
    pub(crate) fn first_outside(&self) -> Option<usize> {
        let outside = |at: &usize| self.pairing(*at).pool.is_none();
        self.events.iter().copied().find(outside).filter(|_| self.is_first_of_pool())
    }

    /// The first divergence, if an event differs in it.
    pub(crate) fn first_event(&self) -> Option<usize> {
        self.outcome.first.filter(|&at| Class::of(&self.outcome.pairings[at]) == Class::Event)
    }

    pub(crate) fn pairing(&self, at: usize) -> &'a Pairing {
        &self.outcome.pairings[at]
    }

    pub(crate) fn divergence(&self, at: usize) -> Option<&'a Divergence> {
        self.pairing(at).divergence.as_ref()
    }

    /// The divergences told in detail: the first few by rank, those of events before those that only end, and the first
    /// outside of pools.
    pub(crate) fn detailed(&self) -> Vec<usize> {
        let count = match self.context.details {
            Details::Count(count) => count,
            Details::All => usize::MAX,
        };
        let mut told: Vec<usize> = self.in_sections().take(count).collect();
        // What comes first may be scheduling: then what comes first outside is worth as much.
        told.extend(self.first_outside().filter(|at| count > 0 && !told.contains(at)));
        told
    }

    /// The divergences that can be told in detail: those of events, then those of a lane's start or end, each by rank.
    pub(crate) fn in_sections(&self) -> impl Iterator<Item = usize> {
        let lead = self.outcome.lead.filter(|lead| self.outcome.first != Some(*lead));
        let all = self.events.iter().chain(&self.late).chain(&self.ended).copied();
        // What others may follow from is told before them.
        let rest = all.filter(move |&at| Some(at) != lead);
        lead.into_iter().chain(rest).filter(|&at| self.divergence(at).is_some())
    }

    /// The divergence to look at first, if that is not the first one.
    pub(crate) fn lead(&self) -> Option<usize> {
        self.outcome.lead.filter(|lead| self.first_event().is_some_and(|first| first != *lead))
    }

    /// What a divergence may follow from: "It may follow from thread 8 → 4: …".
    pub(crate) fn follows(&self, found: &Divergence) -> Option<String> {
        let follows = found.follows.as_ref()?;
        let about = clip(&visible(&String::from_utf8_lossy(&follows.about)), 48);
        let (name, edge) = (sentence_name(self.pairing(follows.pairing)), visible(&follows.edge));
        let cause = self.file_line(follows.side, follows.cause_line);
        Some(format!("It may follow from {name}, by {edge}: {about} at {cause}, then line {}.", follows.effect_line))
    }

    /// How far causes were looked for, where that leaves something open.
    pub(crate) fn open_causes(&self) -> Option<String> {
        let facts = self.outcome.causes?;
        let text = match facts {
            CauseFacts { has_rules: false, .. } => {
                "the profile has no [[edge]] that says what follows from what: the first divergence is the first in the log"
            }
            CauseFacts { looked: [false, false], .. } => {
                "causes were not looked for: what came through a pipe cannot be read again"
            }
            CauseFacts { met: 0, .. } => {
                "no event between the divergences says what follows from what: the first divergence is the first in the log"
            }
            CauseFacts { is_cut: true, .. } => "causes were looked for in the first 256 MiB between the divergences",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// What a side is called, safe to show.
    pub(crate) fn label(&self, side: Side) -> String {
        visible(&self.context.name(side).label)
    }

    /// `PATH:LINE`, safe to show.
    pub(crate) fn file_line(&self, side: Side, line: u64) -> String {
        format!("{}:{line}", visible(&self.context.name(side).path.to_string_lossy()))
    }

    /// Where and how a pairing parts, in a few words: "thread 6 → 9 at position 41, payload.size".
    pub(crate) fn place(&self, at: usize) -> String {
        let name = sentence_name(self.pairing(at));
        let Some(found) = self.divergence(at) else { return name };
        format!("{name} at position {}, {}", grouped(found.position), self.what(found))
    }

    /// What happened there: "payload.status differs", "ours lacks 2 events".
    pub(crate) fn what(&self, found: &Divergence) -> String {
        let missing = |side: Side, count: Option<u64>| match count {
            Some(count) => format!("{} lacks {}", self.label(side), counted(count, "event", "events")),
            None => format!("{} lacks this event", self.label(side)),
        };
        match found.kind {
            DivergenceKind::Missing => missing(Side::Candidate, found.resync.map(|resync| resync.after_reference)),
            DivergenceKind::Extra => match found.resync.map(|resync| resync.after_candidate) {
                Some(count) => {
                    format!("{} has {}", self.label(Side::Candidate), counted(count, "extra event", "extra events"))
                }
                None => format!("{} has an extra event", self.label(Side::Candidate)),
            },
            DivergenceKind::Reordered => reordered(found),
            DivergenceKind::StartedLate => self.started_late(late_start(found)),
            DivergenceKind::EndedEarly => format!("{} ends here", self.label(ended_side(found))),
            DivergenceKind::Unmatched => "no partner".to_owned(),
            DivergenceKind::Value | DivergenceKind::Kind | DivergenceKind::Ordinal => changed(found),
        }
    }

    /// "ours starts 3 events late".
    pub(crate) fn started_late(&self, late: Option<LateStart>) -> String {
        match late {
            Some(LateStart { side, events }) => {
                format!("{} starts {} late", self.label(side), counted(events, "event", "events"))
            }
            None => "one side starts late".to_owned(),
        }
    }
}

/// "2 events in another order".
fn reordered(found: &Divergence) -> String {
    let count = found.reordered.as_ref().map_or(0, |reordered| reordered.order.len() as u64);
    format!("{} in another order", counted(count, "event", "events"))
}

/// Which side's lane began later, and by how many events.
pub(crate) fn late_start(found: &Divergence) -> Option<LateStart> {
    let side = if found.candidate.is_none() { Side::Candidate } else { Side::Reference };
    let resync = found.resync?;
    Some(LateStart { side, events: resync.after_reference.max(resync.after_candidate) })
}

/// "payload.size: 1 → 2", "payload.size: 1 → 2 and 3 other fields".
/// Longer values are cut around what differs where a divergence is told in a line.
const VALUE_COLUMNS_MAX: usize = 32;

fn changed(found: &Divergence) -> String {
    let Some(first) = found.differences.first() else { return kind_word(found.kind).to_owned() };
    let value = |value: &Vec<u8>| visible(&String::from_utf8_lossy(value));
    let [reference, candidate] = match (&first.reference, &first.candidate) {
        (Some(a), Some(b)) => focus(&value(a), &value(b), VALUE_COLUMNS_MAX).map(|value| value.text()),
        (a, b) => [a, b].map(|one| match one {
            Some(one) => clip(&value(one), VALUE_COLUMNS_MAX),
            None => "absent".to_owned(),
        }),
    };
    let path = visible(&first.path.dotted());
    let change = format!("{path}: {reference} → {candidate}");
    // A kind that differs says it all; its ordinal is told in the detail.
    match found.differences_total.saturating_sub(1) {
        others if others > 0 && found.kind != DivergenceKind::Kind => {
            format!("{change} and {}", counted(others, "other field", "other fields"))
        }
        _ => change,
    }
}

/// The side that ends: the one without an event there.
pub(crate) fn ended_side(found: &Divergence) -> Side {
    if found.candidate.is_none() { Side::Candidate } else { Side::Reference }
}

/// Longer thread keys are clipped for people.
const THREAD_COLUMNS_MAX: usize = 48;

/// A thread as `--map` names it, safe to show.
pub(crate) fn map_name(lane: &LaneName) -> String {
    thread_name(&lane.thread, lane.generation)
}

/// A lane's name: its thread, and its generation where that is not the first.
pub(crate) fn lane_name(lane: &LaneFacts) -> String {
    thread_name(&lane.thread, lane.generation)
}

/// A thread's key, and its generation where that is not the first.
pub(crate) fn thread_name(thread: &ThreadKey, generation: u32) -> String {
    let thread = match thread {
        ThreadKey::Single => "all".to_owned(),
        key => clip(&visible(&key.to_string()), THREAD_COLUMNS_MAX),
    };
    if generation > 0 { format!("{thread}#{generation}") } else { thread }
}

/// Both lanes of a pairing: "6 → 9".
pub(crate) fn pair_name(pairing: &Pairing) -> String {
    let name = |lane: &Option<LaneFacts>| lane.as_ref().map_or_else(|| "—".to_owned(), lane_name);
    format!("{} → {}", name(&pairing.reference), name(&pairing.candidate))
}

/// A pairing inside a sentence: "thread 6" where both sides call it so, "thread 6 → 9" else.
pub(crate) fn sentence_name(pairing: &Pairing) -> String {
    match (&pairing.reference, &pairing.candidate) {
        (Some(one), _) | (_, Some(one)) if one.thread == ThreadKey::Single => "the only lane".to_owned(),
        (Some(reference), Some(candidate)) if lane_name(reference) == lane_name(candidate) => {
            format!("thread {}", lane_name(reference))
        }
        _ => format!("thread {}", pair_name(pairing)),
    }
}

/// The word of a kind, as in the JSON report.
pub(crate) fn kind_word(kind: DivergenceKind) -> &'static str {
    match kind {
        DivergenceKind::Value => "value",
        DivergenceKind::Kind => "kind",
        DivergenceKind::Ordinal => "ordinal",
        DivergenceKind::Missing => "missing",
        DivergenceKind::Extra => "extra",
        DivergenceKind::Reordered => "reordered",
        DivergenceKind::EndedEarly => "ended-early",
        DivergenceKind::StartedLate => "started-late",
        DivergenceKind::Unmatched => "unmatched",
    }
}

/// The word of a way of pairing, as in the JSON report.
pub(crate) fn matched_word(matched: MatchedBy) -> &'static str {
    match matched {
        MatchedBy::FirstCall => "first-call",
        MatchedBy::Prefix => "prefix",
        MatchedBy::Order => "order",
        MatchedBy::Likeness => "likeness",
        MatchedBy::Only => "only",
        MatchedBy::Same => "same",
        MatchedBy::Given => "given",
        MatchedBy::None => "none",
    }
}
