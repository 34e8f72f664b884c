//! Packed bytes on their way into a decoder, counted.

use std::io;

use super::origin::Origin;

/// What one read of packed bytes asks for.
const FEED_BYTES: usize = 256 << 10;

/// The packed bytes of one archive.
pub(super) struct Feed {
    origin: Box<dyn Origin>,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes that the decoder took.
    pub(super) taken: u64,
    at_end: bool,
    /// What went wrong behind the bytes that wait.
    failed: Option<io::Error>,
}

impl Feed {
    pub(super) fn new(origin: Box<dyn Origin>) -> Feed {
        Feed { origin, bytes: vec![0; FEED_BYTES], start: 0, end: 0, taken: 0, at_end: false, failed: None }
    }

    /// The bytes that wait; at least `least` of them (or as many as there is room for), unless the archive ends before
    /// or cannot be read further.
    pub(super) fn look(&mut self, least: usize) -> io::Result<&[u8]> {
        let least = least.min(FEED_BYTES);
        while self.end - self.start < least && !self.at_end && self.failed.is_none() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            match super::reader::read_waiting(&mut self.origin, &mut self.bytes[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.at_end = read == 0;
                }
                Err(error) => self.failed = Some(error),
            }
        }
        match self.failed.take_if(|_| self.start == self.end) {
            Some(error) => Err(error),
            None => Ok(&self.bytes[self.start..self.end]),
        }
    }

    /// The decoder took so many.
    pub(super) fn take(&mut self, count: usize) {
        self.start += count;
        self.taken += count as u64;
    }

    /// Whether no other program is ever waited for.
    pub(super) fn never_waits(&self) -> bool {
        self.origin.never_waits()
    }
}
