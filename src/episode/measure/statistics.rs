//! Many values summed up, exactly: no value is left out, and none is guessed from a sample.

use std::ops::Range;

use super::run::Measured;

/// Parts of a phase that are looked at one by one.
const PARTS_MAX: usize = 8;

/// What many values are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many there are.
    pub count: u64,
    /// The least of them.
    pub min: f64,
    /// A quarter of them lies below.
    pub lower: f64,
    /// Half of them lies below; between two, halfway.
    pub median: f64,
    /// A quarter of them lies above.
    pub upper: f64,
    /// The greatest of them.
    pub max: f64,
}

/// Sums up values, all of them finite, and leaves them in another order; none without any.
pub fn summary(values: &mut [f64]) -> Option<Summary> {
    let min = values.iter().copied().min_by(f64::total_cmp)?;
    let max = values.iter().copied().max_by(f64::total_cmp)?;
    let count = values.len() as u64;
    let [lower, median, upper] = [1, 2, 3].map(|quarters| quarter(values, quarters));
    Some(Summary { count, min, lower, median, upper, max })
}

/// The value below which so many quarters of the others lie: where that is between two, so far between them.
fn quarter(values: &mut [f64], quarters: usize) -> f64 {
    // In fourths of a place, so that nothing is rounded.
    let fourths = (values.len() - 1) * quarters;
    let (place, part) = (fourths / 4, fourths % 4);
    let (_, at, above) = values.select_nth_unstable_by(place, f64::total_cmp);
    let at = *at;
    match above.iter().copied().min_by(f64::total_cmp) {
        // Either is weighed by itself: their difference may be more than a double holds.
        Some(next) if part > 0 && next != at => at * ((4 - part) as f64 / 4.0) + next * (part as f64 / 4.0),
        _ => at,
    }
}

/// Values of a phase, in their order, taken together, and left in another; none without any. What is counted has the seconds in which each was.
pub(super) fn measured_of(values: &mut [f64], seconds: &[f64]) -> Option<Measured> {
    let mut parts: Vec<f64> =
        parts(values.len()).filter_map(|part| on_the_whole(&mut values[part.clone()], seconds.get(part))).collect();
    let parts = summary(&mut parts)?;
    let whole = on_the_whole(values, Some(seconds))?;
    Some(Measured { values: summary(values)?, parts, whole })
}

/// So many places, in parts as alike as can be.
fn parts(length: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = length.min(PARTS_MAX);
    (0..parts).map(move |part| length * part / parts..length * (part + 1) / parts)
}

/// One value for all: of what has seconds the mean by these, of all else the median.
fn on_the_whole(values: &mut [f64], seconds: Option<&[f64]>) -> Option<f64> {
    match seconds.filter(|seconds| !seconds.is_empty()) {
        Some(seconds) => {
            let all: f64 = seconds.iter().sum();
            let mean = values.iter().zip(seconds).map(|(value, seconds)| value * (seconds / all)).sum::<f64>();
            mean.is_finite().then_some(mean)
        }
        None => summary(values).map(|summary| summary.median),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_leave_nothing_out() {
        for length in 0..50 {
            let all: Vec<Range<usize>> = parts(length).collect();
            assert_eq!(all.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..length).collect::<Vec<_>>());
            assert!(all.len() == length.min(PARTS_MAX) && all.iter().all(|part| !part.is_empty()));
        }
        // Counted now and then: no median says how much, every part does.
        let mut rates: Vec<f64> = (0..80).map(|at| if at % 5 == 0 { 10.0 } else { 0.0 }).collect();
        let measured = measured_of(&mut rates, &[0.5; 80]).unwrap();
        assert_eq!((measured.values.median, measured.whole, measured.parts.median), (0.0, 2.0, 2.0));
        let measured = measured_of(&mut [5.0, 1.0, 3.0], &[]).unwrap();
        assert_eq!((measured.whole, measured.parts.count, measured.parts.max), (3.0, 3, 5.0));
        // Longer ones weigh more.
        assert_eq!(measured_of(&mut [1.0, 4.0], &[2.0, 1.0]).unwrap().whole, 2.0);
    }

    #[test]
    fn few_values_are_summed_up_as_by_hand() {
        for (values, [min, lower, median, upper, max]) in [
            (&[5.0][..], [5.0, 5.0, 5.0, 5.0, 5.0]),
            (&[2.0, 1.0], [1.0, 1.25, 1.5, 1.75, 2.0]),
            (&[3.0, 1.0, 2.0], [1.0, 1.5, 2.0, 2.5, 3.0]),
            (&[4.0, 1.0, 3.0, 2.0], [1.0, 1.75, 2.5, 3.25, 4.0]),
            (&[1.0, 1.0, 1.0, 9.0, 1.0], [1.0, 1.0, 1.0, 1.0, 9.0]),
            (&[-1e308, 1e308], [-1e308, -0.5e308, 0.0, 0.5e308, 1e308]),
        ] {
            let found = summary(&mut values.to_vec()).unwrap();
            assert_eq!(
                [found.min, found.lower, found.median, found.upper, found.max],
                [min, lower, median, upper, max]
            );
            assert_eq!(found.count, values.len() as u64);
        }
        assert_eq!(summary(&mut []), None);
    }
}
