//! A full snapshot and the diffs that follow it: one memory.

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::bitmap::DirtyBitmap;
use super::error::SnapshotError;
use super::header::SnapshotKind;
use super::load::{Opened, open};
use super::memory::runs;
use super::pages::PageReader;
use super::sums::CHUNK;
use super::verify::damaged_chunks;
use crate::disk::Volume;

/// A full snapshot and the diffs that follow it, each onto the one before; read as a memory, it is the last one's.
#[derive(Debug)]
pub struct Chain(Vec<(PathBuf, Opened)>);

impl Chain {
    /// Opens and verifies a full snapshot and diffs.
    ///
    /// # Errors
    /// One of them is damaged, the first is no full one, another is no diff, does not follow the one before, or is of another memory.
    pub fn open(volume: &dyn Volume, base: &Path, diffs: &[PathBuf]) -> Result<Chain, SnapshotError> {
        let mut chain = Chain(Vec::new());
        for path in std::iter::once(base).chain(diffs.iter().map(PathBuf::as_path)) {
            let opened = open(volume, path, None).map_err(|error| wrong(path, error.to_string()))?;
            chain.fits(path, &opened)?;
            if let Some(first) = damaged_chunks(&opened)?.first() {
                let memory = opened.memory.path.display();
                let why = format!("its memory {memory} is damaged at bytes {} to {}", first.start, first.end);
                return Err(wrong(path, why));
            }
            chain.0.push((path.to_owned(), opened));
        }
        Ok(chain)
    }

    /// The last snapshot.
    pub fn last(&self) -> &Opened {
        &self.0[self.0.len() - 1].1
    }

    /// All files that it is read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flat_map(|(state, opened)| [state.as_path(), opened.memory.path.as_path()])
    }

    /// The pages in which another memory differs from this one.
    ///
    /// # Errors
    /// A page's size that is none, or one of the two cannot be read.
    pub fn changed(&self, memory: &dyn PageReader, page: u64) -> Result<DirtyBitmap, SnapshotError> {
        let (start, ram) = (self.last().body.ram_start, self.last().header.memory_length);
        let dirty = DirtyBitmap::new(start, ram, page)?;
        (0..ram.div_ceil(CHUNK)).into_par_iter().try_for_each_init(
            || [Vec::new(), Vec::new()],
            |blocks, chunk| {
                let at = chunk * CHUNK;
                let length = CHUNK.min(ram - at) as usize;
                blocks.iter_mut().for_each(|block| block.resize(length, 0));
                self.read_at(at, &mut blocks[0]).map_err(SnapshotError::MemoryIo)?;
                memory.read_at(at, &mut blocks[1]).map_err(SnapshotError::MemoryIo)?;
                let [old, new] = &*blocks;
                if old != new {
                    // Pages and chunks are powers of two: the smaller lies whole in the larger.
                    let step = page.min(CHUNK) as usize;
                    for (nth, (old, new)) in old.chunks(step).zip(new.chunks(step)).enumerate() {
                        if old != new {
                            dirty.set_dirty_by_index((at + (nth * step) as u64) / page);
                        }
                    }
                }
                Ok::<(), SnapshotError>(())
            },
        )?;
        Ok(dirty)
    }

    /// Whether a snapshot follows what is there so far.
    fn fits(&self, path: &Path, next: &Opened) -> Result<(), SnapshotError> {
        let ([(base, first), ..], [.., (before, last)]) = (&*self.0, &*self.0) else {
            return match next.header.kind {
                SnapshotKind::Full => Ok(()),
                SnapshotKind::Diff => Err(wrong(path, "is a diff: a chain begins with a full snapshot".to_owned())),
            };
        };
        if next.header.kind == SnapshotKind::Full {
            return Err(wrong(path, "is a full snapshot: only diffs follow the first".to_owned()));
        }
        match next.header.parent {
            Some(parent) if parent != last.header.id => {
                let why = format!("goes onto snapshot {parent}, and {} is {}", before.display(), last.header.id);
                return Err(wrong(path, why));
            }
            // One that names none goes onto a base that is named, and onto nothing else.
            None if self.0.len() > 1 => {
                let why = format!("names no parent: it goes onto a full snapshot, not onto {}", before.display());
                return Err(wrong(path, why));
            }
            _ => {}
        }
        let memory = |one: &Opened| (one.body.ram_start, one.header.memory_length);
        if memory(first) == memory(next) {
            Ok(())
        } else {
            let told = |one: &Opened| format!("{} bytes from {:#x}", one.header.memory_length, one.body.ram_start);
            Err(wrong(path, format!("is of {}, and {} of {}", told(next), base.display(), told(first))))
        }
    }
}

impl PageReader for Chain {
    fn read_at(&self, offset: u64, block: &mut [u8]) -> io::Result<()> {
        let end = offset + block.len() as u64;
        for (_, layer) in &self.0 {
            let Some(dirty) = &layer.body.dirty else {
                layer.memory.file.read_at(block, offset)?;
                continue;
            };
            let page = layer.header.page_size;
            for run in runs(offset / page..end.div_ceil(page), |page| dirty.has(page)) {
                let (from, to) = ((run.start * page).max(offset), run.end.saturating_mul(page).min(end));
                let part = &mut block[(from - offset) as usize..(to - offset) as usize];
                layer.memory.file.read_at(part, from)?;
            }
        }
        Ok(())
    }
}

pub(super) fn wrong(path: &Path, why: String) -> SnapshotError {
    SnapshotError::Chain { path: path.to_owned(), why }
}
