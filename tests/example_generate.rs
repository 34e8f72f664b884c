//! The generator of `examples/generate.rs`: valid logs, equal bytes for equal options, and a
//! truth that a plain comparison of parsed events finds again.
#![cfg(feature = "cli")]

use std::collections::HashMap;

use serde_json::Value;

// Not everything the example offers is used here.
#[allow(dead_code, unused_imports)]
#[path = "../examples/generate/mod.rs"]
mod generate;

use generate::lane::Side;
use generate::pair::Target;
use generate::{Births, Diverge, EditKind, LineLength, Options, Pair, Size, Tids};

struct Made {
    reference: Vec<u8>,
    candidate: Vec<u8>,
    truth: Value,
}

fn make(options: &Options) -> Made {
    let pair = Pair::new(options.clone()).expect("a plan");
    let log = |side| {
        let mut bytes = Vec::new();
        let written = pair
            .replay(side, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .expect("no write fails");
        assert_eq!(written.bytes, bytes.len() as u64);
        (bytes, written)
    };
    let (reference, reference_written) = log(Side::Reference);
    let (candidate, candidate_written) = log(Side::Candidate);
    let truth = pair.truth(&reference_written, &candidate_written);
    Made { reference, candidate, truth }
}

/// Events with their line numbers, by (tid, generation).
fn lanes(log: &[u8]) -> HashMap<(u64, u64), Vec<(u64, Value)>> {
    let text = std::str::from_utf8(log).expect("UTF-8");
    assert!(text.ends_with('\n'));
    let mut lines = text.lines().zip(1..);
    let header: Value = serde_json::from_str(lines.next().expect("a header").0).expect("JSON");
    assert_eq!((&header["kind"], &header["schema_version"]), (&"schema_version".into(), &1.into()));
    let mut lanes: HashMap<(u64, u64), Vec<(u64, Value)>> = HashMap::new();
    let mut generation: HashMap<u64, u64> = HashMap::new();
    for (line, number) in lines {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let tid = event["tid"].as_u64().expect("an integer tid");
        assert!(event["payload"].is_object() && event["kind"].is_string() && event["tid_event_idx"].is_u64());
        let current = generation.entry(tid).or_default();
        let key = (tid, *current);
        if event["kind"] == "thread.exit" {
            *current += 1;
        }
        lanes.entry(key).or_default().push((number, event));
    }
    for lane in lanes.values() {
        assert!(lane.is_sorted_by(|(_, a), (_, b)| a["tid_event_idx"].as_u64() < b["tid_event_idx"].as_u64()));
        // 1 where the very first event was asked to carry an ordinal gap.
        assert!(lane[0].1["tid_event_idx"].as_u64() <= Some(1));
    }
    lanes
}

/// What schema-v1 compares of an event, with what it overlooks taken out.
fn compared(event: &Value) -> Value {
    let mut payload = event["payload"].clone();
    let fields = payload.as_object_mut().expect("an object");
    fields.remove("raw_handle_id");
    fields.remove("wait_duration_cycles");
    let allocator = fields
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| name.contains("Alloc") || name.contains("KernelStack"));
    if event["kind"] == "kernel.return" && allocator {
        fields.remove("status");
        let success = fields["return_value"].as_u64() != Some(0);
        fields.insert("return_value".to_owned(), success.into());
    }
    fields.retain(|_, value| !value.is_null());
    serde_json::json!([event["kind"], event["tid_event_idx"], payload])
}

/// Checks a truth against the logs it came with.
fn check(made: &Made) -> usize {
    let (reference, candidate) = (lanes(&made.reference), lanes(&made.candidate));
    let threads = made.truth["threads"].as_array().expect("threads");
    assert_eq!((threads.len(), threads.len()), (reference.len(), candidate.len()));
    let mut diverged = 0;
    for thread in threads {
        let side = |name: &str| (thread[name]["tid"].as_u64().unwrap(), thread[name]["generation"].as_u64().unwrap());
        let (a, b) = (&reference[&side("reference")], &candidate[&side("candidate")]);
        assert_eq!(
            (a.len() as u64, b.len() as u64),
            (thread["reference"]["events"].as_u64().unwrap(), thread["candidate"]["events"].as_u64().unwrap())
        );
        let common = a.len().min(b.len());
        let first = (0..common).find(|at| compared(&a[*at].1) != compared(&b[*at].1));
        let found = first.or((a.len() != b.len()).then_some(common));
        assert_eq!(thread["divergence"]["position"].as_u64(), found.map(|at| at as u64), "{thread:#}");
        if let Some(at) = found {
            diverged += 1;
            assert_eq!(thread["divergence"]["reference_line"].as_u64(), Some(a[at].0));
            if let Some(line) = thread["divergence"]["candidate_line"].as_u64() {
                assert_eq!(line, b[at].0);
            }
            let early = thread["divergence"]["kind"] == "ended-early";
            assert_eq!(early, at == b.len(), "{thread:#}");
        }
    }
    diverged
}

fn small() -> Options {
    Options { size: Size::Events(4_000), threads: 4, ..Options::default() }
}

#[test]
fn equal_options_make_equal_bytes() {
    let options = Options { diverge_late: 2, tids: Tids::Shuffle, ..small() };
    let (once, again) = (make(&options), make(&options));
    assert!(once.reference == again.reference && once.candidate == again.candidate);
    assert_eq!(once.truth, again.truth);
    let other = make(&Options { seed: 2, ..options });
    assert!(once.reference != other.reference);
}

#[test]
fn written_together_or_in_turn_the_bytes_are_the_same() {
    let options = Options { diverge_late: 2, ..small() };
    let made = make(&options);
    let pair = Pair::new(options).expect("a plan");
    let folder = tempfile::tempdir().expect("a folder");
    let [reference, candidate] = ["reference", "candidate"].map(|name| folder.path().join(name));
    let targets = [&reference, &candidate].map(|path| Target::File(path.clone()));
    for write in [Pair::write, Pair::write_in_turn] {
        let written = write(&pair, &targets[0], &targets[1]).expect("written");
        assert_eq!(pair.truth(&written.0, &written.1), made.truth);
        assert!(std::fs::read(&reference).expect("read") == made.reference);
        assert!(std::fs::read(&candidate).expect("read") == made.candidate);
    }
}

#[test]
fn nothing_diverges_unasked() {
    for (noise, allocators) in [(0.0, 0.0), (0.05, 0.01), (0.3, 0.2), (1.0, 0.0)] {
        let made = make(&Options { noise, allocators, ..small() });
        assert_eq!(check(&made), 0);
        assert!(made.truth["first"].is_null());
    }
}

#[test]
fn every_kind_lands_where_the_truth_says() {
    for (name, kind) in EditKind::ALL {
        for position in [0, 1, 2, 3, 500, 501, 502, 503, 504] {
            if (kind, position) == (EditKind::EndedEarly, 0) {
                continue; // refused: no lane would be left
            }
            let made = make(&Options { diverge: vec![Diverge { thread: 1, position, kind }], ..small() });
            assert_eq!(check(&made), 1, "{name} at {position}");
            assert_eq!(made.truth["first"], 1);
            assert_eq!(made.truth["threads"][1]["divergence"]["edit"], name);
        }
    }
}

#[test]
fn threads_may_be_born_late_and_in_reverse() {
    for births in [Births::Spread, Births::Reversed] {
        let made = make(&Options { births, diverge_late: 4, ..small() });
        assert_eq!(check(&made), 4);
    }
}

#[test]
fn tids_serve_twice() {
    let made = make(&Options { generations: true, diverge_late: 1, ..small() });
    assert_eq!(check(&made), 1);
    assert_eq!(made.truth["threads"].as_array().map(Vec::len), Some(8));
}

#[test]
fn workers_live_the_same_life() {
    let made = make(&Options { threads: 0, workers: 20, ..small() });
    assert_eq!(check(&made), 0);
    let lanes = lanes(&made.reference);
    let lives: Vec<Vec<Value>> =
        lanes.values().map(|lane| lane.iter().map(|(_, event)| compared(event)).collect()).collect();
    assert!(lives.iter().all(|life| *life == lives[0]));
}

#[test]
fn clocks_and_cycles_never_agree_and_noise_is_as_asked() {
    for noise in [0.0, 0.1, 0.25, 0.6] {
        let options = Options { size: Size::Events(40_000), noise, allocators: 0.02, ..small() };
        let made = make(&options);
        let (reference, candidate) = (lanes(&made.reference), lanes(&made.candidate));
        let (mut unequal, mut total) = (0.0, 0.0);
        let payloads = |log: &[u8]| -> Vec<String> {
            let text = std::str::from_utf8(log).expect("UTF-8");
            text.lines().map(|line| line.split_once("\"payload\"").map_or("", |(_, tail)| tail).to_owned()).collect()
        };
        let (ours, theirs) = (payloads(&made.reference), payloads(&made.candidate));
        for thread in made.truth["threads"].as_array().unwrap() {
            let tid = |side: &str| (thread[side]["tid"].as_u64().unwrap(), 0);
            for ((line, a), (other, b)) in reference[&tid("reference")].iter().zip(&candidate[&tid("candidate")]) {
                assert!(a["host_ns"] != b["host_ns"] && a["guest_cycle"] != b["guest_cycle"]);
                total += 1.0;
                unequal += f64::from(u8::from(ours[*line as usize - 1] != theirs[*other as usize - 1]));
            }
        }
        assert!((unequal / total - noise - 0.02_f64).abs() < 0.06, "asked {noise}, made {}", unequal / total);
    }
}

#[test]
fn sizes_come_out_within_two_percent() {
    for line in [LineLength::Short, LineLength::Normal, LineLength::Long] {
        let made = make(&Options { size: Size::Bytes(8_000_000), line, payload_bytes: 40, ..small() });
        let ratio = made.reference.len() as f64 / 8e6;
        assert!((0.98..1.02).contains(&ratio), "{ratio}");
    }
}
