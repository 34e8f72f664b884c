//! A ring of bytes between a thread that records and whoever writes to the file: one side puts whole lines in, the
//! other takes them out, and neither waits for the other.
//!
//! ```text
//! words     [ 8 bytes | 8 bytes | … ]         a power of two of them, each an atomic
//! head      closed · marked · lines · place   the recording thread's: published up to `place`
//! tail      place                             the writing side's: free up to there
//! ```
//!
//! Both places count bytes and wrap at 2^32. A line is built behind the bytes that share its first word
//! ([`Producer::line`]), so that it moves to the ring in whole words, without shifting. The last word of a line is stored
//! once more with the next line's first bytes; whoever reads it meanwhile sees the same low bytes either way. Nothing
//! here is unsafe: a place that is read too early would give wrong bytes, not undefined ones, and `tests/emit_ring.rs`
//! builds this very file upon loom's atomics to show that none is.
//!
//! The head is one atomic so that what it tells is told at once: how far bytes go, how many lines of events they are, and
//! whether the marker of the last loss is among them. The other side closes a ring by a bit in it: from then on nothing
//! can be published, so that what is counted at the end is exactly what is in the file.
//!
//! Cost of a line of n bytes: n/8 loads and stores, one compare-and-swap, and a look at the other side's place only
//! when the ring seems to be a quarter full.

use std::sync::Arc;

use super::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// The least and the most bytes of a ring. Lines that lie in the largest one are fewer than 2^30, whatever they are.
pub(super) const RING_BYTES: std::ops::RangeInclusive<usize> = 64..=1 << 28;

/// Nothing may be published any more.
const CLOSED: u64 = 1 << 63;
/// Turned with every marker.
const MARKED: u64 = 1 << 62;
const LINES: u64 = (1 << 30) - 1;

/// Keeps what two threads write on cache lines of their own; processors fetch them in pairs.
#[repr(align(128))]
struct Apart<T>(T);

struct Ring {
    words: Box<[AtomicU64]>,
    head: Apart<AtomicU64>,
    tail: Apart<AtomicU32>,
    loss: Apart<LossPlace>,
    /// The recording side was dropped.
    gone: AtomicBool,
}

/// Where the recording thread tells what it could not put in and has not marked yet.
struct LossPlace {
    /// Which loss it is, counted from 1; 0 stands before the first.
    turn: AtomicU64,
    first: AtomicU64,
    events: AtomicU64,
}

/// Events that were dropped one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// The ordinal of the first.
    pub(super) first: u64,
    pub(super) events: u64,
}

/// What became of a line that was to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// It is in the ring.
    Yes,
    /// It is, and the ring fills: the other side should be woken. Told once for each place it has come to.
    Filling,
    /// There is no room now.
    Full,
    /// There never will be.
    TooLong,
    /// The ring was closed.
    Closed,
}

/// The side that records. One thread at a time has it.
pub(super) struct Producer {
    ring: Arc<Ring>,
    /// The bytes of the word that the place lies in, and behind them the line being built.
    line: Vec<u8>,
    place: u32,
    /// As published last, so that nobody but a closing changed it since.
    head: u64,
    /// Where the other side was when it was last looked at.
    tail: u32,
    /// The tail for which the other side was last asked to hurry.
    asked: Option<u32>,
    /// Losses so far.
    turn: u64,
    loss: Option<Loss>,
}

/// The side that takes out. One thread at a time has it.
pub(super) struct Consumer {
    ring: Arc<Ring>,
    tail: u32,
    /// Up to where it was told that there is something.
    end: u32,
    /// Lines that were told so far, as the head counts them.
    lines: u64,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Lines of events, markers not counted, since the look before.
    pub(super) events: u64,
    /// The recording side is gone: nothing more will come.
    pub(super) gone: bool,
}

/// A ring of so many bytes, made to fit: a power of two within [`RING_BYTES`].
pub(super) fn ring(bytes: usize) -> (Producer, Consumer) {
    let bytes = bytes.clamp(*RING_BYTES.start(), *RING_BYTES.end()).next_power_of_two();
    let zero = || AtomicU64::new(0);
    let ring = Arc::new(Ring {
        words: (0..bytes / 8).map(|_| zero()).collect(),
        head: Apart(zero()),
        tail: Apart(AtomicU32::new(0)),
        loss: Apart(LossPlace { turn: zero(), first: zero(), events: zero() }),
        gone: AtomicBool::new(false),
    });
    let line = Vec::with_capacity(1024);
    let producer =
        Producer { ring: Arc::clone(&ring), line, place: 0, head: 0, tail: 0, asked: None, turn: 0, loss: None };
    (producer, Consumer { ring, tail: 0, end: 0, lines: 0 })
}

impl Ring {
    fn bytes(&self) -> u32 {
        (self.words.len() * 8) as u32
    }

    /// The words from a place on: those to the end of the ring, and those from its start.
    fn from(&self, place: u32) -> (&[AtomicU64], &[AtomicU64]) {
        let (before, behind) = self.words.split_at((place / 8) as usize & (self.words.len() - 1));
        (behind, before)
    }
}

impl Producer {
    /// Where to write the next line: behind what is there. What was there of a line that was never published is gone.
    #[inline]
    pub(super) fn line(&mut self) -> &mut Vec<u8> {
        self.line.truncate(self.carried());
        &mut self.line
    }

    /// What was written since.
    pub(super) fn written(&self) -> &[u8] {
        &self.line[self.carried()..]
    }

    /// Bytes of the line before that share a word with the next.
    #[inline]
    fn carried(&self) -> usize {
        self.place as usize % 8
    }

    /// Publishes what was written since [`line`](Self::line): the text of one event, with that of a marker before it if a
    /// loss is to be told.
    #[inline]
    pub(super) fn publish(&mut self) -> Published {
        self.publish_as(1)
    }

    /// Publishes the text of a marker alone.
    pub(super) fn publish_marker(&mut self) -> Published {
        self.publish_as(0)
    }

    #[inline]
    fn publish_as(&mut self, events: u64) -> Published {
        let (carried, words) = (self.carried(), self.line.len().div_ceil(8));
        let bytes = self.ring.bytes();
        if words * 8 > bytes as usize {
            return Published::TooLong;
        }
        let mut used = self.used();
        if used + words as u32 * 8 > bytes / 4 {
            self.tail = self.ring.tail.0.load(Ordering::Acquire);
            used = self.used();
            if used + words as u32 * 8 > bytes {
                return Published::Full;
            }
        }
        let length = self.line.len() - carried;
        self.line.resize(words * 8, 0);
        let (chunks, _) = self.line.as_chunks::<8>();
        let (behind, before) = self.ring.from(self.place);
        let (chunks, wrapped) = chunks.split_at(chunks.len().min(behind.len()));
        for (words, chunks) in [(behind, chunks), (before, wrapped)] {
            for (word, chunk) in words.iter().zip(chunks) {
                word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
            }
        }
        let place = self.place.wrapping_add(length as u32);
        let lines = ((self.head >> 32) + events) & LINES;
        let marked = (self.head & MARKED) ^ if self.loss.is_some() { MARKED } else { 0 };
        let head = marked | lines << 32 | u64::from(place);
        if self.ring.head.0.compare_exchange(self.head, head, Ordering::Release, Ordering::Relaxed).is_err() {
            self.line.truncate(carried);
            return Published::Closed;
        }
        (self.head, self.place, self.loss) = (head, place, None);
        let rest = self.carried();
        self.line.copy_within((words - 1) * 8..(words - 1) * 8 + rest, 0);
        self.line.truncate(rest);
        if used + words as u32 * 8 > bytes / 4 && self.asked != Some(self.tail) {
            self.asked = Some(self.tail);
            return Published::Filling;
        }
        Published::Yes
    }

    /// Bytes of words that may not be written yet, as far as known.
    #[inline]
    fn used(&self) -> u32 {
        (self.place & !7).wrapping_sub(self.tail & !7)
    }

    /// Notes that the event with this ordinal is dropped.
    pub(super) fn lose(&mut self, ordinal: u64) {
        let told = &self.ring.loss.0;
        if let Some(loss) = &mut self.loss {
            loss.events += 1;
            told.events.store(loss.events, Ordering::Relaxed);
            return;
        }
        self.loss = Some(Loss { first: ordinal, events: 1 });
        self.turn += 1;
        told.first.store(ordinal, Ordering::Relaxed);
        told.events.store(1, Ordering::Relaxed);
        // Whoever sees the new turn sees the two above, which stay until the marker is published.
        told.turn.store(self.turn, Ordering::Release);
    }

    /// The loss that no marker tells yet.
    #[inline]
    pub(super) fn loss(&self) -> Option<Loss> {
        self.loss
    }

    /// Tells that nothing more will be published.
    pub(super) fn leave(&mut self) {
        self.ring.gone.store(true, Ordering::Release);
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Consumer {
    /// Looks how far whole lines have been published; [`read`](Self::read) gives them.
    pub(super) fn look(&mut self) -> Found {
        // Asked first: who is gone has published all before.
        let gone = self.ring.gone.load(Ordering::Acquire);
        let head = self.ring.head.0.load(Ordering::Acquire);
        Found { events: self.note(head), gone }
    }

    /// Looks for the last time: nothing is published from now on.
    pub(super) fn close(&mut self) -> Found {
        let head = self.ring.head.0.fetch_or(CLOSED, Ordering::AcqRel);
        Found { events: self.note(head), gone: true }
    }

    fn note(&mut self, head: u64) -> u64 {
        let lines = head >> 32 & LINES;
        let events = lines.wrapping_sub(self.lines) & LINES;
        (self.end, self.lines) = (head as u32, lines);
        events
    }

    /// Moves bytes into a block, as many as fit and were found; how many. Their room is free at once.
    pub(super) fn read(&mut self, block: &mut [u8]) -> usize {
        let length = block.len().min(self.end.wrapping_sub(self.tail) as usize);
        let (mut left, mut place) = (&mut block[..length], self.tail);
        while !left.is_empty() {
            let (words, skipped) = (self.ring.from(place).0, place as usize % 8);
            let moved = if skipped != 0 || left.len() < 8 {
                let some = left.len().min(8 - skipped);
                let word = words[0].load(Ordering::Relaxed).to_le_bytes();
                left[..some].copy_from_slice(&word[skipped..skipped + some]);
                some
            } else {
                let (chunks, _) = left.as_chunks_mut::<8>();
                for (chunk, word) in chunks.iter_mut().zip(words) {
                    *chunk = word.load(Ordering::Relaxed).to_le_bytes();
                }
                chunks.len().min(words.len()) * 8
            };
            left = &mut left[moved..];
            place = place.wrapping_add(moved as u32);
        }
        self.tail = self.tail.wrapping_add(length as u32);
        // Released behind the loads: who sees it may write there.
        self.ring.tail.0.store(self.tail, Ordering::Release);
        length
    }

    /// The loss that no marker tells. Only meant for a ring that is closed, or whose other side is gone: another may
    /// just be publishing the marker.
    pub(super) fn loss(&self) -> Option<Loss> {
        let told = &self.ring.loss.0;
        let turn = told.turn.load(Ordering::Acquire);
        let marked = u64::from(self.ring.head.0.load(Ordering::Acquire) & MARKED != 0);
        // The head's bit is turned once for each marker, and the newest loss is the one in question or the one before.
        (turn % 2 != marked)
            .then(|| Loss { first: told.first.load(Ordering::Relaxed), events: told.events.load(Ordering::Relaxed) })
    }
}
