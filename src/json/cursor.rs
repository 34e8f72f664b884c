//! A strict cursor over one JSON text: the only place where the grammar of nesting is decided.
//!
//! It keeps one bit for each open container (object or array), so its state is a fixed 128
//! bytes and no input can exhaust a stack.

use super::grammar::{self, DEPTH_MAX, Fault, Reason};

/// What a cursor met, with the bytes it spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// A key, its quotes included.
    Key,
    /// A string value, its quotes included.
    String,
    /// A number, `NaN`, `Infinity` or `-Infinity`.
    Number,
    True,
    False,
    Null,
}

/// Reads one JSON value token by token, strictly.
#[derive(Clone, Debug)]
pub struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
    expect: Expect,
    /// Containers that enclose the text itself.
    base: usize,
    depth: usize,
    /// Bit `depth - 1` is set where the container at that depth is an object.
    objects: [u64; DEPTH_MAX / 64],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    After,
}

impl<'t> Cursor<'t> {
    /// A cursor before the only value of `text`, which itself stands inside `base` containers.
    pub fn new(text: &'t [u8], base: usize) -> Cursor<'t> {
        Cursor { text, at: 0, expect: Expect::Value, base, depth: 0, objects: [0; DEPTH_MAX / 64] }
    }

    /// The next token, `None` after the value and any white space behind it.
    ///
    /// # Errors
    /// The first place where the text is no strict JSON. UTF-8 is the caller's to check.
    #[inline]
    pub fn next_token(&mut self) -> Result<Option<Token>, Fault> {
        self.at = grammar::skip_space(self.text, self.at);
        match self.expect {
            Expect::Value => self.value().map(Some),
            Expect::ValueOrEnd if self.byte() == Some(b']') => Ok(Some(self.close(Kind::ArrayEnd))),
            Expect::ValueOrEnd => self.value().map(Some),
            Expect::KeyOrEnd if self.byte() == Some(b'}') => Ok(Some(self.close(Kind::ObjectEnd))),
            Expect::KeyOrEnd => self.key().map(Some),
            Expect::After => self.after(),
        }
    }

    /// Skips the rest of the container whose start was the last token, strictly; returns its end.
    ///
    /// # Errors
    /// As [`Cursor::next_token`].
    pub fn skip_container(&mut self) -> Result<usize, Fault> {
        let target = self.depth - 1;
        while self.depth > target {
            self.next_token()?;
        }
        Ok(self.at)
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn after(&mut self) -> Result<Option<Token>, Fault> {
        if self.depth == 0 {
            return if self.at == self.text.len() { Ok(None) } else { Err(Reason::Trailing.at(self.at)) };
        }
        let in_object = self.in_object();
        match (self.byte(), in_object) {
            (Some(b','), _) => {
                self.at = grammar::skip_space(self.text, self.at + 1);
                if in_object { self.key().map(Some) } else { self.value().map(Some) }
            }
            (Some(b'}'), true) => Ok(Some(self.close(Kind::ObjectEnd))),
            (Some(b']'), false) => Ok(Some(self.close(Kind::ArrayEnd))),
            (Some(_), _) => Err(Reason::CommaMissing.at(self.at)),
            (None, _) => Err(Reason::EndsEarly.at(self.at)),
        }
    }

    #[inline]
    fn in_object(&self) -> bool {
        let bit = self.depth - 1;
        self.objects[bit / 64] >> (bit % 64) & 1 == 1
    }

    #[inline]
    fn key(&mut self) -> Result<Token, Fault> {
        match self.byte() {
            Some(b'"') => {}
            Some(_) => return Err(Reason::KeyMissing.at(self.at)),
            None => return Err(Reason::EndsEarly.at(self.at)),
        }
        let start = self.at;
        let end = grammar::string_end(self.text, start)?;
        let colon = grammar::skip_space(self.text, end);
        if self.text.get(colon) != Some(&b':') {
            return Err(Reason::ColonMissing.at(colon));
        }
        self.at = colon + 1;
        self.expect = Expect::Value;
        Ok(Token { kind: Kind::Key, start, end })
    }

    #[inline]
    fn value(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let (kind, end) = match self.byte() {
            Some(b'{') => return self.open(Kind::ObjectStart, Expect::KeyOrEnd),
            Some(b'[') => return self.open(Kind::ArrayStart, Expect::ValueOrEnd),
            Some(b'"') => (Kind::String, grammar::string_end(self.text, start)?),
            Some(b't') => (Kind::True, grammar::scalar_end(self.text, start)?),
            Some(b'f') => (Kind::False, grammar::scalar_end(self.text, start)?),
            Some(b'n') => (Kind::Null, grammar::scalar_end(self.text, start)?),
            _ => (Kind::Number, grammar::scalar_end(self.text, start)?),
        };
        self.at = end;
        self.expect = Expect::After;
        Ok(Token { kind, start, end })
    }

    fn open(&mut self, kind: Kind, expect: Expect) -> Result<Token, Fault> {
        if self.base + self.depth >= DEPTH_MAX {
            return Err(Reason::TooDeep.at(self.at));
        }
        let (word, bit) = (self.depth / 64, self.depth % 64);
        let is_object = u64::from(kind == Kind::ObjectStart);
        self.objects[word] = self.objects[word] & !(1 << bit) | is_object << bit;
        self.depth += 1;
        self.at += 1;
        self.expect = expect;
        Ok(Token { kind, start: self.at - 1, end: self.at })
    }

    fn close(&mut self, kind: Kind) -> Token {
        self.depth -= 1;
        self.at += 1;
        self.expect = Expect::After;
        Token { kind, start: self.at - 1, end: self.at }
    }
}

/// Whether `text` is one strict JSON value, UTF-8 included; `base` containers enclose it.
///
/// # Errors
/// The first offence.
pub fn check_by_cursor(text: &[u8], base: usize) -> Result<(), Fault> {
    check_utf8(text)?;
    let mut cursor = Cursor::new(text, base);
    while cursor.next_token()?.is_some() {}
    Ok(())
}

/// Whether `text` is valid UTF-8.
///
/// # Errors
/// [`Reason::InvalidUtf8`] at the first bad byte.
pub fn check_utf8(text: &[u8]) -> Result<(), Fault> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Reason::InvalidUtf8.at(error.valid_up_to())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_skipped_to_their_end_or_refused() {
        for (text, end) in [
            ("[[1],{\"a\":[]}] ", Some(14)),
            ("{\"a\":{\"b\":1}}x", Some(13)),
            ("[]", Some(2)),
            ("[1,]", None),
            ("[1}", None),
            ("[[1]", None),
        ] {
            let mut cursor = Cursor::new(text.as_bytes(), 0);
            cursor.next_token().unwrap();
            assert_eq!(cursor.skip_container().ok(), end, "{text}");
        }
        // An inner one ends where it ends, and its parent goes on.
        let mut cursor = Cursor::new(b"[[2],3]", 0);
        cursor.next_token().unwrap();
        cursor.next_token().unwrap();
        assert_eq!(cursor.skip_container(), Ok(4));
        assert_eq!(cursor.next_token().unwrap().map(|token| token.kind), Some(Kind::Number));
    }

    #[test]
    fn strict_json_passes_and_nothing_else() {
        for good in
            ["{}", " [1, 2 ,{\"a\":null}] ", "\"x\"", "-0", "NaN", "[[],{}]", "{\"a\":1,\"a\":2}", "\"\\ud800\""]
        {
            assert_eq!(check_by_cursor(good.as_bytes(), 0), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            "{",
            "}",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "[1 2]",
            "1 2",
            "{\"a\":1]",
            "[}",
            "{\"a\":}",
            "\"\n\"",
            "{\"a\":1}x",
            "{,}",
            "[,]",
            "nul",
            "{\"a\" 1}",
            "\"\\u12\"",
        ] {
            assert!(check_by_cursor(bad.as_bytes(), 0).is_err(), "{bad}");
        }
        assert_eq!(check_by_cursor(b"\"\xff\"", 0), Err(Reason::InvalidUtf8.at(1)));
    }

    #[test]
    fn tokens_stand_where_they_stand() {
        let text = " {\"a\" : [1 ,\"b\"]} ";
        let mut cursor = Cursor::new(text.as_bytes(), 0);
        let tokens = std::iter::from_fn(|| cursor.next_token().unwrap());
        let spelled: Vec<&str> = tokens.map(|token| &text[token.start..token.end]).collect();
        assert_eq!(spelled, ["{", "\"a\"", "[", "1", "\"b\"", "]", "}"]);
    }

    #[test]
    fn depth_is_limited_not_the_stack() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(check_by_cursor(nested(1024).as_bytes(), 0), Ok(()));
        assert_eq!(check_by_cursor(nested(1025).as_bytes(), 0), Err(Reason::TooDeep.at(1024)));
        assert_eq!(check_by_cursor(nested(1024).as_bytes(), 1), Err(Reason::TooDeep.at(1023)));
        assert!(check_by_cursor(nested(100_000).as_bytes(), 0).is_err());
    }

    #[test]
    fn acceptance_is_serde_jsons_where_the_rules_agree() {
        // serde_json's own nesting limit and number range are narrower; RawValue's are not.
        for text in
            ["[1,{\"b\":[true,false,null]},\"\\u00e9\"]", "[01]", "[1.]", "[\"\\q\"]", "{\"a\":[}", "[1]]", "[\"\t\"]"]
        {
            let ours = check_by_cursor(text.as_bytes(), 0).is_ok();
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
            assert_eq!(ours, theirs, "{text}");
        }
    }
}
