//! Faults of the world: runs whose true answer is known, each with one seeded fault, and what became of them.
//!
//! Read in this order: [`stage`] is the folder with the logs, [`job`] what is run there, [`shim`] lets chosen system
//! calls of one process fail, [`fault`] draws a fault, [`play`] runs a job under it, [`judge`] says what became of it,
//! [`course`] plays them all and counts.

mod course;
mod fault;
mod job;
mod judge;
mod play;
mod shim;
mod stage;

pub use course::show;
