//! Room `compare`: two events to differences under rules.
//!
//! In reading order: [`event`] is an event as seen here; [`paths`] holds one kind's rules as a
//! tree of places; [`allocator`] judges returned addresses; [`walk`] goes through two payloads;
//! `digest` gives equal events equal numbers; [`weigh`] puts it together. The room knows
//! nothing of threads or logs.

pub mod allocator;
mod digest;
pub mod event;
pub mod paths;
pub mod walk;
pub mod weigh;

pub use event::Event;
pub use walk::{DIFFERENCES_LISTED_MAX, Difference, Overlooked};
pub use weigh::{Comparer, Differences, Scratch, Weighed};
