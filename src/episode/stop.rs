//! The end of a recording, told to all its threads at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Raised once, with the reason; whoever waits wakes.
#[derive(Debug, Default)]
pub struct Stop {
    reason: Mutex<Option<String>>,
    raised: Condvar,
}

impl Stop {
    /// Ends it. The first reason stays.
    pub fn raise(&self, reason: &str) {
        self.lock().get_or_insert_with(|| reason.to_owned());
        self.raised.notify_all();
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.lock().is_some()
    }

    /// Why it was raised.
    pub fn reason(&self) -> Option<String> {
        self.lock().clone()
    }

    /// Waits for so long, or until it is raised: whether it is.
    pub fn wait(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut reason = self.lock();
        while reason.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            reason = self.raised.wait_timeout(reason, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
