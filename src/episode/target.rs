//! The process that is recorded: one of ours, or one that runs already. It is known by a pidfd and its start time, never by a bare number, which another process may get.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde_json::{Value, json};
use wait4::Wait4;

use super::collect::start_time;
use super::error::EpisodeError;
use super::folder::{Folder, STDERR, STDOUT};

/// Which process is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPlan {
    /// A command that is begun, and ended with the episode.
    Command(Vec<OsString>),
    /// A process that runs; it is left running.
    Pid(i64),
}

impl TargetPlan {
    /// The command with its arguments; nothing of a process that runs.
    pub fn command(&self) -> &[OsString] {
        match self {
            TargetPlan::Command(words) => words,
            TargetPlan::Pid(_) => &[],
        }
    }
}

/// A process that is being recorded.
#[derive(Debug)]
pub struct Target {
    pid: u32,
    start_time: u64,
    handle: OwnedFd,
    child: Option<Child>,
    ended: Option<Ended>,
}

/// How a command of ours ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What it told with its end.
    pub status: ExitStatus,
    /// The signal by which we ended it, if we did.
    pub by_us: Option<&'static str>,
    user: Duration,
    system: Duration,
    max_rss: u64,
}

impl Target {
    /// Takes a running process.
    ///
    /// # Errors
    /// There is none of that number, or it is dead.
    pub fn attach(pid: i64) -> Result<Target, EpisodeError> {
        let refused = |why: &str| EpisodeError::Target(format!("process {pid}: {why}"));
        let known = i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
        let known = known.ok_or_else(|| refused("no process has this number"))?;
        let handle = pidfd_open(known, PidfdFlags::empty()).map_err(|error| match error {
            Errno::SRCH => refused("there is none"),
            Errno::INVAL => refused("it is a thread of a process, not a process"),
            error => refused(&error.to_string()),
        })?;
        // Read while the handle is open, and before it tells of an end: so it is of the same process.
        let start_time =
            start_time(known.as_raw_nonzero().get().unsigned_abs()).map_err(|error| refused(&error.to_string()))?;
        let target =
            Target { pid: known.as_raw_nonzero().get().unsigned_abs(), start_time, handle, child: None, ended: None };
        if target.is_alive() { Ok(target) } else { Err(refused("it is dead")) }
    }

    /// Begins a command, in a process group of its own; its outputs go to files of the episode, whose folder it finds in `FORKPOINT_EPISODE`.
    ///
    /// # Errors
    /// It cannot be begun.
    pub fn spawn(words: &[OsString], folder: &Folder) -> Result<Target, EpisodeError> {
        let (program, rest) = words.split_first().ok_or_else(|| EpisodeError::Target("no command".to_owned()))?;
        let output = |name: &str| {
            let path = folder.file(name);
            File::create_new(&path).map_err(EpisodeError::file(&path))
        };
        let mut command = Command::new(program);
        command.args(rest).env("FORKPOINT_EPISODE", folder.path()).process_group(0);
        command.stdout(output(STDOUT)?).stderr(output(STDERR)?);
        // A group in the background is stopped when it reads from the terminal.
        if io::IsTerminal::is_terminal(&io::stdin()) {
            command.stdin(Stdio::null());
        }
        let failed = |error: io::Error| EpisodeError::Target(format!("{}: {error}", program.display()));
        let mut child = command.spawn().map_err(failed)?;
        // Its number is its own until it is waited for.
        let pid = child.id();
        let handle =
            Pid::from_raw(pid.cast_signed()).ok_or(Errno::SRCH).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let known = handle.map_err(io::Error::from).and_then(|handle| Ok((handle, start_time(pid)?)));
        match known {
            Ok((handle, start_time)) => Ok(Target { pid, start_time, handle, child: Some(child), ended: None }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failed(error))
            }
        }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// When it began, in clock ticks since the host did (`/proc/PID/stat`, field 22).
    pub fn start_time(&self) -> u64 {
        self.start_time
    }

    /// Whether it is a command of ours.
    pub fn is_ours(&self) -> bool {
        self.child.is_some() || self.ended.is_some()
    }

    /// Whether it runs. One that has ended and was not waited for is dead.
    pub fn is_alive(&self) -> bool {
        !ends(&self.handle, Duration::ZERO)
    }

    /// Another handle of the same process, for whoever waits for its end elsewhere.
    ///
    /// # Errors
    /// No more files may be open.
    pub fn watcher(&self) -> io::Result<Watcher> {
        Ok(Watcher(self.handle.try_clone()?))
    }

    /// Ends a command of ours, if it has not ended itself: asked by TERM, and, when it has not followed within so long, by KILL. A process that
    /// was there before is left as it is.
    pub fn end(&mut self, grace: Duration) -> Option<&Ended> {
        if let Some(child) = &mut self.child {
            let group = Pid::from_raw(self.pid.cast_signed());
            let mut by_us = None;
            // Until it is waited for its number is its own, and that of its group.
            let tell = |signal| group.map(|group| kill_process_group(group, signal));
            if !ends(&self.handle, Duration::ZERO) {
                tell(Signal::TERM);
                by_us = Some("TERM");
                if !ends(&self.handle, grace) {
                    by_us = Some("KILL");
                }
                // Who is left of the group is a process without its leader.
                tell(Signal::KILL);
            }
            if let Ok(used) = child.wait4() {
                let (user, system, max_rss) = (used.rusage.utime, used.rusage.stime, used.rusage.maxrss);
                self.ended = Some(Ended { status: used.status, by_us, user, system, max_rss });
            }
            self.child = None;
        }
        self.ended.as_ref()
    }
}

impl Drop for Target {
    /// Nobody is left to end a command of ours whose recording failed.
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

/// Tells when a process ends.
#[derive(Debug)]
pub struct Watcher(OwnedFd);

impl Watcher {
    /// Waits for its end for so long: whether it came.
    pub fn ends_within(&self, time: Duration) -> bool {
        ends(&self.0, time)
    }
}

fn ends(handle: &OwnedFd, time: Duration) -> bool {
    let timeout = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) };
    // A pidfd can be read once its process has ended, be it waited for or not.
    matches!(poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&timeout)), Ok(1..))
}

impl Ended {
    /// As `meta.json` says it.
    pub fn to_json(&self) -> Value {
        json!({
            "exit_code": self.status.code(),
            "signal": self.status.signal(),
            "ended_by_recorder": self.by_us,
            "cpu_user_s": self.user.as_secs_f64(),
            "cpu_system_s": self.system.as_secs_f64(),
            "max_rss_bytes": self.max_rss,
        })
    }

    /// What a shell would tell as its exit code.
    pub fn code(&self) -> u8 {
        let code = self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal));
        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
    }
}
