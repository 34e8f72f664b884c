//! Pools: equal workers whose work is distributed otherwise on the other side, so that no pairing of them is right.
//!
//! What two lanes do behind their parting is held against what the others of their group do there. Where half of what
//! only one side of a pairing does is done by another pairing's lane on the other side, work has moved between threads:
//! then it is no news that they part. A value that is wrong, events that are missing are nowhere on the other side.
//! If that is seen of two pairings, and of a quarter of those of the group that part, it is a pool, and all of them are of it:
//! what a worker got instead may be done before another one parts, or behind its look-ahead.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use ahash::{AHashMap, AHashSet};

use super::judge::{Judgement, Verdict};
use super::outcome::{DivergenceKind, Pool};
use super::resync::EQUAL_RUN_MIN;
use crate::align::Aligner;
use crate::json::tape::fixed_state;
use crate::source::Side;

/// The digests of both look-aheads of a parting.
pub type Look = [Vec<u64>; 2];

/// With more threads that part, no look-ahead is kept, and no pool is told: four kilobytes each.
const LOOKS_MAX: usize = 1_000;

/// Counts the look-aheads that are kept.
#[derive(Debug, Default)]
pub struct Looks(AtomicUsize);

impl Looks {
    /// Whether one more may be kept. Which are the first does not matter: one that is not kept takes all others with it.
    pub fn take(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) < LOOKS_MAX
    }
}

/// For each of the aligner's pairings the pool that it belongs to. Pools are numbered in the order in which pairings are told.
pub fn pools(
    aligner: &Aligner<'_, Judgement<'_>>,
    verdicts: &[(usize, Verdict)],
    order: &[usize],
) -> Vec<Option<Pool>> {
    let mut found = vec![None; aligner.pairings.len()];
    let mut groups: BTreeMap<u64, (Vec<usize>, Vec<&Look>)> = BTreeMap::new();
    for of_pairing in verdicts.chunk_by(|one, next| one.0 == next.0) {
        let (pairing, verdict) = &of_pairing[0];
        let state = &aligner.pairings[*pairing];
        // What a map says is no guess.
        let ([Some(reference), Some(_)], Some(_)) = (state.lanes, state.decision.evidence) else { continue };
        let (members, looks) = groups.entry(aligner.sides[0].lanes[reference].group.digest()).or_default();
        members.push(*pairing);
        match (&verdict.ahead, verdict.kind) {
            (Some(look), _) => looks.push(look),
            (None, DivergenceKind::EndedEarly | DivergenceKind::StartedLate) => {}
            (None, _) => return found,
        }
    }
    let mut pools: Vec<Vec<usize>> = Vec::new();
    pools.extend(groups.into_values().filter(|(_, looks)| has_moved(looks)).map(|(members, _)| members));
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, pairing)| places[*pairing] = place);
    pools.sort_by_key(|pool| pool.iter().map(|pairing| places[*pairing]).min());
    for (group, members) in pools.into_iter().enumerate() {
        let pool = Pool { group: group as u64, members: members.len() as u64 };
        members.into_iter().for_each(|pairing| found[pairing] = Some(pool));
    }
    found
}

/// Whether of two pairings, and of a quarter of all, work has moved to or from others.
fn has_moved(looks: &[&Look]) -> bool {
    if looks.len() < 2 {
        return false;
    }
    let group = Group::new(looks);
    let moved = (0..looks.len()).filter(|at| group.is_moved(*at)).count();
    moved >= 2 && 4 * moved >= looks.len()
}

/// The runs of events of a group's look-aheads.
struct Group<'l> {
    looks: &'l [&'l Look],
    /// The runs of each look-ahead.
    runs: Vec<[AHashSet<u64>; 2]>,
    /// Of each side the runs that the pairing's other lane has not, and in which pairing; none where in several.
    foreign: [AHashMap<u64, Option<usize>>; 2],
}

/// What became of the events that only one lane of a pairing has.
#[derive(PartialEq, Eq)]
enum Rest {
    TooFew,
    Moved,
    Stays,
}

impl<'l> Group<'l> {
    fn new(looks: &'l [&'l Look]) -> Group<'l> {
        let set = |events: &Vec<u64>| {
            let mut set = AHashSet::with_hasher(fixed_state());
            set.extend(events.windows(EQUAL_RUN_MIN).map(run));
            set
        };
        let runs: Vec<_> = looks.iter().map(|look| look.each_ref().map(set)).collect();
        let mut foreign = [(); 2].map(|()| AHashMap::with_hasher(fixed_state()));
        for (at, [reference, candidate]) in runs.iter().enumerate() {
            for (side, own, other) in [(0, reference, candidate), (1, candidate, reference)] {
                let foreign: &mut AHashMap<u64, Option<usize>> = &mut foreign[side];
                for run in own.difference(other) {
                    foreign.entry(*run).and_modify(|pairing| *pairing = None).or_insert(Some(at));
                }
            }
        }
        Group { looks, runs, foreign }
    }

    /// Whether what only one lane of a pairing does moved to or from another's.
    fn is_moved(&self, at: usize) -> bool {
        let rests = Side::BOTH.map(|side| self.rest(at, side));
        rests.iter().all(|rest| *rest != Rest::Stays) && rests.contains(&Rest::Moved)
    }

    fn rest(&self, at: usize, side: Side) -> Rest {
        let events = &self.looks[at][side.index()];
        let other = side.other().index();
        let partner = &self.runs[at][other];
        let elsewhere = |run: u64| self.foreign[other].get(&run).is_some_and(|pairing| *pairing != Some(at));
        let shared = covered(events, |run| partner.contains(&run));
        let moved = covered(events, elsewhere);
        let rest = shared.iter().filter(|shared| !**shared).count();
        let mut of_others: Vec<u64> = Vec::new();
        of_others.extend((0..events.len()).filter(|at| moved[*at] && !shared[*at]).map(|at| events[at]));
        let count = of_others.len();
        of_others.sort_unstable();
        of_others.dedup();
        match () {
            () if rest < EQUAL_RUN_MIN => Rest::TooFew,
            // Loops are everywhere: as for a resync, so many events must be different.
            () if of_others.len() >= EQUAL_RUN_MIN && 2 * count >= rest => Rest::Moved,
            () => Rest::Stays,
        }
    }
}

/// Which events lie in a run of a kind.
fn covered(events: &[u64], is_of_kind: impl Fn(u64) -> bool) -> Vec<bool> {
    let mut covered = vec![false; events.len()];
    for (at, window) in events.windows(EQUAL_RUN_MIN).enumerate() {
        if is_of_kind(run(window)) {
            covered[at..at + EQUAL_RUN_MIN].fill(true);
        }
    }
    covered
}

/// A run of events as one number.
fn run(events: &[u64]) -> u64 {
    let mut state = fixed_state().build_hasher();
    events.iter().for_each(|event| state.write_u64(*event));
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six events that are a job's alone.
    fn job(number: u64) -> impl Iterator<Item = u64> {
        (0..6).map(move |at| 100 * number + at)
    }

    fn look(jobs: [&[u64]; 2]) -> Look {
        jobs.map(|jobs| jobs.iter().copied().flat_map(job).collect())
    }

    fn moved(looks: &[Look]) -> bool {
        has_moved(&looks.iter().collect::<Vec<_>>())
    }

    #[test]
    fn jobs_that_others_do_have_moved() {
        assert!(moved(&[look([&[1, 2, 3], &[4, 5, 3]]), look([&[4, 5, 6], &[1, 2, 6]])]));
        assert!(moved(&[look([&[1], &[]]), look([&[], &[1]])]), "one does another's job besides");
        assert!(!moved(&[look([&[1, 2, 3], &[4, 5, 6]])]), "nobody else is there");
        let own = [look([&[1, 2], &[11, 2]]), look([&[3, 4], &[13, 4]])];
        assert!(!moved(&own), "what one does is done by nobody on the other side");
    }

    #[test]
    fn what_goes_only_one_way_has_not_moved() {
        // The same mistake in two threads: both do 1 where 2 was.
        assert!(!moved(&[look([&[1, 5], &[2, 5]]), look([&[1, 6], &[2, 6]])]));
        // Two of eight exchange, two of nine: most part for reasons of their own.
        let mut looks = vec![look([&[1], &[2]]), look([&[2], &[1]])];
        assert!(moved(&looks));
        looks.extend((3..9).map(|n| look([&[10 * n], &[10 * n + 1]])));
        assert!(moved(&looks));
        looks.push(look([&[90], &[91]]));
        assert!(!moved(&looks));
    }

    #[test]
    fn half_of_what_differs_must_have_moved() {
        let with = |jobs: [&[u64]; 2], own: u64| {
            let mut look = look(jobs);
            look[0].extend((0..own).map(|at| 10_000 + at));
            look
        };
        assert!(moved(&[with([&[1], &[2]], 6), look([&[2], &[1]])]));
        assert!(!moved(&[with([&[1], &[2]], 7), look([&[2], &[1]])]));
    }

    #[test]
    fn loops_and_odd_events_tell_nothing() {
        let poll = |events: &[u64]| events.iter().copied().cycle().take(60).collect::<Vec<u64>>();
        let polls = [[poll(&[1, 2, 3]), poll(&[1, 2])], [poll(&[1, 2]), poll(&[1, 2, 3])]];
        assert!(!moved(&polls), "three different events are no work");
        let few = [[vec![1, 2, 3], vec![4, 5, 6]], [vec![4, 5, 6], vec![1, 2, 3]]];
        assert!(!moved(&few));
    }

    #[test]
    fn beyond_a_thousand_none_is_kept() {
        let looks = Looks::default();
        assert_eq!((0..LOOKS_MAX + 5).filter(|_| looks.take()).count(), LOOKS_MAX);
    }
}
