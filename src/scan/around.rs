//! The events of one thread around a place, found by seeking.
//!
//! Nothing is read but what lies between the outermost events asked for, so a place deep in a
//! log of any size is shown at once. The price: how many lines and events stand before the place
//! stays unknown.

use std::io;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};
use rayon::prelude::*;

use super::key::ThreadKey;
use super::line::Opener;
use super::span::{Span, reopen};
use super::window::trim;
use crate::source::zeros;

/// Bytes that can be read anywhere: a regular file, or a slice.
pub trait ReadAt: Sync {
    /// How many there are.
    fn size(&self) -> u64;
    /// Fills `buffer` from `offset` on; everything asked for exists.
    ///
    /// # Errors
    /// The bytes cannot be read.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = offset as usize;
        let bytes = self.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// One event as it stands in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Of the physical line's first byte.
    pub offset: u64,
    /// The trimmed line.
    pub text: Vec<u8>,
    /// Where its roles lie, relative to `text`.
    pub span: Span,
    pub thread: ThreadKey,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Any byte of the line in the middle.
    pub offset: u64,
    /// The thread; its first event at or behind the line is then the one in the middle.
    /// `None`: the thread of the line itself.
    pub thread: Option<&'a ThreadKey>,
    /// So many events before, and as many after.
    pub context: usize,
    /// The log's first line that is not blank is a header and no event.
    pub header: bool,
    /// Longer lines are not held.
    pub line_bytes_max: u64,
}

/// An event and its neighbours in its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Oldest first.
    pub before: Vec<Sighting>,
    pub target: Sighting,
    pub after: Vec<Sighting>,
    /// Malformed lines met on the way.
    pub stepped_over: u64,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum AroundError {
    #[error("failed to read: {0}")]
    Read(#[from] io::Error),
    #[error("byte {offset} is behind its end: it has {size} bytes")]
    Behind { offset: u64, size: u64 },
    #[error("byte {0} is in the header line, which is no event")]
    Header(u64),
    #[error("byte {0} is in a blank line")]
    Blank(u64),
    #[error("byte {offset}: {reason}")]
    Malformed { offset: u64, reason: String },
    #[error("thread {thread} has no event at or behind byte {offset}")]
    NoEvent { thread: ThreadKey, offset: u64 },
    #[error("the line at byte {0} is over the limit (--max-line)")]
    TooLong(u64),
}

/// Bytes of the first read in each direction: enough for a few events of a busy thread.
const BLOCK_MIN: u64 = 64 << 10;
/// Bytes of later reads.
const BLOCK_MAX: u64 = 4 << 20;

/// Finds the event at a place and its neighbours. `watch` is told how many bytes were searched.
///
/// # Errors
/// See [`AroundError`].
pub fn around(
    bytes: &(impl ReadAt + ?Sized),
    opener: &Opener,
    wanted: Wanted<'_>,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<Around, AroundError> {
    let size = bytes.size();
    if wanted.offset >= size {
        return Err(AroundError::Behind { offset: wanted.offset, size });
    }
    let mut search = Search { bytes, opener, limit: wanted.line_bytes_max, floor: 0, watch };
    if wanted.header {
        search.floor = search.header_end()?;
        if wanted.offset < search.floor {
            return Err(AroundError::Header(wanted.offset));
        }
    }
    let start = search.line_start(wanted.offset)?;
    let (target, mut stepped_over) = match wanted.thread {
        None => (search.open_at(start)?, 0),
        Some(thread) => search.first_of(thread, start)?,
    };
    let behind = search.line_end(target.offset)?;
    let (before, after) =
        rayon::join(|| search.backward(&target, wanted.context), || search.forward(&target, behind, wanted.context));
    let ((before, faults_before), (after, faults_after)) = (before?, after?);
    stepped_over += faults_before + faults_after;
    Ok(Around { before, target, after, stepped_over })
}

/// The offset of a physical line's first byte, counted from 1; `None` where the log has fewer.
///
/// # Errors
/// The bytes cannot be read.
pub fn offset_of_line(
    bytes: &(impl ReadAt + ?Sized),
    line: u64,
    watch: &(dyn Fn(u64) + Sync),
) -> io::Result<Option<u64>> {
    let size = bytes.size();
    let (mut at, mut before) = (0, line.saturating_sub(1));
    let mut block = zeros(BLOCK_MAX.min(size) as usize)?;
    while before > 0 && at < size {
        let len = (size - at).min(BLOCK_MAX) as usize;
        bytes.read_exact_at(at, &mut block[..len])?;
        let feeds = memchr_iter(b'\n', &block[..len]).count() as u64;
        if feeds >= before {
            let feed = memchr_iter(b'\n', &block[..len]).nth(before as usize - 1).expect("counted just now");
            (at, before) = (at + feed as u64 + 1, 0);
        } else {
            (at, before) = (at + len as u64, before - feeds);
        }
        watch(len as u64);
    }
    Ok((before == 0 && at < size).then_some(at))
}

struct Search<'a, B: ?Sized> {
    bytes: &'a B,
    opener: &'a Opener,
    limit: u64,
    /// First byte that can belong to an event.
    floor: u64,
    watch: &'a (dyn Fn(u64) + Sync),
}

/// An event of a block: where its physical line lies in it, and its span (relative to the block).
type Hit = (usize, Span);

impl<B: ReadAt + ?Sized> Search<'_, B> {
    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut block = zeros((range.end - range.start) as usize)?;
        self.bytes.read_exact_at(range.start, &mut block)?;
        (self.watch)(block.len() as u64);
        Ok(block)
    }

    /// First byte of the line that holds a byte.
    fn line_start(&self, offset: u64) -> Result<u64, AroundError> {
        let (mut end, mut len) = (offset, BLOCK_MIN);
        loop {
            let start = end.saturating_sub(len).max(self.floor);
            let block = self.read(start..end)?;
            if let Some(feed) = memrchr(b'\n', &block) {
                return Ok(start + feed as u64 + 1);
            }
            if start == self.floor {
                return Ok(start);
            }
            if offset - start > self.limit {
                return Err(AroundError::TooLong(offset));
            }
            (end, len) = (start, BLOCK_MAX);
        }
    }

    /// First byte behind a line and its line feed.
    fn line_end(&self, start: u64) -> Result<u64, AroundError> {
        let (mut at, mut len) = (start, BLOCK_MIN);
        loop {
            let end = (at + len).min(self.bytes.size());
            let block = self.read(at..end)?;
            if let Some(feed) = memchr(b'\n', &block) {
                return Ok(at + feed as u64 + 1);
            }
            if end == self.bytes.size() {
                return Ok(end);
            }
            if end - start > self.limit {
                return Err(AroundError::TooLong(start));
            }
            (at, len) = (end, BLOCK_MAX);
        }
    }

    /// First byte behind the first line that is not blank.
    fn header_end(&self) -> Result<u64, AroundError> {
        let mut at = 0;
        while at < self.bytes.size() {
            let end = self.line_end(at)?;
            let block = self.read(at..end)?;
            let (start, stop) = trimmed(&block, 0, block.len(), at);
            at = end;
            if start < stop {
                break;
            }
        }
        Ok(at)
    }

    fn open_at(&self, start: u64) -> Result<Sighting, AroundError> {
        let end = self.line_end(start)?;
        if end - start > self.limit {
            return Err(AroundError::TooLong(start));
        }
        let block = self.read(start..end)?;
        let lead = if start == 0 && block.starts_with(BOM) { BOM.len() } else { 0 };
        let (from, to) = trimmed(&block, 0, block.len(), start);
        if from >= to {
            return Err(AroundError::Blank(start));
        }
        match reopen(self.opener, &block, lead) {
            Ok(span) => Ok(self.sighting(&block, start, (0, span))),
            Err(fault) => Err(AroundError::Malformed {
                offset: start + (from + fault.at) as u64,
                reason: fault.reason.to_string(),
            }),
        }
    }

    fn sighting(&self, block: &[u8], base: u64, (line, span): Hit) -> Sighting {
        let text = span.line_of(block).to_vec();
        let thread = self.thread_of(&text).unwrap_or(ThreadKey::Single);
        Sighting { offset: base + line as u64, text, span, thread }
    }

    fn thread_of(&self, text: &[u8]) -> Option<ThreadKey> {
        let opened = self.opener.open_line(text).ok()?;
        Some(self.opener.thread_key(text, &opened.thread))
    }

    /// The first event of a thread at or behind a line, and how many malformed lines stand between.
    fn first_of(&self, thread: &ThreadKey, start: u64) -> Result<(Sighting, u64), AroundError> {
        let (mut at, mut len, mut faults) = (start, BLOCK_MIN, 0);
        while let Some((block, next)) = self.block_forward(at, len)? {
            let (hits, more) = self.hits(&block, at, thread);
            faults += more;
            if let Some(hit) = hits.into_iter().next() {
                return Ok((self.sighting(&block, at, hit), faults));
            }
            (at, len) = (next, BLOCK_MAX);
        }
        Err(AroundError::NoEvent { thread: thread.clone(), offset: start })
    }

    fn forward(&self, target: &Sighting, from: u64, context: usize) -> Result<(Vec<Sighting>, u64), AroundError> {
        let mut found: Vec<Sighting> = Vec::new();
        let (mut at, mut len, mut faults) = (from, BLOCK_MIN, 0);
        while found.len() < context
            && let Some((block, next)) = self.block_forward(at, len)?
        {
            let (hits, more) = self.hits(&block, at, &target.thread);
            faults += more;
            for hit in hits {
                let last = found.last().unwrap_or(target);
                if found.len() == context || parts(&last.span, &hit.1) {
                    return Ok((found, faults));
                }
                found.push(self.sighting(&block, at, hit));
            }
            (at, len) = (next, (len * 4).min(BLOCK_MAX));
        }
        Ok((found, faults))
    }

    fn backward(&self, target: &Sighting, context: usize) -> Result<(Vec<Sighting>, u64), AroundError> {
        let mut found: Vec<Sighting> = Vec::new();
        let (mut end, mut len, mut faults) = (target.offset, BLOCK_MIN, 0);
        'search: while found.len() < context
            && let Some((block, start)) = self.block_backward(end, len)?
        {
            let (hits, more) = self.hits(&block, start, &target.thread);
            faults += more;
            for hit in hits.into_iter().rev() {
                let next = found.last().unwrap_or(target);
                if found.len() == context || parts(&hit.1, &next.span) {
                    break 'search;
                }
                found.push(self.sighting(&block, start, hit));
            }
            (end, len) = (start, (len * 4).min(BLOCK_MAX));
        }
        found.reverse();
        Ok((found, faults))
    }

    /// Whole lines from `at` on, about `len` bytes, and where the next ones begin.
    fn block_forward(&self, at: u64, mut len: u64) -> Result<Option<(Vec<u8>, u64)>, AroundError> {
        let size = self.bytes.size();
        if at >= size {
            return Ok(None);
        }
        loop {
            let end = (at + len).min(size);
            let mut block = self.read(at..end)?;
            if end == size {
                return Ok(Some((block, end)));
            }
            if let Some(feed) = memrchr(b'\n', &block) {
                block.truncate(feed + 1);
                return Ok(Some((block, at + feed as u64 + 1)));
            }
            if len > self.limit {
                return Err(AroundError::TooLong(at));
            }
            len *= 4;
        }
    }

    /// Whole lines up to `end`, about `len` bytes, and where they begin.
    fn block_backward(&self, end: u64, mut len: u64) -> Result<Option<(Vec<u8>, u64)>, AroundError> {
        if end <= self.floor {
            return Ok(None);
        }
        loop {
            let start = end.saturating_sub(len).max(self.floor);
            let mut block = self.read(start..end)?;
            if start == self.floor {
                return Ok(Some((block, start)));
            }
            if let Some(feed) = memchr(b'\n', &block[..block.len() - 1]) {
                block.drain(..=feed);
                return Ok(Some((block, start + feed as u64 + 1)));
            }
            if len > self.limit {
                return Err(AroundError::TooLong(start));
            }
            len *= 4;
        }
    }

    /// The thread's events of a block of whole lines, in order, and the number of its malformed lines.
    fn hits(&self, block: &[u8], base: u64, thread: &ThreadKey) -> (Vec<Hit>, u64) {
        let feeds = memchr_iter(b'\n', block).map(|feed| feed + 1);
        let mut starts: Vec<usize> = std::iter::once(0).chain(feeds).collect();
        if starts.last() != Some(&block.len()) {
            starts.push(block.len());
        }
        let looked: Vec<Option<Result<Hit, ()>>> = starts
            .par_windows(2)
            .with_min_len(LINES_A_TASK)
            .map(|line| {
                let (from, to) = trimmed(block, line[0], line[1], base);
                let text = &block[from..to.max(from)];
                if text.is_empty() {
                    return None;
                }
                if (line[1] - line[0]) as u64 > self.limit {
                    return Some(Err(()));
                }
                match self.opener.open_line(text) {
                    Err(_) => Some(Err(())),
                    Ok(opened) if self.opener.thread_key(text, &opened.thread) != *thread => None,
                    Ok(_) => reopen(self.opener, block, from).ok().map(|span| Ok((line[0], span))),
                }
            })
            .collect();
        let faults = looked.iter().filter(|look| matches!(look, Some(Err(())))).count() as u64;
        (looked.into_iter().flatten().flatten().collect(), faults)
    }
}

/// Lines that one worker opens at a time.
const LINES_A_TASK: usize = 256;

/// A byte order mark, which may stand at a log's start.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A line of a block without its line feed, blanks and, at the log's start, byte order mark.
fn trimmed(block: &[u8], start: usize, end: usize, base: u64) -> (usize, usize) {
    let marked = base == 0 && start == 0 && block.starts_with(BOM);
    let end = if end > start && block[end - 1] == b'\n' { end - 1 } else { end };
    trim(block, if marked { BOM.len() } else { start }, end)
}

/// Whether two neighbouring events of a thread belong to different generations (BEHAVIOUR 10).
fn parts(before: &Span, after: &Span) -> bool {
    before.has(Span::ENDS_THREAD) || (after.ordinal() == Some(0) && before.ordinal().is_some_and(|ordinal| ordinal > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    /// Events of three threads, some lines longer than the first read, blanks and garbage between.
    fn log() -> Vec<u8> {
        let mut text = b"\xEF\xBB\xBF{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_vec();
        for at in 0..3000usize {
            let padding = "x".repeat(if at % 500 == 7 { 200_000 } else { at % 50 });
            let (tid, ordinal) = (at % 3, at / 3);
            text.extend(
                format!("{{\"tid\":{tid},\"tid_event_idx\":{ordinal},\"kind\":\"a\",\"p\":\"{padding}\"}}\n").bytes(),
            );
            match at % 100 {
                50 => text.extend(b"  \r\n"),
                60 => text.extend(b"garbage\n"),
                _ => {}
            }
        }
        text
    }

    #[test]
    fn seeking_finds_what_reading_finds() {
        let (text, profile) = (log(), builtin("schema-v1").unwrap());
        let opener = Opener::new(&profile, false);
        let mut all: Vec<(u64, ThreadKey)> = Vec::new();
        let mut offset = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (from, to) = trim(line, 0, line.len() - 1);
            if offset > 0
                && let Ok(opened) = opener.open_line(&line[from..to.max(from)])
            {
                all.push((offset, opener.thread_key(&line[from..to], &opened.thread)));
            }
            offset += line.len() as u64;
        }
        assert_eq!(all.len(), 3000);
        for (at, context) in [(0, 3), (1, 0), (7, 2), (1500, 40), (1507, 3), (2999, 3), (2000, 5000)] {
            let (offset, thread) = &all[at];
            let wanted = Wanted { offset: offset + 5, thread: None, context, header: true, line_bytes_max: 1 << 20 };
            let found = around(&text[..], &opener, wanted, &|_| {}).unwrap();
            let of_lane: Vec<u64> = all.iter().filter(|event| event.1 == *thread).map(|event| event.0).collect();
            let here = of_lane.iter().position(|place| place == offset).unwrap();
            let places = |events: &[Sighting]| events.iter().map(|event| event.offset).collect::<Vec<_>>();
            assert_eq!(places(&found.before), of_lane[here.saturating_sub(context)..here], "{at}");
            assert_eq!(found.target.offset, *offset, "{at}");
            assert_eq!(places(&found.after), of_lane[here + 1..(here + 1 + context).min(of_lane.len())], "{at}");
        }
    }

    #[test]
    fn context_ends_where_a_thread_begins_anew() {
        let line =
            |ordinal: u64, kind: &str| format!("{{\"tid\":1,\"tid_event_idx\":{ordinal},\"kind\":\"{kind}\"}}\n");
        let events = [(0, "a"), (1, "a"), (0, "a"), (0, "a"), (1, "thread.exit"), (5, "a"), (6, "a")];
        let text: String = events.iter().map(|(ordinal, kind)| line(*ordinal, kind)).collect();
        let opener = Opener::new(&builtin("schema-v1").unwrap(), false);
        // Two events of ordinal 0 in a row are a fault, which is the reader's to tell; no new generation.
        let lives = [0..2, 2..5, 5..7];
        let mut offset = 0;
        for (at, (ordinal, kind)) in events.iter().enumerate() {
            let wanted = Wanted { offset, thread: None, context: 9, header: false, line_bytes_max: 1 << 20 };
            let found = around(text.as_bytes(), &opener, wanted, &|_| {}).unwrap();
            let life = lives.iter().find(|life| life.contains(&at)).expect("every event has one");
            assert_eq!((found.before.len(), found.after.len()), (at - life.start, life.end - 1 - at), "{at}");
            offset += line(*ordinal, kind).len() as u64;
        }
    }

    #[test]
    fn lines_are_counted_from_one() {
        let text = b"a\n\nb\nc";
        let offset = |line| offset_of_line(&text[..], line, &|_| {}).unwrap();
        assert_eq!([1, 2, 3, 4, 5].map(offset), [Some(0), Some(2), Some(3), Some(5), None]);
        assert_eq!(offset_of_line(&b"a\n"[..], 2, &|_| {}).unwrap(), None);
    }

    #[test]
    fn the_first_event_stands_right_behind_the_header() {
        let (text, opener) = (log(), Opener::new(&builtin("schema-v1").unwrap(), false));
        let header = text.iter().position(|byte| *byte == b'\n').unwrap() as u64 + 1;
        let seek = |offset| {
            let wanted = Wanted { offset, thread: None, context: 0, header: true, line_bytes_max: 1 << 20 };
            around(&text[..], &opener, wanted, &|_| {})
        };
        assert_eq!(seek(header).unwrap().target.offset, header);
        assert!(matches!(seek(header - 1), Err(AroundError::Header(_))));
    }

    #[test]
    fn a_neighbour_may_be_as_long_as_lines_may_be() {
        let line = |at: usize, len: usize| {
            let bare = format!("{{\"tid\":1,\"tid_event_idx\":{at},\"kind\":\"a\",\"x\":\"\"}}\n").len();
            format!("{{\"tid\":1,\"tid_event_idx\":{at},\"kind\":\"a\",\"x\":\"{}\"}}\n", "y".repeat(len - bare))
        };
        let limit = BLOCK_MIN as usize;
        let text = line(0, 100) + &line(1, limit) + &line(2, 100);
        let opener = Opener::new(&builtin("schema-v1").unwrap(), false);
        let offset = 100 + limit as u64;
        let wanted = Wanted { offset, thread: None, context: 1, header: false, line_bytes_max: limit as u64 };
        let found = around(text.as_bytes(), &opener, wanted, &|_| {}).unwrap();
        assert_eq!((found.before[0].offset, found.target.offset), (100, offset));
    }

    #[test]
    fn a_line_over_the_limit_is_named() {
        let text = format!("{{\"tid\":1,\"x\":\"{}\"}}\n", "y".repeat(1 << 20));
        let opener = Opener::new(&builtin("generic").unwrap(), false);
        let wanted = Wanted { offset: 500_000, thread: None, context: 1, header: false, line_bytes_max: 1 << 16 };
        let error = around(text.as_bytes(), &opener, wanted, &|_| {}).unwrap_err();
        assert!(matches!(error, AroundError::TooLong(_)), "{error}");
    }
}
