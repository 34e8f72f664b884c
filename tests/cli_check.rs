//! `forkpoint check`: every line validated, every fault listed.

mod common;

use common::{Folder, event, forkpoint, header, text};

/// Exit code and standard output of a check.
fn check(folder: &Folder, words: &[&str]) -> (i32, String) {
    let output = forkpoint(["check"]).args(words).current_dir(folder.path("")).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout))
}

#[test]
fn a_sound_log_is_valid() {
    let folder = Folder::new();
    folder.small_log("run.jsonl", 1000);
    assert_eq!(
        check(&folder, &["run.jsonl"]),
        (0, "run.jsonl: valid: 1001 lines, 1000 events, 2 threads\n".replace("1000", "1,000").replace("1001", "1,001"))
    );
}

#[test]
fn faults_are_listed_with_line_byte_and_reason() {
    let folder = Folder::new();
    let good = |thread: &str, at| event(thread, at, "a", "{}");
    let text = header("x")
        + &good("6", 0)
        + "garbage\n\n"
        + &good("6", 1)
        + &good("6", 1)
        + "{\"kind\":\"a\",\"tid\":null,\"tid_event_idx\":0}\n"
        + &header("y")
        + "{\"kind\":\"a\",\"tid\":6,\"tid_event_idx\":2,\"payload\":{\"x\":01}}\n"
        + "{\"kind\":\"a\",\"tid\":6,\"tid_event_idx\":3,\"tid\":6}\n"
        + &good("7", 0);
    folder.file("run.jsonl", &text);
    let (code, listed) = check(&folder, &["run.jsonl"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(listed, @r#"
    run.jsonl:3: byte 110: no JSON object begins here
    run.jsonl:6: byte 171: the ordinal 1 does not grow: the event before has 1
    run.jsonl:7: byte 241: the thread key tid is neither integer nor string
    run.jsonl:8: byte 265: a second run starts here
    run.jsonl:9: byte 376: a number is malformed
    run.jsonl:10: byte 419: the key "tid" is given twice
    run.jsonl: 6 malformed: 11 lines, 3 events, 2 threads
    "#);
    for window in ["1", "64", "1M"] {
        assert_eq!(check(&folder, &["run.jsonl", "--window", window]).1, listed, "{window}");
        assert_eq!(check(&folder, &["run.jsonl", "--window", window, "--no-mmap", "-j", "1"]).1, listed, "{window}");
    }
}

#[test]
fn the_list_has_a_limit() {
    let folder = Folder::new();
    folder.file("run.jsonl", header("x") + &"garbage\n".repeat(150));
    for (words, lines) in [
        (&["run.jsonl"][..], 101),
        (&["run.jsonl", "--limit", "3"], 4),
        (&["run.jsonl", "--limit", "all"], 151),
        (&["run.jsonl", "--limit", "0"], 1),
    ] {
        let (code, listed) = check(&folder, words);
        assert_eq!((code, listed.lines().count()), (2, lines), "{words:?}");
        assert!(listed.contains("150 malformed"), "{listed}");
    }
}

#[test]
fn a_torn_last_line_is_a_note() {
    let folder = Folder::new();
    folder.file("run.jsonl", header("x") + &event("6", 0, "a", "{}") + "{\"kind\":\"a\",\"ti");
    let (code, listed) = check(&folder, &["run.jsonl"]);
    assert_eq!(code, 0, "{listed}");
    assert!(listed.contains("run.jsonl:3: ") && listed.contains("note: the last line is torn"), "{listed}");
}

#[test]
fn a_log_of_another_kind_gets_a_hint_that_runs() {
    let folder = Folder::new();
    let line = |at: u64| format!("{{\"op\":\"add\",\"seq\":{at},\"tid\":1,\"x\":{at}}}\n");
    folder.file("a b.jsonl", (0..50).map(line).collect::<String>());
    let output = forkpoint(["check", "a b.jsonl"]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    let (_, hint) = told.trim_end().split_once("hint: other rules may fit: forkpoint ").expect(&told);
    let script = format!("{} {hint}", env!("CARGO_BIN_EXE_forkpoint"));
    let again = std::process::Command::new("sh").args(["-c", &script]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{hint}: {}{}", text(&again.stdout), text(&again.stderr));
    assert!(text(&again.stdout).contains("50 events, 1 thread"), "{}", text(&again.stdout));
}

#[test]
fn one_unreadable_log_does_not_hide_the_others() {
    let folder = Folder::new();
    folder.small_log("good.jsonl", 10);
    folder.file("empty.jsonl", "");
    let (code, listed) = check(&folder, &["missing.jsonl", "good.jsonl", "empty.jsonl", "."]);
    assert_eq!(code, 2);
    assert!(listed.contains("good.jsonl: valid") && listed.contains("empty.jsonl:1: byte 0: "), "{listed}");
}

#[test]
fn standard_input_is_checked_once() {
    let folder = Folder::new();
    let log = folder.small_log("run.jsonl", 10);
    let output = forkpoint(["check", "-"]).stdin(std::fs::File::open(&log).unwrap()).output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stdout)),
        (Some(0), "-: valid: 11 lines, 10 events, 2 threads\n".into())
    );
    let output = forkpoint(["check", "-", "-"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn verbose_tells_times_and_rates() {
    let folder = Folder::new();
    let log = folder.small_log("run.jsonl", 10);
    let told = text(&forkpoint(["check", "-v"]).arg(&log).output().unwrap().stderr);
    assert!(told.contains("11 lines, 10 events") && told.contains(" s"), "{told}");
}

#[test]
fn lines_are_counted_whatever_the_windows() {
    let folder = Folder::new();
    folder.file("run.jsonl", "\n \r\n\n".to_owned() + &header("x") + "\n" + &event("6", 0, "a", "{}"));
    for window in ["1", "3", "1M"] {
        let (code, listed) = check(&folder, &["run.jsonl", "--window", window]);
        assert_eq!((code, listed.as_str()), (0, "run.jsonl: valid: 6 lines, 1 event, 1 thread\n"), "{window}");
    }
}
