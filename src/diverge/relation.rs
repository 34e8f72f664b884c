//! How two earlier events relate: whether they were held against each other, and whether they agreed.

use super::outcome::{DivergenceKind, LaneFacts, LateStart, Outcome, Pairing, Status};
use crate::scan::ThreadKey;
use crate::source::Side;

/// An event, by the lane it stands in and its place there.
#[derive(Clone, Copy, Debug)]
pub struct LaneEvent<'a> {
    pub thread: &'a ThreadKey,
    pub generation: u32,
    /// From 0.
    pub position: u64,
}

/// What a run says of two events; what it does not say is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// They were held against each other.
    pub paired: Option<bool>,
    /// And agreed.
    pub agreed: Option<bool>,
}

impl Relation {
    const UNKNOWN: Relation = Relation { paired: None, agreed: None };
    const STRANGERS: Relation = Relation { paired: Some(false), agreed: None };
}

/// What a run says of an event of each side. `skip_start` events of every lane were not compared. Positions are those of
/// the logs: where rules took events out, or lines were skipped, nobody may ask.
pub fn relation(outcome: &Outcome, events: [LaneEvent<'_>; 2], skip_start: u64) -> Relation {
    let is_lane = |lane: &Option<LaneFacts>, side: Side| {
        let event = &events[side.index()];
        lane.as_ref().is_some_and(|lane| lane.thread == *event.thread && lane.generation == event.generation)
    };
    let holds = |pairing: &Pairing| {
        [is_lane(&pairing.reference, Side::Reference), is_lane(&pairing.candidate, Side::Candidate)]
    };
    let Some((pairing, holds)) =
        outcome.pairings.iter().map(|pairing| (pairing, holds(pairing))).find(|(_, holds)| holds.contains(&true))
    else {
        // Only the first divergence is told.
        return Relation::UNKNOWN;
    };
    if pairing.status == Status::NotCompared || pairing.accepted > 0 {
        // What was accepted may have been events that one side lacks.
        return Relation::UNKNOWN;
    }
    if holds != [true, true] {
        return Relation::STRANGERS;
    }
    let late = late_start(pairing);
    // As the reference counts; none where the other side had not begun.
    let [reference, candidate] = [Side::Reference, Side::Candidate].map(|side| {
        let before = late.filter(|late| late.side == side && side == Side::Candidate).map_or(0, |late| late.events);
        let less =
            late.filter(|late| late.side == Side::Reference && side == Side::Candidate).map_or(0, |late| late.events);
        (events[side.index()].position + before).checked_sub(less)
    });
    let (Some(reference), Some(candidate)) = (reference, candidate) else { return Relation::STRANGERS };
    let first = reference.min(candidate);
    let parted = pairing.divergence.as_ref().filter(|found| found.kind != DivergenceKind::StartedLate);
    let compared = match (parted, pairing.status) {
        (Some(found), _) => found.position,
        (None, Status::Faulty) => pairing.compared,
        (None, _) => u64::MAX,
    };
    match (first < compared, reference == candidate) {
        (true, false) => Relation::STRANGERS,
        (true, true) => Relation { paired: Some(true), agreed: (first >= skip_start).then_some(true) },
        (false, true) if first == compared && parted.is_some_and(|found| is_one_pair(found.kind)) => {
            Relation { paired: Some(true), agreed: Some(false) }
        }
        (false, _) => Relation::UNKNOWN,
    }
}

/// Whether the two events at a divergence were held against each other.
fn is_one_pair(kind: DivergenceKind) -> bool {
    matches!(kind, DivergenceKind::Value | DivergenceKind::Kind | DivergenceKind::Ordinal)
}

/// Which lane of a pairing began late: something else differs behind that, or nothing.
fn late_start(pairing: &Pairing) -> Option<LateStart> {
    let told = || {
        let found = pairing.divergence.as_ref().filter(|found| found.kind == DivergenceKind::StartedLate)?;
        let resync = found.resync?;
        let side = if found.candidate.is_none() { Side::Candidate } else { Side::Reference };
        Some(LateStart { side, events: resync.after_reference.max(resync.after_candidate) })
    };
    pairing.late_start.or_else(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diverge::{Divergence, MatchedBy};

    fn lane(thread: i64) -> Option<LaneFacts> {
        Some(LaneFacts { thread: ThreadKey::Integer(thread), generation: 0, events: 100, first_line: 1 })
    }

    fn parted(position: u64, kind: DivergenceKind) -> Option<Divergence> {
        Some(Divergence {
            position,
            event_kind: None,
            kind,
            rank: 1,
            after_fault: false,
            reference: None,
            candidate: None,
            differences: Vec::new(),
            differences_total: 0,
            meanings: Vec::new(),
            resync: None,
            reordered: None,
            healed_after: None,
            follows: None,
            before: Vec::new(),
            after_reference: Vec::new(),
            after_candidate: Vec::new(),
            overlooked: Vec::new(),
        })
    }

    fn pairing(threads: [i64; 2], status: Status, divergence: Option<Divergence>) -> Pairing {
        Pairing {
            reference: lane(threads[0]),
            candidate: lane(threads[1]),
            matched_by: MatchedBy::Order,
            ambiguous: false,
            evidence: None,
            status,
            compared: 30,
            divergence,
            accepted: 0,
            late_start: None,
            pool: None,
            further: Vec::new(),
        }
    }

    fn told(pairings: Vec<Pairing>, places: [(i64, u64); 2]) -> (Option<bool>, Option<bool>) {
        let outcome = Outcome { pairings, ..Outcome::default() };
        let threads = places.map(|(thread, _)| ThreadKey::Integer(thread));
        let event = |at: usize| LaneEvent { thread: &threads[at], generation: 0, position: places[at].1 };
        let Relation { paired, agreed } = relation(&outcome, [event(0), event(1)], 2);
        (paired, agreed)
    }

    #[test]
    fn partners_stand_at_one_position_of_partner_lanes() {
        let pairings = || {
            vec![
                pairing([6, 1], Status::Diverged, parted(50, DivergenceKind::Value)),
                pairing([7, 2], Status::Identical, None),
                pairing([8, 3], Status::Diverged, parted(50, DivergenceKind::Missing)),
                pairing([9, 4], Status::Faulty, None),
                pairing([10, 5], Status::NotCompared, None),
            ]
        };
        for (places, wanted) in [
            ([(6, 10), (1, 10)], (Some(true), Some(true))),
            ([(6, 10), (1, 11)], (Some(false), None)),
            ([(6, 10), (2, 10)], (Some(false), None)),
            ([(6, 1), (1, 1)], (Some(true), None)),
            ([(6, 50), (1, 50)], (Some(true), Some(false))),
            ([(6, 49), (1, 51)], (Some(false), None)),
            ([(6, 51), (1, 51)], (None, None)),
            ([(7, 99), (2, 99)], (Some(true), Some(true))),
            ([(8, 50), (3, 50)], (None, None)),
            ([(9, 29), (4, 29)], (Some(true), Some(true))),
            ([(9, 30), (4, 30)], (None, None)),
            ([(10, 1), (5, 1)], (None, None)),
            ([(77, 1), (88, 1)], (None, None)),
        ] {
            assert_eq!(told(pairings(), places), wanted, "{places:?}");
        }
    }

    #[test]
    fn a_late_start_shifts_positions_and_an_accepted_divergence_may() {
        for (side, places, wanted) in [
            (Side::Candidate, [(6, 13), (1, 10)], (Some(true), Some(true))),
            (Side::Candidate, [(6, 10), (1, 10)], (Some(false), None)),
            (Side::Reference, [(6, 10), (1, 13)], (Some(true), Some(true))),
            (Side::Reference, [(6, 0), (1, 2)], (Some(false), None)),
        ] {
            let mut late = pairing([6, 1], Status::Diverged, parted(50, DivergenceKind::Value));
            late.late_start = Some(LateStart { side, events: 3 });
            assert_eq!(told(vec![late], places), wanted, "{side:?} {places:?}");
        }
        let mut accepted = pairing([6, 1], Status::Identical, None);
        accepted.accepted = 1;
        assert_eq!(told(vec![accepted], [(6, 10), (1, 10)]), (None, None));
    }
}
