//! Memory files: byte i is the byte i of RAM, without a header; what is not there is a hole.

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::dirty::DirtyPages;
use super::error::SnapshotError;
use super::pages::PageReader;
use super::sums::{CHUNK, Sums};
use crate::disk::VolumeFile;

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Of all chunks.
    pub sums: Sums,
    /// Pages that are no holes; of a diff, all that it holds.
    pub pages: u64,
}

/// What one worker wrote of a chunk.
struct ChunkWritten {
    sum: u32,
    pages: u64,
    first: Option<u64>,
    last: Option<u64>,
}

/// Writes memory of `ram` bytes into a new file, all of it or some pages, each chunk on any worker. Pages of zeros are left as holes.
pub(super) fn write(
    to: &dyn VolumeFile,
    from: &dyn PageReader,
    ram: u64,
    page: u64,
    wanted: Option<&DirtyPages>,
) -> Result<Written, SnapshotError> {
    to.set_length(ram).map_err(SnapshotError::MemoryIo)?;
    let memory = MemoryWriter { to, from, page, wanted };
    let chunks: Vec<ChunkWritten> = (0..ram.div_ceil(CHUNK))
        .into_par_iter()
        .map_init(Vec::new, |block, chunk| memory.chunk(chunk * CHUNK..((chunk + 1) * CHUNK).min(ram), block))
        .collect::<Result<_, _>>()?;
    let mut pages = 0;
    let mut last = None;
    for chunk in &chunks {
        // A page that lies in two chunks is counted in both.
        pages += chunk.pages - u64::from(chunk.first.is_some() && chunk.first == last);
        last = chunk.last.or(last);
    }
    let pages = wanted.map_or(pages, DirtyPages::count);
    Ok(Written { sums: Sums::new(chunks.iter().map(|chunk| chunk.sum)), pages })
}

struct MemoryWriter<'m> {
    to: &'m dyn VolumeFile,
    from: &'m dyn PageReader,
    page: u64,
    wanted: Option<&'m DirtyPages>,
}

impl MemoryWriter<'_> {
    fn chunk(&self, chunk: Range<u64>, block: &mut Vec<u8>) -> Result<ChunkWritten, SnapshotError> {
        let length = (chunk.end - chunk.start) as usize;
        let pages = chunk.start / self.page..chunk.end.div_ceil(self.page);
        let mut written = ChunkWritten { sum: 0, pages: 0, first: None, last: None };
        if self.wanted.is_some_and(|wanted| !wanted.any(pages.clone())) {
            written.sum = zeros(length);
            return Ok(written);
        }
        block.resize(length, 0);
        match self.wanted {
            None => self.read(chunk.start, block)?,
            Some(wanted) => {
                block.fill(0);
                for run in runs(pages.clone(), |page| wanted.has(page)) {
                    let run = self.within(run, &chunk);
                    self.read(chunk.start + run.start as u64, &mut block[run])?;
                }
            }
        }
        written.sum = crc32fast::hash(block);
        let holds = |page: u64| !is_zero(&block[self.within(page..page + 1, &chunk)]);
        for run in runs(pages, holds) {
            written.pages += run.end - run.start;
            written.first = written.first.or(Some(run.start));
            written.last = Some(run.end - 1);
            let run = self.within(run, &chunk);
            self.to.write_at(&block[run.clone()], chunk.start + run.start as u64).map_err(SnapshotError::MemoryIo)?;
        }
        Ok(written)
    }

    fn read(&self, at: u64, block: &mut [u8]) -> Result<(), SnapshotError> {
        self.from.read_at(at, block).map_err(SnapshotError::MemoryIo)
    }

    /// What of some pages lies in a chunk, counted from its first byte.
    fn within(&self, pages: Range<u64>, chunk: &Range<u64>) -> Range<usize> {
        let start = (pages.start * self.page).max(chunk.start);
        let end = pages.end.saturating_mul(self.page).min(chunk.end);
        (start - chunk.start) as usize..(end - chunk.start) as usize
    }
}

/// The longest runs of pages of which something is true.
pub(super) fn runs(pages: Range<u64>, is_in: impl Fn(u64) -> bool) -> impl Iterator<Item = Range<u64>> {
    let mut at = pages.start;
    std::iter::from_fn(move || {
        while at < pages.end && !is_in(at) {
            at += 1;
        }
        let start = at;
        while at < pages.end && is_in(at) {
            at += 1;
        }
        (start < at).then_some(start..at)
    })
}

/// Whether a block is nothing but zeros.
pub(super) fn is_zero(block: &[u8]) -> bool {
    block.chunks(64).all(|part| part.iter().fold(0, |all, byte| all | byte) == 0)
}

/// The checksum of so many zeros, at most a chunk.
pub(super) fn zeros(length: usize) -> u32 {
    static WHOLE: OnceLock<u32> = OnceLock::new();
    if length as u64 == CHUNK {
        *WHOLE.get_or_init(|| crc32fast::hash(&vec![0; CHUNK as usize]))
    } else {
        crc32fast::hash(&vec![0; length])
    }
}
