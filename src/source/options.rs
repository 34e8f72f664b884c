//! How a log is opened.

/// How a log is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Aimed size of a window in bytes; a longer line makes a longer window.
    pub window_bytes: usize,
    /// Map regular files (only once the fault guard is installed); else plain reads.
    pub mapped: bool,
    /// Longer lines, their line feed counted, are stepped over without being held.
    pub max_line_bytes: u64,
    /// The most bytes of a stream that may lie in its spool at one time.
    pub spool_limit: u64,
    /// The largest window a zstd archive may ask for, as a power of two: the memory its decoder may take.
    pub zstd_window_log_max: u32,
    /// No other log is read at the same time: whoever writes a stream may wait for as long as it takes, and none of it is spooled.
    pub alone: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions {
            window_bytes: 1 << 20,
            mapped: true,
            max_line_bytes: 64 << 20,
            spool_limit: 64 << 30,
            zstd_window_log_max: 27,
            alone: false,
        }
    }
}

impl OpenOptions {
    /// The longest line that is held.
    pub(super) fn line_limit(&self) -> usize {
        usize::try_from(self.max_line_bytes).unwrap_or(usize::MAX).max(1)
    }

    /// The window aimed at. No longer than the longest line held, so that a line over the limit never
    /// hides within a window and the answer is the same for every window size.
    pub(super) fn window(&self) -> usize {
        self.window_bytes.clamp(1, self.line_limit())
    }
}
