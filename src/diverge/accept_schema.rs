//! The JSON Schema of files of accepted divergences, for editors.

use serde_json::{Value, json};

use super::accept_file::{KINDS, VERSION};

/// The JSON Schema of such a file, read as TOML. What depends on several keys together (a `position` or a `path` must be
/// said) is told by reading it.
pub fn schema() -> Value {
    let kinds: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
    let text = |about: &str| json!({ "type": "string", "description": about });
    let count = |about: &str| json!({ "type": "integer", "minimum": 0, "description": about });
    let spelled = json!({
        "type": "object",
        "properties": { "json": { "type": "string", "description": "The value as JSON." } },
        "required": ["json"],
        "additionalProperties": false
    });
    let absent = json!({
        "type": "object",
        "properties": { "absent": { "const": true } },
        "required": ["absent"],
        "additionalProperties": false
    });
    let scalar = || json!({ "type": ["integer", "string", "boolean"] });
    let value = |about: &str| json!({ "description": about, "anyOf": [scalar(), absent, spelled] });
    let thread = |about: &str| {
        let part = json!({ "type": ["integer", "string"] });
        json!({ "description": about, "anyOf": [part, { "type": "array", "items": { "anyOf": [part, spelled] } }, spelled] })
    };
    let entry = json!({
        "type": "object",
        "required": ["divergence", "reason"],
        "additionalProperties": false,
        "properties": {
            "divergence": { "enum": kinds, "description": "What is accepted, as reports call it." },
            "kind": { "description": "The kind of the event at which it is.", "anyOf": [scalar(), absent, spelled] },
            "thread": thread("The reference's thread; left out: any."),
            "generation": count("Of that thread; left out: 0."),
            "candidate_thread": thread("The candidate's thread; left out: any."),
            "candidate_generation": count("Of that thread; left out: 0."),
            "position": count("The place in the thread, as reports tell it."),
            "path": text("The field that differs, or one above it."),
            "reference": value("The field's value in the reference; the path is then the field's own."),
            "candidate": value("The field's value in the candidate."),
            "events": count("So many events are missing, extra, in another order, or before a late start."),
            "reason": text("Why this is tolerated."),
            "expires": { "type": "string", "format": "date", "description": "The last day on which it accepts; in TOML a date." },
            "link": text("Where more is told.")
        }
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "forkpoint accepted divergences",
        "type": "object",
        "required": ["version"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": VERSION, "description": "The version of this form." },
            "accept": { "type": "array", "items": entry }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diverge::accept_file;

    /// What the schema and the reader say of a file; dates are text to a schema.
    fn said(text: &str) -> (bool, bool) {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let text = format!("version = 1\n[[accept]]\nreason = \"r\"\n{text}");
        let mut value: toml::Value = toml::from_str(&text).unwrap();
        let entry = value["accept"][0].as_table_mut().unwrap();
        if let Some(date) = entry.get("expires").map(ToString::to_string) {
            entry.insert("expires".into(), toml::Value::String(date));
        }
        let value = serde_json::to_value(value).unwrap();
        (validator.is_valid(&value), accept_file::read(&text, "a.toml").is_ok())
    }

    #[test]
    fn what_can_be_read_fits_the_schema_and_unknown_keys_do_not() {
        for text in [
            "divergence = \"value\"\nposition = 3\nkind = \"k\"",
            "divergence = \"value\"\npath = \"payload.x\"\nreference = 1\ncandidate = { absent = true }",
            "divergence = \"value\"\npath = \"payload.x\"\nreference = { json = \"1.50\" }\nthread = [3, \"a\"]",
            "divergence = \"missing\"\nevents = 2\nposition = 0\nthread = \"worker\"\ngeneration = 1",
            "divergence = \"unmatched\"\ncandidate_thread = { json = \"18446744073709551616\" }\nlink = \"https://x\"",
            "divergence = \"kind\"\nposition = 1\nexpires = 2027-01-31",
        ] {
            assert_eq!(said(text), (true, true), "{text}");
        }
        for text in [
            "divergence = \"valu\"\nposition = 3",
            "divergence = \"value\"\nposition = -3",
            "divergence = \"value\"\nposition = 3\ncolour = 1",
            "divergence = \"value\"\npath = \"x\"\nreference = { jsn = \"1\" }",
            "position = 3",
        ] {
            assert_eq!(said(text), (false, false), "{text}");
        }
    }
}
