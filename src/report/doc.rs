//! JSON as a tree of tokens: nothing is converted, so nothing is lost, and the spelling of a
//! number goes through as it came.

pub(crate) use crate::json::text::{quoted, quoted_wtf8};

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

    /// The value on one line, as its text spells it but for blanks; NaN and infinities as tokens.
    pub(crate) fn compact(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out);
        out
    }

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
