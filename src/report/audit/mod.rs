//! An audit, told: for a terminal, as Markdown, as JSON.
//!
//! [`story`] is what is told, built once; `terminal`, `markdown` and `json` paint it; `schema` describes the JSON. [`both`] does the same
//! for two logs.

pub mod both;
mod json;
mod markdown;
mod schema;
pub mod story;
mod terminal;
mod words;

pub use json::json;
pub use markdown::markdown;
pub use schema::{schema, schema_of_both};
pub use story::{AuditContext, AuditStory, Outlook, Wanted};
pub use terminal::terminal;
