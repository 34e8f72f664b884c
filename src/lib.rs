//! forkpoint finds the event where two runs part.

pub mod align;
pub mod compare;
pub mod disk;
pub mod diverge;
pub mod json;
pub mod profile;
pub mod report;
pub mod scan;
pub mod source;
