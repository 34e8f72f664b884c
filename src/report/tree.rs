//! An event's text as a [`Doc`].
//!
//! Strict is RFC 8259 without duplicate keys at any depth: what the JSON report may show as
//! `event`. Loose is what logs may hold (BEHAVIOUR 3): NaN and infinities stand as tokens, and of
//! a key given twice the last value wins.

use super::doc::Doc;
use crate::json::{Kind, Tape};

/// The text as strict JSON, or nothing.
pub(crate) fn strict(text: &[u8]) -> Option<Doc> {
    let tape = taken_apart(text)?;
    if tape.has_special_numbers(text) || tape.has_duplicate_keys(text) {
        return None;
    }
    Some(tree(&tape, text, Tape::ROOT))
}

/// The text as logs may hold it, or nothing.
pub(crate) fn loose(text: &[u8]) -> Option<Doc> {
    taken_apart(text).map(|tape| tree(&tape, text, Tape::ROOT))
}

/// The tape of a text, if it is one strict value.
pub(crate) fn taken_apart(text: &[u8]) -> Option<Tape> {
    let mut tape = Tape::default();
    tape.parse(text, 0).ok().map(|()| tape)
}

/// The tree below one node. Recursion is bounded by the depth limit of reading.
pub(crate) fn tree(tape: &Tape, text: &[u8], node: usize) -> Doc {
    let token = |node| String::from_utf8_lossy(tape.bytes(text, node)).into_owned();
    match tape.kind(node) {
        Kind::ObjectStart => {
            let members = tape.distinct_members(text, node);
            Doc::Object(members.iter().map(|&(key, value)| (token(key), tree(tape, text, value))).collect())
        }
        Kind::ArrayStart => Doc::Array(tape.elements(node).map(|item| tree(tape, text, item)).collect()),
        Kind::Number if tape.bytes(text, node).ends_with(b"N") || tape.bytes(text, node).ends_with(b"y") => {
            Doc::Foreign(token(node))
        }
        _ => Doc::Token(token(node)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strictly(text: &str) -> Option<String> {
        strict(text.as_bytes()).map(|doc| doc.compact())
    }

    #[test]
    fn tokens_go_through_as_they_came() {
        let text = r#"{"a":1.0e+05,"b":[-0,1234567890123456789012345678901234567890],"c":"\u00e9\ud800"}"#;
        assert_eq!(strictly(text).as_deref(), Some(text));
        assert_eq!(strictly(" { \"a\" : [ ] } ").as_deref(), Some(r#"{"a":[]}"#));
    }

    #[test]
    fn what_is_no_strict_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "01",
            "1.",
            "tru",
            "NaN",
            "[Infinity]",
            "\"\u{1}\"",
            r#""\x""#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"b":1,"b":1}}]"#,
            "1 2",
            "{\"a\" 1}",
        ] {
            assert_eq!(strictly(text), None, "{text}");
        }
        assert_eq!(strictly(&"[".repeat(100_000)), None);
        assert!(strict(b"\"\xff\"").is_none());
    }

    #[test]
    fn loose_takes_what_logs_hold() {
        let loosely = |text: &str| loose(text.as_bytes()).map(|doc| doc.compact());
        assert_eq!(loosely("[NaN,-Infinity,Infinity,-1]").as_deref(), Some("[NaN,-Infinity,Infinity,-1]"));
        assert_eq!(loosely(r#"{"a":1,"b":2,"a":3}"#).as_deref(), Some(r#"{"a":3,"b":2}"#));
    }
}
