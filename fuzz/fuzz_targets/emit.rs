//! What is recorded is what was meant, event by event as serde_json writes it, through rings that hold a line or two; what is not there a marker tells.
#![no_main]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::time::Duration;

use forkpoint::emit::{DROPPED, Elements, Members, Options, Recorder, WhenFull};
use forkpoint_fuzz::drawn;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

/// A value that bytes decide.
fn value(draw: &mut impl FnMut(u64) -> u64, depth: u64) -> Value {
    match draw(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => (draw(2) == 0).into(),
        2 => (0..draw(9)).fold(0, |number: u64, _| number << 8 | draw(256)).into(),
        3 => (-((0..draw(8)).fold(0, |number: i64, _| number << 8 | draw(256) as i64))).into(),
        // serde_json reads other digits than its own to the last bit only where few are given.
        4 => ((draw(256) as f64 - 128.0) / 64.0).into(),
        5 => text(draw).into(),
        6 => (0..draw(5)).map(|_| value(draw, depth - 1)).collect::<Vec<_>>().into(),
        _ => object(draw, depth - 1).into(),
    }
}

fn object(draw: &mut impl FnMut(u64) -> u64, depth: u64) -> Map<String, Value> {
    (0..draw(5)).map(|_| (text(draw), value(draw, depth))).collect()
}

fn text(draw: &mut impl FnMut(u64) -> u64) -> String {
    let bytes: Vec<u8> = (0..draw(20)).map(|_| draw(256) as u8).collect();
    if draw(4) == 0 { bytes.iter().map(|byte| char::from(*byte)).collect() } else { String::from_utf8_lossy(&bytes).into_owned() }
}

fn members(members: &mut Members<'_>, object: &Map<String, Value>) {
    for (key, value) in object {
        match value {
            Value::Null => members.null(key),
            Value::Bool(value) => members.boolean(key, *value),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => members.number(key, value),
                (_, Some(value)) => members.number(key, value),
                _ => members.number(key, value.as_f64().expect("a number")),
            },
            Value::String(value) => members.text(key, value),
            Value::Array(value) => members.array(key, |inner| elements(inner, value)),
            Value::Object(value) => members.object(key, |inner| self::members(inner, value)),
        };
    }
}

fn elements(elements: &mut Elements<'_>, array: &[Value]) {
    for value in array {
        match value {
            Value::Null => elements.null(),
            Value::Bool(value) => elements.boolean(*value),
            Value::Number(value) => match (value.as_u64(), value.as_i64()) {
                (Some(value), _) => elements.number(value),
                (_, Some(value)) => elements.number(value),
                _ => elements.number(value.as_f64().expect("a number")),
            },
            Value::String(value) => elements.text(value),
            Value::Array(value) => elements.array(|inner| self::elements(inner, value)),
            Value::Object(value) => elements.object(|inner| members(inner, value)),
        };
    }
}

fuzz_target!(|data: &[u8]| {
    let draw = &mut drawn(data);
    let mut file = tempfile::tempfile().expect("a file");
    let log: File = file.try_clone().expect("its twin");
    let waits = draw(2) == 0;
    let options = Options {
        ring_bytes: 64 << draw(6),
        when_full: if waits { WhenFull::Wait } else { WhenFull::Drop },
        host_ns: false,
        write_every: Duration::from_secs(3600),
        ..Options::new(text(draw))
    };
    let recorder = Recorder::to(log, options).expect("a file takes it");
    let mut threads = [0_u64, 1].map(|tid| recorder.thread(tid).expect("it is the first"));
    let mut meant = [const { Vec::new() }; 2];
    for _ in 0..data.len().min(400) / 8 {
        let which = draw(2) as usize;
        let (kind, payload) = (format!("k{}", text(draw)), object(draw, 3));
        let line = json!({"kind": kind, "tid": which, "tid_event_idx": meant[which].len(), "deterministic": true, "payload": payload});
        threads[which].event(&kind).payload(|inner| members(inner, &payload));
        meant[which].push(line);
        if draw(4) == 0 {
            recorder.flush().expect("a file takes it");
        }
    }
    if draw(2) == 0 {
        drop(threads);
    }
    let summary = recorder.finish().expect("a file takes it");
    let mut text = String::new();
    file.rewind().expect("a file");
    file.read_to_string(&mut text).expect("UTF-8");
    assert_eq!(text.len() as u64, summary.bytes);
    assert!(text.ends_with('\n'));
    let mut next: BTreeMap<u64, usize> = BTreeMap::new();
    let (mut events, mut dropped) = (0, 0);
    for line in text.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let tid = line["tid"].as_u64().expect("a number");
        let next = next.entry(tid).or_default();
        assert_eq!(line["tid_event_idx"], *next, "{line}");
        if line["kind"] == DROPPED {
            let lost = line["payload"]["events"].as_u64().expect("a number");
            assert!(lost > 0 && !waits);
            (*next, dropped) = (*next + lost as usize, dropped + lost);
        } else {
            assert_eq!(line, meant[tid as usize][*next]);
            (*next, events) = (*next + 1, events + 1);
        }
    }
    assert_eq!((events, dropped), (summary.events, summary.dropped));
    assert!((0..2).all(|tid| next.get(&tid).copied().unwrap_or(0) == meant[tid as usize].len()));
});
