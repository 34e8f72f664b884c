//! The slow twin: the whole diff once more, the obvious way, sharing no code with the program.
//!
//! It holds both logs in memory as plain values and decides everything by the words of the
//! contract. Files in reading order: [`value`] and [`json`] (values), [`rules`] (what counts), [`lines`]
//! (a log as events and faults), [`events`] (which of them rules take out), [`equal`] (two events), [`alike`] and [`multiset`] (their scalars, their arrays without order), [`digest`], [`objects`],
//! [`pairing`] (which lane goes with which), [`judge`] (what kind of divergence), [`accept`] (which are tolerated), [`mod@pool`] (whose work has moved), [`diff`] (all of it, as
//! a report); [`pairs`], [`threads`], [`workers`] and [`shapes`] make logs, [`ruled`] profiles, [`accepting`] files of accepted divergences, [`check`] and
//! [`held`] hold the program against the twin.
#![allow(dead_code)] // every test crate uses its own part

pub mod accept;
pub mod accepting;
pub mod alike;
pub mod check;
pub mod damage;
pub mod diff;
pub mod digest;
pub mod equal;
pub mod events;
pub mod flags;
pub mod held;
pub mod json;
pub mod judge;
pub mod library;
pub mod lines;
pub mod long;
pub mod model;
pub mod multiset;
pub mod objects;
pub mod opened;
pub mod pairing;
pub mod pairs;
pub mod pool;
pub mod report;
pub mod ruled;
pub mod rules;
pub mod shapes;
pub mod threads;
pub mod value;
pub mod walk;
pub mod workers;
