//! What kind of divergence it is: a bounded look ahead for the place where both sides agree again.

use std::collections::HashMap;

/// Events a side that are looked at, the divergent ones included.
pub const LOOK_AHEAD: usize = 256;
/// Equal events that make an agreement.
pub const RUN_MIN: usize = 4;

/// Where the two sides agree again, counted from the divergent events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resync {
    pub reference: usize,
    pub candidate: usize,
    pub run: usize,
}

/// The resync with the smallest shift, of two look-aheads given as digests.
pub fn resync(reference: &[String], candidate: &[String]) -> Option<Resync> {
    // Numbers for texts, the same for the same.
    let mut numbers = HashMap::new();
    let mut numbered = |side: &[String]| -> Vec<usize> {
        side.iter()
            .map(|digest| {
                let next = numbers.len();
                *numbers.entry(digest.clone()).or_insert(next)
            })
            .collect()
    };
    let (reference, candidate) = (&numbered(reference)[..], &numbered(candidate)[..]);
    for shift in 0..=reference.len() + candidate.len() {
        for i in 0..=shift.min(reference.len()) {
            let j = shift - i;
            if j > candidate.len() {
                continue;
            }
            let run = reference[i..].iter().zip(&candidate[j..]).take_while(|(a, b)| a == b).count();
            if run >= RUN_MIN && !repeats(reference, i, run) && !repeats(candidate, j, run) {
                return Some(Resync { reference: i, candidate: j, run });
            }
        }
    }
    None
}

/// True where the run at `at` stands a second time in the look-ahead, further off than it is
/// long: then it is less than one period of something that repeats and fits at many shifts.
fn repeats(side: &[usize], at: usize, run: usize) -> bool {
    (0..=side.len() - run).any(|other| other.abs_diff(at) > run && side[other..other + run] == side[at..at + run])
}
