//! Room `compare`: two events to differences under rules.
//!
//! In reading order: [`event`] is an event as seen here; [`paths`] holds one kind's rules as a
//! tree of places, [`condition`] what must be so before they hold; [`allocator`] judges returned addresses, [`alike`] other
//! scalars; [`walk`] goes through two payloads, `unordered` through arrays whose order does not count;
//! `digest` gives equal events equal numbers; [`weigh`] puts it together. That is the exact way.
//! In front of it stands a short one for regular lines: `layout` is what lines of one shape have in
//! common, `trie` holds many layouts, `plan` says which leaf of one meets which of another, `leaves`
//! judges two of them, `lockstep` walks two texts, `mould` judges two of equal widths all at once,
//! `learned` is what all workers know, `regular` joins it to weighing.
//! The room knows nothing of threads or logs.

pub mod alike;
pub mod allocator;
pub mod condition;
mod digest;
pub mod event;
mod layout;
mod learned;
mod leaves;
mod lockstep;
mod mould;
pub mod paths;
mod plan;
mod regular;
#[cfg(test)]
mod trial;
mod trie;
mod unordered;
pub mod walk;
pub mod weigh;

pub use event::Event;
pub use mould::FewRules;
pub use walk::{DIFFERENCES_LISTED_MAX, Difference, Overlooked};
pub use weigh::{Comparer, Differences, Scratch, Weighed};
