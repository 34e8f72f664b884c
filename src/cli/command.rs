//! From a command to the file that does it.

use super::args::{Args, Command};
use super::{
    Exit, audit, check, diff, episode, generate, interrupt, no_memory, profiles, record, show, snapshot, state,
};
use crate::source::{has_headroom, install_guard};

/// Memory without which nothing is begun, in bytes.
const START_MEMORY: usize = 12 << 20;

/// Does what the arguments ask for.
///
/// # Errors
/// Anything that is trouble (exit code 2), told in one sentence.
pub fn run(args: Args) -> anyhow::Result<Exit> {
    if !has_headroom(START_MEMORY) {
        return Err(no_memory());
    }
    let args = match args.command {
        // It brings its episode to an end when it is asked to end.
        Command::Record(args) => return record::run(*args),
        command => command,
    };
    interrupt::watch();
    // Where the guard cannot be installed, logs are read plainly instead of mapped.
    let _ = install_guard();
    match args {
        Command::Diff(args) => diff::run(*args),
        Command::Show(args) => show::run(*args),
        Command::Check(args) => check::run(*args),
        Command::Audit(args) => audit::run(*args),
        Command::State(args) => state::run(*args),
        Command::Snapshot(args) => snapshot::run(*args),
        Command::Record(args) => record::run(*args),
        Command::Episode(args) => episode::run(*args),
        Command::Profile(args) => profiles::run(*args),
        Command::Generate(args) => generate::run(&args),
    }
}
