//! Room `compare`: pairs whose bytes differ: along learned layouts and the exact way.
//!
//! Times are of one turn through all pairs of a group; the throughput line has pairs a second.

use super::compare::event;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use forkpoint::compare::{Comparer, Event, Scratch, Weighed};
use forkpoint::json::Pointer;
use forkpoint::profile::{IgnoreRule, MaskRule, Pattern, Profile, builtin};
use forkpoint::scan::Opener;

const PAIRS: usize = 1_000;

/// What one side of a pair of logs holds in its n-th line.
type Maker = fn(n: usize, candidate: bool) -> String;

fn v1(kind: &str, n: usize, payload: &str) -> String {
    let host = 1_718_200_000_000 + n * 977;
    format!(
        r#"{{"kind":"{kind}","tid":6,"tid_event_idx":{n},"host_ns":{host},"guest_cycle":{},"deterministic":true,"payload":{payload}}}"#,
        n * 31
    )
}

/// A payload of about a hundred bytes with a raw handle in it.
fn handle(n: usize, candidate: bool) -> String {
    let raw = if candidate { 4_160_749_576 + n } else { 16 + n * 4 };
    let payload = format!(
        r#"{{"handle_semantic_id":"event:{n:06}","raw_handle_id":{raw},"object_type":"Event","name":"level-{n:04}"}}"#
    );
    v1("handle.create", n, &payload)
}

fn returned(n: usize, candidate: bool) -> String {
    let address = if candidate { 0xBC22_0000 + n * 0x1000 } else { 0x4000_0000 + n * 0x1000 };
    let payload =
        format!(r#"{{"name":"MmAllocatePhysicalMemoryEx","return_value":{address},"status":"0x{address:08x}"}}"#);
    v1("kernel.return", n, &payload)
}

/// The same members in another order.
fn reordered(n: usize, candidate: bool) -> String {
    let (name, ord) = (format!(r#""name":"NtReadFile{}""#, n % 7), format!(r#""ord":{n}"#));
    let args = format!(r#""args":{{"offset":{},"bytes":2048,"path":"game:/data/{n}"}}"#, n * 2048);
    let payload = match candidate {
        false => format!("{{{name},{ord},{args}}}"),
        true => format!("{{{args},{name},{ord}}}"),
    };
    v1("kernel.call", n, &payload)
}

/// An instruction of a flat trace; cycles differ in every line.
fn instruction(n: usize, candidate: bool) -> String {
    let cycles = if candidate { n * 4 + 7 } else { n * 3 + 1_000_000 };
    format!(
        r#"{{"cpu":0,"n":{n},"pc":"0x{:04x}","op":"LDA","a":{},"x":{},"y":7,"sp":{},"flags":"0x35","cycles":{cycles}}}"#,
        n * 3 % 65536,
        n % 256,
        n % 13,
        200 + n % 50
    )
}

/// The masked column differs in its low bits.
fn masked(n: usize, candidate: bool) -> String {
    instruction(n, false).replace("0x35", if candidate { "0x05" } else { "0x35" })
}

fn trace() -> Profile {
    let pointer = |path: &str| Pointer::parse(path).expect("a path");
    let mut profile = builtin("generic").expect("it is built in");
    profile.roles.thread = vec![pointer("/cpu")];
    profile.roles.ordinal = Some(pointer("/n"));
    let pattern = |text: &str| Pattern::parse(text).expect("a path");
    let ignore = |name: &str, path| IgnoreRule {
        name: name.to_owned(),
        kinds: Vec::new(),
        path: pattern(path),
        when: Vec::new(),
        reason: String::new(),
    };
    profile.ignore.push(ignore("cycles", "/cycles"));
    profile.mask.push(MaskRule {
        name: "flags".to_owned(),
        kinds: Vec::new(),
        path: pattern("/flags"),
        when: Vec::new(),
        bits: 0x30,
        reason: String::new(),
    });
    profile
}

/// Calls `with` for each group and way with a turn through all its pairs; answers are checked first.
fn each(mut with: impl FnMut(&str, &str, &mut dyn FnMut())) {
    let v1 = || builtin("schema-v1").expect("it is built in");
    let groups: [(&str, Profile, Maker); 5] = [
        ("handle", v1(), handle),
        ("allocator", v1(), returned),
        ("reordered", v1(), reordered),
        ("trace-ignored", trace(), instruction),
        ("trace-masked", trace(), masked),
    ];
    for (name, profile, make) in groups {
        let lines: Vec<_> = (0..PAIRS).map(|n| [make(n, false), make(n, true)]).collect();
        let opener = Opener::new(&profile, false);
        for (way, layouts, strict) in [("head known", true, true), ("layouts", true, false), ("exact", false, false)] {
            let events: Vec<_> = lines
                .iter()
                .map(|pair| {
                    pair.each_ref().map(|line| Event { head_is_strict: strict, ..event(&opener, line.as_bytes()) })
                })
                .collect();
            let comparer = Comparer::new(&profile, false).with_layouts(layouts);
            let mut scratch = Scratch::default();
            for [x, y] in &events {
                let weighed = comparer.weigh(x, y, &mut scratch);
                assert!(matches!(weighed, Weighed::EqualRead(_)), "{weighed:?}");
            }
            let short = scratch.pairs_by_layout();
            assert_eq!(short, if layouts { PAIRS as u64 - 1 } else { 0 }, "{name}, {way}");
            with(name, way, &mut || {
                let equal =
                    |[x, y]: &[Event<'_>; 2]| matches!(comparer.weigh(x, y, &mut scratch), Weighed::EqualRead(_));
                assert!(events.iter().all(equal));
            });
        }
    }
}

fn weigh(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("weigh");
    group.throughput(Throughput::Elements(PAIRS as u64));
    each(|name, way, turn| {
        group.bench_function(BenchmarkId::new(name, way), |bencher| bencher.iter(&mut *turn));
    });
    group.finish();
}

criterion_group!(benches, weigh);
