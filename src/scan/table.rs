//! The spans of a window, sixteen bytes each.

use super::layout::Fit;
use super::line::{Opened, Part};
use super::span::Span;
use crate::json::simd::{self, BLOCK, Vectors};

/// A span as a [`SpanTable`] keeps it. Spans that do not fit are kept written out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Packed {
    /// The physical line in the window.
    row: u32,
    /// The low half of the ordinal, or where the span stands written out.
    ordinal: u32,
    /// Where the tail begins in the line, and how many bytes of the line follow it.
    tail_at: u16,
    tail_back: u16,
    kind_at: u8,
    kind_len: u8,
    flags: u8,
}

/// What is seen of a pair at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The same in kind, ordinal and tail, byte for byte, and neither has to be read.
    Same,
    /// The same in kind and ordinal, and no more.
    SameHead,
    /// Nothing.
    Unseen,
}

/// What the spans of lines share that differ in ordinal and length only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Like {
    span: Packed,
    has_tail: bool,
}

impl Like {
    /// What lines have in common with one of `len` bytes whose tail, if it has one, reaches to the
    /// line's end or just before its closing brace.
    pub(super) fn new(fit: &Fit, flags: u8, len: usize) -> Option<Like> {
        let mut table = SpanTable::default();
        let has_tail = fit.tail != (0, 0);
        table.push_packed(0, fit, 0, len, flags).then(|| Like { span: table.spans[0], has_tail })
    }

    /// The flags of such spans.
    #[inline(always)]
    pub(super) fn flags(&self) -> u8 {
        self.span.flags
    }
}

/// The line ends with a carriage return (in packed spans only).
pub(super) const CARRIAGE_RETURN: u8 = 64;
/// The span is written out (in packed spans only).
const WIDE: u8 = 128;

/// Where the events of some lines lie: one entry a line, sixteen bytes a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanTable {
    /// First byte of each physical line; at the end, where one more would begin.
    starts: Vec<u32>,
    spans: Vec<Packed>,
    wide: Vec<Span>,
    /// The upper half of all packed ordinals.
    ordinal_high: Option<u32>,
    /// Lines that are no events, in order.
    others: Vec<u32>,
}

impl SpanTable {
    /// A table with room for so many lines, still without any.
    pub(super) fn with_room(lines: usize) -> SpanTable {
        let mut starts = Vec::with_capacity(lines + 1);
        starts.push(0);
        SpanTable { starts, spans: Vec::with_capacity(lines), ..SpanTable::default() }
    }

    /// Looks for the lines that end in the next stretch of `bytes`; `false` if there is none left.
    #[inline(always)]
    pub(super) fn find_lines(&mut self, vectors: impl Vectors, bytes: &[u8], feeds: &mut LineFeeds) -> bool {
        if feeds.seen == bytes.len() {
            return false;
        }
        self.starts.extend_from_slice(feeds.next(vectors, bytes));
        // A last line without a line feed ends where it would stand.
        if feeds.seen == bytes.len() && self.starts.last() != Some(&(bytes.len() as u32)) {
            self.starts.push(bytes.len() as u32 + 1);
        }
        true
    }

    /// Physical lines, an unterminated last one included.
    pub fn lines(&self) -> u32 {
        (self.starts.len() as u32).saturating_sub(1)
    }

    /// Where a physical line lies, without its line feed.
    #[inline]
    pub fn line(&self, row: u32) -> (usize, usize) {
        (self.starts[row as usize] as usize, self.starts[row as usize + 1] as usize - 1)
    }

    /// How many spans there are.
    pub fn len(&self) -> u32 {
        self.spans.len() as u32
    }

    /// Whether there are no spans.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Events of the window that stand before a physical line.
    pub fn sequence(&self, row: u32) -> u32 {
        row - self.others.partition_point(|other| *other < row) as u32
    }

    /// Forgets the lines from `rows` on.
    pub(super) fn cut(&mut self, rows: u32) {
        self.starts.truncate(rows as usize + 1);
    }

    /// A physical line is no event.
    pub(super) fn pass(&mut self, row: u32) {
        self.others.push(row);
    }

    /// Adds the event of a line that fits a layout; `false` where it does not fit the packed form.
    #[inline(always)]
    pub(super) fn push_packed(&mut self, row: u32, fit: &Fit, ordinal: u64, len: usize, flags: u8) -> bool {
        let high = *self.ordinal_high.get_or_insert((ordinal >> 32) as u32);
        let tail_back = len - fit.tail.1 as usize;
        let kind_len = fit.kind.1 - fit.kind.0;
        let fits = (ordinal >> 32) as u32 == high
            && fit.tail.0 <= u32::from(u16::MAX)
            && tail_back <= usize::from(u16::MAX)
            && fit.kind.0 <= u16::from(u8::MAX)
            && kind_len <= u16::from(u8::MAX);
        if fits {
            self.spans.push(Packed {
                row,
                ordinal: ordinal as u32,
                tail_at: fit.tail.0 as u16,
                tail_back: tail_back as u16,
                kind_at: fit.kind.0 as u8,
                kind_len: kind_len as u8,
                flags,
            });
        }
        fits
    }

    /// The same for a line of `len` bytes whose span is like that of others, its tail's end given
    /// unless the others' reach as far behind; `false` where its numbers do not fit.
    #[inline(always)]
    pub(super) fn push_like(
        &mut self,
        row: u32,
        like: &Like,
        ordinal: u64,
        (tail_end, len): (Option<usize>, usize),
    ) -> bool {
        let high = *self.ordinal_high.get_or_insert((ordinal >> 32) as u32);
        let fits = (ordinal >> 32) as u32 == high && len <= usize::from(u16::MAX);
        match tail_end {
            _ if !fits => {}
            None if like.has_tail => self.spans.push(Packed { row, ordinal: ordinal as u32, ..like.span }),
            end => {
                let tail_back = (len - end.unwrap_or(0)) as u16;
                self.spans.push(Packed { row, ordinal: ordinal as u32, tail_back, ..like.span });
            }
        }
        fits
    }

    /// Adds the event of a line opened the exact way; `start` and `len` are those of the trimmed line.
    pub(super) fn push_opened(&mut self, row: u32, opened: &Opened, start: usize, len: usize, flags: u8) {
        let (line_start, line_end) = self.line(row);
        let mut span = Span::new(opened, start, len, start - line_start);
        span.row = row;
        span.flags |= flags;
        let returns = line_end == start + len + 1;
        if span.lead > 0 || !(returns || line_end == start + len) {
            return self.push_wide(span);
        }
        let Ok(kind_end) = u16::try_from(span.kind.end) else { return self.push_wide(span) };
        let fit =
            Fit { kind: (span.kind.start as u16, kind_end), tail: (span.tail.start, span.tail.end), ..Fit::default() };
        let returns = if returns { CARRIAGE_RETURN } else { 0 };
        if !self.push_packed(row, &fit, span.ordinal, len, span.flags | returns) {
            self.push_wide(span);
        }
    }

    fn push_wide(&mut self, span: Span) {
        self.spans.push(Packed { row: span.row, ordinal: self.wide.len() as u32, flags: WIDE, ..Packed::default() });
        self.wide.push(span);
    }

    /// Puts the spans into the order of their groups; `group_of` names each span's group and
    /// `firsts` where each group's spans begin.
    pub(super) fn sort(&mut self, group_of: &[u32], mut firsts: Vec<u32>) {
        let mut sorted = vec![Packed::default(); self.spans.len()];
        for (span, group) in self.spans.iter().zip(group_of) {
            let place = &mut firsts[*group as usize];
            sorted[*place as usize] = *span;
            *place += 1;
        }
        self.spans = sorted;
    }

    /// The physical line of a span.
    #[inline]
    pub fn row(&self, index: u32) -> u32 {
        self.spans[index as usize].row
    }

    /// The flags of a span.
    #[inline]
    pub fn flags(&self, index: u32) -> u8 {
        let packed = &self.spans[index as usize];
        match packed.flags & WIDE {
            0 => packed.flags & !CARRIAGE_RETURN,
            _ => self.wide[packed.ordinal as usize].flags,
        }
    }

    /// Sets a flag of a span.
    pub fn set_flag(&mut self, index: u32, flag: u8) {
        let packed = &mut self.spans[index as usize];
        match packed.flags & WIDE {
            0 => packed.flags |= flag,
            _ => self.wide[packed.ordinal as usize].flags |= flag,
        }
    }

    /// The ordinal of a span, if its line gave one.
    #[inline]
    pub fn ordinal(&self, index: u32) -> Option<u64> {
        let packed = &self.spans[index as usize];
        match packed.flags & WIDE {
            0 => (packed.flags & Span::HAS_ORDINAL != 0).then(|| self.whole_ordinal(packed)),
            _ => self.wide[packed.ordinal as usize].ordinal(),
        }
    }

    #[inline]
    fn whole_ordinal(&self, packed: &Packed) -> u64 {
        u64::from(self.ordinal_high.unwrap_or(0)) << 32 | u64::from(packed.ordinal)
    }

    /// A span written out.
    #[inline(always)]
    pub fn span(&self, index: u32) -> Span {
        let packed = &self.spans[index as usize];
        if packed.flags & WIDE != 0 {
            return self.wide(packed);
        }
        let (start, end) = self.line(packed.row);
        let len = (end - start) as u32 - u32::from(packed.flags & CARRIAGE_RETURN != 0);
        let kind_at = u32::from(packed.kind_at);
        Span {
            start: start as u32,
            len,
            lead: 0,
            row: packed.row,
            kind: Part { start: kind_at, end: kind_at + u32::from(packed.kind_len) },
            tail: Part { start: u32::from(packed.tail_at), end: len - u32::from(packed.tail_back) },
            ordinal: if packed.flags & Span::HAS_ORDINAL != 0 { self.whole_ordinal(packed) } else { 0 },
            flags: packed.flags & !CARRIAGE_RETURN,
        }
    }

    #[cold]
    fn wide(&self, packed: &Packed) -> Span {
        self.wide[packed.ordinal as usize]
    }

    /// What is seen of a pair without reading either of its lines.
    #[inline(always)]
    pub fn sight(&self, bytes: &[u8], index: u32, other: (&SpanTable, &[u8], u32)) -> Sight {
        /// What is looked at elsewhere.
        const ODD: u8 = WIDE | CARRIAGE_RETURN | Span::MUST_READ;
        /// What both must agree in.
        const SAME: u8 = Span::HAS_ORDINAL | Span::PAYLOAD_MISSING;
        let (x, y) = (&self.spans[index as usize], &other.0.spans[other.2 as usize]);
        if (x.flags | y.flags) & ODD != 0
            || (x.flags ^ y.flags) & SAME != 0
            || self.whole_ordinal(x) != other.0.whole_ordinal(y)
            || x.kind_len != y.kind_len
        {
            return Sight::Unseen;
        }
        let ((from, to), (other_from, other_to)) = (self.line(x.row), other.0.line(y.row));
        let tail = bytes.get(from + usize::from(x.tail_at)..to - usize::from(x.tail_back));
        let other_tail = other.1.get(other_from + usize::from(y.tail_at)..other_to - usize::from(y.tail_back));
        let kind = beginning(bytes, from + usize::from(x.kind_at), x.kind_len);
        if kind.is_none() || kind != beginning(other.1, other_from + usize::from(y.kind_at), y.kind_len) {
            return Sight::Unseen;
        }
        if tail.is_some() && tail == other_tail { Sight::Same } else { Sight::SameHead }
    }

    /// Asks for the bytes of a span's tail ahead of their use.
    #[inline(always)]
    pub fn prefetch(&self, bytes: &[u8], index: u32) {
        if let Some(packed) = self.spans.get(index as usize)
            && let Some(start) = self.starts.get(packed.row as usize)
        {
            let tail = *start as usize + usize::from(packed.tail_at);
            simd::prefetch(bytes, *start as usize + usize::from(packed.kind_at));
            simd::prefetch(bytes, tail);
            simd::prefetch(bytes, tail + 64);
            simd::prefetch(&self.spans, index as usize + 48);
        }
    }

    /// Takes the spans of some lines (in order) out: they are no events any more. Returns how
    /// many spans are left before each index of `bounds` (ascending).
    pub fn remove_rows(&mut self, rows: &[u32], bounds: &[u32]) -> Vec<u32> {
        let is_gone = |packed: &Packed| rows.binary_search(&packed.row).is_ok();
        let (mut left, mut seen) = (0, 0);
        let mut left_before = |bound: &u32| {
            left += self.spans[seen..*bound as usize].iter().filter(|packed| !is_gone(packed)).count() as u32;
            seen = *bound as usize;
            left
        };
        let left = bounds.iter().map(&mut left_before).collect();
        self.spans.retain(|packed| !is_gone(packed));
        self.others.extend(rows);
        self.others.sort_unstable();
        left
    }
}

/// The `len` bytes at a place as one number; `None` for more than sixteen.
#[inline(always)]
fn beginning(bytes: &[u8], at: usize, len: u8) -> Option<u128> {
    let chunk = bytes.get(at..)?.first_chunk::<16>()?;
    let mask = if len >= 16 { u128::MAX } else { (1 << (8 * u32::from(len))) - 1 };
    (len <= 16).then(|| u128::from_le_bytes(*chunk) & mask)
}

/// Finds line feeds, a stretch of a window after the other: the lines of one are still in the nearest
/// cache when they are opened, and the next stretch is on its way meanwhile.
///
/// A search for one line feed after the other is wrong about where each line ends, and a processor
/// that guessed wrong begins anew: 11 ns a line of 260 bytes, against 5 for this, in which nothing is
/// guessed.
pub(super) struct LineFeeds {
    /// The first byte not looked at yet.
    seen: usize,
    /// Where lines begin behind the line feeds of a stretch, and room for one block more.
    starts: [u32; LineFeeds::STRETCH + BLOCK],
}

impl LineFeeds {
    /// Bytes looked at together.
    const STRETCH: usize = 4 << 10;

    /// At a window's beginning.
    pub(super) fn new() -> LineFeeds {
        LineFeeds { seen: 0, starts: [0; LineFeeds::STRETCH + BLOCK] }
    }

    /// Where lines begin behind the line feeds of the next stretch.
    #[inline(always)]
    fn next(&mut self, vectors: impl Vectors, bytes: &[u8]) -> &[u32] {
        let from = self.seen;
        self.seen = bytes.len().min(from + LineFeeds::STRETCH);
        let (blocks, rest) = bytes[from..self.seen].as_chunks::<BLOCK>();
        let (mut found, mut base) = (0, from as u32);
        for block in blocks {
            simd::prefetch(bytes, base as usize + LineFeeds::STRETCH);
            let mut feeds = vectors.find::<b'\n'>(block);
            let starts = &mut self.starts[found..found + BLOCK];
            found += feeds.count_ones() as usize;
            // Two are written in any case: what is too much is written over.
            let at = |feeds: u64| base.wrapping_add(feeds.trailing_zeros() + 1);
            starts[0] = at(feeds);
            feeds &= feeds.wrapping_sub(1);
            starts[1] = at(feeds);
            feeds &= feeds.wrapping_sub(1);
            let mut next = 2;
            while feeds != 0 {
                starts[next] = at(feeds);
                feeds &= feeds - 1;
                next += 1;
            }
            base += BLOCK as u32;
        }
        let base = self.seen - rest.len();
        for (at, _) in rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.starts[found] = (base + at) as u32 + 1;
            found += 1;
        }
        &self.starts[..found]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_begin_behind_line_feeds(text in "[\n\na]{0,300}|(.{0,90}\n){0,20}.{0,3}|[\n\na]{4090,9000}", about in 0usize..10) {
            let bytes = text.as_bytes();
            let mut plain: Vec<u32> = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|at| at as u32 + 1)).collect();
            if !bytes.ends_with(b"\n") && !bytes.is_empty() {
                plain.push(bytes.len() as u32 + 1);
            }
            let (mut table, mut feeds) = (SpanTable::with_room(about), LineFeeds::new());
            while table.find_lines(simd::Plain::new(), bytes, &mut feeds) {}
            prop_assert_eq!(table.starts, plain);
        }
    }

    #[test]
    fn a_stored_span_takes_sixteen_bytes() {
        assert_eq!(size_of::<Packed>(), 16);
    }
}
