//! The clock of an episode.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since an episode's first row, by the host's monotonic clock: the same for every process of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    origin: u64,
}

impl Clock {
    /// A clock that is at zero now.
    pub fn start() -> Clock {
        Clock { origin: monotonic_ns() }
    }

    /// How late it is.
    pub fn now(self) -> u64 {
        self.of(monotonic_ns())
    }

    /// How late it was when the host's monotonic clock showed so much; what was before the first row is 0.
    pub fn of(self, monotonic: u64) -> u64 {
        monotonic.saturating_sub(self.origin)
    }
}

/// What the host's monotonic clock shows, in nanoseconds.
pub fn monotonic_ns() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// Nanoseconds since 1970.
pub fn wall_ns() -> u64 {
    nanoseconds(ClockId::Realtime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    // Neither clock is ever before its zero.
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
