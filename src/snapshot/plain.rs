//! Plain little-endian bytes, with lengths that are checked before they are believed.

use super::error::SnapshotError;

/// Bytes that are being written.
#[derive(Debug, Default)]
pub struct PlainWriter(pub Vec<u8>);

impl PlainWriter {
    /// A number of four bytes.
    pub fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A number of eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A length, and so many bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// Bytes that are being read.
#[derive(Debug)]
pub struct PlainReader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> PlainReader<'a> {
    /// Reads `bytes`, which hold `what`.
    pub fn new(bytes: &'a [u8], what: &'static str) -> PlainReader<'a> {
        PlainReader { rest: bytes, what }
    }

    /// A number of four bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number of eight bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.array().map(u64::from_le_bytes)
    }

    /// How many elements follow, each of which takes at least `least` bytes.
    ///
    /// # Errors
    /// So many cannot follow.
    pub fn count(&mut self, least: usize) -> Result<usize, SnapshotError> {
        let count = self.u64()?;
        usize::try_from(count).ok().filter(|count| *count <= self.rest.len() / least).ok_or_else(|| self.ends())
    }

    /// A length, and so many bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn bytes(&mut self) -> Result<&'a [u8], SnapshotError> {
        let length = self.count(1)?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(bytes)
    }

    /// A length, and so many bytes of text.
    ///
    /// # Errors
    /// There are fewer, or they are no UTF-8.
    pub fn text(&mut self) -> Result<&'a str, SnapshotError> {
        text(self.bytes()?, self.what)
    }

    /// Nothing more may follow.
    ///
    /// # Errors
    /// Something does.
    pub fn end(self) -> Result<(), SnapshotError> {
        let left = self.rest.len();
        if left == 0 {
            Ok(())
        } else {
            Err(SnapshotError::Bitcode(format!("{left} bytes are left behind the {}", self.what)))
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(|| self.ends())?;
        self.rest = rest;
        Ok(*array)
    }

    fn ends(&self) -> SnapshotError {
        SnapshotError::Bitcode(format!("the {} end too early", self.what))
    }
}

/// Bytes as text.
///
/// # Errors
/// They are no UTF-8.
pub fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str, SnapshotError> {
    std::str::from_utf8(bytes).map_err(|_| SnapshotError::Bitcode(format!("a text of the {what} is no UTF-8")))
}
