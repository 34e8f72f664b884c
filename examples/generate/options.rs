//! What can be asked of the generator.

use std::str::FromStr;

/// Everything the two logs depend on: equal options make equal bytes.
#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    pub size: Size,
    pub shape: Shape,
    /// The column that differs in every line of the shape `flat`.
    pub noisy: Noisy,
    /// One log sorted by thread.
    pub skew: Skew,
    /// Threads with a life of their own.
    pub threads: usize,
    /// Further threads that all live the very same life.
    pub workers: usize,
    /// From about this event on each of them lives a life of its own.
    pub alike: Option<u64>,
    pub tids: Tids,
    /// Mean number of events a thread writes before another has its turn.
    pub slice: u64,
    pub births: Births,
    /// Share of the pairs whose payloads differ in bytes and yet are equal under schema-v1,
    /// not counting allocator returns.
    pub noise: f64,
    /// Share of the events that are allocator returns; each pair of them differs in bytes.
    pub allocators: f64,
    /// Characters of payload added to every call.
    pub payload_bytes: usize,
    pub line: LineLength,
    pub diverge: Vec<Diverge>,
    /// So many threads part in the last twentieth of their lanes.
    pub diverge_late: usize,
    /// Every tid is used twice: two lanes, one after the other.
    pub generations: bool,
    /// Arguments carry heap addresses and handles, each side's own: the same only to whoever follows identities.
    pub shifted: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            size: Size::Events(100_000),
            shape: Shape::Schema,
            noisy: Noisy::Cycles,
            skew: Skew::None,
            threads: 8,
            workers: 0,
            alike: None,
            tids: Tids::Offset,
            slice: 20,
            births: Births::Start,
            noise: 0.05,
            allocators: 0.01,
            payload_bytes: 0,
            line: LineLength::Normal,
            diverge: Vec::new(),
            diverge_late: 0,
            generations: false,
            shifted: false,
        }
    }
}

impl Options {
    /// What `forkpoint diff` must be told to compare such a pair.
    pub fn flags(&self) -> Vec<&'static str> {
        if self.shape != Shape::Flat {
            return Vec::new();
        }
        let mut flags = vec!["--profile", "generic", "--ordinal", "seq", "--kind", "op"];
        if self.lanes() > 1 {
            flags.extend(["--thread", "thread"]);
        }
        match self.noisy {
            Noisy::Cycles => flags.extend(["--ignore", "cycles"]),
            Noisy::Flags => flags.extend(["--mask", "flags=0x30"]),
        }
        flags
    }

    /// Threads that run at one time or another, not counting tids used twice.
    pub fn lanes(&self) -> usize {
        self.threads + self.workers
    }
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Shape {
    /// schema-v1, the payload last.
    Schema,
    /// schema-v1 with the keys of every object sorted: the payload is not last.
    Sorted,
    /// schema-v1; the candidate writes the keys of its payloads in another order.
    Reordered,
    /// An instruction trace: no payload, every column compared but for the noisy one.
    Flat,
}

/// The column of an instruction trace that differs in every line.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Noisy {
    /// `cycles`, to be ignored.
    Cycles,
    /// Two bits of `flags`, to be masked.
    Flags,
}

/// Which log is sorted by thread: its threads stand one after the other.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Skew {
    None,
    Reference,
    Candidate,
}

/// The size of each of the two logs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    Bytes(u64),
    Events(u64),
}

/// How the candidate numbers its threads.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Tids {
    Same,
    Offset,
    Shuffle,
}

/// When threads appear.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Births {
    /// All at the beginning.
    Start,
    /// One after the other over the first half of the log.
    Spread,
    /// The same, but the candidate's threads appear in the opposite order.
    Reversed,
    /// Threads start and end all the time: some thirty run at once.
    Churn,
}

/// How much a line says beside what schema-v1 needs.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum LineLength {
    /// Some 60 bytes; only a flat line can be so short.
    Tiny,
    Short,
    Normal,
    Long,
    /// Some 2 KB: every event carries a dump.
    Huge,
}

/// A change to the candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diverge {
    /// Number of the lane from 0, in the order of truth.json.
    pub thread: usize,
    /// Where; the change lands on the first event from here on that can carry it.
    pub position: u64,
    pub kind: EditKind,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EditKind {
    Value,
    Nested,
    Kind,
    Ordinal,
    Missing,
    Extra,
    EndedEarly,
    Type,
    Absent,
    /// The reference's lane ends before the candidate's.
    Overlong,
    /// The candidate lacks the thread.
    Unmatched,
    /// Only the candidate has the thread.
    Stranger,
    /// The candidate writes the next event first.
    Swapped,
    /// The candidate's log lacks the thread's events before the position; those behind it are numbered as if it did not.
    Late,
    /// One field differs in all of the next events that carry it, then no more.
    Lasting,
}

impl EditKind {
    pub const ALL: [(&'static str, Self); 15] = [
        ("value", Self::Value),
        ("nested", Self::Nested),
        ("kind", Self::Kind),
        ("ordinal", Self::Ordinal),
        ("missing", Self::Missing),
        ("extra", Self::Extra),
        ("ended-early", Self::EndedEarly),
        ("type", Self::Type),
        ("absent", Self::Absent),
        ("overlong", Self::Overlong),
        ("unmatched", Self::Unmatched),
        ("stranger", Self::Stranger),
        ("swapped", Self::Swapped),
        ("late", Self::Late),
        ("lasting", Self::Lasting),
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The kind under which a diff reports it.
    pub fn reported(self) -> &'static str {
        match self {
            Self::Nested | Self::Type | Self::Absent | Self::Lasting => "value",
            Self::Swapped => "reordered",
            Self::Late => "started-late",
            Self::Overlong => "ended-early",
            Self::Stranger => "unmatched",
            other => other.name(),
        }
    }

    /// Whether one side lacks the whole lane.
    pub fn is_of_one_side(self) -> bool {
        matches!(self, Self::Unmatched | Self::Stranger)
    }
}

impl FromStr for Diverge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or_else(|| format!("{text}: expected THREAD:POSITION:KIND"));
        let (thread, position, name) = (part()?, part()?, part()?);
        let kind = EditKind::ALL.iter().find(|(known, _)| *known == name);
        Ok(Self {
            thread: thread.parse().map_err(|_| format!("{thread}: not a thread number"))?,
            position: position.parse().map_err(|_| format!("{position}: not a position"))?,
            kind: kind.ok_or_else(|| format!("{name}: no such kind of divergence"))?.1,
        })
    }
}

/// Reads `500M`, `1G`, `64k` (powers of ten) or a plain number.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.to_ascii_uppercase().as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: f64 = digits.parse().map_err(|_| format!("{text}: not a size"))?;
    if number.is_finite() && number >= 0.0 {
        Ok((number * f64::from(factor)) as u64)
    } else {
        Err(format!("{text}: not a size"))
    }
}
