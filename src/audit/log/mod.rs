//! The life of every handle, from a log: who made, signalled, waited and woke, and why who still waits does so.
//!
//! [`reading`] finds steps in the events of a window, [`step`] is what one says; [`run`] takes them in the order of lines through
//! [`world`]: all threads and objects, [`naming`] which object a name means, [`object`] what one is and would give, `giving` whom a
//! signal reaches. [`journal`] tells whoever holds two logs side by side what was done. At the end [`verdict`] says why each thread that
//! waits does, [`cycle`] who waits for whom, and [`seen`] which steps the log has at all.

pub mod cycle;
mod giving;
pub mod journal;
pub mod naming;
pub mod object;
pub mod reading;
pub mod run;
pub mod seen;
pub mod step;
pub mod verdict;
pub mod world;

pub use object::{Aux, Entry, Kind, Loss, Lost, Moment, Object, Ring};
pub use run::{Audit, audit};
pub use seen::{Class, Seen};
pub use step::Name;
pub use verdict::{Doubt, Reason, Verdict};
pub use world::{Thread, Wait, World};
