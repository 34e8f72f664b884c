//! The spans of a window, sixteen bytes each.

use super::layout::Fit;
use super::line::{Opened, Part};
use super::span::Span;

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

/// What weighing wants to know of an event first.
#[derive(Clone, Copy, Debug)]
pub struct Brief<'w> {
    /// The kind's token; empty where absent.
    pub kind: &'w [u8],
    pub tail: &'w [u8],
    /// Meaningless unless `flags` has [`Span::HAS_ORDINAL`].
    pub ordinal: u64,
    pub flags: u8,
}

impl SpanTable {
    /// A table with room for so many lines, still without any.
    pub(super) fn with_room(lines: usize) -> SpanTable {
        let mut starts = Vec::with_capacity(lines + 1);
        starts.push(0);
        SpanTable { starts, spans: Vec::with_capacity(lines), ..SpanTable::default() }
    }

    /// Adds a physical line, whose line feed stands (or would stand) at `end`; returns its number.
    #[inline(always)]
    pub(super) fn add_line(&mut self, end: usize) -> u32 {
        self.starts.push(end as u32 + 1);
        self.starts.len() as u32 - 2
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

    /// The same, all of the line being of a mould.
    #[inline(always)]
    pub(super) fn push_cast(&mut self, row: u32, (says, flags): (&Fit, u8), ordinal: u64, len: usize) -> bool {
        // A mould's tail reaches to the line's end or just before its closing brace, or there is none.
        let mut fit = *says;
        if says.tail != (0, 0) {
            fit.tail.1 = (len - usize::from(says.tail.0 != 0)) as u32;
        }
        self.push_packed(row, &fit, ordinal, len, flags)
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
    pub fn span(&self, index: u32) -> Span {
        let packed = &self.spans[index as usize];
        if packed.flags & WIDE != 0 {
            return self.wide[packed.ordinal as usize];
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

    /// Kind, tail and ordinal of a packed span; `None` for one written out.
    #[inline(always)]
    pub fn brief<'w>(&self, bytes: &'w [u8], index: u32) -> Option<Brief<'w>> {
        let packed = &self.spans[index as usize];
        if packed.flags & (WIDE | CARRIAGE_RETURN) != 0 {
            return None;
        }
        let (start, end) = self.line(packed.row);
        let line = bytes.get(start..end)?;
        let kind_at = usize::from(packed.kind_at);
        Some(Brief {
            kind: line.get(kind_at..kind_at + usize::from(packed.kind_len))?,
            tail: line.get(usize::from(packed.tail_at)..line.len() - usize::from(packed.tail_back))?,
            ordinal: self.whole_ordinal(packed),
            flags: packed.flags,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_span_takes_sixteen_bytes() {
        assert_eq!(size_of::<Packed>(), 16);
    }
}
