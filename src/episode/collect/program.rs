//! A program that collects for us: started in a group of its own, listened to, asked to end, ended.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

/// How long one that was asked to end may take before it is ended.
const GRACE: Duration = Duration::from_millis(1500);
/// How long an ended one's end is waited for: only one that hangs in the system takes longer.
const REAP: Duration = Duration::from_millis(500);
/// At most so many bytes of what it complains of are kept: the first, which say why.
const SAID: usize = 4096;
/// How often it is looked whether a program has ended that has closed its outputs.
const LOOK: Duration = Duration::from_millis(5);

/// A program that runs.
#[derive(Debug)]
pub struct Program {
    child: Child,
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    said: Vec<u8>,
    status: Option<ExitStatus>,
}

/// How a program ended that was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code, or the negative number of the signal that ended it; none if it does not end at all.
    pub code: Option<i32>,
    /// It did not end by itself.
    pub was_killed: bool,
}

impl Program {
    /// Starts it without an input; what it complains of is kept. Its group is its own, so that an interrupt at the terminal ends
    /// the recording first, and with it what it started.
    ///
    /// # Errors
    /// There is no such program, or it must not be run.
    pub fn start(mut command: Command) -> io::Result<Program> {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Ok(Program { child, out, err, said: Vec::new(), status: None })
    }

    /// Listens for so long at most, or until it says something; what it writes is appended. Whether it can still say more.
    ///
    /// # Errors
    /// As the system tells.
    pub fn listen(&mut self, written: &mut Vec<u8>, time: Duration) -> io::Result<bool> {
        let (out, err) = (self.out.as_ref(), self.err.as_ref());
        let mut sources: Vec<PollFd<'_>> = Vec::new();
        sources.extend(out.map(|out| PollFd::from_borrowed_fd(out.as_fd(), PollFlags::IN)));
        sources.extend(err.map(|err| PollFd::from_borrowed_fd(err.as_fd(), PollFlags::IN)));
        if sources.is_empty() {
            return Ok(false);
        }
        let limit = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
        match poll(&mut sources, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = sources.iter().map(|source| !source.revents().is_empty());
        let is_out_ready = out.is_some() && ready.next().unwrap_or(false);
        let is_err_ready = err.is_some() && ready.next().unwrap_or(false);
        drop(sources);
        if is_out_ready {
            read_once(&mut self.out, written)?;
        }
        if is_err_ready {
            let mut said = Vec::new();
            read_once(&mut self.err, &mut said)?;
            said.truncate(SAID.saturating_sub(self.said.len()));
            self.said.extend(said);
        }
        Ok(self.out.is_some() || self.err.is_some())
    }

    /// Whether it has ended; then all that it has written is there, too.
    ///
    /// # Errors
    /// As the system tells.
    pub fn has_ended(&mut self, written: &mut Vec<u8>) -> io::Result<bool> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
            if self.status.is_some() {
                self.drain(written)?;
            }
        }
        Ok(self.status.is_some())
    }

    /// Reads what waits in its pipes. What it has started itself may hold them open, so their end is not waited for.
    fn drain(&mut self, written: &mut Vec<u8>) -> io::Result<()> {
        let mut length = usize::MAX;
        while length != written.len() + self.said.len() {
            length = written.len() + self.said.len();
            self.listen(written, Duration::ZERO)?;
        }
        Ok(())
    }

    /// Asks it to end by an interrupt, and ends it if it does not.
    ///
    /// # Errors
    /// As the system tells.
    pub fn stop(&mut self, written: &mut Vec<u8>) -> io::Result<Ended> {
        self.signal(Signal::INT);
        if self.ends_within(written, GRACE)? {
            return Ok(Ended { code: self.code(), was_killed: false });
        }
        self.signal(Signal::KILL);
        self.ends_within(written, REAP)?;
        Ok(Ended { code: self.code(), was_killed: true })
    }

    /// Waits for its end for so long, and hears it meanwhile: whether it came.
    ///
    /// # Errors
    /// As the system tells.
    pub fn ends_within(&mut self, written: &mut Vec<u8>, time: Duration) -> io::Result<bool> {
        let until = Instant::now() + time;
        while !self.has_ended(written)? {
            if Instant::now() >= until {
                return Ok(false);
            }
            if !self.listen(written, LOOK)? {
                std::thread::sleep(LOOK);
            }
        }
        Ok(true)
    }

    /// Its exit code, or the negative number of the signal that ended it.
    pub fn code(&self) -> Option<i32> {
        let status = self.status?;
        status.code().or_else(|| status.signal().map(|signal| -signal))
    }

    /// What it complained of, on one line.
    pub fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.said);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines.join("; ").chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
    }

    /// How it ended by itself, in words.
    pub fn end(&self) -> String {
        let how = self.status.map_or_else(|| "it runs".to_owned(), |status| status.to_string());
        let said = self.said();
        if said.is_empty() { how } else { format!("{how}: {said}") }
    }

    fn signal(&self, signal: Signal) {
        // Its number is its own until its end was taken note of.
        if self.status.is_none()
            && let Some(group) = Pid::from_raw(self.child.id().cast_signed())
        {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.ends_within(&mut Vec::new(), REAP);
    }
}

/// Reads what is there; a source that has ended is closed.
fn read_once(source: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(open) = source else { return Ok(()) };
    let mut buffer = [0; 16 * 1024];
    match open.read(&mut buffer) {
        Ok(0) => *source = None,
        Ok(length) => into.extend_from_slice(&buffer[..length]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Why a program could not be started, in words.
pub fn not_started(program: &std::path::Path, error: &io::Error) -> String {
    format!("{}: {error}", program.display())
}
