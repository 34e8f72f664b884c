//! An audit of one log, told: for a terminal, as Markdown, as JSON.
//!
//! [`story`] is what is told, built once; `terminal`, `markdown` and `json` paint it; `schema` describes the JSON.

mod json;
mod markdown;
mod schema;
pub mod story;
mod terminal;
mod words;

pub use json::json;
pub use markdown::markdown;
pub use schema::schema;
pub use story::{AuditContext, AuditStory, Outlook, Wanted};
pub use terminal::terminal;
