//! JSON text, appended to a line: strings, integers, floating point.
//!
//! Strings come as `&str`, so they are UTF-8 already. Engines give names and numbers of a few bytes, so these are looked at and copied eight bytes
//! at a time, the last ones with what the line then lets go of again: a call of `memcpy` for each piece costs more than the copying.

use std::io::Write;

/// What [`Members::number`](super::Members::number) takes: all of Rust's integers, `f32` and `f64`.
pub trait Number: sealed::Digits {}

pub(super) mod sealed {
    /// Writes itself as a JSON number.
    pub trait Digits {
        /// Appends its digits.
        fn write(&self, line: &mut Vec<u8>);
    }
}

macro_rules! integers {
    ($($kind:ty)*) => {$(
        impl Number for $kind {}
        impl sealed::Digits for $kind {
            #[inline]
            fn write(&self, line: &mut Vec<u8>) {
                few(line, itoa::Buffer::new().format(*self).as_bytes());
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! floating {
    ($($kind:ident)*) => {$(
        impl Number for $kind {}
        impl sealed::Digits for $kind {
            fn write(&self, line: &mut Vec<u8>) {
                if self.is_finite() {
                    // The shortest digits that are this value, as `{:?}` gives them, are JSON. Writing to a `Vec` never fails.
                    let _ = write!(line, "{self:?}");
                } else {
                    let token = if self.is_nan() { "NaN" } else if *self > 0.0 { "Infinity" } else { "-Infinity" };
                    line.extend_from_slice(token.as_bytes());
                }
            }
        }
    )*};
}

floating!(f32 f64);

/// Appends an integer.
#[inline]
pub(super) fn number(line: &mut Vec<u8>, value: impl Number) {
    sealed::Digits::write(&value, line);
}

/// Appends `"0x…"` with so many digits.
pub(super) fn hex(line: &mut Vec<u8>, value: u64, digits: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = *b"\"0x0000000000000000\"";
    for at in 0..digits {
        text[3 + at] = DIGITS[(value >> (4 * (digits - 1 - at)) & 15) as usize];
    }
    text[3 + digits] = b'"';
    line.extend_from_slice(&text[..4 + digits]);
}

/// Appends a JSON string.
#[inline]
pub(super) fn string(line: &mut Vec<u8>, text: &str) {
    const SPACES: u64 = u64::MAX / 255 * b' ' as u64;
    let bytes = text.as_bytes();
    line.push(b'"');
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        if has_special(u64::from_le_bytes(*chunk)) {
            return escaped(line, &bytes[at * 8..]);
        }
        line.extend_from_slice(chunk);
    }
    let bits = rest.len() * 8;
    let last = tail(bytes) | SPACES << bits;
    if has_special(last) {
        return escaped(line, rest);
    }
    // The first of the spaces becomes the quote.
    let quote = u64::from(b' ' ^ b'"') << bits;
    line.extend_from_slice(&(last ^ quote).to_le_bytes());
    line.truncate(line.len() - (7 - rest.len()));
}

/// Appends bytes that are few.
#[inline]
fn few(line: &mut Vec<u8>, bytes: &[u8]) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        line.extend_from_slice(chunk);
    }
    line.extend_from_slice(&tail(bytes).to_le_bytes());
    line.truncate(line.len() - (8 - rest.len()));
}

/// What is behind the last whole eight bytes, and zeros.
#[inline]
fn tail(bytes: &[u8]) -> u64 {
    let count = bytes.len() % 8;
    if count == 0 {
        return 0;
    }
    if let Some(eight) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*eight) >> (64 - 8 * count);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let four = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        return four(first) | four(last) << (8 * (count - 4));
    }
    let byte = |at: usize| u64::from(bytes[at]) << (8 * at);
    byte(0) | byte(count / 2) | byte(count - 1)
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether any of eight bytes is special. A byte below a bound borrows from its highest bit when the bound is taken away;
/// a borrow may reach the bytes above one that did so itself, never the other way, so the answer for all eight is right.
#[inline]
fn has_special(eight: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let below = |bytes: u64, bound: u64| bytes.wrapping_sub(ONES * bound) & !bytes & HIGH;
    let is = |byte: u8| below(eight ^ (ONES * u64::from(byte)), 1);
    (below(eight, 0x20) | is(b'"') | is(b'\\')) != 0
}

/// Appends the rest of a string with what must be escaped, and the quote at its end.
#[cold]
fn escaped(line: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| is_special(*byte)) {
        line.extend_from_slice(&rest[..at]);
        match rest[at] {
            byte @ (b'"' | b'\\') => line.extend_from_slice(&[b'\\', byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            8 => line.extend_from_slice(b"\\b"),
            12 => line.extend_from_slice(b"\\f"),
            byte => {
                line.extend_from_slice(if byte < 16 { b"\\u000" } else { b"\\u001" });
                line.push(b"0123456789abcdef"[usize::from(byte & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn every_byte_at_every_place_is_seen_for_what_it_is() {
        for around in [b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xff, b'a'] {
            for at in 0..8 {
                for byte in 0..=255 {
                    let mut eight = [around; 8];
                    eight[at] = byte;
                    assert_eq!(has_special(u64::from_le_bytes(eight)), is_special(byte), "{eight:?}");
                }
            }
        }
    }

    #[test]
    fn strings_of_every_length_are_as_serde_writes_them() {
        for length in 0..=40 {
            let text: String = ('!'..='~').filter(|letter| !matches!(letter, '"' | '\\')).take(length).collect();
            assert_eq!(written(|line| string(line, &text)), serde_json::to_string(&text).unwrap());
            assert_eq!(written(|line| few(line, text.as_bytes())), text);
            for at in 0..length {
                for special in ['"', '\\', '\n', '\0', '\u{1f}'] {
                    let mut text: Vec<char> = text.chars().collect();
                    text[at] = special;
                    let text = String::from_iter(text);
                    assert_eq!(written(|line| string(line, &text)), serde_json::to_string(&text).unwrap());
                }
            }
        }
    }

    #[test]
    fn every_character_comes_back() {
        for character in ('\0'..='\u{ffff}').chain(['\u{10000}', '\u{1f980}', '\u{10ffff}']) {
            for text in [format!("{character}"), format!("0123456789{character}ab{character}")] {
                let json = written(|line| string(line, &text));
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text, "{json}");
            }
        }
        assert_eq!(written(|line| string(line, "a\"b\\c\n\r\t\u{0}\u{1f}")), r#""a\"b\\c\n\r\t\u0000\u001f""#);
    }

    #[test]
    fn numbers_keep_their_value() {
        assert_eq!(written(|line| number(line, u64::MAX)), "18446744073709551615");
        assert_eq!(written(|line| number(line, i128::MIN)), i128::MIN.to_string());
        for value in [0.0, -0.0, 1.0, 0.1, 1e16, 1e300, 5e-324, f64::MAX, f64::MIN_POSITIVE, -123.456] {
            let json = written(|line| number(line, value));
            assert_eq!(serde_json::from_str::<f64>(&json).unwrap().to_bits(), value.to_bits(), "{json}");
        }
        let tokens = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(|value| written(|line| number(line, value)));
        assert_eq!(tokens, ["NaN", "Infinity", "-Infinity"]);
    }

    #[test]
    fn hex_has_its_digits() {
        assert_eq!(written(|line| hex(line, 0x4010_5000, 8)), "\"0x40105000\"");
        assert_eq!(written(|line| hex(line, 0, 8)), "\"0x00000000\"");
        assert_eq!(written(|line| hex(line, u64::MAX - 1, 16)), "\"0xfffffffffffffffe\"");
    }
}
