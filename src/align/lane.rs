//! Lanes: one thread (and generation) on one side, as a queue of events not yet weighed.

use std::collections::VecDeque;
use std::sync::Arc;

use super::group::GroupKeys;
use super::joining::{Joined, Parts};
use super::pairing::Opening;
use super::sealed::Sealed;
use super::taken_out::Folding;
use crate::compare::Event;
use crate::scan::{Opener, Sight, Span, SpanTable, ThreadKey};
use crate::source::{Bytes, Log, SourceError};

/// The bytes of a window and the spans that point into them.
pub struct Held {
    pub bytes: Bytes,
    pub spans: SpanTable,
    /// Offset of the first byte in the log.
    pub offset: u64,
    /// Physical line of the first byte, from 1.
    pub first_line: u64,
    /// Where each line stands in the log (offset and physical line), if `bytes` holds lines that
    /// were read again, one after the other.
    pub gathered: Option<Vec<(u64, u64)>>,
    /// Of how many of the log's events each of these was made: more than one where a rule joined them.
    pub parts: u32,
}

impl Held {
    /// Physical line of a line of the table, from 1.
    pub fn line(&self, row: u32) -> u64 {
        match &self.gathered {
            Some(places) => places[row as usize].1,
            None => self.first_line + u64::from(row),
        }
    }

    /// Offset in the log of a line of the table.
    pub(super) fn line_offset(&self, row: u32) -> u64 {
        match &self.gathered {
            Some(places) => places[row as usize].0,
            None => self.offset + self.spans.line(row).0 as u64,
        }
    }
}

/// Events of one lane that lie together.
pub enum Batch {
    /// Their bytes are at hand: a range of a table's spans, and how many of the lane's events were taken out before.
    Hot { held: Arc<Held>, from: u32, to: u32, gone: u64 },
    /// Their bytes were given up; only where their lines begin is kept.
    Sealed(Box<Sealed>),
    /// One event, whose line is kept.
    Joined(Box<Joined>),
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
    /// Of how many of the log's events it was made; this is where the last of them stands.
    pub parts: u32,
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
    /// Its pairing is still weighed.
    pub active: bool,
    /// Lines of the log skipped up to this lane's last event.
    pub skipped_seen: u64,
    /// Places before which events with these ordinals were skipped: (position, after, before).
    pub holes: VecDeque<(u64, Option<u64>, u64)>,
    /// Lines were skipped that may have been this lane's, after this position.
    pub fault_from: Option<u64>,
    /// Events taken out by rules so far.
    pub gone: u64,
    pub(super) folding: Option<Box<Folding>>,
    /// Events that wait to be joined with the next one; they are not in the queue.
    pub(super) parts: Option<Box<Parts>>,
    queue: VecDeque<Batch>,
    /// Events of the front batch already taken.
    taken: usize,
    /// Position of the first event in the queue.
    pub head: u64,
    /// Batches at the front of the queue that are not hot.
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
            active: false,
            skipped_seen: 0,
            holes: VecDeque::new(),
            fault_from: None,
            gone: 0,
            folding: None,
            parts: None,
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

    /// Appends a range of a table's events, in file order.
    pub fn push(&mut self, held: &Arc<Held>, from: u32, to: u32) {
        self.events += u64::from(to - from);
        self.queue.push_back(Batch::Hot { held: Arc::clone(held), from, to, gone: self.gone });
    }

    /// Appends an event whose line is kept.
    pub(super) fn push_joined(&mut self, joined: Joined) {
        self.events += 1;
        self.queue.push_back(Batch::Joined(Box::new(joined)));
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
        while let Some(batch) = self.queue.get(self.sealed) {
            if let Batch::Hot { held: front, from, to, gone } = batch {
                if !Arc::ptr_eq(front, held) {
                    return;
                }
                let taken = if self.sealed == 0 { std::mem::take(&mut self.taken) as u32 } else { 0 };
                let sealed = Sealed::new(held, *from + taken, *to, *gone);
                self.queue[self.sealed] = Batch::Sealed(Box::new(sealed));
            }
            self.sealed += 1;
        }
    }

    /// Makes at least `wanted` events (or all that wait) hot at the front of the queue.
    ///
    /// # Errors
    /// The log cannot be read again, or its lines are not what they were.
    pub fn unseal(&mut self, wanted: u64, log: &Log, opener: &Opener, strict: bool) -> Result<(), SourceError> {
        for at in self.sealed_within(wanted) {
            let held = self.reopened(at, log, opener, strict)?;
            self.put_back(at, held);
        }
        Ok(())
    }

    /// Which batches must be reopened for so many events to be hot at the front of the queue.
    pub fn sealed_within(&self, wanted: u64) -> Vec<usize> {
        let (mut within, mut hot) = (Vec::new(), 0);
        for (at, batch) in self.queue.iter().enumerate() {
            if hot >= wanted {
                break;
            }
            if !batch.is_hot() {
                within.push(at);
            }
            hot += (batch.len() - if at == 0 { self.taken } else { 0 }) as u64;
        }
        within
    }

    /// A sealed batch, read again; nothing for one that is hot.
    ///
    /// # Errors
    /// As [`Lane::unseal`].
    pub fn reopened(&self, at: usize, log: &Log, opener: &Opener, strict: bool) -> Result<Option<Held>, SourceError> {
        match &self.queue[at] {
            Batch::Sealed(sealed) => sealed.open(log, opener, strict).map(Some),
            Batch::Joined(joined) => joined.open(log, opener, strict).map(Some),
            Batch::Hot { .. } => Ok(None),
        }
    }

    /// Puts a batch that was read again in its place.
    pub fn put_back(&mut self, at: usize, held: Option<Held>) {
        if let Some(held) = held {
            let to = held.spans.len();
            let gone = self.queue[at].gone();
            self.queue[at] = Batch::Hot { held: Arc::new(held), from: 0, to, gone };
            self.sealed = self.queue.iter().take_while(|batch| !batch.is_hot()).count();
        }
    }

    /// How many events at the front are hot.
    pub fn hot(&self) -> u64 {
        let mut hot = 0;
        for batch in &self.queue {
            match batch {
                Batch::Hot { from, to, .. } => hot += u64::from(to - from),
                Batch::Sealed(_) | Batch::Joined(_) => break,
            }
        }
        if self.queue.is_empty() { 0 } else { hot.saturating_sub(self.taken as u64) }
    }

    /// Physical line of the first event that waits, hot or not.
    pub fn next_line(&self) -> Option<u64> {
        let Some(front) = self.queue.front() else { return self.parts.as_ref().map(|parts| parts.line()) };
        match front {
            Batch::Joined(joined) => Some(joined.line),
            Batch::Hot { held, from, .. } => Some(held.line(held.spans.row(from + self.taken as u32))),
            Batch::Sealed(sealed) => Some(sealed.first_line),
        }
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
            Batch::Hot { from, to, .. } => (to - from) as usize,
            Batch::Sealed(sealed) => sealed.count as usize,
            Batch::Joined(_) => 1,
        }
    }

    /// Whether its bytes are at hand, and scanned.
    fn is_hot(&self) -> bool {
        matches!(self, Batch::Hot { .. })
    }

    /// The lane's events that were taken out before these.
    fn gone(&self) -> u64 {
        match self {
            Batch::Hot { gone, .. } => *gone,
            Batch::Sealed(sealed) => sealed.gone,
            Batch::Joined(joined) => joined.gone,
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
    /// Its span in the table.
    pub index: u32,
    pub position: u64,
    /// Events of its lane that were taken out before it.
    pub gone: u64,
}

/// Events of a lane whose spans stand one after the other.
#[derive(Clone, Copy)]
pub struct Run<'l> {
    pub first: Met<'l>,
    pub count: u32,
    /// Those of their window.
    bytes: &'l [u8],
}

impl<'l> Run<'l> {
    /// The event so many behind the first.
    #[inline]
    pub fn at(&self, behind: u32) -> Met<'l> {
        let Met { held, index, position, gone } = self.first;
        Met { held, index: index + behind, position: position + u64::from(behind), gone }
    }

    /// The same as the comparer sees it.
    #[inline(always)]
    pub fn event(&self, behind: u32) -> Event<'l> {
        let span = self.first.held.spans.span(self.first.index + behind);
        without(self.first.gone, event_of(&span, span.line_of(self.bytes), self.first.held.line(span.row)))
    }

    /// What is seen of an event and its partner so many behind the first.
    #[inline(always)]
    pub fn sight(&self, other: &Run<'_>, behind: u32) -> Sight {
        let partner = (&other.first.held.spans, other.bytes, other.first.index + behind);
        self.first.held.spans.sight(self.bytes, self.first.index + behind, partner)
    }

    /// Asks for the bytes of an event ahead of their use.
    #[inline(always)]
    pub fn prefetch(&self, behind: u32) {
        self.first.held.spans.prefetch(self.bytes, self.first.index + behind);
    }
}

impl<'l> LaneCursor<'l> {
    /// The hot events from here on that lie together; not taken yet.
    pub fn run(&mut self) -> Option<Run<'l>> {
        loop {
            let Batch::Hot { held, from, to, gone } = self.lane.queue.get(self.batch)? else { return None };
            let index = *from + self.at as u32;
            if index < *to {
                let first = Met { held, index, position: self.position, gone: *gone };
                return Some(Run { first, count: *to - index, bytes: &held.bytes });
            }
            self.batch += 1;
            self.at = 0;
        }
    }

    /// Goes past events of the run.
    pub fn pass(&mut self, count: u32) {
        self.at += count as usize;
        self.position += u64::from(count);
    }
}

impl<'l> Iterator for LaneCursor<'l> {
    type Item = Met<'l>;

    #[inline]
    fn next(&mut self) -> Option<Met<'l>> {
        let run = self.run()?;
        self.pass(1);
        Some(run.first)
    }
}

impl<'l> Met<'l> {
    /// The event's span.
    #[inline(always)]
    pub fn span(&self) -> Span {
        self.held.spans.span(self.index)
    }

    /// The event's number, if it has one, as if what was taken out had never been there.
    pub fn ordinal(&self) -> Option<u64> {
        self.held.spans.ordinal(self.index).map(|ordinal| ordinal.saturating_sub(self.gone))
    }

    /// The event as the comparer sees it.
    #[inline(always)]
    pub fn event(&self) -> Event<'l> {
        let span = self.span();
        without(self.gone, event_of(&span, span.line_of(&self.held.bytes), self.held.line(span.row)))
    }

    /// Where the event stands.
    pub fn place(&self) -> Place {
        let row = self.held.spans.row(self.index);
        Place {
            line: self.held.line(row),
            offset: self.held.line_offset(row),
            ordinal: self.held.spans.ordinal(self.index),
            position: self.position,
            parts: self.held.parts,
        }
    }

    /// Offset in the log of a byte of the trimmed line.
    pub fn offset_of(&self, at: usize) -> u64 {
        let span = self.span();
        self.held.line_offset(span.row) + u64::from(span.lead) + at as u64
    }
}

/// An event numbered as if so many of its lane's before it had never been there.
#[inline(always)]
fn without(gone: u64, mut event: Event<'_>) -> Event<'_> {
    if gone != 0 {
        event.ordinal = event.ordinal.map(|ordinal| ordinal.saturating_sub(gone));
    }
    event
}

/// The event of a trimmed line, which is of this number, as the comparer sees it.
#[inline(always)]
pub fn event_of<'l>(span: &Span, line: &'l [u8], number: u64) -> Event<'l> {
    Event {
        line,
        kind: span.kind.of(line),
        ordinal: span.ordinal(),
        tail: span.tail.of(line),
        payload_missing: span.has(Span::PAYLOAD_MISSING),
        nondeterministic: span.has(Span::NONDETERMINISTIC),
        head_is_strict: span.has(Span::HEAD_STRICT),
        must_read: span.has(Span::MUST_READ),
        number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of `threads` threads that take turns, scanned into the lane of the first; a fifth of the events are `long`.
    fn lane_among(threads: u64, events: u64, long: usize) -> (Lane, Log, Opener, Arc<Held>) {
        let profile = crate::profile::builtin("schema-v1").expect("it is built in");
        let line = |at: u64, thread: u64| {
            format!(
                " {{\"tid\":{thread},\"tid_event_idx\":{at},\"kind\":\"k\",\"payload\":{{\"n\":{},\"s\":\"{}\"}}}}\r\n\n",
                at * at,
                "x".repeat(if at % 5 == 1 { long } else { 0 })
            )
        };
        let text: String = (0..events).flat_map(|at| (0..threads).map(move |thread| line(at, thread))).collect();
        let opener = Opener::new(&profile, false);
        let mut log = Log::from_bytes("log", text.into_bytes(), &crate::source::OpenOptions::default());
        let window = log.next_window().expect("memory").expect("one window");
        let scanned = crate::scan::scan_window(&opener, &window, 0, crate::scan::ScanOptions::default());
        let (bytes, spans) = (window.bytes, scanned.spans);
        let held = Arc::new(Held { bytes, spans, offset: window.offset, first_line: 1, gathered: None, parts: 1 });
        let mut lane = Lane::new(ThreadKey::Integer(0), 0);
        lane.push(&held, scanned.groups[0].from, scanned.groups[0].to);
        (lane, log, opener, held)
    }

    fn events(lane: &Lane) -> Vec<(Vec<u8>, Place, u64)> {
        lane.cursor(0).map(|met| (met.event().line.to_vec(), met.place(), met.offset_of(3))).collect()
    }

    fn front(lane: &Lane) -> Arc<Held> {
        let Some(Batch::Hot { held, .. }) = lane.queue.front() else { panic!("nothing is hot") };
        Arc::clone(held)
    }

    #[test]
    fn sealed_events_come_back_as_they_were_read_whole_or_gathered() {
        for (threads, long) in [(1, 0), (2, 0), (50, 0), (6, 8_000)] {
            let (mut lane, log, opener, held) = lane_among(threads, 40, long);
            lane.pop(3);
            let before = events(&lane);
            lane.seal(&held);
            assert_eq!((lane.hot(), lane.waiting()), (0, 37), "all is sealed");
            lane.unseal(1, &log, &opener, false).expect("memory can be read again");
            assert_eq!(events(&lane), before, "{threads} threads");
            lane.seal(&front(&lane));
            assert_eq!(lane.hot(), 0, "what came back is sealed again");
            lane.unseal(1, &log, &opener, false).expect("memory can be read again");
            assert_eq!(events(&lane), before, "{threads} threads");
        }
    }

    #[test]
    fn lines_that_are_not_what_they_were_do_not_come_back() {
        let (mut lane, log, opener, held) = lane_among(2, 40, 0);
        lane.seal(&held);
        let text = log.reread(0, held.bytes.len()).expect("memory can be read again");
        // A line is another thread's now, or is none.
        for digit in *b"1x" {
            let mut changed = text.to_vec();
            let line = memchr::memmem::rfind(&changed, b"\"tid\":0").expect("there are many");
            changed[line + 6] = digit;
            let other = Log::from_bytes("log", changed, &crate::source::OpenOptions::default());
            let error = lane.unseal(40, &other, &opener, false).expect_err("a line has changed");
            assert_eq!(error.to_string(), "log was rewritten while it was read");
        }
        lane.unseal(40, &log, &opener, false).expect("the first log is what it was");
    }
}
