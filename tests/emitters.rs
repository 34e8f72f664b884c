//! The emitters of `examples/emit/`: what they write is valid schema-v1, and `forkpoint check`
//! says so.
#![cfg(feature = "cli")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

// Its `main` is not used here.
#[allow(dead_code)]
#[path = "../examples/emit/emit.rs"]
mod emit;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/emit").join(name)
}

/// Runs a command; false if the program is not there.
fn ran(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "{command:?}: {status}");
            true
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {}", command.get_program().to_string_lossy());
            false
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// Two threads, three calls with their returns and an exit each, and every name as it was.
fn check(log: &Path, engine: &str) {
    let text = std::fs::read_to_string(log).expect("UTF-8");
    assert!(text.ends_with('\n') && !text.contains('\r'));
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let header = lines.next().expect("a header");
    assert_eq!(header, serde_json::json!({ "kind": "schema_version", "schema_version": 1, "engine": engine }));
    let schema: Value = serde_json::from_str(include_str!("../src/profile/builtin/event.schema.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a JSON Schema");
    let mut lanes: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for event in lines {
        assert!(schema.is_valid(&event), "{event}");
        lanes.entry(event["tid"].as_u64().expect("a tid")).or_default().push(event);
    }
    assert_eq!(lanes.keys().copied().collect::<Vec<_>>(), [4, 8]);
    for lane in lanes.values() {
        assert!(lane.iter().zip(0..).all(|(event, place)| event["tid_event_idx"].as_u64() == Some(place)));
        let kinds: Vec<&str> = lane.iter().filter_map(|event| event["kind"].as_str()).collect();
        assert_eq!(kinds[..2].repeat(3), kinds[..6]);
        assert_eq!((kinds.len(), kinds[6]), (7, "thread.exit"));
        let paths: Vec<&Value> =
            lane.iter().map(|event| &event["payload"]["args"]["path"]).step_by(2).take(3).collect();
        assert_eq!(paths, ["game:\\a.pak", "café \"b\"\n", "\u{1}🦀"]);
    }
    let program = Command::new(env!("CARGO_BIN_EXE_forkpoint")).arg("check").arg(log).output().expect("forkpoint runs");
    assert_eq!(program.status.code(), Some(0), "{}", String::from_utf8_lossy(&program.stderr));
}

#[test]
fn rust() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("rs.jsonl");
    emit::demo(log.to_str().expect("UTF-8")).expect("written");
    check(&log, "emit \"rs\"");
}

#[test]
fn cpp() {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, log) = (folder.path().join("emit"), folder.path().join("cpp.jsonl"));
    let mut build = Command::new("g++");
    build.args(["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(&program).arg(source("emit.cpp"));
    if ran(&mut build) {
        assert!(ran(Command::new(&program).arg(&log)));
        check(&log, "emit \"cpp\"");
    }
}

#[test]
fn python() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("py.jsonl");
    if ran(Command::new("python3").arg(source("emit.py")).arg(&log)) {
        check(&log, "emit \"py\"");
    }
}
