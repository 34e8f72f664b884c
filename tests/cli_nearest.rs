//! `forkpoint diff --snapshots`: from which snapshots one gets back to just before the first divergence.

mod common;

use common::{Folder, event, forkpoint, header, text};
use serde_json::Value;

/// Two logs of threads 6 and 7 that part at event 5 of thread 6, and a folder of snapshots.
fn scene() -> Folder {
    let folder = Folder::new();
    let log = |other: u64| {
        let lines = (0..20_u64).map(|at| {
            let value = if at == 10 { other } else { at };
            event(&(6 + at % 2).to_string(), at / 2, "call", &format!("{{\"n\":{value}}}"))
        });
        header("test") + &lines.collect::<String>()
    };
    folder.file("a.jsonl", log(10));
    folder.file("b.jsonl", log(99));
    folder.file("state.json", "{}");
    folder.file("ram.bin", "memory");
    for side in ["reference", "candidate"] {
        std::fs::create_dir_all(folder.path("kept").join(side)).unwrap();
    }
    folder
}

fn save(folder: &Folder, side: &str, name: &str, flags: &[&str]) {
    let to = format!("kept/{side}/{name}.snap");
    let mut command = forkpoint(["snapshot", "save", "--state", "state.json", "--memory", "ram.bin", &to]);
    let output = command.args(flags).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn diff(folder: &Folder) -> (Value, String) {
    let output = forkpoint(["diff", "--snapshots", "kept", "a.jsonl", "b.jsonl", "--format", "json"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema = forkpoint(["generate", "schema"]).output().unwrap();
    assert!(jsonschema::is_valid(&serde_json::from_slice(&schema.stdout).unwrap(), &report));
    (report["snapshots"].clone(), text(&output.stderr))
}

#[test]
fn the_nearest_of_one_moment_before_the_divergence_is_named() {
    let folder = scene();
    let (found, told) = diff(&folder);
    assert_eq!(found, Value::Null);
    assert!(told.contains("note: kept has no snapshots of both runs"), "{told}");
    for side in ["reference", "candidate"] {
        save(&folder, side, "early", &["--events", "3"]);
    }
    // After the divergent event, at moments of one side only, of another thread, and at none.
    save(&folder, "reference", "late", &["--events", "11"]);
    save(&folder, "candidate", "late", &["--events", "11"]);
    save(&folder, "reference", "alone", &["--events", "9"]);
    save(&folder, "candidate", "behind", &["--at", "6:6"]);
    save(&folder, "reference", "behind", &["--at", "6:6"]);
    save(&folder, "reference", "whenever", &[]);
    let (found, told) = diff(&folder);
    let command = "forkpoint snapshot diff kept/reference/early.snap kept/candidate/early.snap";
    assert_eq!(found["command"], command);
    assert_eq!(found["taken"], "after 3 events of the log");
    assert!(
        told.contains(&format!(
            "hint: to compare the nearest snapshots before it (after 3 events of the log): {command}"
        )),
        "{told}"
    );
    // Of the thread itself, nearer and nearer.
    for (at, name) in [("6:2", "two"), ("6:5", "five")] {
        save(&folder, "reference", name, &["--at", at]);
        save(&folder, "candidate", name, &["--at", at]);
        assert!(diff(&folder).0["command"].as_str().unwrap().ends_with(&format!("candidate/{name}.snap")));
    }
    let found = diff(&folder).0;
    assert_eq!(found["taken"], "0 events of the thread before");
    // The command runs.
    let words: Vec<&str> = found["command"].as_str().unwrap().split(' ').skip(1).collect();
    assert_eq!(forkpoint(words).current_dir(folder.path("")).output().unwrap().status.code(), Some(0));
}

#[test]
fn a_folder_that_is_none_is_told() {
    let folder = scene();
    std::fs::remove_dir(folder.path("kept/candidate")).unwrap();
    let output =
        forkpoint(["diff", "--snapshots", "kept", "a.jsonl", "b.jsonl"]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("failed to look through kept/candidate: No such file"),
        "{}",
        text(&output.stderr)
    );
}
