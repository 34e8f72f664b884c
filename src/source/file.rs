//! A regular file, read from front to end in windows, and anywhere again.

use std::fs::File;
use std::io;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::Advice;

use super::mapped::{Mapping, Stretch};
use super::walk::Walk;
use super::watch::Watch;
use super::{Bytes, OpenOptions, SourceError, Window, headroom};

/// What the windows share of a mapped file, in bytes: its pages are given back together. Counting
/// the lines of 2 GB in stretches of one map took 0.04 s on two cores, in maps of this size 0.06 s.
const STRETCH_BYTES: usize = 4 << 20;
/// What is read at once, in bytes, if windows are smaller.
const READ_BYTES: usize = 64 << 10;

/// Address space that must be left beside a mapped file, in bytes.
const BESIDE_MAP_BYTES: usize = 32 << 20;

/// An open regular file.
pub(super) struct FileLog {
    file: File,
    pub(super) watch: Watch,
    walk: Walk,
    mapping: Option<Arc<Mapping>>,
    block: Block,
}

/// The part of the file that was fetched last; windows are slices of it.
#[derive(Default)]
struct Block {
    offset: u64,
    bytes: Bytes,
}

impl FileLog {
    pub(super) fn new(file: File, watch: Watch, options: &OpenOptions) -> FileLog {
        let walk = Walk::new(watch.len(), options);
        let mapped = options.mapped && super::guard::is_installed() && watch.len() > 0;
        let mapping = mapped.then(|| Mapping::new(&file, watch.len(), &watch.fault)).flatten();
        // Under a limit on address space a map must not take what the work needs.
        let mapping = mapping.filter(|_| headroom::has_headroom(BESIDE_MAP_BYTES));
        // A hint for files not in the page cache; nothing is lost where it is refused.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        FileLog { file, watch, walk, mapping, block: Block::default() }
    }

    pub(super) fn position(&self) -> u64 {
        self.walk.position
    }

    pub(super) fn next_window(&mut self) -> Result<Option<Window>, SourceError> {
        self.watch.check_fault(&self.file)?;
        let FileLog { file, watch, walk, mapping, block } = self;
        let window = walk.next(|offset, len| block.fetch(file, watch, mapping.as_ref(), offset, len))?;
        if window.is_none() {
            *block = Block::default();
        }
        // Looking for the cut touched mapped bytes: what the guard covered is not handed out.
        self.watch.check_fault(&self.file)?;
        Ok(window)
    }

    pub(super) fn reread(&self, offset: u64, len: usize) -> Result<Bytes, SourceError> {
        self.watch.check_fault(&self.file)?;
        if offset.checked_add(len as u64).is_none_or(|end| end > self.watch.len()) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "a range past the end was asked for");
            return Err(SourceError::Read { path: self.watch.path().to_owned(), at: Some(offset), error });
        }
        read_plainly(&self.file, &self.watch, offset, len)
    }

    pub(super) fn check(&self) -> Result<(), SourceError> {
        self.watch.check(&self.file).map(drop)
    }

    pub(super) fn finish(&self) -> Result<Option<String>, SourceError> {
        self.watch.finish(&self.file, "")
    }
}

impl Block {
    /// A range of the file, from this block or, with what follows it, from the next.
    fn fetch(
        &mut self,
        file: &File,
        watch: &Watch,
        mapping: Option<&Arc<Mapping>>,
        offset: u64,
        len: usize,
    ) -> Result<Bytes, SourceError> {
        let within = usize::try_from(offset.wrapping_sub(self.offset)).unwrap_or(usize::MAX);
        if within.checked_add(len).is_some_and(|end| end <= self.bytes.len()) {
            return Ok(self.bytes.slice(within..within + len));
        }
        // Before the next one is fetched: never two at a time for the log's own sake.
        *self = Block::default();
        let left = usize::try_from(watch.len() - offset).unwrap_or(usize::MAX);
        self.bytes = match mapping {
            Some(mapping) => {
                let start = offset as usize;
                Stretch::new(mapping, start..start + len.max(STRETCH_BYTES).min(left)).into()
            }
            None => read_plainly(file, watch, offset, len.max(READ_BYTES).min(left))?,
        };
        self.offset = offset;
        Ok(self.bytes.slice(0..len))
    }
}

/// Reads a range that the file had at open; less is a change of the file.
fn read_plainly(file: &File, watch: &Watch, offset: u64, len: usize) -> Result<Bytes, SourceError> {
    let trouble = |at, error| SourceError::Read { path: watch.path().to_owned(), at: Some(at), error };
    let mut bytes = headroom::buffer(len).map_err(|error| trouble(offset, error))?;
    while bytes.len() < len {
        let here = offset + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), here) {
            Ok(0) => return Err(watch.short(file)),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(trouble(here, error.into())),
        }
    }
    // The allocator may have given more room than was asked for.
    bytes.truncate(len);
    Ok(bytes.into())
}
