//! A real program whose threads wait for each other, and the shim through which they do.
//!
//! [`log`] writes events of schema-v1, [`object`] is one thing to wait for, [`shim`] has the calls, as a kernel would; [`job`] is the
//! program, [`outcome`] what came of a run.

pub mod job;
mod log;
mod object;
pub mod outcome;
pub mod shim;
