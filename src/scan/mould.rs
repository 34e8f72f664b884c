//! Moulds: lines of one layout whose leaves are equally wide, judged all at once.
//!
//! The lines of one thread and kind mostly differ in digits only, and numbers grow wider seldom.
//! So a mould says for each byte of a line's head in which range it must be: one value where a
//! literal or a word stands, a digit, a character of a plain string. There is no place to find
//! and no order to keep, so the bytes are judged sixteen or more at a time by whatever
//! vectors the compiler has. A line that fits a mould fits its layout, and says the same but for
//! its ordinal, the lengths behind the head and what the tokens spell. Other lines are fitted to
//! the layouts step by step.

use std::sync::Arc;

use super::layout::{Fit, Layout, Leaf, Place, Trace};
use super::table::Like;
use crate::json::leaf;

/// Bytes judged before a line may be turned away.
const BLOCK: usize = 64;
/// How far a character of a string may lie above a space; no other byte has this much room.
const STRING_ROOM: u8 = 0x7F - b' ';
/// Longer stretches have no mould.
const PIECE_MAX: usize = 1024;

/// The least values of a block's bytes, and how far each may lie above.
type Ranges = ([u8; BLOCK], [u8; BLOCK]);

/// A stretch of a line, each of whose bytes has its range.
#[derive(Clone, Debug)]
struct Piece {
    /// From the stretch's first byte on; padded to whole blocks.
    ranges: Vec<Ranges>,
    /// Whether some bytes are a string's characters, and no others have as much room.
    has_strings: bool,
    len: usize,
    /// Whether it ends with a leaf: a number may be longer then.
    ends_open: bool,
    /// Where the ordinal stands and how wide it is; not at all if it does not stand here.
    ordinal: (u16, u16),
    /// How wide the leaves are, the kind's aside, as a number.
    widths: u64,
}

/// Lines whose leaves are equally wide.
#[derive(Clone, Debug)]
pub(super) struct Mould {
    head: Piece,
    /// What stands behind the payload, if that is an object or array and all else is known.
    behind: Option<Piece>,
    /// The thread's tokens that stand there, a bit each.
    threads_behind: u8,
    /// Where the payload ended in the line this was learned from.
    payload_end: usize,
    layout: Arc<Layout>,
    /// The step at which fitting step by step goes on, and the byte (relative to the line).
    rest: Option<(usize, usize)>,
    fit: Fit,
    flags: u8,
    /// The line's span but for its ordinal and lengths, if all else is known.
    like: Option<Like>,
}

/// What a line of a mould says beyond what all of them do.
#[derive(Clone, Copy)]
pub(super) struct Cast {
    pub(super) ordinal: u64,
    /// Where the payload ends in the line, if that is not just before its closing brace.
    pub(super) tail_end: Option<usize>,
    /// Where the judged part ends in the text.
    pub(super) end: usize,
    /// How much further than in the mould the tokens behind the payload stand.
    pub(super) moved: u16,
}

/// Leaves of a line that was fitted step by step.
#[derive(Debug, Default)]
pub(super) struct Leaves(Vec<(Leaf, usize, usize)>);

/// The strings that stood in a line's leaves.
pub(super) type Spelled = Vec<Option<Box<[u8]>>>;

impl Trace for Leaves {
    fn leaf(&mut self, leaf: Leaf, at: usize, end: usize) {
        self.0.push((leaf, at, end));
    }
}

impl Leaves {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The strings among them.
    pub(super) fn spelled(&self, text: &[u8]) -> Spelled {
        self.0.iter().map(|(_, at, end)| (text[*at] == b'"').then(|| text[*at..*end].into())).collect()
    }
}

/// Whether each byte is as its range will have it.
#[inline(always)]
fn all_fit(line: &[u8], ranges: &[Ranges], outside: impl Fn(u8, u8, u8) -> u8) -> bool {
    for (bytes, (least, room)) in line.as_chunks::<BLOCK>().0.iter().zip(ranges) {
        let mut beyond = 0;
        for ((byte, least), room) in bytes.iter().zip(least).zip(room) {
            beyond |= outside(*byte, *least, *room);
        }
        if beyond != 0 {
            return false;
        }
    }
    true
}

/// Not zero where a byte is out of its range.
#[inline(always)]
fn outside(byte: u8, least: u8, room: u8) -> u8 {
    byte.wrapping_sub(least).saturating_sub(room)
}

/// The same where a string's end or an escape may stand, which no string's character is.
#[inline(always)]
fn outside_or_mark(byte: u8, least: u8, room: u8) -> u8 {
    let is_mark = (byte == b'"') | (byte == b'\\');
    outside(byte, least, room) | u8::from(is_mark & (room == STRING_ROOM))
}

impl Piece {
    /// The ranges of `text[from..to]`, in which these leaves (with their numbers) stand. Strings that
    /// are what they were in another line (`before`) are taken for fixed.
    fn new(
        text: &[u8],
        (from, to): (usize, usize),
        leaves: &[(Leaf, usize, usize)],
        before: &[Option<Box<[u8]>>],
    ) -> Option<Piece> {
        if to <= from || to - from > PIECE_MAX {
            return None;
        }
        let mut draft = Draft { least: text[from..to].to_vec(), room: vec![0; to - from] };
        let (mut ordinal, mut widths) = ((0, 0), 0u64);
        for (index, (leaf, at, end)) in leaves.iter().enumerate() {
            let place = (at - from, end - from);
            let is_fixed = matches!(leaf, Leaf::Skip | Leaf::Scalar)
                && before.get(index).is_some_and(|before| before.as_deref() == Some(&text[*at..*end]));
            if *leaf == Leaf::Ordinal {
                ordinal = (place.0 as u16, (place.1 - place.0) as u16);
            }
            // A kind's flags are those of its spelling, and a word is what it is.
            if !matches!(leaf, Leaf::Kind | Leaf::Nondeterministic(_)) && !is_fixed {
                draft.leaf(place)?;
                widths = widths.wrapping_mul(31).wrapping_add((end - at) as u64);
            }
        }
        let has_strings = draft.room.contains(&STRING_ROOM);
        let ranges = draft.blocks();
        let ends_open = leaves.last().is_some_and(|(_, _, end)| *end == to);
        Some(Piece { ranges, has_strings, len: to - from, ends_open, ordinal, widths })
    }

    /// Whether the bytes from `from` on are as they must be.
    #[inline(always)]
    fn holds(&self, text: &[u8], from: usize) -> bool {
        let Some(line) = text.get(from..from + self.ranges.len() * BLOCK) else { return false };
        let fits = match self.has_strings {
            true => all_fit(line, &self.ranges, outside_or_mark),
            false => all_fit(line, &self.ranges, outside),
        };
        if !fits {
            return false;
        }
        !self.ends_open
            || !text.get(from + self.len).is_some_and(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(byte))
    }

    /// The ordinal; 0 if it does not stand here.
    #[inline(always)]
    fn ordinal(&self, text: &[u8], from: usize) -> Option<u64> {
        leaf::digits_value(text, from + usize::from(self.ordinal.0), usize::from(self.ordinal.1))
    }
}

impl Mould {
    /// The mould of a line that fitted a layout: `leaves` are where they stood in `text`, `flags`
    /// what the line is flagged with. `None` where it is no use.
    pub(super) fn new(
        layout: &Arc<Layout>,
        text: &[u8],
        (start, end): (usize, usize),
        (leaves, before): (&Leaves, &Spelled),
        (fit, flags): (&Fit, u8),
    ) -> Option<Mould> {
        let leaves = &leaves.0[..];
        let stop = leaves.last().map_or(start, |leaf| leaf.2) + layout.last_len();
        let is_container = |(_, at, _): &(Leaf, usize, usize)| matches!(text[*at], b'{' | b'[');
        let first = leaves.iter().position(is_container);
        let known_from = |step: usize| if step == 0 { start } else { leaves[step - 1].2 };
        let rest = first.map(|step| (step, known_from(step) - start));
        // One container, the payload, with the kind before it: all else is known all the same.
        let payload = first.filter(|step| {
            let behind = &leaves[step + 1..];
            leaves[*step].0 == Leaf::Payload
                && !behind.iter().any(is_container)
                && behind.iter().all(|(leaf, ..)| *leaf != Leaf::Kind)
        });
        let (head, head_leaves) = match (payload, rest) {
            (Some(step), _) => (leaves[step].1, step),
            (None, Some((step, at))) => (start + at, step),
            (None, None) => (stop, leaves.len()),
        };
        let head = Piece::new(text, (start, head), &leaves[..head_leaves], before)?;
        let behind = match payload {
            Some(step) => {
                let before = before.get(step + 1..).unwrap_or_default();
                Some(Piece::new(text, (leaves[step].2, stop), &leaves[step + 1..], before)?)
            }
            None => None,
        };
        let behind_bits = payload.map_or(&[][..], |step| &leaves[step + 1..]).iter();
        let threads_behind = behind_bits.fold(0, |bits, (leaf, ..)| match leaf {
            Leaf::Thread(part) => bits | 1 << part,
            _ => bits,
        });
        let is_known = payload.is_some() || rest.is_none() && leaves.iter().all(|(leaf, ..)| *leaf != Leaf::Payload);
        let like = is_known.then(|| Like::new(fit, flags, end - start)).flatten();
        Some(Mould {
            head,
            behind,
            threads_behind,
            payload_end: payload.map_or(0, |step| leaves[step].2 - start),
            rest,
            fit: *fit,
            flags,
            like,
            layout: Arc::clone(layout),
        })
    }

    /// The span of its lines but for ordinal and lengths, if all else is known.
    #[inline(always)]
    pub(super) fn like(&self) -> Option<&Like> {
        self.like.as_ref()
    }

    /// Whether more is judged than a line's head.
    #[inline(always)]
    pub(super) fn goes_on(&self) -> bool {
        self.behind.is_some()
    }

    /// Judges the head of a line. No line feed stands in it.
    #[inline(always)]
    pub(super) fn cast_head(&self, text: &[u8], start: usize) -> Option<Cast> {
        if !self.head.holds(text, start) {
            return None;
        }
        let ordinal = self.head.ordinal(text, start)?;
        Some(Cast { ordinal, tail_end: None, end: start + self.head.len, moved: 0 })
    }

    /// Judges a line of which all but the ordinal and lengths is known.
    #[inline(always)]
    pub(super) fn cast(&self, text: &[u8], start: usize) -> Option<Cast> {
        let head = self.cast_head(text, start)?;
        let Some(behind) = &self.behind else { return Some(head) };
        let from = leaf::container_end(text, head.end, 1)?;
        if from + behind.len - start > usize::from(u16::MAX) || !behind.holds(text, from) {
            return None;
        }
        let ordinal = if behind.ordinal.1 > 0 { behind.ordinal(text, from)? } else { head.ordinal };
        let moved = ((from - start) as u16).wrapping_sub(self.payload_end as u16);
        Some(Cast { ordinal, tail_end: Some(from - start), end: from + behind.len, moved })
    }

    /// Where a token of the thread stands in a line in which all behind the payload has moved so far.
    #[inline(always)]
    pub(super) fn thread(&self, part: usize, moved: u16) -> Place {
        let (at, end) = self.fit.thread[part];
        let moved = if self.threads_behind >> part & 1 == 1 { moved } else { 0 };
        (at.wrapping_add(moved), end.wrapping_add(moved))
    }

    /// Whether a line known up to `at` may end at `end`.
    #[inline(always)]
    pub(super) fn reaches(&self, text: &[u8], at: usize, end: usize) -> bool {
        self.layout.reaches(text, at, end)
    }

    /// How wide the leaves are, the kind's aside, as a number.
    #[inline(always)]
    pub(super) fn widths(&self) -> u64 {
        self.behind.as_ref().map_or(self.head.widths, |behind| self.head.widths.rotate_left(32) ^ behind.widths)
    }

    /// Takes a line apart that is of the mould, or whose head is, if no more of it is known.
    #[inline]
    pub(super) fn fit(
        &self,
        text: &[u8],
        (start, end): (usize, usize),
        flags: impl FnOnce(&Fit) -> Option<u8>,
    ) -> Option<(Fit, u8)> {
        if self.like.is_some() {
            let cast = self.cast(text, start)?;
            let thread = std::array::from_fn(|part| self.thread(part, cast.moved));
            let fit = Fit { ordinal: cast.ordinal, thread, ..self.fit };
            let mut fit = self.layout.close(fit, text, (start, cast.end, end))?;
            if let Some(tail_end) = cast.tail_end {
                fit.tail.1 = tail_end as u32;
            }
            return Some((fit, self.flags));
        }
        if !self.head.holds(text, start) {
            return None;
        }
        let ordinal = self.head.ordinal(text, start)?;
        let fit = Fit { ordinal, ..self.fit };
        match self.rest {
            None => Some((self.layout.close(fit, text, (start, start + self.head.len, end))?, self.flags)),
            Some((step, at)) => {
                let fit = self.layout.fit_from(step, fit, text, (start, start + at, end), &mut ())?;
                // The kind may stand behind the head.
                let flags = flags(&fit)?;
                Some((fit, flags))
            }
        }
    }
}

/// A mould in the making.
struct Draft {
    least: Vec<u8>,
    room: Vec<u8>,
}

impl Draft {
    /// Widens the ranges of a leaf's bytes.
    fn leaf(&mut self, (at, end): (usize, usize)) -> Option<()> {
        match self.least[at] {
            b'"' => {
                self.range(at + 1..end - 1, b' ', b' ' + STRING_ROOM);
            }
            b'0'..=b'9' | b'-' => {
                let first = at + usize::from(self.least[at] == b'-');
                let whole = self.least[first..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
                // No zero in front of others.
                self.range(first..first + 1, if whole > 1 { b'1' } else { b'0' }, b'9');
                self.range(first + 1..first + whole, b'0', b'9');
                if first + whole < end {
                    (self.least[first + whole] == b'.').then_some(())?;
                    self.range(first + whole + 1..end, b'0', b'9');
                }
            }
            // Words stay as they are.
            _ => {}
        }
        Some(())
    }

    fn range(&mut self, bytes: std::ops::Range<usize>, least: u8, most: u8) {
        self.least[bytes.clone()].fill(least);
        self.room[bytes].fill(most - least);
    }

    /// The ranges in whole blocks; behind the head any byte will do.
    fn blocks(mut self) -> Vec<Ranges> {
        let len = self.least.len().next_multiple_of(BLOCK);
        self.least.resize(len, 0);
        self.room.resize(len, u8::MAX);
        let pairs = self.least.as_chunks::<BLOCK>().0.iter().zip(self.room.as_chunks::<BLOCK>().0);
        pairs.map(|(least, room)| (*least, *room)).collect()
    }
}
