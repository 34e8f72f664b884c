//! The table of handles allocates where it says, stays below its limit in bytes that were really asked for, and is of use from
//! outside the crate.

// To count allocations means to be the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use forkpoint::audit::{AUDIT_RING_CAPACITY, AuditLimits, HandleAudit, HandleAuditEntry};

thread_local! {
    /// Allocations of this thread, bytes it holds, and the most it held.
    static COUNTED: Cell<(u64, isize, isize)> = const { Cell::new((0, 0, 0)) };
}

struct Counting;

impl Counting {
    fn count(allocations: u64, bytes: isize) {
        // A thread that ends frees what it had when its counters are gone.
        let _ = COUNTED.try_with(|counted| {
            let (made, held, most) = counted.get();
            let held = held + bytes;
            counted.set((made + allocations, held, most.max(held)));
        });
    }
}

// SAFETY: the system's allocator does the work; what is counted never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::count(1, layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        Counting::count(0, -(layout.size() as isize));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocates while something is done.
fn allocations(what: impl FnOnce()) -> u64 {
    let before = COUNTED.get().0;
    what();
    COUNTED.get().0 - before
}

/// The most bytes that this thread holds above what it holds now while something is done.
fn most_bytes(what: impl FnOnce()) -> isize {
    let (made, held, _) = COUNTED.get();
    COUNTED.set((made, held, held));
    what();
    COUNTED.get().2 - held
}

fn at(cycle: u64) -> HandleAuditEntry {
    HandleAuditEntry { cycle, tid: 2, lr: 0x8230_4418, source: "NtReleaseSemaphore", aux: 0 }
}

fn on() -> HandleAudit {
    HandleAudit { enabled: true, ..HandleAudit::default() }
}

#[test]
fn calls_allocate_nothing_once_a_handle_is_created() {
    let mut audit = on();
    let created = allocations(|| (0..500).for_each(|handle| audit.record_create(handle, "Semaphore", at(0))));
    assert!(created > 500, "the counter counts: {created}");
    // Used again: closed ones among them are forgotten in the queue of what may be dropped.
    (0..100).for_each(|handle| audit.record_destroy(handle, at(1)));
    (0..100).for_each(|handle| audit.record_create(handle, "Semaphore", at(2)));
    let later = allocations(|| {
        for cycle in 0..2 * AUDIT_RING_CAPACITY as u64 {
            for handle in 0..600 {
                audit.record_wait(handle, at(cycle));
                audit.record_signal(handle, at(cycle));
                audit.record_signal_attempt_ghost(handle, at(cycle));
                audit.record_wake(handle, at(cycle));
                audit.record_destroy(handle, at(cycle));
            }
        }
    });
    assert_eq!(later, 0);
    assert_eq!((audit.trails[&7].wakes.total(), audit.losses.unknown_calls), (64, 100 * 64 * 4));
}

#[test]
fn a_ghost_allocates_at_its_first_call_only() {
    let mut audit = on();
    audit.focus.insert(8);
    assert!(allocations(|| audit.record_wait(8, at(0))) > 0);
    let later = allocations(|| {
        for cycle in 0..1_000 {
            audit.record_wait(8, at(cycle));
            audit.record_signal(8, at(cycle));
            audit.record_signal_attempt_ghost(8, at(cycle + 1));
            audit.record_wake(8, at(cycle));
            audit.record_destroy(8, at(cycle));
        }
    });
    assert_eq!((later, audit.ghost_trails[&8].signals.total()), (0, 2_000));
}

#[test]
fn a_table_that_is_off_allocates_nothing() {
    let mut audit = HandleAudit { enabled: false, ..HandleAudit::default() };
    let all = allocations(|| {
        for handle in 0..100 {
            audit.record_create(handle, "Semaphore", at(0));
            audit.record_signal(handle, at(1));
            audit.record_destroy(handle, at(2));
        }
    });
    assert_eq!(all, 0);
}

#[test]
fn what_is_really_asked_for_stays_below_the_limit() {
    const HANDLES: u32 = 3_000;
    for bytes in [1_000, 8_000, 100_000, 1 << 20, 4 << 20] {
        let mut audit = on();
        audit.limits = AuditLimits { bytes, past: 3 };
        audit.focus.extend(HANDLES..HANDLES + 50);
        let mut made = 0;
        let most = most_bytes(|| {
            for round in 0..3 {
                for handle in 0..HANDLES {
                    let stack = Vec::with_capacity(if handle % 7 == 0 { 100 } else { 0 });
                    audit.record_create_with_stack(handle, "Semaphore", at(round), stack);
                    audit.record_create(handle % 90, "Semaphore", at(round));
                    audit.record_destroy(handle.wrapping_sub(5), at(round));
                    audit.record_wait(handle + 100, at(round));
                    made += 4;
                    assert!(audit.bytes() <= bytes);
                }
            }
        });
        // On top come the maps when they are all but empty; and the stack of a creation is its caller's until there is room.
        let on_top = if bytes < 100_000 { 4_000 + 800 } else { 800 };
        assert!(most <= bytes as isize + on_top, "{most} of {bytes}");
        assert!(bytes < 100_000 || most > bytes as isize / 2, "{most} of {bytes}");
        let past = audit.past.iter().map(|(_, trail)| trail.recorded()).sum::<u64>();
        let newest = audit.trails.values().map(|trail| trail.recorded()).sum::<u64>();
        let ghosts = audit.ghost_trails.values().map(|ghost| ghost.recorded()).sum::<u64>();
        assert_eq!(past + newest + ghosts + audit.losses.calls(), made);
    }
}
