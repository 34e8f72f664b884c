//! What other rooms are about to lend out, in one place until they do.

/// The schema of the JSON report.
pub fn report_schema() -> serde_json::Value {
    serde_json::from_str(&crate::report::schema()).expect("a schema is JSON")
}

/// The schema of one line of a schema-v1 event log.
pub fn event_schema() -> serde_json::Value {
    serde_json::json!({})
}
