//! RFC 8259, production by production: every case of `corpus/json/grammar` decided by serde_json as a referee, by the
//! readers, by the slow twin, by `forkpoint check`, and along learned layouts and moulds.

mod common;
// Not everything of it is used here.
#[allow(dead_code)]
#[path = "../examples/show/grammar.rs"]
mod grammar;
mod twin;

use common::cases::corpus;
use common::{Folder, forkpoint, text};
use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Scratch, Weighed};
use forkpoint::json::{Pointer, Tape, Validator, check_by_cursor};
use forkpoint::profile::{IgnoreRule, Pattern, Profile, Reading, builtin};
use forkpoint::scan::{Opener, ScanOptions, ScannedWindow, reopen, scan_window, window};
use forkpoint::source::{Log, OpenOptions};
use grammar::{Case, Grammar, Place, Says, judged, lay, logs};
use serde_json::value::RawValue;

/// The names of RFC 8259's rules; behind them the core rules they use (RFC 5234) and UTF-8 (RFC 3629).
const PRODUCTIONS: [&str; 39] = [
    "JSON-text",
    "begin-array",
    "begin-object",
    "end-array",
    "end-object",
    "name-separator",
    "value-separator",
    "ws",
    "value",
    "false",
    "null",
    "true",
    "object",
    "member",
    "array",
    "number",
    "decimal-point",
    "digit1-9",
    "e",
    "exp",
    "frac",
    "int",
    "minus",
    "plus",
    "zero",
    "string",
    "char",
    "escape",
    "quotation-mark",
    "unescaped",
    "DIGIT",
    "HEXDIG",
    "UTF8-octets",
    "UTF8-char",
    "UTF8-1",
    "UTF8-2",
    "UTF8-3",
    "UTF8-4",
    "UTF8-tail",
];

fn load() -> (Grammar, Vec<Case>) {
    let grammar = Grammar::load(&corpus().join("json/grammar")).unwrap();
    let cases = grammar.cases().unwrap();
    (grammar, cases)
}

fn says(accepts: bool) -> Says {
    if accepts { Says::Accepts } else { Says::Refuses }
}

/// Each case, and its place for messages.
fn each(cases: &[Case]) -> impl Iterator<Item = (&Case, String)> {
    cases.iter().map(|case| (case, format!("{}: {} as a {:?}", case.of, case.shown, case.place)))
}

/// The only reader here that nobody of this project wrote; it knows no limit of depth or of numbers.
fn by_referee(text: &[u8]) -> Says {
    says(serde_json::from_slice::<&RawValue>(text).is_ok())
}

/// What each of our readers says, the twin among them.
fn by_readers(text: &[u8]) -> [(&'static str, Says); 4] {
    [
        ("cursor", says(check_by_cursor(text, 0).is_ok())),
        ("tape", says(Tape::default().parse(text, 0).is_ok())),
        ("validator", says(Validator::default().check(text).is_ok())),
        ("twin", says(twin::json::parse(text).is_ok())),
    ]
}

/// All readers say this.
fn all(says: Says) -> [(&'static str, Says); 4] {
    ["cursor", "tape", "validator", "twin"].map(|name| (name, says))
}

#[test]
fn every_production_has_accepting_and_refusing_cases() {
    let (grammar, _) = load();
    let mut names: Vec<&str> = grammar.productions.iter().map(|of| of.name.as_str()).collect();
    for production in &grammar.productions {
        let name = &production.name;
        assert!(production.rule.starts_with(&format!("{name} = ")), "{name}: {}", production.rule);
        assert!(!production.accepts.is_empty(), "{name} has no accepting case");
        assert!(!production.refuses.is_empty(), "{name} has no refusing case");
    }
    assert_eq!(names.len(), PRODUCTIONS.len(), "a production stands twice");
    names.sort_unstable();
    let mut wanted = PRODUCTIONS;
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for decision in &grammar.decisions {
        assert!(!decision.story.is_empty() && !decision.texts.is_empty(), "{}", decision.name);
    }
}

#[test]
fn the_referee_says_of_every_text_what_the_corpus_says_of_the_grammar() {
    let (_, cases) = load();
    for (case, place) in each(&cases) {
        assert_eq!(by_referee(&case.text), case.grammar, "{place}");
    }
}

#[test]
fn all_readers_decide_as_the_grammar_says_but_for_the_decisions() {
    let (_, cases) = load();
    for (case, place) in each(&cases) {
        assert_eq!(by_readers(&case.text), all(case.readers), "{place}");
    }
}

/// In long texts other code decides: simd-json, and pieces of 64 bytes.
#[test]
fn a_text_is_decided_alike_inside_a_long_one() {
    let (_, cases) = load();
    let pad = "p".repeat(1100);
    let deep = |case: &Case| case.of.starts_with("nesting");
    for (case, place) in each(&cases).filter(|(case, _)| case.place != Place::Log && !deep(case)) {
        for (before, behind) in
            [(format!("[\"{pad}\","), "]".to_owned()), ("{\"a\":".to_owned(), format!(",\"{pad}\":0}}"))]
        {
            let long = [before.as_bytes(), &case.text, behind.as_bytes()].concat();
            // What is no text alone may be one here: several elements.
            let wanted = if case.readers == case.grammar { by_referee(&long) } else { case.readers };
            assert_eq!(by_readers(&long), all(wanted), "{place}");
            assert!(wanted == Says::Accepts || case.readers == Says::Refuses, "{place}: refused by what is around it");
        }
    }
}

#[test]
fn check_decides_every_case() {
    let (_, cases) = load();
    let folder = Folder::new();
    let ways = [&[][..], &["--no-mmap", "--window", "1", "--jobs", "1"], &["--window", "4K", "--jobs", "8"]];
    for log in logs(&cases) {
        let laid = lay(&log);
        folder.file("cases.jsonl", &laid.log);
        for way in ways {
            let mut command = forkpoint(["check", "--profile", "generic", "--limit", "all", "cases.jsonl"]);
            let output = command.args(way).args(&log[0].flags).current_dir(folder.path("")).output().unwrap();
            let told = judged(&laid, "cases.jsonl", &text(&output.stdout)).unwrap();
            for (case, told) in log.iter().zip(&told) {
                assert_eq!(*told, case.check, "{}: {} as a {:?}, {way:?}", case.of, case.shown, case.place);
            }
            let code = if told.contains(&Says::Refuses) { 2 } else { 0 };
            assert_eq!(output.status.code(), Some(code), "{}: {}", log[0].shown, text(&output.stderr));
        }
    }
}

/// The cases that are one line, with that line's blanks trimmed.
fn lines(cases: &[Case]) -> impl Iterator<Item = (&Case, String, Vec<u8>)> {
    let fits = |case: &Case| case.place != Place::Log && !case.text.contains(&b'\n') && case.of != "blank lines";
    each(cases).filter(move |(case, _)| fits(case)).map(|(case, place)| {
        let line = match case.place {
            Place::Value => [b"{\"v\":", &case.text[..], b"}"].concat(),
            _ => case.text.clone(),
        };
        let (start, end) = window::trim(&line, 0, line.len());
        (case, place, line[start..end].to_vec())
    })
}

#[test]
fn a_line_is_read_strictly_as_check_decides() {
    let (_, cases) = load();
    let (opener, mut reading) = (Opener::new(&builtin("generic").unwrap(), false), Reading::default());
    for (case, place, line) in lines(&cases) {
        let read = opener.read_line(&line, &mut reading);
        assert_eq!(says(read.is_ok()), case.check, "{place}");
        if let Err(fault) = read {
            assert!(fault.at <= line.len(), "{place}: the fault lies at {} of {} bytes", fault.at, line.len());
        }
    }
}

/// Sound values that are as long as this text, where there are any: what was learned from them fits it most closely.
fn alike(text: &[u8]) -> Vec<String> {
    let len = text.len();
    let mut values = vec!["1".repeat(len.max(1)), format!("\"{}\"", "a".repeat(len.saturating_sub(2)))];
    values.extend(["null", "[1,\"a\"]", "{\"a\":1}", "-1.5", "true"].map(str::to_owned));
    // What was learned last is tried first; each text is tried behind either.
    if text.first().is_some_and(u8::is_ascii_digit) {
        values.reverse();
    }
    values
}

/// A profile that overlooks a field, so that equal pairs differ in bytes and must be read.
fn noisy() -> Profile {
    let mut profile = builtin("generic").unwrap();
    profile.ignore.push(IgnoreRule {
        name: "noise".into(),
        kinds: Vec::new(),
        path: Pattern::parse("/noise").unwrap(),
        when: Vec::new(),
        reason: String::new(),
    });
    profile
}

#[test]
fn pairs_are_refused_alike_behind_learned_layouts_and_moulds() {
    let (_, cases) = load();
    let profile = noisy();
    let opener = Opener::new(&profile, false);
    let (mut by_layout, mut by_mould) = (0, 0);
    for (case, place, _) in lines(&cases).filter(|(case, ..)| case.place == Place::Value) {
        let comparer = Comparer::new(&profile, false);
        let mut scratch = Scratch::default();
        let mut weigh = |value: &[u8]| {
            let line = |noise: &[u8]| [b"{\"noise\":", noise, b",\"v\":", value, b",\"w\":\"x\"}"].concat();
            let [x, y] = [line(b"1"), line(b"2")];
            let event = |line| event_of(&reopen(&opener, line, 0).expect("it begins and ends like an object"), line, 1);
            comparer.weigh(&event(&x), &event(&y), &mut scratch)
        };
        for sound in alike(&case.text) {
            for _ in 0..3 {
                assert!(matches!(weigh(sound.as_bytes()), Weighed::EqualRead(_)), "{sound}");
            }
        }
        // Twice: what fits no layout may be learned from the first time.
        for _ in 0..2 {
            let found = match weigh(&case.text) {
                Weighed::EqualRead(_) => Says::Accepts,
                Weighed::Malformed { reference: Some(_), candidate: Some(_) } => Says::Refuses,
                other => panic!("{place}: {other:?}"),
            };
            assert_eq!(found, case.check, "{place}");
        }
        by_layout += scratch.pairs_by_layout();
        by_mould += scratch.pairs_by_mould();
    }
    assert!(by_layout > 10_000 && by_mould > 1000, "the short ways were gone: {by_layout}, {by_mould}");
}

/// What scanning a log says, by layouts and the exact way.
fn scanned(profile: &Profile, log: Vec<u8>) -> [ScannedWindow; 2] {
    let mut log = Log::from_bytes("case", log, &OpenOptions::default());
    let window = log.next_window().unwrap().expect("the log holds lines");
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    [Opener::new(profile, false), Opener::new(profile, false).without_layouts()]
        .map(|opener| scan_window(&opener, &window, 0, options))
}

#[test]
fn lines_are_opened_alike_behind_learned_layouts_and_moulds() {
    let (_, cases) = load();
    let mut profile = builtin("generic").unwrap();
    profile.roles.thread = vec![Pointer::parse("/t").unwrap()];
    profile.roles.ordinal = Some(Pointer::parse("/n").unwrap());
    let mut by_layout = 0;
    for (case, place, _) in lines(&cases).filter(|(case, ..)| case.place == Place::Value) {
        // As a value that no role names, as a thread, as an ordinal.
        for (before, behind) in
            [("{\"v\":", ",\"t\":1,\"n\":1}\n"), ("{\"t\":", ",\"n\":1}\n"), ("{\"t\":1,\"n\":", "}\n")]
        {
            let line = |value: &[u8]| [before.as_bytes(), value, behind.as_bytes()].concat();
            let around = alike(&case.text);
            let mut log: Vec<u8> = around.iter().flat_map(|sound| line(sound.as_bytes()).repeat(3)).collect();
            let row = log.iter().filter(|byte| **byte == b'\n').count() as u32;
            log.extend([line(&case.text), line(b"1")].concat());
            let [short, exact] = scanned(&profile, log);
            assert_eq!(short.faults, exact.faults, "{place}, {before}");
            let ordinals = |scanned: &ScannedWindow| -> Vec<u64> {
                (0..scanned.events).map(|at| scanned.spans.span(at).ordinal).collect()
            };
            assert_eq!(ordinals(&short), ordinals(&exact), "{place}, {before}");
            // Opening refuses less than reading; of what the grammar has, only what is of no use to a role.
            if before.starts_with("{\"v") {
                assert!(short.faults.iter().all(|fault| fault.line == row), "{place}: {:?}", short.faults);
                assert!(short.faults.is_empty() || case.check == Says::Refuses, "{place}: {:?}", short.faults);
            }
            by_layout += u64::from(short.by_layout);
        }
    }
    assert!(by_layout > 20_000, "layouts were not used: {by_layout}");
}

/// Holds the readers against the referee on a text that no decision is about.
fn held(text: &[u8]) {
    assert_eq!(by_readers(text), all(by_referee(text)), "{}", text.escape_ascii());
}

#[test]
fn every_byte_at_every_kind_of_place_is_decided_as_by_the_referee() {
    let places: [(&[u8], &[u8]); 18] = [
        (b"", b""),
        (b"", b"1"),
        (b"1", b""),
        (b"-", b""),
        (b"1.", b""),
        (b"1.5", b""),
        (b"1e", b"1"),
        (b"1e+", b""),
        (b"[", b"]"),
        (b"[1", b"2]"),
        (b"{", b"\"a\":1}"),
        (b"{\"a\"", b"1}"),
        (b"{\"a\":1", b"\"b\":2}"),
        (b"\"", b"\""),
        (b"\"\\", b"\""),
        (b"\"\\u00", b"0\""),
        (b"tru", b""),
        (b"null", b""),
    ];
    for (before, behind) in places {
        (0..=255).for_each(|byte| held(&[before, &[byte], behind].concat()));
    }
}

#[test]
fn every_two_bytes_in_a_string_are_decided_as_by_the_referee() {
    for bytes in 0..=u16::MAX {
        let [first, second] = bytes.to_be_bytes();
        held(&[b'"', first, second, b'"']);
    }
}
