//! `forkpoint record`: a run, kept as an episode.
//!
//! [`args`] is what was typed; `plan` what it means; `command` records, and tells what was kept.

pub mod args;
mod command;
mod plan;

pub use args::{EXAMPLES, RecordArgs};
pub use command::run;
