//! Pipes and FIFOs: their writers never wait, what does not fit is spooled, early ends hang nobody.

use std::fs::OpenOptions as FileOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use forkpoint::source::{Log, OpenOptions, SourceError, Window};

fn fifo(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

fn line(number: usize) -> String {
    format!("{{\"line\":{number:08},\"fill\":\"{}\"}}\n", "x".repeat(number % 90))
}

fn text(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|number| line(number).into_bytes()).collect()
}

fn drain(log: &mut Log) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(window) = log.next_window().unwrap() {
        bytes.extend_from_slice(&window.bytes);
    }
    bytes
}

#[test]
fn one_program_may_open_and_write_two_fifos_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (fifo(folder.path(), "ref"), fifo(folder.path(), "cand"));
    let options = OpenOptions::default();
    let mut reference = Log::open(&first, &options).unwrap();
    let mut candidate = Log::open(&second, &options).unwrap();
    let whole = text(500_000);
    assert!(whole.len() > 32 << 20);
    let writer = thread::spawn({
        let whole = whole.clone();
        move || {
            for path in [first, second] {
                FileOptions::new().write(true).open(path).unwrap().write_all(&whole).unwrap();
            }
        }
    });
    // The second log first: it has nothing before the first one is written to its end.
    assert!(drain(&mut candidate) == whole);
    writer.join().unwrap();
    let waiting = reference.spooled_bytes();
    assert!(waiting > 0, "the spool was really used");
    assert!(drain(&mut reference) == whole);
    assert_eq!(reference.finish().unwrap(), None);
    assert_eq!(reference.spooled_bytes(), 0, "the spool's room comes back");
    assert_eq!((reference.len_at_open(), reference.bytes_read()), (None, whole.len() as u64));
}

#[test]
fn who_writes_a_log_that_is_read_alone_waits_and_nothing_is_spooled() {
    let (reader, mut writer) = io::pipe().unwrap();
    let options = OpenOptions { alone: true, ..OpenOptions::default() };
    let mut log = Log::open_reader("alone", Box::new(reader), &options).unwrap();
    let whole = text(500_000);
    let expected = whole.clone();
    let writing = thread::spawn(move || writer.write_all(&whole));
    let mut bytes = Vec::new();
    while let Some(window) = log.next_window().unwrap() {
        bytes.extend_from_slice(&window.bytes);
        // Far longer than a full queue of two logs is left alone.
        if bytes.len() < 6 << 20 {
            thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(log.spooled_bytes(), 0);
    }
    writing.join().unwrap().unwrap();
    assert!(bytes == expected);
}

#[test]
fn a_window_of_a_slow_stream_is_what_has_arrived() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut log = Log::open_reader("slow", Box::new(reader), &OpenOptions::default()).unwrap();
    writer.write_all(b"one\ntwo\nthr").unwrap();
    let begun = Instant::now();
    let window = log.next_window().unwrap().unwrap();
    assert_eq!(&*window.bytes, b"one\ntwo\n");
    assert!(begun.elapsed() < Duration::from_secs(5));
    writer.write_all(b"ee\nfour").unwrap();
    assert_eq!(&*log.next_window().unwrap().unwrap().bytes, b"three\n");
    drop(writer);
    let window = log.next_window().unwrap().unwrap();
    assert_eq!((window.offset, &*window.bytes), (14, &b"four"[..]));
    assert!(log.next_window().unwrap().is_none());
}

/// Gives a text at once, then says that it was all taken.
struct Told {
    rest: io::Cursor<Vec<u8>>,
    done: mpsc::Sender<()>,
}

impl Read for Told {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.rest.read(into)?;
        if len == 0 {
            let _ = self.done.send(());
        }
        Ok(len)
    }
}

fn told(text: Vec<u8>) -> (Box<Told>, mpsc::Receiver<()>) {
    let (done, taken) = mpsc::channel();
    (Box::new(Told { rest: io::Cursor::new(text), done }), taken)
}

#[test]
fn retained_windows_are_read_again_spilled_or_not_and_across_their_edges() {
    let whole = text(700_000);
    let (source, taken) = told(whole.clone());
    let mut log = Log::open_reader("pieces", source, &OpenOptions::default()).unwrap();
    // All is read while nobody asks: the first part waits in memory, the rest in the spool.
    taken.recv().unwrap();
    let spilled = log.spooled_bytes();
    assert!(spilled > 0 && spilled < whole.len() as u64);
    let mut kept: Vec<(u64, usize)> = Vec::new();
    let mut number = 0;
    while let Some(window) = log.next_window().unwrap() {
        if number % 3 < 2 {
            log.retain(&window).unwrap();
            kept.push((window.offset, window.bytes.len()));
        }
        number += 1;
    }
    assert!(log.next_window().unwrap().is_none());
    let total: usize = kept.iter().map(|&(_, len)| len).sum();
    assert_eq!(log.spooled_bytes(), total as u64);
    for pair in kept.chunks_exact(2) {
        let (start, len) = (pair[0].0, pair[0].1 + pair[1].1);
        let range = start as usize..start as usize + len;
        assert!(*log.reread(start, len).unwrap() == whole[range.clone()]);
        let inner = range.start + 7..range.end - 9;
        assert!(*log.reread(inner.start as u64, inner.len()).unwrap() == whole[inner]);
    }
    let behind = kept[1].0 + kept[1].1 as u64;
    let error = log.reread(behind, 10).unwrap_err().to_string();
    assert!(error.contains("bytes that were not retained were asked for"), "{error}");
}

#[test]
fn a_window_still_held_keeps_its_place_and_may_be_retained_late() {
    let whole = text(700_000);
    let (source, taken) = told(whole.clone());
    let mut log = Log::open_reader("pieces", source, &OpenOptions::default()).unwrap();
    taken.recv().unwrap();
    let windows: Vec<Window> = std::iter::from_fn(|| log.next_window().unwrap()).collect();
    assert!(log.spooled_bytes() > 0);
    for window in &windows {
        log.retain(window).unwrap();
    }
    drop(windows);
    assert!(log.next_window().unwrap().is_none());
    assert!(*log.reread(0, whole.len()).unwrap() == whole);
}

#[test]
fn a_spool_over_its_limit_is_an_error() {
    let options = OpenOptions { spool_limit: 1 << 20, ..OpenOptions::default() };
    let (source, taken) = told(vec![b'\n'; 32 << 20]);
    let mut log = Log::open_reader("endless", source, &options).unwrap();
    assert!(taken.recv().is_err(), "reading stops before the end");
    let error = loop {
        match log.next_window() {
            Ok(window) => assert!(window.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SourceError::SpoolFull { .. }));
    let folder = std::env::temp_dir();
    let expected = format!(
        "failed to spool endless: more than the limit of 1048576 bytes would have to be kept in {}; \
         raise it with --spool-limit SIZE (TMPDIR moves the spool)",
        folder.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_device_is_let_wait_not_spooled() {
    let mut log = Log::open(Path::new("/dev/zero"), &OpenOptions { max_line_bytes: 10, ..Default::default() }).unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(log.spooled_bytes(), 0);
    assert!(log.is_stream() && log.identity().is_some());
    // Nothing is handed out yet: its only line does not end. Asking would not end either.
    assert_eq!(log.bytes_read(), 0);
    assert_eq!(log.finish().unwrap(), None);
}

#[test]
fn a_log_dropped_early_frees_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = fifo(folder.path(), "ref");
    let mut log = Log::open(&path, &OpenOptions::default()).unwrap();
    let mut writer = FileOptions::new().write(true).open(&path).unwrap();
    writer.write_all(&text(1000)).unwrap();
    assert!(log.next_window().unwrap().is_some());
    drop(log);
    let broken = loop {
        if let Err(error) = writer.write_all(&text(1000)) {
            break error;
        }
    };
    assert_eq!(broken.kind(), io::ErrorKind::BrokenPipe);
    // One whose writer never comes keeps a thread, and nothing else.
    drop(Log::open(&fifo(folder.path(), "nobody"), &OpenOptions::default()).unwrap());
}

#[test]
fn a_program_s_output_is_a_log() {
    let mut child = Command::new("seq").arg("200000").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let output: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
    let mut log = Log::open_reader("seq", output, &OpenOptions::default()).unwrap();
    let bytes = drain(&mut log);
    assert!(child.wait().unwrap().success());
    assert_eq!(bytes.split(|&byte| byte == b'\n').count(), 200_001);
}

/// Copies standard input to a file; without the file's name it is no test.
#[test]
fn copy_stdin() {
    let Ok(into) = std::env::var("FORKPOINT_COPY_STDIN") else { return };
    let mut log = Log::open(Path::new("-"), &OpenOptions::default()).unwrap();
    assert_eq!((log.name().as_str(), log.is_stream()), ("standard input", true));
    std::fs::write(into, drain(&mut log)).unwrap();
}

#[test]
fn standard_input_is_a_stream_be_it_a_pipe_or_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
    std::fs::write(&source, text(300_000)).unwrap();
    for script in ["exec \"$0\" --exact copy_stdin < \"$1\"", "cat \"$1\" | exec \"$0\" --exact copy_stdin"] {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).arg(&source);
        let output = command.env("FORKPOINT_COPY_STDIN", &copy).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(std::fs::read(&copy).unwrap() == text(300_000));
        std::fs::remove_file(&copy).unwrap();
    }
}
