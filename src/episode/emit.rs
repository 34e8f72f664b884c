//! Events from other processes: they are handed to the recorder, who is the one writer of `events.jsonl`, and bear the time at which they were sent.
//!
//! A socket in the episode's folder takes a line of JSON an event, `{"event": NAME, "fields": {…}, "monotonic_ns": N}`, and answers each with a line, `{}` or
//! `{"error": TEXT}`.

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::clock::monotonic_ns;
use super::error::EpisodeError;
use super::events::{Events, OWN};
use super::folder::{DONE, Folder, META, SOCKET};
use super::rows::Fields;

/// The variable in which a target finds its episode's folder.
pub const VARIABLE: &str = "FORKPOINT_EPISODE";
/// Events that only the recorder can know of.
pub const RESERVED: [&str; 5] =
    ["snapshot_load", "phase_transition", "snapshot_revert", "snapshot_revert_failed", "episode_end"];
/// A longer line is no event.
const LONGEST: u64 = 1 << 20;
/// How long is waited without a look at whether all is over.
const LOOK: Duration = Duration::from_millis(50);
/// How long a recorder may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Request {
    event: String,
    #[serde(default)]
    fields: Fields,
    monotonic_ns: u64,
}

#[derive(Deserialize, Serialize)]
struct Answer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// An episode that another process records.
#[derive(Debug)]
pub struct Episode {
    folder: PathBuf,
    connection: BufReader<UnixStream>,
}

impl Episode {
    /// The episode of a folder.
    ///
    /// # Errors
    /// It is none, it has ended, or nobody records it.
    pub fn at(folder: &Path) -> Result<Episode, EpisodeError> {
        let refused = |why: String| EpisodeError::Emit(format!("{}: {why}", folder.display()));
        let connected = near(folder, |path| UnixStream::connect(path));
        let connection = connected.and_then(|connection| {
            connection.set_read_timeout(Some(PATIENCE))?;
            connection.set_write_timeout(Some(PATIENCE))?;
            Ok(connection)
        });
        match connection {
            Ok(connection) => Ok(Episode { folder: folder.to_owned(), connection: BufReader::new(connection) }),
            Err(_) if folder.join(DONE).exists() => Err(refused("this episode has ended".to_owned())),
            Err(_) if !folder.join(META).exists() => Err(refused("no episode".to_owned())),
            Err(error) => Err(refused(format!("nobody records this episode ({error})"))),
        }
    }

    /// The episode that this process is a target of.
    ///
    /// # Errors
    /// As [`Episode::at`]; or there is none.
    pub fn from_env() -> Result<Episode, EpisodeError> {
        let folder = env::var_os(VARIABLE)
            .ok_or_else(|| EpisodeError::Emit(format!("{VARIABLE} is not set: no episode is being recorded")))?;
        Episode::at(Path::new(&folder))
    }

    /// Says that something happens now.
    ///
    /// # Errors
    /// The recorder refuses it or is gone.
    pub fn emit(&mut self, event: &str, fields: Fields) -> Result<(), EpisodeError> {
        let request = Request { event: event.to_owned(), fields, monotonic_ns: monotonic_ns() };
        let refused = |why: String| EpisodeError::Emit(format!("{}: {why}", self.folder.display()));
        let mut line = serde_json::to_vec(&request).map_err(|error| refused(error.to_string()))?;
        line.push(b'\n');
        let mut answer = String::new();
        let exchanged =
            self.connection.get_mut().write_all(&line).and_then(|()| self.connection.read_line(&mut answer));
        match exchanged {
            Ok(0) => Err(refused("the recorder is gone".to_owned())),
            Err(error) => Err(refused(format!("the recorder does not answer ({error})"))),
            Ok(_) => match serde_json::from_str(&answer) {
                Ok(Answer { error: None }) => Ok(()),
                Ok(Answer { error: Some(error) }) => Err(refused(error)),
                Err(error) => Err(refused(format!("an answer that is none ({error})"))),
            },
        }
    }
}

/// Does something with the socket's path, which may be longer than a socket's address: so it is named from its folder.
fn near<T>(folder: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = File::open(folder)?;
    act(Path::new(&format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())))
}

/// The recorder's end of the socket.
#[derive(Debug)]
pub struct Doorway {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Doorway {
    /// Takes events for an episode from now on.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn open(folder: &Folder, events: &Arc<Events>) -> Result<Doorway, EpisodeError> {
        let path = folder.file(SOCKET);
        let listener = near(folder.path(), |path| UnixListener::bind(path)).map_err(EpisodeError::file(&path))?;
        let over = Arc::new(AtomicBool::new(false));
        let (events, ends) = (Arc::clone(events), Arc::clone(&over));
        let listen = move || {
            while !ends.load(Ordering::Acquire) {
                if is_ready(&listener)
                    && let Ok((connection, _)) = listener.accept()
                {
                    let (events, ends) = (Arc::clone(&events), Arc::clone(&ends));
                    // Who cannot be served finds the connection closed.
                    let _ = std::thread::Builder::new()
                        .name("emit".to_owned())
                        .spawn(move || serve(&connection, &events, &ends));
                }
            }
        };
        let thread =
            std::thread::Builder::new().name("doorway".to_owned()).spawn(listen).map_err(EpisodeError::file(&path))?;
        Ok(Doorway { over, thread: Some(thread), path })
    }
}

impl Drop for Doorway {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

fn is_ready(socket: &impl std::os::fd::AsFd) -> bool {
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
    matches!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&timeout)), Ok(1..))
}

/// Takes the events of one connection until it is closed or all is over.
fn serve(connection: &UnixStream, events: &Events, over: &AtomicBool) {
    let mut reader = BufReader::new(connection);
    let mut line = Vec::new();
    while !over.load(Ordering::Acquire) {
        if reader.buffer().is_empty() && !is_ready(connection) {
            continue;
        }
        line.clear();
        let got = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
        if !matches!(got, Ok(1..)) {
            return;
        }
        let done = take(&line, events);
        let is_torn = !line.ends_with(b"\n");
        let mut answer = serde_json::to_vec(&Answer { error: done.err() }).unwrap_or_default();
        answer.push(b'\n');
        let mut writer = connection;
        if writer.write_all(&answer).is_err() || is_torn {
            return;
        }
    }
}

fn take(line: &[u8], events: &Events) -> Result<(), String> {
    let request: Request = serde_json::from_slice(line).map_err(|error| format!("no event: {error}"))?;
    if request.event.is_empty() || request.event.chars().any(char::is_control) {
        return Err(format!("{:?} is no name of an event", request.event));
    }
    if RESERVED.contains(&request.event.as_str()) {
        return Err(format!("only the recorder says {}", request.event));
    }
    if let Some(own) = OWN.into_iter().find(|own| request.fields.contains_key(*own)) {
        return Err(format!("{own} is given by the recorder"));
    }
    // A time that is to come is a time of another host, or a lie.
    events.emit_at(request.monotonic_ns.min(monotonic_ns()), &request.event, request.fields);
    Ok(())
}
