//! When a collector looks: at whole multiples of an interval after its first look.

use std::time::{Duration, Instant};

use crate::episode::stop::Stop;

/// The shortest interval; a shorter one is taken for this.
const LEAST: Duration = Duration::from_millis(1);

/// Deadlines that do not drift: the k-th is k intervals after the first, however late the one before was met.
#[derive(Debug)]
pub struct Ticks {
    start: Instant,
    interval: Duration,
    next: u64,
    missed: u64,
}

/// A deadline that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Which one, from 0.
    pub number: u64,
    /// How many have been missed so far: those that were over before they could be met.
    pub missed: u64,
}

impl Ticks {
    /// The first is now.
    pub fn every(interval: Duration) -> Ticks {
        Ticks { start: Instant::now(), interval: interval.max(LEAST), next: 0, missed: 0 }
    }

    /// Waits for the next one; none if all is to end first.
    pub fn wait(&mut self, stop: &Stop) -> Option<Tick> {
        let due = times(self.interval, self.next);
        if stop.wait(due.saturating_sub(self.start.elapsed())) {
            return None;
        }
        Some(self.met(self.start.elapsed()))
    }

    /// The newest tick that is due so long after the start. What lies before it is skipped: a row late by more than an interval
    /// would say nothing of its own time.
    fn met(&mut self, elapsed: Duration) -> Tick {
        let due = u64::try_from(elapsed.as_nanos() / self.interval.as_nanos()).unwrap_or(u64::MAX);
        let number = due.max(self.next);
        self.missed += number - self.next;
        self.next = number.saturating_add(1);
        Tick { number, missed: self.missed }
    }
}

fn times(interval: Duration, count: u64) -> Duration {
    let nanoseconds = interval.as_nanos().saturating_mul(u128::from(count));
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_skipped_and_counted_and_deadlines_stay_where_they_were() {
        let mut ticks = Ticks::every(Duration::from_millis(100));
        let mut at = |milliseconds| {
            let tick = ticks.met(Duration::from_millis(milliseconds));
            (tick.number, tick.missed)
        };
        assert_eq!(at(0), (0, 0));
        assert_eq!(at(199), (1, 0));
        // The third is met at its time although the second was nearly as late as that.
        assert_eq!(at(200), (2, 0));
        assert_eq!(at(650), (6, 3));
        assert_eq!(at(700), (7, 3));
        // A clock of no resolution may wake too early by a hair.
        assert_eq!(at(799), (8, 3));
    }

    #[test]
    fn an_interval_of_nothing_is_a_millisecond() {
        assert_eq!(Ticks::every(Duration::ZERO).interval, LEAST);
        assert_eq!(times(Duration::MAX, u64::MAX), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn the_end_is_heard_while_it_waits() {
        let stop = Stop::default();
        let mut ticks = Ticks::every(Duration::from_secs(3600));
        assert_eq!(ticks.wait(&stop), Some(Tick { number: 0, missed: 0 }));
        stop.raise("done");
        assert_eq!(ticks.wait(&stop), None);
    }
}
