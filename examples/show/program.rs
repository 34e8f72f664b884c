//! forkpoint, run as a user runs it, and watched from outside.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Hindered;

/// No run of this size takes so long, whatever else the machine does: it hangs.
const PATIENCE: Duration = Duration::from_secs(1800);

pub struct Program {
    pub path: PathBuf,
}

/// What came of a run.
pub struct Run {
    /// None if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub seconds: f64,
    /// The most memory that was resident (VmHWM), in MB, and of it what no file backs, sampled.
    pub resident: f64,
    pub anonymous: f64,
    /// It was ended because it hung.
    pub hung: bool,
}

impl Run {
    /// The report, if it is one.
    pub fn report(&self) -> Result<Value, Hindered> {
        serde_json::from_slice(&self.stdout)
            .map_err(|error| format!("no JSON report ({error}); exit {:?}, stderr: {}", self.code, self.stderr).into())
    }

    /// The exit code as text.
    pub fn ended(&self) -> String {
        match self.code {
            _ if self.hung => "hung".to_owned(),
            Some(code) => code.to_string(),
            None => "a signal".to_owned(),
        }
    }
}

impl Program {
    /// The given one, or `forkpoint` in the folder above the one that this example lies in.
    pub fn find(given: Option<&Path>) -> Result<Program, Hindered> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => {
                let own = std::env::current_exe()?;
                own.ancestors().nth(2).ok_or("this example lies nowhere")?.join("forkpoint")
            }
        };
        if !path.is_file() {
            return Err(format!("{}: no such program; run cargo build --release", path.display()).into());
        }
        Ok(Program { path: std::fs::canonicalize(path)? })
    }

    pub fn command(&self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments.into_iter().map(Into::into)).stdin(Stdio::null());
        command
    }

    /// `diff --format json` with flags on two logs.
    pub fn diff(&self, flags: &[&str], reference: &Path, candidate: &Path) -> Result<Run, Hindered> {
        watched(&mut self.diff_command(flags, reference, candidate))
    }

    /// Whether `diff --help` names a flag.
    pub fn knows(&self, flag: &str) -> Result<bool, Hindered> {
        let help = watched(&mut self.command(["diff", "--help"]))?;
        let text = String::from_utf8_lossy(&help.stdout).into_owned();
        Ok(text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == flag))
    }

    pub fn diff_command(&self, flags: &[&str], reference: &Path, candidate: &Path) -> Command {
        let mut command = self.command(["diff", "--format", "json"]);
        command.args(flags).args([reference, candidate]);
        command
    }
}

/// Runs a command to its end.
pub fn watched(command: &mut Command) -> Result<Run, Hindered> {
    watched_while(command, |_| {})
}

/// Runs a command to its end; `meanwhile` is called once after the start, with the process's id.
pub fn watched_while(command: &mut Command, meanwhile: impl FnOnce(u32)) -> Result<Run, Hindered> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (id, over) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let out = scope.spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).map(|_| bytes)
        });
        let err = scope.spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).into_owned())
        });
        let memory = scope.spawn({
            let over = &over;
            move || sample(id, over)
        });
        meanwhile(id);
        let ended = wait(&mut child);
        let seconds = start.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        let (resident, anonymous) = memory.join().expect("sampling does not panic");
        let (status, hung) = ended?;
        Ok(Run {
            code: status.code(),
            stdout: out.join().expect("reading does not panic")?,
            stderr: err.join().expect("reading does not panic")?,
            seconds,
            resident,
            anonymous,
            hung,
        })
    })
}

/// Waits; a process that hangs is ended, so that the demonstration ends too.
fn wait(child: &mut Child) -> std::io::Result<(std::process::ExitStatus, bool)> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            return Ok((child.wait()?, true));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reads /proc/ID/status until it is over: the high-water mark, and the most of anonymous and shared memory.
fn sample(id: u32, over: &AtomicBool) -> (f64, f64) {
    let path = format!("/proc/{id}/status");
    let (mut resident, mut anonymous) = (0.0_f64, 0.0_f64);
    while !over.load(Ordering::Relaxed) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let megabytes = |key: &str| {
            let line = text.lines().find(|line| line.starts_with(key));
            let number = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<f64>().ok());
            number.unwrap_or(0.0) * 1024.0 / 1e6
        };
        resident = resident.max(megabytes("VmHWM:"));
        anonymous = anonymous.max(megabytes("RssAnon:") + megabytes("RssShmem:"));
        std::thread::sleep(Duration::from_millis(5));
    }
    (resident, anonymous)
}
