//! Events that wait without their bytes.

use super::lane::Held;
use crate::scan::{Opener, ScanOptions, Span, scan_window};
use crate::source::{Bytes, Log, SourceError, Window};

/// Events whose bytes are read again when their partners come: for each event three LEB128
/// numbers, the bytes and the lines from the event before it and the bytes of its own line.
/// Mostly five bytes an event.
pub struct Sealed {
    /// Offset of the first event's physical line.
    offset: u64,
    pub(super) first_line: u64,
    pub(super) count: u32,
    last_must_read: bool,
    steps: Box<[u8]>,
}

/// Bytes of others that are read along rather than that another read is begun, so that a thread
/// among hundreds does not bring back everybody's lines.
const READ_OVER_MAX: u64 = 4 << 10;

/// Where a sealed event's line lies: bytes and lines from the stretch's begin, and its bytes.
#[derive(Clone, Copy)]
struct Step {
    start: u64,
    line: u64,
    len: u64,
}

impl Sealed {
    pub(super) fn new(held: &Held, from: u32, to: u32) -> Sealed {
        let place = |index: u32| {
            let span = held.spans.span(index);
            (held.line_offset(span.row), held.line(span.row), u64::from(span.lead + span.len))
        };
        let first = place(from);
        let mut steps = Vec::with_capacity((to - from) as usize * 5);
        let mut before = first;
        for index in from..to {
            let here = place(index);
            push_leb128(&mut steps, here.0 - before.0);
            push_leb128(&mut steps, here.1 - before.1);
            push_leb128(&mut steps, here.2);
            before = here;
        }
        Sealed {
            offset: first.0,
            first_line: first.1,
            count: to - from,
            last_must_read: held.spans.flags(to - 1) & Span::MUST_READ != 0,
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
        })
    }

    /// The lines alone, each with a line feed.
    fn gather(&self, log: &Log) -> Result<Bytes, SourceError> {
        let needed: u64 = self.steps().map(|step| step.len).sum();
        let mut bytes = Vec::with_capacity((needed + u64::from(self.count)) as usize);
        let mut steps = self.steps().peekable();
        let mut run: Vec<Step> = Vec::new();
        while let Some(step) = steps.next() {
            let end = step.start + step.len;
            run.push(step);
            if steps.peek().is_some_and(|next| next.start - end <= READ_OVER_MAX) {
                continue;
            }
            let start = run[0].start;
            let stretch = log.reread(self.offset + start, (end - start) as usize)?;
            for Step { start: at, len, .. } in run.drain(..) {
                bytes.extend_from_slice(&stretch[(at - start) as usize..(at - start + len) as usize]);
                bytes.push(b'\n');
            }
        }
        Ok(bytes.into())
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
}
