//! Runs held against runs: each metric of each phase, then events and labels as logs.
//!
//! [`sides`] puts the runs of a side together, [`judge`] says which changes are real, [`logs`] aligns what happened by forkpoint's own engine; [`compare`](mod@compare)
//! does all of it.

pub mod compare;
pub mod judge;
pub mod logs;
pub mod sides;

pub use compare::{Change, Difference, PhaseRuns, compare};
pub use judge::{Judge, Rule, THRESHOLD_DEFAULT};
pub use logs::{LogDifference, PROFILE};
pub use sides::{SideValues, Values};
