//! `forkpoint diff --first` as people and scripts use it: what is shown, what is not, and pipes that never end.

mod common;

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

/// Threads 6 and 7 of the reference are 7 and 8 of the candidate; 7 parts at position 300 and 6 far behind.
fn pair(folder: &Folder) -> [PathBuf; 2] {
    let log = |engine: &str, tids: [u64; 2], odd: u64| {
        let line = |at: u64| {
            let differs = at == 601 || at == 15_000;
            let payload = format!("{{\"n\":{at},\"value\":{}}}", if differs { odd } else { 0 });
            event(&tids[(at % 2) as usize].to_string(), at / 2, "call", &payload)
        };
        header(engine) + &(0..20_000).map(line).collect::<String>()
    };
    [folder.file("reference.jsonl", log("old", [6, 7], 1)), folder.file("candidate.jsonl", log("new", [7, 8], 2))]
}

fn diff(logs: &[PathBuf; 2], words: &[&str]) -> Output {
    forkpoint(["diff"]).args(logs).args(words).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_first_divergence_is_shown_alone_without_totals() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let json = |words: &[&str]| report(&diff(&logs, &[&["--format", "json"], words].concat()));
    let (mut full, first) = (json(&[]), json(&["--first", "--window", "64K"]));
    // Nobody looks behind the first.
    assert_eq!(full["pairings"][1]["divergence"]["healed_after"].take(), 1);
    assert_eq!((&full["first"], &first["first"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(first["pairings"].as_array().unwrap().len(), 1);
    assert_eq!(first["pairings"][0]["divergence"], full["pairings"][1]["divergence"]);
    assert_eq!(first["pairings"][0]["evidence"], full["pairings"][1]["evidence"]);
    for null in ["bytes", "events", "threads", "lines_skipped", "cut"] {
        assert!(first["reference"][null].is_null() && !full["reference"][null].is_null(), "{null}");
    }
    assert!(first["coverage"].is_null() && first["pairings"][0]["candidate"]["events"].is_null());
    assert_eq!(
        first["message"], "diverged: thread 7 → 8 at position 300, payload.value: 1 → 2",
        "the verdict needs no totals"
    );
}

#[test]
fn people_are_told_how_to_get_the_rest() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let words = ["--first", "--label", "old,new"];
    let shown = diff(&logs, &words);
    let told = text(&shown.stdout);
    assert_eq!(shown.status.code(), Some(1));
    assert!(told.starts_with("diverged: thread 7 → 8 at position 300, payload.value: 1 → 2\n"), "{told}");
    assert!(!told.contains("events in") && !told.contains("pairs compared") && !told.contains("of old"), "{told}");
    assert_eq!(text(&shown.stderr), "", "one divergence says nothing of what all have in common");
    let markdown = text(&diff(&logs, &[&words[..], &["--format", "markdown"]].concat()).stdout);
    for page in [&told, &markdown] {
        let line = page.lines().find(|line| line.contains("forkpoint diff ")).expect(page);
        let (_, command) = line.trim_end_matches('`').split_once("forkpoint diff ").unwrap();
        let again = format!("{} diff {command} --format json", env!("CARGO_BIN_EXE_forkpoint"));
        let again = Command::new("sh").args(["-c", &again]).output().unwrap();
        assert_eq!(again.status.code(), Some(1), "{command}: {}", text(&again.stderr));
        let whole = report(&again);
        assert_eq!((whole["pairings"].as_array().unwrap().len(), &whole["reference"]["label"]), (2, &"old".into()));
    }
    let show = told.lines().find(|line| line.trim().starts_with("forkpoint show ")).expect(&told);
    let show = show.trim().strip_prefix("forkpoint ").unwrap();
    let shown =
        Command::new("sh").args(["-c", &format!("{} {show}", env!("CARGO_BIN_EXE_forkpoint"))]).output().unwrap();
    assert!(text(&shown.stdout).contains("position 300"), "{}", text(&shown.stderr));
}

#[test]
fn other_flags_keep_their_meaning() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let [page, json] = ["page.md", "page.json"].map(|name| folder.path(name));
    let words = ["--first", "-q", "-o", page.to_str().unwrap(), "-o", json.to_str().unwrap()];
    let output = diff(&logs, &words);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), String::new()));
    for (path, format) in [(&page, "markdown"), (&json, "json")] {
        let printed = diff(&logs, &["--first", "--format", format]).stdout;
        assert_eq!(text(&std::fs::read(path).unwrap()), text(&printed), "{format}");
    }
    let silent = diff(&logs, &["--first", "--validate-identical"]);
    assert_eq!((silent.status.code(), silent.stdout.len()), (Some(1), 0));
    assert_eq!(text(&silent.stderr), "diverged: thread 7 → 8 at position 300, payload.value: 1 → 2\n");
    // A malformed line behind is not met; one before is.
    let mut lines = std::fs::read_to_string(&logs[1]).unwrap();
    lines.push_str("garbage\n{\"kind\":\"x\",\"tid\":8,\"tid_event_idx\":99999,\"payload\":{}}\n");
    let behind = [logs[0].clone(), folder.file("behind.jsonl", &lines)];
    assert_eq!(diff(&behind, &[]).status.code(), Some(2));
    assert_eq!(diff(&behind, &["--first"]).status.code(), Some(1));
    let before = lines.replacen("\"n\":11,", "\"n\":011,", 1);
    let before = [logs[0].clone(), folder.file("before.jsonl", before)];
    let output = diff(&before, &["--first"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    // Commands that step over lines look for the first again.
    let told = text(&output.stderr);
    assert!(told.lines().any(|line| line.contains("--first --malformed skip")), "{told}");
}

#[test]
fn where_nothing_parts_it_is_the_full_report() {
    let folder = Folder::new();
    let log = folder.small_log("same.jsonl", 2_000);
    let other = folder.small_log("other.jsonl", 2_000);
    let logs = [log, other];
    for format in ["terminal", "markdown", "json"] {
        let [full, first] = [&[][..], &["--first"]].map(|more| diff(&logs, &[&["--format", format], more].concat()));
        assert_eq!((full.status.code(), text(&full.stdout)), (Some(0), text(&first.stdout)), "{format}");
    }
}

/// Waits, but not for ever: what hangs is ended and told.
fn ended(child: &mut Child, what: &str) -> ExitStatus {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{what} hangs");
}

/// A shell that writes into a FIFO; `$0` is a file.
fn writer(script: &str, head: &PathBuf, fifo: &PathBuf) -> Child {
    let script = format!("exec > \"$1\"; {script}");
    Command::new("sh").args(["-c", &script]).args([head, fifo]).stderr(Stdio::null()).spawn().unwrap()
}

/// Two heads of logs that part at line 201, and two FIFOs.
fn pipes(folder: &Folder) -> ([PathBuf; 2], [PathBuf; 2]) {
    let head = |odd: u64| {
        let line = |at: u64| format!("{{\"n\":{}}}\n", if at == 200 { odd } else { at });
        (0..5_000).map(line).collect::<String>()
    };
    let heads = [folder.file("a.head", head(7_777)), folder.file("b.head", head(8_888))];
    let fifos = [folder.path("a.fifo"), folder.path("b.fifo")];
    for fifo in &fifos {
        assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }
    (heads, fifos)
}

/// A script that never ends by itself; the closed pipe stops it.
const ENDLESS: &str = "cat \"$0\"; exec yes '{\"n\":5}'";

/// Compares two pipes; returns what the program printed.
fn piped(fifos: &[PathBuf; 2], words: &[&str]) -> Child {
    let mut command = forkpoint(["diff", "--first", "--format", "json", "--profile", "generic"]);
    command.args(words).args(fifos).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn told(mut child: Child, what: &str) -> Value {
    let status = ended(&mut child, what);
    let output = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1), "{what}: {}", text(&output.stderr));
    report(&output)
}

#[test]
fn two_endless_writers_are_stopped_by_the_closed_pipe() {
    let folder = Folder::new();
    let (heads, fifos) = pipes(&folder);
    for words in [&[][..], &["--jobs", "1", "--window", "4K"]] {
        let child = piped(&fifos, words);
        let mut writers = [0, 1].map(|at| writer(ENDLESS, &heads[at], &fifos[at]));
        assert_eq!(told(child, "the program")["pairings"][0]["divergence"]["position"], 200);
        for writer in &mut writers {
            assert!(!ended(writer, "a writer").success(), "it was stopped by the pipe");
        }
    }
}

/// Compares what two scripts write, and wants the one divergence of their heads.
fn hold_written(scripts: [&str; 2]) {
    let folder = Folder::new();
    let (heads, fifos) = pipes(&folder);
    let child = piped(&fifos, &[]);
    let mut writers = [0, 1].map(|at| writer(scripts[at], &heads[at], &fifos[at]));
    let report = told(child, "the program");
    for (writer, script) in writers.iter_mut().zip(scripts) {
        if script != ENDLESS {
            writer.kill().unwrap();
        }
        ended(writer, "a writer");
    }
    assert_eq!(report["pairings"][0]["divergence"]["position"], 200);
}

#[test]
fn a_writer_that_pauses_is_not_waited_for_once_the_answer_is_certain() {
    let paused = "cat \"$0\"; exec sleep 600";
    // What makes it certain comes only after the other one has paused.
    let slow = "head -n 100 \"$0\"; sleep 0.3; tail -n +101 \"$0\"; exec sleep 600";
    let early = "head -n 2000 \"$0\"; exec sleep 600";
    [[paused, ENDLESS], [ENDLESS, paused], [paused; 2], [slow, early], [early, slow]]
        .into_iter()
        .for_each(hold_written);
}

#[test]
fn while_one_writer_pauses_the_other_one_is_read_on() {
    // Long enough for the endless one to be far ahead.
    let pausing = "head -n 100 \"$0\"; sleep 2; tail -n +101 \"$0\"; exec sleep 600";
    [[pausing, ENDLESS], [ENDLESS, pausing]].into_iter().for_each(hold_written);
}
