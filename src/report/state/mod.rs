//! Two state folders, told: for a terminal, as Markdown, as JSON.
//!
//! [`story`] is what is told, in which order, `words` its sentences; `terminal`, `markdown` and `json` paint it; `schema` describes the JSON.
//! [`gate`] is the part that stands in front of a comparison of logs.

pub mod gate;
mod json;
mod markdown;
mod schema;
pub mod story;
mod terminal;
mod words;

pub use gate::StateGate;
pub use json::json;
pub use markdown::markdown;
pub use schema::schema;
pub use story::{StateContext, StateStory};
pub use terminal::terminal;
