//! What an episode is of: the code that was run, and the host that ran it. What is not known is null.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::collect::program::Program;

/// How long git may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// A file that says which code is installed, where there is no repository.
const VERSION: &str = "VERSION";

/// Which code lies in a folder: `commit`, `branch`, `dirty`, `source` ("VERSION-file", "git", "unknown"). What a `VERSION` file, a JSON object with
/// `commit`, says beside is kept.
pub fn code_version(folder: &Path) -> Value {
    let mut found = from_version_file(&folder.join(VERSION)).or_else(|| from_git(folder)).unwrap_or_else(|| {
        let mut none = Map::new();
        none.insert("commit".to_owned(), json!("unknown"));
        none.insert("source".to_owned(), json!("unknown"));
        none
    });
    for key in ["branch", "dirty"] {
        found.entry(key).or_insert(Value::Null);
    }
    Value::Object(found)
}

fn from_version_file(path: &Path) -> Option<Map<String, Value>> {
    let Value::Object(mut found) = serde_json::from_slice(&fs::read(path).ok()?).ok()? else { return None };
    found.get("commit").and_then(Value::as_str).filter(|commit| !commit.is_empty())?;
    found.insert("source".to_owned(), json!("VERSION-file"));
    Some(found)
}

fn from_git(folder: &Path) -> Option<Map<String, Value>> {
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(words).stdout(Stdio::piped());
        answer(command)
    };
    let mut found = Map::new();
    found.insert("commit".to_owned(), json!(git(&["rev-parse", "--verify", "HEAD"])?));
    // A head that is on no branch has none; a status that failed says nothing about cleanness.
    let branch = git(&["symbolic-ref", "--short", "-q", "HEAD"]).filter(|branch| !branch.is_empty());
    found.insert("branch".to_owned(), json!(branch));
    let status = git(&["status", "--porcelain"]);
    found.insert("dirty".to_owned(), json!(status.map(|status| !status.is_empty())));
    found.insert("source".to_owned(), json!("git"));
    Some(found)
}

/// What a command wrote to its standard output, without the white space at its end, if it succeeded in time.
fn answer(command: Command) -> Option<String> {
    let mut program = Program::start(command).ok()?;
    let mut written = Vec::new();
    let has_ended = program.ends_within(&mut written, PATIENCE).ok()?;
    let text = String::from_utf8(written).ok()?;
    (has_ended && program.code() == Some(0)).then(|| text.trim_end().to_owned())
}

/// Which host this is: `kernel`, `cpu`, `cores`, `memory_mib`; `qemu_version` is known to a machine's monitor only.
pub fn host_fingerprint() -> Value {
    let first = |path: &str, key: &str| {
        let text = fs::read_to_string(path).ok()?;
        let line = text.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let memory = first("/proc/meminfo", "MemTotal");
    let kib = memory.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    json!({
        "kernel": rustix::system::uname().release().to_string_lossy(),
        "cpu": first("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().ok(),
        "memory_mib": kib.map(|kib| kib / 1024),
        "qemu_version": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, words: &[&str]) {
        let mut command = Command::new("git");
        let asked = command.arg("-C").arg(folder).args(["-c", "user.name=x", "-c", "user.email=x@x"]).args(words);
        assert!(asked.stdout(Stdio::null()).status().unwrap().success());
    }

    #[test]
    fn a_version_file_counts_before_git_and_what_fails_is_not_clean() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(code_version(at), json!({"commit": "unknown", "branch": null, "dirty": null, "source": "unknown"}));
        git(at, &["init", "-q", "-b", "trunk"]);
        fs::write(at.join("a"), "a").unwrap();
        git(at, &["add", "a"]);
        git(at, &["commit", "-q", "-m", "a"]);
        let found = code_version(at);
        assert_eq!(
            (&found["branch"], &found["dirty"], &found["source"]),
            (&json!("trunk"), &json!(false), &json!("git"))
        );
        assert_eq!(found["commit"].as_str().unwrap().len(), 40);
        fs::write(at.join("a"), "b").unwrap();
        assert_eq!(code_version(at)["dirty"], true);
        git(at, &["checkout", "-q", "--detach"]);
        // An index that cannot be read: the status is not known, and so not clean.
        fs::write(at.join(".git/index"), "broken").unwrap();
        let found = code_version(at);
        assert_eq!((&found["branch"], &found["dirty"]), (&Value::Null, &Value::Null));
        for (text, commit) in [(r#"{"commit": "abc"}"#, "abc"), ("{", ""), (r#"{"commit": ""}"#, "")] {
            fs::write(at.join(VERSION), text).unwrap();
            let found = code_version(at);
            assert_eq!(found["source"] == "VERSION-file", !commit.is_empty(), "{text}");
            if !commit.is_empty() {
                assert_eq!(found, json!({"commit": commit, "branch": null, "dirty": null, "source": "VERSION-file"}));
            }
        }
    }

    #[test]
    fn the_host_is_told_as_far_as_it_is_known() {
        let host = host_fingerprint();
        assert!(host["kernel"].as_str().unwrap().contains('.') && host["memory_mib"].as_u64().unwrap() > 16);
        assert!(host["cores"].as_u64().unwrap() > 0 && host["qemu_version"].is_null());
    }
}
