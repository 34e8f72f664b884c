//! How a log is recorded, and how a guest thread is named in it.

use std::fmt;
use std::time::Duration;

use super::text;

/// How a log is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Who records: reports call the log's side by this name.
    pub engine: String,
    /// Further fields of the header, as texts: a build, a title, a command line. Reports tell those in which two logs differ.
    pub header: Vec<(String, String)>,
    /// Bytes that each thread may be ahead of the file: a power of two, made to fit, from 64 bytes to 256 MiB.
    pub ring_bytes: usize,
    /// What becomes of an event when that much waits already.
    pub when_full: WhenFull,
    /// Whether each event bears the host's clock, `host_ns`: nanoseconds since the recorder was made. It costs a look at
    /// the clock for each event.
    pub host_ns: bool,
    /// How long an event may wait in its ring while little is recorded.
    pub write_every: Duration,
}

/// What becomes of an event for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It is dropped, counted, and a marker stands in its place: the engine never waits for a disk.
    #[default]
    Drop,
    /// The thread writes to the file itself until there is room: the log is complete, and the engine as slow as the disk.
    Wait,
}

impl Options {
    /// What suits most engines: 4 MiB for each thread, events dropped rather than waited for, with the host's clock.
    pub fn new(engine: impl Into<String>) -> Options {
        Options {
            engine: engine.into(),
            header: Vec::new(),
            ring_bytes: 4 << 20,
            when_full: WhenFull::Drop,
            host_ns: true,
            write_every: Duration::from_millis(50),
        }
    }

    /// The log's first line.
    pub(super) fn header_line(&self) -> Vec<u8> {
        let mut line = br#"{"kind":"schema_version","schema_version":1,"engine":"#.to_vec();
        text::string(&mut line, &self.engine);
        for (key, value) in &self.header {
            line.push(b',');
            text::string(&mut line, key);
            line.push(b':');
            text::string(&mut line, value);
        }
        line.extend_from_slice(b"}\n");
        line
    }
}

/// The guest thread's id, `tid`: an integer or a string. 6 and `"6"` are different threads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tid {
    /// A number.
    Number(i128),
    /// A name.
    Name(String),
}

impl Tid {
    /// As it stands in a line.
    pub(super) fn json(&self) -> Vec<u8> {
        let mut json = Vec::new();
        match self {
            Tid::Number(number) => text::number(&mut json, *number),
            Tid::Name(name) => text::string(&mut json, name),
        }
        json
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.json()))
    }
}

macro_rules! numbers {
    ($($kind:ty)*) => {$(
        impl From<$kind> for Tid {
            fn from(number: $kind) -> Tid {
                Tid::Number(i128::from(number))
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 i8 i16 i32 i64);

impl From<&str> for Tid {
    fn from(name: &str) -> Tid {
        Tid::Name(name.to_owned())
    }
}

impl From<String> for Tid {
    fn from(name: String) -> Tid {
        Tid::Name(name)
    }
}
