//! Where the memory of a machine is read from.

use std::fmt;
use std::io;

use crate::disk::VolumeFile;

/// The memory of a machine, read by several threads at a time.
pub trait PageReader: Sync {
    /// Fills a block with the bytes at a place, counted from memory's first.
    ///
    /// # Errors
    /// There are none, or they cannot be had.
    fn read_at(&self, offset: u64, block: &mut [u8]) -> io::Result<()>;
}

/// Memory that is held.
#[derive(Clone)]
pub struct VecPageReader(Vec<u8>);

impl VecPageReader {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> VecPageReader {
        VecPageReader(bytes)
    }
}

impl fmt::Debug for VecPageReader {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "VecPageReader({} bytes)", self.0.len())
    }
}

impl PageReader for VecPageReader {
    fn read_at(&self, offset: u64, block: &mut [u8]) -> io::Result<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|start| self.0.get(start..start.checked_add(block.len())?))
            .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{} bytes at {offset} of {} bytes of memory", block.len(), self.0.len()),
            )
        })?;
        block.copy_from_slice(bytes);
        Ok(())
    }
}

/// Memory that a file holds.
#[derive(Debug)]
pub struct FilePageReader(Box<dyn VolumeFile>);

impl FilePageReader {
    /// This file's bytes.
    pub fn new(file: Box<dyn VolumeFile>) -> FilePageReader {
        FilePageReader(file)
    }
}

impl PageReader for FilePageReader {
    fn read_at(&self, offset: u64, block: &mut [u8]) -> io::Result<()> {
        self.0.read_at(block, offset)
    }
}
