//! A checksum for each MiB of a memory file.

use super::error::SnapshotError;

/// Bytes that one checksum is of; the last one may be of fewer.
pub const CHUNK: u64 = 1 << 20;

/// CRC-32 (IEEE) of each [`CHUNK`] of a memory file, holes read as the zeros that they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(Vec<u8>);

impl Sums {
    /// These checksums.
    pub fn new(sums: impl IntoIterator<Item = u32>) -> Sums {
        Sums(sums.into_iter().flat_map(u32::to_le_bytes).collect())
    }

    /// As they are stored: four little-endian bytes each.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Those of a memory file of `length` bytes.
    ///
    /// # Errors
    /// There are more or fewer.
    pub fn read(bytes: &[u8], length: u64) -> Result<Sums, SnapshotError> {
        if bytes.len() as u64 == length.div_ceil(CHUNK).saturating_mul(4) {
            Ok(Sums(bytes.to_owned()))
        } else {
            Err(SnapshotError::Bitcode(format!("{} bytes of checksums for {length} bytes of memory", bytes.len())))
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len() / 4
    }

    /// That of a chunk.
    pub fn get(&self, chunk: usize) -> Option<u32> {
        self.0.chunks_exact(4).nth(chunk).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
