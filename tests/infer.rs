//! Rules learned from runs of one program: the runs are the same under them, and what is really different is still seen.

use std::path::PathBuf;

use forkpoint::align::{MapChoice, RunOptions, Unobserved};
use forkpoint::diverge::{self, Outcome, Status};
use forkpoint::infer::{Class, Inferred, draft, infer};
use forkpoint::profile::{Profile, parse};
use forkpoint::source::{Log, OpenOptions};

/// A generator of random numbers: splitmix64.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

const RULES: &str = "version = 1\nname = \"t\"\n[roles]\nthread = \"/tid\"\nordinal = \"/seq\"\nkind = \"/kind\"\npayload = \"/payload\"\n";
const CALLS: [&str; 6] = ["now", "alloc", "open", "read", "close", "stat"];
const THREADS: u64 = 3;
const EVENTS: u64 = 1_500;

/// A change of one event that is no noise, though its kind and field are noisy elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Planted {
    /// What a call returns that always returns the same.
    QuietReturn,
    /// The low bits of an address whose high ones differ in every run.
    LowBits,
    /// A field beside a noisy one.
    Neighbour,
    /// A time far from what it was.
    FarTime,
    /// A number that is not near any more.
    FarNumber,
    /// An element of an array whose order differs.
    Element,
    /// A member of an element known by its key.
    Member,
    /// Another digit in a string whose case differs.
    Digit,
}

const PLANTED: [Planted; 8] = [
    Planted::QuietReturn,
    Planted::LowBits,
    Planted::Neighbour,
    Planted::FarTime,
    Planted::FarNumber,
    Planted::Element,
    Planted::Member,
    Planted::Digit,
];

/// One run: what happens comes from `program`, noise from `run`; the change strikes the first event behind `at` that fits.
/// Returns the line that was changed.
fn log(program: u64, run: u64, planted: Option<(Planted, u64)>) -> (String, Option<u64>) {
    let (mut random, mut noise) = (Random(program), Random(run ^ 0xABCD_EF01));
    let base = (0x7F00_0000 + noise.below(1 << 16)) << 12;
    let mut sequences = [0u64; THREADS as usize];
    let (mut out, mut struck) = (String::new(), None);
    for at in 0..EVENTS {
        let thread = random.below(THREADS);
        let wanted = planted.filter(|(_, from)| at >= *from && struck.is_none()).map(|(what, _)| what);
        let (event, hit) = event(&mut random, &mut noise, base, wanted);
        if hit {
            struck = Some(at + 1);
        }
        let seq = &mut sequences[thread as usize];
        out.push_str(&format!("{{\"tid\":{thread},\"seq\":{seq},{event}}}\n"));
        *seq += 1;
    }
    (out, struck)
}

/// The rest of an event, and whether the change was made in it.
fn event(random: &mut Random, noise: &mut Random, base: u64, wanted: Option<Planted>) -> (String, bool) {
    match random.below(4) {
        0 => {
            let name = CALLS[random.below(6) as usize];
            let (size, mut ret) = (random.below(4096), random.below(1 << 20));
            let quiet = !matches!(name, "now" | "alloc");
            let hit = match wanted {
                Some(Planted::QuietReturn) => quiet,
                Some(Planted::LowBits) => name == "alloc",
                _ => false,
            };
            ret = match name {
                "now" => noise.next() >> 8,
                "alloc" => base + ret * 16,
                _ => ret,
            };
            ret += if hit && name == "alloc" { 16 } else { u64::from(hit) };
            (format!("\"kind\":\"call\",\"payload\":{{\"name\":\"{name}\",\"size\":{size},\"ret\":{ret}}}"), hit)
        }
        1 => {
            let (mut channel, mut time) = (random.below(9), 50_000 + random.below(50_000));
            time += noise.below(1_000);
            let hit = matches!(wanted, Some(Planted::Neighbour | Planted::FarTime));
            match wanted {
                Some(Planted::Neighbour) => channel += 1,
                Some(Planted::FarTime) => time += 30_000,
                _ => {}
            }
            (format!("\"kind\":\"poll\",\"payload\":{{\"channel\":{channel},\"time_ns\":{time}}}"), hit)
        }
        2 => {
            let mut set: Vec<u64> = (0..5).map(|slot| slot * 100 + random.below(50)).collect();
            let mut seen: Vec<(u64, u64)> = (0..3).map(|id| (id, random.below(90))).collect();
            let hit = matches!(wanted, Some(Planted::Element | Planted::Member));
            match wanted {
                Some(Planted::Element) => set[2] += 60,
                Some(Planted::Member) => seen[1].1 += 1,
                _ => {}
            }
            for at in (1..5).rev() {
                set.swap(at, noise.below(at as u64 + 1) as usize);
            }
            seen.swap(0, noise.below(3) as usize);
            let seen: Vec<String> = seen
                .iter()
                .map(|(id, value)| format!("{{\"id\":{id},\"value\":{value},\"age\":{}}}", noise.below(1_000_000)))
                .collect();
            let seen = seen.join(",");
            (format!("\"kind\":\"wake\",\"payload\":{{\"set\":{set:?},\"seen\":[{seen}]}}"), hit)
        }
        _ => {
            let mut number = 1.0 + random.below(1_000) as f64 / 7.0;
            let mut digits = 0xAB_0000 + random.below(1 << 16);
            let hit = matches!(wanted, Some(Planted::FarNumber | Planted::Digit));
            match wanted {
                Some(Planted::FarNumber) => number += 1.0,
                Some(Planted::Digit) => digits ^= 0x40,
                _ => {}
            }
            number *= 1.0 + noise.below(1_000) as f64 * 1e-9;
            let text = if noise.below(2) == 0 { format!("{digits:X}") } else { format!("{digits:x}") };
            (format!("\"kind\":\"frame\",\"payload\":{{\"rate\":{number:?},\"hash\":\"g{text}\"}}"), hit)
        }
    }
}

fn opened(text: &str) -> Log {
    Log::from_bytes("log", text.as_bytes().to_vec(), &OpenOptions::default())
}

fn learned(logs: &[String], base: &Profile) -> Inferred {
    let mut open = |at: usize| Ok(opened(&logs[at]));
    infer(logs.len(), &mut open, base, &options(), &Unobserved).unwrap()
}

/// What tells these threads apart is their number: they do alike, and much of it is noise.
fn options() -> RunOptions {
    RunOptions { map: MapChoice::Same, ..RunOptions::default() }
}

fn compared(reference: &str, candidate: &str, profile: &Profile) -> Outcome {
    diverge::run(&mut opened(reference), &mut opened(candidate), profile, &options(), &Unobserved).unwrap().0
}

fn is_identical(outcome: &Outcome) -> bool {
    outcome.pairings.iter().all(|pairing| pairing.status == Status::Identical)
}

/// The candidate's line of the first divergence.
fn parts_at(outcome: &Outcome) -> Option<u64> {
    let divergence = outcome.pairings[outcome.first?].divergence.as_ref()?;
    Some(divergence.candidate.as_ref()?.line)
}

#[test]
fn noise_is_overlooked_and_what_is_planted_beside_it_is_found() {
    let base = parse(RULES, "t.toml").unwrap();
    let cases: u64 = std::env::var("FORKPOINT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let (mut alarms, mut hidden, mut plants) = (0, Vec::new(), 0);
    for seed in 0..cases {
        let run = |number: u64, planted| log(seed, seed << 20 | number, planted);
        let logs: Vec<String> = (0..4).map(|number| run(number, None).0).collect();
        let found = learned(&logs, &base);
        for log in &logs[1..] {
            let outcome = compared(&logs[0], log, &found.profile);
            assert!(is_identical(&outcome), "seed {seed}\n{}", draft(&found.proposals, &base, None, &[]));
        }
        // Noise of a run that nothing was learned from.
        let fresh = run(100, None).0;
        alarms += u64::from(!is_identical(&compared(&logs[0], &fresh, &found.profile)));
        for (number, what) in PLANTED.into_iter().enumerate() {
            let at = 100 + Random(seed ^ number as u64).below(EVENTS - 400);
            let (changed, line) = run(200 + number as u64, Some((what, at)));
            plants += 1;
            let outcome = compared(&logs[0], &changed, &found.profile);
            if line.is_none() || parts_at(&outcome) != line {
                hidden.push((seed, what));
            }
        }
    }
    println!(
        "{cases} programs: {alarms} false alarms, {} of {plants} planted changes not seen: {hidden:?}",
        hidden.len()
    );
    assert_eq!((alarms, hidden), (0, vec![]));
}

#[test]
fn rules_are_as_narrow_as_what_was_seen() {
    let base = parse(RULES, "t.toml").unwrap();
    let logs: Vec<String> = (0..4).map(|number| log(7, number, None).0).collect();
    let found = learned(&logs, &base);
    let told: Vec<String> = found
        .proposals
        .iter()
        .map(|rule| {
            let class = match &rule.class {
                Class::Unordered(by) => {
                    format!("unordered{}", by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())
                }
                Class::Spelling(_) => "spelling".to_owned(),
                Class::Offset(_) => "offset".to_owned(),
                Class::Tolerance(_) => "tolerance".to_owned(),
                Class::Mask(bits) => format!("mask {bits:#x}"),
                Class::Ignore => "ignore".to_owned(),
                Class::Drop => "drop".to_owned(),
                Class::Fold => "fold".to_owned(),
            };
            let telling = rule.telling.iter().map(|(path, values)| format!(" where {path} is {}", values.join(" or ")));
            format!("{} {}: {class}{}", rule.kinds.join(","), rule.path, telling.collect::<String>())
        })
        .collect();
    assert_eq!(
        told,
        [
            "wake /payload/seen: unordered by /id",
            "wake /payload/set: unordered",
            "call /payload/ret: mask 0xfffffffffffff000 where /payload/name is \"alloc\"",
            "call /payload/ret: ignore where /payload/name is \"now\"",
            "frame /payload/hash: spelling",
            "frame /payload/rate: tolerance",
            "poll /payload/time_ns: tolerance",
            "wake /payload/seen/*/age: ignore",
        ]
    );
}

#[test]
fn what_is_written_is_what_was_learned() {
    let base = parse(RULES, "t.toml").unwrap();
    let logs: Vec<String> = (0..3).map(|number| log(3, number, None).0).collect();
    let found = learned(&logs, &base);
    let whole = draft(&found.proposals, &base, None, &["about".to_owned()]);
    assert_eq!(parse(&whole, "t.toml").unwrap(), found.profile, "{whole}");
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("base.toml");
    std::fs::write(&file, RULES).unwrap();
    let layered = draft(&found.proposals, &base, Some("base.toml"), &[]);
    let read = parse(&layered, &folder.path().join("inferred.toml").to_string_lossy()).unwrap();
    assert_eq!(Profile { name: "t".into(), ..read }, found.profile, "{layered}");
}

#[test]
fn runs_that_are_the_same_need_no_rules() {
    let base = parse(RULES, "t.toml").unwrap();
    let log = log(1, 1, None).0;
    let found = learned(&[log.clone(), log], &base);
    assert_eq!((found.proposals.len(), found.rounds, found.profile), (0, 1, base));
}

/// A run in which ticks come at any time and polls are repeated; `wrong` work is done where that is said.
fn eventful(program: u64, run: u64, wrong: Option<u64>) -> String {
    let (mut random, mut noise) = (Random(program), Random(run ^ 0x55AA));
    let mut sequences = [0u64; 3];
    let mut out = String::new();
    let mut put = |thread: u64, rest: String| {
        let seq = &mut sequences[thread as usize];
        out.push_str(&format!("{{\"tid\":{thread},\"seq\":{seq},{rest}}}\n"));
        *seq += 1;
    };
    for at in 0..1_200 {
        let thread = random.below(3);
        if noise.below(20) == 0 {
            put(thread, format!("\"kind\":\"tick\",\"payload\":{{\"n\":{}}}", noise.below(1 << 30)));
        }
        if noise.below(15) == 0 {
            put(thread, "\"kind\":\"call\",\"payload\":{\"name\":\"Log\",\"value\":7}".to_owned());
        }
        match random.below(4) {
            0 => {
                for _ in 0..1 + noise.below(4) {
                    put(thread, "\"kind\":\"poll\",\"payload\":{\"ready\":false}".to_owned());
                }
                put(thread, "\"kind\":\"ready\",\"payload\":{}".to_owned());
            }
            1 => put(
                thread,
                format!("\"kind\":\"call\",\"payload\":{{\"name\":\"Open\",\"value\":{}}}", random.below(99)),
            ),
            _ => {
                let value = random.below(1 << 20) + u64::from(wrong == Some(at));
                let time = 50_000 + noise.below(900);
                put(thread, format!("\"kind\":\"work\",\"payload\":{{\"value\":{value},\"time\":{time}}}"));
            }
        }
    }
    out
}

#[test]
fn events_that_come_at_other_places_are_dropped_though_they_are_as_many() {
    let base = parse(RULES, "t.toml").unwrap();
    let run = |number: u64| {
        let mut noise = Random(number);
        let ticks: Vec<u64> = (0..4).map(|slot| slot * 50 + noise.below(40)).collect();
        let mut lines: Vec<String> = Vec::new();
        for at in 0..220u64 {
            if ticks.contains(&at) {
                lines.push("\"kind\":\"tick\",\"payload\":{}".to_owned());
            }
            lines.push(format!("\"kind\":\"work\",\"payload\":{{\"value\":{}}}", at * at));
        }
        let numbered = lines.iter().enumerate().map(|(seq, rest)| format!("{{\"tid\":1,\"seq\":{seq},{rest}}}\n"));
        numbered.collect::<String>()
    };
    let logs: Vec<String> = (1..4).map(run).collect();
    let found = learned(&logs, &base);
    let told: Vec<_> = found.proposals.iter().map(|rule| (rule.kinds.join(","), rule.class.clone())).collect();
    assert_eq!(told, [("tick".to_owned(), Class::Drop)]);
    assert!(is_identical(&compared(&logs[0], &run(9), &found.profile)));
}

#[test]
fn events_that_come_and_go_are_dropped_and_repeated_ones_folded() {
    let base = parse(RULES, "t.toml").unwrap();
    let mut told = Vec::new();
    for seed in 0..8 {
        let logs: Vec<String> = (0..4).map(|run| eventful(seed, seed * 100 + run, None)).collect();
        let found = learned(&logs, &base);
        let text = draft(&found.proposals, &base, None, &[]);
        for log in logs[1..].iter().chain([&eventful(seed, seed * 100 + 50, None)]) {
            assert!(is_identical(&compared(&logs[0], log, &found.profile)), "seed {seed}\n{text}");
        }
        for wrong in [300, 600, 900] {
            let changed = (wrong..).find(|at| eventful(seed, 7, Some(*at)) != eventful(seed, 7, None)).unwrap();
            let outcome = compared(&logs[0], &eventful(seed, seed * 100 + 60, Some(changed)), &found.profile);
            let divergence = outcome.first.and_then(|first| outcome.pairings[first].divergence.as_ref());
            let path = divergence.and_then(|divergence| Some(divergence.differences.first()?.path.to_string()));
            assert_eq!(path.as_deref(), Some("/payload/value"), "seed {seed}, event {changed}\n{text}");
        }
        let class = |rule: &forkpoint::infer::Proposal| match rule.class {
            Class::Drop => "drop",
            Class::Fold => "fold",
            _ => "values",
        };
        let rules =
            found.proposals.iter().map(|rule| format!("{} {} {:?}", rule.kinds.join(","), class(rule), rule.telling));
        told.push(rules.collect::<Vec<_>>());
    }
    for rules in told {
        assert!(rules.iter().any(|rule| rule.starts_with("tick drop")), "{rules:?}");
        assert!(rules.iter().any(|rule| rule.starts_with("poll fold")), "{rules:?}");
        assert!(rules.iter().any(|rule| rule.starts_with("call drop") && rule.contains("Log")), "{rules:?}");
    }
}
