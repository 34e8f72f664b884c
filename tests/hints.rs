//! Every command that a report or a hint prints runs as printed, and does what it says.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use common::cases::{self, Case, read_report};
use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

/// Runs a command line through a shell that finds the binary by its name.
fn shell(folder: &Path, command: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_forkpoint")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    Command::new("sh").args(["-c", command]).current_dir(folder).env("PATH", path).output().unwrap()
}

/// All that one comparison prints: its report in three formats, and stderr.
struct Printed {
    json: Value,
    commands: BTreeSet<String>,
    hints: Vec<String>,
}

fn printed(folder: &Path, words: &[String]) -> Printed {
    let pages = Folder::new();
    let mut command = forkpoint(["diff"]);
    command.args(words).args(["--format", "json", "--details", "all"]).current_dir(folder);
    for name in ["page.txt", "page.md"] {
        command.arg("-o").arg(pages.path(name));
    }
    let output = command.output().unwrap();
    let told = text(&output.stderr);
    let mut hints: Vec<String> =
        told.lines().filter_map(|line| line.strip_prefix("hint: ")).map(str::to_owned).collect();
    let mut all = told.clone();
    for name in ["page.txt", "page.md"] {
        all += &std::fs::read_to_string(pages.path(name)).unwrap_or_default();
    }
    hints.extend(advice(&all));
    let commands = all.lines().filter_map(command_in).collect();
    Printed { json: read_report(&text(&output.stdout)).unwrap_or_default(), commands, hints }
}

/// What Markdown advises: a sentence that ends with a colon, and a command in a block of its own.
fn advice(page: &str) -> Vec<String> {
    let lines: Vec<&str> = page.lines().collect();
    let blocks = lines.windows(4).filter(|lines| lines[0].ends_with(':') && lines[2] == "```sh");
    let hints = blocks.map(|lines| format!("{}{} {}", lines[0][..1].to_lowercase(), &lines[0][1..], lines[3]));
    hints.map(|hint| hint.replace('\\', "")).collect()
}

/// The command that a line holds from some word on to its end.
fn command_in(line: &str) -> Option<String> {
    let at = ["forkpoint show ", "forkpoint check ", "forkpoint audit ", "forkpoint diff "]
        .iter()
        .filter_map(|word| line.find(word))
        .min()?;
    Some(line[at..].trim_end().to_owned())
}

#[test]
fn every_command_of_the_corpus_runs_as_printed() {
    // Many threads with the same faults say little more than the first few; the verdicts apart are what counts.
    let cases: Vec<Case> = cases::all().into_iter().filter(|case| case.verdict != "identical").collect();
    let halves = cases.split_at(cases.len() / 2);
    let counts = std::thread::scope(|scope| {
        let second = scope.spawn(|| run_all(halves.1));
        (run_all(halves.0), second.join().unwrap())
    });
    let counts: Vec<usize> = (0..4).map(|at| counts.0[at] + counts.1[at]).collect();
    assert!(counts[0] > 50 && counts[1] > 30 && counts[2] > 50, "{counts:?}: commands are not found");
    assert!(counts[3] > 0, "no divergent event is a step of an object");
}

/// Runs the commands of these cases: how many of `show`, `check`, `diff` and `audit` there were.
fn run_all(cases: &[Case]) -> [usize; 4] {
    let mut counts = [0usize; 4];
    for case in cases {
        let name = case.name();
        let words = ["reference.jsonl", "candidate.jsonl"].map(str::to_owned).into_iter().chain(case.flags.clone());
        let printed = printed(&case.folder, &words.collect::<Vec<_>>());
        for command in &printed.commands {
            match command.split(' ').nth(1) {
                Some("show") => {
                    shows(&name, &case.folder, command, &printed.json, counts[0].is_multiple_of(8));
                    counts[0] += 1;
                }
                Some("check") => {
                    checks(&name, &case.folder, command, &printed.json);
                    counts[1] += 1;
                }
                Some("audit") => {
                    follows(&name, &case.folder, command);
                    counts[3] += 1;
                }
                _ => {
                    compares(&name, &case.folder, command, &printed);
                    counts[2] += 1;
                }
            }
        }
    }
    counts
}

/// `show` shows the two events of one divergence.
fn shows(name: &str, folder: &Path, command: &str, report: &Value, as_a_page: bool) {
    let raw = shell(folder, &format!("{command} --raw -C 0"));
    assert_eq!(raw.status.code(), Some(0), "{name}: {command}: {}", text(&raw.stderr));
    let words: Vec<&str> = command.split(' ').collect();
    let value = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        words[at + 1].parse::<u64>().ok()
    };
    let found = report["pairings"].as_array().unwrap().iter().map(|pairing| &pairing["divergence"]).find(|found| {
        let offsets = ["reference", "candidate"].map(|side| found[side]["offset"].as_u64());
        let first = if words[3].ends_with(".jsonl") || words[2] == "reference.jsonl" { offsets[0] } else { offsets[1] };
        // Where rules took events out the log's own positions are others, and none is told.
        first == value("--offset") && value("--position").is_none_or(|position| found["position"] == position)
    });
    let found = found.unwrap_or_else(|| panic!("{name}: {command} belongs to no divergence"));
    let sides = ["reference", "candidate"].map(|side| &found[side]);
    let lines: Vec<&str> = sides.iter().filter_map(|side| side["text"].as_str()).collect();
    let raw = text(&raw.stdout).replace("\\ud", "\\u0d");
    match sides.iter().any(|side| !side["joined"].is_null()) {
        // The log has its last part.
        true => assert_eq!(raw.lines().count(), lines.len(), "{name}: {command}"),
        false => assert_eq!(raw.lines().map(str::trim).collect::<Vec<_>>(), lines, "{name}: {command}"),
    }
    if !as_a_page {
        return;
    }
    let page = shell(folder, command);
    assert_eq!(page.status.code(), Some(0), "{name}: {command}: {}", text(&page.stderr));
    let page = text(&page.stdout);
    for flag in ["--position", "--line"] {
        let Some(value) = value(flag) else { continue };
        let told = format!("{} {value}", flag.trim_start_matches('-'));
        assert!(page.lines().next().unwrap().contains(&told), "{name}: {command}: {told}: {page}");
    }
}

/// `audit` follows an object of the divergent event: one that it knows.
fn follows(name: &str, folder: &Path, command: &str) {
    let output = shell(folder, &format!("{command} --format json"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(report["schema"], "forkpoint.audit-both/1", "{name}: {command}: {}", text(&output.stderr));
    let page = text(&shell(folder, command).stdout);
    assert!(page.contains(" by thread "), "{name}: {command}: no step of it is told: {page}");
}

/// `check` lists at least the malformed lines that the comparison met in that log.
fn checks(name: &str, folder: &Path, command: &str, report: &Value) {
    let output = shell(folder, command);
    let listed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{name}: {command}: {}", text(&output.stderr));
    let path = command.split(' ').nth(2).unwrap();
    for fault in report["faults"].as_array().unwrap().iter().filter(|fault| fault["path"] == path) {
        let place = format!("{path}:{}: byte {}: ", fault["line"], fault["offset"]);
        assert!(listed.contains(&place), "{name}: {command}: {place}: {listed}");
    }
}

/// `diff` with more flags goes through, and what the hint promised is no longer in its way.
fn compares(name: &str, folder: &Path, command: &str, printed: &Printed) {
    let again = shell(folder, &format!("{command} --format json"));
    let (code, told) = (again.status.code().unwrap(), text(&again.stderr));
    if command.ends_with(" --continue 10") {
        // The same again, and what lies behind.
        let firsts = |report: &Value| divergences(report).into_iter().cloned().collect::<Vec<_>>();
        let report = read_report(&text(&again.stdout)).unwrap_or_default();
        assert!(told.is_empty() || !told.contains("error:"), "{name}: {command}: {told}");
        assert_eq!(firsts(&report).len(), firsts(&printed.json).len(), "{name}: {command}");
        return;
    }
    let hint = printed.hints.iter().find(|hint| hint.ends_with(command)).expect("diff stands in hints only");
    assert!(!told.contains("Usage:") && !told.contains("error:"), "{name}: {hint}: {told}");
    let report = read_report(&text(&again.stdout)).unwrap_or_default();
    if hint.starts_with("to accept ") {
        assert_eq!(code, 0, "{name}: {hint}: {told}");
    } else if hint.starts_with("to step over ") {
        // A thread that --map names and nobody has stays unknown.
        assert!(code == 1 || code == 3, "{name}: {hint}: {told}");
        assert_ne!(report["verdict"], "trouble", "{name}: {hint}");
    } else if hint.starts_with("ordinals differ ") {
        let kinds = divergences(&report).iter().filter(|found| found["kind"] == "ordinal").count();
        assert_eq!(kinds, 0, "{name}: {hint}");
    } else if hint.starts_with("every thread parts ") {
        let before = paths(&printed.json);
        assert!(paths(&report).is_disjoint(&before), "{name}: {hint}: {before:?}");
    } else {
        assert!(hint.starts_with("other rules may fit: "), "{name}: {hint}: a hint this test does not know");
    }
}

fn divergences(report: &Value) -> Vec<&Value> {
    report["pairings"].as_array().into_iter().flatten().map(|pairing| &pairing["divergence"]).collect()
}

/// The places where a report names differences.
fn paths(report: &Value) -> BTreeSet<String> {
    let differences = divergences(report).into_iter().flat_map(|found| found["differences"].as_array());
    differences.flatten().map(|difference| difference["path"].to_string()).collect()
}

#[test]
fn rules_are_proposed_as_a_command_that_compares() {
    let folder = Folder::new();
    let line = |at: u64| format!("{{\"op\":\"add\",\"seq\":{},\"tid\":{},\"x\":{at}}}\n", at / 2, at % 2);
    let log: String = (0..40).map(line).collect();
    folder.file("a 1.jsonl", &log);
    folder.file("-b'.jsonl", log.replace("\"x\":31", "\"x\":32"));
    let printed = printed(&folder.path(""), &["a 1.jsonl".into(), "./-b'.jsonl".into()]);
    let command = printed.commands.iter().find(|command| command.contains("--profile ")).expect("a hint");
    assert!(command.contains("--profile generic --thread tid --ordinal seq --kind op"), "{command}");
    let output = shell(&folder.path(""), command);
    assert_eq!(output.status.code(), Some(1), "{command}: {}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 thread diverges"), "{}", text(&output.stdout));
    // The commands of that report run too, odd names and all.
    let again = text(&output.stdout);
    let show = again.lines().find_map(command_in).expect("show it again");
    let shown = shell(&folder.path(""), &show);
    assert_eq!(shown.status.code(), Some(0), "{show}: {}", text(&shown.stderr));
    for value in ["\"x\":31", "\"x\":32"] {
        assert_eq!(text(&shown.stdout).matches(value).count(), 2, "{}", text(&shown.stdout));
    }
}

#[test]
fn odd_flags_are_repeated_so_that_a_shell_reads_them_back() {
    let folder = Folder::new();
    let line = |at: u64, x: u64| format!("{{\"my tid\":\"a b\",\"$n\":{at},\"it's\":{x}}}\n");
    folder.file("a.jsonl", (0..20).map(|at| line(at, 0)).collect::<String>() + "garbage\n");
    folder.file("b.jsonl", (0..20).map(|at| line(at, at / 4)).collect::<String>());
    let words = [
        "a.jsonl",
        "b.jsonl",
        "--profile",
        "generic",
        "--thread",
        "/my tid",
        "--ordinal",
        "/$n",
        "--label",
        "it's,so \"so\"",
    ];
    let printed = printed(&folder.path(""), &words.map(str::to_owned));
    assert!(printed.commands.len() >= 3, "{:?}", printed.commands);
    for command in &printed.commands {
        let output = shell(&folder.path(""), command);
        let told = text(&output.stderr);
        assert!(!told.contains("Usage:") && !told.contains("not found"), "{command}: {told}");
        if command.starts_with("forkpoint show") {
            assert_eq!(output.status.code(), Some(0), "{command}: {told}");
            assert!(text(&output.stdout).contains("\"it's\":1"), "{command}");
        }
    }
    let ignore = printed.hints.iter().find(|hint| hint.starts_with("every thread parts"));
    let output = shell(&folder.path(""), &command_in(ignore.expect("a hint to ignore")).unwrap());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("as far as compared, no event differs"), "{}", text(&output.stdout));
}

#[test]
fn no_command_names_what_cannot_be_opened_again() {
    let folder = Folder::new();
    let log = |value: u64| {
        header("x") + &(0..9).map(|at| event("6", at, "a", &format!("{{\"v\":{value}}}"))).collect::<String>()
    };
    folder.file("a.jsonl", log(1) + "garbage\n");
    folder.file("b.jsonl", log(2) + "garbage\n");
    for words in ["diff a.jsonl -", "diff - a.jsonl"] {
        let output = shell(&folder.path(""), &format!("cat b.jsonl | forkpoint {words}"));
        let all = text(&output.stdout) + &text(&output.stderr);
        let commands: Vec<String> = all.lines().filter_map(command_in).collect();
        assert!(!commands.is_empty(), "{all}");
        for command in commands {
            assert!(!command.contains(" - ") && !command.ends_with(" -"), "{command}");
            let again = shell(&folder.path(""), &command);
            let expected = if command.starts_with("forkpoint show") { 0 } else { 2 };
            assert_eq!(again.status.code(), Some(expected), "{command}: {}", text(&again.stderr));
        }
    }
}

#[test]
fn faults_that_can_be_mended_name_the_command_that_mends_them() {
    let folder = Folder::new();
    let log = header("x") + &(0..9).map(|at| event("6", at, "a", "{\"v\":1}")).collect::<String>();
    let lines: Vec<&str> = log.lines().collect();
    let utf16 = |log: &str| [b"\xFF\xFE".to_vec(), log.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    for (name, bytes, told) in [
        ("array.jsonl", format!("[\n{}\n]\n", lines.join(",\n")).into_bytes(), "jq -c '.[]'"),
        ("one-line.jsonl", format!("[{}]\n", lines.join(",")).into_bytes(), "jq -c '.[]'"),
        ("utf16.jsonl", utf16(&log), "iconv -f UTF-16 -t UTF-8"),
    ] {
        folder.file(name, bytes);
        let output = forkpoint(["check", name, "--profile", "generic"]).current_dir(folder.path("")).output().unwrap();
        let listed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{name}: {listed}");
        assert!(listed.contains(told), "{name}: {listed}");
        mends(&folder, name, told);
    }
    let marked: String = lines.iter().map(|line| format!("\u{feff}{line}\n")).collect();
    folder.file("marks.jsonl", marked);
    let output = forkpoint(["check", "marks.jsonl"]).current_dir(folder.path("")).output().unwrap();
    assert!(text(&output.stdout).contains("sed 's/^\\xEF\\xBB\\xBF//'"), "{}", text(&output.stdout));
    mends(&folder, "marks.jsonl", "sed 's/^\\xEF\\xBB\\xBF//'");
}

/// The command makes a sound log of the file; skipped where its program is not installed.
fn mends(folder: &Folder, name: &str, command: &str) {
    let program = command.split(' ').next().unwrap();
    if !shell(&folder.path(""), &format!("command -v {program}")).status.success() {
        println!("skipped: {program} is not installed");
        return;
    }
    let output = shell(&folder.path(""), &format!("{command} {name} > mended && forkpoint check mended"));
    assert_eq!(output.status.code(), Some(0), "{name}: {command}: {}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("9 events"), "{name}: {}", text(&output.stdout));
}
