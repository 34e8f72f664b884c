//! From a command to the file that does it.

use super::args::{Args, Command};
use super::{Exit, check, diff, generate, profiles, show};

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
