//! An audit of two logs, told: for a terminal, as Markdown, as JSON.

mod json;
mod markdown;
pub mod story;
mod terminal;
mod words;

pub(super) use json::SCHEMA_NAME;
pub use json::json;
pub use markdown::markdown;
pub use story::{BothContext, BothOutlook, BothStory};
pub use terminal::terminal;
