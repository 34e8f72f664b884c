//! `docs/schema-v1.md` and its JSON Schema: every sample line is valid, and so are the logs that
//! this repository keeps and makes.

use serde_json::{Value, json};

// Not everything the example offers is used here.
#[allow(dead_code, unused_imports)]
#[path = "../examples/generate/mod.rs"]
mod generate;

const SCHEMA: &str = include_str!("../src/profile/builtin/event.schema.json");
const DOCUMENT: &str = include_str!("../docs/schema-v1.md");

struct Schema {
    event: jsonschema::Validator,
    header: jsonschema::Validator,
}

impl Schema {
    fn new() -> Self {
        let event: Value = serde_json::from_str(SCHEMA).expect("JSON");
        jsonschema::meta::validate(&event).expect("a JSON Schema");
        let header = json!({ "$schema": event["$schema"], "$defs": event["$defs"], "$ref": "#/$defs/header" });
        let validator = |schema| jsonschema::validator_for(schema).expect("a JSON Schema");
        Self { event: validator(&event), header: validator(&header) }
    }

    fn check(&self, line: &str) {
        let value: Value = serde_json::from_str(line).expect(line);
        let schema = if value["kind"] == "schema_version" { &self.header } else { &self.event };
        if let Err(error) = schema.validate(&value) {
            panic!("{line}\n{error}");
        }
    }
}

/// The lines of all blocks fenced as jsonl.
fn samples() -> Vec<&'static str> {
    let blocks = DOCUMENT.split("```jsonl\n").skip(1).filter_map(|block| block.split("```").next());
    blocks.flat_map(str::lines).collect()
}

#[test]
fn every_sample_is_valid() {
    let schema = Schema::new();
    let samples = samples();
    samples.iter().for_each(|line| schema.check(line));
    let kinds = ["kernel.call", "kernel.return", "import.call", "handle.create", "handle.destroy", "thread.create"];
    for kind in kinds.iter().chain(&["thread.exit", "wait.begin", "wait.end", "schema_version"]) {
        assert!(samples.iter().any(|line| line.contains(&format!("\"kind\":\"{kind}\""))), "no sample of {kind}");
    }
}

#[test]
fn the_demo_is_valid() {
    let schema = Schema::new();
    for log in [include_str!("../corpus/demo/reference.jsonl"), include_str!("../corpus/demo/candidate.jsonl")] {
        log.lines().for_each(|line| schema.check(line));
    }
}

#[test]
fn generated_logs_are_valid() {
    let schema = Schema::new();
    for line in [generate::LineLength::Short, generate::LineLength::Normal, generate::LineLength::Long] {
        let options = generate::Options { line, size: generate::Size::Events(1_000), noise: 0.5, ..Default::default() };
        let pair = generate::Pair::new(options).expect("a plan");
        for side in [generate::lane::Side::Reference, generate::lane::Side::Candidate] {
            let mut log = Vec::new();
            pair.replay(side, |piece| {
                log.extend_from_slice(piece);
                Ok(())
            })
            .expect("no write fails");
            std::str::from_utf8(&log).expect("UTF-8").lines().for_each(|line| schema.check(line));
        }
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let schema = Schema::new().event;
    let event = json!({ "kind": "kernel.call", "tid": 6, "tid_event_idx": 0, "payload": { "name": "NtClose" } });
    assert!(schema.is_valid(&event));
    for (key, value) in [
        ("kind", json!(7)),
        ("kind", json!("schema_version")),
        ("tid", json!(null)),
        ("tid", json!([6])),
        ("tid", json!(6.5)),
        ("tid_event_idx", json!(-1)),
        ("tid_event_idx", json!("0")),
        ("payload", json!(null)),
        ("payload", json!({ "args": {} })),
        ("deterministic", json!("yes")),
    ] {
        let mut wrong = event.clone();
        wrong[key] = value;
        assert!(!schema.is_valid(&wrong), "{wrong}");
    }
    for key in ["kind", "tid", "tid_event_idx", "payload"] {
        let mut wrong = event.clone();
        wrong.as_object_mut().expect("an object").remove(key);
        assert!(!schema.is_valid(&wrong), "{wrong}");
    }
}
