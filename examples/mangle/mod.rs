//! Seeded damage of logs, and what `forkpoint check` must say of them.
//!
//! Read in this order: [`roles`] is where a line keeps its roles, [`line`] takes a line apart, [`log`] reads a sound log,
//! [`piece`] is what damaged lines say, [`spot`] is a line to be damaged; [`syntax`], [`strings`], [`events`], [`lines`] and
//! [`harmless`] damage one, [`whole`] the log as a whole, [`kinds`] lists them all; [`plant`] chooses by the seed,
//! [`expected`] follows the lanes and tells what must be named, [`arguments`] is the command line.
//!
//! Nothing here asks forkpoint what it thinks of a line. What is wrong is known from what was done; the log
//! itself is read by the parser of the slow twin.

pub mod arguments;
pub mod events;
pub mod expected;
pub mod harmless;
pub mod kinds;
pub mod line;
pub mod lines;
pub mod log;
pub mod piece;
pub mod plant;
pub mod reasons;
pub mod roles;
pub mod spot;
pub mod strings;
pub mod syntax;
pub mod whole;

#[allow(dead_code, unused_imports)]
#[path = "../../tests/twin/json.rs"]
mod json;
// A test may look at the generator, too.
#[allow(dead_code, clippy::duplicate_mod)]
#[path = "../generate/numbers.rs"]
mod numbers;
#[allow(dead_code)]
#[path = "../../tests/twin/value.rs"]
mod value;

pub use log::SoundLog;
pub use plant::mangle;
pub use roles::Roles;
