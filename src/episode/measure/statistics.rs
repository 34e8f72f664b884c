//! Many values summed up, exactly: no value is left out, and none is guessed from a sample.

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

#[cfg(test)]
mod tests {
    use super::*;

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
