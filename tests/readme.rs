//! The README shows what the program prints, and names the exit codes that it has.

mod common;

// Its `main` is not used here.
#[path = "../examples/relay.rs"]
mod relay;

use std::collections::BTreeMap;
use std::path::Path;

use common::{forkpoint, text};
use forkpoint::cli::Exit;

const COMMAND: &str = "$ forkpoint diff corpus/demo/reference.jsonl corpus/demo/candidate.jsonl";

/// What is said of two runs of `examples/relay.rs`.
const RECORDED: &str = "$ forkpoint diff good.jsonl bad.jsonl";

/// The README, once it has its example; without one there is nothing to hold the program against.
fn readme() -> Option<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let found = page.lines().any(|line| line.trim() == COMMAND);
    if !found {
        println!("skipped: README.md has no line {COMMAND:?} yet");
    }
    found.then_some(page)
}

/// What stands between an example's command and the end of its fence, or in the fence behind it.
fn example(page: &str, command: &str) -> String {
    let lines = page.lines().skip_while(|line| line.trim() != command).skip(1);
    let mut body: Vec<&str> = Vec::new();
    let mut fences = 0;
    for line in lines {
        if line.starts_with("```") {
            fences += 1;
            // The command stood alone in its fence: the output has one of its own.
            if body.iter().any(|line| !line.trim().is_empty()) {
                break;
            }
            body.clear();
            assert!(fences <= 2, "the example has no output");
            continue;
        }
        body.push(line);
    }
    body.join("\n")
}

#[test]
fn the_example_is_what_the_program_prints() {
    let Some(page) = readme() else { return };
    let words = COMMAND.split(' ').skip(2);
    let output = forkpoint(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(
        printed.contains("threads diverge") && printed.contains("identical"),
        "no good first impression: {printed}"
    );
    assert_shown(&example(&page, COMMAND), &printed);
}

fn assert_shown(shown: &str, printed: &str) {
    // A long report may be cut where the README says so with a line of its own.
    let (shown, printed) = (shown.trim_end(), printed.trim_end());
    match shown.rsplit_once("\n…") {
        Some((head, "")) => assert!(printed.starts_with(head), "the README shows\n{head}\nprinted is\n{printed}"),
        _ => assert_eq!(shown, printed, "the README shows\n{shown}\nprinted is\n{printed}"),
    }
}

#[test]
fn two_recorded_runs_part_where_the_readme_says() {
    let Some(page) = readme() else { return };
    let folder = common::Folder::new();
    relay::run(&folder.path("good.jsonl"), &relay::Run { bug: false, quantum: 20 }).unwrap();
    relay::run(&folder.path("bad.jsonl"), &relay::Run { bug: true, quantum: 7 }).unwrap();
    for (log, flags) in [("good.jsonl", ""), ("bad.jsonl", " --bug --quantum 7")] {
        let command = format!("cargo run --example relay -- {log}{flags}");
        assert!(page.lines().any(|line| line.trim_start_matches("$ ") == command), "README.md has no line {command:?}");
    }
    let output = forkpoint(RECORDED.split(' ').skip(2)).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_shown(&example(&page, RECORDED), &text(&output.stdout));
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recording.md").is_file());
}

/// Exit codes that stand at the beginning of a table's rows or of a list's lines.
fn codes(page: &str) -> BTreeMap<u8, String> {
    let rows = page.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches('|').trim().replace('`', "");
        let (code, meaning) = line.split_once([' ', '|'])?;
        Some((code.parse().ok()?, meaning.trim_matches([' ', '|']).to_owned()))
    });
    rows.collect()
}

/// What a meaning cannot do without.
const MEANINGS: [(Exit, &str); 5] = [
    (Exit::SAME, "same"),
    (Exit::DIFFERENT, "differ"),
    (Exit::TROUBLE, "trouble"),
    (Exit::INCONCLUSIVE, "inconclusive"),
    (Exit::INTERRUPTED, "ctrl-c"),
];

fn assert_codes(found: &BTreeMap<u8, String>, place: &str) {
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), MEANINGS.map(|(exit, _)| exit.0), "{place}: {found:?}");
    for (exit, word) in MEANINGS {
        let meaning = found[&exit.0].to_lowercase();
        assert!(meaning.contains(word), "{place}: {}: {meaning:?} does not say {word:?}", exit.0);
    }
}

#[test]
fn the_exit_codes_of_the_readme_are_the_programs() {
    let Some(page) = readme() else { return };
    let chapter = page.split("\n## ").find(|chapter| chapter.starts_with("Exit codes\n"));
    let table = chapter.expect("README.md has a chapter \"## Exit codes\"");
    assert_codes(&codes(table), "README.md");
}

#[test]
fn the_exit_codes_of_every_help_are_the_programs() {
    for words in
        [&["--help"][..], &["diff", "--help"], &["show", "--help"], &["check", "--help"], &["profile", "--help"]]
    {
        let help = text(&forkpoint(words).output().unwrap().stdout);
        let (_, list) = help.split_once("Exit codes:").unwrap_or_else(|| panic!("{words:?} tells no exit codes"));
        let list = list.split("\n\n").next().unwrap();
        assert_codes(&codes(list), &words.join(" "));
    }
}
