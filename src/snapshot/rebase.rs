//! Puts diffs onto the snapshot that they follow.

use std::path::{Path, PathBuf};

use super::chain::{Chain, wrong};
use super::error::SnapshotError;
use super::header::SnapshotKind;
use super::save::{SaveOptions, SaveReport, SaveRequest, save_on};
use crate::disk::{Volume, same_target};

/// What is put together, and where to.
#[derive(Clone, Debug)]
pub struct RebaseRequest<'a> {
    /// The full snapshot that all begins with.
    pub base: &'a Path,
    /// Diffs, each of which follows the one before.
    pub diffs: &'a [PathBuf],
    /// The new pair's state file.
    pub state_path: &'a Path,
    /// The new pair's memory file.
    pub memory_path: &'a Path,
}

/// Makes one full snapshot of a full one and the diffs that follow it. All are verified first. The new one has the state, position and metadata of the last.
///
/// # Errors
/// They are no [`Chain`], the new pair would be written over one of them, or it cannot be saved.
pub fn rebase(volume: &dyn Volume, request: &RebaseRequest) -> Result<SaveReport, SnapshotError> {
    let chain = Chain::open(volume, request.base, request.diffs)?;
    for target in [request.state_path, request.memory_path] {
        if let Some(file) = chain.files().find(|file| same_target(target, file)) {
            return Err(wrong(file, format!("{} would be written over it", target.display())));
        }
    }
    let last = chain.last();
    let options = SaveOptions {
        parent: None,
        position: last.body.position.clone(),
        metadata: last.body.metadata.clone(),
        ram_start: Some(last.body.ram_start),
    };
    let request = SaveRequest {
        state_path: request.state_path,
        memory_path: request.memory_path,
        kind: SnapshotKind::Full,
        state: last.body.contents.clone(),
        memory: &chain,
        ram_size: last.header.memory_length,
        memory_page_size: last.header.page_size,
        dirty: None,
    };
    save_on(volume, request, options)
}
