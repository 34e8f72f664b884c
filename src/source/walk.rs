//! Where windows end: the one rule for files, memory and streams.

use super::{Bytes, OpenOptions, Overlong, SourceError, Window};

/// A line that does not end within the window is looked for in steps no smaller than this.
const STEP_BYTES: usize = 64 << 10;
/// A line over the limit is stepped over in pieces of this size.
const SKIP_BYTES: usize = 1 << 20;

/// The end of the first window of `bytes`: behind the last line feed within the aimed size; if there
/// is none, behind the first one after it. `at_end`: these are the last bytes of the log.
pub(super) fn cut(bytes: &[u8], window: usize, at_end: bool) -> Option<usize> {
    if at_end && bytes.len() <= window {
        return Some(bytes.len());
    }
    let within = &bytes[..window.min(bytes.len())];
    if let Some(last) = memchr::memrchr(b'\n', within) {
        return Some(last + 1);
    }
    match memchr::memchr(b'\n', &bytes[within.len()..]) {
        Some(first) => Some(within.len() + first + 1),
        None => at_end.then_some(bytes.len()),
    }
}

/// A walk over bytes of known length that can be fetched from anywhere, window by window.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) position: u64,
    end: u64,
    window: usize,
    line_limit: usize,
}

impl Walk {
    pub(super) fn new(end: u64, options: &OpenOptions) -> Walk {
        Walk { position: 0, end, window: options.window(), line_limit: options.line_limit() }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The next window. `fetch` brings the bytes of a range.
    pub(super) fn next(
        &mut self,
        mut fetch: impl FnMut(u64, usize) -> Result<Bytes, SourceError>,
    ) -> Result<Option<Window>, SourceError> {
        let offset = self.position;
        let left = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        let mut want = self.window;
        loop {
            let len = want.min(left);
            let bytes = fetch(offset, len)?;
            let at_end = len == left;
            if let Some(end) = cut(&bytes, self.window, at_end) {
                self.position += end as u64;
                return Ok(Some(Window { offset, bytes: bytes.slice(0..end), overlong: None }));
            }
            if want >= self.line_limit {
                return self.step_over(len as u64, &mut fetch).map(Some);
            }
            want = want.saturating_mul(4).max(STEP_BYTES).min(self.line_limit);
        }
    }

    /// Steps over a line whose first `seen` bytes hold no line feed.
    fn step_over(
        &mut self,
        seen: u64,
        fetch: &mut impl FnMut(u64, usize) -> Result<Bytes, SourceError>,
    ) -> Result<Window, SourceError> {
        let offset = self.position;
        let mut here = offset + seen;
        let mut terminated = false;
        while here < self.end && !terminated {
            let len = (self.end - here).min(SKIP_BYTES as u64) as usize;
            let bytes = fetch(here, len)?;
            let found = memchr::memchr(b'\n', &bytes);
            here += found.map_or(len, |at| at + 1) as u64;
            terminated = found.is_some();
        }
        self.position = here;
        let overlong = Overlong { len: here - offset, terminated };
        Ok(Window { offset, bytes: Bytes::default(), overlong: Some(overlong) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_behind_its_last_line_feed() {
        assert_eq!(cut(b"ab\ncd\nef", 7, false), Some(6));
        assert_eq!(cut(b"ab\ncd\nef", 4, false), Some(3));
        assert_eq!(cut(b"ab\ncd\nef", 8, true), Some(8));
    }

    #[test]
    fn a_longer_line_makes_a_longer_window_of_one_line() {
        assert_eq!(cut(b"abcdef\ng\n", 3, false), Some(7));
        assert_eq!(cut(b"abcdef", 3, false), None);
        assert_eq!(cut(b"abcdef", 3, true), Some(6));
    }
}
