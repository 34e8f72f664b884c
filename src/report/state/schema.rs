//! The JSON Schema of a comparison of state folders (`forkpoint generate schema state`).

use serde_json::{Value, json};

use super::json::SCHEMA_NAME;
use crate::state::{Class, Kind};

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    let or_null = |of: &str| json!({ "type": [of, "null"] });
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    let list = |of: Value| json!({ "type": "array", "items": of });
    let statuses =
        ["identical", "equal", "diverged", "missing-in-reference", "missing-in-candidate", "absent", "faulty"];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "forkpoint.state-1.schema.json",
        "title": "forkpoint state report",
        "description": "Readers ignore keys, kinds and statuses they do not know.",
        "type": "object",
        "required": ["schema", "verdict", "profile", "reference", "candidate", "stop", "invariants", "files", "divergences", "memory", "faults"],
        "properties": {
            "schema": { "const": SCHEMA_NAME },
            "verdict": { "enum": ["identical", "diverged", "inconclusive", "trouble"] },
            "profile": text,
            "reference": object(&["path"], json!({ "path": text })),
            "candidate": object(&["path"], json!({ "path": text })),
            "stop": { "type": "boolean", "description": "An invariant does not hold." },
            "invariants": list(object(&["name", "reference", "candidate", "result"], json!({
                "name": text, "reference": or_null("string"), "candidate": or_null("string"),
                "result": { "enum": ["pass", "fail", "unknown", "info"] }
            }))),
            "files": list(object(&["file", "status", "counts"], json!({
                "file": text, "status": { "enum": statuses },
                "counts": { "type": "object", "propertyNames": { "enum": Class::ALL.map(Class::name) }, "additionalProperties": count },
                "skipped": list(object(&["entry", "reference", "candidate", "hidden", "first", "refused"], json!({
                    "entry": text, "reference": { "type": "boolean" }, "candidate": { "type": "boolean" }, "hidden": count,
                    "first": or_null("string"), "refused": or_null("string")
                })))
            }))),
            "divergences": list(object(&["file", "path", "kind", "class", "reference", "candidate"], json!({
                "file": text, "path": text, "kind": { "enum": Kind::ALL.map(Kind::name) }, "class": { "enum": Class::ALL.map(Class::name) },
                "reference": true, "candidate": true, "informational": { "const": true }
            }))),
            "divergences_total": count,
            "memory": list(object(&["image", "address", "length", "owner", "import_patch"], json!({
                "image": text, "address": count, "length": count, "owner": or_null("string"), "import_patch": { "type": "boolean" },
                "reference": { "type": "string", "description": "The first bytes, in hex." }, "candidate": text
            }))),
            "memory_total": count,
            "memory_bytes": count,
            "remarks": texts,
            "faults": texts,
            "message": text
        }
    })
}
