//! An audit is the same however its log is cut into windows.

use std::path::PathBuf;

use forkpoint::audit::log::Audit;
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

/// The audit of a log; none where it begins otherwise than the profile wants. Windows of a line, of some and of all lines
/// must give one report and the same faults.
pub fn same(log: &[u8], profile: &Profile) -> Option<Audit> {
    let whole = try_audit(log, profile, 1 << 20)?;
    for window_bytes in [1, 700] {
        let audit = try_audit(log, profile, window_bytes).expect("the header is the same");
        assert_eq!(audit.faults, whole.faults, "windows of {window_bytes} bytes");
        let reports = [&audit, &whole].map(|audit| report(audit, profile));
        let differ = reports[0].lines().zip(reports[1].lines()).find(|(one, other)| one != other);
        assert!(differ.is_none() && reports[0] == reports[1], "windows of {window_bytes} bytes: {differ:?}");
    }
    Some(whole)
}
