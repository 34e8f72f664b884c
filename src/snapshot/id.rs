//! What a snapshot is known by.

use std::fmt;
use std::str::FromStr;

/// 128 bits that no two snapshots share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId(pub [u8; 16]);

impl SnapshotId {
    /// A new one, by the system's random numbers.
    ///
    /// # Errors
    /// The system has none.
    pub fn new() -> std::io::Result<SnapshotId> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        // All zeros mean "none" in a header.
        bytes[0] |= 1;
        Ok(SnapshotId(bytes))
    }

    /// What sixteen bytes of a header say: zeros are none.
    pub(super) fn stored(bytes: [u8; 16]) -> Option<SnapshotId> {
        (bytes != [0; 16]).then_some(SnapshotId(bytes))
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

impl FromStr for SnapshotId {
    type Err = String;

    fn from_str(text: &str) -> Result<SnapshotId, String> {
        let wrong = || format!("{text:?} is no snapshot id: 32 hex digits are");
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(|number| SnapshotId(number.to_be_bytes())).map_err(|_| wrong())
    }
}
