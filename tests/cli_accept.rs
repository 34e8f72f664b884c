//! `--accept` and `--write-accept`, through the binary.

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

const DEMO: [&str; 2] = ["corpus/demo/reference.jsonl", "corpus/demo/candidate.jsonl"];

/// Exit code, standard output, standard error.
fn run(logs: &[impl AsRef<Path>; 2], words: &[&str]) -> (i32, String, String) {
    let logs = logs.each_ref().map(|log| log.as_ref().to_owned());
    let output = forkpoint(["diff"]).args(words).args(logs).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Says a reason wherever one is to be said.
fn reason(file: &Path) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("TODO"), "{text}");
    std::fs::write(file, text.replace("TODO: why is this tolerated?", "a known bug")).unwrap();
}

/// Two logs whose only thread differs in these events.
fn logs(folder: &Folder, reference: &[&str], candidate: &[&str]) -> [PathBuf; 2] {
    let log = |name: &str, payloads: &[&str]| {
        let lines =
            payloads.iter().zip(0..).map(|(payload, at)| event("6", at, "call", &format!("{{\"n\":{payload}}}")));
        folder.file(name, header("e") + &lines.collect::<String>())
    };
    [log("a.jsonl", reference), log("b.jsonl", candidate)]
}

#[test]
fn accepting_what_was_written_goes_on_to_the_next_until_nothing_is_left() {
    let folder = Folder::new();
    let known = folder.path("known.toml");
    let file = known.to_str().unwrap();
    let (code, plain, told) = run(&DEMO, &["--write-accept", file]);
    assert_eq!(code, 1);
    assert!(told.contains(&format!("note: 3 entries added to {file}; say in each why it is tolerated")), "{told}");
    assert_eq!(plain, run(&DEMO, &[]).1, "the report is as ever");
    let (code, out, told) = run(&DEMO, &["--accept", file]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(told.contains("known.toml:12:10: this is still to be said") && told.contains("^^^"), "{told}");
    reason(&known);
    let accept = ["--accept", file, "--format", "json"];
    let mut rounds = 0;
    let last = loop {
        let (code, out, told) = run(&DEMO, &accept);
        let found = report(&out);
        assert_eq!(
            found["accepted"]["entries"].as_array().unwrap().iter().filter(|e| e["flag"] == "unused").count(),
            0
        );
        if code == 0 {
            break found;
        }
        assert_eq!(code, 1, "{told}");
        rounds += 1;
        assert!(rounds < 9, "{out}");
        run(&DEMO, &["--accept", file, "--write-accept", file]);
        reason(&known);
    };
    let total = last["accepted"]["total"].as_u64().unwrap();
    assert!(last["message"].as_str().unwrap().ends_with(&format!("threads, but for {total} accepted")), "{last}");
    assert_eq!(
        last["pairings"].as_array().unwrap().iter().map(|p| p["accepted"].as_u64().unwrap()).sum::<u64>(),
        total
    );
    // Nobody sees how the logs were read.
    let small = run(&DEMO, &["--accept", file, "--jobs", "1", "--window", "300", "--no-mmap"]);
    assert_eq!(small, run(&DEMO, &["--accept", file, "--jobs", "4"]));
    let (_, _, told) = run(&DEMO, &["--accept", file, "--write-accept", file]);
    assert!(told.contains("note: there is nothing to add to "), "{told}");
}

#[test]
fn missing_events_are_stepped_over_and_ordinals_go_on_from_there() {
    let folder = Folder::new();
    let logs = logs(
        &folder,
        &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        &["0", "1", "3", "4", "5", "6", "7", "8", "9", "11"],
    );
    let known = folder.file(
        "known.toml",
        "version = 1\n[[accept]]\ndivergence = \"missing\"\nthread = 6\nposition = 2\nevents = 1\nreason = \"lost\"\n",
    );
    let (code, out, _) = run(&logs, &["--accept", known.to_str().unwrap(), "--format", "json"]);
    let report = report(&out);
    let found = &report["pairings"][0];
    assert_eq!((code, &found["accepted"], &found["compared"]), (1, &Value::from(1), &Value::from(9)));
    let divergence = &found["divergence"];
    assert_eq!((&divergence["kind"], &divergence["position"]), (&Value::from("value"), &Value::from(10)));
    assert_eq!(divergence["differences"].as_array().unwrap().len(), 1, "the ordinals are in step: {divergence}");
    assert_eq!(divergence["candidate"]["line"], 11);
    // The command that shows the place again counts each lane for itself.
    let (_, out, _) = run(&logs, &["--accept", known.to_str().unwrap()]);
    let command = out.lines().find_map(|line| line.trim().strip_prefix("forkpoint show ")).unwrap();
    let shown = forkpoint(["show"]).args(command.split(' ')).output().unwrap();
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("thread 6, position 10, line 12") && shown.contains("thread 6, position 9, line 11"),
        "{shown}"
    );
}

#[test]
fn what_expired_or_accepted_nothing_is_told_under_the_verdict() {
    let folder = Folder::new();
    let logs = logs(&folder, &["0", "1", "2"], &["0", "7", "2"]);
    let known = folder.file(
        "known.toml",
        "version = 1\n[[accept]]\ndivergence = \"value\"\npath = \"/payload/n\"\nreason = \"old\"\nexpires = 2027-01-31\n\
         [[accept]]\ndivergence = \"value\"\nposition = 9\nreason = \"elsewhere\"\nlink = \"https://bugs/9\"\n",
    );
    let file = known.to_str().unwrap();
    let (code, out, _) = run(&logs, &["--accept", file, "--today", "2027-01-31"]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.starts_with("identical: no event differs in 3 compared pairs of 1 thread, but for 1 accepted\n"),
        "{out}"
    );
    assert!(out.contains(&format!("\nAccepted\n  1 value by {file}:3: old\n")), "{out}");
    let unused = format!("{file}:8: accepted nothing");
    assert!(out.lines().nth(1).unwrap().contains(&unused), "{out}");
    let (code, out, _) = run(&logs, &["--accept", file, "--today", "2027-02-01", "--format", "markdown"]);
    assert_eq!(code, 1);
    let expired = "known.toml:3: accepts nothing any more: it expired on 2027-01-31";
    assert!(out.contains(expired) && !out.contains("## Accepted"), "{out}");
    let (_, out, _) = run(&logs, &["--accept", file, "--today", "2027-01-31", "--format", "markdown"]);
    assert!(out.contains("## Accepted\n\n- 1 value by "), "{out}");
}

#[test]
fn under_first_the_first_that_is_not_accepted_is_told_and_written() {
    let folder = Folder::new();
    let logs = logs(&folder, &["0", "1", "2", "3"], &["0", "7", "2", "8"]);
    let known =
        folder.file("known.toml", "version = 1\n[[accept]]\ndivergence = \"value\"\nposition = 1\nreason = \"old\"\n");
    let file = known.to_str().unwrap();
    let (code, out, _) = run(&logs, &["--accept", file, "--first", "--write-accept", file]);
    assert_eq!(code, 1);
    assert!(out.starts_with("diverged: thread 6 at position 3, payload.n: 3 → 8"), "{out}");
    assert!(out.contains(&format!(" --accept {file}")) && !out.contains("--write-accept"), "{out}");
    let written = std::fs::read_to_string(&known).unwrap();
    assert!(written.contains("reason = \"old\"\n\n[[accept]]\n") && written.contains("position = 3\n"), "{written}");
    let (_, json, _) = run(&logs, &["--first", "--format", "json"]);
    assert!(json.contains("\n  \"accepted\": null,"), "{json}");
}

#[test]
fn what_cannot_be_accepted_or_written_is_told() {
    let folder = Folder::new();
    let logs = logs(&folder, &["0", "1"], &["0", "7"]);
    let none = run(&logs, &["--accept", "no/such.toml"]);
    assert!(none.0 == 2 && none.2.contains("cannot read the accepted divergences no/such.toml"), "{}", none.2);
    let log = logs[1].to_str().unwrap();
    let over = run(&logs, &["--write-accept", log]);
    assert!(over.0 == 2 && over.2.contains("is also an input"), "{}", over.2);
    let report = folder.path("r.json");
    let report = report.to_str().unwrap();
    let twice = run(&logs, &["-o", report, "--write-accept", report]);
    assert!(twice.0 == 2 && twice.2.contains("are one file"), "{}", twice.2);
    let (code, out, told) = run(&logs, &["--write-accept", "/no/such/folder/known.toml"]);
    assert!(code == 2 && out.starts_with("diverged") && told.contains("failed to write /no/such/folder"), "{told}");
    let unsound = folder.file("known.toml", "version = 1\n[[accpet]]\n");
    let (code, _, told) = run(&logs, &["--write-accept", unsound.to_str().unwrap()]);
    assert!(code == 2 && told.contains("known.toml:2:3: unknown field `accpet`"), "{told}");
    assert_eq!(std::fs::read_to_string(&unsound).unwrap(), "version = 1\n[[accpet]]\n");
    // Where the comparison was not finished, nothing is known for sure.
    std::fs::write(&logs[1], header("e") + "{\"kind\":\"call\",\"tid\":6,}\n").unwrap();
    let fresh = folder.path("fresh.toml");
    let (code, _, told) = run(&logs, &["--write-accept", fresh.to_str().unwrap()]);
    assert!(code == 2 && told.contains("the comparison was not finished") && !fresh.exists(), "{told}");
}
