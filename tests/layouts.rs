//! The short way of weighing along learned layouts, held against the exact way.
//!
//! `FORKPOINT_CASES` sets how many random logs are weighed both ways.

use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Event, Overlooked, Scratch, Weighed};
use forkpoint::json::{Pointer, Tape};
use forkpoint::profile::{
    AllocatorFunctions, AllocatorRule, Amount, Failure, IgnoreRule, MaskRule, Offset, OffsetRule, Pattern, PayloadRole,
    Profile, Spelling, SpellingRule, StrictReader, Tolerance, ToleranceRule, UnorderedRule, Width, builtin, parse,
};
use forkpoint::scan::{Opener, reopen};

/// A small seeded generator (splitmix64).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A JSON value as text parts: scalars and keys are tokens.
#[derive(Clone, Debug)]
enum Value {
    Scalar(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

const SCALARS: [&str; 44] = [
    "0",
    "1",
    "1.0",
    "1e0",
    "10e-1",
    "-0",
    "-0.0",
    "2",
    "17",
    "18",
    "255",
    "0.5",
    "-1",
    "1e400",
    "1234567890123456789012345678901234567890",
    "1234567890123456789012345678901234567891",
    "18446744073709551615",
    "3156344832",
    "3156410368",
    "3221225495",
    "1e99999999999999999999",
    "NaN",
    "Infinity",
    "-Infinity",
    "true",
    "false",
    "null",
    "null",
    "\"\"",
    "\"a\"",
    "\"\\u0061\"",
    "\"é\"",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "\"\\udfff x\"",
    "\"a longer text of more than sixteen bytes\"",
    "\"0x10\"",
    "\"0X10\"",
    "\"0xbc220000\"",
    "\"0xBC230000\"",
    "\"Alloc\"",
    "\"Other\"",
    "\"\\\"\\\\\\/\"",
    "\"日本\"",
];

const BROKEN: [&str; 12] = ["tru", "01", "1.", "+1", "\"", "\"\\x\"", "", "1 2", "-", "\"a", "\"\\u12\"", "nan"];

const KEYS: [&str; 10] = [
    "\"a\"",
    "\"b\"",
    "\"c\"",
    "\"\\u0061\"",
    "\"é\"",
    "\"fn\"",
    "\"value\"",
    "\"status\"",
    "\"a key of more than twenty-four bytes\"",
    "\"\"",
];

fn scalar(rng: &mut Rng) -> Value {
    Value::Scalar(rng.pick(&SCALARS).to_owned())
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 6 } else { 10 }) {
        6 | 7 => Value::Object(members(rng, depth - 1)),
        8 => Value::Array((0..rng.below(4)).map(|_| value(rng, depth - 1)).collect()),
        _ => scalar(rng),
    }
}

fn members(rng: &mut Rng, depth: usize) -> Vec<(String, Value)> {
    let mut members: Vec<(String, Value)> = Vec::new();
    let twins = rng.chance(4);
    for _ in 0..rng.below(7) {
        let key = rng.pick(&KEYS);
        if twins || members.iter().all(|(known, _)| known != key) {
            members.push((key.to_owned(), value(rng, depth)));
        }
    }
    members
}

fn payload(rng: &mut Rng) -> Value {
    match rng.below(20) {
        0 => scalar(rng),
        1 => Value::Array((0..rng.below(4)).map(|_| value(rng, 2)).collect()),
        2..=6 => {
            let mut all = members(rng, 2);
            all.retain(|(key, _)| !["\"fn\"", "\"value\"", "\"status\""].contains(&key.as_str()));
            all.insert(
                0,
                (
                    "\"fn\"".to_owned(),
                    Value::Scalar(rng.pick(&["\"Alloc\"", "\"\\u0041lloc\"", "\"Other\"", "1"]).to_owned()),
                ),
            );
            let address = rng.pick(&["3156344832", "3156410368", "0", "null", "\"0xbc220000\"", "7.5", "{}"]);
            all.push(("\"value\"".to_owned(), Value::Scalar(address.to_owned())));
            let status = rng.pick(&["\"0xbc220000\"", "\"0xBC230000\"", "\"0x0\"", "null", "1", "[]"]);
            all.push(("\"status\"".to_owned(), Value::Scalar(status.to_owned())));
            Value::Object(all)
        }
        _ => Value::Object(members(rng, 2)),
    }
}

/// Changes something somewhere in a value.
fn change(changed: &mut Value, rng: &mut Rng) {
    match changed {
        Value::Scalar(token) => {
            let tokens = if rng.chance(4) { &BROKEN[..] } else { &SCALARS[..] };
            *token = rng.pick(tokens).to_owned();
        }
        Value::Array(items) if !items.is_empty() && !rng.chance(15) => {
            let at = rng.below(items.len());
            change(&mut items[at], rng);
        }
        Value::Array(items) => items.push(scalar(rng)),
        Value::Object(members) => {
            let at = rng.below(members.len());
            match rng.below(12) {
                0 => members.push((rng.pick(&KEYS).to_owned(), scalar(rng))),
                1 => members.push((rng.pick(&KEYS).to_owned(), Value::Scalar("null".to_owned()))),
                2 | 3 if members.len() > 1 => {
                    let other = rng.below(members.len());
                    members.swap(at, other);
                }
                4 if !members.is_empty() => drop(members.remove(at)),
                5 if !members.is_empty() => members[at].1 = value(rng, 2),
                _ if !members.is_empty() => change(&mut members[at].1, rng),
                _ => {}
            }
        }
    }
}

/// How a writer spells: where it puts white space.
fn write(value: &Value, space: bool, out: &mut String) {
    let gap = if space { " " } else { "" };
    match value {
        Value::Scalar(token) => out.push_str(token),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(gap);
                write(item, space, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(key);
                out.push(':');
                out.push_str(gap);
                write(value, space, out);
            }
            out.push_str(gap);
            out.push('}');
        }
    }
}

/// One line around a payload, in one of a few styles.
fn line(payload: &Value, style: usize, noise: usize, kind: &str) -> Vec<u8> {
    let mut text = String::new();
    write(payload, style & 1 == 1, &mut text);
    match style >> 1 & 3 {
        0 => format!("{{\"kind\":{kind},\"tid\":1,\"ns\":{noise},\"payload\":{text}}}"),
        1 => format!("{{\"ns\":{noise},\"kind\": {kind} ,\"tid\":1 , \"payload\":{text} }}"),
        2 => format!("{{\"kind\":{kind},\"payload\":{text},\"tid\":1,\"zz\":{noise}}}"),
        _ => format!("{{\"tid\":1,\"payload\":{text},\"kind\":{kind}}}"),
    }
    .into_bytes()
}

/// The whole object compared: the payload's members stand beside the roles.
fn flat(payload: &Value, style: usize, noise: usize, kind: &str) -> Vec<u8> {
    let mut all = vec![
        ("\"kind\"".to_owned(), Value::Scalar(kind.to_owned())),
        ("\"tid\"".to_owned(), Value::Scalar("1".to_owned())),
        ("\"ns\"".to_owned(), Value::Scalar(noise.to_string())),
    ];
    match payload {
        Value::Object(members) => all.extend(members.clone()),
        other => all.push(("\"a\"".to_owned(), other.clone())),
    }
    let turn = (style >> 1) % all.len();
    all.rotate_left(turn);
    let mut text = String::new();
    write(&Value::Object(all), style & 1 == 1, &mut text);
    text.into_bytes()
}

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).expect("a pointer")
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("a path")
}

/// Rules at random places.
fn profile(rng: &mut Rng, whole: bool) -> Profile {
    let base = if whole { "" } else { "/payload" };
    let mut profile = builtin("generic").expect("it is built in");
    profile.roles.thread = vec![pointer("/tid")];
    profile.roles.kind = Some(pointer("/kind"));
    profile.roles.payload = if whole { PayloadRole::Whole } else { PayloadRole::At(pointer("/payload")) };
    profile.null_equals_missing = rng.chance(60);
    let paths = [
        "/a", "/b", "/c", "/a/b", "/b/a", "/c/0", "/a/1/b", "/é", "/c/c/c", "", "/value", "/fn", "/*", "/*/b", "/c/*",
        "/a/*/b", "/*/*",
    ];
    let kinds = |rng: &mut Rng| if rng.chance(50) { vec!["k".to_owned()] } else { Vec::new() };
    if whole {
        profile.ignore.push(IgnoreRule {
            name: "ns".to_owned(),
            kinds: Vec::new(),
            path: pattern("/ns"),
            when: Vec::new(),
            reason: String::new(),
        });
    }
    for n in 0..rng.below(4) {
        profile.ignore.push(IgnoreRule {
            name: format!("ignore-{n}"),
            kinds: kinds(rng),
            path: pattern(&format!("{base}{}", rng.pick(&paths))),
            when: Vec::new(),
            reason: String::new(),
        });
    }
    for n in 0..rng.below(3) {
        profile.mask.push(MaskRule {
            name: format!("mask-{n}"),
            kinds: kinds(rng),
            path: pattern(&format!("{base}{}", rng.pick(&paths))),
            when: Vec::new(),
            bits: rng.pick(&[0xFF, 1, u64::MAX, 0x10000]),
            reason: String::new(),
        });
    }
    others(rng, &mut profile, &|rng: &mut Rng| pattern(&format!("{base}{}", rng.pick(&paths))));
    for n in 0..rng.below(4) {
        profile.allocator.push(AllocatorRule {
            name: format!("allocator-{n}"),
            kind: "k".to_owned(),
            function: pointer(&if rng.chance(8) { "/ns".to_owned() } else { format!("{base}/fn") }),
            value: pointer(&format!("{base}/{}", rng.pick(&["value", "value", "value", "a", "status"]))),
            status: rng.chance(80).then(|| pointer(&format!("{base}/{}", rng.pick(&["status", "status", "b"])))),
            functions: vec![AllocatorFunctions {
                names: vec!["Alloc".to_owned()],
                failure: Failure { null: rng.chance(50), negative: rng.chance(50), values: vec![0], ranges: vec![] },
            }],
            reason: String::new(),
        });
    }
    profile
}

/// Rules of the other classes on scalars, and now and then one that only the exact way knows.
fn others(rng: &mut Rng, profile: &mut Profile, path: &dyn Fn(&mut Rng) -> Pattern) {
    let (kinds, when, reason) = (Vec::new(), Vec::new(), String::new());
    if rng.chance(30) {
        let absolute = Amount::parse(rng.pick(&["1", "0.5", "65536", "1e400"]));
        let tolerance = Tolerance { absolute, relative: None, ulps: Some(2) };
        let (name, path) = ("tolerance".to_owned(), path(rng));
        let rule =
            ToleranceRule { name, kinds: kinds.clone(), path, when: when.clone(), tolerance, reason: reason.clone() };
        profile.tolerance.push(rule);
    }
    if rng.chance(30) {
        let spelling = Spelling { hex: true, width: Some(Width::W32), case: rng.chance(50) };
        let (name, path) = ("spelling".to_owned(), path(rng));
        let rule =
            SpellingRule { name, kinds: kinds.clone(), path, when: when.clone(), spelling, reason: reason.clone() };
        profile.spelling.push(rule);
    }
    if rng.chance(30) {
        let offset = Offset { by: rng.pick(&[0x10000, 1, -1]), from: 0, to: 0xFFFF_FFFF };
        let (name, path) = ("offset".to_owned(), path(rng));
        profile.offset.push(OffsetRule {
            name,
            kinds: kinds.clone(),
            path,
            when: when.clone(),
            offset,
            reason: reason.clone(),
        });
    }
    if rng.chance(5) {
        let (name, path) = ("unordered".to_owned(), path(rng));
        profile.unordered.push(UnorderedRule { name, kinds, path, when, by: None, reason: reason.clone() });
    }
}

/// A line as an event; `None` where it cannot be opened.
fn event<'l>(opener: &Opener, profile: &Profile, line: &'l [u8]) -> Option<Event<'l>> {
    let span = reopen(opener, line, 0).ok()?;
    let mut event = event_of(&span, span.line_of(line), 1);
    if span.tail.start > 0 {
        // The head is valid if the line is with any other value in the payload's place.
        let mut probe = event.line[..span.tail.start as usize].to_vec();
        probe.extend_from_slice(b"0}");
        event.head_is_strict = StrictReader::new(profile).read(&probe, &mut Tape::default()).is_ok();
    }
    Some(event)
}

fn sorted(weighed: Weighed) -> Weighed {
    match weighed {
        Weighed::EqualRead(mut rules) => {
            rules.sort_unstable();
            Weighed::EqualRead(rules)
        }
        other => other,
    }
}

/// Weighs a log of pairs both ways; returns how many took the short way.
fn hold(seed: u64) -> u64 {
    let rng = &mut Rng(seed);
    let whole = rng.chance(40);
    let profile = profile(rng, whole);
    let opener = Opener::new(&profile, false);
    let short = Comparer::new(&profile, false);
    let exact = Comparer::new(&profile, false).with_layouts(false);
    let (mut kept, mut other) = (Scratch::default(), Scratch::default());
    let shapes: Vec<Value> = (0..1 + rng.below(3)).map(|_| payload(rng)).collect();
    let styles = [rng.below(8), rng.below(8)];
    for turn in 0..24 {
        let mut reference = shapes[rng.below(shapes.len())].clone();
        (0..rng.below(3)).for_each(|_| change(&mut reference, rng));
        let mut candidate = reference.clone();
        (0..rng.below(3)).for_each(|_| change(&mut candidate, rng));
        let kind = rng.pick(&["\"k\"", "\"k\"", "\"\\u006b\"", "\"other\"", "3"]);
        let make = if whole { flat } else { line };
        let stray = if rng.chance(10) { rng.below(8) } else { styles[1] };
        let mut lines = [make(&reference, styles[0], turn, kind), make(&candidate, stray, 1000 + turn, kind)];
        if rng.chance(5) {
            let side = rng.below(2);
            let at = rng.below(lines[side].len());
            lines[side][at] = rng.pick(b"\xff\"\\ ,:}{[]0a\x01");
        }
        let [x, y] = &lines;
        let (Some(mut x), Some(mut y)) = (event(&opener, &profile, x), event(&opener, &profile, y)) else { continue };
        x.head_is_strict &= rng.chance(80);
        y.head_is_strict &= rng.chance(80);
        x.must_read = rng.chance(10);
        if rng.chance(10) {
            // Another worker.
            kept = Scratch::default();
        }
        let wanted = sorted(exact.weigh(&x, &y, &mut other));
        for _ in 0..2 {
            let found = sorted(short.weigh(&x, &y, &mut kept));
            let told = [x.line, y.line].map(String::from_utf8_lossy);
            assert_eq!(found, wanted, "seed {seed}\n{}\n{}\n{profile:#?}", told[0], told[1]);
        }
    }
    kept.pairs_by_layout()
}

#[test]
fn the_short_way_answers_as_the_exact_way() {
    let cases = std::env::var("FORKPOINT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let first = std::env::var("FORKPOINT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let short: u64 = (first..first + cases).map(hold).sum();
    assert!(short > cases, "the short way is taken: {short} pairs");
}

/// Weighs pairs of lines that all are equal; returns the rules that overlooked something in the
/// last pair. All but the first, which is learned from, must take the short way.
fn all_short(profile: &Profile, pairs: &[[String; 2]]) -> Overlooked {
    let opener = Opener::new(profile, false);
    let comparer = Comparer::new(profile, false);
    let mut scratch = Scratch::default();
    let mut last = Overlooked::new();
    for [x, y] in pairs {
        let [x, y] = [x, y].map(|line| event(&opener, profile, line.as_bytes()).expect("a sound line"));
        assert_ne!(x.tail, y.tail, "they differ in their bytes");
        match comparer.weigh(&x, &y, &mut scratch) {
            Weighed::EqualRead(rules) => last = rules,
            other => panic!("{other:?}: {}", String::from_utf8_lossy(x.line)),
        }
    }
    assert_eq!(scratch.pairs_by_layout(), pairs.len() as u64 - 1);
    last
}

fn in_v1(kind: &str, n: usize, payload: &str) -> String {
    format!(r#"{{"kind":"{kind}","tid":6,"tid_event_idx":{n},"host_ns":{},"payload":{payload}}}"#, n * 977)
}

#[test]
fn handles_and_waits_take_the_short_way() {
    let profile = builtin("schema-v1").expect("it is built in");
    let handles: Vec<_> = (0..20)
        .map(|n| {
            let payload = |raw: usize| {
                format!(
                    r#"{{"handle_semantic_id":"event:{n}","raw_handle_id":{raw},"object_type":"Event","name":null}}"#
                )
            };
            [in_v1("handle.create", n, &payload(4_160_749_576 + n)), in_v1("handle.create", n, &payload(16 + n))]
        })
        .collect();
    assert_eq!(all_short(&profile, &handles).as_slice(), [1]);
    let waits: Vec<_> = (0..20)
        .map(|n| {
            let payload = |cycles: usize| format!(r#"{{"wait_result":{n},"wait_duration_cycles":{cycles}}}"#);
            [in_v1("wait.end", n, &payload(100 + n)), in_v1("wait.end", n, &payload(9 + n))]
        })
        .collect();
    assert_eq!(all_short(&profile, &waits).as_slice(), [2]);
}

#[test]
fn allocator_returns_take_the_short_way() {
    let profile = builtin("schema-v1").expect("it is built in");
    let returns: Vec<_> = (0..20)
        .map(|n| {
            let payload = |value: usize| {
                format!(r#"{{"name":"RtlAllocateHeap","return_value":{value},"status":"0x{value:08x}"}}"#)
            };
            [in_v1("kernel.return", n, &payload(0xBC22_0000 + n)), in_v1("kernel.return", n, &payload(0x4000_0000 + n))]
        })
        .collect();
    assert_eq!(all_short(&profile, &returns).as_slice(), [3]);
}

#[test]
fn reordered_keys_and_nulls_for_missing_ones_take_the_short_way() {
    let profile = builtin("schema-v1").expect("it is built in");
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let one = format!(r#"{{"name":"f{n}","ord":{n},"args":{{"size":{n},"flags":[1,2]}},"note":null}}"#);
            let two = format!(r#"{{ "args": {{"flags":[1.0,2],"size":{n}.0 }}, "ord":{n}, "name":"f{n}"}}"#);
            [in_v1("kernel.call", n, &one), in_v1("kernel.call", n, &two)]
        })
        .collect();
    assert_eq!(all_short(&profile, &calls).as_slice(), [0]);
}

fn traced(columns: &str) -> Profile {
    let mut profile = builtin("generic").expect("it is built in");
    profile.roles.thread = vec![pointer("/cpu")];
    profile.roles.ordinal = Some(pointer("/n"));
    let rule = |path: &str| IgnoreRule {
        name: "column".to_owned(),
        kinds: Vec::new(),
        path: pattern(path),
        when: Vec::new(),
        reason: String::new(),
    };
    match columns {
        "ignored" => profile.ignore.push(rule("/cycles")),
        _ => profile.mask.push(MaskRule {
            name: "column".to_owned(),
            kinds: Vec::new(),
            path: pattern("/flags"),
            when: Vec::new(),
            bits: 0x30,
            reason: String::new(),
        }),
    }
    profile
}

#[test]
fn flat_traces_with_a_noisy_column_take_the_short_way() {
    let trace = |n: usize, cycles: usize, flags: usize| {
        format!(
            r#"{{"cpu":0,"n":{n},"pc":"0x{:04x}","op":"LDA","a":{},"flags":{flags},"cycles":{cycles}}}"#,
            n * 3,
            n % 256
        )
    };
    let cycles: Vec<_> = (0..20).map(|n| [trace(n, n * 4, 5), trace(n, n * 4 + 7, 5)]).collect();
    assert_eq!(all_short(&traced("ignored"), &cycles).as_slice(), [1]);
    let flags: Vec<_> = (0..20).map(|n| [trace(n, n, 0x01), trace(n, n, 0x31)]).collect();
    assert_eq!(all_short(&traced("masked"), &flags).as_slice(), [1]);
}

/// Rules by their text over flat lines.
fn ruled(rules: &str) -> Profile {
    parse(&format!("version = 1\nroles.ordinal = '/n'\nroles.kind = '/op'\n{rules}"), "ruled.toml").expect("a profile")
}

#[test]
fn values_that_are_alike_take_the_short_way() {
    let profile = ruled(
        "tolerance = [{ name = 'near', path = '/x', relative = 0.01, reason = 'r' }]\n\
         spelling = [{ name = 'hex', path = '/regs/*', hex = true, width = 32, reason = 'r' }]\n\
         offset = [{ name = 'heap', path = '/p', by = 0x1000, reason = 'r' }]",
    );
    let trace = |n: usize, x: f64, r: &str, p: usize| {
        format!(r#"{{"n":{n},"op":"add","x":{x:?},"regs":{{"r3":{r}}},"p":{p}}}"#)
    };
    let near: Vec<_> =
        (0..20).map(|n| [trace(n, n as f64 + 10.5, "1", 7), trace(n, n as f64 + 10.51, "1", 7)]).collect();
    assert_eq!(all_short(&profile, &near).as_slice(), [1]);
    let hex: Vec<_> = (1..20)
        .map(|n| {
            [trace(n, 0.5, &format!("-{n}"), 7), trace(n, 0.5, &format!("\"0x{:08x}\"", u32::MAX - n as u32 + 1), 7)]
        })
        .collect();
    assert_eq!(all_short(&profile, &hex).as_slice(), [2]);
    let moved: Vec<_> = (0..20).map(|n| [trace(n, 0.5, "1", 0x8000 + n), trace(n, 0.5, "1", 0x9000 + n)]).collect();
    assert_eq!(all_short(&profile, &moved).as_slice(), [3]);
}

#[test]
fn stars_stay_on_the_short_way_and_conditions_and_arrays_without_order_leave_it() {
    let line = |n: usize, noise: usize| {
        format!(r#"{{"n":{n},"op":"add","args":[{{"handle":{noise},"size":4}},{{"handle":{}}}]}}"#, noise + 1)
    };
    let pairs: Vec<_> = (0..20).map(|n| [line(n, 100 + n), line(n, 300 + n)]).collect();
    let stars = ruled("ignore = [{ name = 'handles', path = '/args/*/handle', reason = 'r' }]");
    assert_eq!(all_short(&stars, &pairs).as_slice(), [1]);
    for rules in [
        "ignore = [{ name = 'handles', path = '/args/*/handle', when = { path = '/op', equals = 'add' }, reason = 'r' }]",
        "ignore = [{ name = 'handles', path = '/args/*/handle', reason = 'r' }]\nunordered = [{ name = 'u', path = '/x', reason = 'r' }]",
    ] {
        for (kinds, short) in [("kinds = ['add'], ", 0), ("kinds = ['sub'], ", 19)] {
            // Only the kinds that have such rules pay for them.
            let rules = rules.replace("when =", &format!("{kinds}when =")).replace("'/x', ", &format!("'/x', {kinds}"));
            let profile = ruled(&format!(
                "{rules}\nmask = [{{ name = 'bits', path = '/args/*/handle', bits = 0xFFFF, reason = 'r' }}]"
            ));
            let (opener, comparer, mut scratch) =
                (Opener::new(&profile, false), Comparer::new(&profile, false), Scratch::default());
            for [x, y] in &pairs {
                let [x, y] = [x, y].map(|line| event(&opener, &profile, line.as_bytes()).expect("a sound line"));
                assert!(matches!(comparer.weigh(&x, &y, &mut scratch), Weighed::EqualRead(_)));
            }
            assert_eq!(scratch.pairs_by_layout(), short, "{rules}");
        }
    }
}

#[test]
fn sorted_keys_with_the_payload_not_last_take_the_short_way() {
    let profile = builtin("schema-v1").expect("it is built in");
    let line = |n: usize, raw: usize| {
        format!(
            r#"{{"host_ns":{raw},"kind":"handle.create","payload":{{"raw_handle_id":{raw}}},"tid":{},"tid_event_idx":{n}}}"#,
            raw % 2
        )
    };
    let pairs: Vec<_> = (0..20).map(|n| [line(n, 100 + n), line(n, 9 + n)]).collect();
    assert_eq!(all_short(&profile, &pairs).as_slice(), [1]);
}

#[test]
fn without_layouts_nothing_takes_the_short_way() {
    let profile = builtin("schema-v1").expect("it is built in");
    let comparer = Comparer::new(&profile, false).with_layouts(false);
    let (opener, mut scratch) = (Opener::new(&profile, false), Scratch::default());
    for n in 0..5 {
        let lines = [1, 2].map(|raw| in_v1("handle.create", n, &format!(r#"{{"raw_handle_id":{raw}}}"#)));
        let [x, y] = [0, 1].map(|side| event(&opener, &profile, lines[side].as_bytes()).expect("a sound line"));
        assert!(matches!(comparer.weigh(&x, &y, &mut scratch), Weighed::EqualRead(_)));
    }
    assert_eq!(scratch.pairs_by_layout(), 0);
}
