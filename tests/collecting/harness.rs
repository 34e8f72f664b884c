//! An episode around one collector, programs that are fakes, programs that are real.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use forkpoint::episode::collect::{Collected, Collector, Running, start};
use forkpoint::episode::{Events, Fields, Stop};
use serde_json::Value;

/// No test waits longer for anything.
pub const HANG: Duration = Duration::from_secs(60);
/// How long a collector may take to end, as in a recording.
pub const JOIN: Duration = Duration::from_secs(3);

/// Events lie beside the episode's folder, so that a full one cannot hide them.
pub struct Episode {
    scratch: tempfile::TempDir,
    folder: PathBuf,
    events: Arc<Events>,
    stop: Arc<Stop>,
}

/// A program that listens on sockets until it is dropped.
pub struct Listening(pub Child);

impl Listening {
    /// Starts it and waits until its sockets are there.
    pub fn start(command: &mut Command, sockets: &[&Path]) -> Listening {
        let mut started = Listening(command.stdin(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + HANG;
        while !sockets.iter().all(|socket| socket.exists()) {
            assert!(Instant::now() < until, "it does not listen: {command:?}");
            assert_eq!(started.0.try_wait().unwrap(), None, "it has ended: {command:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        started
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What became of a collector.
pub struct Told {
    pub collected: Collected,
    pub events: Vec<Value>,
    pub rows: Vec<Value>,
    scratch: tempfile::TempDir,
}

impl Episode {
    pub fn begin() -> Episode {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("episode");
        fs::create_dir(&folder).unwrap();
        Episode::begin_in(scratch, folder)
    }

    pub fn begin_in(scratch: tempfile::TempDir, folder: PathBuf) -> Episode {
        let events = Events::begin(&scratch.path().join("events.jsonl"), "episode_start", Fields::new()).unwrap();
        Episode { scratch, folder, events: Arc::new(events), stop: Arc::new(Stop::default()) }
    }

    /// A place for what a test needs beside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A program that is a shell script.
    pub fn script(&self, text: &str) -> PathBuf {
        let path = self.path("program");
        // A file that is being written by another thread's child cannot be run: it is written under another name by another program.
        let draft = self.path("program.draft");
        fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Command::new("cp").arg("-p").args([&draft, &path]).status().unwrap().success());
        path
    }

    pub fn start(&self, collector: impl Collector + 'static) -> Running {
        start(Box::new(collector), &self.folder, &self.events, &self.stop).unwrap()
    }

    /// Waits until something happened.
    pub fn wait_for(&self, event: &str) {
        self.wait_for_more(event, 0);
    }

    pub fn wait_for_more(&self, event: &str, behind: u64) {
        let until = self.events.clock().now() + HANG.as_nanos() as u64;
        let came = self.events.wait_for(event, behind, Some(until), &self.stop);
        assert!(came, "no {event}: {}", fs::read_to_string(self.path("events.jsonl")).unwrap());
    }

    /// Waits until a file has so many rows.
    pub fn wait_for_rows(&self, file: &str, count: usize) -> Vec<Value> {
        self.wait_until(file, |rows| rows.len() >= count)
    }

    pub fn wait_until(&self, file: &str, is_enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = Instant::now() + HANG;
        loop {
            let rows = rows(&self.folder.join(file));
            if is_enough(&rows) {
                return rows;
            }
            assert!(Instant::now() < until, "{rows:?}\n{}", fs::read_to_string(self.path("events.jsonl")).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends it as a recording does.
    pub fn end(self, running: Running, file: &str) -> Told {
        self.stop.raise("the test is over");
        let begun = Instant::now();
        let collected = running.join(begun + JOIN);
        // One that is given up is told, too; nobody waits for it longer.
        assert!(begun.elapsed() < JOIN + Duration::from_secs(10));
        self.events.end().unwrap();
        let events = rows(&self.path("events.jsonl"));
        let rows = rows(&self.folder.join(file));
        assert_eq!(collected.rows, rows.len() as u64);
        Told { collected, events, rows, scratch: self.scratch }
    }

    /// Runs one that ends by itself, or never begins.
    pub fn run_to(self, collector: impl Collector + 'static, last: &str, file: &str) -> Told {
        let running = self.start(collector);
        self.wait_for(last);
        self.end(running, file)
    }
}

impl Told {
    pub fn names(&self) -> Vec<&str> {
        self.events.iter().map(|event| event["event"].as_str().unwrap()).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    pub fn event(&self, name: &str) -> &Value {
        let found = self.events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {:#?}", self.events))
    }

    pub fn lacks(&self) -> &str {
        self.collected.lacks.as_deref().unwrap_or("")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }
}

pub fn rows(path: &Path) -> Vec<Value> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    // A row that is being written has no end yet.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Where a program lies; what is missing is told.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: {name}: not installed");
    }
    found
}

/// Whether this user is root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a test of this program, an ignored one, inside what another program sets up; false where that is not allowed here.
pub fn inside(wrapper: &[&str], test: &str) -> bool {
    let works = Command::new(wrapper[0]).args(&wrapper[1..]).arg("true").stdin(Stdio::null()).output();
    match works {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            println!("skipped: {}: {}", wrapper.join(" "), String::from_utf8_lossy(&output.stderr).trim());
            return false;
        }
        Err(error) => {
            println!("skipped: {}: {error}", wrapper[0]);
            return false;
        }
    }
    let test_program = std::env::current_exe().unwrap();
    let output = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(test_program)
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env("FORKPOINT_INSIDE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    print!(
        "{}",
        said.lines().filter(|line| line.starts_with("skipped")).map(|line| format!("{line}\n")).collect::<String>()
    );
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "{test} is no test: {said}");
    true
}

/// Whether this run is one that [`inside`] has started.
pub fn is_inside() -> bool {
    std::env::var_os("FORKPOINT_INSIDE").is_some()
}
