//! Names: whether an event can say anything of objects, told without reading the whole of it.
//!
//! A path is followed from the left and no further than needed, as opening does, so of a key given twice the first is
//! met; events that give one twice say nothing anyway. Most names stand where the last one stood, behind the same
//! bytes, and begin like none that matters: that is seen a word at a time.

use super::marks::Marked;
use crate::json::tape::key_is;
use crate::json::{grammar, leaf};

/// Strings of which one must stand at a path.
#[derive(Clone, Debug)]
pub(super) struct Names {
    path: Path,
    names: Vec<Vec<u8>>,
    /// A bit for what each of them begins with; most other names are told from them by that alone.
    heads: u64,
}

/// A path from the payload, or else from the line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub inside: bool,
    pub tokens: Vec<String>,
}

/// What stands before a name.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    bytes: Vec<u8>,
    /// The same as a word, and which bits of it count: none where it is longer.
    pub word: u128,
    mask: u128,
}

impl Before {
    pub fn of(bytes: &[u8]) -> Before {
        let mut word = [0; 16];
        let mask = MASKS.get(bytes.len()).copied().unwrap_or(0);
        if mask != 0 {
            word[..bytes.len()].copy_from_slice(bytes);
        }
        Before { bytes: bytes.to_vec(), word: u128::from_le_bytes(word), mask }
    }

    #[inline(always)]
    fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<16>() {
            Some(chunk) if self.mask != 0 => u128::from_le_bytes(*chunk) & self.mask == self.word,
            _ => !self.bytes.is_empty() && text.starts_with(&self.bytes),
        }
    }
}

/// All bits of so many bytes, up to a word's.
pub(super) const MASKS: [u128; 17] = {
    let mut masks = [0; 17];
    let mut len = 1;
    while len <= 16 {
        masks[len] = u128::MAX >> (128 - 8 * len);
        len += 1;
    }
    masks
};

/// The first eight characters of the string whose opening quote stands at a byte; not where it has fewer or an escape
/// stands among them.
#[inline(always)]
fn head(text: &[u8], at: usize) -> Option<u64> {
    let chunk = text.get(at + 1..)?.first_chunk::<8>()?;
    let is_plain = text[at] == b'"' && !chunk.iter().fold(false, |odd, byte| odd | (*byte == b'"') | (*byte == b'\\'));
    is_plain.then(|| u64::from_le_bytes(*chunk))
}

/// The bit for a head.
#[inline(always)]
fn head_bit(head: u64) -> u64 {
    1 << (head.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58)
}

impl Names {
    /// One of these names must stand at the path.
    pub fn new(path: Path, names: Vec<Vec<u8>>) -> Names {
        let heads = names.iter().filter_map(|name| name.first_chunk()).map(|head| head_bit(u64::from_le_bytes(*head)));
        Names { path, heads: heads.fold(0, |bits, bit| bits | bit), names }
    }

    /// Whether none of them stands where the last name stood.
    #[inline(always)]
    pub fn are_surely_missing(&self, event: &Marked<'_>, before: &Before) -> bool {
        let text = self.path.text(event);
        before.begins(text) && head(text, before.bytes.len()).is_some_and(|head| self.heads & head_bit(head) == 0)
    }

    /// Whether the event has one of them, as far as can be told without reading it.
    pub fn may_stand(&self, event: &Marked<'_>, before: &mut Before) -> bool {
        let text = self.path.text(event);
        let guessed = before.begins(text).then(|| plain_string(text, before.bytes.len())).flatten();
        let token = match guessed {
            Some(token) => token,
            None => {
                let Some(token) = locate(text, &self.path.tokens) else { return false };
                *before = Before::of(&text[..token.as_ptr() as usize - text.as_ptr() as usize]);
                token
            }
        };
        match token {
            [b'"', name @ .., b'"'] if !name.contains(&b'\\') => self.names.iter().any(|known| known == name),
            token => token.first() == Some(&b'"'),
        }
    }
}

impl Path {
    /// The text that the path begins in.
    fn text<'l>(&self, event: &Marked<'l>) -> &'l [u8] {
        if self.inside { event.tail } else { event.line }
    }
}

/// The plain string that stands at a byte.
#[inline]
fn plain_string(text: &[u8], at: usize) -> Option<&[u8]> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    leaf::plain_string_end(text, at).map(|end| &text[at..end])
}

/// The scalar at a path, where it is found from the left.
fn locate<'t>(text: &'t [u8], path: &[String]) -> Option<&'t [u8]> {
    let mut at = grammar::skip_space(text, 0);
    for token in path {
        at = match text.get(at)? {
            b'{' => find_member(text, at + 1, token.as_bytes())?,
            b'[' => find_element(text, at + 1, token)?,
            _ => return None,
        };
    }
    match text.get(at)? {
        b'{' | b'[' => None,
        _ => Some(&text[at..value_end(text, at)?]),
    }
}

/// Where the value under a key begins, in the object whose members begin at `at`.
fn find_member(text: &[u8], mut at: usize, key: &[u8]) -> Option<usize> {
    loop {
        at = grammar::skip_space(text, at);
        (text.get(at)? == &b'"').then_some(())?;
        let end = string_end(text, at)?;
        let token = &text[at..end];
        at = grammar::skip_space(text, end);
        (text.get(at)? == &b':').then_some(())?;
        at = grammar::skip_space(text, at + 1);
        if key_is(token, key) {
            return Some(at);
        }
        at = behind_comma(text, at)?;
    }
}

/// Where the element at a position begins, in the array whose elements begin at `at`.
fn find_element(text: &[u8], mut at: usize, position: &str) -> Option<usize> {
    let position: usize = position.parse().ok()?;
    at = grammar::skip_space(text, at);
    for _ in 0..position {
        at = grammar::skip_space(text, behind_comma(text, at)?);
    }
    (text.get(at)? != &b']').then_some(at)
}

/// Behind the comma that follows the value at `at`.
fn behind_comma(text: &[u8], at: usize) -> Option<usize> {
    let end = grammar::skip_space(text, value_end(text, at)?);
    (text.get(end)? == &b',').then_some(end + 1)
}

fn value_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'{' | b'[' => leaf::container_end(text, at, 1).or_else(|| grammar::container_end_loose(text, at, 1).ok()),
        b'"' => string_end(text, at),
        _ => leaf::scalar_end(text, at).or_else(|| grammar::scalar_end(text, at).ok()),
    }
}

fn string_end(text: &[u8], at: usize) -> Option<usize> {
    leaf::plain_string_end(text, at).or_else(|| grammar::string_end(text, at).ok())
}
