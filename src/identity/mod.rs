//! Room `identity`: which object a value means, in each log by itself.
//!
//! In reading order: [`marks`] finds in an event what defines and releases objects, by `names` that tell most events
//! at once and `form`s that spare reading the others; [`objects`] keeps
//! those of one log, in order of its lines, and says which of them a value means at a line; [`likeness`]
//! holds two values against each other. The room knows nothing of how lanes are paired, only that they are.

mod form;
pub mod likeness;
pub mod marks;
mod names;
pub mod objects;

pub use likeness::{Identities, Likeness, Values};
pub use marks::{Guesses, Mark, MarkFinder, Marked, Says, number_of};
pub use objects::{Meant, Object, RuleSet};
