//! Runs against runs, told.
//!
//! [`story`] is what is told, in which order; `terminal`, `markdown` and `json` paint it.

mod json;
mod markdown;
pub mod story;
mod terminal;

pub(super) use json::SCHEMA_NAME;
pub use json::json;
pub use markdown::markdown;
pub use story::{EpisodeDiffContext, EpisodeDiffStory};
pub use terminal::terminal;
