//! The report for programs (BEHAVIOUR 6): RFC 8259 whatever the logs hold, byte-stable.

use super::accepted;
use super::bits;
use super::context::{ReportContext, Validated};
use super::doc::{Doc, quoted_wtf8, whole_characters};
use super::meaning;
use super::origin;
use super::rule_flags::{RuleFlag, rule_flags};
use super::story::{Story, kind_word, matched_word};
use super::tree::{loose, strict};
use super::verdict::facts;
use crate::diverge::{CauseFacts, Coverage, Difference, Divergence, EventCopy, LaneFacts, Outcome, Pairing, Status};
use crate::profile::Profile;
use crate::scan::ThreadKey;
use crate::source::{Keep, Side, SourceError};

/// The version of the wire form.
pub(crate) const SCHEMA_NAME: &str = "forkpoint.diff/1";

/// Longer values of fields are cut.
const VALUE_BYTES_MAX: usize = 16 * 1024;

/// Paints the JSON report, a newline at its end.
///
/// # Errors
/// A kept text cannot be read back.
pub fn json(outcome: &Outcome, keep: &Keep, profile: &Profile, context: &ReportContext) -> Result<String, SourceError> {
    let story = &Story::new(outcome, keep, profile, context);
    let mut out = String::from("{");
    let field = |out: &mut String, key: &str, value: Doc| {
        out.push_str(if out.len() > 1 { ",\n  \"" } else { "\n  \"" });
        out.push_str(key);
        out.push_str("\": ");
        value.write_pretty(out, 1);
    };
    field(&mut out, "schema", Doc::text(SCHEMA_NAME));
    field(&mut out, "verdict", Doc::text(story.verdict.word()));
    field(&mut out, "profile", Doc::text(&story.profile.name));
    field(&mut out, "validated", Doc::text(if context.validated == Validated::Full { "full" } else { "opened" }));
    field(&mut out, "reference", log(story, Side::Reference));
    field(&mut out, "candidate", log(story, Side::Candidate));
    field(&mut out, "first", Doc::or_null(outcome.first.map(Doc::number)));
    field(&mut out, "lead", Doc::or_null(outcome.lead.map(Doc::number)));
    field(&mut out, "causes", Doc::or_null(outcome.causes.map(causes)));
    // One pairing at a time: with thousands of lanes the tree would be several times the text.
    out.push_str(",\n  \"pairings\": [");
    for (at, one) in outcome.pairings.iter().enumerate() {
        out.push_str(if at > 0 { ",\n    " } else { "\n    " });
        pairing(story.keep, one, context)?.write_pretty(&mut out, 2);
    }
    out.push_str(if outcome.pairings.is_empty() { "]" } else { "\n  ]" });
    field(&mut out, "coverage", if context.first_only { Doc::null() } else { coverage(&outcome.coverage) });
    field(
        &mut out,
        "faults",
        Doc::Array(
            outcome
                .faults
                .iter()
                .map(|fault| {
                    Doc::object([
                        ("path", path(context, fault.side)),
                        ("line", Doc::number(fault.line)),
                        ("offset", Doc::number(fault.offset)),
                        ("reason", Doc::text(&fault.reason)),
                    ])
                })
                .collect(),
        ),
    );
    field(&mut out, "faults_total", Doc::number(outcome.faults_total));
    field(&mut out, "trouble", Doc::Array(context.messages.iter().map(|message| Doc::text(message)).collect()));
    field(
        &mut out,
        "notes",
        Doc::Array(
            outcome
                .notes
                .iter()
                .map(|note| Doc::object([("path", path(context, note.side)), ("text", Doc::text(&note.text))]))
                .collect(),
        ),
    );
    field(&mut out, "header_differences", Doc::Array(story.header.iter().map(difference).collect()));
    field(&mut out, "message", Doc::text(&story.verdict_line()));
    field(&mut out, "accepted", if context.first_only { Doc::null() } else { accepted::doc(story) });
    field(&mut out, "rule_flags", if context.first_only { Doc::null() } else { flags(story) });
    field(&mut out, "origin", Doc::or_null(context.origin.as_ref().map(origin::origin_doc)));
    field(&mut out, "checkpoint", Doc::or_null(context.checkpoint.as_ref().map(origin::checkpoint_doc)));
    if let Some(state) = &context.state {
        field(&mut out, "state", state.doc());
    }
    if let Some(snapshots) = &context.snapshots {
        field(&mut out, "snapshots", snapshots.doc());
    }
    out.push_str("\n}\n");
    Ok(out)
}

fn path(context: &ReportContext, side: Side) -> Doc {
    Doc::text(&context.name(side).path.to_string_lossy())
}

fn log(story: &Story, side: Side) -> Doc {
    let log = facts(story.outcome, side);
    let whole = |value: Doc| if story.context.first_only { Doc::null() } else { value };
    Doc::object([
        ("path", path(story.context, side)),
        ("label", Doc::text(&story.context.name(side).label)),
        ("bytes", whole(Doc::number(log.bytes))),
        ("events", whole(Doc::number(log.events))),
        ("threads", whole(Doc::number(log.threads))),
        ("lines_skipped", whole(Doc::number(log.lines_skipped))),
        ("cut", whole(Doc::boolean(log.cut))),
    ])
}

fn pairing(keep: &Keep, pairing: &Pairing, context: &ReportContext) -> Result<Doc, SourceError> {
    let side = |side: &Option<LaneFacts>| Doc::or_null(side.as_ref().map(|facts| lane(facts, context)));
    let evidence = pairing.evidence.map(|evidence| {
        Doc::object([
            ("common", Doc::number(evidence.common)),
            ("of", Doc::number(evidence.of)),
            ("runner_up", Doc::or_null(evidence.runner_up.map(Doc::number))),
        ])
    });
    let status = match pairing.status {
        Status::Identical => "identical",
        Status::Diverged => "diverged",
        Status::Unmatched => "unmatched",
        Status::Faulty => "faulty",
        Status::NotCompared => "not-compared",
    };
    let found = pairing.divergence.as_ref().map(|found| divergence(keep, found, context)).transpose()?;
    let further = pairing.further.iter().map(|found| divergence(keep, found, context));
    let late = pairing
        .late_start
        .map(|late| Doc::object([("side", side_word(late.side)), ("events", Doc::number(late.events))]));
    let pool = pairing
        .pool
        .map(|pool| Doc::object([("group", Doc::number(pool.group)), ("members", Doc::number(pool.members))]));
    Ok(Doc::object([
        ("reference", side(&pairing.reference)),
        ("candidate", side(&pairing.candidate)),
        ("matched_by", Doc::text(matched_word(pairing.matched_by))),
        ("ambiguous", Doc::boolean(pairing.ambiguous)),
        ("evidence", Doc::or_null(evidence)),
        ("status", Doc::text(status)),
        ("compared", Doc::number(pairing.compared)),
        ("divergence", Doc::or_null(found)),
        ("accepted", Doc::number(pairing.accepted)),
        ("late_start", Doc::or_null(late)),
        ("further", Doc::Array(further.collect::<Result<_, _>>()?)),
        ("pool", Doc::or_null(pool)),
    ]))
}

fn causes(facts: CauseFacts) -> Doc {
    let looked = Side::BOTH.into_iter().filter(|side| facts.looked[side.index()]).map(side_word);
    Doc::object([
        ("rules", Doc::boolean(facts.has_rules)),
        ("looked", Doc::Array(looked.collect())),
        ("events", Doc::number(facts.met)),
        ("cut", Doc::boolean(facts.is_cut)),
    ])
}

fn side_word(side: Side) -> Doc {
    Doc::text(if side == Side::Reference { "reference" } else { "candidate" })
}

fn lane(lane: &LaneFacts, context: &ReportContext) -> Doc {
    Doc::object([
        ("tid", thread(&lane.thread)),
        ("generation", Doc::number(lane.generation)),
        ("events", if context.first_only { Doc::null() } else { Doc::number(lane.events) }),
    ])
}

/// A thread key in its own JSON type.
pub(crate) fn thread(key: &ThreadKey) -> Doc {
    match key {
        ThreadKey::Integer(number) => Doc::number(number),
        ThreadKey::BigInteger(digits) => Doc::number(digits),
        ThreadKey::Text(text) => Doc::Token(quoted_wtf8(text)),
        ThreadKey::Composite(parts) => Doc::Array(parts.iter().map(thread).collect()),
        ThreadKey::Single => Doc::null(),
    }
}

pub(crate) fn divergence(keep: &Keep, found: &Divergence, context: &ReportContext) -> Result<Doc, SourceError> {
    let one = |copy: &EventCopy| event(keep, copy);
    let side = |copy: &Option<EventCopy>| copy.as_ref().map(one).transpose().map(Doc::or_null);
    let resync = found.resync.map(|resync| {
        Doc::object([
            ("after_reference", Doc::number(resync.after_reference)),
            ("after_candidate", Doc::number(resync.after_candidate)),
            ("equal_run", Doc::number(resync.equal_run)),
            ("ordinal_shift", Doc::or_null(resync.ordinal_shift.map(Doc::number))),
        ])
    });
    let mut before = Vec::with_capacity(found.before.len());
    for (reference, candidate) in &found.before {
        before.push(Doc::object([("reference", one(reference)?), ("candidate", one(candidate)?)]));
    }
    let after = |copies: &[EventCopy]| copies.iter().map(one).collect::<Result<Vec<_>, _>>().map(Doc::Array);
    let mut doc = Doc::object([
        ("position", Doc::number(found.position)),
        ("kind", Doc::text(kind_word(found.kind))),
        ("rank", Doc::number(found.rank)),
        ("after_fault", Doc::boolean(found.after_fault)),
        ("reference", side(&found.reference)?),
        ("candidate", side(&found.candidate)?),
        ("differences", Doc::Array(found.differences.iter().map(|found_here| differing(found, found_here)).collect())),
        ("differences_total", Doc::number(found.differences_total)),
        ("resync", Doc::or_null(resync)),
        ("before", Doc::Array(before)),
        (
            "after",
            Doc::object([("reference", after(&found.after_reference)?), ("candidate", after(&found.after_candidate)?)]),
        ),
    ]);
    doc.add("overlooked", Doc::Array(found.overlooked.iter().map(|rule| Doc::text(rule)).collect()));
    let reordered = match &found.reordered {
        Some(reordered) => Some(Doc::object([
            ("order", Doc::Array(reordered.order.iter().map(Doc::number).collect())),
            ("reference", after(&reordered.reference)?),
            ("candidate", after(&reordered.candidate)?),
        ])),
        None => None,
    };
    doc.add("reordered", Doc::or_null(reordered));
    // Where only the first is looked for, nobody looks behind it.
    let healed = found.healed_after.filter(|_| !context.first_only);
    doc.add("healed_after", Doc::or_null(healed.map(Doc::number)));
    let follows = found.follows.as_ref().map(|follows| {
        Doc::object([
            ("pairing", Doc::number(follows.pairing)),
            ("edge", Doc::text(&follows.edge)),
            ("side", side_word(follows.side)),
            ("cause_line", Doc::number(follows.cause_line)),
            ("effect_line", Doc::number(follows.effect_line)),
            ("about", value(&follows.about)),
        ])
    });
    doc.add("follows", Doc::or_null(follows));
    Ok(doc)
}

/// An event: its text always, its value only where it is strict JSON without duplicate keys.
fn event(keep: &Keep, copy: &EventCopy) -> Result<Doc, SourceError> {
    let raw = keep.get(copy.text)?;
    let mut doc = Doc::object([
        ("line", Doc::number(copy.line)),
        ("offset", Doc::number(copy.offset)),
        ("ordinal", Doc::or_null(copy.ordinal.map(Doc::number))),
    ]);
    if copy.parts > 1 {
        doc.add("joined", Doc::number(copy.parts));
    }
    let kept = if copy.cut_bytes > 0 { whole_characters(&raw) } else { &raw };
    let cut_bytes = copy.cut_bytes + (raw.len() - kept.len()) as u64;
    let text = String::from_utf8_lossy(kept);
    doc.add("text", Doc::text(&text));
    if matches!(text, std::borrow::Cow::Owned(_)) {
        doc.add("lossy", Doc::boolean(true));
    }
    if cut_bytes > 0 {
        doc.add("cut_bytes", Doc::number(cut_bytes));
    } else if let Some(value) = strict(kept) {
        doc.add("event", value);
    }
    Ok(doc)
}

/// A difference, with the objects that its values mean, if it differs in that.
fn differing(found: &Divergence, here: &Difference) -> Doc {
    let mut doc = difference(here);
    if let Some(meaning) = found.meanings.iter().find(|meaning| meaning.path == here.path) {
        doc.add("objects", meaning::doc(meaning, thread));
    }
    if let Some(bit) = bits::only_bit(here) {
        doc.add("bit", Doc::number(bit.number));
    }
    doc
}

fn difference(difference: &Difference) -> Doc {
    let mut doc = Doc::object([("path", Doc::text(&difference.path.to_string()))]);
    for (key, side) in [("reference", &difference.reference), ("candidate", &difference.candidate)] {
        if let Some(token) = side {
            doc.add(key, value(token));
        }
    }
    doc
}

fn coverage(coverage: &Coverage) -> Doc {
    let mut overlooked = Doc::object([]);
    for (rule, count) in &coverage.overlooked {
        overlooked.add(rule, Doc::number(count));
    }
    let mut taken_out = Doc::object([]);
    for (rule, [reference, candidate]) in &coverage.taken_out {
        let counts = [("reference", Doc::number(reference)), ("candidate", Doc::number(candidate))];
        taken_out.add(rule, Doc::object(counts));
    }
    Doc::object([
        ("events_compared", Doc::number(coverage.events_compared)),
        ("equal_by_bytes", Doc::number(coverage.equal_by_bytes)),
        ("read", Doc::number(coverage.read)),
        ("unverified", Doc::number(coverage.unverified)),
        ("skipped_nondeterministic", Doc::number(coverage.skipped_nondeterministic)),
        ("overlooked", overlooked),
        ("differed_in_bytes", Doc::number(coverage.differed_in_bytes)),
        ("taken_out", taken_out),
    ])
}

fn flags(story: &Story) -> Doc {
    let flag = |flag: RuleFlag| {
        Doc::object([
            ("rule", Doc::text(&flag.rule)),
            ("flag", Doc::text(flag.suspicion.word())),
            ("overlooked", Doc::number(flag.overlooked)),
        ])
    };
    Doc::Array(rule_flags(story).into_iter().map(flag).collect())
}

/// A value with its own tokens; what is too long or no JSON at all stands as text.
pub(crate) fn value(token: &[u8]) -> Doc {
    if token.len() > VALUE_BYTES_MAX {
        let kept = whole_characters(&token[..VALUE_BYTES_MAX]);
        return Doc::object([
            ("cut", Doc::text(&String::from_utf8_lossy(kept))),
            ("cut_bytes", Doc::number(token.len() - kept.len())),
        ]);
    }
    loose(token).unwrap_or_else(|| Doc::Foreign(String::from_utf8_lossy(token).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::diverge::DivergenceKind;
    use serde_json::Value;

    fn painted((outcome, keep): &(Outcome, Keep)) -> String {
        json(outcome, keep, &profile(), &context()).unwrap()
    }

    /// serde_json refuses lone surrogates and numbers beyond a double, which RFC 8259 allows: put
    /// something harmless in their place.
    fn read(text: &str) -> Value {
        let text = text.replace("\\\\ud800", "lone").replace("\\ud800", "lone").replace(": 1e400", ": 400");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn every_report_follows_the_schema() {
        let schema: Value = serde_json::from_str(&super::super::schema()).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for sample in [typical(), cut_short(), many(500), hollow(), pooled(), nasty()] {
            let report = read(&painted(&sample));
            let errors: Vec<String> =
                validator.iter_errors(&report).map(|error| format!("{} at {}", error, error.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:?}");
            let (outcome, keep) = &sample;
            let first = ReportContext { first_only: true, ..context() };
            let report = read(&json(outcome, keep, &profile(), &first).unwrap());
            assert!(validator.is_valid(&report));
            assert!(report["coverage"].is_null() && report["reference"]["events"].is_null());
        }
        let mut broken = read(&painted(&typical()));
        broken["pairings"][0]["compared"] = Value::from(-1);
        assert!(!validator.is_valid(&broken));
    }

    #[test]
    fn the_same_outcome_gives_the_same_bytes() {
        for sample in [typical, nasty] {
            assert_eq!(painted(&sample()), painted(&sample()));
        }
    }

    #[test]
    fn keys_stand_in_the_promised_order() {
        let text = painted(&typical());
        let top: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  \"").and_then(|line| line.split_once('"')))
            .map(|(key, _)| key)
            .collect();
        let promised = [
            "schema",
            "verdict",
            "profile",
            "validated",
            "reference",
            "candidate",
            "first",
            "lead",
            "causes",
            "pairings",
            "coverage",
            "faults",
        ];
        assert_eq!(top[..12], promised);
        let divergence = text.split_once("\"divergence\": {").unwrap().1;
        let inner: Vec<&str> = divergence
            .lines()
            .take_while(|line| !line.starts_with("      }"))
            .filter_map(|line| line.strip_prefix("        \"").and_then(|line| line.split_once('"')))
            .map(|(key, _)| key)
            .collect();
        let promised = [
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
            "overlooked",
            "reordered",
            "healed_after",
            "follows",
        ];
        assert_eq!(inner, promised);
    }

    #[test]
    fn numbers_keep_their_spelling_and_odd_values_their_form() {
        let text = painted(&nasty());
        for part in [
            "\"n\": 1234567890123456789012345678901234567890,",
            "\"reference\": 1234567890123456789012345678901234567890, \"candidate\": 1.50e+3 }",
            "\"x\": 1e400,",
            "\"token\": \"NaN\"",
            "\"token\": \"-Infinity\"",
            "\"reference\": \"\\ud800 | ``` \u{202e}<b>\" }",
            "\"path\": \"/payload/a~1b~0\\u001b\", \"candidate\": { \"k\": [] }",
            "123456789012345678901234567890, \"x\\ud800\" ]",
        ] {
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(part), "{part}\n{text}");
        }
        let report = read(&text);
        let pairing = &report["pairings"][0];
        let found = &pairing["divergence"];
        assert_eq!(pairing["reference"]["tid"], "a|b`c\u{1b}\n<i>");
        assert_eq!(found["differences"][4]["reference"]["cut_bytes"], 3 * 9000 + 45 - 16_384);
        assert_eq!(found["candidate"]["lossy"], true);
        assert!(found["candidate"].get("event").is_none() && found["candidate"]["ordinal"].is_null());
        let cut = &found["after"]["candidate"][0];
        assert_eq!((&cut["text"], &cut["cut_bytes"]), (&Value::from("{\"payload\":\"日"), &Value::from(5002)));
        assert!(cut.get("event").is_none() && cut.get("lossy").is_none());
        assert!(report["pairings"][1]["reference"]["tid"].is_null());
    }

    #[test]
    fn a_small_report_reads_like_this() {
        let mut sample = Sample::default();
        let mut found = sample.around(0, DivergenceKind::Extra);
        found.reference = None;
        found.after_reference.clear();
        found.after_candidate.clear();
        sample.diverged(6, 9, [0, 1], found);
        let outcome = sample.outcome(Some(0));
        assert_eq!(painted(&(outcome, sample.keep)), GOLDEN);
    }

    const GOLDEN: &str = r#"{
  "schema": "forkpoint.diff/1",
  "verdict": "diverged",
  "profile": "schema-v1",
  "validated": "opened",
  "reference": {
    "path": "runs/canary.jsonl",
    "label": "canary",
    "bytes": 0,
    "events": 0,
    "threads": 1,
    "lines_skipped": 0,
    "cut": false
  },
  "candidate": {
    "path": "runs/ours.jsonl",
    "label": "ours",
    "bytes": 200,
    "events": 1,
    "threads": 1,
    "lines_skipped": 0,
    "cut": false
  },
  "first": 0,
  "lead": 0,
  "causes": null,
  "pairings": [
    {
      "reference": {
        "tid": 6,
        "generation": 0,
        "events": 0
      },
      "candidate": {
        "tid": 9,
        "generation": 0,
        "events": 1
      },
      "matched_by": "first-call",
      "ambiguous": false,
      "evidence": {
        "common": 64,
        "of": 64,
        "runner_up": null
      },
      "status": "diverged",
      "compared": 0,
      "divergence": {
        "position": 0,
        "kind": "extra",
        "rank": 1,
        "after_fault": false,
        "reference": null,
        "candidate": {
          "line": 2,
          "offset": 400,
          "ordinal": 0,
          "text": "{\"schema_version\":1,\"kind\":\"kernel.call\",\"tid\":6,\"tid_event_idx\":0,\"host_ns\":2000,\"payload\":{\"name\":\"RtlEnterCriticalSection\"}}",
          "event": {
            "schema_version": 1,
            "kind": "kernel.call",
            "tid": 6,
            "tid_event_idx": 0,
            "host_ns": 2000,
            "payload": {
              "name": "RtlEnterCriticalSection"
            }
          }
        },
        "differences": [],
        "differences_total": 0,
        "resync": null,
        "before": [],
        "after": {
          "reference": [],
          "candidate": []
        },
        "overlooked": [],
        "reordered": null,
        "healed_after": null,
        "follows": null
      },
      "accepted": 0,
      "late_start": null,
      "further": [],
      "pool": null
    }
  ],
  "coverage": {
    "events_compared": 0,
    "equal_by_bytes": 0,
    "read": 0,
    "unverified": 0,
    "skipped_nondeterministic": 0,
    "overlooked": {
      "raw-handle-id": 12,
      "allocator": 1234
    },
    "differed_in_bytes": 0,
    "taken_out": {}
  },
  "faults": [],
  "faults_total": 0,
  "trouble": [],
  "notes": [],
  "header_differences": [],
  "message": "diverged: 1 thread diverges; first: thread 6 → 9 at position 0, ours has an extra event",
  "accepted": {
    "total": 0,
    "entries": []
  },
  "rule_flags": [],
  "origin": null,
  "checkpoint": null
}
"#;
}
