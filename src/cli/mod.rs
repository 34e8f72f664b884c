//! The porch: arguments, decisions, printing, exit codes, progress, time.
//!
//! In reading order: [`args`] is what was typed, [`decide`] what it means; then one file a command:
//! [`diff`], [`show`], [`check`], [`profiles`], [`generate`]. [`exit`] names the exit codes, [`lanes`], [`size`] and
//! [`output`] read single values, [`labels`] names the two sides, [`terminal`] looks at the surroundings,
//! [`begin`] reads a lone log's header, `place` finds what `show` is asked for, [`progress`] tells how far work is, `talk` speaks on standard error.

pub mod args;
pub mod begin;
pub mod check;
pub mod decide;
pub mod diff;
pub mod exit;
pub mod generate;
pub mod labels;
pub mod lanes;
pub mod output;
mod place;
pub mod profiles;
pub mod progress;
pub mod show;
pub mod size;
mod talk;
pub mod terminal;

pub use args::Args;
pub use exit::Exit;
pub use talk::{complain, tell};

use args::Command;

/// Does what the arguments ask for.
///
/// # Errors
/// Anything that is trouble (exit code 2), told in one sentence.
pub fn run(args: Args) -> anyhow::Result<Exit> {
    // Where the guard cannot be installed, logs are read plainly instead of mapped.
    let _ = crate::source::install_guard();
    match args.command {
        Command::Diff(args) => diff::run(*args),
        Command::Show(args) => show::run(*args),
        Command::Check(args) => check::run(*args),
        Command::Profile(args) => profiles::run(*args),
        Command::Generate(args) => generate::run(&args),
    }
}
