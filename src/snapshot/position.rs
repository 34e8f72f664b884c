//! Where in a run a snapshot was taken.

use serde::{Deserialize, Serialize};

use super::error::SnapshotError;

/// Where in a run a snapshot was taken: by an event of a thread, or by how many events all threads had logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Position {
    /// Right before the event of a thread that bears this number.
    Thread {
        /// The thread, as the log names it.
        thread: serde_json::Value,
        /// The event's own number on its thread (`tid_event_idx`).
        ordinal: u64,
    },
    /// After so many events of the log.
    Events {
        /// How many.
        events: u64,
    },
}

impl Position {
    /// As a state file keeps it.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("a position is JSON")
    }

    /// For people.
    pub fn told(&self) -> String {
        match self {
            Position::Thread { thread, ordinal } => format!("before event {ordinal} of thread {thread}"),
            Position::Events { events } => format!("after {events} events"),
        }
    }

    /// As a state file keeps it.
    pub(super) fn read(text: &str) -> Result<Position, SnapshotError> {
        serde_json::from_str(text).map_err(|error| SnapshotError::Bitcode(format!("the position {text:?}: {error}")))
    }
}
