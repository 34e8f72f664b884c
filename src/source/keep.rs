//! Texts kept for the report: in memory up to a limit, then in an unlinked temporary file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::SourceError;
use super::headroom::{append, zeros};

/// What is kept in memory, in bytes.
const MEMORY_BYTES: usize = 16 << 20;
/// What is gathered before it is written to the file, in bytes.
const GATHER_BYTES: usize = 256 << 10;

/// A place in a [`Keep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptText {
    offset: u64,
    len: u32,
}

/// An append-only store of event texts.
///
/// Offsets below the memory's limit lie in memory, the others in the file, behind which what is
/// gathered for the next write stands. No text straddles.
#[derive(Debug, Default)]
pub struct Keep {
    memory: Vec<u8>,
    file: Option<File>,
    written: u64,
    gathered: Vec<u8>,
}

impl Keep {
    /// Stores a text.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn put(&mut self, text: &[u8]) -> Result<KeptText, SourceError> {
        let len = u32::try_from(text.len()).map_err(|_| trouble(io::ErrorKind::FileTooLarge.into()))?;
        if self.memory.len() + text.len() <= MEMORY_BYTES {
            let kept = KeptText { offset: self.memory.len() as u64, len };
            append(&mut self.memory, text).map_err(trouble)?;
            return Ok(kept);
        }
        if self.gathered.len() + text.len() > GATHER_BYTES {
            self.write_gathered().map_err(trouble)?;
        }
        let offset = MEMORY_BYTES as u64 + self.written + self.gathered.len() as u64;
        append(&mut self.gathered, text).map_err(trouble)?;
        Ok(KeptText { offset, len })
    }

    /// Bytes stored so far.
    pub fn bytes(&self) -> u64 {
        self.memory.len() as u64 + self.written + self.gathered.len() as u64
    }

    fn write_gathered(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all_at(&self.gathered, self.written)?;
        self.written += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }

    /// Fetches a text stored before.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    ///
    /// # Panics
    /// The text was stored in another `Keep`.
    pub fn get(&self, kept: KeptText) -> Result<Vec<u8>, SourceError> {
        let len = kept.len as usize;
        let Some(offset) = kept.offset.checked_sub(MEMORY_BYTES as u64).filter(|_| len > 0) else {
            let start = kept.offset as usize;
            return Ok(if len == 0 { Vec::new() } else { self.memory[start..start + len].to_vec() });
        };
        if let Some(start) = offset.checked_sub(self.written) {
            let start = start as usize;
            return Ok(self.gathered[start..start + len].to_vec());
        }
        let mut text = zeros(len).map_err(trouble)?;
        let file = self.file.as_ref().expect("what is written has a file");
        file.read_exact_at(&mut text, offset).map_err(trouble)?;
        Ok(text)
    }
}

fn trouble(error: io::Error) -> SourceError {
    SourceError::Keep { folder: std::env::temp_dir(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_from_memory_from_the_file_and_from_what_is_gathered() {
        let mut keep = Keep::default();
        let text = |number: usize| vec![number as u8; 300_000 + number * 7];
        let kept: Vec<_> = (0..100).map(|number| keep.put(&text(number)).unwrap()).collect();
        let empty = keep.put(b"").unwrap();
        let last = keep.put(&[7; 400_000]).unwrap();
        for (number, &kept) in kept.iter().enumerate() {
            assert_eq!(keep.get(kept).unwrap(), text(number));
        }
        assert_eq!(keep.get(empty).unwrap(), b"");
        assert_eq!(keep.get(last).unwrap(), [7; 400_000]);
        assert!(keep.memory.len() <= MEMORY_BYTES && keep.written > 0 && !keep.gathered.is_empty());
    }

    #[test]
    fn a_text_that_fills_the_memory_to_the_brim_stays_there() {
        let mut keep = Keep::default();
        let brim = keep.put(&vec![1; MEMORY_BYTES]).unwrap();
        let empty = keep.put(b"").unwrap();
        let next = keep.put(b"x").unwrap();
        assert_eq!(keep.get(brim).unwrap().len(), MEMORY_BYTES);
        assert_eq!(keep.get(empty).unwrap(), b"");
        assert_eq!(keep.get(next).unwrap(), b"x");
    }
}
