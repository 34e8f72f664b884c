//! The engine's table tells what one that keeps every call tells.

#[path = "life/table.rs"]
mod table;

use forkpoint::audit::AuditLosses;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use table::{Step, hold, steps};

/// Steps told by bytes, so that fewer and lesser bytes are simpler steps.
fn some_steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..480);
    (0..120_usize, bytes).prop_map(|(count, bytes)| {
        let mut bytes = bytes.into_iter();
        steps(count, |limit| u64::from(bytes.next().unwrap_or(0)) % limit)
    })
}

proptest! {
    #[test]
    fn the_table_tells_what_one_that_keeps_every_call_tells(steps in some_steps()) {
        hold(&steps);
    }
}

#[test]
fn such_steps_lose_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let mut lost = AuditLosses::default();
    for _ in 0..100 {
        let of = hold(&some_steps().new_tree(&mut runner).unwrap().current());
        lost.unknown_calls += of.unknown_calls;
        lost.idle_attempts += of.idle_attempts;
        lost.refused_trails += of.refused_trails;
        lost.refused_calls += of.refused_calls;
        lost.past_by_count += of.past_by_count;
        lost.past_by_bytes += of.past_by_bytes;
        lost.destroyed_by_bytes += of.destroyed_by_bytes;
    }
    let AuditLosses { unknown_calls, idle_attempts, refused_trails, refused_calls, .. } = lost;
    for (way, calls) in [unknown_calls, idle_attempts, refused_trails, refused_calls].into_iter().enumerate() {
        assert!(calls > 20, "way {way}: {lost:?}");
    }
    assert!(lost.past_by_count > 20 && lost.past_by_bytes > 20 && lost.destroyed_by_bytes > 20, "{lost:?}");
}
