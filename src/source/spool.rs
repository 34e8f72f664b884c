//! The spool of a stream: an unlinked temporary file in which each byte lies at the offset it has in
//! the stream. The file has holes where nothing was kept, so its size on disk is what it holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::SourceError;

/// Bytes of one stream, kept for a second reading.
pub(super) struct Spool {
    /// The stream, for messages.
    path: PathBuf,
    limit: u64,
    file: OnceLock<File>,
    held: Mutex<Held>,
}

impl Spool {
    pub(super) fn new(path: PathBuf, limit: u64) -> Spool {
        Spool { path, limit, file: OnceLock::new(), held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self, error: io::Error) -> SourceError {
        SourceError::Spool { path: self.path.clone(), folder: std::env::temp_dir(), error }
    }

    /// The error of a stream that cannot be read on.
    pub(super) fn unread(&self, at: Option<u64>, error: io::Error) -> SourceError {
        SourceError::Read { path: self.path.clone(), at, error }
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        // Two threads may both come here: the second file is dropped, nothing was written to it yet.
        let file = tempfile::tempfile()?;
        Ok(self.file.get_or_init(|| file))
    }

    /// Writes what is not held yet. Different threads never write the same bytes at the same time.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), SourceError> {
        let missing = self.held().missing(offset, offset + bytes.len() as u64);
        for (start, end) in missing {
            if self.held().total + (end - start) > self.limit {
                let (path, folder) = (self.path.clone(), std::env::temp_dir());
                return Err(SourceError::SpoolFull { path, folder, limit: self.limit });
            }
            let part = &bytes[(start - offset) as usize..(end - offset) as usize];
            self.file().and_then(|file| file.write_all_at(part, start)).map_err(|error| self.trouble(error))?;
            self.held().add(start, end);
        }
        Ok(())
    }

    /// Appends a held range to `into`.
    pub(super) fn read(&self, offset: u64, len: usize, into: &mut Vec<u8>) -> Result<(), SourceError> {
        if !self.held().missing(offset, offset + len as u64).is_empty() {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "bytes that were not retained were asked for");
            return Err(self.trouble(error));
        }
        let start = into.len();
        into.try_reserve(len).map_err(|error| self.trouble(io::Error::new(io::ErrorKind::OutOfMemory, error)))?;
        into.resize(start + len, 0);
        self.file().and_then(|file| file.read_exact_at(&mut into[start..], offset)).map_err(|error| self.trouble(error))
    }

    /// Gives the room of a range back.
    pub(super) fn release(&self, offset: u64, end: u64) {
        if !self.held().remove(offset, end) {
            return;
        }
        #[cfg(target_os = "linux")]
        if let Some(file) = self.file.get() {
            use rustix::fs::FallocateFlags as Flags;
            // Where the file system cannot punch holes the room comes back with the end of the spool.
            let _ = rustix::fs::fallocate(file, Flags::PUNCH_HOLE | Flags::KEEP_SIZE, offset, end - offset);
        }
    }

    /// Whether any byte of a range is held.
    pub(super) fn holds_any(&self, start: u64, end: u64) -> bool {
        let held = self.held();
        held.total > 0 && held.missing(start, end) != [(start, end)]
    }

    /// Bytes held now.
    pub(super) fn len(&self) -> u64 {
        self.held().total
    }
}

/// Which ranges are held: start → end, apart from each other.
#[derive(Default)]
struct Held {
    ranges: BTreeMap<u64, u64>,
    total: u64,
}

impl Held {
    /// Parts of a range that are not held, in order.
    fn missing(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        let mut here = start;
        let before = self.ranges.range(..=start).next_back();
        for (&from, &to) in before.into_iter().chain(self.ranges.range(start + 1..end.max(start + 1))) {
            if from > here {
                missing.push((here, from));
            }
            here = here.max(to);
        }
        if here < end {
            missing.push((here, end));
        }
        missing
    }

    /// Adds a range of which nothing is held, joining it with its neighbours.
    fn add(&mut self, mut start: u64, mut end: u64) {
        self.total += end - start;
        if let Some((&from, &to)) = self.ranges.range(..=start).next_back()
            && to == start
        {
            self.ranges.remove(&from);
            start = from;
        }
        if let Some(to) = self.ranges.remove(&end) {
            end = to;
        }
        self.ranges.insert(start, end);
    }

    /// Removes a range; tells whether any of it was held.
    fn remove(&mut self, start: u64, end: u64) -> bool {
        let before = self.ranges.range(..start).next_back();
        let touched: Vec<(u64, u64)> = before
            .into_iter()
            .chain(self.ranges.range(start..end))
            .map(|(&from, &to)| (from, to))
            .filter(|&(_, to)| to > start)
            .collect();
        for &(from, to) in &touched {
            self.ranges.remove(&from);
            if from < start {
                self.ranges.insert(from, start);
            }
            if to > end {
                self.ranges.insert(end, to);
            }
            self.total -= to.min(end) - from.max(start);
        }
        !touched.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_ranges_join_and_part() {
        let mut held = Held::default();
        held.add(10, 20);
        held.add(30, 40);
        assert_eq!(held.missing(0, 50), [(0, 10), (20, 30), (40, 50)]);
        held.add(20, 30);
        assert_eq!(held.ranges.len(), 1);
        assert_eq!(held.missing(15, 25), []);
        assert!(held.remove(12, 15));
        assert_eq!(held.missing(10, 40), [(12, 15)]);
        assert_eq!(held.total, 27);
        assert!(!held.remove(12, 15));
        assert_eq!(held.missing(12, 12), []);
    }

    #[test]
    fn bytes_come_back_across_writes_and_not_after_release() {
        let spool = Spool::new("pipe".into(), 1 << 20);
        spool.write(1000, b"hello ").unwrap();
        spool.write(1006, b"world").unwrap();
        spool.write(1000, b"hello world").unwrap();
        assert_eq!(spool.len(), 11);
        let mut bytes = b"> ".to_vec();
        spool.read(1004, 5, &mut bytes).unwrap();
        assert_eq!(bytes, b"> o wor");
        spool.release(1000, 1002);
        assert!(spool.read(1000, 5, &mut bytes).is_err());
        assert_eq!(spool.len(), 9);
    }

    #[test]
    fn the_limit_is_an_error_with_the_path_in_it() {
        let spool = Spool::new("ref.fifo".into(), 10);
        spool.write(0, b"12345678").unwrap();
        let error = spool.write(8, b"abc").unwrap_err();
        let folder = std::env::temp_dir();
        assert_eq!(
            error.to_string(),
            format!(
                "failed to spool ref.fifo: more than the limit of 10 bytes would have to be kept in {}; \
                 raise it with --spool-limit SIZE (TMPDIR moves the spool)",
                folder.display()
            )
        );
    }
}
