//! How often something that may cost much is done.

use std::time::{Duration, Instant};

/// Something that is done again only after so many times of what it took last: so it never takes more than its share of a processor,
/// however large the process that is looked at.
#[derive(Debug)]
pub struct Budget {
    factor: u32,
    least: Duration,
    due: Option<Instant>,
}

impl Budget {
    /// At most one part in so many of a processor's time, and at least so long apart.
    pub fn one_in(factor: u32, least: Duration) -> Budget {
        Budget { factor, least, due: None }
    }

    /// Does it, if it is due.
    pub fn spend<T>(&mut self, act: impl FnOnce() -> T) -> Option<T> {
        let begun = Instant::now();
        if self.due.is_some_and(|due| begun < due) {
            return None;
        }
        let made = act();
        let took = begun.elapsed();
        self.due = Some(begun + took.saturating_mul(self.factor).max(self.least));
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_is_not_done_again_soon() {
        let mut budget = Budget::one_in(1_000_000, Duration::ZERO);
        assert_eq!(budget.spend(|| std::thread::sleep(Duration::from_millis(1))), Some(()));
        assert_eq!(budget.spend(|| ()), None);
        let mut free = Budget::one_in(0, Duration::ZERO);
        assert_eq!((free.spend(|| 1), free.spend(|| 2)), (Some(1), Some(2)));
        let mut spaced = Budget::one_in(0, Duration::from_secs(3600));
        assert_eq!((spaced.spend(|| 1), spaced.spend(|| 2)), (Some(1), None));
    }
}
