//! A ring of calls: the newest ones, how many there ever were, and when each came.

use std::collections::{VecDeque, vec_deque};
use std::ops::Deref;

/// Calls that each of a handle's rings for signals, waits and wakes holds; a further one takes the oldest one's place.
pub const AUDIT_RING_CAPACITY: usize = 32;

/// One call that concerns a handle, as the engine saw it.
///
/// The table looks into none of the fields, so their units are the engine's; the ones given are what reports expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandleAuditEntry {
    /// When, in ticks of the calling thread's time base. Clocks of threads may disagree: order is told by sequence numbers.
    pub cycle: u64,
    /// The calling guest thread, by the id that stays with it when it changes its hardware thread.
    pub tid: u32,
    /// Where in the guest: the address its caller returns to, so one instruction behind the call.
    pub lr: u32,
    /// What function of the engine it was, such as `NtSetEvent`.
    pub source: &'static str,
    /// Whatever else that function has to tell, such as an event's state before a signal; 0 if nothing.
    pub aux: u64,
}

/// The newest `N` calls of one sort on one handle, oldest first, each with its sequence number.
///
/// It reads as the `VecDeque` of its entries: `len`, `front`, `back`, `iter`, indices, `for entry in &ring`. Only the table
/// writes to it. It is not `Clone`, so that `ring.clone()` gives that `VecDeque` too.
///
/// # Examples
/// ```
/// # use forkpoint::audit::{HandleAudit, HandleAuditEntry};
/// # let call = |cycle| HandleAuditEntry { cycle, tid: 1, lr: 0, source: "NtSetEvent", aux: 0 };
/// # let mut audit = HandleAudit { enabled: true, ..HandleAudit::default() };
/// audit.record_create(4, "Event/Auto", call(0));
/// (1..=40).for_each(|cycle| audit.record_signal(4, call(cycle)));
/// let signals = &audit.trails[&4].signals;
/// assert_eq!((signals.len(), signals.total(), signals.dropped()), (32, 40, 8));
/// assert_eq!(signals.front().unwrap().cycle, 9);
/// assert_eq!(signals.numbered().last().map(|(sequence, entry)| (sequence, entry.cycle)), Some((40, 40)));
/// ```
#[derive(Debug, Default)]
pub struct Ring<const N: usize = AUDIT_RING_CAPACITY> {
    entries: VecDeque<HandleAuditEntry>,
    /// Those of `entries`, side by side.
    sequences: VecDeque<u64>,
    total: u64,
}

impl<const N: usize> Ring<N> {
    /// What a ring holds on the heap, in bytes, however many entries it has.
    pub(super) const HEAP_BYTES: usize = N * (size_of::<HandleAuditEntry>() + size_of::<u64>());

    /// An empty ring that will not allocate when it fills; one made by `default` does.
    pub(super) fn with_room() -> Ring<N> {
        Ring { entries: VecDeque::with_capacity(N), sequences: VecDeque::with_capacity(N), total: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, sequence: u64, entry: HandleAuditEntry) {
        if self.entries.len() >= N {
            self.entries.pop_front();
            self.sequences.pop_front();
        }
        self.entries.push_back(entry);
        self.sequences.push_back(sequence);
        self.total += 1;
    }

    /// Calls ever recorded in this ring.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Calls recorded in this ring that gave way to newer ones: the total less what it holds.
    pub fn dropped(&self) -> u64 {
        self.total - self.entries.len() as u64
    }

    /// The entries with their sequence numbers, oldest first. A table's numbers ascend from 0 over all its handles and
    /// kinds of call, so they say what came before what in any two rings of it.
    pub fn numbered(&self) -> impl DoubleEndedIterator<Item = (u64, &HandleAuditEntry)> + ExactSizeIterator {
        self.sequences.iter().copied().zip(&self.entries)
    }
}

impl<const N: usize> Deref for Ring<N> {
    type Target = VecDeque<HandleAuditEntry>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<'r, const N: usize> IntoIterator for &'r Ring<N> {
    type Item = &'r HandleAuditEntry;
    type IntoIter = vec_deque::Iter<'r, HandleAuditEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<const N: usize> IntoIterator for Ring<N> {
    type Item = HandleAuditEntry;
    type IntoIter = vec_deque::IntoIter<HandleAuditEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cycle: u64) -> HandleAuditEntry {
        HandleAuditEntry { cycle, tid: 3, lr: 0x8200_0010, source: "NtSetEvent", aux: 7 }
    }

    #[test]
    fn the_newest_stay_and_all_are_counted() {
        let mut ring = Ring::<4>::with_room();
        for cycle in 0..11 {
            let held = cycle.min(4);
            assert_eq!((ring.len() as u64, ring.total(), ring.dropped()), (held, cycle, cycle - held));
            ring.push(100 + 2 * cycle, entry(cycle));
        }
        let numbered: Vec<_> = ring.numbered().map(|(sequence, entry)| (sequence, entry.cycle)).collect();
        assert_eq!(numbered, [(114, 7), (116, 8), (118, 9), (120, 10)]);
        assert_eq!(ring.numbered().next_back().unwrap().0, 120);
    }

    #[test]
    fn it_reads_as_a_deque_of_its_entries() {
        let mut ring = Ring::<4>::default();
        (0..6).for_each(|cycle| ring.push(cycle, entry(cycle)));
        let deque: VecDeque<HandleAuditEntry> = ring.clone();
        assert_eq!(deque, *ring);
        assert_eq!((ring[0].cycle, ring.back().unwrap().cycle), (2, 5));
        let mut seen = Vec::new();
        for entry in &ring {
            seen.push(*entry);
        }
        assert_eq!(deque, seen);
        assert_eq!(ring.into_iter().collect::<VecDeque<_>>(), deque);
    }

    #[test]
    fn a_ring_with_room_allocates_nothing_more_and_its_bytes_are_what_it_holds() {
        let mut ring = Ring::<AUDIT_RING_CAPACITY>::with_room();
        let capacities = |ring: &Ring| (ring.entries.capacity(), ring.sequences.capacity());
        let before = capacities(&ring);
        assert_eq!(before, (AUDIT_RING_CAPACITY, AUDIT_RING_CAPACITY));
        (0..1_000).for_each(|cycle| ring.push(cycle, entry(cycle)));
        assert_eq!(capacities(&ring), before);
        assert_eq!(Ring::<AUDIT_RING_CAPACITY>::HEAP_BYTES, before.0 * 40 + before.1 * 8);
    }
}
