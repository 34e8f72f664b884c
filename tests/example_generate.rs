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
use generate::{Births, Diverge, EditKind, LineLength, Noisy, Options, Pair, Shape, Size, Skew, Tids};

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
    let mut lines = text.lines().zip(1..).peekable();
    if let Some((header, _)) = lines.next_if(|(line, _)| line.contains("schema_version")) {
        let header: Value = serde_json::from_str(header).expect("JSON");
        assert_eq!((&header["kind"], &header["schema_version"]), (&"schema_version".into(), &1.into()));
    }
    let mut lanes: HashMap<(u64, u64), Vec<(u64, Value)>> = HashMap::new();
    let mut generation: HashMap<u64, u64> = HashMap::new();
    for (line, number) in lines {
        let event = as_schema(serde_json::from_str(line).expect("JSON"));
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
    }
    lanes
}

/// An instruction in the form of schema-v1, without what differs by its nature.
fn as_schema(mut event: Value) -> Value {
    let Some(kind) = event.get("op").cloned() else { return event };
    let fields = event.as_object_mut().expect("an object");
    fields.remove("op");
    fields.remove("cycles");
    if let Some(flags) = fields.get_mut("flags") {
        let bits = u64::from_str_radix(&flags.as_str().expect("text")[2..], 16).expect("hex");
        *flags = (bits & !0x30).into();
    }
    let ordinal = fields.remove("seq").expect("an ordinal");
    // One lane needs no name.
    let tid = fields.remove("thread").unwrap_or(Value::Null);
    serde_json::json!({ "kind": kind, "tid": tid.as_u64().unwrap_or(0), "tid_event_idx": ordinal, "payload": event })
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
    let lanes_of = |side: &str| threads.iter().filter(|thread| !thread[side].is_null()).count();
    assert_eq!((lanes_of("reference"), lanes_of("candidate")), (reference.len(), candidate.len()));
    let mut diverged = 0;
    for thread in threads {
        // Null where a flat log's one lane has no name.
        let side =
            |name: &str| (thread[name]["tid"].as_u64().unwrap_or(0), thread[name]["generation"].as_u64().unwrap());
        if let Some(there) = ["reference", "candidate"].into_iter().find(|there| thread[other_side(there)].is_null()) {
            let lane = &[&reference, &candidate][usize::from(there == "candidate")][&side(there)];
            let parted = &thread["divergence"];
            assert_eq!((&parted["kind"], &parted["position"]), (&"unmatched".into(), &0.into()), "{thread:#}");
            assert_eq!(parted[format!("{there}_line")], lane[0].0);
            assert!(parted[format!("{}_line", other_side(there))].is_null());
            diverged += 1;
            continue;
        }
        let (a, b) = (&reference[&side("reference")], &candidate[&side("candidate")]);
        assert_eq!(
            (a.len() as u64, b.len() as u64),
            (thread["reference"]["events"].as_u64().unwrap(), thread["candidate"]["events"].as_u64().unwrap())
        );
        let begins = |lane: &[(u64, Value)]| lane[0].1["tid_event_idx"].as_u64().expect("an ordinal");
        let is_late = thread["divergence"]["kind"] == "started-late";
        // 1 where the very first event was asked to carry an ordinal gap.
        assert!(begins(a) == 0 && if is_late { begins(b) > 0 } else { begins(b) <= 1 }, "{thread:#}");
        let common = a.len().min(b.len());
        let first = (0..common).find(|at| compared(&a[*at].1) != compared(&b[*at].1));
        let found = first.or((a.len() != b.len()).then_some(common));
        assert_eq!(thread["divergence"]["position"].as_u64(), found.map(|at| at as u64), "{thread:#}");
        if let Some(at) = found {
            diverged += 1;
            assert_eq!(thread["divergence"]["reference_line"].as_u64(), a.get(at).map(|event| event.0));
            if let Some(line) = thread["divergence"]["candidate_line"].as_u64() {
                assert_eq!(line, b[at].0);
            }
            let early = thread["divergence"]["kind"] == "ended-early";
            assert_eq!(early, at == common, "{thread:#}");
        }
    }
    diverged
}

/// The other side's name.
fn other_side(side: &str) -> &'static str {
    if side == "reference" { "candidate" } else { "reference" }
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
            if is_refused(kind, position) {
                let diverge = vec![Diverge { thread: 1, position, kind }];
                assert!(Pair::new(Options { diverge, ..small() }).is_err(), "{name} at {position}");
                continue;
            }
            let made = make(&Options { diverge: vec![Diverge { thread: 1, position, kind }], ..small() });
            assert_eq!(check(&made), 1, "{name} at {position}");
            assert_eq!(made.truth["first"], 1);
            assert_eq!(made.truth["threads"][1]["divergence"]["edit"], name);
        }
    }
}

/// A lane that ends before its first event is none, and one that only one side has begins at 0.
fn is_refused(kind: EditKind, position: u64) -> bool {
    match kind {
        EditKind::EndedEarly | EditKind::Overlong => position == 0,
        EditKind::Unmatched | EditKind::Stranger => position != 0,
        _ => false,
    }
}

#[test]
fn what_only_ends_or_lacks_its_partner_comes_after_what_differs() {
    let edit = |thread, position, kind| Diverge { thread, position, kind };
    let all = vec![
        edit(0, 0, EditKind::Stranger),
        edit(1, 0, EditKind::Unmatched),
        edit(2, 1_000, EditKind::Overlong),
        edit(3, 3_000, EditKind::EndedEarly),
        edit(4, 4_000, EditKind::Value),
    ];
    let first = |edits: &[Diverge]| {
        let size = Size::Events(40_000);
        let made = make(&Options { size, threads: 8, diverge: edits.to_vec(), ..small() });
        assert_eq!(check(&made), edits.len());
        made.truth["first"].clone()
    };
    assert_eq!(first(&all[..2]), 1);
    assert_eq!(first(&all[..1]), 0);
    assert_eq!(first(&all), 4);
    // Lanes run side by side: the one that ends much sooner ends on an earlier line.
    assert_eq!(first(&all[..4]), 2);
    let other = [edit(2, 3_000, EditKind::EndedEarly), edit(3, 1_000, EditKind::Overlong)];
    assert_eq!(first(&other), 3);
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
fn workers_live_alike_as_long_as_asked() {
    for alike in [0, 7, 64, 150] {
        let made = make(&Options { threads: 0, workers: 20, alike: Some(alike), ..small() });
        assert_eq!(check(&made), 0);
        let lanes = lanes(&made.reference);
        let lives: Vec<Vec<Value>> =
            lanes.values().map(|lane| lane.iter().map(|(_, event)| compared(event)).collect()).collect();
        for (at, life) in lives.iter().enumerate() {
            for other in &lives[..at] {
                let common = life.iter().zip(other).take_while(|(a, b)| a == b).count() as u64;
                // A call is begun and ended, and two lives may begin with the same few bytes.
                assert!((alike..alike + 6).contains(&common), "{alike} asked, {common} alike");
            }
        }
    }
}

#[test]
fn shifted_arguments_are_the_same_objects() {
    let options = Options { shifted: true, allocators: 0.1, noise: 0.2, ..small() };
    let made = make(&options);
    let (reference, candidate) = (lanes(&made.reference), lanes(&made.candidate));
    let heaps = [0x4000_0000, 0xA000_0000];
    let handles = [0xF800_0000, 0x1000];
    let mut met = [0; 2];
    let mut owners = std::collections::HashMap::new();
    for (key, lane) in &reference {
        let number = |event: &Value, key: &str| {
            let text = event["payload"]["args"].get(key)?.as_str()?;
            u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
        };
        for ((_, a), (_, b)) in lane.iter().zip(&candidate[&(key.0 - 96, key.1)]) {
            for name in ["buffer", "target", "result"] {
                let (Some(a), Some(b)) = (number(a, name), number(b, name)) else { continue };
                // Either the guest's own address, or the same place of the same page.
                assert!(a == b || a - heaps[0] == b - heaps[1], "{a:x} {b:x}");
                met[0] += u64::from(a != b);
            }
            if let (Some(a), Some(b)) = (number(a, "handle"), number(b, "handle")) {
                assert_eq!(a - handles[0], b - handles[1]);
                met[1] += 1;
                let owner = owners.entry(a).or_insert(key.0);
                assert_eq!(*owner, key.0, "two threads have the handle {a:#x}");
            }
        }
    }
    assert!(met.iter().all(|met| *met > 50), "{met:?}");
    // Whoever does not follow identities sees divergences that are none.
    let plain = make(&Options { shifted: false, ..options });
    assert_eq!(made.truth["threads"], plain.truth["threads"]);
    assert!(made.reference != plain.reference);
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
    for line in [LineLength::Short, LineLength::Normal, LineLength::Long, LineLength::Huge] {
        for shape in [Shape::Schema, Shape::Sorted, Shape::Reordered, Shape::Flat] {
            let made = make(&Options { size: Size::Bytes(8_000_000), line, shape, payload_bytes: 40, ..small() });
            let ratio = made.reference.len() as f64 / 8e6;
            assert!((0.98..1.02).contains(&ratio), "{shape:?} {line:?}: {ratio}");
        }
    }
}

/// The lines of each log, the header's but left out where there is one.
fn texts(log: &[u8]) -> Vec<&str> {
    let text = std::str::from_utf8(log).expect("UTF-8");
    text.lines().filter(|line| !line.contains("schema_version")).collect()
}

#[test]
fn every_kind_lands_in_every_shape() {
    for shape in [Shape::Sorted, Shape::Reordered, Shape::Flat] {
        for noisy in [Noisy::Cycles, Noisy::Flags] {
            for (name, kind) in EditKind::ALL {
                if shape != Shape::Flat && noisy == Noisy::Flags {
                    continue; // refused: there are no flags
                }
                for position in [1, 500] {
                    if is_refused(kind, position) {
                        continue;
                    }
                    let diverge = vec![Diverge { thread: 1, position, kind }];
                    let made = make(&Options { shape, noisy, diverge, noise: 0.3, ..small() });
                    assert_eq!(check(&made), 1, "{shape:?} {name} at {position}");
                    assert_eq!(made.truth["first"], 1);
                }
            }
            if shape == Shape::Flat {
                assert_eq!(check(&make(&Options { shape, noisy, threads: 1, ..small() })), 0);
            }
        }
        let last = vec![Diverge { thread: 0, position: 3_999, kind: EditKind::EndedEarly }];
        assert_eq!(check(&make(&Options { shape: Shape::Flat, threads: 1, diverge: last, ..small() })), 1);
    }
}

#[test]
fn sorted_lines_have_all_keys_sorted() {
    for line in [LineLength::Short, LineLength::Normal, LineLength::Huge] {
        let made = make(&Options { shape: Shape::Sorted, line, noise: 0.2, ..small() });
        for text in texts(&made.reference).into_iter().chain(texts(&made.candidate)) {
            // serde_json's objects are sorted and written without blanks.
            let value: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(value.to_string(), text);
        }
    }
}

#[test]
fn reordered_lines_differ_in_the_order_of_the_payload_alone() {
    let options = Options { shape: Shape::Reordered, noise: 0.0, allocators: 0.0, threads: 1, ..small() };
    let made = make(&options);
    let plain = make(&Options { shape: Shape::Schema, ..options });
    assert!(made.reference == plain.reference && made.candidate != plain.candidate);
    let parsed = |log: &[u8]| -> Vec<Value> {
        texts(log).into_iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    assert_eq!(parsed(&made.candidate), parsed(&plain.candidate));
}

#[test]
fn the_noisy_column_never_agrees_and_lines_are_as_long_as_said() {
    for (noisy, line, bytes) in [
        (Noisy::Cycles, LineLength::Tiny, 45..66),
        (Noisy::Cycles, LineLength::Normal, 90..110),
        (Noisy::Flags, LineLength::Normal, 90..110),
        (Noisy::Cycles, LineLength::Huge, 1_850..2_050),
    ] {
        let made = make(&Options { shape: Shape::Flat, threads: 1, noisy, line, ..small() });
        let key = if noisy == Noisy::Cycles { "cycles" } else { "flags" };
        for (ours, theirs) in texts(&made.reference).iter().zip(texts(&made.candidate)) {
            let [ours_value, theirs_value] =
                [ours, theirs].map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
            let differing: Vec<_> =
                ours_value.as_object().unwrap().iter().filter(|(key, value)| theirs_value[key] != **value).collect();
            assert_eq!(differing.len(), 1, "{ours} {theirs}");
            assert_eq!(differing[0].0, key);
            assert!(bytes.contains(&ours.len()), "{} bytes: {ours}", ours.len());
        }
    }
}

#[test]
fn a_skewed_log_is_sorted_by_thread_and_nothing_else_changes() {
    for (skew, skewed) in [(Skew::Reference, 0), (Skew::Candidate, 1)] {
        let made = make(&Options { skew, diverge_late: 2, ..small() });
        assert_eq!(check(&made), 2);
        let switches = |log: &[u8]| {
            let tid = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["tid"].as_u64();
            let tids: Vec<_> = texts(log).into_iter().map(tid).collect();
            tids.windows(2).filter(|pair| pair[0] != pair[1]).count()
        };
        let both = [switches(&made.reference), switches(&made.candidate)];
        assert_eq!(both[skewed], 3, "four threads, one after the other");
        assert!(both[1 - skewed] > 100);
    }
}

#[test]
fn threads_start_and_end_all_the_time() {
    let options = Options {
        size: Size::Events(100_000),
        threads: 200,
        births: Births::Churn,
        diverge: vec![Diverge { thread: 150, position: 200, kind: EditKind::Value }],
        tids: Tids::Shuffle,
        ..Options::default()
    };
    let made = make(&options);
    assert_eq!(check(&made), 1);
    for log in [&made.reference, &made.candidate] {
        let mut changes: Vec<(u64, i64)> = Vec::new();
        for lane in lanes(log).values() {
            changes.extend([(lane[0].0, 1), (lane[lane.len() - 1].0, -1)]);
        }
        changes.sort_unstable();
        let (mut alive, mut most) = (0, 0);
        for (_, change) in changes {
            alive += change;
            most = most.max(alive);
        }
        assert!((20..80).contains(&most), "{most} threads at once");
    }
}

#[test]
fn what_one_process_wrote_is_read_back_by_another() {
    let options = Options { diverge_late: 2, threads: 1, shape: Shape::Flat, ..small() };
    let made = make(&options);
    let pair = Pair::new(options).expect("a plan");
    let written = [Side::Reference, Side::Candidate].map(|side| {
        let written = pair.write_one(side, &Target::Nowhere).expect("written");
        let text = Pair::written_to_json(&written).to_string();
        pair.written_from_json(&serde_json::from_str(&text).expect("JSON")).expect("of this plan")
    });
    assert_eq!(pair.truth(&written[0], &written[1]), made.truth);
    let other = Pair::new(Options { threads: 2, ..small() }).expect("a plan");
    assert!(other.written_from_json(&Pair::written_to_json(&written[0])).is_none());
}
