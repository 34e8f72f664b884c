//! Pair moulds: two texts of one layout whose leaves are equally wide, judged all at once.
//!
//! A mould says for each byte of a text in which range it must be (one value where a literal or a
//! word stands, a digit, a character of a plain string) and whether the two texts must have the
//! same byte there. Texts whose bytes are all in range are of the mould's layout, so both are
//! strictly valid. Two leaves of one mould have one sign, one point and neither exponent nor
//! escape: other bytes are another value, and where no rule looks away the pair is left to the
//! walk along the layouts, as is whatever else does not fit.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::layout::Duty;
use super::trie::Trie;
use crate::json;
use crate::json::simd::{self, BLOCK, Task, Vectors, Width};

/// Longer texts have no mould.
const TEXT_MAX: usize = 1024;
/// How many moulds there may be, at how many places one may stand, and how often one is made.
const SLOTS: usize = 4096;
const PLACES: usize = 8;
const ATTEMPTS_MAX: u32 = 4 * SLOTS as u32;
/// How far a character of a string may lie above a space; no other byte has this much room.
const STRING_ROOM: u8 = 0x7F - b' ';

/// What is asked of the bytes of one block.
#[derive(Debug)]
struct Ranges {
    least: [u8; BLOCK],
    /// How far each byte may lie above its least value.
    room: [u8; BLOCK],
    /// All bits where the two texts must have the same byte, else none.
    counts: [u8; BLOCK],
}

/// Two texts of one kind (see `regular`) and of one length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'t> {
    kind: usize,
    reference: &'t [u8],
    candidate: &'t [u8],
}

/// What two texts of one layout and one set of widths have in common.
#[derive(Debug)]
struct Mould {
    key: u64,
    len: usize,
    blocks: Box<[Ranges]>,
    /// Leaves that a rule overlooks in part or whole, in text order.
    noted: Box<[(u16, u16, Duty)]>,
}

/// Up to four rules, none of them numbered 0, in the order of their leaves: they travel in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FewRules(u64);

/// The moulds that all workers know: they come, and none goes.
#[derive(Debug, Default)]
pub(super) struct Moulds {
    slots: OnceLock<Box<[OnceLock<Box<Mould>>]>>,
    attempts: AtomicU32,
}

impl<'t> Pair<'t> {
    /// A pair that may have a mould.
    #[inline]
    pub fn new(kind: usize, reference: &'t [u8], candidate: &'t [u8]) -> Option<Pair<'t>> {
        let fits = reference.len() == candidate.len() && (1..=TEXT_MAX).contains(&reference.len());
        fits.then_some(Pair { kind, reference, candidate })
    }
}

impl Moulds {
    /// The rules that overlooked something, if the texts are valid and equal by a mould.
    #[inline]
    pub fn judge(&self, pair: Pair<'_>) -> Option<FewRules> {
        self.judge_by(pair, Width::Best)
    }

    #[inline]
    fn judge_by(&self, pair: Pair<'_>, width: Width) -> Option<FewRules> {
        simd::run(Judge { slots: self.slots.get()?, pair }, width)
    }

    /// Learns from texts that were found equal along the layouts of `trie`.
    #[cold]
    pub fn learn(&self, trie: &Trie, pair: Pair<'_>) {
        if self.attempts.load(Ordering::Relaxed) >= ATTEMPTS_MAX {
            return;
        }
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let Some(mut mould) = Mould::new(trie, pair).map(Box::new) else { return };
        let slots = self.slots.get_or_init(|| (0..SLOTS).map(|_| OnceLock::new()).collect());
        for place in places(mould.key) {
            match slots[place].set(mould) {
                Ok(()) => return,
                Err(refused) => mould = refused,
            }
        }
    }
}

/// Judges a pair by the moulds that are known.
struct Judge<'p> {
    slots: &'p [OnceLock<Box<Mould>>],
    pair: Pair<'p>,
}

impl Task for Judge<'_> {
    type Answer = Option<FewRules>;

    #[inline(always)]
    fn run(self, vectors: impl Vectors) -> Option<FewRules> {
        let Judge { slots, pair } = self;
        if pair.reference.len() >= BLOCK {
            return find(vectors, slots, pair, (pair.reference, pair.candidate));
        }
        find(vectors, slots, pair, (&padded(pair.reference), &padded(pair.candidate)))
    }
}

/// Judges a pair by the moulds of its key; `wide_x` and `wide_y` are its texts, a block long at least.
#[inline(always)]
fn find(
    vectors: impl Vectors,
    slots: &[OnceLock<Box<Mould>>],
    pair: Pair<'_>,
    (wide_x, wide_y): (&[u8], &[u8]),
) -> Option<FewRules> {
    let key = key(vectors, pair.kind, pair.reference.len(), wide_x);
    for place in places(key) {
        let mould = slots[place].get()?;
        if mould.key == key && mould.len == pair.reference.len() && mould.holds(wide_x, wide_y) {
            return mould.overlooked(pair);
        }
    }
    None
}

/// Where a mould of this key may stand.
#[inline(always)]
fn places(key: u64) -> impl Iterator<Item = usize> {
    (0..PLACES).map(move |n| (key as usize).wrapping_add(n) % SLOTS)
}

/// A number that texts of one mould share and others mostly do not: the commas tell the widths of
/// what stands between them.
#[inline(always)]
fn key(vectors: impl Vectors, kind: usize, len: usize, wide: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut key = (kind as u64) << 32 | len as u64;
    for index in 0..len.div_ceil(BLOCK) {
        key = (key.rotate_left(29) ^ vectors.find::<b','>(block(wide, index))).wrapping_mul(ODD);
    }
    key ^ key >> 32
}

/// The block of this number; the last one ends where the text ends.
#[inline(always)]
fn block(wide: &[u8], index: usize) -> &[u8; BLOCK] {
    let at = (index * BLOCK).min(wide.len() - BLOCK);
    wide[at..].first_chunk().expect("a block is left")
}

/// A short text with zeros behind it.
#[inline(always)]
fn padded(text: &[u8]) -> [u8; BLOCK] {
    let mut wide = [0; BLOCK];
    wide[..text.len()].copy_from_slice(text);
    wide
}

/// Not zero where a byte is out of its range, or ends the string it stands in.
#[inline(always)]
fn outside(byte: u8, least: u8, room: u8) -> u8 {
    let is_mark = (byte == b'"') | (byte == b'\\');
    byte.wrapping_sub(least).saturating_sub(room) | u8::from(is_mark & (room == STRING_ROOM))
}

impl Mould {
    /// The mould of two texts; `None` where they have none, or a leaf is spelled in another way.
    fn new(trie: &Trie, pair: Pair<'_>) -> Option<Mould> {
        let leaves = |text| {
            let mut leaves = Vec::new();
            let layout = trie.fit_whole(text, |met| leaves.push((met.start, met.end, met.place.leaf)))?;
            Some((layout, leaves))
        };
        let (known, other) = (leaves(pair.reference)?, leaves(pair.candidate)?);
        if known != other {
            return None;
        }
        let len = pair.reference.len();
        let mut draft = Draft { least: pair.reference.to_vec(), room: vec![0; len], counts: vec![u8::MAX; len] };
        let mut noted = Vec::new();
        for (start, end, leaf) in known.1 {
            draft.leaf(start, end);
            match leaf.duty {
                // Values that are alike but not the same bytes are left to the walk along the layouts.
                Duty::Plain | Duty::Alike(..) => {}
                Duty::Skip => draft.counts[start..end].fill(0),
                Duty::Ignore(_) | Duty::Mask(..) => {
                    draft.counts[start..end].fill(0);
                    noted.push((start as u16, end as u16, leaf.duty));
                }
                // What allocators return is judged by other leaves too.
                Duty::Value(_) | Duty::Status(_) | Duty::Identity(_) => return None,
            }
        }
        let (wide_x, wide_y) = match len < BLOCK {
            true => (padded(pair.reference).to_vec(), padded(pair.candidate).to_vec()),
            false => (pair.reference.to_vec(), pair.candidate.to_vec()),
        };
        let key = key(simd::Plain::new(), pair.kind, len, &wide_x);
        let mould = Mould { key, len, blocks: draft.blocks(), noted: noted.into() };
        mould.holds(&wide_x, &wide_y).then_some(mould)
    }

    /// Whether all bytes of both texts are in range, and the same where that counts.
    #[inline(always)]
    fn holds(&self, wide_x: &[u8], wide_y: &[u8]) -> bool {
        for (index, Ranges { least, room, counts }) in self.blocks.iter().enumerate() {
            let (x, y) = (block(wide_x, index), block(wide_y, index));
            let mut wrong = 0;
            for at in 0..BLOCK {
                wrong |= outside(x[at], least[at], room[at])
                    | outside(y[at], least[at], room[at])
                    | (x[at] ^ y[at]) & counts[at];
            }
            if wrong != 0 {
                return false;
            }
        }
        true
    }

    /// The rules that overlook a difference between texts of this mould; `None` where a leaf seems
    /// to differ for all its rule says.
    #[inline(always)]
    fn overlooked(&self, pair: Pair<'_>) -> Option<FewRules> {
        let mut rules = FewRules(0);
        for (start, end, duty) in &self.noted {
            let span = usize::from(*start)..usize::from(*end);
            let (x, y) = (&pair.reference[span.clone()], &pair.candidate[span]);
            match *duty {
                _ if x == y => {}
                Duty::Ignore(rule) => rules.add(rule)?,
                Duty::Mask(rule, bits) => {
                    let is_alike = match (hex_digits(x), hex_digits(y)) {
                        (Some(x), Some(y)) => masked_alike(x, y, bits)?,
                        _ => plain_masked(x, bits)? == plain_masked(y, bits)?,
                    };
                    if !is_alike {
                        return None;
                    }
                    rules.add(rule)?;
                }
                _ => return None,
            }
        }
        Some(rules)
    }
}

/// The digits of a token spelled as most hex numbers are; they may be others yet.
#[inline(always)]
fn hex_digits(token: &[u8]) -> Option<&[u8]> {
    match token {
        [b'"', b'0', b'x', digits @ .., b'"'] if (1..=16).contains(&digits.len()) => Some(digits),
        _ => None,
    }
}

/// Whether two hex numbers of equally many digits are the same but for these bits; `None` where they
/// are no hex numbers.
#[inline(always)]
fn masked_alike(x: &[u8], y: &[u8], mut bits: u64) -> Option<bool> {
    let (mut beyond, mut unlike) = (0, 0);
    for (x, y) in x.iter().rev().zip(y.iter().rev()) {
        let (x, y) = (NIBBLES[usize::from(*x)], NIBBLES[usize::from(*y)]);
        beyond |= x | y;
        unlike |= (x ^ y) & !(bits as u8);
        bits >>= 4;
    }
    (beyond <= 0xF).then_some(unlike & 0xF == 0)
}

/// What hex digits stand for; all bits for what is none.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        nibbles[b"0123456789abcdef"[value] as usize] = value as u8;
        nibbles[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    nibbles
};

/// What `walk::masked` makes of a token in which nothing is escaped; the two sides are of one kind.
#[inline]
fn plain_masked(token: &[u8], bits: u64) -> Option<u64> {
    let value = match token {
        [b'"', text @ .., b'"'] => u64::try_from(json::number::hex_to_u128(text)?).ok()?,
        [b'0'..=b'9' | b'-', ..] => json::number::to_u64(token)?,
        _ => return None,
    };
    Some(value & !bits)
}

impl FewRules {
    const MAX: u32 = 4;

    /// Takes a rule in; `None` where it cannot be held.
    #[inline(always)]
    fn add(&mut self, rule: u16) -> Option<()> {
        for place in (0..FewRules::MAX).map(|n| n * 16) {
            match (self.0 >> place) as u16 {
                0 if rule != 0 => self.0 |= u64::from(rule) << place,
                known if known == rule && rule != 0 => {}
                _ => continue,
            }
            return Some(());
        }
        None
    }

    /// Their numbers, in the order of their leaves.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = u16> {
        std::iter::successors(Some(self.0), |rest| Some(rest >> 16))
            .take_while(|rest| *rest != 0)
            .map(|rest| rest as u16)
    }
}

/// A mould in the making; at first only the very text fits it.
struct Draft {
    least: Vec<u8>,
    room: Vec<u8>,
    counts: Vec<u8>,
}

impl Draft {
    /// Widens the ranges of a leaf's bytes. Where the leaf is spelled as no mould allows, its own
    /// text is out of range.
    fn leaf(&mut self, start: usize, end: usize) {
        match self.least[start] {
            b'"' => self.range(start + 1..end - 1, b' ', STRING_ROOM),
            b'0'..=b'9' | b'-' => {
                let first = start + usize::from(self.least[start] == b'-');
                let whole = self.least[first..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
                // No zero in front of others.
                let (least, room) = if whole > 1 { (b'1', 8) } else { (b'0', 9) };
                self.range(first..end, b'0', 9);
                self.range(first..end.min(first + 1), least, room);
                let point = first + whole;
                if point < end {
                    // Anything but a point was out of range as the digit it is no more.
                    self.range(point..point + 1, b'.', 0);
                }
            }
            // Words stay as they are.
            _ => {}
        }
    }

    fn range(&mut self, bytes: std::ops::Range<usize>, least: u8, room: u8) {
        self.least[bytes.clone()].fill(least);
        self.room[bytes].fill(room);
    }

    /// The ranges by blocks, the last of which ends where the text ends.
    fn blocks(mut self) -> Box<[Ranges]> {
        let count = self.least.len().div_ceil(BLOCK);
        for bytes in [&mut self.least, &mut self.room, &mut self.counts] {
            bytes.resize(bytes.len().max(BLOCK), 0);
        }
        let part = |bytes: &[u8], index| *block(bytes, index);
        let ranges = |index| Ranges {
            least: part(&self.least, index),
            room: part(&self.room, index),
            counts: part(&self.counts, index),
        };
        (0..count).map(ranges).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::layout::{Layout, Leaf, Shape};

    #[test]
    fn hex_numbers_are_masked_digit_by_digit_as_a_whole() {
        let spellings =
            ["0x0", "0xF", "0x30", "0x3f", "0xDEADbeef", "0xdeadBEEE", "0xffffffffffffffff", "0xg1", "0x1g"];
        for (x, y) in spellings.iter().flat_map(|x| spellings.map(|y| (*x, y))).filter(|(x, y)| x.len() == y.len()) {
            for bits in [0, 1, 0x30, 0xF0F0, u64::MAX, 1 << 63] {
                let [x, y] = [x, y].map(|text| format!("\"{text}\""));
                let wanted = plain_masked(x.as_bytes(), bits).zip(plain_masked(y.as_bytes(), bits));
                let [x, y] = [&x, &y].map(|token| hex_digits(token.as_bytes()).expect("at most sixteen digits"));
                assert_eq!(masked_alike(x, y, bits), wanted.map(|(x, y)| x == y), "{x:?} {y:?} {bits:x}");
            }
        }
        assert_eq!([&b"\"30\""[..], b"\"0x\"", b"\"0x00000000000000001\"", b"48"].map(hex_digits), [None; 4]);
    }

    #[test]
    fn both_ways_judge_alike() {
        for width in [1, 20, 50, 60, 110, 200] {
            let leaf = |duty| Leaf { duty, says: 0 };
            let layout = Layout {
                literals: [&br#"{"a":"#[..], br#","b":"#, br#","c":"#, b"}"].map(Box::from).to_vec(),
                leaves: vec![leaf(Duty::Plain), leaf(Duty::Ignore(7)), leaf(Duty::Mask(9, 0x30))],
                payload: Shape::Array(Vec::new()),
            };
            let mut trie = Trie::new();
            assert!(trie.insert(layout));
            let text = |b: &str, c: u8| format!(r#"{{"a":"{}","b":{b},"c":"0x{c:02x}"}}"#, "x".repeat(width));
            let [x, y] = [text("12", 0x15), text("34", 0x25)];
            let moulds = Moulds::default();
            let pair = Pair::new(3, x.as_bytes(), y.as_bytes()).expect("they are equally long");
            moulds.learn(&trie, pair);
            let found = moulds.judge(pair).expect("it was learned");
            assert_eq!(found.iter().collect::<Vec<_>>(), [7, 9]);
            for at in 0..y.len() {
                for byte in [b'0', b'5', b'"', b'\\', b'a', b',', 0, 0x80, 0xFF] {
                    let mut other = y.clone().into_bytes();
                    other[at] = byte;
                    let pair = Pair::new(3, x.as_bytes(), &other).expect("they are equally long");
                    let found = moulds.judge(pair);
                    assert_eq!(found, moulds.judge_by(pair, Width::Plain));
                    let is_kept = other == y.as_bytes() || (byte == b'5' && at == width + 13);
                    assert!(found.is_some() || !is_kept, "byte {at} of {width}");
                }
            }
        }
    }
}
