//! One episode, told.
//!
//! [`story`] is what is told, in which order; `terminal`, `markdown` and `json` paint it.

mod json;
mod markdown;
pub mod story;
mod terminal;

pub use json::json;
pub(super) use json::{SCHEMA_NAME, summary};
pub use markdown::markdown;
pub use story::EpisodeStory;
pub(super) use story::{event, started, subject};
pub use terminal::terminal;
