//! Room `diverge`: lanes to divergences.

pub mod outcome;

pub use outcome::*;
