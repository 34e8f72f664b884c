//! Events that wait without their bytes.

use super::lane::Held;
use crate::scan::{Opener, ScanOptions, Span, scan_window};
use crate::source::{Bytes, Log, SourceError, Window};

/// Events whose bytes are read again when their partners come: for each event but the first two
/// LEB128 numbers, the bytes and the lines from the event before it. Mostly three bytes an event.
pub struct Sealed {
    /// Offset of the first event's physical line, and of the end of the last one's.
    offset: u64,
    end: u64,
    /// Bytes of all their lines together, with a line feed each.
    bytes: usize,
    pub(super) first_line: u64,
    pub(super) count: u32,
    /// The lane's events that were taken out before these.
    pub(super) gone: u64,
    last_must_read: bool,
    steps: Box<[u8]>,
}

/// Bytes of others that are read along rather than that another read is begun, so that a thread
/// among hundreds does not bring back everybody's lines.
const READ_OVER_MAX: u64 = 4 << 10;

/// Where a sealed event's line lies: bytes and lines from the stretch's begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Step {
    start: u64,
    line: u64,
}

impl Sealed {
    pub(super) fn new(held: &Held, from: u32, to: u32, gone: u64) -> Sealed {
        let place = |index: u32| {
            let row = held.spans.row(index);
            Step { start: held.line_offset(row), line: held.line(row) }
        };
        let line_bytes = |index: u32| {
            let (start, end) = held.spans.line(held.spans.row(index));
            end - start + 1
        };
        let (first, last) = (place(from), held.spans.span(to - 1));
        let mut steps = Vec::with_capacity((to - from) as usize * 3);
        let mut before = first;
        for here in (from + 1..to).map(place) {
            push_leb128(&mut steps, here.start - before.start);
            push_leb128(&mut steps, here.line - before.line);
            before = here;
        }
        Sealed {
            offset: first.start,
            end: before.start + u64::from(last.lead + last.len),
            bytes: (from..to).map(line_bytes).sum(),
            first_line: first.line,
            count: to - from,
            gone,
            last_must_read: last.has(Span::MUST_READ),
            steps: steps.into_boxed_slice(),
        }
    }

    fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let mut rest = &self.steps[..];
        let next = move |before: &Step| {
            let start = before.start + take_leb128(&mut rest);
            Some(Step { start, line: before.line + take_leb128(&mut rest) })
        };
        std::iter::successors(Some(Step::default()), next).take(self.count as usize)
    }

    pub(super) fn open(&self, log: &Log, opener: &Opener, strict: bool) -> Result<Held, SourceError> {
        let bytes = self.gather(log)?;
        // At the log's very beginning a byte order mark may stand.
        let window = Window { offset: self.offset.min(1), bytes, overlong: None };
        let mut scanned = scan_window(opener, &window, 0, ScanOptions::default());
        let is_whole = scanned.faults.is_empty()
            && scanned.torn.is_none()
            && matches!(scanned.groups.as_slice(), [group] if group.to == self.count)
            && scanned.lines == self.count;
        if !is_whole {
            return Err(log.changed());
        }
        if strict {
            (0..self.count).for_each(|index| scanned.spans.set_flag(index, Span::MUST_READ));
        } else if self.last_must_read {
            scanned.spans.set_flag(self.count - 1, Span::MUST_READ);
        }
        let place = |step: Step| (self.offset + step.start, self.first_line + step.line);
        Ok(Held {
            bytes: window.bytes,
            spans: scanned.spans,
            offset: self.offset,
            first_line: self.first_line,
            gathered: Some(self.steps().map(place).collect()),
            parts: 1,
        })
    }

    /// The lines alone, each with a line feed.
    fn gather(&self, log: &Log) -> Result<Bytes, SourceError> {
        let steps: Vec<Step> = self.steps().collect();
        let mut lines = Vec::with_capacity(self.bytes);
        for run in steps.chunk_by(|one, next| next.start - one.start <= READ_OVER_MAX) {
            let (first, last) = (run[0].start, run[run.len() - 1].start);
            let stretch = self.read_run(log, first, last)?;
            run.iter().for_each(|step| push_line(&mut lines, &stretch[(step.start - first) as usize..]));
        }
        Ok(lines.into())
    }

    /// The bytes from one line's begin to the end of another, for which it looks.
    fn read_run(&self, log: &Log, first: u64, last: u64) -> Result<Bytes, SourceError> {
        let (len, mut ahead) = (self.end - self.offset, READ_OVER_MAX);
        loop {
            let to = len.min(last + ahead);
            let stretch = log.reread(self.offset + first, (to - first) as usize)?;
            if to == len || memchr::memchr(b'\n', &stretch[(last - first) as usize..]).is_some() {
                return Ok(stretch);
            }
            ahead *= 2;
        }
    }
}

/// Adds the line that begins a text.
fn push_line(lines: &mut Vec<u8>, text: &[u8]) {
    lines.extend_from_slice(&text[..memchr::memchr(b'\n', text).unwrap_or(text.len())]);
    lines.push(b'\n');
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
}
