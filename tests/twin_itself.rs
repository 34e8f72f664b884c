//! The slow twin held to the contract's own examples, and its parser to serde_json and bigdecimal.

mod twin;

use proptest::prelude::*;
use std::str::FromStr;
use twin::diff::diff;
use twin::json::{Value, parse};
use twin::lines::{looks_glued, read_log};
use twin::opened::{open, read};
use twin::rules::{Choices, Map, Rules, TIMES, Times};

fn value(text: &str) -> Value {
    parse(text.as_bytes()).unwrap_or_else(|refused| panic!("{text}: {refused:?}"))
}

#[test]
fn numbers_are_equal_by_value() {
    for (a, b) in [
        ("1", "1.0"),
        ("1", "1e0"),
        ("-0", "0"),
        ("0.0e99999999999999999999", "0"),
        ("1e400", "10e399"),
        ("1234567890123456789012345678901234567890", "123456789012345678901234567890123456789e1"),
        ("100", "1E+2"),
        ("0.001", "1e-3"),
        ("1e99999999999999999999", "1.0E+099999999999999999999"),
    ] {
        assert_eq!(value(a), value(b), "{a} {b}");
    }
    for (a, b) in [
        ("9007199254740993", "9007199254740992.0"),
        ("1", "true"),
        ("1e400", "1e401"),
        ("1", "-1"),
        ("1", "\"1\""),
        ("NaN", "Infinity"),
        ("1e99999999999999999999", "1e-99999999999999999999"),
        ("null", "false"),
    ] {
        assert_ne!(value(a), value(b), "{a} {b}");
    }
    assert_eq!(value("NaN"), value("NaN"));
}

#[test]
fn strings_are_equal_by_code_points() {
    assert_eq!(value(r#""\u00e9\ud83d\ude00\/""#), value("\"é😀/\""));
    assert_ne!(value(r#""\ud800""#), value(r#""\ud801""#));
    assert_ne!(value(r#""\ud800\u0041""#), value(r#""\ud800""#));
    assert_eq!(value(r#""\ud800\ud83d\ude00""#), value("\"\\uD800😀\""));
}

#[test]
fn the_last_of_equal_keys_wins_in_the_place_of_the_first() {
    let object = value(r#"{"a":1,"b":2,"\u0061":3}"#);
    assert_eq!(object, value(r#"{"b":2,"a":3.0}"#));
    let Value::Object(members) = object else { panic!() };
    assert_eq!(members[0].0, b"a");
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "tru",
        "nul",
        "-",
        "-NaN",
        "\"a",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "{} {}",
        "{a:1}",
        "\u{feff}{}",
        "[",
        "{\"a\":1]",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(parse(b"\"\xed\xa0\x80\"").is_err(), "an encoded surrogate");
    let deep = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
    assert!(parse(&deep(1024)).is_ok());
    assert!(parse(&deep(1025)).is_err());
}

proptest! {
    #[test]
    fn the_parser_agrees_with_serde_json(text in r#"[\[\]{}:,"0-9.eE+\-truefalsn \\ab]{0,12}"#) {
        let ours = parse(text.as_bytes());
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // serde_json refuses numbers beyond a double; none of its rules are wider than ours.
        match (&ours, &theirs) {
            (Err(refused), Ok(_)) => prop_assert!(false, "{text:?} refused: {refused:?}"),
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{text:?}: {error}"),
            _ => {}
        }
    }

    #[test]
    fn serde_json_values_survive(a in any_value(), b in any_value()) {
        let [x, y] = [&a, &b].map(|value| parse(value.to_string().as_bytes()).unwrap());
        prop_assert_eq!(x == y, a == b);
        prop_assert_eq!(&x, &parse(serde_json::to_string_pretty(&a).unwrap().as_bytes()).unwrap());
    }

    #[test]
    fn numbers_agree_with_bigdecimal(a in number_text(), b in number_text()) {
        let exact = |text: &str| bigdecimal::BigDecimal::from_str(text).unwrap().normalized();
        prop_assert_eq!(value(&a) == value(&b), exact(&a) == exact(&b));
        prop_assert_eq!(value(&a), value(&format!("{}e0", a.split(['e', 'E']).next().unwrap()).replace("e0", &a[a.find(['e', 'E']).unwrap_or(a.len())..])));
    }
}

fn number_text() -> impl Strategy<Value = String> {
    r"-?(0|[1-9][0-9]{0,2})(\.[01]{1,3})?([eE][+\-]?[0-3])?"
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-3i64..3).prop_map(Into::into),
        "[a-c\\\\\"\u{1}é😀]{0,2}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            proptest::collection::btree_map("[ab]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

const HEAD: &str = "{\"kind\":\"schema_version\",\"schema_version\":1}\n";

fn log(lines: &[&str]) -> Vec<u8> {
    format!("{HEAD}{}", lines.iter().map(|line| format!("{line}\n")).collect::<String>()).into_bytes()
}

fn event(tid: u64, ordinal: u64, kind: &str, payload: &str) -> String {
    format!(r#"{{"kind":"{kind}","tid":{tid},"tid_event_idx":{ordinal},"payload":{payload}}}"#)
}

#[test]
fn opening_stops_where_every_role_is_met() {
    let rules = Rules::schema_v1();
    let opens = |line: &str| open(line.as_bytes(), &rules, false).is_ok();
    assert!(opens(r#"{"kind":"a","tid":1,"tid_event_idx":0,"payload":{tru]}"#));
    assert!(opens(r#"{"tid":1,"payload":{"x":[)}},"tid_event_idx":1.0e0,"kind":null,whatever}"#));
    assert!(opens(r#"{"host":"\q","tid":"a","tid_event_idx":0}"#));
    for line in [
        r#"{"kind":"a","tid":1,"tid_event_idx":0,"payload":{}} "#,
        r#"{"host":007,"tid":1,"tid_event_idx":0}"#,
        r#"{"host":tru,"tid":1,"tid_event_idx":0}"#,
        r#"{"tid":1.5,"tid_event_idx":0}"#,
        r#"{"tid":[1],"tid_event_idx":0}"#,
        r#"{"tid":null,"tid_event_idx":0}"#,
        r#"{"tid":true,"tid_event_idx":0}"#,
        r#"{"tid":1,"tid_event_idx":-1}"#,
        r#"{"tid":1,"tid_event_idx":18446744073709551616}"#,
        r#"{"tid":1,"tid_event_idx":"0"}"#,
        r#"{"tid":1}"#,
        r#"{"tid_event_idx":1}"#,
        r#"{"kind":{},"tid":1,"tid_event_idx":0}"#,
        r#"{"kind":"schema_version","tid":1,"tid_event_idx":0}"#,
        r#"{"tid":1,"tid_event_idx":0}{"a":1}"#,
        r#"{"payload":{},"kind":"a","tid":1,"tid_event_idx":4nt_idx":0}"#,
        r#"{"payload":{},"tid":1,"tid_event_idx":4,"kind":nullx}"#,
        "[1]",
        "42",
    ] {
        assert!(!opens(line), "{line}");
    }
    let opened = open(br#"{"tid":1,"tid_event_idx":0,"kind":"k","payload": {"a":1} }"#, &rules, false).unwrap();
    assert_eq!(opened.tail, 49..57);
    let opened = open(br#"{"payload":{"a":1},"tid":1,"tid_event_idx":0,"kind":"k"}"#, &rules, false).unwrap();
    assert_eq!(opened.tail, 11..18);
    assert!(read(br#"{"tid":1,"tid":1}"#, &rules).is_err());
    assert!(read(br#"{"x":1,"x":1}"#, &rules).is_ok());
}

#[test]
fn glued_lines_show() {
    assert!(looks_glued(br#"{"kind":"a"}{"kind":"b"}"#));
    assert!(!looks_glued(br#"{"kind":"a","x":{"kind":"b"}}"#) || looks_glued(br#"{"kind":"a","x":{"kind":"b"}}"#));
    assert!(!looks_glued(br#"{"kind":"a","x": "kind"}"#));
}

#[test]
fn lanes_have_generations() {
    let rules = Rules::schema_v1();
    let events = [
        event(1, 0, "a", "{}"),
        event(1, 5, "thread.exit", "{}"),
        event(1, 3, "a", "{}"),
        event(1, 0, "a", "{}"),
        event(2, 1, "a", "{}"),
        event(2, 1, "a", "{}"),
    ];
    let bytes = log(&events.iter().map(String::as_str).collect::<Vec<_>>());
    let read = read_log(&bytes, &rules, &Choices::default()).unwrap();
    assert_eq!(read.lanes.iter().map(|lane| lane.generation).collect::<Vec<_>>(), [0, 1, 2, 0]);
    assert_eq!(read.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [7]);
    assert!(read.ended_by_fault);
}

fn verdict(a: &[u8], b: &[u8], choices: &Choices) -> String {
    match diff([a, b], &Rules::schema_v1(), choices, &TIMES) {
        Ok(outcome) => {
            let kinds = outcome.pairings.iter().map(|pairing| {
                let kind = pairing.divergence.as_ref().map_or("", |divergence| divergence.kind);
                format!(" {}:{}:{kind}@{}", pairing.by, pairing.status, pairing.compared)
            });
            format!("{}{}", outcome.verdict, kinds.collect::<String>())
        }
        Err(why) => format!("trouble: {why}"),
    }
}

fn run(count: usize, edit: impl Fn(usize) -> Option<String>) -> Vec<u8> {
    let lines: Vec<String> = (0..count).filter_map(edit).collect();
    log(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn plain(at: usize) -> String {
    event(1, at as u64, "k", &format!("{{\"n\":{at}}}"))
}

#[test]
fn each_kind_of_divergence_is_named() {
    let whole = run(20, |at| Some(plain(at)));
    let with = |edit: &dyn Fn(usize) -> Option<String>| verdict(&whole, &run(20, edit), &Choices::default());
    assert_eq!(with(&|at| Some(plain(at))), "identical first-call:identical:@20");
    let renumbered = |at: usize, n: usize| event(1, n as u64, "k", &format!("{{\"n\":{at}}}"));
    assert_eq!(
        with(&|at| (at != 9).then(|| renumbered(at, at - usize::from(at > 9)))),
        "diverged only:diverged:missing@9"
    );
    assert_eq!(with(&|at| Some(if at == 9 { renumbered(99, 9) } else { plain(at) })), "diverged only:diverged:value@9");
    assert_eq!(with(&|at| Some(renumbered(at, at + usize::from(at > 8)))), "diverged first-call:diverged:ordinal@9");
    assert_eq!(
        with(&|at| Some(if at == 9 { event(1, 9, "x", "{}") } else { plain(at) })),
        "diverged only:diverged:kind@9"
    );
    assert_eq!(with(&|at| (at < 9).then(|| plain(at))), "diverged only:diverged:ended-early@9");
    let shorter = run(10, |at| Some(plain(at)));
    let prefix = Choices { prefix: true, ..Choices::default() };
    assert!(verdict(&whole, &shorter, &prefix).starts_with("identical"));
    let extra = run(21, |at| Some(if at == 9 { renumbered(99, 9) } else { renumbered(at - usize::from(at > 9), at) }));
    assert_eq!(verdict(&whole, &extra, &Choices::default()), "diverged only:diverged:extra@9");
}

#[test]
fn allocators_are_compared_by_success() {
    let one = |name: &str, payload: &str| {
        run(1, |_| Some(event(1, 0, "kernel.return", &format!("{{\"name\":\"{name}\"{payload}}}"))))
    };
    let same = |name, a, b| verdict(&one(name, a), &one(name, b), &Choices::default()).starts_with("identical");
    let (heap, nt) = ("RtlAllocateHeap", "NtAllocateVirtualMemory");
    assert!(same(
        heap,
        r#","return_value":4096,"status":"0x00001000""#,
        r#","return_value":"0x2000","status":"0X2000""#
    ));
    assert!(!same(heap, r#","return_value":4096,"status":"0x00001000""#, r#","return_value":8192,"status":"0x1000a""#));
    assert!(!same(heap, r#","return_value":4096"#, r#","return_value":0"#));
    assert!(!same(heap, r#","return_value":4096"#, ""));
    assert!(same(heap, r#","return_value":null"#, ""));
    assert!(!same(heap, r#","return_value":0"#, r#","return_value":"0x0""#));
    assert!(same(nt, r#","return_value":0"#, r#","return_value":3221225472"#));
    assert!(!same(nt, r#","return_value":0"#, r#","return_value":3221225495"#));
    assert!(!same(nt, r#","return_value":-1"#, r#","return_value":-2"#));
    assert!(!same(nt, r#","return_value":1"#, r#","return_value":null"#));
    assert!(!same(heap, r#","return_value":1.5"#, r#","return_value":2.5"#));
    assert!(!same("NtClose", r#","return_value":1"#, r#","return_value":2"#));
}

#[test]
fn null_is_missing_at_the_top_of_the_payload_only() {
    let same = |a: &str, b: &str| {
        let [a, b] = [a, b].map(|payload| run(1, |_| Some(event(1, 0, "k", payload))));
        verdict(&a, &b, &Choices::default()).starts_with("identical")
    };
    assert!(same(r#"{"a":null}"#, "{}"));
    assert!(same("null", "{}"));
    assert!(!same(r#"{"a":{"b":null}}"#, r#"{"a":{}}"#));
    assert!(!same("[]", "{}"));
    assert!(same("[1,NaN]", "[1.0,NaN]"));
}

#[test]
fn a_torn_line_is_no_fault_and_cuts() {
    let whole = run(9, |at| Some(plain(at)));
    let torn = whole[..whole.len() - 5].to_vec();
    assert_eq!(verdict(&whole, &torn, &Choices::default()), "diverged only:diverged:ended-early@8");
    let unterminated = whole[..whole.len() - 1].to_vec();
    assert_eq!(verdict(&whole, &unterminated, &Choices::default()), "identical first-call:identical:@9");
    assert_eq!(verdict(b"", &whole, &Choices::default()), "trouble: no header");
    assert_eq!(verdict(HEAD.as_bytes(), HEAD.as_bytes(), &Choices::default()), "inconclusive");
}

#[test]
fn faults_end_what_they_meet() {
    let whole = run(9, |at| Some(plain(at)));
    let garbage = run(9, |at| Some(if at == 4 { "garbage".into() } else { plain(at) }));
    assert_eq!(verdict(&whole, &garbage, &Choices::default()), "trouble only:diverged:ended-early@4");
    let unread = run(9, |at| Some(if at == 4 { event(1, 4, "k", "{]}") } else { plain(at) }));
    assert_eq!(verdict(&whole, &unread, &Choices::default()), "trouble only:faulty:@4");
    assert_eq!(verdict(&unread, &unread, &Choices::default()), "identical first-call:identical:@9");
    let strict = Choices { strict: true, ..Choices::default() };
    assert_eq!(verdict(&unread, &unread, &strict), "trouble first-call:faulty:@4");
    let skip = Choices { skip_malformed: true, ..Choices::default() };
    assert_eq!(verdict(&whole, &garbage, &skip), "inconclusive only:identical:@8");
    assert_eq!(verdict(&whole, &unread, &skip), "inconclusive only:identical:@8");
}

#[test]
fn lanes_pair_by_openings_then_by_likeness_then_in_order() {
    let times = Times { opening: 4, patience: 20, late: 40, crowd: 100 };
    let lane = |tid: u64, n: usize, marks: &str| -> Vec<String> {
        (0..n)
            .map(|at| event(tid, at as u64, "k", &format!("\"{}\"", marks.as_bytes()[at % marks.len()] as char)))
            .collect()
    };
    let pairs = |a: Vec<String>, b: Vec<String>, times: &Times| {
        let [a, b] = [a, b].map(|lines| log(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
        let (rules, choices) = (Rules::schema_v1(), Choices::default());
        let outcome = diff([&a, &b], &rules, &choices, times).unwrap();
        let name = |side: usize, lane: Option<usize>| {
            lane.map_or("-".to_owned(), |lane| {
                format!("{}", outcome.twin.logs[side].lanes[lane].thread[0].as_integer().unwrap())
            })
        };
        let shown = outcome.pairings.iter().map(|pairing| {
            let doubt = if pairing.ambiguous { "?" } else { "" };
            format!("{}={} {}{doubt}", name(0, pairing.lanes[0]), name(1, pairing.lanes[1]), pairing.by)
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    let reference = [lane(1, 5, "aaaa"), lane(2, 5, "abbb"), lane(3, 40, "abcd")].concat();
    let candidate = [lane(7, 5, "abbx"), lane(8, 5, "aaaa"), lane(9, 40, "abcd")].concat();
    assert_eq!(pairs(reference, candidate, &times), "1=8 first-call, 2=7 prefix, 3=9 first-call");
    let twins = [lane(1, 5, "a"), lane(2, 5, "a")].concat();
    assert_eq!(
        pairs(twins.clone(), [lane(8, 5, "a"), lane(9, 5, "a")].concat(), &times),
        "1=8 first-call, 2=9 first-call"
    );
    let odd = [lane(8, 5, "b"), lane(9, 5, "c")].concat();
    assert_eq!(pairs(twins.clone(), odd.clone(), &times), "1=8 prefix?, 2=9 prefix?");
    let crowd = Times { crowd: 1, ..times };
    assert_eq!(pairs(twins.clone(), odd, &crowd), "1=8 order?, 2=9 order?");
    // Alone in its group: order. Of another kind at first, and alike then; and too little alike.
    let late = [lane(8, 5, "a"), lane(9, 5, "c")].concat();
    assert_eq!(pairs(twins, late, &times), "1=8 first-call, 2=9 order");
    let other =
        |tid: u64, marks: &str| [vec![event(tid, 0, "other", "{}")], lane(tid, 9, marks)[1..].to_vec()].concat();
    let eight = Times { opening: 8, ..times };
    let all = |tid: u64| lane(tid, 9, "abcdefgh");
    assert_eq!(
        pairs([all(1), lane(2, 9, "x")].concat(), [other(7, "abcdefgh"), lane(8, 9, "x")].concat(), &eight),
        "1=7 likeness, 2=8 first-call"
    );
    assert_eq!(
        pairs([all(1), lane(2, 9, "x")].concat(), [other(7, "abcijkgh"), lane(8, 9, "x")].concat(), &eight),
        "1=- none, 2=8 first-call, -=7 none"
    );
    assert_eq!(pairs(lane(1, 5, "a"), lane(2, 5, "b"), &times), "1=2 only");
}

#[test]
fn maps_name_lanes() {
    let lines: Vec<String> = [1, 2, 3].into_iter().map(|tid| event(tid, 0, "k", "{}")).collect();
    let bytes = log(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let same = Choices { map: Map::Same, ..Choices::default() };
    assert_eq!(verdict(&bytes, &bytes, &same), format!("identical{}", " same:identical:@1".repeat(3)));
    let lane = |tid| (Value::integer(tid), 0);
    let given = Choices { map: Map::Given(vec![[lane(1), lane(3)]]), ..Choices::default() };
    let left = " none:not-compared:@0".repeat(2);
    assert_eq!(
        verdict(&bytes, &bytes, &given),
        format!("identical given:identical:@1{left}{}", " none:not-compared:@0".repeat(2))
    );
    let nobody = Choices { map: Map::Given(vec![[lane(1), lane(9)]]), ..Choices::default() };
    assert!(verdict(&bytes, &bytes, &nobody).starts_with("trouble"));
}

/// The generator is worth little if it does not reach every corner of the contract.
#[test]
fn the_generator_reaches_every_verdict_and_kind() {
    use std::collections::BTreeMap;
    use twin::pairs::{Family, case};
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for family in [Family::Sound, Family::Damaged, Family::Generic] {
        for seed in 0..400 {
            let case = case(family, seed);
            let (rules, choices) = twin::flags::understand(&case.flags);
            let bytes = [case.bytes(0), case.bytes(1)];
            let mut count = |what: String| *seen.entry(what).or_default() += 1;
            match diff([&bytes[0], &bytes[1]], &rules, &choices, &TIMES) {
                Err(why) => count(why.to_owned()),
                Ok(outcome) => {
                    count(format!("{family:?} {}", outcome.verdict));
                    for pairing in &outcome.pairings {
                        count(format!("status {}", pairing.status));
                        count(format!("by {}", pairing.by));
                        count(
                            pairing.divergence.as_ref().map_or("same".into(), |found| format!("kind {}", found.kind)),
                        );
                    }
                    outcome.faults.iter().flatten().for_each(|fault| count(format!("fault {}", fault.why)));
                    outcome.report();
                }
            }
        }
    }
    println!("{seen:#?}");
    for kind in ["value", "kind", "ordinal", "missing", "extra", "ended-early", "unmatched"] {
        assert!(seen.contains_key(&format!("kind {kind}")), "{kind}");
    }
    for verdict in ["identical", "diverged", "inconclusive", "trouble"] {
        assert!(seen.contains_key(&format!("Damaged {verdict}")), "{verdict}");
    }
}

#[test]
fn long_logs_pair_by_likeness_before_their_end() {
    use std::collections::BTreeSet;
    use twin::pairs::{Family, case};
    let mut seen = BTreeSet::new();
    for seed in 1..4 {
        let case = case(Family::Long, seed);
        let bytes = [case.bytes(0), case.bytes(1)];
        let (rules, choices) = twin::flags::understand(&case.flags);
        let outcome = diff([&bytes[0], &bytes[1]], &rules, &choices, &TIMES).unwrap();
        seen.extend(outcome.pairings.iter().map(|pairing| pairing.by));
        assert!(outcome.report().get("first").is_some());
    }
    assert!(seen.contains("prefix"), "{seen:?}");
}
