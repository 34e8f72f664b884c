//! Collectors of telemetry, a thread each; what becomes of each is an event.
//!
//! `collector` is what they have in common, `plan` which are asked for, `chosen` makes them.

mod chosen;
mod collector;
mod plan;

pub use chosen::{chosen, revert};
pub use collector::{Collected, Collector, Desk, Failure, Running, Words, start};
pub use plan::{CapturePlan, Plan};
