//! The marker of a loss: a line in the place of events that were dropped.
//!
//! It bears the ordinal of the first of them, and the next event's ordinal is greater by as many as it tells. So a gap in
//! a thread's ordinals stands behind a marker only and is exactly as long as that says; any other gap is a fault of the
//! engine. In a `diff` a marker is an event that the other side lacks: a loss never goes unnoticed.

use super::ring::Loss;
use super::text;

/// The `kind` of a marker.
pub const DROPPED: &str = "forkpoint.dropped";

/// How a marker's line begins, and no event's: the keys of an event stand in another order.
pub(super) const START: &[u8] = br#"{"kind":"forkpoint.dropped","payload":"#;

/// Appends the line of a marker.
pub(super) fn write(line: &mut Vec<u8>, tid: &[u8], loss: Loss) {
    line.extend_from_slice(START);
    line.extend_from_slice(br#"{"events":"#);
    text::number(line, loss.events);
    line.extend_from_slice(br#"},"tid":"#);
    line.extend_from_slice(tid);
    line.extend_from_slice(br#","tid_event_idx":"#);
    text::number(line, loss.first);
    line.extend_from_slice(b"}\n");
}
