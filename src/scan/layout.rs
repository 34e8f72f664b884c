//! Layouts: what regular lines have in common, so that only what differs is looked at.
//!
//! Logs are written by programs: the lines of one kind have the same keys in the same order with
//! the same punctuation. A layout is that text (its literals) and what stands between (its leaves),
//! as far as opening a line goes. A line *fits* where every literal stands byte for byte and every
//! leaf is a scalar strictly valid, so nothing fits that the exact way refuses; what does not fit
//! takes the exact way ([`super::line`]), the only definition of what a line's roles are.
//! `learn` makes layouts of lines opened the exact way, [`super::learned`] keeps them.

use crate::json::leaf;

/// What a line that fits a layout says; byte ranges are relative to the line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fit {
    /// The tokens of the thread role's parts.
    pub thread: [(usize, usize); THREAD_PARTS_MAX],
    pub kind: (usize, usize),
    pub tail: (usize, usize),
    pub ordinal: u64,
    pub nondeterministic: bool,
    /// What stands before the tail is strictly valid (it may hold skipped containers that are not).
    pub strict: bool,
}

/// Composite thread keys of more parts have no layouts.
pub const THREAD_PARTS_MAX: usize = 4;

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

impl Layout {
    /// A layout of the texts between the leaves; one more text than leaves.
    pub(super) fn new(texts: &[&[u8]], leaves: &[Leaf], end: End, whole: bool, roles_once: bool) -> Layout {
        let (last, before) = texts.split_last().expect("one more text than leaves");
        let steps = before.iter().zip(leaves).map(|(text, leaf)| (Literal::new(text), *leaf)).collect();
        Layout { steps, last: Literal::new(last), end, whole, roles_once }
    }

    /// Takes the line `text[start..end]` (trimmed, from brace to brace) apart. `text` reaches
    /// further than the line, as whole words are looked at.
    #[inline]
    pub fn fit(&self, text: &[u8], start: usize, end: usize) -> Option<Fit> {
        let mut fit = Fit { strict: self.roles_once && self.end == End::Tail, ..Fit::default() };
        let mut at = start;
        for (literal, leaf) in &self.steps {
            if !literal.stands_at(text, at) {
                return None;
            }
            at += literal.len;
            at = self.leaf(text, start, at, *leaf, &mut fit)?;
        }
        if !self.last.stands_at(text, at) {
            return None;
        }
        at += self.last.len;
        let fits = match self.end {
            End::Tail => {
                fit.tail = (at - start, end - 1 - start);
                at < end
            }
            End::Stop => at <= end,
            End::Close => at == end,
        };
        if self.whole {
            fit.tail = (0, end - start);
        }
        fits.then_some(fit)
    }

    /// Takes a leaf; returns its end.
    #[inline(always)]
    fn leaf(&self, text: &[u8], start: usize, at: usize, leaf: Leaf, fit: &mut Fit) -> Option<usize> {
        let place = |end: usize| (at - start, end - start);
        match leaf {
            Leaf::Ordinal => {
                let (value, end) = leaf::small_integer(text, at)?;
                fit.ordinal = value;
                Some(end)
            }
            Leaf::Kind => {
                let end = leaf::scalar_end(text, at)?;
                fit.kind = place(end);
                Some(end)
            }
            Leaf::Thread(part) => {
                let end = match text.get(at)? {
                    b'"' => leaf::plain_string_end(text, at)?,
                    _ => leaf::small_integer(text, at)?.1,
                };
                fit.thread[usize::from(part)] = place(end);
                Some(end)
            }
            Leaf::Scalar => leaf::scalar_end(text, at),
            Leaf::Nondeterministic(word) => {
                let end = leaf::scalar_end(text, at)?;
                let word: &[u8] = if word { b"true" } else { b"false" };
                fit.nondeterministic = text[at..end] == *word;
                Some(end)
            }
            Leaf::Skip | Leaf::Payload => {
                let end = match text.get(at)? {
                    b'{' | b'[' => {
                        fit.strict = false;
                        leaf::container_end(text, at, 1)?
                    }
                    _ => leaf::scalar_end(text, at)?,
                };
                if leaf == Leaf::Payload {
                    fit.tail = place(end);
                }
                Some(end)
            }
        }
    }
}
