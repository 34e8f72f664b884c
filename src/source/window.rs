//! Windows: byte ranges of a log that hold whole lines.

use std::ops::Deref;
use std::sync::Arc;

/// Shared bytes of a log: mapped or owned, alive as long as anybody holds them.
#[derive(Clone)]
pub struct Bytes(Arc<Vec<u8>>);

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(Arc::new(bytes))
    }
}

/// A byte range of a log. Its bytes are whole lines, each with its line feed; only the log's
/// very last line may lack one.
#[derive(Clone)]
pub struct Window {
    /// Offset of the first byte in the (decompressed) log.
    pub offset: u64,
    pub bytes: Bytes,
    /// Set where this window stands for one line over the limit: `bytes` is then empty.
    pub overlong: Option<Overlong>,
}

/// A line longer than `max_line_bytes`, stepped over without being held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlong {
    /// Bytes of the line, its line feed included if it has one.
    pub len: u64,
    /// Whether a line feed ended it.
    pub terminated: bool,
}
