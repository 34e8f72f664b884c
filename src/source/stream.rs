//! A stream: windows of what has arrived, cut at its last line feed.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::headroom::append;
use super::queue::{Ended, PATIENCE, Pulled, Queue, Wanted, WhenFull};
use super::reader::{self, Opener};
use super::walk::cut;
use super::window::Owned;
use super::{Bytes, Damage, OpenOptions, Overlong, SourceError, Window};

/// Small windows are cut from a block of at least this many bytes.
const BLOCK_BYTES: usize = 64 << 10;
/// A line over the limit is stepped over in pieces of this size.
const SKIP_BYTES: usize = 1 << 20;

/// An open stream.
///
/// Bytes come into `filling` until a window is due; then it becomes `ready`, of which windows are
/// cut without copying. What is left without a line feed begins the next `filling`. Neither is ever
/// longer than the longest line held, so no line over the limit hides in them.
pub(super) struct StreamLog {
    queue: Arc<Queue>,
    window: usize,
    line_limit: usize,
    /// A program feeds it, which may pause for as long as it likes.
    pub(super) is_fed: bool,
    /// Offset of the next window.
    pub(super) position: u64,
    ready: Bytes,
    filling: Filling,
    ended: bool,
    trouble: Option<SourceError>,
    /// What is wrong with the archive that the stream is, once its end was met.
    pub(super) damage: Option<Damage>,
    /// Something worth saying, once the end was met.
    pub(super) remark: Option<String>,
    /// Windows given away whose bytes still take room in the spool.
    lent: Vec<(u64, u64, Weak<Owned>)>,
}

#[derive(Default)]
struct Filling {
    bytes: Vec<u8>,
    /// Bytes at the front in which no line feed was found.
    searched: usize,
    /// When the first byte came.
    since: Option<Instant>,
    /// When the bytes pulled last came.
    latest: Option<Instant>,
}

impl Filling {
    /// Begins anew with what was left of the last pull.
    fn begin(&mut self, rest: Vec<u8>) {
        *self = Filling { bytes: rest, searched: 0, since: self.latest, latest: self.latest };
    }

    fn has_line(&mut self) -> bool {
        match memchr::memchr(b'\n', &self.bytes[self.searched..]) {
            Some(at) => {
                self.searched += at;
                true
            }
            None => {
                self.searched = self.bytes.len();
                false
            }
        }
    }
}

impl StreamLog {
    pub(super) fn start(
        path: &Path,
        open: Opener,
        when_full: WhenFull,
        options: &OpenOptions,
    ) -> Result<StreamLog, SourceError> {
        let when_full = if options.alone { WhenFull::Wait } else { when_full };
        Ok(StreamLog {
            queue: reader::start(path, open, when_full, options)?,
            window: options.window(),
            line_limit: options.line_limit(),
            is_fed: when_full == WhenFull::Spill,
            position: 0,
            ready: Bytes::default(),
            filling: Filling::default(),
            ended: false,
            trouble: None,
            damage: None,
            remark: None,
            lent: Vec::new(),
        })
    }

    pub(super) fn next_window(&mut self) -> Result<Option<Window>, SourceError> {
        self.give_room_back();
        if (self.ready.len() >= self.window || self.ended)
            && let Some(window) = self.cut_ready()
        {
            return Ok(Some(window));
        }
        if !self.ready.is_empty() {
            // Whole lines that the next block would only be copied behind go as they are.
            if self.ready.ends_with(b"\n") && !self.queue.next_fits(self.window - self.ready.len()) {
                return Ok(Some(self.give(self.ready.len())));
            }
            let rest = std::mem::take(&mut self.ready);
            let rest = self.copy(&rest)?;
            self.filling.begin(rest);
        }
        if let Some(overlong) = self.fill()? {
            return Ok(Some(overlong));
        }
        self.ready = Bytes::pooled(std::mem::take(&mut self.filling.bytes), &self.queue.pool);
        self.filling.searched = 0;
        match self.cut_ready() {
            Some(window) => Ok(Some(window)),
            None => self.trouble.take().map_or(Ok(None), Err),
        }
    }

    fn copy(&self, bytes: &[u8]) -> Result<Vec<u8>, SourceError> {
        let mut copy = Vec::new();
        append(&mut copy, bytes).map_err(|error| self.queue.spool.unread(Some(self.position), error))?;
        Ok(copy)
    }

    /// Pulls into `filling` until a window is due; or steps over a line that is over the limit.
    fn fill(&mut self) -> Result<Option<Window>, SourceError> {
        while !self.ended {
            let has_line = self.filling.has_line();
            let len = self.filling.bytes.len();
            let is_whole = self.filling.bytes.ends_with(b"\n");
            let block = self.window.max(BLOCK_BYTES.min(self.line_limit));
            // To fill the last quarter would be to copy the beginning of the next block.
            if has_line && (len >= self.window || is_whole && len >= self.enough()) {
                break;
            }
            // A line as long as the limit may end the stream; a byte more is one too many.
            let is_brimful = !has_line && len >= self.line_limit;
            let room = if is_brimful {
                1
            } else if has_line {
                block - len
            } else {
                self.line_limit - len
            };
            let wanted = Wanted {
                most: room.min(block),
                enough: self.enough().saturating_sub(len).max(1),
                due: self.filling.since.filter(|_| has_line).map(|since| since + PATIENCE),
                whole: has_line && is_whole,
            };
            match self.pull(&wanted)? {
                Some(true) if is_brimful => return self.step_over().map(Some),
                Some(true) => {}
                Some(false) => break,
                None => self.ended = true,
            }
        }
        Ok(None)
    }

    /// So many bytes make a window that is worth handing out before its time.
    fn enough(&self) -> usize {
        self.window - self.window / 4
    }

    /// Whether `next_window` would have to wait.
    pub(super) fn would_block(&self) -> bool {
        if self.ended || self.ready.len() >= self.window {
            return false;
        }
        // Either what is ready or what is being filled, never both.
        let has_line = self.ready.ends_with(b"\n") || memchr::memchr(b'\n', &self.filling.bytes).is_some();
        let since = if self.ready.is_empty() { self.filling.since } else { self.filling.latest };
        let due = since.filter(|_| has_line).map(|since| since + PATIENCE);
        self.queue.would_wait(self.ready.len() + self.filling.bytes.len(), self.enough(), due)
    }

    /// Cuts a window off what is ready.
    fn cut_ready(&mut self) -> Option<Window> {
        let end = cut(&self.ready, self.window, self.ended).filter(|&end| end > 0)?;
        Some(self.give(end))
    }

    /// Gives so many bytes of what is ready away.
    fn give(&mut self, end: usize) -> Window {
        let bytes = self.ready.slice(0..end);
        // An empty rest must not hold on to the block.
        self.ready = if end < self.ready.len() { self.ready.slice(end..self.ready.len()) } else { Bytes::default() };
        let offset = self.position;
        self.position += end as u64;
        if self.queue.spool.holds_any(offset, self.position) {
            self.lent.push((offset, self.position, bytes.watch()));
        }
        Window { offset, bytes, overlong: None }
    }

    /// Pulls bytes into `filling`: whether some came in time, or `None` at the end. An error of the
    /// stream waits until the whole lines before it are handed out; the torn one is not. An archive's
    /// damage is no error: what was unpacked of its last line is handed out like any log's torn line.
    fn pull(&mut self, wanted: &Wanted) -> Result<Option<bool>, SourceError> {
        let Filling { bytes, since, latest, .. } = &mut self.filling;
        let was_empty = bytes.is_empty();
        match self.queue.pull(wanted, bytes)? {
            Pulled::Some(came) => {
                if was_empty {
                    *since = Some(came);
                }
                *latest = Some(came);
                Ok(Some(true))
            }
            Pulled::Nothing | Pulled::TooMany => Ok(Some(false)),
            Pulled::End(Ok(Ended { damage, remark })) => {
                (self.damage, self.remark) = (damage, remark);
                Ok(None)
            }
            Pulled::End(Err(error)) => {
                bytes.truncate(memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1));
                self.filling.searched = 0;
                self.trouble = Some(error);
                Ok(None)
            }
        }
    }

    /// Steps over the line whose beginning, more than the limit, stands in `filling`.
    fn step_over(&mut self) -> Result<Window, SourceError> {
        let offset = self.position;
        let mut terminated = false;
        while !terminated && !self.ended {
            let end = memchr::memchr(b'\n', &self.filling.bytes).map(|at| at + 1);
            terminated = end.is_some();
            let passed = end.unwrap_or(self.filling.bytes.len());
            self.position += passed as u64;
            self.filling.bytes.drain(..passed);
            if !terminated {
                let most = SKIP_BYTES.min(self.line_limit);
                self.ended = self.pull(&Wanted { most, enough: 1, due: None, whole: false })?.is_none();
            }
        }
        // Room for a whole long line is not for keeping.
        let rest = self.copy(&self.filling.bytes)?;
        self.filling.begin(rest);
        self.queue.spool.release(offset, self.position);
        let overlong = Overlong { len: self.position - offset, terminated };
        Ok(Window { offset, bytes: Bytes::default(), overlong: Some(overlong) })
    }

    /// Gives the spool's room back for windows that nobody holds any more and nobody retained.
    fn give_room_back(&mut self) {
        let spool = &self.queue.spool;
        self.lent.retain(|(offset, end, bytes)| {
            let is_held = bytes.strong_count() > 0;
            if !is_held {
                spool.release(*offset, *end);
            }
            is_held
        });
    }

    pub(super) fn retain(&mut self, window: &Window) -> Result<(), SourceError> {
        let (start, end) = (window.offset, window.offset + window.bytes.len() as u64);
        self.lent.retain(|&(from, to, _)| to <= start || end <= from);
        self.queue.spool.write(start, &window.bytes)
    }

    pub(super) fn reread(&self, offset: u64, len: usize) -> Result<Bytes, SourceError> {
        let mut bytes = Vec::new();
        self.queue.spool.read(offset, len, &mut bytes)?;
        Ok(bytes.into())
    }

    /// Lets the reader thread go, and with it the source.
    pub(super) fn stop(&self) {
        self.queue.close();
    }

    pub(super) fn spooled(&self) -> u64 {
        self.queue.spool.len()
    }
}

impl Drop for StreamLog {
    fn drop(&mut self) {
        self.queue.close();
    }
}
