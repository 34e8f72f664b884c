//! The recorder: what was meant is in the log, whatever was recorded, by however many threads, onto whatever takes it.

mod emitted;

use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use emitted::{Reading, read};
use forkpoint::emit::{DROPPED, Elements, InUse, Members, Options, Recorder, ThreadLog, Tid, WhenFull};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Without a clock, so that lines are told by what was recorded.
fn options() -> Options {
    Options { host_ns: false, ..Options::new("tests") }
}

/// What `Drop` means for a ring of a few lines, and a writer that comes only when it is woken.
fn small(ring_bytes: usize, when_full: WhenFull) -> Options {
    Options { ring_bytes, when_full, write_every: Duration::from_secs(3600), ..options() }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn reading(path: &Path) -> Reading {
    read(io::BufReader::new(File::open(path).unwrap())).unwrap()
}

#[cfg(feature = "cli")]
fn check(path: &Path) {
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_forkpoint")).arg("check").arg(path).output().unwrap();
    assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stdout));
}

#[cfg(not(feature = "cli"))]
fn check(_: &Path) {}

/// Writes an object member by member.
fn write_members(members: &mut Members<'_>, object: &serde_json::Map<String, Value>) {
    for (key, value) in object {
        match value {
            Value::Null => members.null(key),
            Value::Bool(value) => members.boolean(key, *value),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => members.number(key, value),
                (_, Some(value)) => members.number(key, value),
                _ => members.number(key, value.as_f64().unwrap()),
            },
            Value::String(value) => members.text(key, value),
            Value::Array(value) => members.array(key, |elements| write_elements(elements, value)),
            Value::Object(value) => members.object(key, |members| write_members(members, value)),
        };
    }
}

fn write_elements(elements: &mut Elements<'_>, array: &[Value]) {
    for value in array {
        match value {
            Value::Null => elements.null(),
            Value::Bool(value) => elements.boolean(*value),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => elements.number(value),
                (_, Some(value)) => elements.number(value),
                _ => elements.number(value.as_f64().unwrap()),
            },
            Value::String(value) => elements.text(value),
            Value::Array(value) => elements.array(|elements| write_elements(elements, value)),
            Value::Object(value) => elements.object(|members| write_members(members, value)),
        };
    }
}

fn texts() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        (0_u8..0x20).prop_map(|byte| char::from(byte).to_string()),
        Just("\u{7f}\u{80}".to_owned()),
        Just("\u{2028}\u{fffd}\u{ffff}".to_owned()),
        Just("\u{1f980}\u{10ffff}".to_owned()),
        Just(String::new()),
        "[a-z]{1,12}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(odd, 0..6).prop_map(|parts| parts.concat())
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![Just(0_u64), Just(u64::MAX)].prop_map(Value::from),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            objects(inner).prop_map(Value::Object),
        ]
    })
}

fn objects(values: impl Strategy<Value = Value>) -> impl Strategy<Value = serde_json::Map<String, Value>> {
    prop::collection::vec((texts(), values), 0..5).prop_map(|members| members.into_iter().collect())
}

#[derive(Clone, Debug)]
struct Meant {
    thread: usize,
    kind: String,
    cycle: Option<u64>,
    deterministic: bool,
    payload: serde_json::Map<String, Value>,
    by_serde: bool,
}

impl Meant {
    /// The slow twin.
    fn line(&self, tid: &Value, ordinal: u64) -> Value {
        let mut line = json!({
            "kind": self.kind, "tid": tid, "tid_event_idx": ordinal,
            "deterministic": self.deterministic, "payload": self.payload,
        });
        if let Some(cycle) = self.cycle {
            line["guest_cycle"] = cycle.into();
        }
        line
    }

    fn record(&self, thread: &mut ThreadLog) -> u64 {
        let mut event = thread.event(&self.kind);
        if let Some(cycle) = self.cycle {
            event = event.cycle(cycle);
        }
        if !self.deterministic {
            event = event.nondeterministic();
        }
        if self.by_serde {
            event.serialize(&self.payload).unwrap()
        } else {
            event.payload(|members| write_members(members, &self.payload))
        }
    }
}

fn meant() -> impl Strategy<Value = Meant> {
    let kind = texts().prop_filter("the header's", |kind| kind != "schema_version");
    (0_usize..3, kind, any::<Option<u64>>(), any::<bool>(), objects(values()), any::<bool>()).prop_map(
        |(thread, kind, cycle, deterministic, payload, by_serde)| Meant {
            thread,
            kind,
            cycle,
            deterministic,
            payload,
            by_serde,
        },
    )
}

proptest! {
    #[test]
    fn what_was_meant_is_in_the_log(events in prop::collection::vec(meant(), 0..30), name in texts(), ring_bytes in 64_usize..9000) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let recorder = Recorder::create(&path, Options { engine: name.clone(), ..small(ring_bytes, WhenFull::Wait) }).unwrap();
        let tids = [json!(u64::MAX), json!(-6), json!(name)];
        let mut threads =
            [Tid::from(u64::MAX), Tid::from(-6), Tid::from(&*name)].map(|tid| recorder.thread(tid).unwrap());
        let mut wanted = [const { Vec::new() }; 3];
        for meant in &events {
            let ordinal = meant.record(&mut threads[meant.thread]);
            prop_assert_eq!(ordinal, wanted[meant.thread].len() as u64);
            wanted[meant.thread].push(meant.line(&tids[meant.thread], ordinal));
        }
        let summary = recorder.finish().unwrap();
        prop_assert_eq!((summary.events, summary.dropped), (events.len() as u64, 0));
        prop_assert_eq!(summary.bytes, std::fs::metadata(&path).unwrap().len());
        let mut lines = lines(&path).into_iter();
        prop_assert_eq!(lines.next().unwrap(), json!({"kind": "schema_version", "schema_version": 1, "engine": name}));
        let mut found = [const { Vec::new() }; 3];
        for line in lines {
            found[tids.iter().position(|tid| *tid == line["tid"]).unwrap()].push(line);
        }
        prop_assert_eq!(found, wanted);
        // A process for each would take most of the time.
        if events.len() % 8 == 5 {
            check(&path);
        }
    }
}

#[test]
fn a_line_looks_as_the_documentation_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let header = vec![("build".to_owned(), "0.9.1\n".to_owned())];
    let recorder = Recorder::create(&path, Options { header, ..options() }).unwrap();
    let mut thread = recorder.thread(6).unwrap();
    thread.event("kernel.call").cycle(1999).payload(|payload| {
        payload.text("name", "NtClose").number("ord", 207).hex32("lr", 0x8211_0004).hex64("at", 1 << 63);
        payload.array("odd", |odd| {
            odd.number(f64::NAN).number(-1.5).hex32(7).hex64(8).null().boolean(true).text("é").number(u128::MAX);
            odd.array(|_| {}).object(|_| {});
        });
    });
    thread.event("input").nondeterministic().empty();
    recorder.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let wanted = r#"{"kind":"schema_version","schema_version":1,"engine":"tests","build":"0.9.1\n"}
{"kind":"kernel.call","tid":6,"tid_event_idx":0,"guest_cycle":1999,"deterministic":true,"payload":{"name":"NtClose","ord":207,"lr":"0x82110004","at":"0x8000000000000000","odd":[NaN,-1.5,"0x00000007","0x0000000000000008",null,true,"é",340282366920938463463374607431768211455,[],{}]}}
{"kind":"input","tid":6,"tid_event_idx":1,"deterministic":false,"payload":{}}
"#;
    assert_eq!(text, wanted);
    check(&path);
}

#[test]
fn the_clock_goes_forward() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let recorder = Recorder::create(&path, Options::new("tests")).unwrap();
    let mut thread = recorder.thread("main").unwrap();
    for _ in 0..100 {
        thread.event("tick").empty();
    }
    drop(thread);
    drop(recorder);
    let times: Vec<u64> = lines(&path).iter().skip(1).map(|line| line["host_ns"].as_u64().unwrap()).collect();
    assert!(times.len() == 100 && times.is_sorted(), "{times:?}");
}

#[test]
fn lines_wrap_at_every_place_of_the_ring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    // A line has about 80 bytes and what it tells: each length meets each place, and each is read to its end, or in between.
    let recorder = Recorder::create(&path, small(256, WhenFull::Wait)).unwrap();
    let mut thread = recorder.thread(1).unwrap();
    let text = "0123456789".repeat(20);
    for round in 0..4000 {
        thread.event("k").payload(|payload| {
            payload.text("t", &text[..round * 7 % 101]);
        });
        if round % 3 == 0 {
            recorder.flush().unwrap();
        }
    }
    assert_eq!(recorder.finish().unwrap().events, 4000);
    for (round, line) in lines(&path).iter().skip(1).enumerate() {
        assert_eq!(line["payload"]["t"], text[..round * 7 % 101]);
    }
    assert_eq!(reading(&path).threads["1"], 4000);
}

/// Threads that record at once, each so many events; what each could not record.
fn crowd(recorder: &Recorder, threads: u64, events: u64) -> u64 {
    thread::scope(|scope| {
        let recording = (0..threads).map(|tid| {
            scope.spawn(move || {
                let mut thread = recorder.thread(tid).unwrap();
                for event in 0..events {
                    thread.event("work").cycle(event).payload(|payload| {
                        payload
                            .text("name", "NtSetEvent")
                            .number("event", event)
                            .text("pad", &"x".repeat(event as usize % 90));
                    });
                }
                assert_eq!(thread.recorded(), events);
                thread.dropped()
            })
        });
        recording.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn sixteen_threads_write_whole_lines_and_lose_what_markers_tell() {
    for (when_full, ring_bytes) in [(WhenFull::Drop, 4096), (WhenFull::Wait, 1024), (WhenFull::Drop, 1 << 20)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let recorder = Recorder::create(&path, small(ring_bytes, when_full)).unwrap();
        let dropped = crowd(&recorder, 16, 5000);
        let summary = recorder.finish().unwrap();
        let reading = reading(&path);
        assert_eq!((reading.events, reading.dropped), (summary.events, summary.dropped));
        assert_eq!((summary.events + summary.dropped, summary.dropped), (16 * 5000, dropped));
        assert_eq!(summary.bytes, reading.bytes);
        assert!(reading.threads.values().all(|next| *next == 5000), "{reading:?}");
        assert!(when_full == WhenFull::Drop || dropped == 0);
        check(&path);
    }
}

/// A pipe that holds one page.
fn narrow_pipe() -> (File, File) {
    let (reader, writer) = io::pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
    (File::from(std::os::fd::OwnedFd::from(reader)), File::from(std::os::fd::OwnedFd::from(writer)))
}

/// A reader that takes a little, and takes its time.
fn slowly(mut pipe: File, bytes: usize, nap: Duration) -> Vec<u8> {
    let mut all = Vec::new();
    let mut block = vec![0; bytes];
    loop {
        match pipe.read(&mut block).unwrap() {
            0 => return all,
            some => all.extend_from_slice(&block[..some]),
        }
        thread::sleep(nap);
    }
}

#[test]
fn a_slow_disk_costs_events_and_each_is_counted() {
    let (reader, writer) = narrow_pipe();
    let slow = thread::spawn(move || slowly(reader, 4096, Duration::from_millis(1)));
    let recorder =
        Recorder::to(writer, Options { write_every: Duration::from_millis(1), ..small(8192, WhenFull::Drop) }).unwrap();
    let dropped = crowd(&recorder, 4, 30_000);
    let summary = recorder.finish().unwrap();
    drop(recorder);
    let reading = read(&*slow.join().unwrap()).unwrap();
    assert!(dropped > 0, "a page a millisecond is not enough for it");
    assert_eq!((reading.events, reading.dropped), (summary.events, dropped));
    assert_eq!((summary.events + dropped, summary.dropped), (120_000, dropped));
    assert!(reading.threads.values().all(|next| *next == 30_000), "the last are told, too: {reading:?}");
}

#[test]
fn who_waits_loses_nothing() {
    let (reader, writer) = narrow_pipe();
    let slow = thread::spawn(move || slowly(reader, 4096, Duration::from_micros(50)));
    let recorder = Recorder::to(writer, small(2048, WhenFull::Wait)).unwrap();
    assert_eq!(crowd(&recorder, 4, 3000), 0);
    drop(recorder);
    assert_eq!(read(&*slow.join().unwrap()).unwrap().events, 12_000);
}

#[test]
fn a_line_longer_than_its_ring_is_dropped_or_waited_for() {
    for when_full in [WhenFull::Drop, WhenFull::Wait] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let recorder = Recorder::create(&path, small(512, when_full)).unwrap();
        let mut thread = recorder.thread(1).unwrap();
        // The longest is longer than the buffer before the file.
        for bytes in [10, 600, 20, 700_000, 600, 30, 2000] {
            thread.event("k").payload(|payload| {
                payload.text("t", &"y".repeat(bytes));
            });
            // Room, so that only what never fits is dropped.
            recorder.flush().unwrap();
        }
        assert_eq!(thread.dropped(), if when_full == WhenFull::Drop { 4 } else { 0 });
        drop(thread);
        let summary = recorder.finish().unwrap();
        let reading = reading(&path);
        assert_eq!((reading.events + reading.dropped, reading.threads["1"]), (7, 7));
        assert_eq!((summary.events, summary.dropped, summary.bytes), (reading.events, reading.dropped, reading.bytes));
        let kinds: Vec<Value> = lines(&path).into_iter().skip(1).map(|line| line["kind"].clone()).collect();
        match when_full {
            WhenFull::Drop => assert_eq!(kinds, ["k", DROPPED, "k", DROPPED, "k", DROPPED]),
            WhenFull::Wait => assert_eq!(kinds, ["k"; 7]),
        }
        check(&path);
    }
}

#[test]
fn a_panic_in_a_payload_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let recorder = Recorder::create(&path, options()).unwrap();
    let mut thread = recorder.thread(1).unwrap();
    for _ in 0..50 {
        thread.event("before").payload(|payload| {
            payload.text("t", "x");
        });
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            thread.event("half").payload(|payload| {
                payload.text("t", "y");
                payload.object("o", |_| panic!("on purpose"));
            });
        }));
        assert!(panicked.is_err());
        thread.event("behind").serialize(&json!([1])).unwrap_err();
        let unserializable = std::collections::BTreeMap::from([((1, 2), 3)]);
        thread.event("behind").serialize(&unserializable).unwrap_err();
        thread.event("behind").payload(|payload| {
            payload.serialize("bad", &unserializable).unwrap_err();
            payload.serialize("good", &[1, 2]).unwrap();
            payload.array("a", |elements| {
                elements.serialize(&unserializable).unwrap_err();
                elements.serialize("s").unwrap();
            });
        });
    }
    recorder.finish().unwrap();
    let lines = lines(&path);
    assert_eq!(reading(&path).events, 100);
    assert_eq!(lines[1]["payload"], json!({"t": "x"}));
    assert_eq!(lines[100]["payload"], json!({"good": [1, 2], "a": ["s"]}));
}

#[test]
fn a_thread_has_one_log_at_a_time_and_its_id_may_be_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let recorder = Recorder::create(&path, options()).unwrap();
    for _ in 0..100 {
        let mut thread = recorder.thread(5).unwrap();
        assert_eq!(recorder.thread(5).unwrap_err(), InUse { tid: Tid::from(5) });
        assert_eq!(recorder.thread(5).unwrap_err().to_string(), "guest thread 5 has a log already");
        thread.event("work").empty();
        thread.event("thread.exit").empty();
    }
    // The name is another thread.
    let mut other = recorder.thread("5").unwrap();
    other.event("work").empty();
    drop(recorder);
    // The log is open as long as somebody may record.
    other.event("work").empty();
    drop(other);
    let lines = lines(&path);
    let kinds = |tid: Value| lines.iter().filter(move |line| line["tid"] == tid).map(|line| line["kind"].clone());
    assert!(kinds(json!(5)).eq(["work", "thread.exit"].repeat(100)), "generations stand one behind the other");
    assert_eq!(kinds(json!("5")).count(), 2);
    check(&path);
}

#[test]
fn what_is_recorded_behind_the_end_is_dropped_and_nothing_is_counted_twice() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let recorder = Recorder::create(&path, small(16 << 10, WhenFull::Drop)).unwrap();
        let stop = AtomicBool::new(false);
        let (summary, recorded) = thread::scope(|scope| {
            let recording: Vec<_> = (0..4)
                .map(|tid| {
                    let (recorder, stop) = (&recorder, &stop);
                    scope.spawn(move || {
                        let mut thread = recorder.thread(tid).unwrap();
                        while !stop.load(Ordering::Relaxed) {
                            thread.event("work").empty();
                        }
                        thread.recorded() - thread.dropped()
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(round % 4 + 1));
            let summary = recorder.finish().unwrap();
            stop.store(true, Ordering::Relaxed);
            (summary, recording.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>())
        });
        let reading = reading(&path);
        assert_eq!((reading.events, summary.events, reading.bytes), (recorded, recorded, summary.bytes));
        assert_eq!(reading.dropped, summary.dropped);
        assert_eq!(recorder.finish().unwrap(), summary, "a second end tells the same");
        let mut late = recorder.thread(9).unwrap();
        late.event("work").empty();
        assert_eq!((late.recorded(), late.dropped()), (1, 1));
    }
}

#[test]
fn a_disk_that_is_full_is_told() {
    let error = Recorder::create("/dev/full", options()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(Recorder::create("/nowhere/at/all", options()).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn behind_a_failed_write_everything_is_dropped_and_counted() {
    for (when_full, read_first) in
        [(WhenFull::Drop, 0), (WhenFull::Wait, 0), (WhenFull::Drop, 70_000), (WhenFull::Wait, 300_000)]
    {
        let (mut reader, writer) = narrow_pipe();
        let recorder = Recorder::to(writer, small(64 << 10, when_full)).unwrap();
        let reading = thread::spawn(move || {
            let mut all = vec![0; read_first];
            reader.read_exact(&mut all).unwrap();
            all
        });
        let dropped = crowd(&recorder, 4, 5000);
        assert_eq!(recorder.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(recorder.error().unwrap().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(recorder.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let all = reading.join().unwrap();
        let summary = recorder.summary();
        assert_eq!(summary.events + summary.dropped, 20_000);
        assert!(summary.dropped > dropped || dropped == 20_000, "{summary:?}, {dropped}");
        let lines = memchr::memchr_iter(b'\n', &all).count() as u64;
        assert!(summary.events + 1 + 20_000 >= lines && summary.bytes >= all.len() as u64, "{summary:?}");
    }
}
