//! Paths into a JSON value: JSON Pointers for machines, dotted paths for people.
//!
//! A pointer is written `/payload/args/0` (RFC 6901, `~0` for `~`, `~1` for `/`) or
//! `payload.args[0]`, where an odd key stands in brackets: `payload["a.b"]`.

use std::fmt;

/// The path of a value inside a line: the keys (or array positions, in decimal) from the
/// line's own object down to it. The empty pointer names the whole line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer {
    tokens: Vec<String>,
}

/// A text that is neither a JSON Pointer nor a dotted path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no path: {why} (write /payload/size or payload.size)")]
pub struct PointerError {
    text: String,
    why: &'static str,
}

impl Pointer {
    /// A pointer from its unescaped tokens.
    pub fn new<S: Into<String>>(tokens: impl IntoIterator<Item = S>) -> Pointer {
        Pointer { tokens: tokens.into_iter().map(Into::into).collect() }
    }

    /// Reads either spelling; a text beginning with `/` is a JSON Pointer, any other dotted.
    ///
    /// # Errors
    /// A bad `~` escape, an empty part between dots, or brackets that do not close.
    pub fn parse(text: &str) -> Result<Pointer, PointerError> {
        let token = |part| match part {
            Part::Bare(token) | Part::Quoted(token) => Ok(token),
            Part::Star => Err(PointerError { text: text.to_owned(), why: BRACKETED }),
        };
        Ok(Pointer { tokens: parts(text)?.into_iter().map(token).collect::<Result<_, _>>()? })
    }

    /// The unescaped tokens, outermost first.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// True for the pointer that names the whole line.
    pub fn is_root(&self) -> bool {
        self.tokens.is_empty()
    }

    /// This pointer with one more token at its end.
    #[must_use]
    pub fn child(&self, token: impl Into<String>) -> Pointer {
        let mut tokens = self.tokens.clone();
        tokens.push(token.into());
        Pointer { tokens }
    }

    /// What is left of this pointer below `base`, or `None` where it does not lie below (or at) it.
    pub fn below(&self, base: &Pointer) -> Option<Pointer> {
        self.tokens.strip_prefix(base.tokens.as_slice()).map(Pointer::new_from_slice)
    }

    fn new_from_slice(tokens: &[String]) -> Pointer {
        Pointer { tokens: tokens.to_vec() }
    }

    /// The spelling for people: `payload.args.size`, odd keys as `["a.b"]`, array positions as `[0]`.
    pub fn dotted(&self) -> String {
        let mut out = String::new();
        self.tokens.iter().for_each(|token| push_dotted(&mut out, token));
        out
    }
}

/// Appends a key or position to a dotted path. A key that is named `*` is quoted, since rules read
/// a bare one as any key.
pub fn push_dotted(out: &mut String, token: &str) {
    if is_index(token) {
        out.push('[');
        out.push_str(token);
        out.push(']');
    } else if is_plain(token) {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(token);
    } else {
        out.push('[');
        out.push_str(&serde_json::to_string(token).expect("a string is always JSON"));
        out.push(']');
    }
}

/// Appends a key or position to a JSON Pointer.
pub fn push_escaped(out: &mut String, token: &str) {
    out.push('/');
    out.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

/// One part of a path as it was spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A key or position that is written as it is.
    Bare(String),
    /// A key in quotes.
    Quoted(String),
    /// `[*]`.
    Star,
}

/// The parts of a path in either spelling.
///
/// # Errors
/// As [`Pointer::parse`].
pub fn parts(text: &str) -> Result<Vec<Part>, PointerError> {
    let fail = |why| PointerError { text: text.to_owned(), why };
    match text.strip_prefix('/') {
        Some(rest) => {
            let parts: Option<Vec<Part>> = rest.split('/').map(|token| unescape(token).map(Part::Bare)).collect();
            parts.ok_or_else(|| fail("a ~ is followed by 0 or 1"))
        }
        None => parse_dotted(text).map_err(fail),
    }
}

/// The JSON Pointer spelling.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.tokens.iter().for_each(|token| push_escaped(&mut out, token));
        f.write_str(&out)
    }
}

impl serde::Serialize for Pointer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Pointer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Pointer, D::Error> {
        let text = String::deserialize(deserializer)?;
        Pointer::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Whether a token can be a position in an array.
pub fn is_index(token: &str) -> bool {
    token == "0" || (!token.is_empty() && !token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_plain(token: &str) -> bool {
    !token.is_empty()
        && token != "*"
        && !token.starts_with('/')
        && token.chars().all(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '.' | '[' | ']' | '"'))
}

fn unescape(token: &str) -> Option<String> {
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '~' => match chars.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

fn parse_dotted(text: &str) -> Result<Vec<Part>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = bracket_end(inner).ok_or("a bracket does not close")?;
            tokens.push(bracketed(&inner[..end])?);
            rest = &inner[end + 1..];
        } else {
            if !first {
                rest = rest.strip_prefix('.').ok_or("after a bracket comes a dot")?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err("a part is empty");
            }
            tokens.push(Part::Bare(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        first = false;
    }
    Ok(tokens)
}

/// Where the bracket that opened just before `inner` closes, quotes respected.
fn bracket_end(inner: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn bracketed(inner: &str) -> Result<Part, &'static str> {
    if inner.starts_with('"') {
        serde_json::from_str(inner).map(Part::Quoted).map_err(|_| "a quoted key is a JSON string")
    } else if is_index(inner) {
        Ok(Part::Bare(inner.to_owned()))
    } else if inner == "*" {
        Ok(Part::Star)
    } else {
        Err(BRACKETED)
    }
}

const BRACKETED: &str = "brackets hold a position or a quoted key";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_spellings_name_the_same_place() {
        for (pointer, dotted) in [
            ("/payload/args/size", "payload.args.size"),
            ("/payload/args/0/x", "payload.args[0].x"),
            ("/payload/a.b", "payload[\"a.b\"]"),
            ("/a~1b/c~0d", "a/b.c~d"),
            ("/payload/", "payload[\"\"]"),
            ("/payload/*", "payload[\"*\"]"),
        ] {
            let parsed = Pointer::parse(pointer).unwrap();
            assert_eq!(parsed, Pointer::parse(dotted).unwrap(), "{pointer} {dotted}");
            assert_eq!(parsed.to_string(), pointer);
            assert_eq!(parsed.dotted(), dotted);
        }
    }

    #[test]
    fn what_lies_below_another_is_left_of_it() {
        let pointer = |text: &str| Pointer::parse(text).unwrap();
        let below = |path: &str, base: &str| pointer(path).below(&pointer(base)).map(|path| path.to_string());
        assert_eq!(below("/payload/args/0", "/payload").as_deref(), Some("/args/0"));
        assert_eq!(below("/payload", "/payload").as_deref(), Some(""));
        assert_eq!(below("/payloads/a", "/payload"), None);
        assert_eq!(below("/payload", "/payload/args"), None);
    }

    #[test]
    fn it_is_written_and_read_as_a_string() {
        let pointer: Pointer = serde_json::from_str("\"payload[\\\"a.b\\\"].c\"").unwrap();
        assert_eq!(serde_json::to_string(&pointer).unwrap(), "\"/payload/a.b/c\"");
        let refused = serde_json::from_str::<Pointer>("\"/a~2\"").unwrap_err().to_string();
        assert!(refused.contains("~ is followed by 0 or 1"), "{refused}");
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        for text in ["/a~2", "a..b", "a[", "a[x]", "a[\"x]", ".a", "a[0]b", "a[*]"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_pointer_survives_both_spellings(tokens in proptest::collection::vec(".{0,6}", 0..5)) {
            let pointer = Pointer::new(tokens);
            prop_assert_eq!(&Pointer::parse(&pointer.to_string()).unwrap(), &pointer);
            prop_assert_eq!(&Pointer::parse(&pointer.dotted()).unwrap(), &pointer);
        }
    }
}
