//! Whether a text is strictly valid, found in one walk that remembers nothing but the brackets.
//!
//! A shortcut in front of [`super::cursor`], as [`super::leaf`] is in front of [`super::grammar`]: what it accepts
//! is strictly valid and ends where the cursor says. What it does not accept may be invalid or only odd.

use std::ops::Range;

use super::cursor::check_utf8;
use super::grammar::{self, DEPTH_MAX};
use super::leaf;

/// Deeper texts are not judged here: a bit is kept for each open container.
const OPEN_MAX: u32 = u64::BITS;

/// The end of the value at `at`, which stands inside `base` containers, if it is strictly valid, UTF-8
/// included. The keys of the value's own members are told, quotes included, and whether they are plain: without
/// an escape or a character beyond ASCII.
#[inline]
pub fn value_end(text: &[u8], at: usize, base: usize, mut key: impl FnMut(Range<usize>, bool)) -> Option<usize> {
    let mut walk = Walk { text, at, open: 0, objects: 0 };
    let mut byte = walk.byte()?;
    loop {
        // A value stands here, and begins with this byte.
        match byte {
            b'"' => walk.at = string_end(text, walk.at)?.0,
            b'{' | b'[' => {
                if walk.open == OPEN_MAX || base + walk.open as usize >= DEPTH_MAX {
                    return None;
                }
                let next = walk.open(byte == b'{')?;
                // Brackets of the two kinds lie two apart.
                if next != byte + 2 {
                    byte = walk.member(next, &mut key)?;
                    continue;
                }
                walk.close();
            }
            _ => walk.at = scalar_end(text, walk.at)?,
        }
        loop {
            if walk.open == 0 {
                return Some(walk.at);
            }
            match walk.skip_space(walk.at)? {
                b',' => {
                    let next = walk.skip_space(walk.at + 1)?;
                    byte = walk.member(next, &mut key)?;
                    break;
                }
                b'}' if walk.in_object() => walk.close(),
                b']' if !walk.in_object() => walk.close(),
                _ => return None,
            }
        }
    }
}

/// A place in a text, and the containers open there: the lowest bit is the innermost one's, set for an object.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
    open: u32,
    objects: u64,
}

impl Walk<'_> {
    #[inline(always)]
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline(always)]
    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    /// Goes to the first byte from `at` on that is no white space, and takes a look at it.
    #[inline(always)]
    fn skip_space(&mut self, at: usize) -> Option<u8> {
        self.at = at;
        let byte = self.byte()?;
        // Nothing above it is white space, and seldom does any stand between tokens.
        if byte > b' ' {
            return Some(byte);
        }
        self.at = grammar::skip_space(self.text, at);
        self.byte()
    }

    #[inline(always)]
    fn open(&mut self, is_object: bool) -> Option<u8> {
        self.objects = self.objects << 1 | u64::from(is_object);
        self.open += 1;
        self.skip_space(self.at + 1)
    }

    #[inline(always)]
    fn close(&mut self) {
        self.objects >>= 1;
        self.open -= 1;
        self.at += 1;
    }

    /// Goes to the next value, in an object past its key and colon, which begins with this byte; the value's first byte.
    #[inline(always)]
    fn member(&mut self, byte: u8, key: &mut impl FnMut(Range<usize>, bool)) -> Option<u8> {
        if !self.in_object() {
            return Some(byte);
        }
        if byte != b'"' {
            return None;
        }
        let (end, is_plain) = string_end(self.text, self.at)?;
        if self.open == 1 {
            key(self.at..end, is_plain);
        }
        if self.skip_space(end)? != b':' {
            return None;
        }
        self.skip_space(self.at + 1)
    }
}

/// The end of the string that begins at `at`, and whether it is plain.
#[inline(always)]
fn string_end(text: &[u8], at: usize) -> Option<(usize, bool)> {
    match leaf::plain_string_end(text, at) {
        Some(end) => Some((end, true)),
        None => odd_string_end(text, at).map(|end| (end, false)),
    }
}

/// A string with an escape or a character beyond ASCII.
#[inline(never)]
fn odd_string_end(text: &[u8], at: usize) -> Option<usize> {
    let end = grammar::string_end(text, at).ok()?;
    check_utf8(&text[at..end]).ok()?;
    Some(end)
}

#[inline(always)]
fn scalar_end(text: &[u8], at: usize) -> Option<usize> {
    match leaf::scalar_end(text, at) {
        Some(end) => Some(end),
        None => grammar::scalar_end(text, at).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cursor::{Cursor, Kind, check_by_cursor};
    use super::*;
    use proptest::prelude::*;

    /// The end of the text's value but for white space, and its own keys.
    fn judged(text: &[u8], base: usize) -> Option<(usize, Vec<Range<usize>>)> {
        let mut keys = Vec::new();
        let start = grammar::skip_space(text, 0);
        value_end(text, start, base, |key, plain| {
            let inner = &text[key.start + 1..key.end - 1];
            assert_eq!(plain, inner.is_ascii() && !inner.contains(&b'\\'));
            keys.push(key);
        })
        .map(|end| (end, keys))
    }

    fn keys_by_cursor(text: &[u8]) -> Vec<Range<usize>> {
        let (mut cursor, mut keys, mut depth) = (Cursor::new(text, 0), Vec::new(), 0);
        while let Some(token) = cursor.next_token().unwrap() {
            match token.kind {
                Kind::ObjectStart | Kind::ArrayStart => depth += 1,
                Kind::ObjectEnd | Kind::ArrayEnd => depth -= 1,
                Kind::Key if depth == 1 => keys.push(token.start..token.end),
                _ => {}
            }
        }
        keys
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, end) in [
            ("1,", Some(1)),
            ("{\"a\":[1,{}],\"b\":{\"c\":\"\\u00e9\"}} }", Some(31)),
            ("[ ]", Some(3)),
            ("\"é\"x", Some(4)),
            ("NaN]", Some(3)),
            ("{\"a\" : -1.5e7 }", Some(15)),
            ("[1}", None),
            ("{\"a\":1]", None),
            ("[1,]", None),
            ("{\"a\":1,}", None),
            ("{,}", None),
            ("[", None),
            ("{\"a\"}", None),
            ("01", None),
            ("", None),
        ] {
            assert_eq!(judged(text.as_bytes(), 0).map(|(end, _)| end), end, "{text}");
        }
        assert_eq!(judged(b"\"\xff\"", 0), None);
        assert!(judged("[".repeat(64).as_bytes(), 0).is_none());
        let deep = "[".repeat(64) + &"]".repeat(64);
        assert_eq!(judged(deep.as_bytes(), 0).map(|(end, _)| end), Some(128));
        assert_eq!(judged(deep.as_bytes(), DEPTH_MAX - 64).map(|(end, _)| end), Some(128));
        assert_eq!(judged(deep.as_bytes(), DEPTH_MAX - 63), None);
        assert_eq!(judged(format!("[{deep}]").as_bytes(), 0), None, "it is only odd");
    }

    proptest! {
        #[test]
        fn it_accepts_what_the_cursor_accepts_and_tells_its_keys(
            text in r#"\{("[ab\\/é]{0,2}" ?:([0-9tNe.-]{1,2}|true|null|"[a-z"\\]{0,20}"|\[1?(,2)?\]|\{("a":0)?\}),?){0,5}[} ]{1,2}"#,
            flip in proptest::option::of((0usize..80, any::<u8>())),
        ) {
            let mut text = text.into_bytes();
            if let Some((at, byte)) = flip {
                let at = at % text.len();
                text[at] = byte;
            }
            let exact = check_by_cursor(&text, 0).is_ok();
            let found = judged(&text, 0).filter(|(end, _)| grammar::skip_space(&text, *end) == text.len());
            prop_assert_eq!(found.is_some(), exact, "{}", String::from_utf8_lossy(&text));
            if let Some((_, keys)) = found {
                prop_assert_eq!(keys, keys_by_cursor(&text));
            }
        }
    }
}
