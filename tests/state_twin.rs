//! Two state folders compared are what the slow twin says, whichever way they are written.

mod common;
mod folders;
#[path = "../examples/generate/numbers.rs"]
#[allow(dead_code)]
mod numbers;

use common::{Folder, forkpoint, text};
use folders::naive::{self, Found, without_numbers};
use folders::{Files, Liberties, drawn, write};
use numbers::Random;
use serde_json::Value;

fn cases() -> u64 {
    std::env::var("FORKPOINT_CASES").map_or(60, |cases| cases.parse().unwrap())
}

fn state(folder: &Folder, one: &str, other: &str, words: &[&str]) -> (i32, Value) {
    let mut command = forkpoint(["state", "--format", "json", one, other]);
    let output = command.args(words).current_dir(folder.path("")).output().unwrap();
    let told = text(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    (output.status.code().unwrap(), report)
}

/// File, path, kind and class of all differences, sorted.
fn found(report: &Value) -> Vec<(String, String, String, String)> {
    let word = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    let all = report["divergences"].as_array().unwrap().iter();
    let mut found: Vec<_> = all
        .map(|one| (word(one, "file"), without_numbers(&word(one, "path")), word(one, "kind"), word(one, "class")))
        .collect();
    found.sort();
    found
}

fn owned(found: Vec<Found>) -> Vec<(String, String, String, String)> {
    let mut all: Vec<_> =
        found.into_iter().map(|(file, path, kind, class)| (file, path, kind.to_owned(), class.to_owned())).collect();
    all.sort();
    all
}

/// Two folders drawn from a seed, written as `one` and `other`.
fn pair(folder: &Folder, seed: u64, liberties: Liberties) -> [Files; 2] {
    let mut random = Random::new(seed, "state", 0);
    let sides = drawn(&mut |limit| random.below(limit), liberties);
    for (name, files) in ["one", "other"].iter().zip(&sides) {
        let _ = std::fs::remove_dir_all(folder.path(name));
        write(&folder.path(name), files, None);
    }
    sides
}

#[test]
fn every_difference_is_the_twins() {
    let folder = Folder::new();
    let (mut kinds, mut classes) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for seed in 0..cases() * 4 {
        let liberties = Liberties { odd: seed % 2 == 1, moved_heaps: seed % 3 > 0 };
        let sides = pair(&folder, seed, liberties);
        let (code, report) = state(&folder, "one", "other", &[]);
        let expected = owned(naive::compare([&sides[0], &sides[1]]));
        assert_eq!(found(&report), expected, "seed {seed}\n{report:#}");
        let counting = expected.iter().filter(|one| !one.3.starts_with("eps") && !one.3.starts_with("tau")).count();
        let stops = report["invariants"].as_array().unwrap().iter().any(|one| one["result"] != "pass");
        assert_eq!(code, if stops { 3 } else { i32::from(counting > 0) }, "seed {seed}\n{report:#}");
        for one in expected {
            kinds.insert(one.2);
            classes.insert(one.3);
        }
    }
    assert_eq!((kinds.len(), classes.len()), (8, 7), "{kinds:?} {classes:?}");
}

#[test]
fn a_folder_is_itself_however_it_is_written() {
    let folder = Folder::new();
    for seed in 0..cases() {
        let liberties = Liberties { odd: seed % 2 == 1, moved_heaps: true };
        let sides = pair(&folder, seed, liberties);
        let (_, report) = state(&folder, "one", "one", &[]);
        assert_eq!(found(&report), [], "seed {seed}");
        assert!(
            report["files"]
                .as_array()
                .unwrap()
                .iter()
                .all(|file| file["status"] == "identical" || file["status"] == "absent")
        );
        let (_, plain) = state(&folder, "one", "other", &[]);
        let mut random = Random::new(seed, "turns", 0);
        for (name, files) in ["one", "other"].iter().zip(&sides) {
            let _ = std::fs::remove_dir_all(folder.path(&format!("turned-{name}")));
            write(&folder.path(&format!("turned-{name}")), files, Some(&mut |limit| random.below(limit)));
        }
        let (_, turned) = state(&folder, "turned-one", "turned-other", &[]);
        let without_spelling = |mut all: Vec<(String, String, String, String)>| {
            // A key of a member is told as it is spelled.
            all.iter_mut().for_each(|one| one.1 = one.1.replace(".00E+0", "").replace(".0", "").replace("e0", ""));
            all.sort();
            all
        };
        assert_eq!(without_spelling(found(&turned)), without_spelling(found(&plain)), "seed {seed}");
        let (_, same) = state(&folder, "one", "turned-one", &[]);
        assert_eq!(found(&same), [], "seed {seed}");
    }
}

#[test]
fn the_other_way_round_the_report_is_mirrored() {
    let folder = Folder::new();
    for seed in 0..cases() {
        pair(&folder, seed, Liberties { odd: seed % 2 == 1, moved_heaps: false });
        let (code, report) = state(&folder, "one", "other", &[]);
        let (turned_code, turned) = state(&folder, "other", "one", &[]);
        let mut mirrored: Vec<_> = found(&turned);
        for one in &mut mirrored {
            one.2 = match one.2.as_str() {
                "missing-field" => "extra-field".to_owned(),
                "extra-field" => "missing-field".to_owned(),
                "missing-in-candidate" => "extra-in-candidate".to_owned(),
                "extra-in-candidate" => "missing-in-candidate".to_owned(),
                _ => continue,
            };
        }
        mirrored.sort();
        assert_eq!((code, found(&report)), (turned_code, mirrored), "seed {seed}");
    }
}

#[test]
fn every_differing_byte_of_memory_is_told_once_with_its_owner() {
    let folder = Folder::new();
    let rules = forkpoint::state::builtin("state-v1").unwrap();
    let (mut patched, mut alike, mut owned) = (0, 0, 0);
    for seed in 0..cases() * 20 {
        let mut random = Random::new(seed, "memory", 0);
        let memory = folders::memory::drawn(&mut |limit| random.below(limit));
        let (ranges, is_alike) = folders::memory::told(&memory, &folder.path(""), &rules);
        assert_eq!(ranges, memory.ranges(), "seed {seed}: {memory:?}");
        assert_eq!(is_alike, memory.are_alike(), "seed {seed}: {memory:?}");
        patched += ranges.iter().filter(|range| range.3).count();
        owned += ranges.iter().filter(|range| range.2.is_some()).count();
        alike += u64::from(is_alike && !ranges.is_empty());
    }
    assert!(patched > 100 && owned > 500 && alike > 3, "{patched} patched, {owned} owned, {alike} alike");
}
