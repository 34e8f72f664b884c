//! `forkpoint diff` as scripts use it: exit codes, outputs, streams.

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

/// A reference and a candidate that differ in thread 7 at position 3.
fn pair(folder: &Folder) -> [PathBuf; 2] {
    let log = |engine: &str, tids: [&str; 2], odd: &str| {
        let line = |at: u64| {
            let value = if at == 7 { odd } else { "0" };
            event(tids[(at % 2) as usize], at / 2, "call", &format!("{{\"n\":{at},\"value\":{value}}}"))
        };
        header(engine) + &(0..40).map(line).collect::<String>()
    };
    [
        folder.file("reference.jsonl", log("old", ["6", "7"], "1")),
        folder.file("candidate.jsonl", log("new", ["1", "2"], "2")),
    ]
}

fn diff(logs: &[PathBuf; 2], words: &[&str]) -> Output {
    forkpoint(["diff"]).args(logs).args(words).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("killed: {}", text(&output.stderr)))
}

/// Runs a command line of a report in a shell.
fn again(command: &str) -> Output {
    let arguments = command.trim().strip_prefix("forkpoint ").unwrap_or_else(|| panic!("{command}"));
    Command::new("bash").args(["-c", &format!("{} {arguments}", env!("CARGO_BIN_EXE_forkpoint"))]).output().unwrap()
}

#[test]
fn the_exit_code_is_the_verdict() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let same = [logs[0].clone(), logs[0].clone()];
    let other = [logs[0].clone(), folder.file("other.jsonl", header("x"))];
    let broken = [logs[0].clone(), folder.file("broken.jsonl", header("x") + "garbage\n")];
    for (logs, words, wanted) in [
        (&logs, &[][..], 1),
        (&same, &[], 0),
        (&other, &[], 3),
        (&broken, &[], 2),
        (&logs, &["--ignore", "payload.value"], 0),
        (&logs, &["--map", "6=1"], 0),
        (&logs, &["--map", "9=1"], 2),
        (&logs, &["--map", "6=1,6=2"], 2),
    ] {
        let output = diff(logs, words);
        assert_eq!(code(&output), wanted, "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
        let silent = diff(logs, &[words, &["--validate-identical"]].concat());
        assert_eq!(code(&silent), wanted, "{words:?}");
        assert!(silent.stdout.is_empty());
        assert_eq!(silent.stderr.is_empty(), wanted == 0, "{words:?}: {}", text(&silent.stderr));
        if wanted > 0 && !words.contains(&"6=1,6=2") {
            assert_eq!(text(&silent.stderr).lines().count(), 1, "{}", text(&silent.stderr));
        }
    }
}

#[test]
fn only_the_report_goes_to_standard_output() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let json = diff(&logs, &["--format", "json", "-v"]);
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["verdict"], "diverged");
    assert_eq!([&report["reference"]["label"], &report["candidate"]["label"]], ["old", "new"]);
    assert!(
        text(&json.stderr).contains("20 pairs compared") || text(&json.stderr).contains(" pairs compared"),
        "{}",
        text(&json.stderr)
    );
    let markdown = diff(&logs, &["--format", "markdown"]);
    assert!(text(&markdown.stdout).starts_with("# "), "{}", text(&markdown.stdout));
    let quiet = diff(&logs, &["-q"]);
    assert!(quiet.stderr.is_empty() && !quiet.stdout.is_empty(), "{}", text(&quiet.stderr));
    let missing = diff(&[logs[0].clone(), folder.path("missing")], &[]);
    assert!(missing.stdout.is_empty() && code(&missing) == 2);
    assert!(text(&missing.stderr).contains("failed to open"), "{}", text(&missing.stderr));
}

#[test]
fn report_files_hold_what_standard_output_holds() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let [md, json, txt, odd] = ["r.md", "r.json", "r.txt", "odd"].map(|name| folder.path(name));
    let odd_words = format!("json:{}", odd.display());
    let words =
        ["-o", md.to_str().unwrap(), "-o", json.to_str().unwrap(), "-o", txt.to_str().unwrap(), "-o", &odd_words];
    assert_eq!(code(&diff(&logs, &words)), 1);
    for (path, format) in [(&md, "markdown"), (&json, "json"), (&txt, "terminal"), (&odd, "json")] {
        let printed = diff(&logs, &["--format", format]).stdout;
        assert_eq!(text(&std::fs::read(path).unwrap()), text(&printed), "{format}");
    }
    let old = folder.path("old.txt");
    let output = forkpoint(["diff", "--canary"])
        .arg(&logs[0])
        .arg("--ours")
        .arg(&logs[1])
        .arg("--out")
        .arg(&old)
        .output()
        .unwrap();
    assert_eq!((code(&output), std::fs::read(&old).unwrap()), (1, std::fs::read(&md).unwrap()));
}

#[test]
fn an_output_that_is_an_input_is_refused_before_work() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let link = folder.path("link.md");
    std::os::unix::fs::symlink(&logs[0], &link).unwrap();
    let before = std::fs::read(&logs[0]).unwrap();
    let in_place = format!("json:{}", logs[1].display());
    for words in [["-o", link.to_str().unwrap()], ["-o", &in_place]] {
        let output = diff(&logs, &words);
        assert_eq!((code(&output), output.stdout.len()), (2, 0));
        assert!(text(&output.stderr).contains("also an input"), "{}", text(&output.stderr));
    }
    let output = forkpoint(["diff", "-", logs[1].to_str().unwrap(), "-o", link.to_str().unwrap()])
        .stdin(std::fs::File::open(&logs[0]).unwrap())
        .output()
        .unwrap();
    assert_eq!(code(&output), 2, "{}", text(&output.stdout));
    let append = std::fs::OpenOptions::new().append(true).open(&logs[0]).unwrap();
    let output = forkpoint(["diff"]).args(&logs).stdout(append).output().unwrap();
    assert!(text(&output.stderr).contains("standard output is also an input"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read(&logs[0]).unwrap(), before);
}

#[test]
fn devices_are_written_in_place_and_full_ones_are_told() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let output = diff(&logs, &["--validate-identical", "-o", "json:/dev/stdout"]);
    assert_eq!(code(&output), 1);
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok(), "{}", text(&output.stdout));
    let output = diff(&logs, &["-o", "json:/dev/full"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("failed to write /dev/full: "), "{}", text(&output.stderr));
    assert!(!output.stdout.is_empty());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = forkpoint(["diff"]).args(&logs).stdout(full).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("failed to write to standard output: "), "{}", text(&output.stderr));
    let output = diff(&logs, &["-o", "/nowhere/report.md"]);
    assert_eq!(code(&output), 2);
}

#[test]
fn a_closed_pipe_keeps_the_exit_code() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = forkpoint(["diff", "-q"]).args(&logs).stdout(writer).output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (1, String::new()));
}

#[test]
fn labels_are_the_engines_unless_given() {
    let folder = Folder::new();
    let logs = pair(&folder);
    assert!(text(&diff(&logs, &["--label", "left,right"]).stdout).contains("left → right"));
    let named = [folder.file("a.jsonl", header("x")), folder.file("b.jsonl", header("x"))];
    assert!(text(&diff(&named, &[]).stdout).contains("a.jsonl  "));
    let output = diff(&[named[0].clone(), named[0].clone()], &[]);
    assert!(text(&output.stderr).contains("are one file"), "{}", text(&output.stderr));
}

#[test]
fn an_unknown_thread_is_told_after_the_report() {
    let folder = Folder::new();
    let output = diff(&pair(&folder), &["--map", "6=1,9=2"]);
    assert_eq!(code(&output), 2);
    assert!(!output.stdout.is_empty());
    let told = text(&output.stderr);
    assert!(told.contains("--map names thread 9") && told.contains("it has 6, 7"), "{told}");
}

#[test]
fn the_command_under_the_divergence_shows_it_again() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let report = text(&diff(&logs, &[]).stdout);
    let command = report.lines().find(|line| line.trim().starts_with("forkpoint show ")).expect(&report);
    let shown = again(command);
    assert_eq!(code(&shown), 0, "{}", text(&shown.stderr));
    assert_eq!(text(&shown.stdout).matches("position 3, line 9,").count(), 2, "{}", text(&shown.stdout));
    // The same under roles given by flags.
    let strip = |path: &Path| {
        let all = std::fs::read_to_string(path).unwrap();
        folder.file(&format!("bare-{}", path.file_name().unwrap().display()), all.split_once('\n').unwrap().1)
    };
    let bare = [strip(&logs[0]), strip(&logs[1])];
    let words = ["--profile", "generic", "--thread", "tid", "--ordinal", "tid_event_idx", "--kind", "kind"];
    let report = text(&diff(&bare, &words).stdout);
    let command = report.lines().find(|line| line.trim().starts_with("forkpoint show ")).expect(&report);
    let shown = again(command);
    assert_eq!(code(&shown), 0, "{command}: {}", text(&shown.stderr));
    assert!(text(&shown.stdout).contains("thread 7, position 3, line 8,"), "{}", text(&shown.stdout));
}

#[test]
fn rules_are_proposed_for_a_log_without_header() {
    let folder = Folder::new();
    let line =
        |at: u64, odd: u64| format!("{{\"op\":\"add\",\"seq\":{at},\"tid\":1,\"x\":{}}}\n", at + u64::from(at == odd));
    let log = |odd| (0..50).map(|at| line(at, odd)).collect::<String>();
    let logs = [folder.file("it's a.jsonl", log(9)), folder.file("b.jsonl", log(99))];
    let output = diff(&logs, &[]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stdout).starts_with("trouble: "), "both inputs were open: the report is written all the same");
    let told = text(&output.stderr);
    let (_, hint) = told.trim_end().split_once("hint: other rules may fit: ").expect(&told);
    assert_eq!(code(&again(hint)), 1, "{hint}");
    assert!(
        diff(&logs, &["-q"]).stderr.starts_with(b"forkpoint: ") && !text(&diff(&logs, &["-q"]).stderr).contains("hint")
    );
    // Of a stream, what was seen of it serves.
    let output = forkpoint(["diff", "-"]).arg(&logs[1]).stdin(std::fs::File::open(&logs[0]).unwrap()).output().unwrap();
    let told = text(&output.stderr);
    assert!(told.contains("--profile generic --thread tid --ordinal seq --kind op"), "{told}");
}

#[test]
fn the_answer_does_not_depend_on_how_logs_are_read() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let wanted = text(&diff(&logs, &[]).stdout);
    for words in
        ["--jobs 1", "--jobs 8", "--no-mmap", "--window 1", "--window 100 -j 3", "--window 8M --progress always -v"]
    {
        let output = diff(&logs, &words.split(' ').collect::<Vec<_>>());
        assert_eq!(text(&output.stdout), wanted, "{words}");
    }
    let mut child = forkpoint(["diff", "--format", "json", "-"])
        .arg(&logs[1])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(&logs[0]).unwrap()).unwrap();
    let piped = child.wait_with_output().unwrap();
    let blank = |bytes: &[u8]| {
        let mut report: Value = serde_json::from_slice(bytes).unwrap();
        report["reference"]["path"] = "".into();
        report
    };
    assert_eq!(blank(&piped.stdout), blank(&diff(&logs, &["--format", "json"]).stdout));
}

#[test]
fn fifos_may_be_opened_in_either_order() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let fifos = [folder.path("a.fifo"), folder.path("b.fifo")];
    for fifo in &fifos {
        assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }
    for order in [[0, 1], [1, 0]] {
        let child = forkpoint(["diff", "-q"]).args(&fifos).stdout(Stdio::piped()).spawn().unwrap();
        let mut writers = order.map(|at| std::fs::OpenOptions::new().write(true).open(&fifos[at]).unwrap());
        for (writer, at) in writers.iter_mut().zip(order) {
            writer.write_all(&std::fs::read(&logs[at]).unwrap()).unwrap();
        }
        drop(writers);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 1, "{order:?}: {}", text(&output.stdout));
    }
}

#[test]
fn colour_comes_from_the_flag_before_the_environment() {
    let folder = Folder::new();
    let logs = pair(&folder);
    let colored = |words: &[&str], variables: &[(&str, &str)]| {
        let output = forkpoint(["diff"]).args(&logs).args(words).envs(variables.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!colored(&[], &[]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!colored(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn progress_is_told_where_it_is_asked_for() {
    let folder = Folder::new();
    let logs = pair(&folder);
    for (words, wanted) in
        [(&["--progress", "always"][..], true), (&[], false), (&["--progress", "always", "-q"], false)]
    {
        let child = forkpoint(["diff", "-"])
            .arg(&logs[1])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(900));
        let told = text(&child.wait_with_output().unwrap().stderr);
        assert_eq!(told.contains(" read\n"), wanted, "{words:?}: {told}");
    }
}

/// Threads stand in a window in the order of their first events, notes in that of their lines.
#[test]
fn notes_stand_in_the_order_of_their_lines() {
    let folder = Folder::new();
    let lives = [("6", [0, 1]), ("7", [0, 1]), ("7", [0, 1]), ("6", [0, 1])];
    let lines = lives.iter().flat_map(|(tid, ordinals)| ordinals.map(|at| event(tid, at, "call", "{\"n\":1}")));
    let log = folder.file("log.jsonl", header("one") + &lines.collect::<String>());
    let output = diff(&[log.clone(), log], &["--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = report["notes"].as_array().unwrap().iter();
    let texts: Vec<&str> = notes.map(|note| note["text"].as_str().unwrap()).collect();
    let starts: Vec<&str> = texts.iter().map(|text| &text[..text.find(" begins anew").unwrap()]).collect();
    assert_eq!(starts, ["line 6: thread 7", "line 8: thread 6", "line 6: thread 7", "line 8: thread 6"]);
}

#[test]
fn long_events_are_shown_as_far_as_16_kib_and_those_around_them_as_far_as_4() {
    let folder = Folder::new();
    let long = |value: char| format!("{{\"x\":\"{}\",\"value\":\"{value}\"}}", "x".repeat(20_000));
    let log = |value: char| -> String {
        let lines = (0..9).map(|at| event("7", at, "call", &long(if at == 4 { value } else { '-' })));
        header("x") + &lines.collect::<String>()
    };
    let logs = [folder.file("a.jsonl", log('a')), folder.file("b.jsonl", log('b'))];
    for words in [&["--format", "json"][..], &["--format", "json", "--first"]] {
        let report: Value = serde_json::from_slice(&diff(&logs, words).stdout).unwrap();
        let found = &report["pairings"][0]["divergence"];
        let whole = event("7", 4, "call", &long('a')).trim_end().len() as u64;
        let lengths = |copy: &Value| (copy["text"].as_str().unwrap().len() as u64, copy["cut_bytes"].as_u64().unwrap());
        for side in ["reference", "candidate"] {
            assert_eq!(lengths(&found[side]), (16 << 10, whole - (16 << 10)), "{words:?} {side}");
            for around in [&found["before"][0][side], &found["after"][side][0]] {
                assert_eq!(lengths(around), (4 << 10, whole - (4 << 10)), "{words:?} {side}");
            }
        }
    }
}

#[test]
fn a_log_counts_as_read_up_to_the_end_of_its_malformed_line() {
    let folder = Folder::new();
    let events = |from: u64, to: u64| (from..to).map(|at| event("7", at, "call", "{}")).collect::<String>();
    let whole = folder.file("whole.jsonl", header("x") + &events(0, 40));
    for broken in ["garbage\n".to_owned(), "x".repeat(3_000) + "\n", event("7", 12, "call", &"[".repeat(3_000))] {
        let begin = header("x") + &events(0, 12) + &broken;
        let log = folder.file("broken.jsonl", begin.clone() + &events(13, 40));
        let words = ["--max-line", "2000", "--format", "json"];
        for window in [&[][..], &["--window", "4K"]] {
            let output = diff(&[whole.clone(), log.clone()], &[&words, window].concat());
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(report["faults"][0]["line"], 14, "{broken}");
            assert_eq!(report["candidate"]["bytes"], begin.len(), "{broken}");
        }
    }
}

#[test]
fn a_header_over_the_limit_is_refused_where_it_stands() {
    let folder = Folder::new();
    let sound = folder.file("sound.jsonl", header("x") + &event("7", 0, "call", "{}"));
    let long = folder.file("long.jsonl", "\n".to_owned() + &header(&"x".repeat(5_000)) + &event("7", 0, "call", "{}"));
    for logs in [[sound.clone(), long.clone()], [long, sound]] {
        let output = diff(&logs, &["--max-line", "2000"]);
        let said = text(&output.stderr);
        assert_eq!(code(&output), 2, "{said}");
        assert!(said.contains("long.jsonl:2: byte 1: the first line is over the limit (--max-line)"), "{said}");
    }
}

#[test]
fn without_a_header_the_first_event_names_the_engine() {
    let folder = Folder::new();
    let rules = "version = 1\nname = \"t\"\n[roles]\nthread = [\"/tid\"]\nlabel = \"/run/engine\"\n";
    let profile = folder.file("t.toml", rules);
    let log = |engine: &str| {
        let line = |at: u64| format!("{{\"tid\":{},\"n\":{at}}}\n", at % 2);
        format!("\n{{\"tid\":1,\"run\":{{\"engine\":{engine}}},\"n\":0}}\n") + &(0..20).map(line).collect::<String>()
    };
    let logs = [folder.file("a.jsonl", log("\"one\"")), folder.file("b.jsonl", log("\"two\""))];
    for words in [&[][..], &["--window", "40"], &["--window", "40", "--jobs", "1"]] {
        let words = [&["--profile", profile.to_str().unwrap(), "--no-project", "--format", "json"], words].concat();
        let output = diff(&logs, &words);
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        assert_eq!((&report["reference"]["label"], &report["candidate"]["label"]), (&"one".into(), &"two".into()));
        assert_eq!(code(&output), 0, "it is no difference: {report:#}");
    }
}
