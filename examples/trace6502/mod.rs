//! Instruction traces of two independent 6502 emulators.
//!
//! [`engine`] runs either emulator behind one face, [`programs`] holds the programs of our own,
//! [`line`] writes a record as a line of JSONL.

pub mod engine;
pub mod line;
pub mod programs;
