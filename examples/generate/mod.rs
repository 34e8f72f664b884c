//! A seeded generator of pairs of event logs: schema-v1 in several spellings, and instruction traces.
//!
//! Read in this order: [`options`] says what can be asked for, [`numbers`] holds the random
//! numbers and the number writing, [`script`] is the logical life of one thread, [`lane`] is
//! that life on one side ([`shaped`] with its keys in another order, [`flat`] as an instruction trace), [`edit`] changes it where a divergence is asked for, [`replay`]
//! interleaves the lanes of one side into a log, [`pair`] makes both logs and the truth,
//! [`arguments`] is the command line, [`catalogue`] names the pairs that are measured.

pub mod arguments;
pub mod catalogue;
pub mod edit;
pub mod flat;
pub mod kernel;
pub mod lane;
pub mod numbers;
pub mod options;
pub mod pair;
pub mod replay;
pub mod scenes;
pub mod script;
pub mod shaped;

pub use options::{Births, Diverge, EditKind, LineLength, Noisy, Options, Shape, Size, Skew, Tids};
pub use pair::Pair;
