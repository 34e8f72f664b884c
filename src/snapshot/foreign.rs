//! State files of another tool, squib 5.0.0, which are known but not read.
//!
//! Their magic number stands inside a bitcode envelope, at no fixed place, and behind the envelope its CRC-64 (Jones' polynomial, reflected, from zero); so the checksum of the whole
//! file is zero. A file of zeros has that checksum too, but no magic number.

use super::error::SnapshotError;
use super::header::MAGIC;

/// Their magic number.
pub const SQUIB_MAGIC: u64 = 0x0710_1984_AAAA_0000;
/// The magic number stands among these first bytes.
const WITHIN: usize = 64;

/// The magic number of another tool, if the file is one of its.
pub(super) fn magic(file: &[u8]) -> Option<u64> {
    let head = &file[..file.len().min(WITHIN)];
    let has_magic = head.windows(8).any(|bytes| bytes == SQUIB_MAGIC.to_le_bytes());
    (has_magic && crc64(file) == 0).then_some(SQUIB_MAGIC)
}

/// That a file is another tool's.
pub(super) fn mismatch(found: u64) -> SnapshotError {
    SnapshotError::MagicMismatch { found, expected: MAGIC }
}

/// CRC-64 by Jones' polynomial, reflected, from zero; `123456789` has 0xE9C6D914C4B8D9CA.
fn crc64(bytes: &[u8]) -> u64 {
    const TABLE: [u64; 256] = table();
    bytes.iter().fold(0, |sum, byte| TABLE[((sum ^ u64::from(*byte)) & 0xFF) as usize] ^ (sum >> 8))
}

const fn table() -> [u64; 256] {
    const REFLECTED: u64 = 0x95AC_9329_AC4B_C9B5;
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut sum = at as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ REFLECTED } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc64(b"123456789"), 0xE9C6_D914_C4B8_D9CA);
        let mut file = b"123456789".to_vec();
        file.extend_from_slice(&crc64(b"123456789").to_le_bytes());
        assert_eq!(crc64(&file), 0);
    }

    #[test]
    fn zeros_are_nobodys() {
        assert_eq!(magic(&[0; 100]), None);
        assert_eq!(magic(b""), None);
    }
}
