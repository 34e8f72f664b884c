//! `forkpoint audit` on logs of a real program, threads of the system and waits that are none of ours: all its runs are told as they were.

mod common;
#[path = "../examples/eventshim/mod.rs"]
mod eventshim;
#[path = "../examples/show/audit/judge.rs"]
mod judge;

use common::{Folder, forkpoint};
use eventshim::job::{Plan, run};
use eventshim::outcome::Signal;
use serde_json::Value;

/// Runs the program, and holds what an audit says of its log against what happened; the log, and what happened.
fn played(folder: &Folder, seed: u64, forgotten: Option<Signal>) -> (String, Value) {
    let outcome = run(Plan::of(seed), forgotten);
    folder.file("run.jsonl", outcome.log.clone());
    let output =
        forkpoint(["audit", "--format", "json"]).arg(folder.path("run.jsonl")).output().expect("forkpoint runs");
    let (truth, report) = (serde_json::from_str(&outcome.json()).unwrap(), serde_json::from_slice(&output.stdout));
    let report = report.unwrap_or_else(|error| panic!("{error}: {}", common::text(&output.stderr)));
    let wrong = judge::hold(&truth, output.status.code(), &report);
    if !wrong.is_empty() {
        let path = std::env::temp_dir().join("forkpoint-real.jsonl");
        std::fs::write(&path, &outcome.log).unwrap();
        panic!("seed {seed}: {wrong:#?}; the log: {}", path.display());
    }
    (outcome.log, truth)
}

#[test]
fn who_waits_since_one_call_was_forgotten_is_told_and_why() {
    let folder = Folder::new();
    let runs = std::env::var("FORKPOINT_CASES").map_or(Plan::FAMILIES, |cases| cases.parse().unwrap());
    for seed in 1..=runs {
        let (whole, truth) = played(&folder, seed, None);
        assert_eq!(truth["parked"], serde_json::json!([]));
        let (_, truth) = played(&folder, seed, Some(Plan::of(seed).forgotten(seed)));
        let line = judge::place(&whole, &truth["left_out"]).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        folder.file("whole.jsonl", whole);
        let mut command = forkpoint(["audit", "--format", "json", "--map", "same"]);
        let output = command.args(["whole.jsonl", "run.jsonl"]).current_dir(folder.path("")).output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let wrong = judge::hold_named(&truth, line, output.status.code(), &report);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

#[test]
fn the_judge_sees_wrong_answers() {
    let folder = Folder::new();
    let (whole, truth) = played(&folder, 1, Some(Plan::of(1).forgotten(7)));
    let output = forkpoint(["audit", "--format", "json"]).arg(folder.path("run.jsonl")).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(judge::hold(&truth, Some(1), &report), [""; 0]);
    assert!(!judge::hold(&truth, Some(0), &report).is_empty(), "the exit code");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut other = report.clone();
        change(&mut other);
        judge::hold(&truth, Some(1), &other)
    };
    let place =
        report["waiting"].as_array().unwrap().iter().position(|one| one["names"][0] == truth["left_out"]["object"]);
    let at = place.expect("who waits for it is told");
    assert!(!changed(&|report| report["waiting"][at]["reason"] = "lost-pulse".into()).is_empty());
    assert!(!changed(&|report| report["waiting"][at]["certain"] = false.into()).is_empty());
    assert!(!changed(&|report| report["waiting"][at]["since"]["line"] = 1.into()).is_empty());
    assert!(!changed(&|report| drop(report["waiting"].as_array_mut().unwrap().remove(0))).is_empty());
    assert!(!changed(&|report| report["unexplained"] = serde_json::json!([1])).is_empty());
    assert!(!judge::hold_named(&truth, 7, Some(1), &report).is_empty(), "nothing is missing on line 7");
    // The log that lacks the call has no line for it.
    assert!(judge::place(&whole, &truth["left_out"]).is_err());
}
