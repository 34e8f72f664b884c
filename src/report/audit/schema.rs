//! The JSON Schemas of audits' JSON (`forkpoint generate schema audit`, `… audit-both`).

use serde_json::{Value, json};

use super::both::SCHEMA_NAME as BOTH_NAME;
use super::json::SCHEMA_NAME;

/// The schema of one log's audit, draft 2020-12, two-space indent, a newline at its end.
pub fn schema() -> String {
    pretty(&document())
}

/// The schema of an audit of two logs.
pub fn schema_of_both() -> String {
    pretty(&both())
}

fn pretty(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("a value is always JSON");
    text.push('\n');
    text
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": { "$ref": format!("#/$defs/{of}") } })
}

fn nullable(of: &str) -> Value {
    json!({ "anyOf": [{ "$ref": format!("#/$defs/{of}") }, { "type": "null" }] })
}

fn document() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "forkpoint.audit-1.schema.json",
        "title": "forkpoint audit report",
        "description": "Readers ignore keys, steps and reasons they do not know.",
        "type": "object",
        "required": ["schema", "verdict", "profile", "log", "waiting", "seen", "objects"],
        "properties": {
            "schema": { "const": SCHEMA_NAME },
            "verdict": { "enum": ["clear", "possible", "certain"] },
            "profile": text,
            "log": object(&["path", "events", "lines", "threads", "lines_skipped", "torn"], json!({
                "path": text, "events": count, "lines": count, "threads": count, "lines_skipped": count, "torn": { "type": "boolean" }
            })),
            "waiting": list("waiting"),
            "seen": { "type": "array", "items": object(&["rule", "step", "count", "functions"], json!({
                "rule": text, "step": text, "count": count,
                "functions": { "type": "array", "items": object(&["name", "count"], json!({ "name": text, "count": count })) }
            })) },
            "unexplained": { "type": "array", "description": "Waits that ended with an object that nothing in the log had signalled.", "items": object(&["type", "count", "first"], json!({
                "type": text, "count": count, "first": { "$ref": "#/$defs/moment" }
            })) },
            "created": count,
            "destroyed": count,
            "objects": list("object"),
            "objects_total": count,
            "message": text
        },
        "$defs": defs()
    })
}

/// What both forms are made of.
fn defs() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    json!({
        "thread": object(&["tid", "generation"], json!({ "tid": {}, "generation": count })),
        "moment": object(&["line", "offset", "thread", "position", "source", "time"], json!({
            "line": count, "offset": count, "thread": { "$ref": "#/$defs/thread" }, "position": count, "source": text,
            "time": { "type": ["integer", "null"] }
        })),
        "waiting": object(&["thread", "since", "objects", "names", "all", "reason", "certain", "doubts", "signal", "by", "cycle"], json!({
            "thread": { "$ref": "#/$defs/thread" },
            "since": { "$ref": "#/$defs/moment" },
            "lines_since": count,
            "objects": { "type": "array", "items": count, "description": "By their numbers; the first is the one that the reason is about." },
            "names": { "type": "array", "items": text },
            "all": { "type": "boolean" },
            "reason": text,
            "certain": { "type": "boolean" },
            "doubts": { "type": "array", "items": text },
            "signal": nullable("moment"),
            "by": nullable("moment"),
            "cycle": { "anyOf": [list("thread"), { "type": "null" }] },
            "message": text
        })),
        "object": object(&["number", "names", "type", "created", "destroyed", "signals", "waits", "wakes", "dropped", "steps"], json!({
            "number": count,
            "names": { "type": "array", "items": text },
            "type": text,
            "created": nullable("moment"),
            "destroyed": nullable("moment"),
            "signals": count, "waits": count, "wakes": count, "dropped": count,
            "signalled": { "type": "boolean" },
            "owner": nullable("thread"),
            "waiting": list("thread"),
            "steps": { "type": "array", "items": object(&["step", "at"], json!({ "step": text, "at": { "$ref": "#/$defs/moment" } })) }
        }))
    })
}

fn both() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    let of_both = |of: &Value| object(&["reference", "candidate"], json!({ "reference": of, "candidate": of }));
    let log = object(
        &["path", "events", "lines", "threads", "created", "destroyed", "lines_skipped", "torn"],
        json!({
            "path": text, "events": count, "lines": count, "threads": count, "created": count, "destroyed": count,
            "lines_skipped": count, "torn": { "type": "boolean" }
        }),
    );
    let threads = of_both(&nullable("thread"));
    let deed = object(
        &["step", "detail", "at"],
        json!({ "step": text, "detail": { "type": "integer" }, "at": { "$ref": "#/$defs/moment" } }),
    );
    let deed_or_null = json!({ "anyOf": [deed, { "type": "null" }] });
    let partner = object(
        &["tid", "generation", "events", "last_line", "ended"],
        json!({ "tid": {}, "generation": count, "events": count, "last_line": count, "ended": { "type": "boolean" } }),
    );
    let missing = object(
        &["threads", "signal", "partner", "does", "waits"],
        json!({ "threads": threads, "signal": deed, "does": { "enum": ["absent", "goes-on", "waits", "ends", "stops"] }, "partner": { "anyOf": [partner, { "type": "null" }] }, "waits": nullable("waiting") }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "forkpoint.audit-both-1.schema.json",
        "title": "forkpoint audit report of two logs",
        "description": "Readers ignore keys, steps and reasons they do not know.",
        "type": "object",
        "required": ["schema", "verdict", "profile", "reference", "candidate", "pairs", "alone", "waiting", "waiting_alike", "objects", "parted", "parted_total"],
        "properties": {
            "schema": { "const": BOTH_NAME },
            "verdict": { "enum": ["same", "differ", "inconclusive"] },
            "profile": text,
            "reference": log,
            "candidate": log,
            "pairs": count,
            "alone": count,
            "waiting": { "type": "array", "items": object(&["side", "threads", "wait", "instead", "has_partner", "missing"], json!({
                "side": { "enum": ["reference", "candidate"] },
                "threads": { "anyOf": [threads, { "type": "null" }] },
                "wait": { "$ref": "#/$defs/waiting" },
                "instead": nullable("waiting"),
                "has_partner": { "type": "boolean" },
                "missing": { "type": "array", "description": "Signals that only the other log has.", "items": missing },
                "message": text
            })) },
            "waiting_alike": count,
            "objects": count,
            "paired_by": { "enum": ["name", "order"] },
            "parted": { "type": "array", "items": object(&["names", "partings", "reference", "candidate"], json!({
                "names": of_both(&json!({ "type": ["string", "null"] })),
                "partings": { "type": "array", "items": object(&["threads", "pool", "reference", "candidate"], json!({
                    "threads": threads, "pool": { "type": "boolean" }, "reference": deed_or_null, "candidate": deed_or_null
                })) },
                "reference": nullable("object"),
                "candidate": nullable("object"),
                "message": text
            })) },
            "parted_total": count,
            "message": text
        },
        "$defs": defs()
    })
}
