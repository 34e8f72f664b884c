//! `forkpoint profile infer` and `diff --suggest`, as a user runs them.

mod common;

use std::path::PathBuf;
use std::process::Output;

use common::{Folder, event, forkpoint, header, text};

/// A run of two threads: a clock, an address, ticks with members in any order; the rest is the same in every run.
fn run(number: u64) -> String {
    let mut out = header("engine");
    for at in 0..60u64 {
        let (thread, ordinal) = (["1", "2"][(at % 2) as usize], at / 2);
        let noise = (at * 7919 + number * 104_729) % 1_000_003 + number;
        out += &match at % 6 {
            0 | 1 => event(thread, ordinal, "call", &format!("{{\"name\":\"now\",\"returned\":{}}}", noise * noise)),
            2 | 3 => event(thread, ordinal, "call", &format!("{{\"name\":\"size\",\"returned\":{}}}", at * 3)),
            _ if (at + number) % 5 < 3 => event(thread, ordinal, "tick", "{\"ready\":[1,2,3]}"),
            _ => event(thread, ordinal, "tick", "{\"ready\":[3,1,2]}"),
        };
    }
    out
}

fn runs(folder: &Folder, count: u64) -> Vec<PathBuf> {
    (1..=count).map(|number| folder.file(&format!("run-{number}.jsonl"), run(number))).collect()
}

fn infer(logs: &[PathBuf], words: &[&str]) -> Output {
    forkpoint(["profile", "infer"]).args(logs).args(words).output().unwrap()
}

#[test]
fn what_differs_between_runs_becomes_a_profile_under_which_they_are_the_same() {
    let folder = Folder::new();
    let logs = runs(&folder, 4);
    let out = folder.path("noise.toml");
    let output = infer(&logs[..3], &["-o", out.to_str().unwrap()]);
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""), "{told}");
    assert!(told.contains("2 rules after 2 rounds") && told.matches(": identical: ").count() == 2, "{told}");
    let file = std::fs::read_to_string(&out).unwrap();
    for line in [
        "extends = \"schema-v1\"",
        "when = { path = \"/payload/name\", equals = \"now\" }",
        "[[unordered]]",
        "path = \"/payload/ready\"",
    ] {
        assert!(file.lines().any(|written| written == line), "{line}\nin\n{file}");
    }
    assert!(file.contains("reason = \"differs in all 40 pairs, as in line 2: "), "{file}");
    // Under what was learned there is nothing left to learn.
    let again = infer(&logs[..3], &["--profile", out.to_str().unwrap()]);
    let told = text(&again.stderr);
    assert!(again.status.success() && told.contains("0 rules after 1 round"), "{told}");
    assert!(!text(&again.stdout).contains("[["), "{}", text(&again.stdout));
    // A run that was not looked at, and one in which something else differs.
    let profile = ["diff", "--validate-identical", "--profile", out.to_str().unwrap()];
    let compare = |other: &PathBuf| forkpoint(profile).arg(&logs[0]).arg(other).output().unwrap();
    assert_eq!(compare(&logs[3]).status.code(), Some(0));
    let wrong = run(4).replacen("\"name\":\"size\",\"returned\":24", "\"name\":\"size\",\"returned\":25", 1);
    let wrong = compare(&folder.file("wrong.jsonl", &wrong));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("payload.returned"), "{}", text(&wrong.stderr));
    let printed = infer(&logs[..3], &["-q"]);
    assert_eq!((text(&printed.stdout), text(&printed.stderr)), (file, String::new()));
}

#[test]
fn what_no_rule_overlooks_is_told() {
    let folder = Folder::new();
    let logs = runs(&folder, 2);
    let short: String = run(2).lines().take(50).map(|line| format!("{line}\n")).collect();
    let output = infer(&[logs[0].clone(), folder.file("short.jsonl", short)], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("short.jsonl: diverged: "), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("[[ignore]]"), "what was learned is written all the same");
    let same = infer(&[logs[0].clone(), logs[0].clone()], &[]);
    assert_eq!(same.status.code(), Some(0));
    assert!(text(&same.stderr).contains("0 rules after 1 round "), "{}", text(&same.stderr));
}

#[test]
fn flags_and_files_lie_below_what_is_learned() {
    let folder = Folder::new();
    let logs = runs(&folder, 3);
    let base = "version = 1\nname = \"mine\"\nextends = \"schema-v1\"\n";
    let base = folder.file("base.toml", base);
    std::fs::create_dir(folder.path("out")).unwrap();
    let out = folder.path("out/noise.toml");
    let words = ["--profile", base.to_str().unwrap(), "-q", "-o", out.to_str().unwrap()];
    assert_eq!(infer(&logs, &words).status.code(), Some(0));
    let file = std::fs::read_to_string(&out).unwrap();
    assert!(file.contains("extends = \"../base.toml\""), "{file}");
    // With flags it says everything itself.
    let output = infer(&logs, &["-q", "--ignore", "payload.ready"]);
    let whole = text(&output.stdout);
    assert!(whole.contains("path = \"/payload/ready\"") && !whole.contains("extends"), "{whole}");
    for written in [file, whole] {
        let path = folder.file("out/again.toml", written);
        let same =
            forkpoint(["diff", "--validate-identical", "--profile"]).arg(path).args(&logs[..2]).output().unwrap();
        assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
    }
}

#[test]
fn wrong_usage_is_told_before_anything_is_written() {
    let folder = Folder::new();
    let logs = runs(&folder, 2);
    let told = |logs: &[PathBuf], words: &[&str]| {
        let output = infer(logs, words);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stdout), "");
        text(&output.stderr)
    };
    assert!(told(&logs[..1], &[]).contains("2 values required"));
    assert!(told(&[logs[0].clone(), "-".into()], &[]).contains("is no regular file"));
    assert!(told(&[logs[0].clone(), folder.path("nope")], &[]).contains("no such file"));
    assert!(told(&logs, &["-o", logs[1].to_str().unwrap()]).contains("is also an input"));
    assert!(told(&logs, &["-o", folder.path("").to_str().unwrap()]).contains("is a folder"));
    let torn = folder.file("bad.jsonl", run(2).replacen("\"kind\":\"tick\"", "\"kind\":tick", 1));
    let bad = told(&[logs[0].clone(), torn], &[]);
    assert!(bad.contains("bad.jsonl:6: ") && bad.contains("sound logs only"), "{bad}");
    let headless = folder.file("none.jsonl", "{\"tid\":1}\n");
    assert!(told(&[logs[0].clone(), headless], &[]).contains("none.jsonl:1: "));
}

#[test]
fn a_field_that_differs_everywhere_is_suggested() {
    let folder = Folder::new();
    let logs = runs(&folder, 2);
    let diff = |words: &[&str]| forkpoint(["diff", "--suggest"]).args(words).args(&logs).output().unwrap();
    let output = diff(&[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    let said = "suggestion: payload.returned of call differs in 20 of 20 pairs: this looks like telemetry.";
    assert!(told.contains(said) && told.contains("  [[ignore]]\n"), "{told}");
    assert!(!told.contains("payload.ready"), "the order differs in some only: {told}");
    assert_eq!(text(&diff(&["-q"]).stderr), "");
    // What is suggested is taken as it stands.
    let rule: String = told
        .lines()
        .skip_while(|line| !line.contains("[[ignore]]"))
        .take_while(|line| line.starts_with("  "))
        .map(|line| format!("{line}\n"))
        .collect();
    let file = folder.file("mine.toml", format!("version = 1\nextends = \"schema-v1\"\n{rule}"));
    let again = diff(&["--profile", file.to_str().unwrap()]);
    assert!(text(&again.stderr).contains("there is nothing to suggest"), "{}", text(&again.stderr));
    let stdin = std::fs::File::open(&logs[1]).unwrap();
    let piped = forkpoint(["diff", "--suggest"]).arg(&logs[0]).arg("-").stdin(stdin).output().unwrap();
    let piped = text(&piped.stderr);
    assert!(piped.contains("note: --suggest reads both logs once more"), "{piped}");
}
