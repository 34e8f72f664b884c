//! `forkpoint episode`: recorded runs read back, listed, held against each other.
//!
//! [`args`] is what was typed; `command` calls one file a command: `show`, `list`, `compare`, `emit`.

pub mod args;
mod command;
mod compare;
mod emit;
mod list;
mod show;

pub use args::{EXAMPLES, EpisodeArgs};
pub use command::run;
