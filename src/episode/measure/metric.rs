//! What is measured, by whom, and in what.

/// Who measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The labels themselves.
    Episode,
    /// `telemetry-proc.jsonl`: the process, as the kernel tells it.
    Proc,
    /// `telemetry-qmp.jsonl`: the virtual machine, as QEMU tells it.
    Qmp,
    /// `telemetry-guest.jsonl`: the guest, as its agent tells it.
    Guest,
    /// `telemetry-perf.jsonl`: counters of the processor and the kernel.
    Perf,
    /// `netflow.jsonl`: packets.
    Netflow,
}

impl Source {
    /// Those that write rows.
    pub const COLLECTORS: [Source; 5] = [Source::Proc, Source::Qmp, Source::Guest, Source::Perf, Source::Netflow];

    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Source::Episode => "episode",
            Source::Proc => "proc",
            Source::Qmp => "qmp",
            Source::Guest => "guest",
            Source::Perf => "perf",
            Source::Netflow => "netflow",
        }
    }

    /// The file of its rows.
    pub fn file(self) -> String {
        match self {
            Source::Netflow => "netflow.jsonl".to_owned(),
            Source::Episode => crate::episode::LABELS.to_owned(),
            other => format!("telemetry-{}.jsonl", other.word()),
        }
    }
}

/// In what something is measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Seconds of something in a second: 1 is one processor, or one process that waits all the time.
    SecondsPerSecond,
    /// Bytes.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// So many in a second.
    PerSecond,
    /// A number whose meaning only its name tells.
    Number,
    /// What a tool calls it, in a second.
    NamedPerSecond(String),
}

impl Unit {
    /// As reports spell it.
    pub fn word(&self) -> String {
        match self {
            Unit::Seconds => "s".to_owned(),
            Unit::SecondsPerSecond => "s/s".to_owned(),
            Unit::Bytes => "bytes".to_owned(),
            Unit::BytesPerSecond => "bytes/s".to_owned(),
            Unit::PerSecond => "/s".to_owned(),
            Unit::Number => String::new(),
            Unit::NamedPerSecond(name) => format!("{name}/s"),
        }
    }

    /// Whether it is so many in a second.
    pub fn is_rate(&self) -> bool {
        !matches!(self, Unit::Seconds | Unit::Bytes | Unit::Number)
    }

    /// Less than this apart nothing has changed, however many times one is the other: what clocks, schedulers and page caches do by
    /// themselves. None where nobody knows how much a number means.
    pub fn floor(&self) -> Option<f64> {
        match self {
            Unit::Seconds | Unit::SecondsPerSecond => Some(0.01),
            Unit::Bytes => Some(65_536.0),
            Unit::BytesPerSecond => Some(4_096.0),
            Unit::PerSecond => Some(10.0),
            Unit::Number | Unit::NamedPerSecond(_) => None,
        }
    }

    /// What a counter of this many a tick is in a second.
    pub(super) fn per_second(self) -> Unit {
        match self {
            Unit::Seconds => Unit::SecondsPerSecond,
            Unit::Bytes => Unit::BytesPerSecond,
            Unit::Number => Unit::PerSecond,
            other => other,
        }
    }
}

/// Something that is measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    /// Who measured it.
    pub source: Source,
    /// The member of the row, or the path to it.
    pub name: String,
    /// In what.
    pub unit: Unit,
}

impl Metric {
    /// How long a phase lasts.
    pub fn duration() -> Metric {
        Metric { source: Source::Episode, name: "duration_s".to_owned(), unit: Unit::Seconds }
    }

    /// As reports call it.
    pub fn told(&self) -> String {
        match self.source {
            Source::Episode => self.name.clone(),
            source => format!("{} {}", source.word(), self.name),
        }
    }
}
