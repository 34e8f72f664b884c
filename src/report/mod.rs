//! Room `report`: what a run found, as text for people and machines.
//!
//! One story is told from an [`Outcome`](crate::diverge::Outcome) and then painted in a format;
//! painters decide nothing. The room opens no file, prints nothing, and reads neither a clock nor
//! the environment: what it needs to know of the outside is the [`ReportContext`].
//!
//! In reading order:
//! - [`context`]: what the outside tells;
//! - [`verdict`]: the answer, its sentence and its exit code;
//! - `accepted`: divergences that were accepted, and by what;
//! - `rule_flags`: rules that look wrong in the light of what they did;
//! - `story`: which lanes belong to which class, in which order they are told;
//! - `nearest`: the snapshots before the first divergence;
//! - `origin`: where the first differing value came from, between which checkpoints the state parted;
//! - `layout`: one divergence laid out: before, here, fields, after, remarks;
//! - `overview`: the table of pairings, chosen and spelled;
//! - `terminal` (with `table`, `gutter`, `fields`, `lists`), `markdown`, `json`: the painters; `schema`: the wire form's JSON Schema;
//! - [`hints`](mod@hints): commands worth trying next; [`quote`]: how a command is spelled for a shell;
//! - [`audit`]: the life of handles, told; [`state`]: two state folders, told; `episode`: episodes, told;
//! - `doc`, `tree`: JSON kept as tokens; `summary`: one event in a line; `focus`: where two
//!   values part, `bits`: integers that differ in one; `visible`, `style`: characters and colours a terminal can be trusted with.

mod accepted;
pub mod audit;
mod bits;
pub mod context;
mod doc;
#[cfg(feature = "episode")]
pub mod episode;
mod fields;
mod focus;
mod gutter;
mod header;
pub mod hints;
mod json;
mod layout;
mod lists;
mod markdown;
mod meaning;
pub mod nearest;
pub mod origin;
mod overview;
pub mod quote;
mod rule_flags;
mod schema;
pub mod state;
mod story;
mod style;
mod summary;
mod table;
mod terminal;
mod touched;
mod tree;
pub mod verdict;
mod visible;

#[cfg(test)]
mod samples;

pub use context::{Details, LogName, ReportContext, Validated};
pub use hints::{fault_lines, hints};
pub use json::json;
pub use markdown::markdown;
pub use nearest::NearestSnapshots;
pub use origin::{CheckpointWindow, EventPlace, Mentioned, Origin};
pub use schema::schema;
pub use story::Story;
#[cfg(feature = "cli")]
pub(crate) use summary::summary_of;
pub use terminal::terminal;
pub use verdict::{Tally, Verdict};
#[cfg(feature = "cli")]
pub(crate) use visible::clip;
pub use visible::visible;
