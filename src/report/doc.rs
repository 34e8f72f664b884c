//! JSON as a tree of tokens: nothing is converted, so nothing is lost, and the spelling of a
//! number goes through as it came.

use std::fmt::Write;

/// A JSON value. Keys are quoted tokens, as they are to stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Doc {
    /// A scalar as it is to stand.
    Token(String),
    /// NaN or an infinity: no JSON; painted as `{"token": "NaN"}`.
    Foreign(String),
    Array(Vec<Doc>),
    Object(Vec<(String, Doc)>),
}

impl Doc {
    pub(crate) fn null() -> Doc {
        Doc::Token("null".to_owned())
    }

    pub(crate) fn text(text: &str) -> Doc {
        Doc::Token(quoted(text))
    }

    pub(crate) fn number(number: impl std::fmt::Display) -> Doc {
        Doc::Token(number.to_string())
    }

    pub(crate) fn boolean(value: bool) -> Doc {
        Doc::Token(value.to_string())
    }

    /// The value, or null.
    pub(crate) fn or_null(value: Option<Doc>) -> Doc {
        value.unwrap_or_else(Doc::null)
    }

    /// An object with keys of our own.
    pub(crate) fn object<const N: usize>(fields: [(&str, Doc); N]) -> Doc {
        Doc::Object(fields.into_iter().map(|(key, value)| (quoted(key), value)).collect())
    }

    /// Appends a field of our own to an object.
    pub(crate) fn add(&mut self, key: &str, value: Doc) {
        if let Doc::Object(fields) = self {
            fields.push((quoted(key), value));
        }
    }

    /// Writes the value on one line, NaN and infinities as tokens.
    #[cfg(test)]
    pub(crate) fn compact(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out);
        out
    }

    #[cfg(test)]
    fn write_compact(&self, out: &mut String) {
        match self {
            Doc::Token(token) | Doc::Foreign(token) => out.push_str(token),
            Doc::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    item.write_compact(out);
                }
                out.push(']');
            }
            Doc::Object(fields) => {
                out.push('{');
                for (at, (key, value)) in fields.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    out.push_str(key);
                    out.push(':');
                    value.write_compact(out);
                }
                out.push('}');
            }
        }
    }

    /// Writes the value over several lines, two spaces a level, beginning at `level`.
    pub(crate) fn write_pretty(&self, out: &mut String, level: usize) {
        match self {
            Doc::Token(token) => out.push_str(token),
            Doc::Foreign(token) => Doc::object([("token", Doc::text(token))]).write_pretty(out, level),
            Doc::Array(items) if items.is_empty() => out.push_str("[]"),
            Doc::Object(fields) if fields.is_empty() => out.push_str("{}"),
            Doc::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    break_line(out, level + 1);
                    item.write_pretty(out, level + 1);
                }
                break_line(out, level);
                out.push(']');
            }
            Doc::Object(fields) => {
                out.push('{');
                for (at, (key, value)) in fields.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    break_line(out, level + 1);
                    out.push_str(key);
                    out.push_str(": ");
                    value.write_pretty(out, level + 1);
                }
                break_line(out, level);
                out.push('}');
            }
        }
    }
}

fn break_line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
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
pub(crate) fn quoted_wtf8(bytes: &[u8]) -> String {
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

/// A text that was cut, less the character the cut went through: that one is not broken, but cut.
pub(crate) fn whole_characters(text: &[u8]) -> &[u8] {
    let from = text.len().saturating_sub(3);
    let tail = (from..text.len()).rev().find(|&at| text[at] >= 0xC0);
    match tail.map(|at| (at, std::str::from_utf8(&text[at..]))) {
        Some((at, Err(error))) if error.error_len().is_none() => &text[..at],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::text::unescape;

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

    #[test]
    fn pretty_indents_by_two_and_keeps_empty_things_short() {
        let doc = Doc::object([
            ("a", Doc::Array(vec![])),
            ("b", Doc::Array(vec![Doc::number(1), Doc::Foreign("NaN".into())])),
            ("c", Doc::Object(vec![])),
        ]);
        let mut out = String::new();
        doc.write_pretty(&mut out, 0);
        assert_eq!(
            out,
            "{\n  \"a\": [],\n  \"b\": [\n    1,\n    {\n      \"token\": \"NaN\"\n    }\n  ],\n  \"c\": {}\n}"
        );
        assert_eq!(doc.compact(), r#"{"a":[],"b":[1,NaN],"c":{}}"#);
    }
}
