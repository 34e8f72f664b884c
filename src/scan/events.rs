//! The events of a window as they are found, line by line.

use smallvec::SmallVec;

use super::layout::{Fit, Place, THREAD_PARTS_MAX};
use super::line::{Opened, Opener, Part};
use super::mould::{Cast, Mould};
use super::span::{Group, Span};
use super::table::{CARRIAGE_RETURN, SpanTable};
use super::threads::Threads;

/// Spans in file order, and which thread each belongs to.
pub(super) struct Events<'w> {
    opener: &'w Opener,
    bytes: &'w [u8],
    pub(super) table: SpanTable,
    threads: Threads<'w>,
    by_layout: u32,
}

impl<'w> Events<'w> {
    /// None yet, with room for so many lines.
    pub(super) fn new(opener: &'w Opener, bytes: &'w [u8], lines: usize) -> Events<'w> {
        Events { opener, bytes, table: SpanTable::with_room(lines), threads: Threads::new(lines), by_layout: 0 }
    }

    /// Takes the line of a mould that lies there; `false` if it is none for all that was judged.
    #[inline(always)]
    pub(super) fn cast(&mut self, row: u32, (start, end): (usize, usize), mould: &Mould, cast: Cast) -> bool {
        let bytes = self.bytes;
        let Some(like) = mould.like() else { return false };
        // The last line of all takes the exact way.
        let is_closed = cast.end <= end && end < bytes.len() && bytes[end - 1] == b'}';
        if !is_closed
            || !mould.reaches(bytes, cast.end, end)
            || !self.table.push_like(row, like, cast.ordinal, (cast.tail_end, end - start))
        {
            return false;
        }
        let group = match self.opener.threads {
            0 | 1 => self.thread(start, mould.thread(0, cast.moved)),
            _ => self.parts((start, end), std::array::from_fn(|part| mould.thread(part, cast.moved))),
        };
        self.add(group, cast.ordinal, like.flags());
        true
    }

    /// Takes a line that fits a layout and may end with a carriage return; `false` if its span does
    /// not fit the packed form.
    pub(super) fn fit(&mut self, row: u32, line: (usize, usize), fit: &Fit, flags: u8, returns: bool) -> bool {
        let stored = flags | if returns { CARRIAGE_RETURN } else { 0 };
        if !self.table.push_packed(row, fit, fit.ordinal, line.1 - line.0, stored) {
            return false;
        }
        let group = match self.opener.threads {
            0 | 1 => self.thread(line.0, fit.thread[0]),
            _ => self.parts(line, fit.thread),
        };
        self.add(group, fit.ordinal, flags);
        true
    }

    /// The group of the thread whose one token stands there in the line.
    #[inline(always)]
    fn thread(&mut self, start: usize, (from, to): Place) -> u32 {
        self.threads.of_place(self.bytes, start + usize::from(from), start + usize::from(to), self.opener)
    }

    /// The group of the thread whose tokens stand there in the line.
    #[inline(never)]
    fn parts(&mut self, (start, end): (usize, usize), places: [Place; THREAD_PARTS_MAX]) -> u32 {
        let part = |(start, end): &Place| Part { start: u32::from(*start), end: u32::from(*end) };
        let parts: SmallVec<[Part; THREAD_PARTS_MAX]> = places[..self.opener.threads].iter().map(part).collect();
        self.threads.of_parts(&self.bytes[start..end], &parts, self.opener)
    }

    #[inline(always)]
    fn add(&mut self, group: u32, ordinal: u64, flags: u8) {
        self.threads.add(group, ordinal, flags);
        self.by_layout += 1;
    }

    /// Takes a line that was opened the exact way and begins at `start` without its blanks.
    pub(super) fn opened(&mut self, row: u32, text: &'w [u8], opened: &Opened, start: usize) {
        let group = match opened.thread.as_slice() {
            [] => self.threads.of_token(b"", self.opener),
            [only] => self.threads.of_token(only.of(text), self.opener),
            parts => self.threads.of_parts(text, parts, self.opener),
        };
        let ends = self.opener.end_flag(text, opened);
        self.table.push_opened(row, opened, start, text.len(), ends);
        let has_ordinal = if opened.ordinal.is_some() { Span::HAS_ORDINAL } else { 0 };
        self.threads.add(group, opened.ordinal.unwrap_or(0), has_ordinal | ends);
    }

    /// The spans sorted by thread, the threads, and how many events were opened by a layout.
    pub(super) fn sorted(self) -> (SpanTable, Vec<Group>, u32) {
        let mut table = self.table;
        let (groups, group_of) = self.threads.groups();
        if groups.len() > 1 {
            table.sort(&group_of, groups.iter().map(|group| group.from).collect());
        }
        (table, groups, self.by_layout)
    }
}
