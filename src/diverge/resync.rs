//! Where two event streams agree again after a differing pair.

use crate::align::LOOK_AHEAD;

/// Fewer equal events are no evidence.
pub const EQUAL_RUN_MIN: usize = 4;

/// A resync: events stepped over on each side, and equal events seen from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    pub reference: usize,
    pub candidate: usize,
    pub equal_run: usize,
}

/// Finds the resync (none stepped over, where only the ordinals differ) of two look-aheads of at most [`LOOK_AHEAD`]
/// events, the differing pair's first: the smallest total shift, then the fewest reference events, at which
/// at least [`EQUAL_RUN_MIN`] events are equal and cover one full period of any repetition
/// they are part of. `equal` says of a reference and a candidate event, by their places, whether they are.
///
/// The equal run at every pair of places is found in one pass from the back, 64 Ki additions
/// for full look-aheads.
pub fn find([reference, candidate]: [usize; 2], equal: impl FnMut(usize, usize) -> bool) -> Option<Shift> {
    debug_assert!(reference.max(candidate) <= LOOK_AHEAD as usize);
    let runs = Runs::new([reference, candidate], equal);
    for total in 0..reference + candidate {
        for i in 0..=total.min(reference.saturating_sub(1)) {
            let j = total - i;
            if j >= candidate {
                continue;
            }
            let equal_run = runs.at(i, j);
            if equal_run >= EQUAL_RUN_MIN && runs.covers_its_period(i, j) {
                return Some(Shift { reference: i, candidate: j, equal_run });
            }
        }
    }
    None
}

/// The length of the equal run that begins at each pair of places.
struct Runs {
    lengths: Vec<u16>,
    sizes: [usize; 2],
}

impl Runs {
    fn new(sizes: [usize; 2], mut equal: impl FnMut(usize, usize) -> bool) -> Runs {
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
        Runs { lengths, sizes }
    }

    fn at(&self, i: usize, j: usize) -> usize {
        usize::from(self.lengths[i * (self.sizes[1] + 1) + j])
    }

    /// Whether the run at these places covers one full period wherever it recurs: a run that is met again
    /// further away than its own length is a fragment of a loop, which fits at many shifts. Each side's run
    /// is looked for as the other's partner.
    fn covers_its_period(&self, i: usize, j: usize) -> bool {
        let run = self.at(i, j);
        let again = |at: usize, start: usize, length: usize| at.abs_diff(start) > run && length >= run;
        !(0..self.sizes[0]).any(|at| again(at, i, self.at(at, j)))
            && !(0..self.sizes[1]).any(|at| again(at, j, self.at(i, at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shift(reference: &[u64], candidate: &[u64]) -> Option<(usize, usize, usize)> {
        let equal = |i: usize, j: usize| reference[i] == candidate[j];
        find([reference.len(), candidate.len()], equal).map(|shift| (shift.reference, shift.candidate, shift.equal_run))
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
        // A loop whose period is covered resyncs at the smallest shift.
        let reference: Vec<u64> = [90].into_iter().chain([1, 2, 3].into_iter().cycle().take(60)).collect();
        let candidate: Vec<u64> = [1, 2, 3].into_iter().cycle().take(60).collect();
        assert_eq!(shift(&reference, &candidate), Some((1, 0, 60)));
    }

    #[test]
    fn a_run_that_repeats_at_once_is_its_period() {
        let run = [1, 2, 3, 4];
        let covers = |events: &[u64]| Runs::new([4, events.len()], |i, j| run[i] == events[j]).covers_its_period(0, 0);
        assert!(covers(&[1, 2, 3, 4, 1, 2, 3, 4]));
        assert!(!covers(&[1, 2, 3, 4, 9, 1, 2, 3, 4]));
    }

    /// The same by trying every shift and every distance.
    fn slow(reference: &[u64], candidate: &[u64]) -> Option<(usize, usize, usize)> {
        let mut best = None;
        for i in 0..reference.len() {
            for j in 0..candidate.len() {
                let run = reference[i..].iter().zip(&candidate[j..]).take_while(|(a, b)| a == b).count();
                let fragment = |events: &[u64], at: usize| {
                    (0..events.len()).any(|other| {
                        other.abs_diff(at) > run && events.get(other..other + run) == Some(&events[at..at + run])
                    })
                };
                let better = best.is_none_or(|(x, y, _)| (i + j, i) < (x + y, x));
                if run >= 4 && better && !fragment(reference, i) && !fragment(candidate, j) {
                    best = Some((i, j, run));
                }
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_fast_search_is_the_slow_one(
            reference in proptest::collection::vec(0u64..4, 0..24),
            candidate in proptest::collection::vec(0u64..4, 0..24),
        ) {
            prop_assert_eq!(shift(&reference, &candidate), slow(&reference, &candidate));
        }
    }
}
