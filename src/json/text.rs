//! Strings by code points after unescaping. Lone surrogates are allowed and distinct; unescaped
//! text is WTF-8 (UTF-8 in which a lone surrogate takes the three bytes of its code point).

use std::borrow::Cow;
use std::fmt::Write;
use std::hash::Hasher;

/// The text between the quotes of a valid string token, unescaped.
pub fn unescape(token: &[u8]) -> Cow<'_, [u8]> {
    let inner = &token[1..token.len() - 1];
    match memchr::memchr(b'\\', inner) {
        None => Cow::Borrowed(inner),
        Some(first) => Cow::Owned(unescape_from(inner, first)),
    }
}

fn unescape_from(inner: &[u8], first: usize) -> Vec<u8> {
    let mut out = inner[..first].to_vec();
    let mut at = first;
    while at < inner.len() {
        if inner[at] != b'\\' {
            let end = memchr::memchr(b'\\', &inner[at..]).map_or(inner.len(), |found| at + found);
            out.extend_from_slice(&inner[at..end]);
            at = end;
            continue;
        }
        at += 2;
        match inner[at - 1] {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (code, end) = code_point(inner, at);
                push_code_point(&mut out, code);
                at = end;
            }
            other => out.push(other),
        }
    }
    out
}

/// The code point whose first four hex digits begin at `at`; a following low surrogate is joined.
fn code_point(inner: &[u8], at: usize) -> (u32, usize) {
    let unit = hex4(&inner[at..at + 4]);
    if (0xD800..0xDC00).contains(&unit) && inner.get(at + 4..at + 6) == Some(b"\\u") {
        let low = hex4(&inner[at + 6..at + 10]);
        if (0xDC00..0xE000).contains(&low) {
            return (0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), at + 10);
        }
    }
    (unit, at + 4)
}

fn hex4(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, digit| value << 4 | (*digit as char).to_digit(16).unwrap_or(0))
}

fn push_code_point(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // A lone surrogate: the three bytes that UTF-8 would give its code point.
        None => out.extend_from_slice(&[
            0xE0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]),
    }
}

/// Whether two valid string tokens hold the same text.
#[inline]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a == b || ((has_escape(a) || has_escape(b)) && unescape(a) == unescape(b))
}

/// Whether a string token has an escape: without, it is spelled as it is.
pub fn has_escape(token: &[u8]) -> bool {
    memchr::memchr(b'\\', token).is_some()
}

/// Feeds the text of a valid string token to a hasher: equal texts feed the same.
pub fn hash<H: Hasher>(token: &[u8], state: &mut H) {
    let text = unescape(token);
    state.write(&text);
    state.write_usize(text.len());
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    push_escaped(&mut out, text);
    out.push('"');
    out
}

fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => write!(out, "\\u{:04x}", c as u32).expect("strings take all"),
            c => out.push(c),
        }
    }
}

/// WTF-8 as a JSON string: lone surrogates become escapes, other broken bytes U+FFFD.
pub fn quoted_wtf8(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    let mut rest = bytes;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                push_escaped(&mut out, text);
                break;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                push_escaped(&mut out, std::str::from_utf8(good).expect("checked above"));
                if let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] = *bad {
                    let unit = 0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F);
                    write!(out, "\\u{unit:04x}").expect("strings take all");
                    rest = &bad[3..];
                } else {
                    out.push('\u{FFFD}');
                    rest = &bad[error.error_len().unwrap_or(bad.len())..];
                }
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_do_not_count_and_surrogates_stay_apart() {
        assert!(equal(br#""\u00e9\n""#, "\"é\\u000a\"".as_bytes()));
        assert!(equal(br#""\ud83d\ude00""#, "\"😀\"".as_bytes()));
        assert!(equal(br#""\/""#, br#""/""#));
        assert!(equal(br#""\b\f\n\r\t\"\\""#, br#""\u0008\u000c\u000a\u000d\u0009\u0022\u005c""#));
        assert!(!equal(br#""\ud83d""#, br#""\ud83e""#));
        assert!(!equal(br#""\ud83d""#, "\"\u{FFFD}\"".as_bytes()));
        assert!(equal(br#""\ud83dx""#, br#""\uD83Dx""#));
        assert!(equal(br#""\ud83d\ud83d\ude00""#, "\"\\ud83d😀\"".as_bytes()));
    }

    proptest! {
        #[test]
        fn unescaping_agrees_with_serde_json(text in ".{0,20}") {
            let token = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&*unescape(token.as_bytes()), text.as_bytes());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let escaped = format!("\"{escaped}\"");
            prop_assert!(equal(token.as_bytes(), escaped.as_bytes()));
        }
    }

    #[test]
    fn strings_survive_quoting_and_unquoting() {
        for text in ["", "a\"b\\c", "\u{0}\u{1f}\u{7f}\u{9b}\n\r\t", "日本 \u{1F600}\u{202e}"] {
            let token = quoted(text);
            assert_eq!(serde_json::from_str::<String>(&token).unwrap(), text);
            assert_eq!(*unescape(token.as_bytes()), *text.as_bytes());
        }
    }

    #[test]
    fn lone_surrogates_stay_escapes() {
        let wtf8 = unescape(br#""a\ud800b\udc00\ud83d\ude00""#);
        assert_eq!(quoted_wtf8(&wtf8), "\"a\\ud800b\\udc00\u{1F600}\"");
        assert_eq!(quoted_wtf8(b"\xff\xfeok\xe2\x82"), "\"\u{FFFD}\u{FFFD}ok\u{FFFD}\"");
    }
}
