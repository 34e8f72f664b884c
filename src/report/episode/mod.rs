//! Episodes, told: one, many in a list, runs against runs; for a terminal, as Markdown, as JSON.
//!
//! `numbers` spells amounts and times, `grid` lays out tables. [`show`] is one episode, [`list`] many; [`diff`] is what changed between runs, `logs` the part of it that
//! tells where their events part; `schema` describes the JSON of all three.

pub mod diff;
mod grid;
pub mod list;
mod logs;
mod numbers;
mod schema;
pub mod show;

pub use diff::{EpisodeDiffContext, EpisodeDiffStory};
pub use list::EpisodeListStory;
pub use schema::{schema_of_diff, schema_of_episode, schema_of_list};
pub use show::EpisodeStory;

/// How episodes are told.
#[derive(Clone, Debug, Default)]
pub struct EpisodeContext {
    /// Columns of the terminal.
    pub width: usize,
    /// In colour.
    pub colour: bool,
    /// Nothing is left out.
    pub all: bool,
}
