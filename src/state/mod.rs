//! Room `state`: two folders of state, each written by one engine at the same moment.
//!
//! In reading order: [`class`] names differences; [`place`] is where one stands, [`document`] a JSON file looked at where it lies, [`sets`]
//! pairs members of arrays whose order does not count, [`rules`] says what is compared how, `rules_file` is the stored form of that;
//! [`skipping`] is what is left out, [`difference`] what is found, [`walk`] goes through two documents side by side. [`folder`] opens
//! files, [`mod@manifest`] holds their hashes against what is claimed, [`mod@invariant`] is what must hold at all; [`mod@image`] compares raw memory,
//! [`imports`] knows which bytes engines patch, [`owners`] whose an address is, [`mod@memory`] tells ranges with both.
//! [`run`] compares two folders, `raw` their raw memory; [`outcome`] is what was found.

pub mod class;
pub mod difference;
pub mod document;
pub mod folder;
pub mod image;
pub mod imports;
pub mod invariant;
pub mod manifest;
pub mod memory;
pub mod outcome;
pub mod owners;
pub mod place;
mod raw;
pub mod rules;
mod rules_file;
pub mod run;
pub mod sets;
pub mod skipping;
pub mod walk;

pub use class::{Class, Kind};
pub use difference::{Difference, Differences};
pub use document::{Document, DocumentFault};
pub use folder::{Folder, FolderError};
pub use imports::Imports;
pub use invariant::{Invariant, Verdict};
pub use memory::MemoryRange;
pub use outcome::{FileOutcome, StateOutcome, Status};
pub use rules::StateRules;
pub use rules_file::{builtin, builtin_text, builtins, load, parse, schema};
pub use run::{StateOptions, compare};
