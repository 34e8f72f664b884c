//! Collectors of telemetry, a thread each; what becomes of each is an event.
//!
//! - `collector` is what they have in common; `ticks` when they look, `budget` how often they do what costs much.
//! - `proc` reads `/proc`: `procfs` its texts, `process` its files, `threads` and `tree` what belongs to a process.
//! - `qmp` asks QEMU through `monitor`, `guest` hears an agent inside the guest; `socket` and `lines` carry both.
//! - `perf` runs `perf stat`, whose lines `intervals` reads; `capture` runs `tcpdump`, whose file `netflow` counts, a `packet` at a time.
//!   `program` is what starts, hears and ends them.
//! - `plan` is which of them are asked for, `kit` makes them.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//!
//! use forkpoint::episode::collect::{Capture, Collector, Guest, Monitor, Perf, Proc, Qmp, start, start_time};
//! use forkpoint::episode::{Events, Fields, Stop};
//!
//! # fn main() -> std::io::Result<()> {
//! let (pid, interval) = (4711, Duration::from_millis(100));
//! // Whoever else asks this QEMU asks through the same monitor.
//! let monitor = Arc::new(Monitor::new("qmp.sock".into()));
//! let collectors: Vec<Box<dyn Collector>> = vec![
//!     Box::new(Proc { pid, start_time: start_time(pid)?, interval }),
//!     Box::new(Qmp { monitor, interval: Duration::from_secs(1) }),
//!     Box::new(Guest { socket: "guest.sock".into() }),
//!     Box::new(Perf { program: "perf".into(), pid, interval, events: vec!["task-clock".to_owned()] }),
//!     Box::new(Capture { program: "tcpdump".into(), iface: "br0".to_owned(), ip: None, snaplen: 256 }),
//! ];
//! let folder = std::path::Path::new("episode");
//! let events = Arc::new(Events::begin(&folder.join("events.jsonl"), "snapshot_load", Fields::new())?);
//! let stop = Arc::new(Stop::default());
//! let started = collectors.into_iter().map(|collector| start(collector, folder, &events, &stop));
//! let running = started.collect::<std::io::Result<Vec<_>>>()?;
//! stop.wait(Duration::from_secs(60));
//! stop.raise("the time is over");
//! let until = Instant::now() + Duration::from_secs(3);
//! for collected in running.into_iter().map(|running| running.join(until)) {
//!     println!("{}: {} rows, {:?}", collected.name, collected.rows, collected.lacks);
//! }
//! # Ok(())
//! # }
//! ```

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
