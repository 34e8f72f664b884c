//! `forkpoint snapshot`: pairs of state and memory, saved, looked at, compared.
//!
//! [`args`] is what was typed; `command` calls one file a command: `keep` saves, loads and puts together, `look` describes and
//! verifies, `compare` holds two against each other, `needs` finds what a diff goes onto.

pub mod args;
mod command;
mod compare;
mod keep;
mod look;
mod needs;

pub use args::{EXAMPLES, SnapshotArgs};
pub use command::run;
