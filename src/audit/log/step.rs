//! What one event of a log does to objects, as it says itself.

use smallvec::SmallVec;

use crate::json::{self, Decimal, Integer};
use crate::scan::ThreadKey;

/// What an event calls an object: what both logs call it, or a handle.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// A handle or an address, whether written as a number or as `"0x…"`; a negative one as its two's complement.
    Number(u64),
    Text(Box<str>),
    /// The object that a thread is, until the thread begins.
    Thread(Box<ThreadKey>),
}

impl Name {
    /// The name that a valid token is; none of null, true, false, an object or a list.
    pub fn of_token(token: &[u8]) -> Option<Name> {
        match token.first()? {
            b'"' => {
                let text = json::text::unescape(token);
                let text = String::from_utf8_lossy(&text);
                Some(hex(&text).and_then(number).unwrap_or_else(|| Name::Text(text.as_ref().into())))
            }
            b'-' | b'0'..=b'9' => {
                let named = integer(token).and_then(number);
                Some(named.unwrap_or_else(|| Name::Text(String::from_utf8_lossy(token).into())))
            }
            _ => None,
        }
    }

    /// A name as somebody writes it in a command: a number, `0x…`, or a text.
    pub fn of_word(word: &str) -> Name {
        let integer = hex(word).or_else(|| word.parse().ok());
        integer.and_then(number).unwrap_or_else(|| Name::Text(word.into()))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Handles and addresses are read in hex, small numbers as they are.
            Name::Number(number) if *number > 9 => write!(f, "0x{number:X}"),
            Name::Number(number) => write!(f, "{number}"),
            Name::Text(text) => f.write_str(text),
            Name::Thread(key) => write!(f, "thread {key}"),
        }
    }
}

fn number(integer: i128) -> Option<Name> {
    let negative = || i64::try_from(integer).ok().map(i64::cast_unsigned);
    u64::try_from(integer).ok().or_else(negative).map(Name::Number)
}

fn hex(text: &str) -> Option<i128> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    // A sign is no digit.
    let is_hex = !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| i128::from_str_radix(digits, 16).ok()).flatten()
}

fn integer(token: &[u8]) -> Option<i128> {
    match Decimal::parse(token)?.to_integer()? {
        Integer::Small(number) => Some(number.into()),
        Integer::Big { .. } => std::str::from_utf8(token).ok()?.parse().ok(),
    }
}

/// The integer that a valid token is, true being 1; `"0x…"` is one too.
pub fn integer_of(token: &[u8]) -> Option<i64> {
    let number = match token.first()? {
        b't' => 1,
        b'f' => 0,
        b'"' => hex(&String::from_utf8_lossy(&json::text::unescape(token)))?,
        _ => integer(token)?,
    };
    i64::try_from(number).ok()
}

/// What an event says of a step, each as far as it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The object's names; of a wait those of all its objects.
    pub names: SmallVec<[Name; 2]>,
    /// Its new name.
    pub becomes: Option<Name>,
    /// The thread that is made with it.
    pub thread: Option<ThreadKey>,
    /// The function that does it.
    pub source: Option<Box<str>>,
    pub object_type: Option<Box<str>>,
    /// It is a manual-reset one.
    pub manual: Option<bool>,
    /// Its state when made: 0 or 1, or how often it can be taken.
    pub initial: Option<i64>,
    /// How much is released.
    pub count: Option<i64>,
    /// The wait is for all its objects.
    pub is_for_all: bool,
    /// How long the wait may last, in the log's own unit; none where it may last for ever.
    pub timeout: Option<i64>,
    pub alertable: Option<bool>,
    /// The object's state before.
    pub previous: Option<i64>,
    /// How the wait ended.
    pub result: Option<i64>,
    /// It ended without its object.
    pub unmet: bool,
    /// The host's time.
    pub time: Option<i64>,
    /// Where the caller goes on.
    pub lr: Option<i64>,
    /// The callers, as the log has them.
    pub stack: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_one_name_however_they_are_written() {
        let of = |token: &str| Name::of_token(token.as_bytes());
        assert_eq!(of("4160749576"), of("\"0xF8000008\""));
        assert_eq!(of("4160749576"), Some(Name::of_word("0xf8000008")));
        assert_eq!(of("\"event:ready\""), Some(Name::of_word("event:ready")));
        assert_ne!(of("7"), of("\"7\""), "a text that is a number is no number");
        assert_eq!([of("null"), of("true"), of("{}")], [None, None, None]);
        assert_eq!(of("\"0x\""), Some(Name::Text("0x".into())));
        assert_eq!(of("18446744073709551615"), Some(Name::Number(u64::MAX)));
        assert_eq!(Name::Number(0xF800_0008).to_string(), "0xF8000008");
    }

    #[test]
    fn integers_have_many_spellings() {
        let of = |token: &str| integer_of(token.as_bytes());
        assert_eq!([of("true"), of("1.0"), of("\"0x1\""), of("1e0")], [Some(1); 4]);
        assert_eq!([of("1.5"), of("\"one\""), of("null"), of("99999999999999999999")], [None; 4]);
    }
}
