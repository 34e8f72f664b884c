//! Room `profile`: the rules for one kind of log.

pub mod reading;
pub mod rules;

pub use reading::{ReadFault, ReadReason, StrictReader};
pub use rules::*;
