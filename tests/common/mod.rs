//! What the tests of the command line share.
#![allow(dead_code)]

pub mod cases;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// The binary with arguments, away from the caller's colours and widths.
pub fn forkpoint<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forkpoint"));
    command.args(words).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("COLUMNS");
    command
}

/// Output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `profile show` prints, less where each part came from, and blanks told as one.
pub fn without_origins(shown: &[u8]) -> String {
    let text = text(shown);
    let lines = text.lines().filter(|line| !line.starts_with("# Layers") && !line.starts_with("# Not in force"));
    let told = |line: &str| match one_blank(line).split_once(" # from ") {
        Some((said, from)) => match from.split_once("; ") {
            Some((_, note)) => format!("{said} # {note}"),
            None => said.to_owned(),
        },
        None => one_blank(line),
    };
    lines.map(told).collect::<Vec<_>>().join("\n")
}

/// Blanks told as one.
pub fn one_blank(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line of a schema-v1 log.
pub fn event(thread: &str, ordinal: u64, kind: &str, payload: &str) -> String {
    format!("{{\"kind\":\"{kind}\",\"tid\":{thread},\"tid_event_idx\":{ordinal},\"payload\":{payload}}}\n")
}

/// The header of a schema-v1 log.
pub fn header(engine: &str) -> String {
    format!("{{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"{engine}\"}}\n")
}

/// A folder for one test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A schema-v1 log of threads 6 and 7, whose events alternate.
    pub fn small_log(&self, name: &str, events: u64) -> PathBuf {
        let line = |at: u64| event(&(6 + at % 2).to_string(), at / 2, "call", &format!("{{\"n\":{at}}}"));
        self.file(name, header("test") + &(0..events).map(line).collect::<String>())
    }

    /// A log without header or threads.
    pub fn long_log(&self, name: &str, events: u64) -> PathBuf {
        self.file(name, (0..events).map(|at| format!("{{\"n\":{at}}}\n")).collect::<String>())
    }
}
