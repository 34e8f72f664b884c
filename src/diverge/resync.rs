//! Where two event streams agree again after a differing pair, and whether the same events only came in another order.

use ahash::AHashSet;

use crate::align::LOOK_AHEAD;
use crate::json::tape::fixed_state;
use crate::source::Side;

/// Fewer equal events are no evidence, nor are fewer different ones, unless a lane ends with them.
pub const EQUAL_RUN_MIN: usize = 4;

/// A resync: events stepped over on each side, and equal events seen from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    pub reference: usize,
    pub candidate: usize,
    pub equal_run: usize,
}

impl Shift {
    /// The side that lacks the events stepped over, if only the other has some.
    pub fn lacking(&self) -> Option<Side> {
        match (self.reference, self.candidate) {
            (1.., 0) => Some(Side::Candidate),
            (0, 1..) => Some(Side::Reference),
            _ => None,
        }
    }
}

/// Events that both sides have, each in an order of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reordering {
    /// Where the sides agree again: behind the same number of events of each.
    pub shift: Shift,
    /// For each of the candidate's events the place of the reference's that it equals.
    pub order: Vec<usize>,
}

/// What the look-aheads of a parting, of at most [`LOOK_AHEAD`] events a side, the differing pair's first, say of
/// where both sides agree again.
///
/// An equal run is *evidence* if it is at least [`EQUAL_RUN_MIN`] events long, holds as many different ones or ends with a
/// lane, and no other run that begins at either of its two events may be as long: what fits at several shifts (loops, runs
/// of equal events) tells none of them. Two runs that cannot both be right, since in one of the streams they come in
/// another order or share events, contradict each other: the one with fewer different events is none.
pub struct Ahead {
    lengths: Vec<u16>,
    sizes: [usize; 2],
    /// The lane goes on behind the look-ahead.
    goes_on: [bool; 2],
    /// The evidence that nothing contradicts, the smallest total shift first, then the fewest reference events.
    shifts: Vec<Shift>,
}

impl Ahead {
    /// Compares the look-aheads, given the digests of their events and whether the lanes go on behind them. `equal` says
    /// of a reference and a candidate event, by their places, whether they are.
    ///
    /// The equal run at every pair of places is found in one pass from the back, 64 Ki additions for full look-aheads.
    pub fn new(digests: &[Vec<u64>; 2], goes_on: [bool; 2], mut equal: impl FnMut(usize, usize) -> bool) -> Ahead {
        let sizes = digests.each_ref().map(Vec::len);
        debug_assert!(sizes[0].max(sizes[1]) <= LOOK_AHEAD as usize);
        let [reference, candidate] = sizes;
        let width = candidate + 1;
        let mut lengths = vec![0u16; (reference + 1) * width];
        for i in (0..reference).rev() {
            for j in (0..candidate).rev() {
                if equal(i, j) {
                    lengths[i * width + j] = lengths[(i + 1) * width + j + 1] + 1;
                }
            }
        }
        let mut ahead = Ahead { lengths, sizes, goes_on, shifts: Vec::new() };
        ahead.shifts = ahead.evidence(&digests[0]);
        ahead
    }

    /// The resync: where the sides agree again after stepping over the fewest events (none, where only the ordinals
    /// differ).
    pub fn resync(&self) -> Option<Shift> {
        self.shifts.first().copied()
    }

    /// Whether both sides have the same events up to where they agree again, in different orders. An event that comes
    /// elsewhere is missing here and extra there: where both could be said, it was moved.
    pub fn reordering(&self) -> Option<Reordering> {
        let found = self.shifts.iter().filter(|shift| shift.reference == shift.candidate && shift.reference > 1);
        let (shift, order) = found.filter_map(|shift| Some((*shift, self.order(shift.reference)?))).next()?;
        let first = self.resync()?;
        let is_within = |at: usize| at + first.equal_run <= shift.reference;
        (first == shift || is_within(first.reference) && is_within(first.candidate))
            .then_some(Reordering { shift, order })
    }

    /// For each of the candidate's first events the first of as many reference events that it equals and none before it
    /// took; none if one is left over.
    fn order(&self, events: usize) -> Option<Vec<usize>> {
        let mut free = vec![true; events];
        let partner = |j: usize| {
            let i = (0..events).find(|i| free[*i] && self.at(*i, j) > 0)?;
            free[i] = false;
            Some(i)
        };
        (0..events).map(partner).collect()
    }

    fn at(&self, i: usize, j: usize) -> usize {
        usize::from(self.lengths[i * (self.sizes[1] + 1) + j])
    }

    /// What tells where the sides agree again, without what is contradicted.
    fn evidence(&self, digests: &[u64]) -> Vec<Shift> {
        let longest = self.longest();
        let mut found: Vec<(Shift, usize)> = Vec::new();
        for i in 0..self.sizes[0] {
            for j in 0..self.sizes[1] {
                let equal_run = self.at(i, j);
                let begins = i == 0 || j == 0 || self.at(i - 1, j - 1) == 0;
                let is_longest = equal_run == longest[0][i] && equal_run == longest[1][j];
                if equal_run < EQUAL_RUN_MIN || !begins || !is_longest || self.has_rival(i, j) {
                    continue;
                }
                let different = different(&digests[i..i + equal_run]);
                let ends = [i, j].into_iter().zip(self.sizes).zip(self.goes_on);
                let ends_with_a_lane = ends.into_iter().any(|((at, size), goes_on)| !goes_on && at + equal_run == size);
                if different >= EQUAL_RUN_MIN || ends_with_a_lane {
                    found.push((Shift { reference: i, candidate: j, equal_run }, different));
                }
            }
        }
        let stands = |(shift, different): &&(Shift, usize)| {
            !found.iter().any(|(other, more)| more > different && contradict(shift, other))
        };
        let mut shifts: Vec<Shift> = found.iter().filter(stands).map(|(shift, _)| *shift).collect();
        shifts.sort_by_key(|shift| (shift.reference + shift.candidate, shift.reference));
        shifts
    }

    /// Whether another run that begins at either event is as long, or may be: half as long is enough where nobody sees its
    /// end.
    fn has_rival(&self, i: usize, j: usize) -> bool {
        let own = self.at(i, j);
        let may_be_as_long = |a: usize, b: usize| {
            let other = self.at(a, b);
            let ends = [a, b].into_iter().zip(self.sizes).zip(self.goes_on);
            let is_cut = ends.into_iter().any(|((at, size), goes_on)| goes_on && at + other == size);
            other >= own || is_cut && other >= EQUAL_RUN_MIN && 2 * other >= own
        };
        (0..self.sizes[0]).any(|other| other != i && may_be_as_long(other, j))
            || (0..self.sizes[1]).any(|other| other != j && may_be_as_long(i, other))
    }

    /// The longest runs that begin at each event of each side.
    fn longest(&self) -> [Vec<usize>; 2] {
        let mut longest = self.sizes.map(|size| vec![0; size]);
        for i in 0..self.sizes[0] {
            for j in 0..self.sizes[1] {
                longest[0][i] = longest[0][i].max(self.at(i, j));
                longest[1][j] = longest[1][j].max(self.at(i, j));
            }
        }
        longest
    }
}

/// Whether not both runs can be right: neither comes before the other in both streams.
fn contradict(one: &Shift, other: &Shift) -> bool {
    let before =
        |a: &Shift, b: &Shift| a.reference + a.equal_run <= b.reference && a.candidate + a.equal_run <= b.candidate;
    !before(one, other) && !before(other, one)
}

/// How many different events there are.
fn different(digests: &[u64]) -> usize {
    let mut seen = AHashSet::with_hasher(fixed_state());
    digests.iter().filter(|digest| seen.insert(**digest)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ahead(reference: &[u64], candidate: &[u64]) -> Ahead {
        seen([false; 2], reference, candidate)
    }

    fn seen(goes_on: [bool; 2], reference: &[u64], candidate: &[u64]) -> Ahead {
        Ahead::new(&[reference.to_vec(), candidate.to_vec()], goes_on, |i, j| reference[i] == candidate[j])
    }

    fn shift(reference: &[u64], candidate: &[u64]) -> Option<(usize, usize, usize)> {
        ahead(reference, candidate).resync().map(|shift| (shift.reference, shift.candidate, shift.equal_run))
    }

    fn order(reference: &[u64], candidate: &[u64]) -> Option<Vec<usize>> {
        ahead(reference, candidate).reordering().map(|found| found.order)
    }

    #[test]
    fn missing_extra_and_changed_events_are_seen() {
        assert_eq!(shift(&[1, 2, 3, 4, 5], &[2, 3, 4, 5]), Some((1, 0, 4)));
        assert_eq!(shift(&[2, 3, 4, 5], &[9, 8, 2, 3, 4, 5]), Some((0, 2, 4)));
        assert_eq!(shift(&[1, 2, 3, 4, 5], &[9, 2, 3, 4, 5]), Some((1, 1, 4)));
        assert_eq!(shift(&[1, 2, 3, 4], &[9, 2, 3, 4]), None);
    }

    #[test]
    fn a_fragment_of_a_loop_is_no_resync() {
        // Six equal events, but the loop they belong to has a period of seven.
        let body = [1, 2, 3, 4, 5, 6, 7];
        let reference: Vec<u64> = [90].into_iter().chain(body).chain([80]).chain(body).chain([81]).collect();
        let candidate: Vec<u64> = [1, 2, 3, 4, 5, 6, 99].to_vec();
        assert_eq!(shift(&reference, &candidate), None);
        // A loop that both lanes end with tells the shift; one of which nobody sees the end does not.
        let reference: Vec<u64> = [90].into_iter().chain([1, 2, 3].into_iter().cycle().take(60)).collect();
        let candidate: Vec<u64> = [1, 2, 3].into_iter().cycle().take(60).collect();
        assert_eq!(shift(&reference, &candidate), Some((1, 0, 60)));
        assert_eq!(seen([true, true], &reference, &candidate).resync(), None);
        assert_eq!(seen([false, true], &reference, &candidate).resync(), None);
    }

    #[test]
    fn what_fits_at_several_shifts_is_no_resync() {
        // Of equal events nobody knows which are missing, until another one shows it.
        assert_eq!(shift(&[9, 1, 1, 1, 1, 1, 2, 3], &[1, 1, 1, 1, 7, 8]), None);
        assert_eq!(shift(&[9, 1, 1, 1, 1, 2, 3, 4], &[1, 1, 1, 1, 2, 3, 4]), Some((1, 0, 7)));
        // Two events that alternate are little, however often they do.
        let polls = |count: usize, tail: &[u64]| -> Vec<u64> {
            [5, 6].repeat(count).into_iter().chain(tail.to_vec()).collect()
        };
        assert_eq!(shift(&polls(9, &[1, 2, 3]), &[&[7][..], &polls(9, &[4, 8, 9])].concat()), None);
    }

    #[test]
    fn of_two_runs_that_contradict_each_other_the_richer_one_is_right() {
        // The candidate leaves the first loop at once; the second one runs as often as was left of the first.
        let first_loop = [1, 2, 3, 4].repeat(5);
        let rest = [&[70][..], &first_loop, &[80, 81, 82, 83]].concat();
        let reference = [&first_loop[..], &rest].concat();
        assert_eq!(shift(&reference, &rest), Some((20, 0, 25)));
        assert!(ahead(&reference, &rest).at(0, 1) >= 20);
    }

    #[test]
    fn events_in_another_order_are_seen() {
        assert_eq!(order(&[1, 2, 3, 4, 5, 6], &[2, 1, 3, 4, 5, 6]), Some(vec![1, 0]));
        assert_eq!(order(&[1, 2, 3, 7, 4, 5, 6, 8], &[3, 1, 2, 7, 4, 5, 6, 8]), Some(vec![2, 0, 1]));
        // One event is not in the other order.
        assert_eq!(order(&[1, 2, 3, 4, 5, 6], &[2, 9, 3, 4, 5, 6]), None);
        // A moved event has as many equal events before it as make a resync.
        let late = [2, 3, 4, 5, 6, 1, 7, 8, 9, 10];
        assert_eq!(shift(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &late), Some((1, 0, 5)));
        assert_eq!(order(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &late), Some(vec![1, 2, 3, 4, 5, 0]));
        // Nothing tells a move from a missing event where the sides do not agree behind it.
        assert_eq!(order(&[1, 2, 3, 4, 5, 6, 7, 8], &[2, 3, 4, 5, 6, 1, 0, 0]), None);
        assert_eq!(order(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5]), None);
    }

    /// All of it by the definitions.
    fn slow(goes_on: [bool; 2], reference: &[u64], candidate: &[u64]) -> Vec<(usize, usize, usize)> {
        let run = |i: usize, j: usize| reference[i..].iter().zip(&candidate[j..]).take_while(|(a, b)| a == b).count();
        let cells = || (0..reference.len()).flat_map(|i| (0..candidate.len()).map(move |j| (i, j)));
        let different =
            |i: usize, run: usize| reference[i..i + run].iter().collect::<std::collections::BTreeSet<_>>().len();
        let ends = |i: usize, j: usize, of: [bool; 2]| {
            of[0] && i + run(i, j) == reference.len() || of[1] && j + run(i, j) == candidate.len()
        };
        let is_evidence = |i: usize, j: usize| {
            let length = run(i, j);
            let is_rival = |&(a, b): &(usize, usize)| {
                run(a, b) >= length || run(a, b) >= 4 && 2 * run(a, b) >= length && ends(a, b, goes_on)
            };
            let rivals = cells().filter(|&(a, b)| (a == i) != (b == j)).filter(is_rival).count();
            let begins = i == 0 || j == 0 || reference[i - 1] != candidate[j - 1];
            let over = ends(i, j, goes_on.map(|goes_on| !goes_on));
            length >= 4 && begins && rivals == 0 && (over || different(i, length) >= 4)
        };
        let evidence: Vec<_> = cells().filter(|&(i, j)| is_evidence(i, j)).collect();
        let apart = |(i, j): (usize, usize), (a, b): (usize, usize)| i + run(i, j) <= a && j + run(i, j) <= b;
        let mut left: Vec<_> = (evidence.iter())
            .filter(|one| {
                !evidence.iter().any(|other| {
                    different(other.0, run(other.0, other.1)) > different(one.0, run(one.0, one.1))
                        && !apart(**one, *other)
                        && !apart(*other, **one)
                })
            })
            .map(|&(i, j)| (i, j, run(i, j)))
            .collect();
        left.sort_by_key(|&(i, j, _)| (i + j, i));
        left
    }

    proptest! {
        #[test]
        fn the_fast_search_is_the_slow_one(
            reference in proptest::collection::vec(0u64..6, 0..24),
            candidate in proptest::collection::vec(0u64..6, 0..24),
            goes_on in proptest::array::uniform2(proptest::bool::ANY),
        ) {
            let fast = seen(goes_on, &reference, &candidate);
            let shifts: Vec<_> = fast.shifts.iter().map(|s| (s.reference, s.candidate, s.equal_run)).collect();
            prop_assert_eq!(shifts, slow(goes_on, &reference, &candidate));
        }

        /// Whatever was permuted and stands before enough that is equal is found, with an order that leads there.
        #[test]
        fn permutations_are_found(moved in Just((0u64..9).collect::<Vec<_>>()).prop_shuffle()) {
            let tail: Vec<u64> = (100..110).collect();
            let reference: Vec<u64> = (0..9).chain(tail.clone()).collect();
            let candidate: Vec<u64> = moved.iter().copied().chain(tail).collect();
            let from = (0..9).position(|at| reference[at] != candidate[at]);
            let found = from.and_then(|from| order(&reference[from..], &candidate[from..]));
            prop_assert_eq!(from.is_some(), found.is_some());
            for (at, place) in found.into_iter().flatten().enumerate() {
                let from = from.unwrap();
                prop_assert_eq!(candidate[from + at], reference[from + place]);
            }
        }
    }
}
