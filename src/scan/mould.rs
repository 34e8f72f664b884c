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

use super::layout::{Fit, Layout, Leaf, Place, THREAD_PARTS_MAX, Trace};
use super::table::Like;
use crate::json::leaf;

/// Bytes judged before a line may be turned away.
const BLOCK: usize = 64;
/// Longer heads have no mould.
const HEAD_MAX: usize = 1024;

/// The least values of a block's bytes, and how far each may lie above.
type Ranges = ([u8; BLOCK], [u8; BLOCK]);

/// The ranges of a line's bytes, from its first on.
#[derive(Clone, Debug)]
pub(super) struct Mould {
    /// The least value of each byte and how far it may lie above; padded to whole blocks.
    ranges: Vec<Ranges>,
    /// Where strings begin and end, between which neither quote nor backslash may stand.
    strings: Vec<(u16, u16)>,
    layout: Arc<Layout>,
    widths: u64,
    /// The step at which judging step by step goes on, and the byte (relative to the line).
    rest: Option<usize>,
    head: usize,
    fit: Fit,
    flags: u8,
    /// The line's span but for its ordinal and length, if nothing is looked for behind the head.
    like: Option<Like>,
    /// Where the ordinal stands, if it does in the head.
    ordinal: Option<(u16, u16)>,
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

impl Mould {
    /// The mould of a line that fitted a layout: `leaves` are where they stood in `text`, `flags`
    /// what the line is flagged with. Strings that are what they were in another line (`before`)
    /// are taken for fixed. `None` where it is no use.
    pub(super) fn new(
        layout: &Arc<Layout>,
        text: &[u8],
        (start, end): (usize, usize),
        (leaves, before): (&Leaves, &Spelled),
        (fit, flags): (&Fit, u8),
    ) -> Option<Mould> {
        let is_container = |(_, at, _): &&(Leaf, usize, usize)| matches!(text[*at], b'{' | b'[');
        let containers = leaves.0.iter().position(|leaf| is_container(&leaf));
        let (rest, head) = match containers {
            Some(step) => (Some(step), leaves.0[step].1 - start),
            None => (None, leaves.0.last().map_or(0, |leaf| leaf.2 - start) + layout.last_len()),
        };
        // A container is judged with the step it stands in, whose literal is judged again.
        let head = rest.map_or(head, |step| if step == 0 { 0 } else { leaves.0[step - 1].2 - start });
        if head == 0 || head > HEAD_MAX || start + head > end {
            return None;
        }
        let mut draft = Draft { least: text[start..start + head].to_vec(), room: vec![0; head], strings: Vec::new() };
        let (mut ordinal, mut widths) = (None, 0u64);
        for (index, (leaf, at, end)) in leaves.0.iter().take(rest.unwrap_or(leaves.0.len())).enumerate() {
            let place = (at - start, end - start);
            let is_fixed = matches!(leaf, Leaf::Skip | Leaf::Scalar)
                && before.get(index).is_some_and(|before| before.as_deref() == Some(&text[*at..*end]));
            if *leaf == Leaf::Ordinal {
                ordinal = Some((place.0 as u16, place.1 as u16));
            }
            // A kind's flags are those of its spelling, and a word is what it is.
            if !matches!(leaf, Leaf::Kind | Leaf::Nondeterministic(_)) && !is_fixed {
                draft.leaf(place)?;
                widths = widths.wrapping_mul(31).wrapping_add((end - at) as u64);
            }
        }
        let mut known = layout.blank();
        if rest.is_none() {
            known = *fit;
        } else {
            (known.thread, known.kind) = (fit.thread, fit.kind);
            (known.ordinal, known.nondeterministic) = (fit.ordinal, fit.nondeterministic);
        }
        let (ranges, strings) = draft.blocks();
        let is_whole = rest.is_none() && leaves.0.iter().all(|(leaf, ..)| *leaf != Leaf::Payload);
        let like = is_whole.then(|| Like::new(fit, flags, end - start)).flatten();
        let layout = Arc::clone(layout);
        Some(Mould { ranges, strings, layout, widths, rest, head, fit: known, flags, like, ordinal })
    }

    /// Whether a line's head is of this mould.
    #[inline(always)]
    fn holds(&self, text: &[u8], start: usize) -> bool {
        let Some(line) = text.get(start..start + self.ranges.len() * BLOCK) else { return false };
        for (bytes, (least, room)) in line.as_chunks::<BLOCK>().0.iter().zip(&self.ranges) {
            let mut beyond = 0;
            for ((byte, least), room) in bytes.iter().zip(least).zip(room) {
                beyond |= byte.wrapping_sub(*least).saturating_sub(*room);
            }
            if beyond != 0 {
                return false;
            }
        }
        let is_plain = |(quote, end): &(u16, u16)| {
            leaf::plain_string_end(text, start + usize::from(*quote)) == Some(start + usize::from(*end))
        };
        if !self.strings.iter().all(is_plain) {
            return false;
        }
        // Where nothing is looked at behind the head, its last number may be longer than the mould.
        !text.get(start + self.head).is_some_and(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(byte))
    }

    /// The ordinal of a line whose head is of this mould (0 where it does not stand there).
    #[inline(always)]
    fn head(&self, text: &[u8], start: usize) -> Option<u64> {
        if !self.holds(text, start) {
            return None;
        }
        match self.ordinal {
            Some((at, end)) => leaf::digits_value(text, start + usize::from(at), usize::from(end - at)),
            None => Some(0),
        }
    }

    /// Takes the head of a line apart of which all but the ordinal and its length is then known:
    /// the line's span but for those, the ordinal, and where the head ends. No line feed stands in
    /// a head.
    #[inline(always)]
    pub(super) fn cast(&self, text: &[u8], start: usize) -> Option<(&Like, u64, usize)> {
        let like = self.like.as_ref()?;
        Some((like, self.head(text, start)?, start + self.head))
    }

    /// The first token of the thread's key, relative to the line.
    #[inline(always)]
    pub(super) fn thread(&self) -> &[Place; THREAD_PARTS_MAX] {
        &self.fit.thread
    }

    /// Whether a line whose head is of this mould may end at `end`.
    #[inline(always)]
    pub(super) fn reaches(&self, text: &[u8], at: usize, end: usize) -> bool {
        self.layout.reaches(text, at, end)
    }

    /// How wide the leaves are, the kind's aside, as a number.
    #[inline(always)]
    pub(super) fn widths(&self) -> u64 {
        self.widths
    }

    /// Takes a line apart that fits.
    #[inline]
    pub(super) fn fit(
        &self,
        text: &[u8],
        (start, end): (usize, usize),
        flags: impl FnOnce(&Fit) -> Option<u8>,
    ) -> Option<(Fit, u8)> {
        let ordinal = self.head(text, start)?;
        let fit = Fit { ordinal, ..self.fit };
        let places = (start, start + self.head, end);
        match self.rest {
            None => Some((self.layout.close(fit, text, places)?, self.flags)),
            Some(step) => {
                let fit = self.layout.fit_from(step, fit, text, places, &mut ())?;
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
    strings: Vec<(u16, u16)>,
}

impl Draft {
    /// Widens the ranges of a leaf's bytes.
    fn leaf(&mut self, (at, end): (usize, usize)) -> Option<()> {
        match self.least[at] {
            b'"' => {
                self.strings.push((at as u16, end as u16));
                self.range(at + 1..end - 1, b' ', 0x7F);
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
    fn blocks(mut self) -> (Vec<Ranges>, Vec<(u16, u16)>) {
        let len = self.least.len().next_multiple_of(BLOCK);
        self.least.resize(len, 0);
        self.room.resize(len, u8::MAX);
        let pairs = self.least.as_chunks::<BLOCK>().0.iter().zip(self.room.as_chunks::<BLOCK>().0);
        (pairs.map(|(least, room)| (*least, *room)).collect(), self.strings)
    }
}
