//! Which collectors are asked for.

use std::path::PathBuf;
use std::time::Duration;

/// What is to be collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// How often the target's files under `/proc` are read.
    pub proc_interval: Option<Duration>,
    /// The machine's monitor: its socket, and how often it is asked.
    pub qmp: Option<(PathBuf, Duration)>,
    /// A socket on which a guest tells of itself.
    pub guest: Option<PathBuf>,
    /// How often counters of the processor are read.
    pub perf: Option<Duration>,
    /// A network interface.
    pub capture: Option<CapturePlan>,
}

/// What of a network interface is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturePlan {
    /// The interface.
    pub iface: String,
    /// The address whose traffic is told apart as in and out.
    pub ip: Option<std::net::IpAddr>,
    /// How much of a packet is kept, in bytes.
    pub snaplen: u32,
}
