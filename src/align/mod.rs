//! Room `align`: spans to lanes to pairs.
//!
//! In reading order: [`options`] is what a caller decides; [`header`] reads a log's first line;
//! [`intake`] takes one log's windows into [`lane`]s; [`group`] and [`pairing`] decide in log
//! time which lanes belong together; [`pairs`] weighs runs of pairs; [`aligner`] is the run of
//! waves that puts them together and hands partings to a judge. Windows, workers and kinds of
//! source never show in what it finds.

pub mod aligner;
pub mod group;
pub mod header;
pub mod intake;
pub mod lane;
pub mod options;
pub mod pairing;
pub mod pairs;

pub use aligner::{Aligner, ContextLine, Counters, Judge, LOOK_AHEAD, MetFault, PairState, Parted, Parting, fault_at};
pub use header::HeaderFault;
pub use intake::{Fault, Intake};
pub use lane::{Lane, Met, Place};
pub use options::*;
pub use pairing::{Decision, Evidence, LATE, MatchedBy};
pub use pairs::{CONTEXT_BYTES_MAX, Phase};
