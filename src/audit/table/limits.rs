//! How much the table may keep, and what it could not keep, counted.

use super::trail::{GhostTrail, HandleAuditTrail};

/// Places of a map for each trail in it, at worst: it doubles when it is less than half full but for places that were freed, and
/// holds both tables meanwhile.
const PLACES: usize = 7;
/// Bytes of a trail's places, and of its places in the queues that remember which trail is the oldest.
const TRAIL_PLACES: usize = PLACES * (size_of::<(u32, HandleAuditTrail)>() + 1) + 128;
const GHOST_PLACES: usize = PLACES * (size_of::<(u32, GhostTrail)>() + 1);

/// What a ghost trail takes, in bytes.
pub(super) const GHOST_BYTES: usize = GhostTrail::HEAP_BYTES + GHOST_PLACES;

/// What a trail takes whose stack has room for so many frames, in bytes.
pub(super) const fn trail_bytes(frames: usize) -> usize {
    (GhostTrail::HEAP_BYTES + TRAIL_PLACES).saturating_add(frames.saturating_mul(size_of::<(u32, u32)>()))
}

/// How much a table may keep. Changes take effect with the next creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditLimits {
    /// Bytes that all trails and ghost trails may take together, counted as what they ask for at most: 8 KB a
    /// trail, and 8 bytes a frame of its stack. 256 MiB unless set, about 34,000 trails. Maps that are all but empty may take 4 KB on top.
    ///
    /// Where a new trail or ghost does not fit, the oldest of all past trails is dropped, then the next; when none is left, the trail
    /// of the handle that was closed first, then the next; when none is left either, the new one is refused. What
    /// is bigger than the limit by itself is refused at once. Each is counted in [`AuditLosses`].
    pub bytes: usize,
    /// Past trails that each handle may have: the newest ones. 4 unless set.
    pub past: usize,
}

impl Default for AuditLimits {
    fn default() -> AuditLimits {
        AuditLimits { bytes: 256 << 20, past: 4 }
    }
}

/// What a table did not keep, in numbers.
///
/// Nothing is lost untold: each call made while the table was enabled is counted once, in
/// [`recorded`](HandleAuditTrail::recorded) of a trail or ghost trail that the table holds or in one of the numbers of calls here.
/// (What an engine takes out of the public maps by itself, it has to count by itself.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditLosses {
    /// Calls on handles that have no trail and are not in focus.
    pub unknown_calls: u64,
    /// Calls of [`record_signal_attempt_ghost`](super::HandleAudit::record_signal_attempt_ghost) that added nothing.
    pub idle_attempts: u64,
    /// Creations, each a call, for whose trail there was no room. Later calls on the handle count as on one never created.
    pub refused_trails: u64,
    /// Calls on focus handles for whose ghost trail there was no room.
    pub refused_calls: u64,
    /// Past trails dropped because their handle had more of them than [`AuditLimits::past`].
    pub past_by_count: u64,
    /// Past trails dropped for [`AuditLimits::bytes`].
    pub past_by_bytes: u64,
    /// Trails of closed handles dropped for [`AuditLimits::bytes`].
    pub destroyed_by_bytes: u64,
    /// Calls that had been recorded on those dropped trails of all three sorts, their creations among them.
    pub dropped_calls: u64,
}

impl AuditLosses {
    /// Calls that are in no trail any more or never were.
    pub fn calls(&self) -> u64 {
        self.unknown_calls + self.idle_attempts + self.refused_trails + self.refused_calls + self.dropped_calls
    }

    /// Trails that were there and are dropped.
    pub fn dropped_trails(&self) -> u64 {
        self.past_by_count + self.past_by_bytes + self.destroyed_by_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_takes_what_the_documentation_says() {
        assert!((7_500..8_500).contains(&trail_bytes(0)), "{}", trail_bytes(0));
        assert_eq!(trail_bytes(3), trail_bytes(0) + 24);
        assert_eq!(trail_bytes(usize::MAX), usize::MAX);
        assert!((32_000..36_000).contains(&(AuditLimits::default().bytes / trail_bytes(0))));
        assert!(GHOST_BYTES < trail_bytes(0), "a ghost becomes a trail");
    }

    #[test]
    fn sums_are_of_calls_and_of_trails() {
        let losses = AuditLosses {
            unknown_calls: 1,
            idle_attempts: 10,
            refused_trails: 100,
            refused_calls: 1_000,
            past_by_count: 3,
            past_by_bytes: 30,
            destroyed_by_bytes: 300,
            dropped_calls: 10_000,
        };
        assert_eq!((losses.calls(), losses.dropped_trails()), (11_111, 333));
    }
}
