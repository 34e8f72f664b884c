//! What a regular file was at open, and whether it still is.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::SourceError;
use super::error::Change;
use super::log::shown;

/// Bytes at the front and at the back that a grown file must still have.
const SAMPLE_BYTES: u64 = 4096;

/// Watches one open regular file. Times have nanoseconds, but file systems before Linux 6.13 move
/// them in ticks of some milliseconds: a rewrite within the tick of the open is not seen.
pub(super) struct Watch {
    path: PathBuf,
    at_open: Metadata,
    /// Whether the path is a name that it may lose.
    has_name: bool,
    front: Vec<u8>,
    back: Vec<u8>,
    /// Raised by the fault guard, when a mapped page was gone.
    pub(super) fault: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn new(path: &Path, file: &File, at_open: Metadata) -> Result<Watch, SourceError> {
        let (path, has_name) = (shown(path).to_owned(), shown(path) == path);
        let (front, back, fault) = (Vec::new(), Vec::new(), Arc::default());
        let mut watch = Watch { path, at_open, has_name, front, back, fault };
        let sampled =
            watch.samples(file).map_err(|error| SourceError::Read { path: watch.path.clone(), at: None, error })?;
        (watch.front, watch.back) = sampled;
        Ok(watch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.at_open.len()
    }

    pub(super) fn identity(&self) -> (u64, u64) {
        (self.at_open.dev(), self.at_open.ino())
    }

    fn changed(&self, change: Change) -> SourceError {
        SourceError::Changed { path: self.path.clone(), change }
    }

    /// The first and the last bytes of what there was at open.
    fn samples(&self, file: &File) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let len = self.len().min(SAMPLE_BYTES);
        let sample = |offset| {
            let mut bytes = vec![0; len as usize];
            let mut have = 0;
            while have < bytes.len() {
                match file.read_at(&mut bytes[have..], offset + have as u64) {
                    Ok(0) => break,
                    Ok(more) => have += more,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            bytes.truncate(have);
            Ok(bytes)
        };
        Ok((sample(0)?, sample(self.len() - len)?))
    }

    /// What a read that came up short, or a raised flag, means.
    pub(super) fn short(&self, file: &File) -> SourceError {
        let to = file.metadata().map_or(self.len(), |now| now.len());
        match to < self.len() {
            true => self.changed(Change::Shrank { from: self.len(), to }),
            false => self.changed(Change::Unreadable { len: self.len() }),
        }
    }

    /// Whether the guard met a missing page: one look at a flag.
    pub(super) fn check_fault(&self, file: &File) -> Result<(), SourceError> {
        match self.fault.load(Ordering::Acquire) {
            true => Err(self.short(file)),
            false => Ok(()),
        }
    }

    /// Whether the file is still what it was, or more of it: the flag and one system call.
    pub(super) fn check(&self, file: &File) -> Result<Metadata, SourceError> {
        self.check_fault(file)?;
        let now = file.metadata().map_err(|error| SourceError::Read { path: self.path.clone(), at: None, error })?;
        let (from, to) = (self.len(), now.len());
        if to < from {
            return Err(self.changed(Change::Shrank { from, to }));
        }
        if to == from && self.is_rewritten(&now) {
            return Err(self.changed(Change::Rewritten));
        }
        Ok(now)
    }

    /// Judged by the times. The change time alone also moves when a file is renamed, linked or given
    /// other permissions: where such a reason shows, or cannot show, the content is taken to be the same.
    fn is_rewritten(&self, now: &Metadata) -> bool {
        let then = &self.at_open;
        let modified = (then.mtime(), then.mtime_nsec()) != (now.mtime(), now.mtime_nsec());
        let touched = (then.ctime(), then.ctime_nsec()) != (now.ctime(), now.ctime_nsec());
        let explained = (then.nlink(), then.mode(), then.uid(), then.gid())
            != (now.nlink(), now.mode(), now.uid(), now.gid())
            || !self.has_name
            || self.is_moved();
        modified || (touched && !explained)
    }

    /// Whether the path leads to another file, or to none, by now.
    fn is_moved(&self) -> bool {
        self.has_name
            && std::fs::metadata(&self.path).map_or(true, |found| (found.dev(), found.ino()) != self.identity())
    }

    /// The last look: an error if the file changed, a note if it only grew or lost its name. `of` is added to the
    /// byte up to which it was read.
    pub(super) fn finish(&self, file: &File, of: &str) -> Result<Option<String>, SourceError> {
        let now = self.check(file)?;
        let path = self.path.display();
        let mut notes = Vec::new();
        if now.len() > self.len() {
            let samples =
                self.samples(file).map_err(|error| SourceError::Read { path: self.path.clone(), at: None, error })?;
            if (&samples.0, &samples.1) != (&self.front, &self.back) {
                return Err(self.changed(Change::Rewritten));
            }
            notes.push(format!("{path} grew while it was read; compared up to byte {}{of}", self.len()));
        }
        if self.is_moved() {
            notes.push(format!("{path} names another file or none by now; the one first opened was read"));
        }
        Ok((!notes.is_empty()).then(|| notes.join("\n")))
    }
}
