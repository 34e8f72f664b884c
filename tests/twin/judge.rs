//! What kind of divergence it is: a bounded look ahead for the place where both sides agree again.

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

/// The resync with the smallest shift, of two look-aheads of which it is known which events are equal.
pub fn resync(sizes: [usize; 2], mut equal: impl FnMut(usize, usize) -> bool) -> Option<Resync> {
    let [reference, candidate] = sizes;
    let table: Vec<Vec<bool>> = (0..reference).map(|i| (0..candidate).map(|j| equal(i, j)).collect()).collect();
    let run_at = |i: usize, j: usize| {
        (0..).take_while(|n| i + n < reference && j + n < candidate && table[i + n][j + n]).count()
    };
    for shift in 0..=reference + candidate {
        for i in 0..=shift.min(reference) {
            let j = shift - i;
            if j > candidate {
                continue;
            }
            let run = run_at(i, j);
            // A run that is met a second time on either side, further off than it is long, is less than one period
            // of something that repeats, and fits at many shifts.
            let again = || {
                (0..reference).any(|other| other.abs_diff(i) > run && run_at(other, j) >= run)
                    || (0..candidate).any(|other| other.abs_diff(j) > run && run_at(i, other) >= run)
            };
            if run >= RUN_MIN && !again() {
                return Some(Resync { reference: i, candidate: j, run });
            }
        }
    }
    None
}
