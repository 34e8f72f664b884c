//! forkpoint finds the event where two runs part.
#![doc = include_str!("ARCHITECTURE.md")]

pub mod align;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compare;
pub mod disk;
pub mod diverge;
pub mod json;
pub mod profile;
pub mod report;
pub mod scan;
pub mod source;
