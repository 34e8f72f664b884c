//! Which divergence comes first, and whether a log was cut short (BEHAVIOUR 3.6).

use super::judge::{Judgement, Verdict};
use super::outcome::{DivergenceKind, Outcome, Status};
use crate::align::{Aligner, PairState};
use crate::profile::Profile;
use crate::source::Side;

/// For each verdict its rank among the divergences, from 1, and whether it stands after a skipped line that may explain
/// it. The first of a pairing all come before those that part behind one.
pub fn ranks(
    aligner: &Aligner<'_, Judgement<'_>>,
    verdicts: &[(usize, Verdict)],
    profile: &Profile,
) -> Vec<(u64, bool)> {
    let mut keyed: Vec<_> = (verdicts.iter().enumerate())
        .map(|(index, (pairing, verdict))| {
            let is_further = index > 0 && verdicts[index - 1].0 == *pairing;
            let pairing = &aligner.pairings[*pairing];
            let after_fault = after_fault(aligner, pairing, verdict, profile);
            ((is_further, key(aligner, pairing, verdict, after_fault)), index, after_fault)
        })
        .collect();
    keyed.sort();
    let mut ranks = vec![(0, false); verdicts.len()];
    for (rank, (_, index, after_fault)) in keyed.into_iter().enumerate() {
        ranks[index] = (rank as u64 + 1, after_fault);
    }
    ranks
}

/// Whether only another divergence of this kind on an earlier reference line can rank before this one.
pub fn is_of_the_best_class(
    aligner: &Aligner<'_, Judgement<'_>>,
    pairing: &PairState,
    verdict: &Verdict,
    profile: &Profile,
) -> bool {
    let key = key(aligner, pairing, verdict, after_fault(aligner, pairing, verdict, profile));
    (key.0, key.1, key.2) == (false, 0, false)
}

type Key = (bool, u8, bool, bool, u64);

fn key(aligner: &Aligner<'_, Judgement<'_>>, pairing: &PairState, verdict: &Verdict, after_fault: bool) -> Key {
    let first_line = |side: Side| {
        let lane = pairing.lanes[side.index()]?;
        Some(aligner.sides[side.index()].lanes[lane].first_line)
    };
    let class = match verdict.kind {
        DivergenceKind::EndedEarly | DivergenceKind::StartedLate => 1,
        DivergenceKind::Unmatched => 2,
        _ => 0,
    };
    let late = class != 2 && aligner.is_late(pairing);
    let reference = verdict.reference_line.or(first_line(Side::Reference));
    let line = reference.or(first_line(Side::Candidate)).unwrap_or(0);
    (late, class, after_fault, reference.is_none(), line)
}

/// Whether lines were skipped before the divergence that may have been this lane's, and no
/// ordinal tells that they were not.
fn after_fault(
    aligner: &Aligner<'_, Judgement<'_>>,
    pairing: &PairState,
    verdict: &Verdict,
    profile: &Profile,
) -> bool {
    Side::BOTH.iter().any(|side| {
        let intake = &aligner.sides[side.index()];
        let Some(skipped) = intake.first_skipped_line.filter(|_| intake.steps_over_faults()) else { return false };
        let ends_here = verdict.kind == DivergenceKind::EndedEarly && verdict.lines[side.index()].is_none();
        if ends_here {
            let lane = pairing.lanes[side.index()].expect("an ended lane exists");
            return profile.roles.ordinal.is_none() || intake.lines_unopened > intake.lanes[lane].skipped_seen;
        }
        profile.roles.ordinal.is_none() && verdict.lines[side.index()].is_some_and(|line| skipped < line)
    })
}

/// Marks a side as cut where the log's own end explains every unequal lane.
pub fn mark_cut(outcome: &mut Outcome) {
    let mut short = [0u64; 2];
    let mut other = 0;
    let mut ended_early = 0;
    for pairing in &outcome.pairings {
        match (pairing.status, pairing.divergence.as_ref()) {
            (Status::Identical | Status::NotCompared, _) => {}
            (Status::Faulty, _) => other += 1,
            (_, Some(divergence))
                if matches!(divergence.kind, DivergenceKind::EndedEarly | DivergenceKind::Unmatched) =>
            {
                ended_early += u64::from(divergence.kind == DivergenceKind::EndedEarly);
                // A lane without a partner may have no event to show: its start was dropped, and that was all of it.
                let is_short = match divergence.kind {
                    DivergenceKind::Unmatched => pairing.reference.is_none(),
                    _ => divergence.reference.is_none(),
                };
                let side = if is_short { Side::Reference } else { Side::Candidate };
                short[side.index()] += 1;
            }
            _ => other += 1,
        }
    }
    let only =
        |side: Side| other == 0 && ended_early > 0 && short[side.index()] > 0 && short[side.other().index()] == 0;
    outcome.reference.cut = outcome.reference.ended_by_damage || only(Side::Reference);
    outcome.candidate.cut = outcome.candidate.ended_by_damage || only(Side::Candidate);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::align::MatchedBy;
    use crate::diverge::{Divergence, EventCopy, LaneFacts, Pairing};
    use crate::scan::ThreadKey;
    use crate::source::Keep;

    /// A pairing; of a divergence it is told which sides have an event there.
    fn pairing(status: Status, divergence: Option<(DivergenceKind, [bool; 2])>) -> Pairing {
        let event = |is_there: bool| {
            let text = Keep::default().put(b"{}").unwrap();
            is_there.then_some(EventCopy {
                line: 9,
                offset: 0,
                ordinal: None,
                position: 3,
                parts: 1,
                text,
                cut_bytes: 0,
            })
        };
        let divergence = divergence.map(|(kind, [reference, candidate])| Divergence {
            position: 3,
            kind,
            event_kind: None,
            meanings: Vec::new(),
            rank: 1,
            after_fault: false,
            reference: event(reference),
            candidate: event(candidate),
            differences: Vec::new(),
            differences_total: 0,
            resync: None,
            reordered: None,
            healed_after: None,
            follows: None,
            before: Vec::new(),
            after_reference: Vec::new(),
            after_candidate: Vec::new(),
            overlooked: Vec::new(),
        });
        let (matched_by, evidence) = (MatchedBy::Order, None);
        Pairing {
            reference: None,
            candidate: None,
            matched_by,
            ambiguous: false,
            evidence,
            status,
            compared: 3,
            divergence,
            accepted: 0,
            late_start: None,
            further: Vec::new(),
            pool: None,
        }
    }

    #[test]
    fn a_side_is_cut_where_it_alone_is_shorter_and_nothing_else_differs() {
        use DivergenceKind::{EndedEarly, Unmatched, Value};
        let same = || pairing(Status::Identical, None);
        let short = || pairing(Status::Diverged, Some((EndedEarly, [true, false])));
        let shorter_reference = || pairing(Status::Diverged, Some((EndedEarly, [false, true])));
        let lane = || LaneFacts { thread: ThreadKey::Integer(1), generation: 0, events: 9, first_line: 1 };
        let alone = |[reference, candidate]: [bool; 2], shown: bool| {
            let events = [reference && shown, candidate && shown];
            let mut alone = pairing(Status::Unmatched, Some((Unmatched, events)));
            (alone.reference, alone.candidate) = (reference.then(lane), candidate.then(lane));
            alone
        };
        let value = || pairing(Status::Diverged, Some((Value, [true, true])));
        let faulty = |divergence| pairing(Status::Faulty, divergence);
        for (pairings, cut) in [
            (vec![same(), short()], [false, true]),
            (vec![shorter_reference(), pairing(Status::NotCompared, None)], [true, false]),
            (vec![short(), alone([true, false], true)], [false, true]),
            (vec![short(), alone([true, false], false)], [false, true]),
            (vec![short(), alone([false, true], true)], [false, false]),
            (vec![short(), alone([false, true], false)], [false, false]),
            (vec![short(), shorter_reference()], [false, false]),
            (vec![alone([true, false], true)], [false, false]),
            (vec![short(), value()], [false, false]),
            (vec![short(), faulty(None)], [false, false]),
            (vec![faulty(Some((EndedEarly, [true, false])))], [false, false]),
            (vec![same()], [false, false]),
        ] {
            let mut outcome = Outcome { pairings, ..Outcome::default() };
            mark_cut(&mut outcome);
            assert_eq!([outcome.reference.cut, outcome.candidate.cut], cut, "{:?}", outcome.pairings);
        }
        let mut outcome = Outcome::default();
        outcome.candidate.ended_by_damage = true;
        mark_cut(&mut outcome);
        assert!(outcome.candidate.cut && !outcome.reference.cut);
    }
}
