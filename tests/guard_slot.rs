//! The slots of the fault guard's table under loom: the file of the program, built here upon atomics that show every
//! order in which threads may see each other's stores, each thread interrupted four times (`LOOM_MAX_PREEMPTIONS`).

// The file takes its atomics from `super`.
use loom::sync::atomic;

#[path = "../src/source/slot.rs"]
mod slot;

use std::ptr;

use loom::sync::Arc;
use loom::thread;
use slot::{Held, Slot};

fn in_every_order(scene: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(4));
    model.check(scene);
}

/// The n-th range. Its flag is an address, nothing more: a slot never looks behind it.
fn range(n: usize) -> Held {
    Held { start: n * 100, end: n * 100 + 1, flag: ptr::without_provenance(n * 100 + 2) }
}

fn free() -> Arc<Slot> {
    use atomic::{AtomicPtr, AtomicU64, AtomicUsize};
    Arc::new(Slot::of(AtomicU64::new(0), [0, 0].map(AtomicUsize::new), AtomicPtr::new(ptr::null_mut())))
}

#[test]
fn a_reader_sees_a_whole_range_or_none() {
    in_every_order(|| {
        let slot = free();
        assert!(slot.fill(range(1)));
        let reader = thread::spawn({
            let slot = Arc::clone(&slot);
            move || {
                if let Some(held) = slot.held() {
                    assert!(held == range(1) || held == range(2), "{held:?} is of two ranges");
                }
            }
        });
        slot.empty();
        assert!(slot.fill(range(2)));
        reader.join().unwrap();
    });
}

#[test]
fn a_range_is_found_by_its_holder_whoever_else_comes() {
    in_every_order(|| {
        let slot = free();
        let holder = |n| {
            let slot = Arc::clone(&slot);
            move || {
                let filled = slot.fill(range(n));
                if filled {
                    assert_eq!(slot.held(), Some(range(n)));
                    slot.empty();
                }
                filled
            }
        };
        let other = thread::spawn(holder(1));
        let filled = holder(2)();
        assert!(other.join().unwrap() || filled, "a free slot is had by one of two");
        assert_eq!(slot.held(), None);
    });
}

#[test]
fn a_range_handed_to_another_thread_is_found_there() {
    in_every_order(|| {
        let slots = [free(), free()];
        assert!(slots[0].fill(range(1)));
        let toucher = thread::spawn({
            let slots = slots.clone();
            move || slots.iter().filter_map(|slot| slot.held()).find(|held| held.start == range(1).start)
        });
        // Its neighbour comes and goes meanwhile.
        assert!(slots[1].fill(range(2)));
        slots[1].empty();
        assert_eq!(toucher.join().unwrap(), Some(range(1)));
        slots[0].empty();
    });
}
