//! forkpoint finds the event where two runs part.
//!
//! The tour, bottom up: `json` decides values exactly, `source` gives bytes, `profile` the rules,
//! `disk` writes whole files, `emit` an engine's event log while it runs; `scan` finds events in bytes, `identity` what objects values mean, `compare` weighs two events, `state` two folders of state; `align`
//! sorts them into lanes and pairs; `diverge` says where a pair of lanes parts and how; `audit` keeps what became of handles; `snapshot` keeps machines and their memory; `infer` makes rules of
//! what differs between runs that are the same; `report` tells it; `cli` is the porch. A run through the library is [`diverge::run()`].
#![doc = include_str!("ARCHITECTURE.md")]

pub mod json;

pub mod source;

pub mod profile;

pub mod disk;

pub mod emit;

pub mod scan;

pub mod identity;

pub mod compare;

pub mod state;

pub mod align;

pub mod snapshot;

pub mod diverge;

pub mod audit;

pub mod infer;

pub mod report;

#[cfg(feature = "cli")]
pub mod cli;
