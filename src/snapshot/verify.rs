//! Looks at every byte of a pair.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::SnapshotError;
use super::header::Header;
use super::load::{Opened, open};
use super::memory::zeros;
use super::sums::CHUNK;
use crate::disk::Volume;

/// What a look at every byte found.
#[derive(Debug)]
pub struct Verified {
    /// What the state file says of itself.
    pub header: Header,
    /// The memory file.
    pub memory: PathBuf,
    /// The bytes of the memory file that are not what was saved: by whole chunks, adjoining ones together.
    pub damaged: Vec<Range<u64>>,
}

/// Verifies a pair: the state file by its checksum, and each MiB of the memory file by its own, on as many workers as there are.
///
/// # Errors
/// The state file is damaged or none of ours, or the memory file is not there, has another length, or cannot be read.
pub fn verify(volume: &dyn Volume, path: &Path, memory: Option<&Path>) -> Result<Verified, SnapshotError> {
    let opened = open(volume, path, memory)?;
    let damaged = damaged_chunks(&opened)?;
    Ok(Verified { header: opened.header, memory: opened.memory.path, damaged })
}

/// The bytes of a memory file that are not what was saved.
pub(super) fn damaged_chunks(opened: &Opened) -> Result<Vec<Range<u64>>, SnapshotError> {
    let Opened { header, body, memory } = opened;
    let length = header.memory_length;
    let extents = memory.file.extents().map_err(SnapshotError::MemoryIo)?;
    // What lies in a hole need not be read.
    let holds_data = |chunk: &Range<u64>| {
        let next = extents.partition_point(|extent| extent.end <= chunk.start);
        extents.get(next).is_some_and(|extent| extent.start < chunk.end)
    };
    let is_damaged: Vec<bool> = (0..length.div_ceil(CHUNK))
        .into_par_iter()
        .map_init(Vec::new, |block, at| {
            let chunk = at * CHUNK..((at + 1) * CHUNK).min(length);
            block.resize((chunk.end - chunk.start) as usize, 0);
            let sum = if holds_data(&chunk) {
                memory.file.read_at(block, chunk.start).map_err(SnapshotError::MemoryIo)?;
                crc32fast::hash(block)
            } else {
                zeros(block.len())
            };
            Ok(body.sums.get(at as usize) != Some(sum))
        })
        .collect::<Result<_, SnapshotError>>()?;
    let mut damaged: Vec<Range<u64>> = Vec::new();
    for at in (0..is_damaged.len()).filter(|at| is_damaged[*at]) {
        let chunk = at as u64 * CHUNK..((at as u64 + 1) * CHUNK).min(length);
        match damaged.last_mut() {
            Some(last) if last.end == chunk.start => last.end = chunk.end,
            _ => damaged.push(chunk),
        }
    }
    Ok(damaged)
}
