//! The circle of `examples/mangle.rs`: what it says must be named of a damaged log is what `check` prints, byte for byte.
//! `FORKPOINT_CASES` and `FORKPOINT_SEED` choose how many seeds and which.
#![cfg(feature = "cli")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use clap::Parser;
use common::{Folder, event, forkpoint, header, text};
use forkpoint::cli::decide;
use forkpoint::cli::terminal::Surroundings;

// Not everything the examples offer is used here.
#[allow(dead_code, unused_imports)]
#[path = "../examples/generate/mod.rs"]
mod generate;
#[allow(dead_code)]
#[path = "../examples/mangle/mod.rs"]
mod mangle;

use generate::lane::Side;
use generate::{Options, Pair, Shape, Size};
use mangle::arguments::Arguments;
use mangle::expected::Mangled;
use mangle::kinds::{KINDS, Named};
use mangle::plant::Asked;
use mangle::whole::WHOLE;
use mangle::{Roles, SoundLog};

const MAX_LINE: u64 = 32 << 10;

/// A sound log, and the flags under which it is one.
struct Base {
    name: &'static str,
    flags: Vec<&'static str>,
    log: Vec<u8>,
    roles: Roles,
    sound: SoundLog,
}

fn generated(shape: Shape, events: u64, threads: usize) -> (Vec<u8>, Vec<&'static str>) {
    let options = Options {
        size: Size::Events(events),
        shape,
        threads,
        generations: shape != Shape::Flat,
        slice: 3,
        ..Options::default()
    };
    let flags = options.flags();
    let mut log = Vec::new();
    let pair = Pair::new(options).expect("a plan");
    let put = |piece: &[u8]| {
        log.extend_from_slice(piece);
        Ok(())
    };
    pair.replay(Side::Reference, put).expect("no write fails");
    (log, flags)
}

/// Threads that end and begin anew, keys that are strings, odd spellings, blank lines, no last line feed.
fn by_hand() -> Vec<u8> {
    let mut log = "\u{feff}\n ".to_owned() + &header("hand").replace('\n', "\r\n");
    for turn in 0..40u64 {
        let (thread, at) = (turn % 3, turn / 3 % 6);
        let thread = ["6", "\"a\\u0062\\\"\"", "12345678901234567890"][thread as usize];
        let kind = if at == 5 { "thread.exit" } else { "call é" };
        let payload =
            ["{}", "null", "[1,{\"x\":[]}]", "{ \"a\" : [ ] , \"\" : { } }", "\"p\\\\\"", "-1.5e-7"][turn as usize % 6];
        let line = event(thread, at, kind, payload);
        let line = if turn % 5 == 0 { line.replace(":", " : ").replace('\n', " \t\r\n") } else { line };
        let line = if turn % 7 == 0 { format!("\t{line}\n  \r\n") } else { line };
        log += &line.replacen('{', "{\"deterministic\":false,\"skipped\":[{\"tid\":1},\"]\"],", (turn % 2) as usize);
    }
    log.trim_end().as_bytes().to_vec()
}

/// Roles below other keys, two parts of a thread key, a payload with a name.
fn nested() -> Vec<u8> {
    let line = |turn: u64| {
        format!(
            "{{\"m\":{{\"x\":[{{}}],\"pid\":{},\"n\":{}.0,\"who\":\"w{}\"}},\"op\":[\"a\"],\"is\":\"step\",\"data\":{{\"v\":{{\"d\":\"{turn}\"}}}},\"z\":1}}\n",
            turn % 2,
            turn / 4,
            turn / 2 % 2
        )
    };
    (0..48).map(line).collect::<String>().into_bytes()
}

fn bases() -> Vec<Base> {
    let (schema, _) = generated(Shape::Schema, 90, 3);
    let (sorted, _) = generated(Shape::Sorted, 60, 3);
    let (flat, flat_flags) = generated(Shape::Flat, 60, 2);
    let free = (0..40).map(|at| format!("{{\"n\":{at},\"s\":\"{at}\",\"o\":{{}}}}\n")).collect::<String>();
    let flags = "--profile generic --thread m.pid --thread m.who --ordinal m.n --kind is --payload data.v";
    vec![
        Base::new("schema", &[], schema),
        Base::new("sorted", &[], sorted),
        Base::new("flat", &flat_flags, flat),
        Base::new("by-hand", &[], by_hand()),
        Base::new("nested", &flags.split(' ').collect::<Vec<_>>(), nested()),
        Base::new("free", &["--profile", "generic"], free.into_bytes()),
        Base::new("unordered", &["--ordinal", "none", "--payload", "*"], by_hand()),
    ]
}

/// The roles that flags name.
fn roles(flags: &[&'static str]) -> Roles {
    let arguments = Arguments::parse_from(["mangle", "log", "1"].iter().chain(flags));
    let rules = decide::rules(&arguments.rules, &arguments.thread.thread, &Surroundings::look());
    Roles::of(&rules.expect("the flags make sense").layered.profile)
}

impl Base {
    fn new(name: &'static str, flags: &[&'static str], log: Vec<u8>) -> Base {
        let roles = roles(flags);
        let sound = SoundLog::read(&log, &roles).unwrap_or_else(|unsound| panic!("{name}:{unsound}"));
        Base { name, flags: flags.to_vec(), log, roles, sound }
    }

    fn mangle(&self, seed: u64, only: &[&str]) -> Mangled {
        let only = only.iter().map(|kind| (*kind).to_owned()).collect();
        let asked = Asked { seed, faults: 1 + seed as usize % 12, max_line: MAX_LINE, only };
        mangle::mangle(&self.sound, &self.roles, &asked)
    }

    /// What `check` prints of all these logs.
    fn checked(&self, words: &[&str], logs: &[PathBuf]) -> String {
        let mut command = forkpoint(["check", "--limit", "all", "--max-line", &MAX_LINE.to_string()]);
        let output = command.args(&self.flags).args(words).args(logs).output().unwrap();
        let told = text(&output.stderr);
        assert!(!told.contains("panicked"), "{}: {told}", self.name);
        text(&output.stdout)
    }
}

fn asked_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text}")))
}

/// How often each kind was planted, and how often something was named because of it.
#[derive(Default)]
struct Tally {
    planted: BTreeMap<&'static str, u64>,
    named: BTreeMap<&'static str, u64>,
    reasons: BTreeSet<String>,
}

impl Tally {
    fn add(&mut self, mangled: &Mangled) {
        mangled.planted.iter().for_each(|kind| *self.planted.entry(kind).or_default() += 1);
        for told in mangled.faults.iter().chain(&mangled.torn) {
            *self.named.entry(told.kind).or_default() += 1;
            self.reasons.extend(told.reason.clone());
        }
    }

    /// A kind's name, how often it was planted, how often named.
    fn of(&self, kind: &'static str) -> (&'static str, u64, u64) {
        let count = |counts: &BTreeMap<_, u64>| counts.get(kind).copied().unwrap_or(0);
        (kind, count(&self.planted), count(&self.named))
    }

    fn print(&self) {
        println!("{:22}{:>8}{:>8}", "damage", "planted", "named");
        for (kind, planted, named) in
            KINDS.iter().map(|kind| kind.name).chain(WHOLE.iter().map(|kind| kind.0)).map(|kind| self.of(kind))
        {
            println!("{kind:22}{planted:8}{named:8}");
        }
        println!("{:22}{:8}{:8}", "all", self.planted.values().sum::<u64>(), self.named.values().sum::<u64>());
    }

    /// Every kind was planted, and named as often as it must be.
    fn judge(&self) {
        for kind in KINDS {
            let (name, planted, named) = self.of(kind.name);
            assert!(planted > 0, "{name} was never planted");
            match kind.named {
                Named::Always | Named::AsNote => assert!(named >= planted, "{name}: {named} of {planted}"),
                Named::ByOrder => {}
                Named::Never => assert_eq!(named, 0, "{name} is allowed"),
            }
        }
        for (name, planted, _) in WHOLE.iter().map(|kind| self.of(kind.0)) {
            assert!(planted > 0, "{name} was never planted");
        }
    }
}

/// Holds what `check` prints of damaged logs against what it must print.
fn held(base: &Base, words: &[&str], cases: &[(u64, Mangled)]) {
    let folder = Folder::new();
    let logs: Vec<PathBuf> =
        cases.iter().map(|(seed, mangled)| folder.file(&format!("{seed}.jsonl"), &mangled.bytes)).collect();
    let must: Vec<String> =
        cases.iter().zip(&logs).map(|((_, mangled), log)| mangled.report(&log.to_string_lossy())).collect();
    if base.checked(words, &logs) == must.concat() {
        return;
    }
    for (((seed, mangled), log), must) in cases.iter().zip(&logs).zip(must) {
        let printed = base.checked(words, std::slice::from_ref(log));
        if printed != must {
            let strange = printed.lines().find(|line| !must.lines().any(|wanted| wanted == *line));
            let lacking = must.lines().find(|line| !printed.lines().any(|found| found == *line));
            let place = lacking.or(strange).and_then(|line| line[log.to_string_lossy().len() + 1..].split(':').next());
            let at = place.and_then(|line| line.parse::<usize>().ok()).unwrap_or(1);
            let line = mangled.bytes.split(|byte| *byte == b'\n').nth(at - 1).unwrap_or_default();
            let kind = mangled.faults.iter().find(|told| told.line == at as u64).map(|told| told.kind);
            panic!(
                "{}, seed {seed} {words:?} {kind:?}:\n must print {lacking:?}\n but prints {strange:?}\n of {:?}",
                base.name,
                text(&line[..line.len().min(400)]),
            );
        }
    }
    panic!("{}: all logs together are not told as each alone", base.name);
}

#[test]
fn check_names_what_was_planted_and_nothing_else() {
    let (cases, first) = (asked_of("FORKPOINT_CASES", 1000), asked_of("FORKPOINT_SEED", 1));
    let bases = bases();
    let mut tally = Tally::default();
    for (at, base) in bases.iter().enumerate() {
        let seeds = (first..first + cases).filter(|seed| seed % bases.len() as u64 == at as u64);
        let made: Vec<_> = seeds.map(|seed| (seed, base.mangle(seed, &[]))).collect();
        made.iter().for_each(|(_, mangled)| tally.add(mangled));
        for chunk in made.chunks(100) {
            held(base, &[], chunk);
        }
        for words in [&["--window", "1"][..], &["--window", "700", "--no-mmap", "-j", "1"]] {
            held(base, words, &made[..made.len().min(20)]);
        }
    }
    tally.print();
    // Chance needs some room.
    if cases >= 1000 {
        tally.judge();
    }
}

#[test]
fn every_kind_is_told_right_by_itself() {
    for base in bases() {
        let kinds = KINDS.iter().map(|kind| kind.name).chain(WHOLE.iter().map(|(name, _)| *name));
        let cases: Vec<_> = kinds.enumerate().map(|(at, kind)| (at as u64, base.mangle(at as u64, &[kind]))).collect();
        held(&base, &[], &cases);
    }
}

/// What the sources call the offences of a line, each as what stands between its placeholders.
fn offences() -> Vec<Vec<String>> {
    let files = ["src/scan/fault.rs", "src/json/grammar.rs", "src/profile/reading.rs"];
    let sources = files.map(|file| fs::read_to_string(file).unwrap()).concat();
    let texts = sources
        .lines()
        .filter_map(|line| line.trim().strip_prefix("#[error(\"")?.strip_suffix("\")]").map(str::to_owned));
    let parts = |text: String| {
        let pieces = text
            .split('{')
            .enumerate()
            .map(|(at, piece)| if at == 0 { piece } else { piece.split_once('}').unwrap().1 });
        pieces.map(|piece| piece.replace("\\\\", "\\")).filter(|piece| !piece.is_empty()).collect::<Vec<_>>()
    };
    texts.map(parts).filter(|parts| !parts.is_empty()).collect()
}

#[test]
fn every_reason_of_the_sources_is_met() {
    let mut tally = Tally::default();
    for base in bases() {
        (0..150).for_each(|seed| tally.add(&base.mangle(seed, &[])));
    }
    let offences = offences();
    assert!(offences.len() > 25, "{offences:?}");
    for parts in offences {
        let is_met = tally.reasons.iter().any(|reason| parts.iter().all(|part| reason.contains(part.as_str())));
        assert!(is_met, "nothing was planted that is called {parts:?}");
    }
}

#[test]
fn equal_wishes_make_equal_bytes_and_other_seeds_others() {
    for base in bases() {
        let [a, b, c] = [5, 5, 6].map(|seed| base.mangle(seed, &[]));
        assert_eq!((&a.bytes, a.list()), (&b.bytes, b.list()), "{}", base.name);
        assert_ne!(a.bytes, c.bytes, "{}", base.name);
    }
}

#[test]
fn without_damage_the_log_is_what_it_was() {
    for base in bases() {
        let asked = Asked { seed: 1, faults: 0, max_line: MAX_LINE, only: Vec::new() };
        let mangled = mangle::mangle(&base.sound, &base.roles, &asked);
        assert_eq!((&mangled.bytes, mangled.list().as_str()), (&base.log, ""), "{}", base.name);
        held(&base, &[], &[(0, mangled)]);
    }
}

#[test]
fn the_list_says_where_and_why() {
    let base = &bases()[0];
    for seed in 0..30 {
        let mangled = base.mangle(seed, &[]);
        let lines: Vec<serde_json::Value> =
            mangled.list().lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
        let named = lines.iter().filter(|line| !line["reason"].is_null() && line["note"].is_null());
        assert_eq!(named.count(), mangled.faults.len());
        for line in &lines {
            let (at, offset) = (line["line"].as_u64().unwrap(), line["offset"].as_u64().unwrap() as usize);
            let feeds = mangled.bytes[..offset].iter().filter(|byte| **byte == b'\n').count() as u64;
            // An offence may be that the line ends.
            let is_there = feeds + 1 == at || feeds == at && mangled.bytes[offset - 1] == b'\n';
            assert!(is_there, "seed {seed}: {line}");
        }
    }
}

#[test]
fn what_is_damaged_already_is_refused() {
    let base = &bases()[0];
    let refused = |log: &[u8]| SoundLog::read(log, &base.roles).expect_err("it is not sound");
    for bad in
        ["garbage\n", "{\"kind\":\"a\"}\n", "{}\n", "{\"kind\":\"a\",\"tid\":1,\"tid_event_idx\":1.5}\n", &header("x")]
    {
        let unsound = refused(&[&base.log[..], bad.as_bytes()].concat());
        assert_eq!((unsound.line, unsound.offset), (92, base.log.len() as u64), "{bad}: {unsound}");
    }
    let twice = header("x") + &[0, 1, 1].map(|at| event("6", at, "a", "{}")).concat();
    assert!(refused(twice.as_bytes()).why.contains("does not grow"));
    assert!(refused(b"").why.contains("no header"));
}
