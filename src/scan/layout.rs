//! Layouts: what regular lines have in common, so that only what differs is looked at.
//!
//! Logs are written by programs: the lines of one kind have the same keys in the same order with
//! the same punctuation. A layout is that text (its literals) and what stands between (its leaves),
//! as far as opening a line goes. A line *fits* where every literal stands byte for byte and every
//! leaf is a scalar strictly valid, so nothing fits that the exact way refuses; what does not fit
//! takes the exact way ([`super::line`]), the only definition of what a line's roles are.
//! `learn` makes layouts of lines opened the exact way, `learned` keeps them.

use crate::json::leaf;

/// Where a part of a line lies: its first byte and the one behind its last, relative to the line.
pub(super) type Place = (u16, u16);

/// What a line that fits a layout says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// The tokens of the thread role's parts.
    pub thread: [Place; THREAD_PARTS_MAX],
    pub kind: Place,
    pub tail: (u32, u32),
    pub ordinal: u64,
    pub nondeterministic: bool,
    /// What stands before the tail is strictly valid (it may hold skipped containers that are not).
    pub strict: bool,
    /// The whole line is strictly valid, and gives no role key twice.
    pub sound: bool,
}

/// Composite thread keys of more parts have no layouts.
pub const THREAD_PARTS_MAX: usize = 4;
/// What stands further from a line's first byte takes the exact way.
const PLACE_MAX: usize = u16::MAX as usize;

/// What a value between two literals is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// Nothing: any value.
    Skip,
    /// Nothing, but it must be a scalar: in an object a role could stand.
    Scalar,
    Thread(u8),
    Ordinal,
    Kind,
    /// A payload that is not met last.
    Payload,
    /// The nondeterministic role marks the event where this word stands.
    Nondeterministic(bool),
}

/// How a layout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The payload is met last: it reaches to the line's closing brace.
    Tail,
    /// All roles are met: the rest of the line is not looked at.
    Stop,
    /// The line's object is closed.
    Close,
}

/// A literal, compared eight bytes at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Literal {
    words: Vec<(u64, u64)>,
    len: usize,
}

impl Literal {
    fn new(text: &[u8]) -> Literal {
        let word = |chunk: &[u8]| {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            let mask = u64::MAX >> (64 - 8 * chunk.len());
            (u64::from_le_bytes(bytes), mask)
        };
        Literal { words: text.chunks(8).map(word).collect(), len: text.len() }
    }

    /// Whether it stands at a place; `false` too within a few bytes of the text's end.
    #[inline(always)]
    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let Some(there) = text.get(at..at + self.words.len() * 8) else { return false };
        let mut apart = 0;
        for (bytes, (word, mask)) in there.as_chunks::<8>().0.iter().zip(&self.words) {
            apart |= (u64::from_le_bytes(*bytes) ^ word) & mask;
        }
        apart == 0
    }
}

/// The layout of a line as far as opening goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    steps: Vec<(Literal, Leaf)>,
    /// What stands behind the last leaf: up to the payload, or the closing brace, or nothing.
    last: Literal,
    end: End,
    /// The payload is the whole line.
    whole: bool,
    /// No role key is given twice before the tail.
    roles_once: bool,
}

/// A walk along a layout: what was found, and where each leaf stood.
pub(super) trait Trace {
    /// A leaf was taken.
    fn leaf(&mut self, leaf: Leaf, at: usize, end: usize);
}

impl Trace for () {
    #[inline(always)]
    fn leaf(&mut self, _leaf: Leaf, _at: usize, _end: usize) {}
}

impl Layout {
    /// A layout of the texts between the leaves; one more text than leaves.
    pub(super) fn new(texts: &[&[u8]], leaves: &[Leaf], end: End, whole: bool, roles_once: bool) -> Layout {
        let (last, before) = texts.split_last().expect("one more text than leaves");
        let steps = before.iter().zip(leaves).map(|(text, leaf)| (Literal::new(text), *leaf)).collect();
        Layout { steps, last: Literal::new(last), end, whole, roles_once }
    }

    /// What a line says of which nothing is known yet.
    pub(super) fn blank(&self) -> Fit {
        let ends = |end| self.roles_once && self.end == end;
        Fit { strict: ends(End::Tail), sound: ends(End::Close), ..Fit::default() }
    }

    /// Takes the line `text[start..end]` (trimmed, from brace to brace) apart. `text` reaches
    /// further than the line, as whole words are looked at.
    pub(super) fn fit(&self, text: &[u8], start: usize, end: usize, trace: &mut impl Trace) -> Option<Fit> {
        self.fit_from(0, self.blank(), text, (start, start, end), trace)
    }

    /// Goes on at a step: the line's first byte, where the step's literal begins, the line's end.
    #[inline]
    pub(super) fn fit_from(
        &self,
        step: usize,
        mut fit: Fit,
        text: &[u8],
        (start, mut at, end): (usize, usize, usize),
        trace: &mut impl Trace,
    ) -> Option<Fit> {
        for (literal, leaf) in &self.steps[step..] {
            if !literal.stands_at(text, at) {
                return None;
            }
            at += literal.len;
            let leaf_end = take(text, start, at, *leaf, &mut fit)?;
            trace.leaf(*leaf, at, leaf_end);
            at = leaf_end;
        }
        if !self.last.stands_at(text, at) {
            return None;
        }
        self.close(fit, text, (start, at + self.last.len, end))
    }

    /// The line is known up to `at`: what lies between there and its end.
    #[inline(always)]
    pub(super) fn close(&self, mut fit: Fit, text: &[u8], (start, at, end): (usize, usize, usize)) -> Option<Fit> {
        if self.end == End::Tail {
            fit.tail = ((at - start) as u32, (end - 1 - start) as u32);
        }
        if self.whole {
            fit.tail = (0, (end - start) as u32);
        }
        self.reaches(text, at, end).then_some(fit)
    }

    /// Whether a line known up to `at` may end at `end`.
    #[inline(always)]
    pub(super) fn reaches(&self, text: &[u8], at: usize, end: usize) -> bool {
        match self.end {
            // White space before the payload may vary.
            End::Tail => at < end && !matches!(text[at], b' ' | b'\t' | b'\r' | b'\n'),
            End::Stop => at <= end,
            End::Close => at == end,
        }
    }

    /// Bytes of the text behind the last leaf.
    pub(super) fn last_len(&self) -> usize {
        self.last.len
    }
}

/// Takes a leaf; returns its end.
#[inline(always)]
fn take(text: &[u8], start: usize, at: usize, leaf: Leaf, fit: &mut Fit) -> Option<usize> {
    let place = |end: usize| (end - start <= PLACE_MAX).then(|| ((at - start) as u16, (end - start) as u16));
    match leaf {
        Leaf::Ordinal => {
            let (value, end) = leaf::small_integer(text, at)?;
            fit.ordinal = value;
            Some(end)
        }
        Leaf::Thread(part) => {
            let end = match text.get(at)? {
                b'"' => leaf::plain_string_end(text, at)?,
                _ => leaf::small_integer(text, at)?.1,
            };
            fit.thread[usize::from(part)] = place(end)?;
            Some(end)
        }
        Leaf::Skip | Leaf::Payload if matches!(text.get(at)?, b'{' | b'[') => {
            let end = leaf::container_end(text, at, 1)?;
            (fit.strict, fit.sound) = (false, false);
            if leaf == Leaf::Payload {
                fit.tail = ((at - start) as u32, (end - start) as u32);
            }
            Some(end)
        }
        _ => {
            let end = scalar_end(text, at)?;
            match leaf {
                Leaf::Kind => fit.kind = place(end)?,
                Leaf::Payload => fit.tail = ((at - start) as u32, (end - start) as u32),
                Leaf::Nondeterministic(word) => {
                    let word: &[u8] = if word { b"true" } else { b"false" };
                    fit.nondeterministic = text[at..end] == *word;
                }
                _ => {}
            }
            Some(end)
        }
    }
}

#[inline(never)]
fn scalar_end(text: &[u8], at: usize) -> Option<usize> {
    leaf::scalar_end(text, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_says_how_far_its_lines_are_strict_and_where_they_may_end() {
        let layout = |end, once| Layout::new(&[b"{\"a\":", b"}"], &[Leaf::Skip], end, false, once);
        for (end, once, strict, sound) in [
            (End::Tail, true, true, false),
            (End::Close, true, false, true),
            (End::Stop, true, false, false),
            (End::Tail, false, false, false),
            (End::Close, false, false, false),
        ] {
            let blank = layout(end, once).blank();
            assert_eq!((blank.strict, blank.sound), (strict, sound), "{end:?} {once}");
        }
        for (end, text, at, to, may) in [
            (End::Close, b"x}y", 2, 2, true),
            (End::Close, b"x}y", 1, 2, false),
            (End::Close, b"x}y", 3, 2, false),
            (End::Stop, b"x}y", 2, 2, true),
            (End::Stop, b"x}y", 3, 2, false),
            (End::Tail, b"x}y", 1, 2, true),
            (End::Tail, b"x}y", 2, 2, false),
            (End::Tail, b"x y", 1, 2, false),
        ] {
            assert_eq!(layout(end, true).reaches(text, at, to), may, "{end:?} {at} {to}");
        }
    }
}
