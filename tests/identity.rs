//! Identity rules: addresses, handles and thread ids are equal where they mean the same object, and only there.

mod common;

use std::fmt::Write;

use common::{Folder, forkpoint, text};
use serde_json::{Value, json};

/// A run of a guest with two threads: where its heap begins, its first handle, how its threads are numbered, and which of
/// its mistakes it makes.
#[derive(Clone, Copy)]
struct Guest {
    heap: u64,
    handle: u64,
    tids: [u64; 2],
    mistake: Mistake,
}

#[derive(Clone, Copy, PartialEq)]
enum Mistake {
    None,
    /// It uses the other thread's live block.
    OtherObject,
    /// It uses the right block, a byte further.
    OtherPlace,
    /// It uses a block that was freed.
    Freed,
    OtherHandle,
    OtherThread,
}

/// A log in the making.
struct Log {
    guest: Guest,
    text: String,
    ordinals: [u64; 2],
}

impl Log {
    fn event(&mut self, thread: usize, kind: &str, payload: Value) {
        let (tid, ordinal) = (self.guest.tids[thread], self.ordinals[thread]);
        self.ordinals[thread] += 1;
        let line = json!({ "kind": kind, "tid": tid, "tid_event_idx": ordinal, "payload": payload });
        writeln!(self.text, "{line}").unwrap();
    }

    fn call(&mut self, thread: usize, name: &str, args: Value, returned: u64) {
        self.event(thread, "kernel.call", json!({ "name": name, "args": args }));
        self.event(thread, "kernel.return", json!({ "name": name, "return_value": returned }));
    }
}

fn log(guest: Guest) -> String {
    let text = "{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_owned();
    let mut log = Log { guest, text, ordinals: [0; 2] };
    let Guest { heap, handle, tids, mistake } = guest;
    log.call(0, "Main", json!({}), 0);
    log.call(1, "Worker", json!({}), 0);
    log.event(0, "thread.create", json!({ "tid": tids[1], "entry": "0x10" }));
    log.call(0, "RtlAllocateHeap", json!({ "size": 64 }), heap);
    log.call(1, "RtlAllocateHeap", json!({ "size": 256 }), heap + 0x1000);
    log.call(0, "RtlFill", json!({ "to": heap + 16, "count": 8 }), 0);
    log.call(1, "RtlCopy", json!({ "to": format!("{:#x}", heap + 0x1004), "from": heap + 8, "count": 8 }), 0);
    log.call(0, "RtlFreeHeap", json!({ "block": heap }), 0);
    if mistake == Mistake::Freed {
        log.call(0, "Use", json!({ "it": heap + 8 }), 0);
    }
    // The address is used again, by a smaller block.
    log.call(0, "RtlAllocateHeap", json!({ "size": 32 }), heap);
    let it = match mistake {
        Mistake::OtherObject => heap + 0x1008,
        Mistake::OtherPlace => heap + 9,
        _ => heap + 8,
    };
    if mistake != Mistake::Freed {
        log.call(0, "Use", json!({ "it": it }), 0);
    }
    for (number, name) in ["event:a", "event:b"].into_iter().enumerate() {
        let handle = handle + number as u64 * 4;
        log.event(0, "handle.create", json!({ "handle_semantic_id": name, "raw_handle_id": handle }));
    }
    let other = u64::from(mistake == Mistake::OtherHandle) * 4;
    log.call(0, "NtSetEvent", json!({ "handle": handle + other }), 0);
    log.call(1, "NtWait", json!({ "handles": [handle, handle + 4] }), 0);
    let tid = if mistake == Mistake::OtherThread { tids[0] } else { tids[1] };
    log.call(0, "KeResume", json!({ "tid": tid }), 0);
    log.text
}

const REFERENCE: Guest = Guest { heap: 0x4000_0000, handle: 0xF800_0004, tids: [6, 7], mistake: Mistake::None };
const CANDIDATE: Guest = Guest { heap: 0x7F30_0000_0000, handle: 0xF800_1230, tids: [1, 2], mistake: Mistake::None };

fn diff(reference: &str, candidate: &str, flags: &[&str]) -> (i32, Value) {
    let folder = Folder::new();
    let (reference, candidate) = (folder.file("a.jsonl", reference), folder.file("b.jsonl", candidate));
    let mut arguments = vec!["diff", reference.to_str().unwrap(), candidate.to_str().unwrap(), "--format", "json"];
    arguments.extend(flags);
    let output = forkpoint(&arguments).output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code().unwrap(), report)
}

/// The differences of the first divergence.
fn differences(report: &Value) -> &Value {
    let first = report["first"].as_u64().expect("there is a divergence") as usize;
    &report["pairings"][first]["divergence"]["differences"]
}

#[test]
fn another_heap_other_handles_and_thread_ids_are_overlooked_where_the_same_object_is_meant() {
    let (code, report) = diff(&log(REFERENCE), &log(CANDIDATE), &[]);
    assert_eq!((code, &report["verdict"]), (0, &json!("identical")), "{report:#}");
    let overlooked = &report["coverage"]["overlooked"];
    for (rule, pairs) in [("heap-addresses", 4), ("handles", 2), ("thread-ids", 2)] {
        assert_eq!(overlooked[rule], pairs, "{rule}: {overlooked}");
    }
    // Without the rules each of them is a difference.
    for rule in ["heap-addresses", "handles", "thread-ids"] {
        let (code, report) = diff(&log(REFERENCE), &log(CANDIDATE), &["--without", rule]);
        assert_eq!(code, 1, "{rule}: {report:#}");
    }
}

#[test]
fn another_object_is_a_difference_and_both_are_named() {
    let object = |rule: &str, tid: u64, number: u64, offset: u64| json!({ "rule": rule, "tid": tid, "generation": 0, "number": number, "offset": offset });
    for (mistake, path, reference, candidate) in [
        (
            Mistake::OtherObject,
            "/payload/args/it",
            object("heap-addresses", 6, 1, 8),
            object("heap-addresses", 2, 0, 8),
        ),
        (Mistake::OtherPlace, "/payload/args/it", object("heap-addresses", 6, 1, 8), object("heap-addresses", 1, 1, 9)),
        (Mistake::OtherHandle, "/payload/args/handle", object("handles", 6, 0, 0), object("handles", 1, 1, 0)),
        (Mistake::OtherThread, "/payload/args/tid", object("thread-ids", 6, 0, 0), Value::Null),
    ] {
        let (code, report) = diff(&log(REFERENCE), &log(Guest { mistake, ..CANDIDATE }), &[]);
        let found = differences(&report);
        assert_eq!((code, &found[0]["path"]), (1, &json!(path)), "{report:#}");
        assert_eq!(found[0]["objects"], json!({ "reference": reference, "candidate": candidate }), "{found}");
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
}

#[test]
fn what_was_freed_means_nothing() {
    let freed = |guest| log(Guest { mistake: Mistake::Freed, ..guest });
    let (code, report) = diff(&freed(REFERENCE), &freed(CANDIDATE), &[]);
    assert_eq!((code, &differences(&report)[0]["path"]), (1, &json!("/payload/args/it")), "{report:#}");
    assert!(differences(&report)[0].get("objects").is_none(), "neither side means an object");
}

#[test]
fn the_report_names_both_objects_in_a_sentence() {
    let folder = Folder::new();
    let reference = folder.file("a.jsonl", log(REFERENCE));
    let candidate = folder.file("b.jsonl", log(Guest { mistake: Mistake::OtherObject, ..CANDIDATE }));
    let output = forkpoint(["diff", reference.to_str().unwrap(), candidate.to_str().unwrap(), "--label", "ref,cand"])
        .output()
        .unwrap();
    let said = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "payload.args.it means another object: ref the 2nd of heap-addresses on thread 6 + 0x8, cand the 1st of \
                    heap-addresses on thread 2 + 0x8.";
    assert!(said.contains(sentence), "{said}");
}

#[test]
fn past_the_limit_nothing_is_told_apart_and_the_run_is_not_identical() {
    let (code, report) = diff(&log(REFERENCE), &log(CANDIDATE), &["--identity-limit", "2"]);
    assert_eq!((code, &report["verdict"]), (3, &json!("inconclusive")), "{report:#}");
    assert!(report["coverage"]["unverified"].as_u64().unwrap() > 0);
}

#[test]
fn jobs_windows_and_the_kind_of_source_do_not_matter() {
    for mistake in [Mistake::None, Mistake::OtherObject, Mistake::OtherHandle] {
        let (reference, candidate) = (log(REFERENCE), log(Guest { mistake, ..CANDIDATE }));
        let plain = diff(&reference, &candidate, &[]);
        let strip = |report: &Value| {
            let mut report = report.clone();
            for side in ["reference", "candidate"] {
                report[side]["path"] = Value::Null;
            }
            report.to_string()
        };
        for flags in [&["--jobs", "1"][..], &["--window", "64"], &["--window", "700", "--no-mmap"], &["--no-layouts"]] {
            let other = diff(&reference, &candidate, flags);
            assert_eq!((other.0, strip(&other.1)), (plain.0, strip(&plain.1)), "{flags:?}");
        }
    }
}

/// Objects that come and go: so many that what is over is forgotten, and those that live on are not.
#[test]
fn objects_that_ended_are_forgotten_and_the_others_are_not() {
    let run = |handle: u64, used: u64| {
        let text = "{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_owned();
        let mut log = Log { guest: Guest { handle, ..REFERENCE }, text, ordinals: [0; 2] };
        for old in 0..2 {
            log.event(0, "handle.create", json!({ "raw_handle_id": handle + 4 * old, "object_type": "Event" }));
        }
        for at in 2..5_000 {
            let raw = handle + 4 * (at % 7 + 2);
            log.event(0, "handle.create", json!({ "raw_handle_id": raw, "object_type": "Event" }));
            log.call(1, "NtSetEvent", json!({ "handle": raw }), 0);
            log.event(0, "handle.destroy", json!({ "raw_handle_id": raw }));
        }
        log.call(0, "NtSetEvent", json!({ "handle": handle + 4 * used }), 0);
        log.text
    };
    for flags in [&[][..], &["--window", "20000", "--jobs", "1"]] {
        let (code, report) = diff(&run(0x100, 1), &run(0x5000, 1), flags);
        assert_eq!(code, 0, "{flags:?}: {}", report["pairings"]);
        let (code, report) = diff(&run(0x100, 1), &run(0x5000, 0), flags);
        let paths: Vec<&Value> = report["pairings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pairing| &pairing["divergence"]["differences"][0]["path"])
            .collect();
        assert_eq!((code, paths), (1, vec![&json!("/payload/args/handle"), &Value::Null]), "{flags:?}");
    }
}

#[test]
fn what_is_no_number_means_no_object() {
    let run = |guest: Guest, name: &str| {
        let mut log =
            Log { guest, text: "{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_owned(), ordinals: [0; 2] };
        for at in 0..20 {
            log.call(0, "Use", json!({ "it": if at == 15 { name.to_owned() } else { format!("name {at}") } }), 0);
        }
        log.text
    };
    for flags in [&[][..], &["--no-layouts"]] {
        assert_eq!(diff(&run(REFERENCE, "one"), &run(CANDIDATE, "one"), flags).0, 0, "{flags:?}");
        let (code, report) = diff(&run(REFERENCE, "one"), &run(CANDIDATE, "two"), flags);
        let found = &report["pairings"][0]["divergence"]["differences"][0]["path"];
        assert_eq!((code, found), (1, &json!("/payload/args/it")), "{flags:?}");
    }
}

/// What an allocator returns is looked at by its own rule first; where that says nothing, the object counts.
#[test]
fn a_place_under_an_allocator_and_an_identity_is_equal_by_either() {
    let rules = "version = 1\nname = \"t\"\nextends = \"schema-v1\"\n[[identity]]\nname = \"returned\"\nreason = \"moved\"\n\
                 [[identity.define]]\nkind = \"block\"\nvalue = \"/payload/at\"\n\
                 [[identity.uses]]\nkinds = [\"block\"]\npath = \"/payload/at\"\n\
                 [[identity.uses]]\nkinds = [\"kernel.return\"]\npath = \"/payload/return_value\"\n";
    let folder = Folder::new();
    let profile = folder.file("t.toml", rules);
    let run = |heap: u64, found: u64| {
        let guest = Guest { heap, ..REFERENCE };
        let mut log =
            Log { guest, text: "{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_owned(), ordinals: [0; 2] };
        for at in 0..30 {
            log.event(0, "block", json!({ "at": heap + 0x100 * at }));
            log.call(0, "RtlAllocateHeap", json!({ "size": 16 }), heap + 0x10_000 + 16 * at);
            log.call(0, "Find", json!({}), heap + 0x100 * if at == 20 { found } else { at });
        }
        log.text
    };
    for flags in [&[][..], &["--no-layouts"]] {
        let flags = [&["--profile", profile.to_str().unwrap()], flags].concat();
        assert_eq!(diff(&run(0x10_0000, 20), &run(0x70_0000, 20), &flags).0, 0, "{flags:?}");
        let (code, report) = diff(&run(0x10_0000, 20), &run(0x70_0000, 19), &flags);
        let found = &report["pairings"][0]["divergence"]["differences"][0]["path"];
        assert_eq!((code, found), (1, &json!("/payload/return_value")), "{flags:?}");
    }
}

/// What a thread's objects are is known once its partner is; pairs that ask for it wait, whatever else they show.
#[test]
fn pairs_wait_for_objects_whose_owner_has_no_partner_yet() {
    // Another handle is used here, or the number of an event is another one.
    let run = |handle: u64, used: u64, jump: u64, first: &str| {
        let text = "{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_owned();
        let mut log = Log { guest: Guest { handle, ..REFERENCE }, text, ordinals: [0; 2] };
        for at in 0..2 {
            log.event(0, "handle.create", json!({ "raw_handle_id": handle + 4 * at, "object_type": "Event" }));
        }
        for at in 0..70 {
            log.call(1, "Poll", json!({ "n": if at == 69 { first.to_owned() } else { at.to_string() } }), 0);
        }
        for at in 0..2_000 {
            log.ordinals[1] += if at == 700 { jump } else { 0 };
            log.call(1, "NtSetEvent", json!({ "handle": handle + 4 * if at == 700 { used } else { 1 }, "at": at }), 0);
        }
        log.call(0, "Last", json!({}), 0);
        log.text
    };
    let place = |report: &Value, further: usize| {
        let pairing = report["pairings"].as_array().unwrap().iter().find(|pairing| !pairing["divergence"].is_null());
        let pairing = pairing.map_or(&Value::Null, |pairing| pairing);
        let found = if further == 0 { &pairing["divergence"] } else { &pairing["further"][further - 1] };
        (found["position"].clone(), found["differences"].to_string())
    };
    for flags in [&[][..], &["--window", "2000", "--jobs", "1"], &["--window", "100000"], &["--no-layouts"]] {
        let equal = diff(&run(0x100, 1, 0, "69"), &run(0x5000, 1, 0, "69"), flags);
        assert_eq!(equal.0, 0, "{flags:?}: {}", equal.1["pairings"]);
        let (code, report) = diff(&run(0x100, 1, 0, "69"), &run(0x5000, 0, 0, "69"), flags);
        assert_eq!((code, place(&report, 0).0), (1, json!(140 + 1_400)), "{flags:?}: {report:#}");
        let (code, report) = diff(&run(0x100, 1, 0, "69"), &run(0x5000, 0, 3, "69"), flags);
        let (at, differences) = place(&report, 0);
        assert_eq!((code, at), (1, json!(140 + 1_400)), "{flags:?}: {report:#}");
        assert!(differences.contains("/payload/args/handle"), "{flags:?}: {differences}");
        // Behind a divergence, in the midst of thousands that follow.
        let (code, report) =
            diff(&run(0x100, 1, 0, "69"), &run(0x5000, 0, 0, "x"), &[flags, &["--continue", "3"]].concat());
        assert_eq!(
            (code, place(&report, 0).0, place(&report, 1).0),
            (1, json!(138), json!(1_540)),
            "{flags:?}: {report:#}"
        );
        let (code, report) = diff(&run(0x100, 1, 0, "69"), &run(0x5000, 0, 0, "x"), flags);
        assert_eq!((code, place(&report, 0).0), (1, json!(138)), "{flags:?}: {report:#}");
    }
}
