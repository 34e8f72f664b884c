//! From a command to the file that does it.

use super::args::{SnapshotArgs, SnapshotCommand};
use super::{compare, keep, look};
use crate::cli::Exit;

/// Does what was asked.
///
/// # Errors
/// Anything that is trouble, told in one sentence.
pub fn run(args: SnapshotArgs) -> anyhow::Result<Exit> {
    match args.command {
        SnapshotCommand::Save(args) => keep::save(*args),
        SnapshotCommand::Load(args) => keep::load(&args),
        SnapshotCommand::Rebase { base, diffs, output, jobs } => keep::rebase(&base, &diffs, &output, jobs),
        SnapshotCommand::Describe { file, format } => look::describe(&file, format),
        SnapshotCommand::Verify { file, memory, jobs } => look::verify(&file, memory.as_deref(), jobs),
        SnapshotCommand::Diff(args) => compare::run(*args),
    }
}
