//! Room `diverge`: lanes to divergences.
//!
//! In reading order: [`outcome`] is what a run found; [`resync`] looks where two streams agree
//! again; [`judge`] says what kind of divergence a parting is, [`acceptance`] whether it is tolerated,
//! as `accept_file` reads it, `accept_draft` writes it and `accept_schema` describes it; [`told`] sorts what was told, [`pool`] finds workers that
//! share their work, [`causes`] what may follow from what, by the [`edges`] between threads; [`rank`] which comes first; [`certain`]
//! when that is known before the logs end; [`mod@run`] puts a whole run together; [`mod@relation`] says what it tells of two earlier events.

pub mod accept_draft;
pub mod accept_file;
pub mod accept_schema;
pub mod acceptance;
pub mod causes;
pub mod certain;
pub mod edges;
pub mod judge;
pub mod outcome;
pub mod pool;
pub mod rank;
pub mod relation;
pub mod resync;
pub mod run;
pub mod told;

pub use acceptance::{Acceptance, Acceptances};
pub use outcome::*;
pub use relation::{LaneEvent, Relation, relation};
pub use run::{RunError, begin, comparer, leave, run, run_accepting};
