//! From a command to the file that does it.

use super::args::{EpisodeArgs, EpisodeCommand};
use super::{compare, emit, list, show};
use crate::cli::Exit;

/// Does what was asked.
///
/// # Errors
/// Anything that is trouble, told in one sentence.
pub fn run(args: EpisodeArgs) -> anyhow::Result<Exit> {
    match args.command {
        EpisodeCommand::Show(args) => show::run(&args),
        EpisodeCommand::List(args) => list::run(&args),
        EpisodeCommand::Diff(args) => compare::run(&args),
        EpisodeCommand::Emit(args) => emit::run(args),
    }
}
