//! Logs that change while they are compared. A FIFO as the other side holds the run open: it waits for the FIFO's
//! header, and by then the regular file is open and known.

mod common;
#[path = "common/packed.rs"]
mod packed;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Folder, event, forkpoint, header, text};

/// Events of both logs.
const EVENTS: u64 = 25_000;

/// Long enough for the slowest machine; nothing waits so long that is going to happen.
const PATIENCE: Duration = Duration::from_secs(120);

fn log(events: u64) -> String {
    header("x") + &(0..events).map(|at| event("6", at, "call", &format!("{{\"n\":{at}}}"))).collect::<String>()
}

/// A comparison of a regular file with a FIFO, in either order, that waits for the FIFO.
struct Held {
    folder: Folder,
    child: Child,
    fifo: File,
    path: PathBuf,
}

impl Held {
    fn new(words: &[&str], reference_is_fifo: bool) -> Held {
        Held::of(log(EVENTS).as_bytes(), words, reference_is_fifo)
    }

    /// With these bytes in the regular file.
    fn of(bytes: &[u8], words: &[&str], reference_is_fifo: bool) -> Held {
        let folder = Folder::new();
        let path = folder.file("run.jsonl", bytes);
        let pipe = folder.path("pipe.jsonl");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        // File systems tell times in ticks of some milliseconds: what is old now is older than what follows.
        sleep(Duration::from_millis(25));
        let inputs = if reference_is_fifo { ["pipe.jsonl", "run.jsonl"] } else { ["run.jsonl", "pipe.jsonl"] };
        let child = forkpoint(["diff"])
            .args(inputs)
            .args(words)
            .current_dir(folder.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let fifo = OpenOptions::new().write(true).open(&pipe).unwrap();
        let held = Held { folder, child, fifo, path };
        held.wait_until_open();
        held
    }

    /// Waits until the process has the regular file open, and a moment longer, so that it has looked at its length.
    fn wait_until_open(&self) {
        let descriptors = format!("/proc/{}/fd", self.child.id());
        let target = fs::canonicalize(&self.path).unwrap();
        let open = || {
            let entries = fs::read_dir(&descriptors).into_iter().flatten().flatten();
            entries.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|path| path == target)
        };
        let start = Instant::now();
        while !open() {
            assert!(start.elapsed() < PATIENCE, "the log was never opened");
            sleep(Duration::from_millis(2));
        }
        sleep(Duration::from_millis(150));
    }

    /// Lets the run go on with this text from the FIFO; exit code, report, stderr.
    fn go_on(mut self, text_of_fifo: &str) -> (i32, String, String, Folder) {
        // A run that has ended no longer reads.
        let _ = self.fifo.write_all(text_of_fifo.as_bytes());
        drop(self.fifo);
        let output = self.child.wait_with_output().unwrap();
        let told = text(&output.stderr);
        assert!(!told.contains("panicked"), "{told}");
        (output.status.code().expect("no signal"), text(&output.stdout), told, self.folder)
    }
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

const WAYS: [&[&str]; 2] = [&[], &["--no-mmap", "-j", "1"]];

#[test]
fn a_log_that_only_grew_is_compared_up_to_there_with_a_note() {
    for words in WAYS {
        for fifo_first in [false, true] {
            let held = Held::new(words, fifo_first);
            append(&held.path, event("6", EVENTS, "late", "{}").as_bytes());
            append(&held.path, b"{\"torn");
            let (code, report, told, _folder) = held.go_on(&log(EVENTS));
            assert_eq!(code, 0, "{words:?}: {report}{told}");
            assert!((report + &told).contains("grew"), "{words:?}: {told}");
        }
    }
}

#[test]
fn a_log_that_shrank_is_trouble_and_told_by_name() {
    let len = log(EVENTS).len() as u64;
    for words in WAYS {
        for left in [0, 10, len / 2, len - 1] {
            let held = Held::new(words, false);
            OpenOptions::new().write(true).open(&held.path).unwrap().set_len(left).unwrap();
            let (code, _, told, _folder) = held.go_on(&log(EVENTS));
            assert_eq!(code, 2, "{words:?}, {left}: {told}");
            let sentence = format!("run.jsonl shrank from {len} to {left} bytes while it was read");
            assert!(told.contains(&sentence), "{words:?}, {left}: {told}");
        }
    }
}

#[test]
fn a_log_that_was_rewritten_at_the_same_length_is_trouble() {
    for words in WAYS {
        let held = Held::new(words, true);
        let middle = (log(EVENTS).len() / 2) as u64;
        OpenOptions::new().write(true).open(&held.path).unwrap().write_at(b"X", middle).unwrap();
        let (code, _, told, _folder) = held.go_on(&log(EVENTS));
        assert_eq!(code, 2, "{words:?}: {told}");
        assert!(told.contains("run.jsonl was rewritten while it was read"), "{words:?}: {told}");
    }
}

#[test]
fn changes_are_told_before_faults_and_divergences() {
    let held = Held::new(&["--format", "json"], false);
    OpenOptions::new().write(true).open(&held.path).unwrap().set_len(5000).unwrap();
    let other = log(20) + "garbage\n" + &log(EVENTS);
    let (code, report, told, _folder) = held.go_on(&other);
    assert_eq!(code, 2);
    assert!(told.contains("shrank") && !told.contains("garbage") && !report.contains("\"value\""), "{told}{report}");
}

#[test]
fn a_log_that_was_replaced_is_read_as_it_was_or_refused() {
    for words in WAYS {
        let held = Held::new(words, false);
        // The new file has the old name; the old one lives on as long as it is open.
        fs::write(held.folder.path("new.jsonl"), log(3)).unwrap();
        fs::rename(held.folder.path("new.jsonl"), &held.path).unwrap();
        let (code, report, told, _folder) = held.go_on(&log(EVENTS));
        match code {
            0 => assert!(report.contains("25,000"), "{words:?}: {report}"),
            _ => assert!(code == 2 && told.contains("run.jsonl"), "{words:?}: {code}: {told}"),
        }
    }
}

#[test]
fn a_log_that_was_deleted_is_read_to_its_end() {
    let held = Held::new(&[], false);
    fs::remove_file(&held.path).unwrap();
    let (code, report, told, _folder) = held.go_on(&log(EVENTS));
    assert_eq!(code, 0, "{report}{told}");
}

#[test]
fn a_pipe_that_ends_before_its_header_is_an_empty_log() {
    let held = Held::new(&[], false);
    let (code, _, told, _folder) = held.go_on("");
    assert_eq!(code, 2);
    assert!(told.contains("pipe.jsonl:1: byte 0: the log is empty"), "{told}");
}

#[test]
fn an_archive_that_changes_is_told_like_any_file() {
    for archive in [packed::gzip(log(EVENTS).as_bytes()), packed::zstd(log(EVENTS).as_bytes())] {
        let held = Held::of(&archive, &[], false);
        append(&held.path, b"more");
        let (code, report, told, _folder) = held.go_on(&log(EVENTS));
        assert_eq!(code, 0, "{report}{told}");
        let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            report.contains(&format!("grew while it was read; compared up to byte {} of the archive", archive.len()))
        );

        let held = Held::of(&archive, &[], true);
        OpenOptions::new().write(true).open(&held.path).unwrap().set_len(100).unwrap();
        let (code, _, told, _folder) = held.go_on(&log(EVENTS));
        assert_eq!(code, 2, "{told}");
        let sentence = format!("run.jsonl shrank from {} to 100 bytes while it was read", archive.len());
        assert!(told.contains(&sentence), "{told}");

        let held = Held::of(&archive, &[], false);
        OpenOptions::new().write(true).open(&held.path).unwrap().write_at(b"X", 50).unwrap();
        let (code, _, told, _folder) = held.go_on(&log(EVENTS));
        assert_eq!(code, 2, "{told}");
        assert!(told.contains("run.jsonl was rewritten while it was read"), "{told}");
    }
}
