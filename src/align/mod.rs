//! Room `align`: spans to lanes to pairs.
//!
//! In reading order: [`options`] is what a caller decides; [`header`] reads a log's first line;
//! [`intake`] takes one log's windows into [`lane`]s, [`sealed`] without
//! their bytes where they wait long, `generations` telling where one begins, `taken_out` what rules take out and `joining` what they join, `holes` where lines were skipped, and
//! `openings` gathering what lanes are paired by;
//! [`group`] and [`pairing`] decide in log time which lanes belong together; [`pairs`] weighs
//! runs of pairs; [`parting`] is what a judge is handed; [`aligner`] is the run of waves, whose
//! work stands in `mapping`, `weighing`, `judging` and, behind what was told, `following`; `certain` says whether what is still to come
//! can change what comes first; `objects` hands on what events say of objects. Windows, workers and kinds of source
//! never show in what it finds. [`succession`] follows one thread of a log that is read alone.

pub mod aligner;
mod certain;
mod following;
mod generations;
pub mod group;
pub mod header;
mod holes;
pub mod intake;
mod joining;
mod judging;
pub mod lane;
mod mapping;
mod objects;
mod openings;
pub mod options;
pub mod pairing;
pub mod pairs;
pub mod parting;
pub mod sealed;
pub mod succession;
mod taken_out;
mod weighing;

pub use aligner::{Aligner, Counters, PairState};
pub use header::HeaderFault;
pub use intake::{Fault, Intake};
pub use judging::LOOK_AHEAD;
pub use lane::{Lane, Met, Place, event_of};
pub use options::*;
pub use pairing::{Decision, Evidence, LATE, MatchedBy};
pub use pairs::{CONTEXT_BYTES_MAX, Phase};
pub use parting::{Accepted, ContextLine, Course, Judge, Judged, MetFault, Onward, Parted, Parting, Step, fault_at};
pub use succession::{LanePlace, Succession};
