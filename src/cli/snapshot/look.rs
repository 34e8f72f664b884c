//! Describing and verifying.

use std::path::Path;

use anyhow::Context;

use super::args::DescribeFormat;
use crate::cli::size::show_bytes;
use crate::cli::{Exit, output, tell, workers};
use crate::disk::Native;
use crate::report::visible;
use crate::snapshot::{self, SnapshotError};

/// Says what a state file is.
pub(super) fn describe(file: &Path, format: DescribeFormat) -> anyhow::Result<Exit> {
    let shown = || visible(&file.to_string_lossy());
    let told = snapshot::describe(file).with_context(shown)?;
    let text = match format {
        DescribeFormat::Terminal => visible_lines(&told.human()),
        DescribeFormat::Json => serde_json::to_string_pretty(&told)? + "\n",
    };
    output::print(text.as_bytes())?;
    // Whoever wrote it, damaged or not, it is a snapshot.
    Ok(if told.version.is_some() || told.foreign.is_some() { Exit::SAME } else { Exit::TROUBLE })
}

/// Names and texts in a state file may hold anything, but no escape codes for a terminal.
fn visible_lines(text: &str) -> String {
    text.lines().map(|line| visible(line) + "\n").collect()
}

/// Looks at every byte of a pair.
pub(super) fn verify(file: &Path, memory: Option<&Path>, jobs: Option<usize>) -> anyhow::Result<Exit> {
    let shown = visible(&file.to_string_lossy());
    match workers::in_pool(jobs, || snapshot::verify(&Native, file, memory))? {
        Ok(found) if found.damaged.is_empty() => {
            let length = show_bytes(found.header.memory_length);
            let memory = visible(&found.memory.to_string_lossy());
            output::print(
                format!("{shown}: sound: snapshot {}, {length} of memory in {memory}\n", found.header.id).as_bytes(),
            )?;
            Ok(Exit::SAME)
        }
        Ok(found) => {
            let memory = visible(&found.memory.to_string_lossy());
            let lines = found
                .damaged
                .iter()
                .map(|range| format!("{memory}: damaged: bytes {} to {}\n", range.start, range.end));
            output::print(lines.collect::<String>().as_bytes())?;
            Ok(Exit::DIFFERENT)
        }
        Err(error) if is_damage(&error) => {
            output::print(format!("{shown}: damaged: {}\n", visible(&error.to_string())).as_bytes())?;
            tell(&format!("What can still be read of it: forkpoint snapshot describe {shown}"));
            Ok(Exit::DIFFERENT)
        }
        Err(error) => Err(anyhow::Error::from(error).context(shown)),
    }
}

/// Whether the pair is one of ours, and not what was saved.
fn is_damage(error: &SnapshotError) -> bool {
    matches!(
        error,
        SnapshotError::CrcMismatch | SnapshotError::TooShort | SnapshotError::Bitcode(_) | SnapshotError::Memory { .. }
    )
}
