//! Whether a line mentions a value: which bytes to look for, and what counts once they are found.
//!
//! A mention is a whole value (never a key) inside what is compared of an event: the value itself, or the same
//! integer in another usual spelling. Usual are decimal (as a number, or as a string of digits alone) and
//! hexadecimal in a string (`"0x1f"`, `"0X001F"`). What other fields hold (threads, ordinals, clocks) is no mention:
//! small numbers would be met there by chance.

use crate::json::{Decimal, Kind, Pointer, Tape, number};
use crate::profile::{PayloadRole, Profile, StrictReader};

/// A value that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Its token.
    token: Vec<u8>,
    /// A number token without an exponent that is equal to it, if it is a number.
    plain: Option<Vec<u8>>,
    integer: Option<Whole>,
    needles: Vec<Needle>,
}

/// An integer of up to 128 bits beside its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Whole {
    negative: bool,
    magnitude: u128,
}

/// Bytes that stand in every line with the value in one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// What to look for.
    pub bytes: Vec<u8>,
    spelling: Spelling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Decimal,
    Hex,
    /// As the value's own token.
    Own,
}

/// Why a value is not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsought {
    #[error("too common")]
    Common,
    #[error("no single value")]
    Composite,
}

/// Shorter values are met by chance: characters of a string, significant digits of a number.
const LENGTH_MIN: usize = 3;

impl Mention {
    /// How a value, given by its strict token, is looked for.
    ///
    /// # Errors
    /// The value is met everywhere, or is an object or array.
    pub fn of(token: &[u8]) -> Result<Mention, Unsought> {
        let inner = match token.first() {
            Some(b'{' | b'[') => return Err(Unsought::Composite),
            Some(b'"') => Some(&token[1..token.len().max(2) - 1]),
            _ => None,
        };
        let integer = match inner {
            Some(inner) => whole_of_text(inner),
            None => whole_of_number(token),
        };
        let is_common = match (integer, inner) {
            (Some(whole), _) => significant(whole.magnitude) < LENGTH_MIN,
            (None, Some(inner)) => inner.len() < LENGTH_MIN,
            (None, None) => Decimal::parse(token).is_none_or(|value| value.digits().count() < LENGTH_MIN),
        };
        if is_common {
            return Err(Unsought::Common);
        }
        let plain = match (integer, inner) {
            (Some(whole), _) => Some(whole.decimal().into_bytes()),
            (None, None) if is_plain(token) => Some(trimmed_fraction(token).to_vec()),
            _ => None,
        };
        let mut needles = Vec::new();
        let mut add = |bytes: Vec<u8>, spelling| {
            if !needles.iter().any(|known: &Needle| known.bytes == bytes) {
                needles.push(Needle { bytes, spelling });
            }
        };
        if let Some(plain) = &plain {
            add(plain.strip_prefix(b"-").unwrap_or(plain).to_vec(), Spelling::Decimal);
        }
        if let Some(Whole { negative: false, magnitude }) = integer {
            // With the quote that ends it: few digits alone stand everywhere.
            add(format!("{magnitude:x}\"").into_bytes(), Spelling::Hex);
            add(format!("{magnitude:X}\"").into_bytes(), Spelling::Hex);
        }
        let is_covered = integer.is_some() && inner.is_some() || plain.is_some() && is_plain(token);
        if !is_covered {
            add(token.to_vec(), Spelling::Own);
        }
        Ok(Mention { token: token.to_vec(), plain, integer, needles })
    }

    /// What to look for: where none of these stands, the value is not mentioned.
    pub fn needles(&self) -> &[Needle] {
        &self.needles
    }

    /// Whether a value of a line is this one.
    pub fn is(&self, kind: Kind, token: &[u8]) -> bool {
        match kind {
            Kind::Key => false,
            _ if token == self.token => true,
            Kind::Number => is_plain(token) && self.plain.as_ref().is_some_and(|plain| number::equal(plain, token)),
            Kind::String => self.integer.is_some() && whole_of_text(&token[1..token.len() - 1]) == self.integer,
            _ => false,
        }
    }
}

impl Needle {
    /// Bytes that stand so wherever they are meant.
    pub fn exact(bytes: Vec<u8>) -> Needle {
        Needle { bytes, spelling: Spelling::Own }
    }

    /// Whether what stands around a place where the bytes were found allows it to be the value: cheap, and true where
    /// the block shows too little.
    pub fn may_be(&self, block: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).map(|before| block[before]);
        let mut end = at + self.bytes.len();
        if self.spelling == Spelling::Decimal && self.bytes.contains(&b'.') {
            end += block[end..].iter().take_while(|byte| **byte == b'0').count();
        }
        let behind = block.get(end);
        match self.spelling {
            Spelling::Own => true,
            Spelling::Decimal => {
                !before.is_some_and(|byte| byte.is_ascii_digit() || byte == b'.')
                    && !behind.is_some_and(|byte| byte.is_ascii_alphanumeric())
            }
            Spelling::Hex => {
                let zeros = block[..at].iter().rev().take_while(|byte| **byte == b'0').count();
                let sign = (at - zeros).checked_sub(1).map(|sign| block[sign]);
                sign.is_none_or(|byte| matches!(byte, b'x' | b'X'))
            }
        }
    }
}

impl Whole {
    fn decimal(self) -> String {
        format!("{}{}", if self.negative { "-" } else { "" }, self.magnitude)
    }
}

/// A number without an exponent.
fn is_plain(token: &[u8]) -> bool {
    !token.iter().any(|byte| matches!(byte, b'e' | b'E'))
}

fn whole_of_number(token: &[u8]) -> Option<Whole> {
    let value = Decimal::parse(token)?;
    Some(Whole { negative: value.is_negative(), magnitude: value.magnitude()? })
}

/// The integer that a string without its quotes spells: hexadecimal behind `0x`, its letters all small or all large, or
/// as JSON would write it.
fn whole_of_text(text: &[u8]) -> Option<Whole> {
    if let [b'0', b'x' | b'X', digits @ ..] = text {
        let has = |is: fn(&u8) -> bool| digits.iter().any(is);
        let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
        let is_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit) && !is_mixed;
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
        let magnitude = u128::from_str_radix(digits.trim_start_matches('0'), 16);
        let magnitude = if digits.trim_start_matches('0').is_empty() { 0 } else { magnitude.ok()? };
        return Some(Whole { negative: false, magnitude });
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_decimal = digits.iter().all(u8::is_ascii_digit) && matches!(digits.first(), Some(b'1'..=b'9'));
    is_decimal.then(|| whole_of_number(text)).flatten()
}

/// Decimal digits of an integer, less the zeros at its end.
fn significant(mut magnitude: u128) -> usize {
    while magnitude != 0 && magnitude.is_multiple_of(10) {
        magnitude /= 10;
    }
    if magnitude == 0 { 0 } else { magnitude.ilog10() as usize + 1 }
}

/// A plain number less the zeros that end its fraction.
fn trimmed_fraction(token: &[u8]) -> &[u8] {
    if !token.contains(&b'.') {
        return token;
    }
    let zeros = token.iter().rev().take_while(|byte| **byte == b'0').count();
    let kept = &token[..token.len() - zeros];
    kept.strip_suffix(b".").unwrap_or(kept)
}

/// What is compared of a line's events, as far as mentions go.
#[derive(Clone, Debug)]
pub struct Compared {
    strict: StrictReader,
    payload: Option<Pointer>,
    /// Places that are not compared as values.
    roles: Vec<Pointer>,
}

impl Compared {
    /// That of the profile's events.
    pub fn new(profile: &Profile) -> Compared {
        let payload = match &profile.roles.payload {
            PayloadRole::At(path) => Some(path.clone()),
            PayloadRole::Whole => None,
        };
        Compared { strict: StrictReader::new(profile), payload, roles: profile.roles.paths().cloned().collect() }
    }

    /// Whether what is compared of a trimmed line mentions a value; never so for a malformed one.
    pub fn mentions(&self, line: &[u8], mention: &Mention, tape: &mut Tape) -> bool {
        if self.strict.read(line, tape).is_err() {
            return false;
        }
        let node = |path: &Pointer| tape.at(line, Tape::ROOT, path);
        let (mut at, end, roles) = match &self.payload {
            Some(path) => match node(path) {
                Some(payload) => (payload, tape.behind(payload), Vec::new()),
                None => return false,
            },
            None => {
                let mut roles: Vec<usize> = self.roles.iter().filter_map(node).collect();
                roles.sort_unstable();
                (Tape::ROOT, tape.behind(Tape::ROOT), roles)
            }
        };
        while at < end {
            if roles.binary_search(&at).is_ok() {
                at = tape.behind(at);
                continue;
            }
            if mention.is(tape.kind(at), tape.bytes(line, at)) {
                return true;
            }
            at += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    fn kind_of(token: &str) -> Kind {
        match token.as_bytes()[0] {
            b'"' => Kind::String,
            b't' => Kind::True,
            b'n' => Kind::Null,
            b'{' => Kind::ObjectStart,
            _ => Kind::Number,
        }
    }

    #[test]
    fn one_integer_has_its_usual_spellings() {
        let is = |value: &str, other: &str| Mention::of(value.as_bytes()).unwrap().is(kind_of(other), other.as_bytes());
        for value in ["3221225524", "\"0xc0000034\"", "\"0x00000000C0000034\"", "\"3221225524\"", "3221225524.0"] {
            for other in ["3221225524", "3221225524.00", "\"0xC0000034\"", "\"0X0c0000034\"", "\"3221225524\""] {
                assert!(is(value, other), "{value} {other}");
            }
            for other in ["3221225525", "-3221225524", "\"0xc0000035\"", "\"c0000034\"", "\"0xC000003a4\"", "true"] {
                assert!(!is(value, other), "{value} {other}");
            }
        }
        // Not usual: an exponent, unless the value itself is spelled so; letters of both sizes.
        assert!(!is("3221225524", "3.221225524e9") && is("3.221225524e9", "3.221225524e9"));
        assert!(is("3.221225524e9", "\"0xc0000034\""));
        assert!(!is("2748", "\"0xaBc\"") && is("\"0xaBc\"", "\"0xaBc\""));
        assert!(is("-4097", "\"-4097\"") && is("-4097", "-4097.0") && !is("-4097", "4097"));
        assert!(is("0.1250", "0.125") && !is("0.125", "\"0.125\""));
        assert!(is("\"NtOpenFile\"", "\"NtOpenFile\"") && !is("\"NtOpenFile\"", "\"NtOpenFileEx\""));
        assert!(!Mention::of(b"\"abc\"").unwrap().is(Kind::Key, b"\"abc\""));
        let long = "1234567890123456789012345678901234567890123";
        assert!(is(long, long) && is(long, &format!("{long}.0")) && !is(long, &format!("{long}0")));
    }

    #[test]
    fn what_is_met_by_chance_is_not_looked_for() {
        for token in ["0", "-0", "7", "99", "1000", "1e6", "0.5", "1.5e300", "NaN", "-Infinity", "true", "null", "\"\""]
        {
            assert_eq!(Mention::of(token.as_bytes()), Err(Unsought::Common), "{token}");
        }
        assert_eq!(Mention::of(b"\"0x0\""), Err(Unsought::Common));
        assert_eq!(Mention::of(b"\"0x0a\""), Err(Unsought::Common));
        assert_eq!(Mention::of(b"\"ok\""), Err(Unsought::Common));
        assert_eq!(Mention::of(b"{\"a\":1234}"), Err(Unsought::Composite));
        assert_eq!(Mention::of(b"[1234]"), Err(Unsought::Composite));
        for token in ["123", "258", "-4096", "0.125", "1.25e300", "\"abc\"", "\"0x100\""] {
            assert!(Mention::of(token.as_bytes()).is_ok(), "{token}");
        }
    }

    #[test]
    fn every_spelling_holds_a_needle_that_may_be_it() {
        for (value, others) in [
            ("3221225524", &["3221225524", "3221225524.0", "\"0xC0000034\"", "\"0x00c0000034\"", "\"3221225524\""][..]),
            ("0.1250", &["0.125", "0.12500"]),
            ("-4097", &["-4097", "\"-4097\"", "-4097.0"]),
            ("1.2345e10", &["1.2345e10", "12345000000", "\"0x2DFD1C040\""]),
            ("1.25e300", &["1.25e300"]),
            ("\"a\\u0062c\"", &["\"a\\u0062c\""]),
        ] {
            let mention = Mention::of(value.as_bytes()).unwrap();
            for other in others {
                let line = format!("{{\"v\":{other},\"w\":1}}");
                let found = mention.needles().iter().any(|needle| {
                    let at = memchr::memmem::find(line.as_bytes(), &needle.bytes);
                    at.is_some_and(|at| needle.may_be(line.as_bytes(), at))
                });
                assert!(found && mention.is(kind_of(other), other.as_bytes()), "{value} {other}");
            }
        }
    }

    #[test]
    fn only_what_is_compared_counts() {
        let mentions = |profile: &str, thread: bool, line: &str| {
            let mut profile = builtin(profile).unwrap();
            if thread {
                profile.roles.thread = vec![Pointer::new(["t"])];
            }
            let mention = Mention::of(b"4660").unwrap();
            Compared::new(&profile).mentions(line.as_bytes(), &mention, &mut Tape::default())
        };
        let line = |ordinal: u64, payload: &str| format!("{{\"tid_event_idx\":{ordinal},\"payload\":{payload}}}");
        assert!(mentions("schema-v1", false, &line(1, "{\"a\":{\"b\":[1,\"0x1234\"]}}")));
        assert!(!mentions("schema-v1", false, &line(4660, "{\"4660\":1}")));
        assert!(!mentions("schema-v1", false, &line(4660, "{\"a\":14660}")));
        assert!(!mentions("schema-v1", false, "{\"payload\":{\"a\":4660}"), "malformed");
        assert!(mentions("generic", true, "{\"t\":1,\"x\":{\"y\":4660}}"));
        assert!(!mentions("generic", true, "{\"t\":4660,\"x\":{\"y\":1}}"));
    }
}
