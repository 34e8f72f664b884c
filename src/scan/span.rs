//! Spans: where an event and its roles lie in a window.

use super::fault::OpenFault;
use super::key::ThreadKey;
use super::line::{Opened, Opener, Part};
use super::table::SpanTable;

/// Where one event lies in its window, written out. Parts are relative to the trimmed line.
/// A [`SpanTable`] keeps it in sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte of the trimmed line in the window.
    pub start: u32,
    /// Bytes of the trimmed line.
    pub len: u32,
    /// Bytes between the physical line's first byte and `start`.
    pub lead: u32,
    /// Physical line in the window, from 0.
    pub row: u32,
    pub kind: Part,
    pub tail: Part,
    /// The event's own number; meaningless unless [`Span::HAS_ORDINAL`].
    pub ordinal: u64,
    pub flags: u8,
}

impl Span {
    /// The line gave an ordinal.
    pub const HAS_ORDINAL: u8 = 1;
    /// The line gave no payload.
    pub const PAYLOAD_MISSING: u8 = 2;
    /// The nondeterministic role marks the event.
    pub const NONDETERMINISTIC: u8 = 4;
    /// The event ends its thread.
    pub const ENDS_THREAD: u8 = 8;
    /// The line is read strictly whatever its partner holds.
    pub const MUST_READ: u8 = 16;
    /// What stands before the tail is strictly valid and gives no role key twice, and the tail
    /// reaches to the closing brace.
    pub const HEAD_STRICT: u8 = 32;

    /// Whether a flag is set.
    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The trimmed line.
    #[inline]
    pub fn line_of<'w>(&self, window: &'w [u8]) -> &'w [u8] {
        &window[self.start as usize..(self.start + self.len) as usize]
    }

    /// The ordinal, if the line gave one.
    pub fn ordinal(&self) -> Option<u64> {
        self.has(Span::HAS_ORDINAL).then_some(self.ordinal)
    }

    pub(super) fn new(opened: &Opened, start: usize, len: usize, lead: usize) -> Span {
        let mut flags = 0;
        if opened.ordinal.is_some() {
            flags |= Span::HAS_ORDINAL;
        }
        if opened.payload_missing {
            flags |= Span::PAYLOAD_MISSING;
        }
        if opened.nondeterministic {
            flags |= Span::NONDETERMINISTIC;
        }
        Span {
            start: start as u32,
            len: len as u32,
            lead: lead as u32,
            row: 0,
            kind: opened.kind,
            tail: opened.tail,
            ordinal: opened.ordinal.unwrap_or(0),
            flags,
        }
    }
}

/// The events of one thread in a window, in file order: a range of the window's spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub thread: ThreadKey,
    /// The first of its spans in the table, and the one behind its last.
    pub from: u32,
    pub to: u32,
    /// An ordinal does not grow inside the group, or an event ends the thread.
    pub irregular: bool,
}

/// A malformed line of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowFault {
    /// Physical line in the window, from 0.
    pub line: u32,
    /// Place of the offending byte in the window.
    pub at: u32,
    pub fault: OpenFault,
}

/// What a window holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScannedWindow {
    /// Physical lines, an unterminated last one included.
    pub lines: u32,
    /// Opened events, those of all groups together.
    pub events: u32,
    /// Events opened by a layout; says nothing about the log.
    pub by_layout: u32,
    /// The spans of all groups, one group after the other.
    pub spans: SpanTable,
    /// One for each thread, in order of first appearance.
    pub groups: Vec<Group>,
    /// Malformed lines in file order; only the first where the scan stops at faults.
    pub faults: Vec<WindowFault>,
    /// The last line has no line feed and is not valid: it is no event.
    pub torn: Option<WindowFault>,
}

impl ScannedWindow {
    /// The events of a group, in file order.
    pub fn spans_of(&self, group: &Group) -> impl Iterator<Item = Span> + '_ {
        (group.from..group.to).map(|index| self.spans.span(index))
    }

    /// The span of the window's last event, counted in its table.
    pub fn last_event(&self) -> Option<u32> {
        let last_of = |group: &Group| (self.spans.row(group.to - 1), group.to - 1);
        self.groups.iter().filter(|group| group.from < group.to).map(last_of).max().map(|(_, index)| index)
    }
}

/// Opens a line that opened before, after its window was given up.
///
/// # Errors
/// The line is not what it was.
pub fn reopen(opener: &Opener, bytes: &[u8], line_start: usize) -> Result<Span, OpenFault> {
    let end = memchr::memchr(b'\n', &bytes[line_start..]).map_or(bytes.len(), |found| line_start + found);
    let (start, trimmed_end) = super::window::trim(bytes, line_start, end);
    let line = &bytes[start..trimmed_end];
    if line.is_empty() {
        return Err(super::fault::OpenReason::NoObject.at(0));
    }
    opener.open_line(line).map(|opened| {
        let mut span = Span::new(&opened, start, line.len(), start - line_start);
        span.flags |= opener.end_flag(line, &opened);
        span
    })
}
