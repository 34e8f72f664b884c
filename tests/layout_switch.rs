//! With and without learned layouts: the same report, exit code and words, byte for byte.
//!
//! Runs the program with the hidden switch `--no-layouts` and without it over all pairs of the corpus, over the
//! generator's shapes and over small generated pairs. `FORKPOINT_CASES` sets how many of those, `FORKPOINT_SEED` where
//! they begin; `make show-layouts` asks for 10,000. A program that does not know the switch is skipped by name.
#![cfg(feature = "cli")]

mod common;
mod twin;
// Not everything the example offers is used here.
#[allow(dead_code, unused_imports)]
#[path = "../examples/generate/mod.rs"]
mod generate;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use generate::Pair;
use generate::catalogue::shapes;
use generate::pair::Target;
use twin::pairs::{Family, case};

const SWITCH: &str = "--no-layouts";

/// Two logs and what they are compared with.
struct Logs {
    name: String,
    folder: PathBuf,
    flags: Vec<String>,
}

fn run(logs: &Logs, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forkpoint"))
        .args(["diff", "--format", "json", "reference.jsonl", "candidate.jsonl"])
        .args(&logs.flags)
        .args(more)
        .current_dir(&logs.folder)
        .output()
        .expect("the program runs")
}

/// Why the two runs are not one, if they are not.
fn unequal(logs: &Logs) -> Option<String> {
    let (with, without) = (run(logs, &[]), run(logs, &[SWITCH]));
    if with == without {
        return None;
    }
    let [one, other] = [&with, &without].map(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        format!("exit {:?}\n{}{text}", output.status.code(), String::from_utf8_lossy(&output.stderr))
    });
    let place = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    let (one, other) = place.unwrap_or(("its end", "another end"));
    Some(format!("{}: {one} / without layouts {other} (flags {:?})", logs.name, logs.flags))
}

/// Whether the program has the switch; says so if it has not.
fn known() -> bool {
    let demo = common::cases::corpus().join("demo");
    let logs = Logs { name: "demo".to_owned(), folder: demo, flags: Vec::new() };
    let run = run(&logs, &[SWITCH]);
    let known = run.status.code() != Some(2) || !String::from_utf8_lossy(&run.stderr).contains(SWITCH);
    if !known {
        println!("skipped: {SWITCH} is not known yet");
    }
    known
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Holds all of them by two threads; the first few that are unequal are told.
fn hold(what: &str, all: u64, make: impl Fn(u64, &Path) -> Option<Logs> + Sync) {
    let next = std::sync::atomic::AtomicU64::new(0);
    let work = || {
        let room = tempfile::tempdir().expect("a temporary folder");
        let (mut held, mut wrong) = (0_u64, Vec::new());
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number >= all {
                return (held, wrong);
            }
            if let Some(logs) = make(number, room.path()) {
                held += 1;
                wrong.extend(unequal(&logs));
            }
        }
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join().expect("no panic"))
    });
    let wrong: Vec<String> = one.1.into_iter().chain(other.1).collect();
    println!("{what}: {} pairs with and without layouts, {} unequal", one.0 + other.0, wrong.len());
    assert!(one.0 + other.0 > 0, "{what}: nothing was held");
    assert!(wrong.is_empty(), "{what}\n{}", wrong[..wrong.len().min(5)].join("\n"));
}

#[test]
fn the_corpus_is_answered_alike() {
    if !known() {
        return;
    }
    let cases = common::cases::all();
    hold("corpus", cases.len() as u64, |number, _| {
        let case = &cases[number as usize];
        Some(Logs { name: case.name(), folder: case.folder.clone(), flags: case.flags.clone() })
    });
}

#[test]
fn every_shape_is_answered_alike() {
    if !known() {
        return;
    }
    let shapes = shapes(number("FORKPOINT_SHAPE_BYTES").unwrap_or(1_000_000));
    hold("shapes", shapes.len() as u64, |number, room| {
        let (name, options) = shapes[number as usize].clone();
        let flags = options.flags().into_iter().map(str::to_owned).collect();
        let [reference, candidate] = ["reference.jsonl", "candidate.jsonl"].map(|name| Target::File(room.join(name)));
        Pair::new(options).expect("a plan").write(&reference, &candidate).expect("written");
        Some(Logs { name: name.to_owned(), folder: room.to_owned(), flags })
    });
}

#[test]
fn generated_pairs_are_answered_alike() {
    if !known() {
        return;
    }
    let (cases, first) = (number("FORKPOINT_CASES").unwrap_or(200), number("FORKPOINT_SEED").unwrap_or(1));
    hold("generated", cases, |number, room| {
        let seed = first + number;
        // Long logs take a hundred times as long as the others.
        let family = match seed % 100 {
            0 => Family::Long,
            1..=39 => Family::Sound,
            40..=69 => Family::Damaged,
            _ => Family::Generic,
        };
        let case = case(family, seed);
        for (side, name) in ["reference.jsonl", "candidate.jsonl"].iter().enumerate() {
            std::fs::write(room.join(name), case.bytes(side)).expect("written");
        }
        Some(Logs { name: format!("{family:?} {seed}"), folder: room.to_owned(), flags: case.flags.clone() })
    });
}
