//! `forkpoint show`: places found by seeking and by reading, in files and streams.

mod common;

use std::process::Stdio;

use common::{Folder, event, forkpoint, header, text};

/// The raw lines that a command shows.
fn raw(words: &[&str], log: &std::path::Path) -> String {
    let output = forkpoint(["show", "--raw"]).arg(log).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn trouble(words: &[&str], log: &std::path::Path) -> String {
    let output = forkpoint(["show"]).arg(log).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{words:?}");
    assert!(output.stdout.is_empty());
    text(&output.stderr)
}

#[test]
fn the_page_shows_the_place_and_its_neighbours() {
    let folder = Folder::new();
    folder.small_log("run.jsonl", 40);
    let output = forkpoint(["show", "run.jsonl", "--thread", "7", "--at", "10", "--context", "1"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    insta::assert_snapshot!(text(&output.stdout), @r#"
    run.jsonl: thread 7, position 10, line 23, byte 1333
      line byte position ordinal  event
        21 1210        9       9  call {"n":19}
    >   23 1333       10      10  call {"n":21}
        25 1457       11      11  call {"n":23}
    {"kind":"call","tid":7,"tid_event_idx":10,"payload":{"n":21}}
    "#);
}

#[test]
fn every_way_to_a_place_shows_the_same_lines() {
    let folder = Folder::new();
    let log = folder.small_log("run.jsonl", 1000);
    let lines: Vec<String> = std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    let wanted: String = (496..=504).step_by(2).map(|line| format!("{}\n", lines[line])).collect();
    let offset: usize = lines[..500].iter().map(|line| line.len() + 1).sum();
    for words in [
        "-C 2 --line 501".to_owned(),
        format!("-C 2 --offset {offset}"),
        format!("-C 2 --offset {}", offset + lines[500].len()),
        "-C 2 --thread 7 --at 249".to_owned(),
        "-C 2 --thread 7 --line 500".to_owned(),
        format!("-C 2 --thread 7 --offset {} --position 249 --line 501", offset - 1),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(raw(&words, &log), wanted, "{words:?}");
        let stream = forkpoint(["show", "--raw", "-", "--window", "100"])
            .args(&words)
            .stdin(std::fs::File::open(&log).unwrap())
            .output()
            .unwrap();
        assert_eq!(text(&stream.stdout), wanted, "from a stream: {words:?}: {}", text(&stream.stderr));
    }
}

#[test]
fn two_logs_stand_one_after_the_other() {
    let folder = Folder::new();
    let reference = folder.small_log("a.jsonl", 40);
    let line = |at: u64| event("1", at, "call", &format!("{{\"m\":{at}}}"));
    let candidate = folder.file("b.jsonl", header("b") + &(0..9).map(line).collect::<String>());
    let output =
        forkpoint(["show", "--raw", "-C", "0", "--line", "2", "--candidate-thread", "1", "--candidate-position", "3"])
            .args([&reference, &candidate])
            .output()
            .unwrap();
    assert_eq!(text(&output.stdout), event("6", 0, "call", "{\"n\":0}") + &line(3), "{}", text(&output.stderr));
    let output = forkpoint(["show", "-C", "0", "--offset", "70", "--candidate-offset", "70"])
        .args([&reference, &candidate])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout).matches("thread 6").count(), 1);
    assert_eq!(text(&output.stdout).matches("thread 1").count(), 1);
}

#[test]
fn generations_are_not_mixed() {
    let folder = Folder::new();
    let log = folder.file(
        "run.jsonl",
        header("x")
            + &(0..3).map(|at| event("6", at, "a", "{}")).collect::<String>()
            + &event("6", 3, "thread.exit", "{}")
            + &(0..3).map(|at| event("6", at, "b", "{}")).collect::<String>()
            + &(0..3).map(|at| event("6", at, "c", "{}")).collect::<String>(),
    );
    let generation: String = (0..3).map(|at| event("6", at, "b", "{}")).collect();
    for words in [&["--thread", "6#1", "--at", "1"][..], &["--line", "7"]] {
        assert_eq!(raw(words, &log), generation, "{words:?}");
    }
    assert!(trouble(&["--thread", "6#1", "--at", "3"], &log).contains("no event at position 3"));
}

#[test]
fn control_characters_are_escaped_but_in_raw_files() {
    let folder = Folder::new();
    let log = folder.file("run.jsonl", "{\"n\":1,\"x\":\"\u{202e}\u{7f}\"}\n");
    let words = ["--profile", "generic", "--line", "1"];
    assert_eq!(raw(&words, &log), "{\"n\":1,\"x\":\"\u{202e}\u{7f}\"}\n");
    let shown = text(&forkpoint(["show"]).arg(&log).args(words).output().unwrap().stdout);
    assert!(shown.contains("\\u{202e}\\u{7f}") && !shown.contains('\u{202e}'), "{shown}");
}

#[test]
fn places_that_are_not_there_are_named() {
    let folder = Folder::new();
    let log = folder.small_log("run.jsonl", 10);
    let broken = folder.file("broken.jsonl", header("x") + "{\"tid\":\n\n" + &event("6", 0, "a", "{}"));
    for (words, reason) in [
        (&["--offset", "999999"][..], "byte 999999 is behind its end"),
        (&["--offset", "3"], "header line"),
        (&["--line", "1"], "header line"),
        (&["--line", "0"], "counted from 1"),
        (&["--line", "99"], "fewer than 99 lines"),
        (&["--thread", "9", "--at", "0"], "no thread 9"),
        (&["--thread", "6", "--at", "99"], "thread 6 has no event at position 99"),
        (&["--thread", "9", "--line", "3"], "thread 9 has no event at or behind"),
        (&["--thread", "6"], "give --at POSITION"),
        (&["--at", "6"], "give --thread"),
        (&["--candidate-line", "6", "--line", "2"], "no second log"),
    ] {
        let told = trouble(words, &log);
        assert!(told.contains(reason), "{words:?}: {told}");
    }
    let told = trouble(&["--line", "2"], &broken);
    assert!(told.contains("byte 64: the line's object does not end"), "{told}");
    assert!(trouble(&["--line", "3"], &broken).contains("blank line"));
}

#[test]
fn malformed_neighbours_are_left_out_and_counted() {
    let folder = Folder::new();
    let good = |at| event("6", at, "a", "{}");
    let log = folder.file("run.jsonl", header("x") + &good(0) + "garbage\n" + &good(1) + "{}\n" + &good(2));
    let output = forkpoint(["show", "--raw", "--line", "4"]).arg(&log).output().unwrap();
    assert_eq!(text(&output.stdout), good(0) + &good(1) + &good(2));
    assert!(text(&output.stderr).contains("2 malformed lines are left out"), "{}", text(&output.stderr));
}

#[test]
fn a_composite_key_and_a_thread_role_can_be_given() {
    let folder = Folder::new();
    let line = |at: u64| format!("{{\"pid\":1,\"tid\":\"t{}\",\"n\":{at}}}\n", at % 2);
    let log = folder.file("run.jsonl", (0..10).map(line).collect::<String>());
    let words = ["--profile", "generic", "--thread-role", "pid,tid", "--thread", "[1,\"t1\"]", "--at", "2", "-C", "1"];
    assert_eq!(raw(&words, &log), line(3) + &line(5) + &line(7));
}

#[test]
fn a_stream_that_is_not_at_its_end_is_shown() {
    use std::io::Write;
    let mut child = forkpoint(["show", "--raw", "-", "-C", "0", "--line", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((header("x") + &event("6", 0, "a", "{}")).as_bytes()).unwrap();
    stdin.flush().unwrap();
    // The reader ends although nobody has closed the pipe.
    assert!(child.wait().unwrap().success());
    drop(stdin);
}
