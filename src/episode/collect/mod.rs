//! Collectors of telemetry, a thread each; what becomes of each is an event.
//!
//! `collector` is what they have in common.

pub mod collector;

pub use collector::{Collected, Collector, Desk, Failure, Running, Words, start};
