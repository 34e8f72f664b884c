//! Windows: byte ranges of a log that hold whole lines.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, Weak};

use super::mapped::Stretch;
use super::pool::Pool;

/// Shared bytes of a log: mapped or owned, alive as long as anybody holds them.
///
/// Mapped bytes of a file that is cut short turn into zeros while they are read (see the fault
/// guard): never trust them to stay what they were.
#[derive(Clone)]
pub struct Bytes {
    holder: Holder,
    start: usize,
    end: usize,
}

#[derive(Clone)]
enum Holder {
    Owned(Arc<Owned>),
    Mapped(Arc<Stretch>),
}

/// Owned bytes; those of a pool go back there in the end.
pub(super) struct Owned {
    bytes: Vec<u8>,
    pool: Option<Arc<Pool>>,
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.give(std::mem::take(&mut self.bytes));
        }
    }
}

impl Bytes {
    /// A part of these bytes, sharing their memory.
    ///
    /// # Panics
    /// The range reaches past the end.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        assert!(range.start <= range.end && range.end <= self.end - self.start, "range past the end of the bytes");
        Bytes { holder: self.holder.clone(), start: self.start + range.start, end: self.start + range.end }
    }

    /// Whether these bytes are a mapped part of a file.
    pub fn is_mapped(&self) -> bool {
        matches!(self.holder, Holder::Mapped(_))
    }

    /// Bytes in a block of a pool. Few bytes do not hold on to a whole block.
    pub(super) fn pooled(bytes: Vec<u8>, pool: &Arc<Pool>) -> Bytes {
        let pool = Some(Arc::clone(pool));
        if bytes.len() < bytes.capacity() / 2 {
            let few = bytes.to_vec();
            drop(Owned { bytes, pool });
            return few.into();
        }
        let end = bytes.len();
        Bytes { holder: Holder::Owned(Arc::new(Owned { bytes, pool })), start: 0, end }
    }

    /// Tells later whether anybody still holds these (owned) bytes.
    pub(super) fn watch(&self) -> Weak<Owned> {
        match &self.holder {
            Holder::Owned(bytes) => Arc::downgrade(bytes),
            Holder::Mapped(_) => Weak::new(),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        let whole: &[u8] = match &self.holder {
            Holder::Owned(owned) => &owned.bytes,
            Holder::Mapped(stretch) => stretch,
        };
        &whole[self.start..self.end]
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        let end = bytes.len();
        Bytes { holder: Holder::Owned(Arc::new(Owned { bytes, pool: None })), start: 0, end }
    }
}

impl From<Stretch> for Bytes {
    fn from(stretch: Stretch) -> Bytes {
        let end = stretch.len();
        Bytes { holder: Holder::Mapped(Arc::new(stretch)), start: 0, end }
    }
}

impl Default for Bytes {
    fn default() -> Bytes {
        Vec::new().into()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} bytes", self.len(), if self.is_mapped() { "mapped" } else { "owned" })
    }
}

/// A byte range of a log. Its bytes are whole lines, each with its line feed; only the log's
/// very last line may lack one.
#[derive(Clone, Debug)]
pub struct Window {
    /// Offset of the first byte in the (decompressed) log.
    pub offset: u64,
    /// The lines.
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
