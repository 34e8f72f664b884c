//! What only the binary does: exit codes of wrong usage, help, closed pipes, full disks.

mod common;

use common::{Folder, forkpoint, text};

#[test]
fn alone_it_prints_three_examples_and_is_wrong_usage() {
    let output = forkpoint([""; 0]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert_eq!(text(&output.stderr).matches("\n  forkpoint ").count(), 3, "{}", text(&output.stderr));
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    for (words, code) in [
        ("frobnicate", 2),
        ("diff", 2),
        ("diff a", 2),
        ("diff --nonesuch a b", 2),
        ("diff - -", 2),
        ("diff /nowhere/a /nowhere/b", 2),
        ("show run.jsonl", 2),
        ("check", 2),
        ("profile", 2),
        ("--help", 0),
        ("--version", 0),
        ("diff --help", 0),
    ] {
        let output = forkpoint(words.split(' ')).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}: {}", text(&output.stderr));
        assert_eq!(output.stdout.is_empty(), code == 2, "{words}");
        assert_eq!(output.stderr.is_empty(), code == 0, "{words}");
    }
}

#[test]
fn the_exit_codes_stand_in_help_and_man_page() {
    for words in [&["--help"][..], &["diff", "--help"], &["show", "--help"], &["generate", "man"]] {
        let output = forkpoint(words.iter().copied()).output().unwrap();
        let shown = text(&output.stdout);
        assert!(shown.to_lowercase().contains("exit codes") && shown.contains("inconclusive"), "{words:?}");
        assert!(shown.contains("NO_COLOR"), "{words:?}");
    }
}

#[test]
fn old_flags_are_accepted_but_not_shown() {
    let help = forkpoint(["diff", "--help"]).output().unwrap();
    for flag in ["--canary", "--ours", "--tid-map", "--out ", "--thread-role"] {
        assert!(!text(&help.stdout).contains(flag), "{flag}");
    }
    let output = forkpoint(["diff", "--canary", "/nowhere/a"]).output().unwrap();
    assert!(text(&output.stderr).contains("belong together"), "{}", text(&output.stderr));
}

#[test]
fn every_generated_file_is_there_and_sound() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = forkpoint(["generate", "completions", shell]).output().unwrap();
        assert!(text(&output.stdout).contains("skip-nondeterministic"), "{shell}");
    }
    for format in ["report", "event", "profile"] {
        let output = forkpoint(["generate", "schema", format]).output().unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{format}: {error}"));
    }
}

#[test]
fn the_man_page_tells_every_command_and_flag() {
    let page = text(&forkpoint(["generate", "man"]).output().unwrap().stdout).replace("\\-", "-");
    for word in ["forkpoint diff", "forkpoint profile check", "--validate-identical", "--max-line", "COLUMNS"] {
        assert!(page.contains(word), "{word}");
    }
    assert_eq!(page.matches(".TH ").count(), 1);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = Folder::new();
    let log = folder.long_log("long.jsonl", 20_000);
    for words in [
        vec!["check", "--limit", "all", "--profile", "generic", "--ordinal", "none"],
        vec!["show", "--line", "9", "-C", "9999", "--profile", "generic"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = forkpoint(words.iter().copied()).arg(&log).stdout(writer).output().unwrap();
        assert!(output.stderr.is_empty(), "{words:?}: {}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{words:?}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = forkpoint(["profile", "show"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("failed to write to standard output: "), "{}", text(&output.stderr));
}
