//! A seeded generator of schema-v1 log pairs.
//!
//! Read in this order: [`options`] says what can be asked for, [`numbers`] holds the random
//! numbers and the number writing, [`script`] is the logical life of one thread, [`lane`] is
//! that life on one side, [`edit`] changes it where a divergence is asked for, [`replay`]
//! interleaves the lanes of one side into a log, [`pair`] makes both logs and the truth.

pub mod edit;
pub mod lane;
pub mod numbers;
pub mod options;
pub mod pair;
pub mod replay;
pub mod script;

pub use options::{Births, Diverge, EditKind, LineLength, Options, Size, Tids};
pub use pair::Pair;
