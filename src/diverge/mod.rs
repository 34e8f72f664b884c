//! Room `diverge`: lanes to divergences.

pub mod outcome;
pub mod run;

pub use outcome::*;
pub use run::{RunError, run};
