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

/// Finds the resync (none stepped over, where only the ordinals differ) of two look-aheads (digests from the differing pair on, at most
/// [`LOOK_AHEAD`] a side): the smallest total shift, then the fewest reference events, at which
/// at least [`EQUAL_RUN_MIN`] events are equal and cover one full period of any repetition
/// they are part of.
///
/// The equal run at every pair of places is found in one pass from the back, 64 Ki additions
/// for full look-aheads.
pub fn find(reference: &[u64], candidate: &[u64]) -> Option<Shift> {
    debug_assert!(reference.len().max(candidate.len()) <= LOOK_AHEAD as usize);
    let runs = Runs::new(reference, candidate);
    for total in 0..reference.len() + candidate.len() {
        for i in 0..=total.min(reference.len().saturating_sub(1)) {
            let j = total - i;
            if j >= candidate.len() {
                continue;
            }
            let equal_run = runs.at(i, j);
            if equal_run >= EQUAL_RUN_MIN
                && covers_its_period(reference, i, equal_run)
                && covers_its_period(candidate, j, equal_run)
            {
                return Some(Shift { reference: i, candidate: j, equal_run });
            }
        }
    }
    None
}

/// The length of the equal run that begins at each pair of places.
struct Runs {
    lengths: Vec<u16>,
    width: usize,
}

impl Runs {
    fn new(reference: &[u64], candidate: &[u64]) -> Runs {
        let width = candidate.len() + 1;
        let mut lengths = vec![0u16; (reference.len() + 1) * width];
        for i in (0..reference.len()).rev() {
            for j in (0..candidate.len()).rev() {
                if reference[i] == candidate[j] {
                    lengths[i * width + j] = lengths[(i + 1) * width + j + 1] + 1;
                }
            }
        }
        Runs { lengths, width }
    }

    fn at(&self, i: usize, j: usize) -> usize {
        usize::from(self.lengths[i * self.width + j])
    }
}

/// Whether the run of `len` events at `start` covers one full period wherever it recurs: a run
/// that comes again further away than its own length is a fragment of a loop, which fits at
/// many shifts.
fn covers_its_period(events: &[u64], start: usize, len: usize) -> bool {
    let run = &events[start..start + len];
    !events.windows(len).enumerate().any(|(at, window)| at.abs_diff(start) > len && window == run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shift(reference: &[u64], candidate: &[u64]) -> Option<(usize, usize, usize)> {
        find(reference, candidate).map(|shift| (shift.reference, shift.candidate, shift.equal_run))
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
        assert!(covers_its_period(&[1, 2, 3, 4, 1, 2, 3, 4], 0, 4));
        assert!(covers_its_period(&[1, 2, 3, 4, 1, 2, 3, 4], 4, 4));
        assert!(!covers_its_period(&[1, 2, 3, 4, 9, 1, 2, 3, 4], 0, 4));
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
