//! Room `diverge`: lanes to divergences.
//!
//! In reading order: [`outcome`] is what a run found; [`resync`] looks where two streams agree
//! again; [`judge`] says what kind of divergence a parting is; [`rank`] which comes first; [`certain`]
//! when that is known before the logs end; [`mod@run`] puts a whole run together.

pub mod certain;
pub mod judge;
pub mod outcome;
pub mod rank;
pub mod resync;
pub mod run;

pub use outcome::*;
pub use run::{RunError, run};
