//! The demonstrations, and what they share.
//!
//! Read in this order: [`program`] runs forkpoint and watches it, [`room`] is the temporary folder,
//! [`pairs`] makes pairs of logs, [`truth`] reads what a diff of them must find and holds a report against it,
//! [`table`] prints, [`rounds`] times commands in turn, [`tree`] with all that they start, [`record`] keeps what was printed,
//! [`limit`] takes memory away, [`grammar`] lays out the cases of `corpus/json/grammar`; then one file or folder for each demonstration, which returns what was wrong, one line each.

pub mod accuracy;
pub mod answer;
pub mod archives;
pub mod audit;
pub mod check;
pub mod clone;
pub mod demo;
pub mod emit;
pub mod ends;
pub mod episode;
pub mod fifos;
pub mod first;
pub mod gate;
pub mod grammar;
pub mod infer;
pub mod json;
pub mod judgement;
pub mod large;
pub mod limit;
pub mod mangle;
pub mod origin;
pub mod pairs;
pub mod peers;
pub mod program;
pub mod record;
pub mod reports;
pub mod room;
pub mod rounds;
pub mod rules;
pub mod shapes;
pub mod snapshot;
pub mod speed;
pub mod state;
pub mod stream;
pub mod table;
pub mod trace6502;
pub mod tree;
pub mod truncation;
pub mod truth;
pub mod windows;
pub mod world;

pub use program::{Program, Run};
pub use room::Room;
pub use table::Table;
pub use truth::Truth;

/// Whatever hinders a demonstration: no answer, neither right nor wrong.
pub type Hindered = Box<dyn std::error::Error>;

/// What was wrong, one line each.
pub type Shown = Result<Vec<String>, Hindered>;
