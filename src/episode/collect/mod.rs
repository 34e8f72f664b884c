//! Collectors of telemetry, a thread each; what becomes of each is an event.
//!
//! - `collector` is what they have in common; `ticks` when they look, `budget` how often they do what costs much.
//! - `proc` reads `/proc`: `procfs` its texts, `process` its files, `threads` and `tree` what belongs to a process.
//! - `qmp` asks QEMU through `monitor`, `guest` hears an agent inside the guest; `socket` and `lines` carry both.
//! - `perf` runs `perf stat`, whose lines `intervals` reads; `capture` runs `tcpdump`, whose file `netflow` counts, a `packet` at a time.
//!   `program` is what starts, hears and ends them.
//! - `plan` is which of them are asked for, `kit` makes them.

pub mod budget;
pub mod capture;
pub mod collector;
pub mod guest;
pub mod intervals;
mod kit;
pub mod lines;
pub mod monitor;
pub mod netflow;
pub mod packet;
pub mod perf;
mod plan;
pub mod proc;
pub mod process;
pub mod procfs;
pub mod program;
pub mod qmp;
pub mod socket;
pub mod threads;
pub mod ticks;
pub mod tree;

pub use capture::Capture;
pub use collector::{Collected, Collector, Desk, Failure, Running, Words, start};
pub use guest::Guest;
pub use kit::Kit;
pub use monitor::{Monitor, MonitorError};
pub use perf::Perf;
pub use plan::{CapturePlan, Plan};
pub use proc::Proc;
pub use process::start_time;
pub use qmp::Qmp;
