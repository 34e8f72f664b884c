//! The beginning of a state file, which never changes: what it is, and what it belongs to.
//!
//! ```text
//!  0  magic           8   89 46 50 53 4E 41 50 0A
//!  8  version         4   of what follows the header
//! 12  checksum        4   CRC-32 (IEEE, from all ones) of bytes 0 to 12, 16 to 80, and the body
//! 16  body length     8
//! 24  bitcode length  4   the part of the body that is bitcode; the rest is plain bytes
//! 28  kind            1   0 full, 1 diff; three zeros behind
//! 32  snapshot        16
//! 48  parent          16  zeros: none
//! 64  memory length   8   of the memory file, and of RAM
//! 72  page size       8
//! 80  body
//! ```
//!
//! Numbers are little-endian.

use std::io;

use super::error::SnapshotError;
use super::id::SnapshotId;
use crate::disk::VolumeFile;

/// What a state file begins with, as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes([0x89, b'F', b'P', b'S', b'N', b'A', b'P', b'\n']);
/// The version that is written.
pub const VERSION: u32 = 1;
/// Bytes of a header.
pub const LENGTH: usize = 80;
/// Larger bodies are neither saved nor loaded, in bytes.
pub const BODY_MAX: u64 = 64 << 20;

/// Whether all of memory is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotKind {
    /// All pages.
    Full,
    /// Those that were written since another snapshot.
    Diff,
}

impl SnapshotKind {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            SnapshotKind::Full => "full",
            SnapshotKind::Diff => "diff",
        }
    }
}

/// The header of a state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The form of the body.
    pub version: u32,
    /// Of header and body.
    pub checksum: u32,
    /// Bytes behind the header.
    pub body_length: u64,
    /// How many of them are bitcode.
    pub bitcode_length: u32,
    /// Whether all of memory is there.
    pub kind: SnapshotKind,
    /// Which snapshot this is.
    pub id: SnapshotId,
    /// Which one it goes onto.
    pub parent: Option<SnapshotId>,
    /// Bytes of RAM.
    pub memory_length: u64,
    /// Bytes of a page.
    pub page_size: u64,
}

impl Header {
    /// Reads a header. It is believed only once [`Header::check`] has found the checksum right.
    ///
    /// # Errors
    /// Too few bytes, another magic number, or fields no version has.
    pub fn read(bytes: &[u8]) -> Result<Header, SnapshotError> {
        let Some(bytes) = bytes.first_chunk::<LENGTH>() else {
            // A short file that does not even begin as ours is none of ours.
            return Err(match bytes.first_chunk() {
                Some(magic) if u64::from_le_bytes(*magic) != MAGIC => not_ours(*magic),
                _ => SnapshotError::TooShort,
            });
        };
        if u64::from_le_bytes(part(bytes, 0)) != MAGIC {
            return Err(not_ours(part(bytes, 0)));
        }
        let wrong = |what: &str| SnapshotError::Bitcode(format!("the header's {what}"));
        let kind = match part(bytes, 28) {
            [0, 0, 0, 0] => SnapshotKind::Full,
            [1, 0, 0, 0] => SnapshotKind::Diff,
            _ => return Err(wrong("kind is unknown")),
        };
        Ok(Header {
            version: u32::from_le_bytes(part(bytes, 8)),
            checksum: u32::from_le_bytes(part(bytes, 12)),
            body_length: u64::from_le_bytes(part(bytes, 16)),
            bitcode_length: u32::from_le_bytes(part(bytes, 24)),
            kind,
            id: SnapshotId::stored(part(bytes, 32)).ok_or_else(|| wrong("snapshot id is zero"))?,
            parent: SnapshotId::stored(part(bytes, 48)),
            memory_length: u64::from_le_bytes(part(bytes, 64)),
            page_size: u64::from_le_bytes(part(bytes, 72)),
        })
    }

    /// The header that a file begins with; none if it begins otherwise.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn of_file(file: &dyn VolumeFile) -> io::Result<Option<Header>> {
        let mut bytes = vec![0; file.length()?.min(LENGTH as u64) as usize];
        file.read_at(&mut bytes, 0)?;
        Ok(Header::read(&bytes).ok())
    }

    /// The header's bytes; its checksum is taken of them and the body.
    pub fn write(&self, body: &[u8]) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC.to_le_bytes());
        put(8, &self.version.to_le_bytes());
        put(16, &self.body_length.to_le_bytes());
        put(24, &self.bitcode_length.to_le_bytes());
        put(28, &[u8::from(self.kind == SnapshotKind::Diff)]);
        put(32, &self.id.0);
        put(48, &self.parent.map_or([0; 16], |parent| parent.0));
        put(64, &self.memory_length.to_le_bytes());
        put(72, &self.page_size.to_le_bytes());
        let sum = checksum(&bytes, body);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Holds a whole file against its header.
    ///
    /// # Errors
    /// A version that is not known, a body that is too large, too short or too long, or another checksum.
    pub fn check(&self, file: &[u8]) -> Result<(), SnapshotError> {
        if self.version != VERSION {
            return Err(SnapshotError::VersionMismatch {
                found: self.version.to_string(),
                expected: VERSION.to_string(),
            });
        }
        if self.body_length > BODY_MAX {
            return Err(SnapshotError::SizeLimitExceeded(BODY_MAX));
        }
        if self.is_whole(file) { Ok(()) } else { Err(SnapshotError::CrcMismatch) }
    }

    /// Whether a file is as long as its header says, and has its checksum.
    pub fn is_whole(&self, file: &[u8]) -> bool {
        file.split_at_checked(LENGTH).is_some_and(|(header, body)| {
            body.len() as u64 == self.body_length && checksum(header, body) == self.checksum
        })
    }
}

/// The checksum of a file: of the header without the checksum itself, and of the body.
fn checksum(header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..12]);
    hasher.update(&header[16..]);
    hasher.update(body);
    hasher.finalize()
}

fn part<const N: usize>(bytes: &[u8; LENGTH], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}

fn not_ours(magic: [u8; 8]) -> SnapshotError {
    SnapshotError::MagicMismatch { found: u64::from_le_bytes(magic), expected: MAGIC }
}
