//! The JSON Schema of the JSON report (`forkpoint generate schema`).

use serde_json::{Value, json};

use super::json::SCHEMA_NAME;

/// The schema as a document, draft 2020-12, two-space indent, a newline at its end.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&document()).expect("a value is always JSON");
    text.push('\n');
    text
}

fn document() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "forkpoint.diff-1.schema.json",
        "title": "forkpoint diff report",
        "description": "Readers ignore keys, kinds and statuses they do not know. Under --first, if anything diverges, pairings holds only the first divergence, whole-log counts and coverage are null, and faults, notes and trouble tell nothing that stands behind its two lines.",
        "type": "object",
        "required": ["schema", "verdict", "profile", "validated", "reference", "candidate", "first", "pairings", "coverage", "faults"],
        "properties": {
            "schema": { "const": SCHEMA_NAME },
            "verdict": { "enum": ["identical", "diverged", "inconclusive", "trouble"] },
            "profile": { "type": "string" },
            "validated": { "enum": ["opened", "full"] },
            "reference": { "$ref": "#/$defs/log" },
            "candidate": { "$ref": "#/$defs/log" },
            "first": nullable(count("Index into pairings of the first divergence; 0 under --first.")),
            "lead": nullable(count("Index into pairings of the divergence to look at first: the first one, or what that may follow from; null under --first.")),
            "causes": nullable(causes()),
            "pairings": { "type": "array", "items": { "$ref": "#/$defs/pairing" } },
            "coverage": nullable(reference("coverage")),
            "faults": { "type": "array", "items": { "$ref": "#/$defs/fault" } },
            "faults_total": count("Malformed lines met; at most 100 are listed."),
            "trouble": { "type": "array", "items": { "type": "string" }, "description": "What failed beside malformed lines." },
            "notes": { "type": "array", "items": object(&["path", "text"], json!({ "path": { "type": "string" }, "text": { "type": "string" } })) },
            "header_differences": { "type": "array", "items": { "$ref": "#/$defs/difference" } },
            "message": { "type": "string", "description": "The verdict in one line, for people." },
            "accepted": nullable(accepted()),
            "rule_flags": nullable(json!({
                "type": "array",
                "description": "Rules that look wrong: unused ones (from a file or flag) overlooked nothing though pairs differ in bytes, broad ones hid differences in more than half of all compared pairs. They change no verdict; null under --first.",
                "items": object(&["rule", "flag", "overlooked"], json!({
                    "rule": { "type": "string" },
                    "flag": words(&["unused", "broad"]),
                    "overlooked": count("Pairs in which it overlooked a difference.")
                }))
            })),
            "origin": nullable(origin()),
            "checkpoint": nullable(checkpoint()),
            "state": {
                "type": "object",
                "description": "With --state: what must be equal of the states in which the runs began, as in forkpoint.state/1.",
                "required": ["reference", "candidate", "stop", "invariants"]
            },
            "snapshots": {
                "type": "object",
                "description": "With --snapshots: the nearest snapshots of both runs, taken at one moment before the first divergence.",
                "required": ["taken", "reference", "candidate", "command"]
            }
        },
        "$defs": definitions()
    })
}

fn origin() -> Value {
    let mentioned = object(
        &["value", "line", "offset", "tid", "generation", "position", "ordinal", "text"],
        json!({
            "value": { "description": "The side's value of the field, as in differences." },
            "line": count("Physical line, from 1."),
            "offset": count("Byte offset of the line, from 0."),
            "tid": { "$ref": "#/$defs/tid" },
            "generation": count("From 0."),
            "position": nullable(count("Place in the lane, from 0; null where rules take events out.")),
            "ordinal": { "type": ["integer", "null"], "minimum": 0 },
            "text": { "type": "string", "description": "The line as it stands in the log." },
            "cut_bytes": { "type": "integer", "minimum": 1, "description": "Bytes of the line beyond text." }
        }),
    );
    let mut origin = object(
        &["path", "reference", "candidate", "paired", "agreed", "searched_bytes", "why_not"],
        json!({
            "path": { "type": "string", "description": "The differing field whose values were looked for." },
            "reference": nullable(mentioned.clone()),
            "candidate": nullable(mentioned),
            "paired": { "type": ["boolean", "null"], "description": "The two events were held against each other; null where that is not known." },
            "agreed": { "type": ["boolean", "null"], "description": "And agreed." },
            "searched_bytes": { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 2, "maxItems": 2, "description": "Bytes of each log, from the divergence back, that were searched." },
            "why_not": { "type": ["string", "null"], "description": "Why a value was not looked for." }
        }),
    );
    origin["description"] = json!(
        "The last event of each log, before the first divergence, that mentions the value of the first differing field worth looking for. Null where no value differs, and under --origin-limit 0; streams are not searched."
    );
    origin
}

fn checkpoint() -> Value {
    let place = object(
        &["line", "offset", "position", "ordinal"],
        json!({
            "line": count("Physical line, from 1."),
            "offset": count("Byte offset of the line, from 0."),
            "position": nullable(count("Place in the lane, from 0; null where rules take events out.")),
            "ordinal": { "type": ["integer", "null"], "minimum": 0 }
        }),
    );
    let both = object(&["reference", "candidate"], json!({ "reference": place.clone(), "candidate": place }));
    let mut checkpoint = object(
        &["good", "bad", "events_between", "unexplained", "record_next", "why_not"],
        json!({
            "good": nullable(both.clone()),
            "bad": both,
            "events_between": nullable(count("Events of the thread between the two.")),
            "unexplained": { "type": "boolean", "description": "None of them differs; else one of them is the first divergence." },
            "record_next": { "type": "array", "items": { "type": "string" }, "description": "The checkpoint's fields that differ." },
            "why_not": { "type": ["string", "null"], "description": "Why no earlier checkpoint is told." }
        }),
    );
    checkpoint["description"] = json!(
        "The checkpoints of the first divergence's thread between which the state parted: the last at which both sides agree, and the first at which they differ. Null where the profile names none, or none differs."
    );
    checkpoint
}

fn accepted() -> Value {
    let entry = object(
        &["place", "divergence", "accepted", "flag", "reason"],
        json!({
            "place": { "type": "string", "description": "Where it stands, as FILE:LINE." },
            "divergence": words(&["value", "kind", "ordinal", "missing", "extra", "ended-early", "unmatched"]),
            "accepted": count("Divergences that it accepted, alone or with others."),
            "flag": { "type": ["string", "null"], "examples": ["unused", "expired", null] },
            "reason": { "type": "string" },
            "expires": { "type": "string", "description": "The last day on which it accepts." },
            "link": { "type": "string" }
        }),
    );
    let mut accepted = object(
        &["total", "entries"],
        json!({
            "total": count("Divergences that were accepted."),
            "entries": { "type": "array", "items": entry }
        }),
    );
    accepted["description"] = json!("What --accept told to accept, and what became of it; null under --first.");
    accepted
}

fn causes() -> Value {
    let mut causes = object(
        &["rules", "looked", "events", "cut"],
        json!({
            "rules": { "type": "boolean", "description": "The profile says by which events one thread makes another go on." },
            "looked": { "type": "array", "items": words(&["reference", "candidate"]), "description": "Logs that could be looked through again." },
            "events": count("Such events met between the divergences."),
            "cut": { "type": "boolean", "description": "More lies between the divergences than is looked through." }
        }),
    );
    causes["description"] =
        json!("How far causes were looked for; null where fewer than two threads part, and under --first.");
    causes
}

fn definitions() -> Value {
    json!({
        "log": object(&["path", "label", "bytes", "events", "threads", "lines_skipped", "cut"], json!({
            "path": { "type": "string" },
            "label": { "type": "string" },
            "bytes": nullable(count("Decompressed bytes read; null under --first.")),
            "events": nullable(count("Events read; null under --first.")),
            "threads": nullable(count("Distinct thread keys; null under --first.")),
            "lines_skipped": nullable(count("Malformed lines stepped over; null under --first.")),
            "cut": { "type": ["boolean", "null"], "description": "This log ends before the other; null under --first." }
        })),
        "lane": object(&["tid", "generation", "events"], json!({
            "tid": { "$ref": "#/$defs/tid" },
            "generation": count("From 0."),
            "events": nullable(count("Events of this lane; null under --first."))
        })),
        "tid": {
            "description": "In its own JSON type; an array for a composite key, null where the profile names no thread.",
            "anyOf": [
                { "type": ["integer", "number", "string", "null"] },
                { "type": "array", "items": { "type": ["integer", "number", "string", "null"] } }
            ]
        },
        "pairing": pairing(),
        "divergence": divergence(),
        "event": object(&["line", "offset", "ordinal", "text"], json!({
            "line": count("Physical line, from 1."),
            "offset": count("Byte offset of the line, decompressed, from 0."),
            "ordinal": { "type": ["integer", "null"], "minimum": 0 },
            "joined": { "type": "integer", "minimum": 2, "description": "A rule made it of so many events of the log; line, offset and ordinal are those of the last of them." },
            "text": { "type": "string", "description": "The line as it stands in the log, or as a rule joined it." },
            "lossy": { "const": true, "description": "The line is no UTF-8; broken bytes stand as U+FFFD." },
            "cut_bytes": { "type": "integer", "minimum": 1, "description": "Bytes of the line beyond text." },
            "event": { "type": "object", "description": "The parsed line; only where it is strict JSON without duplicate keys." }
        })),
        "difference": object(&["path"], json!({
            "path": { "type": "string", "description": "A JSON Pointer from the line's own object." },
            "reference": { "description": "The value; left out where absent. NaN and infinities are {\"token\": \"NaN\"}, long ones {\"cut\": ..., \"cut_bytes\": n}." },
            "candidate": {},
            "bit": count("Both are integers and differ in this bit alone, from 0, the lowest."),
            "objects": object(&["reference", "candidate"], json!({
                "reference": { "$ref": "#/$defs/object" },
                "candidate": { "$ref": "#/$defs/object" }
            }))
        })),
        "object": json!({ "oneOf": [ { "type": "null" }, object(&["rule", "tid", "generation", "number", "offset"], json!({
            "rule": { "type": "string", "description": "The identity rule that defined it." },
            "tid": { "description": "The thread that defined it; null where logs have no threads." },
            "generation": count("That thread's generation, from 0."),
            "number": count("How many objects of the rule the thread had defined before."),
            "offset": count("How far into the object the value points.")
        })) ] }),
        "coverage": coverage(),
        "fault": object(&["path", "line", "offset", "reason"], json!({
            "path": { "type": "string" },
            "line": count("Physical line, from 1."),
            "offset": count("Byte offset, decompressed, from 0."),
            "reason": { "type": "string" }
        }))
    })
}

fn pairing() -> Value {
    object(
        &["reference", "candidate", "matched_by", "ambiguous", "evidence", "status", "compared", "divergence"],
        json!({
            "reference": nullable(reference("lane")),
            "candidate": nullable(reference("lane")),
            "matched_by": words(&["first-call", "prefix", "order", "likeness", "only", "same", "given", "none"]),
            "ambiguous": { "type": "boolean" },
            "evidence": nullable(object(&["common", "of", "runner_up"], json!({
                "common": count("Equal events from the start; under likeness, wherever they stand."),
                "of": count("Events of the opening."),
                "runner_up": nullable(count("Equal events with the best other lane."))
            }))),
            "status": words(&["identical", "diverged", "unmatched", "faulty", "not-compared"]),
            "compared": count("Equal pairs before the divergence or the end, accepted ones among them."),
            "divergence": nullable(reference("divergence")),
            "accepted": count("Divergences before that one, or before the end, that were accepted."),
            "late_start": nullable(object(&["side", "events"], json!({
                "side": words(&["reference", "candidate"]),
                "events": count("Events of the other side before it began.")
            }))),
            "further": {
                "type": "array",
                "items": { "$ref": "#/$defs/divergence" },
                "description": "What parts behind the divergence, as far as --continue asked for it."
            },
            "pool": nullable(pool())
        }),
    )
}

fn pool() -> Value {
    let mut pool = object(
        &["group", "members"],
        json!({
            "group": count("Which pool of the run, from 0."),
            "members": count("Pairings that belong to it.")
        }),
    );
    pool["description"] = json!(
        "The threads look like a pool of equal workers whose work is distributed differently, or are paired wrongly: what differs in them may be scheduling. Null elsewhere, and under --first."
    );
    pool
}

fn coverage() -> Value {
    object(
        &["events_compared", "equal_by_bytes", "read", "unverified", "skipped_nondeterministic", "overlooked"],
        json!({
            "events_compared": count("Pairs weighed."),
            "equal_by_bytes": count("Pairs whose bytes were equal."),
            "read": count("Pairs read wholly."),
            "unverified": count("Events stepped over."),
            "skipped_nondeterministic": count("Pairs of which only kind and ordinal were compared."),
            "overlooked": {
                "type": "object",
                "description": "For each rule the pairs in which it overlooked a difference.",
                "additionalProperties": { "type": "integer", "minimum": 0 }
            },
            "differed_in_bytes": count("Pairs whose compared parts are not the same bytes."),
            "taken_out": {
                "type": "object",
                "description": "For each rule that drops, folds or joins events, how many of each log it took out.",
                "additionalProperties": object(&["reference", "candidate"], json!({
                    "reference": count("Events of the reference."),
                    "candidate": count("Events of the candidate.")
                }))
            }
        }),
    )
}

fn divergence() -> Value {
    let events = json!({ "type": "array", "items": { "$ref": "#/$defs/event" }, "maxItems": 3 });
    let few = json!({ "type": "array", "items": { "$ref": "#/$defs/event" }, "maxItems": 8 });
    let pair = json!({ "reference": { "$ref": "#/$defs/event" }, "candidate": { "$ref": "#/$defs/event" } });
    object(
        &[
            "position",
            "kind",
            "rank",
            "after_fault",
            "reference",
            "candidate",
            "differences",
            "differences_total",
            "resync",
            "before",
            "after",
        ],
        json!({
            "position": count("Place in the lane, from 0."),
            "kind": words(&["value", "kind", "ordinal", "missing", "extra", "reordered", "ended-early", "started-late", "unmatched"]),
            "rank": count("1 for the first divergence of the run."),
            "after_fault": { "type": "boolean" },
            "reference": nullable(reference("event")),
            "candidate": nullable(reference("event")),
            "differences": { "type": "array", "items": { "$ref": "#/$defs/difference" }, "maxItems": 64 },
            "differences_total": count("Differing places, also those not listed."),
            "resync": nullable(object(&["after_reference", "after_candidate", "equal_run", "ordinal_shift"], json!({
                "after_reference": count("Events to pass over on the reference."),
                "after_candidate": count("Events to pass over on the candidate."),
                "equal_run": count("Equal events seen from there."),
                "ordinal_shift": { "type": ["integer", "null"] }
            }))),
            "before": { "type": "array", "items": object(&["reference", "candidate"], pair), "maxItems": 5 },
            "after": object(&["reference", "candidate"], json!({ "reference": events, "candidate": events })),
            "overlooked": { "type": "array", "items": { "type": "string" }, "description": "Rules that overlooked a difference in this pair." },
            "reordered": nullable(object(&["order", "reference", "candidate"], json!({
                "order": {
                    "type": "array",
                    "items": { "type": "integer", "minimum": 0 },
                    "description": "For each of the candidate's events, from the divergence on, which of the reference's it equals."
                },
                "reference": few,
                "candidate": few
            }))),
            "healed_after": nullable(count("So many events on, at most, the last difference of the two threads lies: behind that they are equal to their ends. Null if they are not, and under --first.")),
            "follows": nullable(object(&["pairing", "edge", "side", "cause_line", "effect_line", "about"], json!({
                "pairing": count("Index into pairings: the divergence that this one may follow from."),
                "edge": { "type": "string", "description": "The profile's rule by which it does." },
                "side": words(&["reference", "candidate"]),
                "cause_line": count("Physical line, in that side's log, of the event that makes this thread go on."),
                "effect_line": count("Physical line of the event of this thread that follows from it."),
                "about": { "description": "What both are about." }
            })))
        }),
    )
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn nullable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// Words known today; later versions may add some, so the schema does not refuse others.
fn words(known: &[&str]) -> Value {
    json!({ "type": "string", "examples": known })
}
