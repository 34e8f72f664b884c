//! An audit is the same however its log is cut into windows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use forkpoint::audit::log::{Audit, Verdict};
use forkpoint::profile::Profile;
use forkpoint::report::audit::{AuditContext, AuditStory, json, markdown, terminal};

use crate::scenes::try_audit;

/// The report of an audit, all of it, as JSON; painting it in the other ways works too.
pub fn report(audit: &Audit, profile: &Profile) -> String {
    let context = AuditContext { path: PathBuf::from("log"), limit: usize::MAX, width: 80, ..AuditContext::default() };
    let story = AuditStory::new(audit, profile, &context);
    assert!(!terminal(&story).is_empty() && !markdown(&story).is_empty());
    json(&story)
}

/// What holds of every audit: objects are told apart, waits and those who wait agree, and what is certain is about an object.
fn is_sound(audit: &Audit) {
    let world = &audit.world;
    let mut numbers = BTreeSet::new();
    for (at, object) in world.objects.living() {
        assert!(object.number > 0 && numbers.insert(object.number), "no number of its own: {object:?}");
        let waits = |thread: &u32| world.threads[*thread as usize].wait.as_ref();
        let is_waiting = |thread| waits(thread).is_some_and(|wait| wait.objects.contains(&at));
        assert!(object.waiters.iter().all(is_waiting), "one of them does not wait: {object:?}");
    }
    for (thread, wait) in world.threads.iter().zip(0..).filter_map(|(thread, at)| Some((at, thread.wait.as_ref()?))) {
        let is_waited_for = |at: &usize| world.objects.all[*at].waiters.contains(&thread);
        assert!(wait.objects.iter().all(is_waited_for), "thread {thread} is not among those who wait: {wait:?}");
        assert!(audit.verdicts.iter().any(|verdict| verdict.thread == thread), "nothing is said of thread {thread}");
    }
    let is_about_nothing = |verdict: &&Verdict| verdict.doubts.is_empty() && verdict.objects.is_empty();
    assert_eq!(audit.verdicts.iter().find(is_about_nothing), None, "certain, of nothing");
}

/// The audit of a log; none where it begins otherwise than the profile wants. Windows of a line, of some and of all lines
/// must give one report and the same faults, and the audit must be sound.
pub fn same(log: &[u8], profile: &Profile) -> Option<Audit> {
    let whole = try_audit(log, profile, 1 << 20)?;
    is_sound(&whole);
    for window_bytes in [1, 700] {
        let audit = try_audit(log, profile, window_bytes).expect("the header is the same");
        assert_eq!(audit.faults, whole.faults, "windows of {window_bytes} bytes");
        let reports = [&audit, &whole].map(|audit| report(audit, profile));
        let differ = reports[0].lines().zip(reports[1].lines()).find(|(one, other)| one != other);
        assert!(differ.is_none() && reports[0] == reports[1], "windows of {window_bytes} bytes: {differ:?}");
    }
    Some(whole)
}
