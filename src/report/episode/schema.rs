//! The JSON Schemas of episodes told (`forkpoint generate schema episode`, `episode-list`, `episode-diff`).

use serde_json::{Value, json};

use super::{diff, list, show};

fn text() -> Value {
    json!({ "type": "string" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn number() -> Value {
    json!({ "type": "number" })
}

fn truth() -> Value {
    json!({ "type": "boolean" })
}

fn or_null(of: &str) -> Value {
    json!({ "type": [of, "null"] })
}

fn list_of(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An object that has all of these members.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(|members| members.keys()).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn standing() -> Value {
    json!({ "enum": ["complete", "degraded", "unfinished", "running"] })
}

fn document(id: &str, title: &str, properties: Value) -> Value {
    let mut schema = object(properties);
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$id".to_owned(), json!(format!("forkpoint.{id}-1.schema.json")));
        members.insert("title".to_owned(), json!(title));
        members.insert("description".to_owned(), json!("Readers ignore keys and words they do not know."));
    }
    schema
}

/// Members that sum values up.
fn summed_up() -> Value {
    json!({ "count": count(), "min": number(), "lower_quarter": number(), "median": number(), "upper_quarter": number(), "max": number() })
}

fn with(base: Value, more: Value) -> Value {
    let mut members = serde_json::Map::new();
    for part in [base, more] {
        members.extend(part.as_object().cloned().unwrap_or_default());
    }
    Value::Object(members)
}

fn metric() -> Value {
    json!({ "source": text(), "metric": text(), "unit": text() })
}

/// One episode.
pub fn schema_of_episode() -> Value {
    let measured = object(with(with(metric(), summed_up()), json!({ "whole": number() })));
    document(
        "episode",
        "forkpoint episode show report",
        json!({
            "schema": { "const": show::SCHEMA_NAME },
            "standing": standing(),
            "path": text(), "id": text(), "duration_s": number(),
            "meta": { "type": ["object", "null"], "description": "meta.json as it stands; null where there is none." },
            "phases": list_of(object(json!({
                "phase": text(), "start_ns": count(), "seconds": number(), "times": count(), "cut": truth(), "metrics": list_of(measured)
            }))),
            "files": list_of(object(json!({ "file": text(), "exists": truth(), "rows": count(), "torn": truth(), "damaged": count() }))),
            "events": list_of(object(json!({ "t_mono_ns": count(), "event": text(), "fields": { "type": "object", "additionalProperties": text() } }))),
            "events_total": count(),
            "notes": list_of(text()), "faults": list_of(text()), "faults_total": count(), "message": text()
        }),
    )
}

/// Many episodes.
pub fn schema_of_list() -> Value {
    document(
        "episodes",
        "forkpoint episode list report",
        json!({
            "schema": { "const": list::SCHEMA_NAME },
            "folder": text(),
            "episodes": list_of(object(json!({
                "id": text(), "path": text(), "standing": standing(), "started_at_wall": or_null("string"), "duration_s": or_null("number"),
                "phases": list_of(text()), "of": or_null("string"), "reasons": list_of(text()), "faults": list_of(text())
            }))),
            "others": list_of(text())
        }),
    )
}

/// Runs against runs.
pub fn schema_of_diff() -> Value {
    let run = object(json!({ "path": text(), "id": text(), "standing": standing(), "duration_s": number() }));
    let side = object(with(json!({ "runs": count(), "of": { "enum": ["parts", "runs"] } }), summed_up()));
    let change = object(with(
        metric(),
        json!({
            "phase": text(), "reference": side, "candidate": side, "change": or_null("number"), "changed": truth(),
            "rule": { "enum": ["runs", "parts", "threshold"] }
        }),
    ));
    document(
        "episode-diff",
        "forkpoint episode diff report",
        json!({
            "schema": { "const": diff::SCHEMA_NAME },
            "verdict": { "enum": ["identical", "diverged", "inconclusive", "trouble"] },
            "threshold": number(),
            "reference": list_of(run.clone()), "candidate": list_of(run),
            "phases": list_of(object(json!({ "phase": text(), "reference_runs": count(), "candidate_runs": count() }))),
            "changed": count(),
            "metrics": list_of(change),
            "one_sided": list_of(object(with(metric(), json!({ "phase": text(), "only": { "enum": ["reference", "candidate"] } })))),
            "logs": list_of(object(json!({
                "file": text(), "reference": text(), "candidate": text(), "same": truth(), "same_as_reference": or_null("integer"),
                "compared": count(), "divergence": { "type": ["object", "null"], "description": "As in forkpoint.diff/1." }, "command": text()
            }))),
            "notes": list_of(text()), "faults": list_of(text()), "message": text()
        }),
    )
}
