//! Lanes: one thread (and generation) on one side, as a queue of events not yet weighed.

use std::collections::VecDeque;
use std::sync::Arc;

use super::group::GroupKeys;
use super::pairing::Opening;
use crate::compare::Event;
use crate::scan::{OpenFault, Opener, Span, ThreadKey, reopen};
use crate::source::{Bytes, Log, SourceError};

/// The bytes of a window that spans point into.
pub struct Held {
    pub bytes: Bytes,
    /// Offset of the first byte in the log.
    pub offset: u64,
    /// Physical line of the first byte, from 1.
    pub first_line: u64,
    /// Where each event's physical line begins in the log, if `bytes` holds only those lines one
    /// after the other: the event's `sequence` is its place here.
    pub gathered: Option<Vec<u64>>,
}

impl Held {
    /// Offset in the log of a byte of a span's physical line.
    fn offset_in_log(&self, span: &Span, from_line_start: u64) -> u64 {
        let line_start = match &self.gathered {
            Some(offsets) => offsets[span.sequence as usize],
            None => self.offset + u64::from(span.start - span.lead),
        };
        line_start + from_line_start
    }
}

/// Events of one lane that lie together.
pub enum Batch {
    /// Their bytes are at hand.
    Hot { held: Arc<Held>, spans: Vec<Span> },
    /// Their bytes were given up; only where their lines begin is kept.
    Sealed(Sealed),
}

/// Events whose bytes are read again when their partners come: for each event three LEB128
/// numbers, the bytes and the lines from the event before it and the bytes of its own line.
/// Mostly five bytes an event.
pub struct Sealed {
    /// Offset of the first event's physical line, and bytes to the end of the last event's line.
    offset: u64,
    len: u32,
    first_line: u64,
    count: u32,
    last_must_read: bool,
    steps: Box<[u8]>,
}

/// Where an event stands in its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Physical line, from 1.
    pub line: u64,
    /// Offset of the physical line's first byte.
    pub offset: u64,
    pub ordinal: Option<u64>,
    /// Place in the lane, from 0.
    pub position: u64,
}

/// One thread (and generation) on one side.
pub struct Lane {
    pub thread: ThreadKey,
    pub generation: u32,
    /// Physical line of the first event.
    pub first_line: u64,
    /// Log time of the first event that takes part in pairing.
    pub first_time: Option<u64>,
    /// Events so far, those dropped by `skip_start` included.
    pub events: u64,
    pub last_ordinal: Option<u64>,
    /// No event will come any more.
    pub complete: bool,
    /// Ended by its end event: the next event of the thread opens another generation.
    pub ended: bool,
    pub opening: Option<Opening>,
    pub group: GroupKeys,
    /// Events still wanted for the opening; 0 once it is ripe.
    pub opening_wanted: usize,
    pub ripe_at: Option<u64>,
    pub pairing: Option<usize>,
    /// Lines of the log skipped up to this lane's last event.
    pub skipped_seen: u64,
    /// Places before which events with these ordinals were skipped: (position, after, before).
    pub holes: VecDeque<(u64, Option<u64>, u64)>,
    /// Lines were skipped that may have been this lane's, after this position.
    pub fault_from: Option<u64>,
    queue: VecDeque<Batch>,
    /// Events of the front batch already taken.
    taken: usize,
    /// Position of the first event in the queue.
    pub head: u64,
    /// Batches at the front of the queue that are sealed.
    sealed: usize,
}

impl Lane {
    /// A lane without events.
    pub fn new(thread: ThreadKey, generation: u32) -> Lane {
        Lane {
            thread,
            generation,
            first_line: 0,
            first_time: None,
            events: 0,
            last_ordinal: None,
            complete: false,
            ended: false,
            opening: None,
            group: GroupKeys::default(),
            opening_wanted: super::pairing::OPENING_EVENTS_MAX,
            ripe_at: None,
            pairing: None,
            skipped_seen: 0,
            holes: VecDeque::new(),
            fault_from: None,
            queue: VecDeque::new(),
            taken: 0,
            head: 0,
            sealed: 0,
        }
    }

    /// Events that wait in the queue.
    pub fn waiting(&self) -> u64 {
        self.events - self.head
    }

    /// Appends events in file order.
    pub fn push(&mut self, held: &Arc<Held>, spans: Vec<Span>) {
        self.events += spans.len() as u64;
        self.queue.push_back(Batch::Hot { held: Arc::clone(held), spans });
    }

    /// Takes `count` events off the front.
    pub fn pop(&mut self, count: u64) {
        self.head += count;
        // A hole inside what was taken is behind us.
        while self.holes.front().is_some_and(|hole| hole.0 < self.head) {
            self.holes.pop_front();
        }
        let mut left = count as usize;
        while left > 0 {
            let front = self.queue.front().expect("no more events are taken than wait");
            let size = front.len() - self.taken;
            if left < size {
                self.taken += left;
                return;
            }
            left -= size;
            self.taken = 0;
            self.queue.pop_front();
            self.sealed = self.sealed.saturating_sub(1);
        }
    }

    /// Gives up the bytes of `held` where this lane still needs them.
    pub fn seal(&mut self, held: &Arc<Held>) {
        while let Some(Batch::Hot { held: front, spans }) = self.queue.get(self.sealed) {
            if !Arc::ptr_eq(front, held) {
                return;
            }
            let from = if self.sealed == 0 { std::mem::take(&mut self.taken) } else { 0 };
            let sealed = Sealed::new(held, &spans[from..]);
            self.queue[self.sealed] = Batch::Sealed(sealed);
            self.sealed += 1;
        }
    }

    /// Makes at least `wanted` events (or all that wait) hot at the front of the queue.
    ///
    /// # Errors
    /// The log cannot be read again, or its lines are not what they were.
    pub fn unseal(&mut self, wanted: u64, log: &Log, opener: &Opener, strict: bool) -> Result<(), SourceError> {
        let mut hot = 0;
        for at in 0..self.queue.len() {
            if hot >= wanted {
                break;
            }
            if let Batch::Sealed(sealed) = &self.queue[at] {
                let (held, spans) = sealed.open(log, opener, strict)?;
                self.queue[at] = Batch::Hot { held, spans };
            }
            hot += (self.queue[at].len() - if at == 0 { self.taken } else { 0 }) as u64;
        }
        self.sealed = self.queue.iter().take_while(|batch| matches!(batch, Batch::Sealed(_))).count();
        Ok(())
    }

    /// How many events at the front are hot.
    pub fn hot(&self) -> u64 {
        let mut hot = 0;
        for batch in &self.queue {
            match batch {
                Batch::Hot { spans, .. } => hot += spans.len() as u64,
                Batch::Sealed(_) => break,
            }
        }
        if self.queue.is_empty() { 0 } else { hot.saturating_sub(self.taken as u64) }
    }

    /// A cursor over the hot events, `skip` events behind the front.
    pub fn cursor(&self, skip: u64) -> LaneCursor<'_> {
        let (mut batch, mut at) = (0, self.taken + skip as usize);
        while let Some(size) = self.queue.get(batch).map(Batch::len).filter(|size| at >= *size) {
            at -= size;
            batch += 1;
        }
        LaneCursor { lane: self, batch, at, position: self.head + skip }
    }
}

impl Batch {
    fn len(&self) -> usize {
        match self {
            Batch::Hot { spans, .. } => spans.len(),
            Batch::Sealed(sealed) => sealed.count as usize,
        }
    }
}

/// Walks the hot events of a lane.
#[derive(Clone)]
pub struct LaneCursor<'l> {
    lane: &'l Lane,
    batch: usize,
    at: usize,
    position: u64,
}

/// An event together with where it stands.
#[derive(Clone, Copy)]
pub struct Met<'l> {
    pub held: &'l Held,
    pub span: &'l Span,
    pub position: u64,
}

impl<'l> Iterator for LaneCursor<'l> {
    type Item = Met<'l>;

    #[inline]
    fn next(&mut self) -> Option<Met<'l>> {
        loop {
            let Batch::Hot { held, spans } = self.lane.queue.get(self.batch)? else { return None };
            if let Some(span) = spans.get(self.at) {
                let met = Met { held, span, position: self.position };
                self.at += 1;
                self.position += 1;
                return Some(met);
            }
            self.batch += 1;
            self.at = 0;
        }
    }
}

impl<'l> Met<'l> {
    /// The event as the comparer sees it.
    #[inline]
    pub fn event(&self) -> Event<'l> {
        let line = self.span.line_of(&self.held.bytes);
        Event {
            line,
            kind: self.span.kind.of(line),
            ordinal: self.span.ordinal(),
            tail: self.span.tail.of(line),
            payload_missing: self.span.has(Span::PAYLOAD_MISSING),
            nondeterministic: self.span.has(Span::NONDETERMINISTIC),
            head_is_strict: false,
            must_read: self.span.has(Span::MUST_READ),
        }
    }

    /// Where the event stands.
    pub fn place(&self) -> Place {
        Place {
            line: self.held.first_line + u64::from(self.span.line),
            offset: self.held.offset_in_log(self.span, 0),
            ordinal: self.span.ordinal(),
            position: self.position,
        }
    }

    /// Offset in the log of a byte of the trimmed line.
    pub fn offset_of(&self, at: usize) -> u64 {
        self.held.offset_in_log(self.span, u64::from(self.span.lead) + at as u64)
    }
}

/// A sealed stretch is read whole if it is at most so many times what its lines take; else
/// line by line, so that a thread among hundreds does not bring back everybody's lines.
const WHOLE_READ_MAX: u64 = 4;

/// Where a sealed event's line lies: bytes and lines from the stretch's begin, and its bytes.
#[derive(Clone, Copy)]
struct Step {
    start: u64,
    line: u64,
    len: u64,
}

impl Sealed {
    fn new(held: &Held, spans: &[Span]) -> Sealed {
        let begin = |span: &Span| held.offset_in_log(span, 0);
        let (first, last) = (&spans[0], &spans[spans.len() - 1]);
        let mut steps = Vec::with_capacity(spans.len() * 5);
        let mut before = first;
        for span in spans {
            push_leb128(&mut steps, begin(span) - begin(before));
            push_leb128(&mut steps, u64::from(span.line - before.line));
            push_leb128(&mut steps, u64::from(span.lead + span.len));
            before = span;
        }
        Sealed {
            offset: begin(first),
            len: (begin(last) - begin(first)) as u32 + last.lead + last.len,
            first_line: held.first_line + u64::from(first.line),
            count: spans.len() as u32,
            last_must_read: last.has(Span::MUST_READ),
            steps: steps.into_boxed_slice(),
        }
    }

    fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let (mut rest, mut start, mut line) = (&self.steps[..], 0, 0);
        (0..self.count).map(move |_| {
            start += take_leb128(&mut rest);
            line += take_leb128(&mut rest);
            Step { start, line, len: take_leb128(&mut rest) }
        })
    }

    fn open(&self, log: &Log, opener: &Opener, strict: bool) -> Result<(Arc<Held>, Vec<Span>), SourceError> {
        let needed: u64 = self.steps().map(|step| step.len).sum();
        let gather = u64::from(self.len) > WHOLE_READ_MAX * needed;
        let (bytes, gathered) =
            if gather { self.gather(log)? } else { (log.reread(self.offset, self.len as usize)?, None) };
        let mut spans: Vec<Span> = Vec::with_capacity(self.count as usize);
        let mut at = 0;
        for step in self.steps() {
            let start = if gather { at } else { step.start as usize };
            at += step.len as usize + 1;
            let mut span = reopen(opener, &bytes, start).map_err(|_: OpenFault| log.changed())?;
            span.line = step.line as u32;
            span.sequence = spans.len() as u32;
            if strict {
                span.flags |= Span::MUST_READ;
            }
            spans.push(span);
        }
        if let Some(last) = spans.last_mut()
            && self.last_must_read
        {
            last.flags |= Span::MUST_READ;
        }
        let held = Held { bytes, offset: self.offset, first_line: self.first_line, gathered };
        Ok((Arc::new(held), spans))
    }

    /// The lines alone, each with a line feed, and where they begin in the log.
    fn gather(&self, log: &Log) -> Result<(Bytes, Option<Vec<u64>>), SourceError> {
        let mut bytes = Vec::new();
        let mut offsets = Vec::with_capacity(self.count as usize);
        for step in self.steps() {
            bytes.extend_from_slice(&log.reread(self.offset + step.start, step.len as usize)?);
            bytes.push(b'\n');
            offsets.push(self.offset + step.start);
        }
        Ok((bytes.into(), Some(offsets)))
    }
}

fn push_leb128(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_leb128(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_survive_the_seal() {
        let values = [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX)];
        let mut bytes = Vec::new();
        values.iter().for_each(|value| push_leb128(&mut bytes, *value));
        let mut rest = &bytes[..];
        assert!(values.iter().all(|value| take_leb128(&mut rest) == *value));
        assert!(rest.is_empty());
    }

    /// A log of `threads` threads that take turns, scanned into the lane of the first.
    fn lane_among(threads: u64, events: u64) -> (Lane, Log, Opener, Arc<Held>) {
        let profile = crate::profile::builtin("schema-v1").expect("it is built in");
        let line = |at: u64, thread: u64| {
            format!(
                " {{\"tid\":{thread},\"tid_event_idx\":{at},\"kind\":\"k\",\"payload\":{{\"n\":{}}}}}\r\n\n",
                at * at
            )
        };
        let text: String = (0..events).flat_map(|at| (0..threads).map(move |thread| line(at, thread))).collect();
        let opener = Opener::new(&profile, false);
        let mut log = Log::from_bytes("log", text.into_bytes(), &crate::source::OpenOptions::default());
        let window = log.next_window().expect("memory").expect("one window");
        let scanned = crate::scan::scan_window(&opener, &window, 0, crate::scan::ScanOptions::default());
        let held = Arc::new(Held { bytes: window.bytes, offset: window.offset, first_line: 1, gathered: None });
        let mut lane = Lane::new(ThreadKey::Integer(0), 0);
        lane.push(&held, scanned.groups[0].spans.clone());
        (lane, log, opener, held)
    }

    fn events(lane: &Lane) -> Vec<(Vec<u8>, Place, u64)> {
        lane.cursor(0).map(|met| (met.event().line.to_vec(), met.place(), met.offset_of(3))).collect()
    }

    #[test]
    fn sealed_events_come_back_as_they_were_read_whole_or_gathered() {
        for (threads, gathers) in [(1, false), (2, false), (50, true)] {
            let (mut lane, log, opener, held) = lane_among(threads, 40);
            lane.pop(3);
            let before = events(&lane);
            lane.seal(&held);
            assert_eq!((lane.hot(), lane.waiting()), (0, 37), "all is sealed");
            lane.unseal(1, &log, &opener, false).expect("memory can be read again");
            assert_eq!(events(&lane), before, "{threads} threads");
            let Some(Batch::Hot { held, .. }) = lane.queue.front() else { panic!("nothing came back") };
            assert_eq!(held.gathered.is_some(), gathers, "{threads} threads");
        }
    }
}
