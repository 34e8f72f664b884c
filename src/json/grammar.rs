//! The grammar of single tokens: where a string, number, literal or container ends.
//!
//! The strict functions are the whole of RFC 8259 plus the tokens `NaN`, `Infinity` and
//! `-Infinity`; the loose ones find an end by quotes, backslashes and brackets alone.

/// How deep objects and arrays may nest; a line's own object is at depth 1.
pub const DEPTH_MAX: usize = 1024;

/// What is wrong with a text, and at which of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// Byte offset inside the text.
    pub at: usize,
    pub reason: Reason,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("a value is missing")]
    ValueMissing,
    #[error("a key is missing")]
    KeyMissing,
    #[error("a colon is missing after a key")]
    ColonMissing,
    #[error("a comma or closing bracket is missing")]
    CommaMissing,
    #[error("the text ends inside a value")]
    EndsEarly,
    #[error("a string does not end")]
    StringOpen,
    #[error("a control character stands in a string")]
    ControlCharacter,
    #[error("a backslash escape is invalid")]
    BadEscape,
    #[error("a number is malformed")]
    BadNumber,
    #[error("no JSON value begins like this")]
    BadLiteral,
    #[error("invalid UTF-8")]
    InvalidUtf8,
    #[error("nesting deeper than 1024")]
    TooDeep,
    #[error("something follows the value")]
    Trailing,
}

impl Reason {
    /// This reason at a byte of the text.
    pub fn at(self, at: usize) -> Fault {
        Fault { at, reason: self }
    }
}

/// The first position from `at` on that is no JSON white space.
#[inline]
pub fn skip_space(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && matches!(text[at], b' ' | b'\t' | b'\r' | b'\n') {
        at += 1;
    }
    at
}

/// The end (past the closing quote) of the string whose opening quote is at `at`; escapes and
/// control characters are checked, UTF-8 is not.
///
/// # Errors
/// [`Reason::StringOpen`], [`Reason::ControlCharacter`], [`Reason::BadEscape`].
#[inline]
pub fn string_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    let mut pos = at + 1;
    loop {
        let Some(&byte) = text.get(pos) else { return Err(Reason::StringOpen.at(text.len())) };
        match byte {
            b'"' => return Ok(pos + 1),
            b'\\' => pos = escape_end(text, pos)?,
            0..=0x1f => return Err(Reason::ControlCharacter.at(pos)),
            _ => pos += 1,
        }
    }
}

fn escape_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match text.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
            _ => Err(Reason::BadEscape.at(at)),
        },
        Some(_) => Err(Reason::BadEscape.at(at)),
        None => Err(Reason::StringOpen.at(text.len())),
    }
}

/// The end of the string whose opening quote is at `at`, by quotes and backslashes alone.
///
/// # Errors
/// [`Reason::StringOpen`].
#[inline]
pub fn string_end_loose(text: &[u8], at: usize) -> Result<usize, Fault> {
    let mut pos = at + 1;
    loop {
        match memchr::memchr2(b'"', b'\\', text.get(pos..).unwrap_or(&[])) {
            Some(found) if text[pos + found] == b'"' => return Ok(pos + found + 1),
            Some(found) => pos += found + 2,
            None => return Err(Reason::StringOpen.at(text.len())),
        }
    }
}

/// The end of the number, literal or special token (`NaN`, `Infinity`, `-Infinity`) at `at`.
///
/// # Errors
/// [`Reason::BadNumber`], [`Reason::BadLiteral`], [`Reason::ValueMissing`].
#[inline]
pub fn scalar_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    match text.get(at) {
        Some(b'0'..=b'9') => number_end(text, at),
        Some(b'-') if text.get(at + 1) == Some(&b'I') => word_end(text, at, b"-Infinity"),
        Some(b'-') => number_end(text, at),
        Some(b't') => word_end(text, at, b"true"),
        Some(b'f') => word_end(text, at, b"false"),
        Some(b'n') => word_end(text, at, b"null"),
        Some(b'N') => word_end(text, at, b"NaN"),
        Some(b'I') => word_end(text, at, b"Infinity"),
        Some(b',' | b'}' | b']' | b':') => Err(Reason::ValueMissing.at(at)),
        Some(_) => Err(Reason::BadLiteral.at(at)),
        None => Err(Reason::EndsEarly.at(text.len())),
    }
}

fn word_end(text: &[u8], at: usize, word: &[u8]) -> Result<usize, Fault> {
    let end = at + word.len();
    let follows = text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric());
    if text.get(at..end) == Some(word) && !follows { Ok(end) } else { Err(Reason::BadLiteral.at(at)) }
}

fn number_end(text: &[u8], at: usize) -> Result<usize, Fault> {
    let bad = Err(Reason::BadNumber.at(at));
    let mut pos = at + usize::from(text[at] == b'-');
    match text.get(pos) {
        Some(b'0') => pos += 1,
        Some(b'1'..=b'9') => pos = digits_end(text, pos),
        _ => return bad,
    }
    if text.get(pos) == Some(&b'.') {
        let end = digits_end(text, pos + 1);
        if end == pos + 1 {
            return bad;
        }
        pos = end;
    }
    if matches!(text.get(pos), Some(b'e' | b'E')) {
        let start = pos + 1 + usize::from(matches!(text.get(pos + 1), Some(b'+' | b'-')));
        let end = digits_end(text, start);
        if end == start {
            return bad;
        }
        pos = end;
    }
    match text.get(pos) {
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-') => bad,
        _ => Ok(pos),
    }
}

#[inline]
fn digits_end(text: &[u8], mut pos: usize) -> usize {
    while pos < text.len() && text[pos].is_ascii_digit() {
        pos += 1;
    }
    pos
}

/// The end of the object or array that opens at `at`, by brackets outside strings alone; both
/// kinds of bracket count alike. `depth` is how many containers enclose it.
///
/// # Errors
/// [`Reason::EndsEarly`], [`Reason::StringOpen`], [`Reason::TooDeep`].
pub fn container_end_loose(text: &[u8], at: usize, depth: usize) -> Result<usize, Fault> {
    let mut open = 0usize;
    let mut pos = at;
    while let Some(&byte) = text.get(pos) {
        match byte {
            b'"' => {
                pos = string_end_loose(text, pos)?;
                continue;
            }
            b'{' | b'[' => {
                open += 1;
                if depth + open > DEPTH_MAX {
                    return Err(Reason::TooDeep.at(pos));
                }
            }
            b'}' | b']' => {
                open -= 1;
                if open == 0 {
                    return Ok(pos + 1);
                }
            }
            _ => {}
        }
        pos += 1;
    }
    Err(Reason::EndsEarly.at(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_grammar() {
        for good in ["0", "-0", "10", "1.5", "1e9", "1E+9", "0.0e-0", "NaN", "Infinity", "-Infinity", "true", "null"] {
            assert_eq!(scalar_end(good.as_bytes(), 0), Ok(good.len()), "{good}");
        }
        for bad in
            ["007", "01", "1.", ".5", "1e", "+1", "-", "tru", "truex", "1.2.3", "0x10", "nan", "Inf", "--1", "1e+"]
        {
            assert!(scalar_end(bad.as_bytes(), 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn strings_end_at_their_own_quote() {
        let text = br#""a\"b\\" rest"#;
        assert_eq!(string_end(text, 0), Ok(8));
        assert_eq!(string_end_loose(text, 0), Ok(8));
        assert_eq!(string_end(br#""\x""#, 0), Err(Reason::BadEscape.at(1)));
        assert_eq!(string_end(b"\"a\nb\"", 0), Err(Reason::ControlCharacter.at(2)));
        assert_eq!(string_end_loose(br#""abc\"#, 0), Err(Reason::StringOpen.at(5)));
        assert_eq!(string_end(br#""\u12g4""#, 0), Err(Reason::BadEscape.at(1)));
    }

    #[test]
    fn containers_end_by_their_brackets() {
        let text = br#"{"a":[1,{"}":"]"}]} tail"#;
        assert_eq!(container_end_loose(text, 0, 0), Ok(19));
        let deep = [b'['; 2000];
        assert_eq!(container_end_loose(&deep, 0, 1), Err(Reason::TooDeep.at(1023)));
    }
}
