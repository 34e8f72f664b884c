//! `forkpoint profile`: list, show, check.

mod common;

use common::{Folder, forkpoint, one_blank, text, without_origins};

#[test]
fn the_list_names_what_can_be_given() {
    let listed = text(&forkpoint(["profile", "list"]).output().unwrap().stdout);
    assert!(listed.starts_with("schema-v1  ") && listed.contains("\ngeneric    "), "{listed}");
}

#[test]
fn what_is_shown_is_a_sound_file_with_the_same_rules() {
    let folder = Folder::new();
    for words in
        ["", "generic", "generic --thread tid --ordinal seq --ignore time --mask flags=0x30", "--profile generic"]
    {
        let words: Vec<&str> = words.split_whitespace().collect();
        let shown = forkpoint(["profile", "show"]).args(&words).output().unwrap();
        assert_eq!(shown.status.code(), Some(0), "{words:?}: {}", text(&shown.stderr));
        let file = folder.file("shown.toml", &shown.stdout);
        let again = forkpoint(["profile", "show"]).arg(&file).output().unwrap();
        assert_eq!(without_origins(&again.stdout), without_origins(&shown.stdout), "{words:?}");
        let checked = forkpoint(["profile", "check"]).arg(&file).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
        assert!(text(&checked.stdout).contains(": sound: profile "), "{}", text(&checked.stdout));
    }
}

#[test]
fn a_bad_profile_is_shown_with_its_place() {
    let folder = Folder::new();
    let file = folder.file("bad.toml", "version = 1\nname = \"x\"\nrolls = 3\n");
    for words in [["profile", "check"], ["profile", "show"]] {
        let output = forkpoint(words).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let told = text(&output.stderr);
        assert!(told.contains("rolls") && told.contains('3') && told.contains('^'), "{told}");
    }
    let output = forkpoint(["profile", "show", "nonesuch"]).output().unwrap();
    assert!(text(&output.stderr).contains("there is no profile"), "{}", text(&output.stderr));
}

/// A folder with a home, a project in it, and a folder below the project.
fn project(said: &str) -> (Folder, std::path::PathBuf, std::path::PathBuf) {
    let folder = Folder::new();
    let deep = folder.path("home/project/deep");
    std::fs::create_dir_all(&deep).unwrap();
    let file = folder.file("home/project/forkpoint.toml", said);
    (folder, file.canonicalize().unwrap(), deep.canonicalize().unwrap())
}

const PROJECT: &str = "version = 1\nname = \"ours\"\nextends = \"schema-v1\"\nwithout = [\"wait-duration\"]\n\n\
    [roles]\nlabel = \"/build\"\nwithout = [\"end\"]\n\n\
    [[ignore]]\nname = \"uptime\"\npath = \"/payload/uptime\"\nreason = \"it is a clock\"\n";

#[test]
fn the_project_file_is_found_from_below_and_every_part_says_where_it_came_from() {
    let (folder, file, deep) = project(PROJECT);
    let show = |words: &[&str]| {
        let output = forkpoint(["profile", "show"])
            .args(words)
            .current_dir(&deep)
            .env("HOME", folder.path("home"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    let (shown, told) = show(&["--ignore", "payload.x", "--thread", "none"]);
    let path = file.display();
    assert_eq!(told, format!("note: the rules of {path} are used (--no-project leaves them out)\n"));
    for line in [
        format!("# Layers, the later on top: built-in schema-v1, {path}, flags."),
        format!("# Not in force: the rule wait-duration (from built-in schema-v1), taken away by {path}:4."),
        format!("# Not in force: the role end (from built-in schema-v1), taken away by {path}:8."),
        format!("name = \"uptime\"              # from {path}:11"),
        "name = \"raw-handle\"          # from built-in schema-v1".to_owned(),
        "name = \"ignore:/payload/x\"   # from flag --ignore".to_owned(),
        format!("label = \"/build\"            # from {path}:7; names the log in reports"),
        "ordinal = \"/tid_event_idx\"  # from built-in schema-v1; none: the position in the lane".to_owned(),
    ] {
        assert!(shown.lines().any(|shown| one_blank(shown) == one_blank(&line)), "{line}\nin\n{shown}");
    }
    assert!(shown.contains("name = \"ours\"\n") && shown.contains("\n# thread = ") && shown.contains("\n# end = "));
    let file_again = folder.file("flat.toml", &shown);
    let (flat, _) = show(&[file_again.to_str().unwrap()]);
    assert_eq!(without_origins(flat.as_bytes()), without_origins(shown.as_bytes()));
    assert!(!show(&["--no-project"]).0.contains("uptime") && !show(&["schema-v1"]).0.contains("uptime"));
    assert!(show(&["--profile", "schema-v1"]).0.contains("uptime"), "its rules lie on what was chosen");
    let (shown, told) = show(&["--profile", "generic"]);
    assert!(!shown.contains("uptime"), "{shown}");
    assert_eq!(
        told,
        format!("note: {path} is left out: --profile generic is neither it nor built on what it extends\n")
    );
}

#[test]
fn a_run_goes_by_the_project_file_and_names_it_once() {
    let (folder, _, deep) = project(PROJECT);
    let event =
        |uptime: u64| common::header("e") + &common::event("6", 0, "call", &format!("{{\"uptime\":{uptime},\"n\":1}}"));
    let logs = [folder.file("a.jsonl", event(1)), folder.file("b.jsonl", event(2))];
    let run = |words: &[&str]| {
        let mut command = forkpoint(["diff", "--format", "json"]);
        command.args(words).args(&logs).current_dir(&deep).env("HOME", folder.path("home"));
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, report, told) = run(&[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(report.contains("\"profile\": \"ours\"") && report.contains("\"uptime\": 1"), "{report}");
    assert_eq!(told.matches("forkpoint.toml").count(), 1, "{told}");
    assert_eq!(run(&["-q"]).2, "");
    let (code, report, told) = run(&["--no-project"]);
    assert_eq!((code, told.contains("forkpoint.toml")), (Some(1), false), "{told}");
    assert!(report.contains("\"profile\": \"schema-v1\""));
    // The commands printed leave it out too.
    let terminal = forkpoint(["diff", "--no-project"]).args(&logs).current_dir(&deep).output().unwrap();
    assert!(text(&terminal.stdout).contains(" --no-project"), "{}", text(&terminal.stdout));
    // Nothing above the home folder is looked at.
    let home =
        forkpoint(["diff", "--format", "json"]).args(&logs).current_dir(&deep).env("HOME", &deep).output().unwrap();
    assert_eq!(home.status.code(), Some(1));
    let checked = forkpoint(["check"]).args(&logs).current_dir(&deep).output().unwrap();
    assert!(checked.status.success() && text(&checked.stderr).matches("forkpoint.toml").count() == 1);
}

#[test]
fn rules_that_look_wrong_are_told_under_the_verdict() {
    let folder = Folder::new();
    let log = |clock: u64| {
        let line = |at: u64| common::event("6", at, "call", &format!("{{\"clock\":{},\"n\":{at}}}", at * clock));
        common::header("e") + &(1..9).map(line).collect::<String>()
    };
    let logs = [folder.file("a.jsonl", log(1)), folder.file("b.jsonl", log(2))];
    let flags = ["--ignore", "payload.clock", "--ignore", "payload.gone"];
    let run = |words: &[&str]| text(&forkpoint(["diff"]).args(flags).args(words).args(&logs).output().unwrap().stdout);
    let shown = run(&[]);
    for line in [
        "  rule ignore:/payload/clock hid differences in 8 of 8 compared pairs",
        "  rule ignore:/payload/gone overlooked nothing, though 8 pairs differ in bytes",
    ] {
        assert!(shown.lines().take(4).any(|shown| shown == line), "{line}\nin\n{shown}");
    }
    let markdown = run(&["--format", "markdown"]);
    assert!(markdown.contains("\n- rule ignore:/payload/gone overlooked nothing"), "{markdown}");
    let report: serde_json::Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
    let flag = |rule: &str, flag: &str, overlooked: u64| serde_json::json!({"rule": rule, "flag": flag, "overlooked": overlooked});
    let told = [flag("ignore:/payload/clock", "broad", 8), flag("ignore:/payload/gone", "unused", 0)];
    assert_eq!(report["rule_flags"], serde_json::Value::from(told.to_vec()));
    let strict: serde_json::Value = serde_json::from_str(&run(&["--format", "json", "--strict"])).unwrap();
    assert_eq!(
        (&strict["rule_flags"], strict["coverage"]["differed_in_bytes"].as_u64()),
        (&report["rule_flags"], Some(8))
    );
}
