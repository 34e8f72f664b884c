//! Thread keys: what tells one thread's events from another's.

use std::fmt;

use crate::json;

/// The key of a thread: an integer or a string, or several of them (a composite key).
/// 6 and `"6"` are different threads, `6.0` is 6.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ThreadKey {
    Integer(i64),
    /// An integer beyond 64 bits: its decimal digits, with a sign if negative, without leading
    /// zeros (`1e400` is written out as digits and `e` with the exponent).
    BigInteger(Box<str>),
    /// Text after unescaping; lone surrogates as in WTF-8.
    Text(Box<[u8]>),
    /// One part for each path of the thread role.
    Composite(Box<[ThreadKey]>),
    /// The key of every event where the profile names no thread role.
    Single,
}

impl ThreadKey {
    /// The key that a strict token of JSON stands for; none if it is neither an integer nor a string.
    pub fn of_token(token: &[u8]) -> Option<ThreadKey> {
        if token.first() == Some(&b'"') {
            return Some(ThreadKey::Text(json::text::unescape(token).into()));
        }
        match json::Decimal::parse(token)?.to_integer()? {
            json::Integer::Small(value) => Some(ThreadKey::Integer(value)),
            json::Integer::Big(digits) => Some(ThreadKey::BigInteger(digits.into())),
        }
    }
}

impl fmt::Display for ThreadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ThreadKey::Integer(n) => write!(f, "{n}"),
            ThreadKey::BigInteger(digits) => f.write_str(digits),
            ThreadKey::Text(text) => write!(f, "{:?}", String::from_utf8_lossy(text)),
            ThreadKey::Composite(parts) => {
                f.write_str("(")?;
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{part}")?;
                }
                f.write_str(")")
            }
            ThreadKey::Single => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_part_by_part() {
        let key = |token: &str| ThreadKey::of_token(token.as_bytes()).unwrap();
        let parts = ThreadKey::Composite(vec![key("7"), key("\"a\""), key("18446744073709551616")].into());
        assert_eq!(parts.to_string(), "(7, \"a\", 18446744073709551616)");
        assert_eq!([key("1.0"), ThreadKey::Single].map(|key| key.to_string()), ["1", "-"]);
        assert!(ThreadKey::of_token(b"1.5").is_none() && ThreadKey::of_token(b"null").is_none());
    }
}
