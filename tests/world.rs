//! Faults of the world: signals, limits, failing reads. `make show-world` plays many more of them.

mod common;

use std::fs::{self, File, OpenOptions as FileOptions};
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, event, forkpoint, header, text};
use forkpoint::source::{Log, OpenOptions};
use rustix::process::{Pid, Signal, kill_process};

/// Longer is waited for nothing, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How many threads of a process have this name.
fn threads_named(process: &Child, name: &str) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).into_iter().flatten().flatten();
    let names = tasks.map(|task| fs::read_to_string(task.path().join("comm")).unwrap_or_default());
    names.filter(|found| found.trim() == name).count()
}

fn send(process: &Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).unwrap();
}

fn fifo(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// A diff of a log with a FIFO in which the log's first half came, and the FIFO's other end.
fn half_done(folder: &Folder, command: &mut Command) -> (Child, File, Vec<u8>) {
    let (log, pipe) = (folder.small_log("a.jsonl", 2000), fifo(folder, "b.fifo"));
    command.arg("diff").args(["-o", "report.md"]).args([&log, &pipe]);
    command.current_dir(folder.path(".")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = command.spawn().unwrap();
    let bytes = fs::read(log).unwrap();
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    // Opening waits for the reader.
    let mut pipe = FileOptions::new().write(true).open(pipe).unwrap();
    pipe.write_all(half).unwrap();
    wait_until("the watch for signals", || threads_named(&process, "forkpoint-signa") == 1);
    (process, pipe, rest.to_vec())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether this process ignores a signal, and with it the programs it starts.
fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("Linux tells it");
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
}

#[test]
fn a_signal_ends_a_run_by_itself_and_leaves_nothing_half_done() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        // As under `nohup`: who is started by us ignores it too.
        if is_ignored(signal) {
            println!("skipped: {signal:?}, which is ignored here");
            continue;
        }
        let folder = Folder::new();
        folder.file("report.md", "an older report\n");
        let (process, _pipe, _) = half_done(&folder, &mut forkpoint([""; 0]));
        send(&process, signal);
        let output = process.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(signal.as_raw()), "{}", text(&output.stderr));
        assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()));
        assert_eq!(fs::read_to_string(folder.path("report.md")).unwrap(), "an older report\n");
        assert_eq!(names(&folder.path(".")), ["a.jsonl", "b.fifo", "report.md"]);
    }
}

#[test]
fn a_shell_tells_a_signal_as_128_and_its_number() {
    let folder = Folder::new();
    let mut shell = Command::new("sh");
    let script = "\"$0\" \"$@\" & echo $!; wait $!; echo $?";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_forkpoint"), "diff"]);
    let (log, pipe) = (folder.small_log("a.jsonl", 20), fifo(&folder, "b.fifo"));
    let mut shell = shell.args([log, pipe.clone()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = io::BufReader::new(shell.stdout.take().unwrap());
    let mut id = String::new();
    io::BufRead::read_line(&mut said, &mut id).unwrap();
    let _pipe = FileOptions::new().write(true).open(pipe).unwrap();
    let id = Pid::from_raw(id.trim().parse().unwrap()).unwrap();
    // Not Ctrl-C: jobs in the background of a script have it ignored.
    kill_process(id, Signal::TERM).unwrap();
    let mut code = String::new();
    said.read_to_string(&mut code).unwrap();
    assert_eq!(code.trim(), "143");
    shell.wait().unwrap();
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let folder = Folder::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_forkpoint")]);
    let (process, mut pipe, rest) = half_done(&folder, &mut shell);
    send(&process, Signal::INT);
    send(&process, Signal::HUP);
    pipe.write_all(&rest).unwrap();
    drop(pipe);
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(names(&folder.path(".")).contains(&"report.md".to_owned()));
}

/// The program under a limit of the shell's.
fn limited(limit: &str, folder: &Folder, words: &[&str]) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_forkpoint")]);
    shell.args(words).current_dir(folder.path(".")).output().unwrap()
}

#[test]
fn a_limit_on_memory_is_told_and_ends_nothing_in_the_middle() {
    let folder = Folder::new();
    folder.small_log("a.jsonl", 20_000);
    let words = ["diff", "--format", "json", "--no-mmap", "a.jsonl", "a.jsonl"];
    let free = limited("-c 0", &folder, &words);
    assert_eq!(free.status.code(), Some(0), "{}", text(&free.stderr));
    let mut refused = 0;
    let data = (4..32).step_by(4).map(|mib| format!("-d {}", mib << 10));
    let space = (70..190).step_by(20).map(|mib| format!("-v {}", mib << 10));
    for limit in data.chain(space) {
        let output = limited(&limit, &folder, &words);
        let said = text(&output.stderr);
        match output.status.code() {
            Some(0) => assert!(output.stdout == free.stdout, "{limit}: another report"),
            Some(2) => {
                assert!(said.contains("memory"), "{limit}: {said}");
                refused += 1;
            }
            other => panic!("{limit}: {other:?}, signal {:?}: {said}", output.status.signal()),
        }
    }
    assert!(refused > 0, "some limit was too tight");
}

#[test]
fn a_report_that_may_not_grow_is_not_written_and_the_old_one_stays() {
    let folder = Folder::new();
    folder.small_log("a.jsonl", 200);
    folder.file("report.json", "old");
    let output = limited("-f 1", &folder, &["diff", "-o", "report.json", "a.jsonl", "a.jsonl"]);
    assert_eq!(output.status.code(), Some(2), "signal {:?}", output.status.signal());
    assert!(text(&output.stderr).contains("failed to write report.json: file too large"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(folder.path("report.json")).unwrap(), "old");
    assert_eq!(names(&folder.path(".")), ["a.jsonl", "report.json"]);
}

#[test]
fn a_regular_file_on_standard_input_is_watched_like_any_other() {
    let folder = Folder::new();
    // More than its reader may read ahead, so that it is still at it when the log is cut short.
    let payload = format!("{{\"n\":\"{}\"}}", "x".repeat(1000));
    let events = (0..9000).map(|at| event("6", at, "call", &payload));
    let whole = (header("test") + &events.collect::<String>()).into_bytes();
    let (log, pipe) = (folder.file("a.jsonl", &whole), fifo(&folder, "b.fifo"));
    let mut command = forkpoint(["diff", "--format", "json", "-"]);
    command.arg(&pipe).stdin(File::open(&log).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = command.spawn().unwrap();
    let mut pipe = FileOptions::new().write(true).open(pipe).unwrap();
    wait_until("both readers", || threads_named(&process, "forkpoint-read") == 2);
    FileOptions::new().write(true).open(&log).unwrap().set_len(1000).unwrap();
    pipe.write_all(&whole).unwrap();
    drop(pipe);
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let sentence = format!("standard input shrank from {} to 1000 bytes while it was read", whole.len());
    assert!(text(&output.stderr).contains(&sentence), "{}", text(&output.stderr));
}

#[test]
fn standard_input_is_read_from_where_it_stands() {
    let folder = Folder::new();
    let log = folder.small_log("a.jsonl", 20);
    let whole = fs::read(&log).unwrap();
    let before = folder.file("b.txt", [b"not for forkpoint\n", &whole[..]].concat());
    let script = "read line; exec \"$0\" diff --format json - a.jsonl";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_forkpoint")]).current_dir(folder.path("."));
    let output = shell.stdin(File::open(before).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// Gives a text a few bytes at a time, interrupted in between, and fails in the end.
struct Halting {
    text: Vec<u8>,
    at: usize,
    turn: u32,
}

impl Read for Halting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = into.len().min(1 + self.turn as usize % 7).min(self.text.len() - self.at);
        if len == 0 {
            return Err(io::Error::other("the cable was pulled"));
        }
        into[..len].copy_from_slice(&self.text[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

#[test]
fn interrupted_and_short_reads_lose_nothing_and_a_failing_one_is_told_with_its_byte() {
    let whole: Vec<u8> = (0..2000).flat_map(|line| format!("{{\"line\":{line}}}\n").into_bytes()).collect();
    let torn = [&whole[..], b"{\"li"].concat();
    let reader = Halting { text: torn.clone(), at: 0, turn: 0 };
    let mut log = Log::open_reader("cable", Box::new(reader), &OpenOptions::default()).unwrap();
    let mut came = Vec::new();
    let error = loop {
        match log.next_window() {
            Ok(Some(window)) => came.extend_from_slice(&window.bytes),
            Ok(None) => panic!("the failure was not told"),
            Err(error) => break error,
        }
    };
    assert!(came == whole, "the whole lines before it");
    assert_eq!(error.to_string(), format!("failed to read cable at byte {}: the cable was pulled", torn.len()));
}
