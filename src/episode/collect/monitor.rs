//! QEMU's monitor: commands and answers as JSON lines over a socket, its events in between.
//!
//! QEMU serves one client of such a socket at a time and lets others wait without a word. So all who ask share one [`Monitor`].

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::lines::{Line, Lines};
use super::socket::{self, Came, Patience};

/// How long an answer may take that needs no work.
pub const ANSWER: Duration = Duration::from_secs(3);
/// A longer line is no answer.
const LINE: usize = 16 << 20;
/// So many events are kept for whoever asks for them; a guest can cause them at will.
const EVENTS: usize = 1000;

/// Why QEMU did not answer as it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// There is no connection to be had.
    #[error("{0}: {1}")]
    Connect(String, #[source] io::Error),
    /// It listens, and says nothing.
    #[error("no {0} came in time")]
    Silent(&'static str),
    /// It has closed the connection, as it does when it ends.
    #[error("QEMU closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// It does not want to, or cannot.
    #[error("{0}")]
    Refused(String),
    /// What it says is not what QEMU says.
    #[error("not QEMU's protocol: {0}")]
    Strange(String),
}

impl MonitorError {
    /// Whether the connection can still be used.
    pub fn is_passing(&self) -> bool {
        matches!(self, MonitorError::Refused(_) | MonitorError::Silent("answer"))
    }
}

/// A connection that has been greeted.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    lines: Lines,
    buffer: Vec<u8>,
    events: VecDeque<Map<String, Value>>,
    dropped: u64,
    asked: u64,
}

impl Client {
    /// Connects, waits for the greeting and says that it was understood.
    ///
    /// # Errors
    /// Nobody listens, another client is served, or it is not QEMU.
    pub fn connect(path: &Path, patience: Patience<'_>) -> Result<Client, MonitorError> {
        let connected = socket::open(path, patience);
        let stream = connected.map_err(|error| MonitorError::Connect(path.display().to_string(), error))?;
        let (lines, buffer) = (Lines::of_at_most(LINE), vec![0; 64 * 1024]);
        let mut client = Client { stream, lines, buffer, events: VecDeque::new(), dropped: 0, asked: 0 };
        loop {
            let said = client.hear("greeting", patience)?;
            if said.contains_key("QMP") {
                break;
            }
            client.keep(said);
        }
        client.execute("qmp_capabilities", Value::Null, patience)?;
        Ok(client)
    }

    /// Has a command done; what it gives back.
    ///
    /// # Errors
    /// It was refused, no answer came in time, or the connection is gone.
    pub fn execute(&mut self, command: &str, arguments: Value, patience: Patience<'_>) -> Result<Value, MonitorError> {
        self.asked += 1;
        let mut asked = json!({ "execute": command, "id": self.asked });
        if !arguments.is_null() {
            asked["arguments"] = arguments;
        }
        let mut text = asked.to_string().into_bytes();
        text.push(b'\n');
        self.send(&text, patience)?;
        loop {
            let mut said = self.hear("answer", patience)?;
            if said.contains_key("event") {
                self.keep(said);
            } else if said.get("id").is_some_and(|id| *id != json!(self.asked)) {
                // The answer to what nobody waits for any more.
            } else if let Some(error) = said.get("error") {
                let text = error.get("desc").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
                return Err(MonitorError::Refused(format!("{command}: {text}")));
            } else if let (Some(_), Some(given)) = (said.get("id").cloned(), said.remove("return")) {
                return Ok(given);
            } else {
                return Err(MonitorError::Strange(Value::Object(said).to_string().chars().take(200).collect()));
            }
        }
    }

    fn send(&mut self, mut text: &[u8], patience: Patience<'_>) -> Result<(), MonitorError> {
        while !text.is_empty() {
            match self.stream.write(text) {
                Ok(written) => text = &text[written..],
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(MonitorError::Closed),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    // Half a command cannot be taken back.
                    if patience.is_over() {
                        return Err(MonitorError::Silent("place for a command"));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next object.
    fn hear(&mut self, what: &'static str, patience: Patience<'_>) -> Result<Map<String, Value>, MonitorError> {
        loop {
            match self.lines.take() {
                Some(Line::Whole(text)) if text.trim_ascii().is_empty() => {}
                Some(Line::Whole(text)) => {
                    return serde_json::from_slice(&text).map_err(|error| MonitorError::Strange(error.to_string()));
                }
                Some(Line::TooLong) => return Err(MonitorError::Strange(format!("more than {LINE} bytes"))),
                None if patience.is_over() => return Err(MonitorError::Silent(what)),
                None => match socket::read(&mut self.stream, &mut self.buffer)? {
                    Came::Bytes(bytes) => self.lines.push(bytes),
                    Came::Nothing => {}
                    Came::End => return Err(MonitorError::Closed),
                },
            }
        }
    }

    fn keep(&mut self, event: Map<String, Value>) {
        if self.events.len() < EVENTS {
            self.events.push_back(event);
        } else {
            self.dropped += 1;
        }
    }

    /// The oldest event that was not asked for yet.
    pub fn event(&mut self) -> Option<Map<String, Value>> {
        self.events.pop_front()
    }

    /// How many events there was no place for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Puts the machine back to where it was when a snapshot was taken; what the monitor says to that.
    ///
    /// It asks the monitor for people: that one finds out by itself which disks belong to the machine, where the job `snapshot-load` wants
    /// the names of their nodes, which QEMU makes up for most. A failure is known by its words, as that monitor has no other way to tell one.
    ///
    /// # Errors
    /// There is no such snapshot, or it does not fit the machine.
    pub fn loadvm(&mut self, snapshot: &str, patience: Patience<'_>) -> Result<String, MonitorError> {
        let line = format!("loadvm {}", quoted(snapshot)?);
        let said = self.execute("human-monitor-command", json!({ "command-line": line }), patience)?;
        match said.as_str() {
            Some(text) if text.trim().is_empty() => Ok(text.to_owned()),
            Some(text) => Err(MonitorError::Refused(text.trim().to_owned())),
            None => Err(MonitorError::Strange(said.to_string())),
        }
    }

    /// Which QEMU it is, as 10.0.2.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub fn version(&mut self, patience: Patience<'_>) -> Result<String, MonitorError> {
        let said = self.execute("query-version", Value::Null, patience)?;
        let part = |name: &str| said.pointer(&format!("/qemu/{name}")).and_then(Value::as_u64);
        match (part("major"), part("minor"), part("micro")) {
            (Some(major), Some(minor), Some(micro)) => Ok(format!("{major}.{minor}.{micro}")),
            _ => Err(MonitorError::Strange(said.to_string())),
        }
    }
}

/// A word for the monitor for people, which takes what stands between quotes as it is.
fn quoted(name: &str) -> Result<String, MonitorError> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(MonitorError::Refused(format!("{name:?} is no name of a snapshot")));
    }
    Ok(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The one connection to a QEMU, made when it is first needed, made anew when it was lost.
#[derive(Debug)]
pub struct Monitor {
    socket: PathBuf,
    client: Mutex<Option<Client>>,
    version: OnceLock<String>,
}

impl Monitor {
    /// Nothing is connected yet.
    pub fn new(socket: PathBuf) -> Monitor {
        Monitor { socket, client: Mutex::new(None), version: OnceLock::new() }
    }

    /// Where QEMU listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks; who else asks waits meanwhile.
    ///
    /// # Errors
    /// No connection is to be had, or what was asked failed.
    pub fn ask<T>(
        &self,
        patience: Patience<'_>,
        question: impl FnOnce(&mut Client) -> Result<T, MonitorError>,
    ) -> Result<T, MonitorError> {
        let mut held = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match &mut *held {
            Some(client) => client,
            none => none.insert(Client::connect(&self.socket, patience)?),
        };
        let answer = question(client);
        if answer.as_ref().is_err_and(|error| !error.is_passing()) {
            *held = None;
        }
        answer
    }

    /// [`Client::loadvm`], over within such a time.
    ///
    /// # Errors
    /// As there.
    pub fn loadvm(&self, snapshot: &str, time: Duration) -> Result<String, MonitorError> {
        let patience = Patience::of(time);
        self.ask(patience, |client| client.loadvm(snapshot, patience))
    }

    /// [`Client::version`], over within such a time.
    ///
    /// # Errors
    /// As there.
    pub fn version(&self, time: Duration) -> Result<String, MonitorError> {
        self.version_within(Patience::of(time))
    }

    /// The same, with a patience that may end sooner.
    ///
    /// # Errors
    /// As there.
    pub fn version_within(&self, patience: Patience<'_>) -> Result<String, MonitorError> {
        let version = self.ask(patience, |client| client.version(patience))?;
        Ok(self.version.get_or_init(|| version).clone())
    }

    /// The version that was told, if one was.
    pub fn told_version(&self) -> Option<String> {
        self.version.get().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_one_word() {
        assert_eq!(quoted("base").unwrap(), "\"base\"");
        assert_eq!(quoted("a \"b\\").unwrap(), "\"a \\\"b\\\\\"");
        assert!(quoted("x\nquit").is_err() && quoted("").is_err());
    }
}
