//! Episodes read back, whoever wrote them, however they ended.
//!
//! [`find`](mod@find) looks for folders; [`kept`] opens one and says how far it came, by what [`meta`] says of it. [`lines`] gives the rows of a file one by one and an
//! account of the file; [`phases`] are the labels, [`timeline`] the events; [`brief`] is what a list tells of an episode.

pub mod brief;
pub mod find;
pub mod kept;
pub mod lines;
pub mod meta;
pub mod phases;
pub mod timeline;

pub use brief::Brief;
pub use find::{FindError, episodes, find};
pub use kept::{Kept, NoEpisode, Standing};
pub use lines::{FileAccount, Row, each_row};
pub use meta::{Meta, Subject};
pub use phases::{Phases, Span};
pub use timeline::{Happening, Timeline};
