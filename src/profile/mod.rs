//! Room `profile`: the rules for one kind of log.

pub mod rules;

pub use rules::*;
