//! Takes a memory out of a snapshot.

use std::path::Path;

use super::error::SnapshotError;
use super::load::Opened;
use super::memory;
use super::writer::{Aside, folder, name, remove_stale};
use crate::disk::Volume;

/// Writes the memory of a snapshot into a file of its own, whole or not at all; what is zero is a hole there. Its checksums are taken on the way.
///
/// # Errors
/// It is a diff, its bytes are not those that were saved, or the file cannot be written.
pub fn extract_memory(volume: &dyn Volume, opened: &Opened, to: &Path) -> Result<(), SnapshotError> {
    opened.is_whole()?;
    name(to)?;
    let folder = folder(to);
    let aside = {
        let _held = volume.hold_folder(folder)?;
        remove_stale(volume, to)?;
        Aside::new(volume, to)?
    };
    let (length, page) = (opened.header.memory_length, opened.header.page_size);
    let written = memory::write(&*aside.file, &opened.memory, length, page, None)?;
    if written.sums != opened.body.sums {
        let path = opened.memory.path.clone();
        return Err(SnapshotError::Memory { path, why: "its bytes are not those that were saved".to_owned() });
    }
    aside.file.sync().map_err(SnapshotError::MemoryIo)?;
    aside.put()?;
    Ok(volume.sync_folder(folder)?)
}
