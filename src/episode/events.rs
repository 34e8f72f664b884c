//! What happened in an episode, in the order in which it happened: the one writer of `events.jsonl`.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use super::clock::{Clock, monotonic_ns, wall_ns};
use super::rows::{Fields, RowFile};
use super::stop::Stop;

/// Members of a row that the writer gives.
pub const OWN: [&str; 3] = ["t_mono_ns", "t_wall_ns", "event"];
/// How long is waited for an event at most without a look at whether all is to end.
const LOOK: Duration = Duration::from_millis(20);

/// The events of an episode that is being recorded.
#[derive(Debug)]
pub struct Events {
    clock: Clock,
    written: Mutex<Written>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Written {
    rows: RowFile,
    /// The time of the last row.
    last: u64,
    /// How many events came, and of each name the last one's number among them.
    count: u64,
    newest: HashMap<String, u64>,
    /// What went wrong first.
    error: Option<String>,
    is_over: bool,
}

impl Events {
    /// Makes the file and writes its first row, at which the episode's clock is zero. As long as this lives the file is
    /// locked: an episode that no one records is known by that.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn begin(path: &Path, event: &str, fields: Fields) -> io::Result<Events> {
        let rows = RowFile::create(path)?;
        // Whoever looks whether an episode is recorded holds it for a moment.
        flock(rows.file(), FlockOperation::LockExclusive)?;
        let written = Written { rows, last: 0, count: 0, newest: HashMap::new(), error: None, is_over: false };
        let monotonic = monotonic_ns();
        let events = Events { clock: Clock::start(), written: Mutex::new(written), arrived: Condvar::new() };
        events.emit_at(monotonic, event, fields);
        match events.error() {
            Some(error) => Err(io::Error::other(error)),
            None => Ok(events),
        }
    }

    /// The episode's clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Writes an event that happens now. What cannot be written is told by [`Events::error`].
    pub fn emit(&self, event: &str, fields: Fields) {
        // The time is taken under the lock, so that rows are in its order.
        let mut written = self.lock();
        let now = self.clock.now();
        self.write(&mut written, now, event, fields);
    }

    /// Writes an event that happened when the host's monotonic clock showed so much, or as soon after that as rows in order allow.
    pub fn emit_at(&self, monotonic: u64, event: &str, fields: Fields) {
        let mut written = self.lock();
        self.write(&mut written, self.clock.of(monotonic), event, fields);
    }

    fn write(&self, written: &mut Written, at: u64, event: &str, mut row: Fields) {
        if written.is_over {
            return;
        }
        written.last = written.last.max(at);
        row.insert("t_mono_ns".to_owned(), json!(written.last));
        row.insert("t_wall_ns".to_owned(), json!(wall_ns()));
        row.insert("event".to_owned(), json!(event));
        if let Err(error) = written.rows.append(&row) {
            written.error.get_or_insert_with(|| error.to_string());
        }
        written.count += 1;
        let number = written.count;
        written.newest.insert(event.to_owned(), number);
        self.arrived.notify_all();
    }

    /// How many events came so far.
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// Waits until an event of a name comes behind so many others, a time of the episode's clock passes, or all is to end: whether it came.
    pub fn wait_for(&self, name: &str, behind: u64, until: Option<u64>, stop: &Stop) -> bool {
        let mut written = self.lock();
        loop {
            if written.newest.get(name).is_some_and(|number| *number > behind) {
                return true;
            }
            let left = until.map_or(LOOK, |until| Duration::from_nanos(until.saturating_sub(self.clock.now())));
            if left.is_zero() || stop.is_raised() {
                return false;
            }
            written = self.arrived.wait_timeout(written, left.min(LOOK)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What went wrong first when a row was written.
    pub fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    /// Ends it: what comes later is not written. How many rows there are.
    ///
    /// # Errors
    /// They could not all be brought to the disk.
    pub fn end(&self) -> io::Result<u64> {
        let mut written = self.lock();
        written.is_over = true;
        written.rows.sync()?;
        match &written.error {
            Some(error) => Err(io::Error::other(error.clone())),
            None => Ok(written.rows.rows()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
