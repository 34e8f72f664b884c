//! A log being read (placeholder signatures).

use std::io;
use std::path::{Path, PathBuf};

use super::{Bytes, Window};

/// How a log is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Aimed size of a window in bytes; a longer line makes a longer window.
    pub window_bytes: usize,
    /// Map regular files (only once the fault guard is installed); else plain reads.
    pub mapped: bool,
    /// Longer lines are stepped over without being held.
    pub max_line_bytes: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions { window_bytes: 1 << 20, mapped: true, max_line_bytes: 64 << 20 }
    }
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("failed to open {path}: {error}")]
    Open { path: PathBuf, error: io::Error },
}

/// One log, read once from front to end.
pub struct Log {
    bytes: Bytes,
    given: bool,
}

impl Log {
    /// Opens a path; `-` is standard input.
    ///
    /// # Errors
    /// The path cannot be opened or is a directory.
    pub fn open(path: &Path, _options: &OpenOptions) -> Result<Log, SourceError> {
        let bytes = std::fs::read(path).map_err(|error| SourceError::Open { path: path.into(), error })?;
        Ok(Log { bytes: bytes.into(), given: false })
    }

    /// The next window in file order, `None` at the end. Blocks on a stream.
    ///
    /// # Errors
    /// The log cannot be read, or changed while it was read.
    pub fn next_window(&mut self) -> Result<Option<Window>, SourceError> {
        if std::mem::replace(&mut self.given, true) || self.bytes.is_empty() {
            return Ok(None);
        }
        Ok(Some(Window { offset: 0, bytes: self.bytes.clone(), overlong: None }))
    }

    /// Makes sure that the window's bytes can be read again once nobody holds them.
    ///
    /// # Errors
    /// The spool cannot be written.
    pub fn retain(&mut self, _window: &Window) -> Result<(), SourceError> {
        Ok(())
    }

    /// Whether the log is a stream.
    pub fn is_stream(&self) -> bool {
        false
    }

    /// The error of a log whose lines are not what they were.
    pub fn changed(&self) -> SourceError {
        SourceError::Open { path: "x".into(), error: io::Error::other("changed") }
    }

    /// Looks whether the log changed.
    ///
    /// # Errors
    /// It changed.
    pub fn finish(&mut self) -> Result<Option<String>, SourceError> {
        Ok(None)
    }

    /// Bytes so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes of a retained window (or any part of one) again.
    ///
    /// # Errors
    /// The file or spool cannot be read, or the file changed.
    pub fn reread(&self, offset: u64, len: usize) -> Result<Bytes, SourceError> {
        Ok(self.bytes[offset as usize..offset as usize + len].to_vec().into())
    }
}
