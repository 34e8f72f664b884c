//! A slot of the fault guard's table: a range that one thread at a time fills and any may read, without a lock.
//!
//! It is a sequence lock: a reader takes what it read for true only if the slot's `turn` says "live" and is the same
//! before and after. The atomics come through the room's door, so that `tests/guard_slot.rs` can build this very file
//! upon loom's, which try every order that the processor may show.

use super::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};

/// A place for one range.
pub(super) struct Slot {
    /// Counts 0 free, 1 being filled, 2 live, 3 being emptied, 4 free, …
    turn: AtomicU64,
    start: AtomicUsize,
    end: AtomicUsize,
    flag: AtomicPtr<AtomicBool>,
}

/// A range, and the flag to raise where it faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) flag: *const AtomicBool,
}

impl Slot {
    /// A free slot of atomics that are all zero: not all atomics can be made where a static is.
    pub(super) const fn of(turn: AtomicU64, [start, end]: [AtomicUsize; 2], flag: AtomicPtr<AtomicBool>) -> Slot {
        Slot { turn, start, end, flag }
    }

    /// Fills the slot; `false` where it is not free.
    pub(super) fn fill(&self, held: Held) -> bool {
        let turn = self.turn.load(Ordering::Relaxed);
        if !turn.is_multiple_of(4)
            || self.turn.compare_exchange(turn, turn + 1, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return false;
        }
        self.write(turn + 1, held);
        true
    }

    /// Empties the slot. Only who filled it may.
    pub(super) fn empty(&self) {
        let turn = self.turn.load(Ordering::Relaxed) + 1;
        self.turn.store(turn, Ordering::Relaxed);
        self.write(turn, Held { start: 0, end: 0, flag: std::ptr::null() });
    }

    /// Writes while `turn`, which is odd, keeps all others away.
    fn write(&self, turn: u64, held: Held) {
        // Whoever sees one of the stores below sees the odd turn too.
        fence(Ordering::Release);
        self.start.store(held.start, Ordering::Relaxed);
        self.end.store(held.end, Ordering::Relaxed);
        self.flag.store(held.flag.cast_mut(), Ordering::Relaxed);
        self.turn.store(turn + 1, Ordering::Release);
    }

    /// What the slot holds; `None` where it is free, or changes just now.
    pub(super) fn held(&self) -> Option<Held> {
        let turn = self.turn.load(Ordering::Acquire);
        if turn % 4 != 2 {
            return None;
        }
        let (start, end) = (self.start.load(Ordering::Relaxed), self.end.load(Ordering::Relaxed));
        let flag = self.flag.load(Ordering::Relaxed).cast_const();
        fence(Ordering::Acquire);
        (self.turn.load(Ordering::Relaxed) == turn).then_some(Held { start, end, flag })
    }
}
