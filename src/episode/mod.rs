//! Room `episode`: one run, kept as a folder that says what was observed of it and what was not; read back, and compared with others.
//!
//! `clock`, `stop`, `rows` and `events` are what all of a recording's threads share: one clock, one end, whole rows, one writer of events. `folder` is
//! made for one episode and complete with its marker; `meta` and `about` say what it is of. `target` is the process, `schedule` its phases, `course` the
//! walk through them; `collect` holds the collectors, a thread each. [`record`] does it all; [`Episode`] hands in events from other processes.
//!
//! [`read`] reads a folder back, whoever wrote it and however it ended; [`measure`] says what was in each phase, [`difference`] what runs have that other runs do not. These
//! three need nothing of the above.

mod about;
mod clock;
pub mod collect;
mod course;
pub mod difference;
mod emit;
mod error;
mod events;
mod folder;
pub mod measure;
mod meta;
pub mod read;
mod rows;
mod run;
mod schedule;
mod stop;
mod target;

pub use clock::{Clock, monotonic_ns, wall_ns};
pub use course::{Act, OnPhase};
pub use emit::{Episode, VARIABLE};
pub use error::EpisodeError;
pub use events::Events;
pub use folder::{DONE, EVENTS, Folder, LABELS, META, PCAP, SOCKET, STDERR, STDOUT};
pub use meta::{About, SCHEMA_VERSION};
pub use rows::{Fields, RowFile};
pub use run::{Plan, Recorded, record};
pub use schedule::{Length, Phase, Schedule, parse_time};
pub use stop::Stop;
pub use target::{Ended, Target, TargetPlan};
