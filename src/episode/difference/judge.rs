//! Which changes are real, and which are what runs of one program do by themselves.
//!
//! Two things must hold. The medians are apart by more than the threshold, and by more than the floor of their unit, so that nothing and
//! almost nothing are the same. And the values themselves lie apart, by one of three rules:
//!
//! - *runs*: there are several on a side at least. No run of one side lies among those of the other. That happens by chance too, in 2 of all the orders in
//!   which the runs could have come; where that is more than one in a hundred, the sides must also lie as far apart as the wider of them is wide.
//! - *parts*: one run on each side. The phase is cut into up to eight parts, which must lie half as far apart as the wider side is wide: parts of one run are more alike than runs are. Single ticks would not do: a kernel that counts in
//!   hundredths of a second tells of most of them nothing or all.
//! - *threshold*: one value on each side. There is nothing more to go by.
//!
//! Tried on runs that do not differ, whose noise is normal and as large as the threshold, three runs a side call one metric in a hundred changed,
//! and five runs a side one in two hundred; of one run a side nobody can know.

use super::sides::{SideValues, Values};
use crate::episode::measure::{Summary, Unit};

/// Medians that are apart by less are the same: a part of the reference's.
pub const THRESHOLD_DEFAULT: f64 = 0.05;
/// Of a number whose meaning only its name tells, less than this part of the greatest anywhere is nothing.
const PART_OF_GREATEST: f64 = 0.01;
/// How far parts must lie apart, as a part of how wide the wider side is: enough that runs which differ by little more than the threshold are not called changed.
const PARTS_APART: f64 = 0.5;
/// What happens by chance more seldom than once in so many times is taken for real.
const ONE_IN: u64 = 100;

/// By what values were held to lie apart or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Run by run.
    Runs,
    /// By the parts of one run on each side.
    Parts,
    /// By nothing: one value on each side.
    Threshold,
}

impl Rule {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Rule::Runs => "runs",
            Rule::Parts => "parts",
            Rule::Threshold => "threshold",
        }
    }
}

/// Says which changes are real.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    /// Medians must be apart by more than this part of the reference's.
    pub threshold: f64,
}

impl Judge {
    /// Whether a metric changed, and by which rule that was said; `greatest` is the greatest value that it has in any phase.
    pub fn judge(&self, unit: &Unit, greatest: f64, sides: &[SideValues; 2]) -> (bool, Rule) {
        let [reference, candidate] = sides.each_ref().map(|side| side.values.summary());
        let (is_apart, rule) = match (&sides[0].values, reference.count.max(candidate.count)) {
            (Values::Runs(_), _) => {
                (lie_apart(reference, candidate, runs_apart(reference.count, candidate.count)), Rule::Runs)
            }
            (Values::Parts(_), 1) => (true, Rule::Threshold),
            (Values::Parts(_), _) => (lie_apart(reference, candidate, PARTS_APART), Rule::Parts),
        };
        let by = (candidate.median - reference.median).abs();
        let floor = unit.floor().unwrap_or(greatest * PART_OF_GREATEST);
        (is_apart && by > floor && by > self.threshold * reference.median.abs(), rule)
    }
}

/// How far two ranges lie apart; less than nothing where they meet.
fn gap(one: [f64; 2], other: [f64; 2]) -> f64 {
    (other[0] - one[1]).max(one[0] - other[1])
}

/// How far runs must lie apart, as a part of how wide the wider side is.
fn runs_apart(reference: u64, candidate: u64) -> f64 {
    if is_no_chance(reference, candidate) { 0.0 } else { 1.0 }
}

/// Whether no value of one side lies among the other's, nor nearer to them than such a part of how wide the wider side is.
fn lie_apart(reference: &Summary, candidate: &Summary, apart: f64) -> bool {
    let between = gap([reference.min, reference.max], [candidate.min, candidate.max]);
    let widest = (reference.max - reference.min).max(candidate.max - candidate.min);
    between > 0.0 && between >= apart * widest
}

/// Whether so many values on each side lie apart by chance in fewer than one of so many cases: in 2 of all the ways in which the first
/// side's can be chosen among all.
fn is_no_chance(reference: u64, candidate: u64) -> bool {
    let mut ways: u64 = 1;
    for step in 1..=reference.min(candidate) {
        ways = ways * (reference.max(candidate) + step) / step;
        if ways >= 2 * ONE_IN {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::measure::summary;

    fn judged(unit: &Unit, sides: [&[f64]; 2], of: fn(Summary) -> Values) -> (bool, Rule) {
        let greatest = sides.concat().into_iter().fold(0.0, f64::max);
        let sides = sides
            .map(|values| SideValues { runs: values.len() as u64, values: of(summary(&mut values.to_vec()).unwrap()) });
        Judge { threshold: THRESHOLD_DEFAULT }.judge(unit, greatest, &sides)
    }

    #[test]
    fn one_value_on_each_side_changes_by_the_threshold() {
        for (values, changed) in [([1.0, 1.2], true), ([1.0, 1.04], false), ([1.0, 0.9], true), ([0.001, 0.002], false)]
        {
            let [reference, candidate] = values.map(|value| [value]);
            assert_eq!(judged(&Unit::Seconds, [&reference, &candidate], Values::Parts), (changed, Rule::Threshold));
        }
    }

    #[test]
    fn one_run_on_each_side_is_judged_by_its_parts() {
        let parts = |around: f64| [0.97, 0.98, 0.99, 1.0, 1.0, 1.01, 1.02, 1.03].map(|times| around * times);
        let judged = |values: [&[f64]; 2]| judged(&Unit::Number, values, Values::Parts);
        assert_eq!(judged([&parts(10.0), &parts(12.0)]), (true, Rule::Parts));
        assert_eq!(judged([&parts(10.0), &parts(10.8)]), (false, Rule::Parts));
        assert!(
            !judged([&[9.5, 10.0, 10.6], &[11.0, 12.0, 12.5]]).0 && judged([&[9.9, 10.0, 10.1], &[11.9, 12.0, 12.1]]).0
        );
    }

    #[test]
    fn nothing_and_almost_nothing_are_the_same() {
        for unit in [Unit::Bytes, Unit::PerSecond, Unit::SecondsPerSecond] {
            assert!(!judged(&unit, [&[0.0; 3], &[0.005; 3]], Values::Runs).0);
        }
        assert!(judged(&Unit::Bytes, [&[0.0; 3], &[1e6; 3]], Values::Runs).0);
        // A number of no known meaning is weighed by what it is elsewhere.
        let of = |greatest| {
            let sides =
                [0.0, 1.0].map(|value| SideValues { runs: 3, values: Values::Runs(summary(&mut [value; 3]).unwrap()) });
            Judge { threshold: 0.05 }.judge(&Unit::Number, greatest, &sides).0
        };
        assert!(of(10.0) && !of(1000.0));
    }

    #[test]
    fn few_runs_must_lie_farther_apart_than_many() {
        let (near, far) = ([1.0, 1.1, 1.2], [1.25, 1.3, 1.35]);
        assert_eq!(judged(&Unit::Number, [&near, &far], Values::Runs), (false, Rule::Runs));
        assert!(judged(&Unit::Number, [&near, &[1.5, 1.55, 1.6]], Values::Runs).0);
        let (near, far) = ([1.0, 1.05, 1.1, 1.15, 1.2], [1.21, 1.25, 1.3, 1.35, 1.4]);
        assert!(judged(&Unit::Number, [&near, &far], Values::Runs).0);
        let meets = [1.19, 1.25, 1.3, 1.35, 1.4];
        assert!(!judged(&Unit::Number, [&near, &meets], Values::Runs).0);
        assert_eq!(
            [(3, 3), (4, 4), (5, 5), (1, 99), (1, 199), (2, 19)].map(|(one, other)| is_no_chance(one, other)),
            [false, false, true, false, true, true]
        );
        assert!(is_no_chance(u64::MAX / 4, u64::MAX / 4));
    }
}
