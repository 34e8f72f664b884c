//! What other rooms are about to lend out, in one place until they do.

use crate::profile::Profile;

/// What is wrong with a log's first line, and at which of its bytes.
pub fn header_fault(profile: &Profile, line: &[u8]) -> Option<(usize, String)> {
    let header = profile.header.as_ref()?;
    let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    let at = |path: &crate::json::Pointer| value.pointer(&path.to_string()).cloned();
    let kind = profile.roles.kind.as_ref().and_then(at);
    if kind.as_ref().and_then(|kind| kind.as_str()) != Some(&header.kind) {
        return Some((0, format!("the header is missing: the first line must be of kind {}", header.kind)));
    }
    let version = at(&header.version_path);
    if version.as_ref().and_then(serde_json::Value::as_f64) != Some(header.version as f64) {
        return Some((0, format!("the header's version is not {}", header.version)));
    }
    None
}

/// The schema of the JSON report.
pub fn report_schema() -> serde_json::Value {
    serde_json::from_str(&crate::report::schema()).expect("a schema is JSON")
}

/// The schema of one line of a schema-v1 event log.
pub fn event_schema() -> serde_json::Value {
    serde_json::json!({})
}
