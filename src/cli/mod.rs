//! The porch: arguments, decisions, printing, exit codes, progress, time.
//!
//! In reading order: [`args`] is what was typed, [`decide`] what it means; `command` calls one file a command:
//! [`diff`], [`show`], [`check`], [`mod@audit`], [`mod@state`], [`snapshot`], [`mod@record`], [`episode`], [`profiles`] (and [`infer`]), [`generate`]. [`exit`] names the exit codes, [`lanes`], [`size`], [`pair`] and
//! [`output`] read single values, [`labels`] names the two sides, [`terminal`] looks at the surroundings,
//! [`accepting`] reads and writes files of accepted divergences, [`begin`] reads a lone log's header, `place` finds what `show` is asked for, `origin` where the first differing value came from, `nearest` which snapshots lie right before it, [`progress`] tells how far work is, `talk` speaks on standard error,
//! `workers` are as many as can be had, `interrupt` ends what Ctrl-C interrupts.

pub mod accepting;
pub mod args;
pub mod audit;
mod audit_both;
pub mod begin;
pub mod check;
mod command;
mod counted;
pub mod decide;
pub mod diff;
pub mod episode;
pub mod exit;
pub mod generate;
pub mod infer;
mod interrupt;
pub mod labels;
pub mod lanes;
mod nearest;
mod origin;
pub mod output;
pub mod pair;
mod paired;
mod place;
pub mod profiles;
pub mod progress;
pub mod record;
pub mod show;
pub mod size;
pub mod snapshot;
pub mod state;
mod talk;
pub mod terminal;
mod workers;

pub use args::Args;
pub use command::run;
pub use exit::Exit;
pub use talk::{complain, no_memory, tell};
