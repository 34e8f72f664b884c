//! A JSON document of a state folder, looked at where it lies: nothing is taken apart but what differs.

use std::cmp::Ordering;

use crate::json::pointer::Pointer;
use crate::json::{Decimal, check_by_cursor, grammar, leaf, number, text};

/// Longer documents are refused: their places are 32 bits wide, and they are held in memory.
pub const BYTES_MAX: u64 = 256 << 20;

/// The types that count: all numbers are of one, so are true and false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// A value of a document, by its place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    pub shape: Shape,
    start: u32,
    end: u32,
}

/// A strict JSON text.
#[derive(Debug, Default)]
pub struct Document {
    text: Vec<u8>,
}

/// A key of an object and its value.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    key: (u32, u32),
    pub value: Value,
}

/// Where a text is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: byte {offset}: {reason}")]
pub struct DocumentFault {
    /// From 1.
    pub line: u64,
    /// Bytes of the file before it.
    pub offset: u64,
    pub reason: String,
}

impl Value {
    /// Bytes of the text before it.
    pub fn offset(self) -> u32 {
        self.start
    }
}

impl Document {
    /// Takes a text that is strict JSON, a byte order mark aside; NaN and infinities are tokens.
    ///
    /// # Errors
    /// The first place where it is none.
    pub fn parse(mut text: Vec<u8>) -> Result<Document, DocumentFault> {
        if text.starts_with(b"\xef\xbb\xbf") {
            text[..3].copy_from_slice(b"   ");
        }
        match check_by_cursor(&text, 0) {
            Ok(()) => Ok(Document { text }),
            Err(fault) => {
                let before = &text[..fault.at.min(text.len())];
                let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
                Err(DocumentFault { line, offset: fault.at as u64, reason: fault.reason.to_string() })
            }
        }
    }

    /// The whole document's value.
    pub fn root(&self) -> Value {
        self.value_at(self.solid(0))
    }

    /// The text of a value.
    pub fn bytes(&self, value: Value) -> &[u8] {
        &self.text[value.start as usize..value.end as usize]
    }

    /// The value that begins behind so many bytes of the text.
    pub fn value_at(&self, offset: u32) -> Value {
        const CHECKED: &str = "the text is strict JSON";
        let (text, at) = (&self.text, offset as usize);
        let (shape, end) = match text[at] {
            open @ (b'{' | b'[') => {
                let end = leaf::container_end(text, at, 0).or_else(|| grammar::container_end_loose(text, at, 0).ok());
                (if open == b'{' { Shape::Object } else { Shape::Array }, end.expect(CHECKED))
            }
            b'"' => (Shape::Text, self.string_end(at)),
            b't' | b'f' => (Shape::Bool, grammar::scalar_end(text, at).expect(CHECKED)),
            b'n' => (Shape::Null, at + 4),
            _ => (Shape::Number, grammar::scalar_end(text, at).expect(CHECKED)),
        };
        Value { shape, start: offset, end: end as u32 }
    }

    /// The first byte from a place on that is no space.
    fn solid(&self, offset: u32) -> u32 {
        grammar::skip_space(&self.text, offset as usize) as u32
    }

    /// The string token that begins behind so many bytes of the text.
    fn string_at(&self, offset: u32) -> &[u8] {
        &self.text[offset as usize..self.string_end(offset as usize)]
    }

    fn string_end(&self, at: usize) -> usize {
        let end = leaf::plain_string_end(&self.text, at).or_else(|| grammar::string_end(&self.text, at).ok());
        end.expect("the text is strict JSON")
    }

    /// Behind a comma, or at the end.
    fn next(&self, end: u32) -> u32 {
        let at = self.solid(end);
        if self.text[at as usize] == b',' { self.solid(at + 1) } else { at }
    }

    /// The elements of an array.
    pub fn elements(&self, array: Value) -> impl Iterator<Item = Value> + '_ {
        debug_assert_eq!(array.shape, Shape::Array);
        let mut at = self.solid(array.start + 1);
        std::iter::from_fn(move || {
            if self.text[at as usize] == b']' {
                return None;
            }
            let value = self.value_at(at);
            at = self.next(value.end);
            Some(value)
        })
    }

    /// The members of an object as they stand, keys given twice included.
    pub fn members(&self, object: Value) -> impl Iterator<Item = Member> + '_ {
        debug_assert_eq!(object.shape, Shape::Object);
        let mut at = self.solid(object.start + 1);
        std::iter::from_fn(move || {
            if self.text[at as usize] == b'}' {
                return None;
            }
            let member = self.member_at(at);
            at = self.next(member.value.end);
            Some(member)
        })
    }

    /// The member whose key begins behind so many bytes of the text.
    fn member_at(&self, offset: u32) -> Member {
        let end = self.string_end(offset as usize) as u32;
        let colon = self.solid(end);
        Member { key: (offset, end), value: self.value_at(self.solid(colon + 1)) }
    }

    /// The members of an object in the order of their keys, each key once: of those given twice the last counts.
    pub fn sorted_members(&self, object: Value) -> impl Iterator<Item = Member> + '_ {
        // Of a large object there are many: where the key begins is all that is held, and its first bytes, which settle
        // most comparisons.
        let mut keys: Vec<([u8; 4], u32)> =
            self.members(object).map(|member| (first_bytes(self.key(member)), member.key.0)).collect();
        let order = |one: &([u8; 4], u32), other: &([u8; 4], u32)| {
            one.0.cmp(&other.0).then_with(|| self.string_order(one.1, other.1))
        };
        keys.sort_unstable_by(|one, other| order(one, other).then(one.1.cmp(&other.1)));
        keys.reverse();
        keys.dedup_by(|one, other| order(one, other).is_eq());
        keys.into_iter().rev().map(|(_, key)| self.member_at(key))
    }

    /// The strings that begin behind so many bytes of the text, by their characters; where they end need not be known.
    fn string_order(&self, one: u32, other: u32) -> Ordering {
        let (left, right) = (&self.text[one as usize + 1..], &self.text[other as usize + 1..]);
        for (a, b) in left.iter().zip(right) {
            match (a, b) {
                (b'\\', _) | (_, b'\\') => break,
                (b'"', b'"') => return Ordering::Equal,
                (b'"', _) => return Ordering::Less,
                (_, b'"') => return Ordering::Greater,
                _ if a != b => return a.cmp(b),
                _ => {}
            }
        }
        text_order(self.string_at(one), self.string_at(other))
    }

    /// The key of a member, its quotes included.
    pub fn key(&self, member: Member) -> &[u8] {
        &self.text[member.key.0 as usize..member.key.1 as usize]
    }

    /// The value of a key in an object; of a key given twice the last.
    pub fn get(&self, object: Value, key: &str) -> Option<Value> {
        if object.shape != Shape::Object {
            return None;
        }
        let found = self.members(object).filter(|member| crate::json::tape::key_is(self.key(*member), key.as_bytes()));
        found.last().map(|member| member.value)
    }

    /// The value at a path, array positions in decimal.
    pub fn at(&self, path: &Pointer) -> Option<Value> {
        path.tokens().iter().try_fold(self.root(), |value, token| match value.shape {
            Shape::Object => self.get(value, token),
            Shape::Array => token.parse().ok().and_then(|at| self.elements(value).nth(at)),
            _ => None,
        })
    }

    /// A text value, unescaped; what is no Unicode is replaced.
    pub fn text(&self, value: Value) -> Option<String> {
        let is_text = value.shape == Shape::Text;
        is_text.then(|| String::from_utf8_lossy(&text::unescape(self.bytes(value))).into_owned())
    }

    /// A number without a sign or fraction, or the same in hex (`"0x82000000"`), of 64 bits at most.
    pub fn address(&self, value: Value) -> Option<u64> {
        match value.shape {
            Shape::Number => number::to_u64(self.bytes(value)),
            Shape::Text => {
                let text = self.text(value)?;
                let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
                let number = number::hex_to_u128(digits.as_bytes())?;
                u64::try_from(number).ok()
            }
            _ => None,
        }
    }
}

/// The first bytes of what a string token says, zeros behind its end: a string with lesser ones comes first.
fn first_bytes(token: &[u8]) -> [u8; 4] {
    let text = text::unescape(token);
    std::array::from_fn(|at| text.get(at).copied().unwrap_or(0))
}

/// Two string tokens by their characters.
pub fn text_order(one: &[u8], other: &[u8]) -> Ordering {
    match text::has_escape(one) || text::has_escape(other) {
        false => one[1..one.len() - 1].cmp(&other[1..other.len() - 1]),
        true => text::unescape(one).cmp(&text::unescape(other)),
    }
}

/// Two values in an order in which equal ones, and no others, are equal: by type, then by exact value, objects by their sorted keys.
pub fn order((one, a): (&Document, Value), (other, b): (&Document, Value)) -> Ordering {
    let (bytes_a, bytes_b) = (one.bytes(a), other.bytes(b));
    if bytes_a == bytes_b {
        return Ordering::Equal;
    }
    a.shape.cmp(&b.shape).then_with(|| match a.shape {
        Shape::Null => Ordering::Equal,
        Shape::Bool => bytes_a.cmp(bytes_b),
        Shape::Number => number_order(bytes_a, bytes_b),
        Shape::Text => text_order(bytes_a, bytes_b),
        Shape::Array => {
            let (mut left, mut right) = (one.elements(a), other.elements(b));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some(x), Some(y)) => match order((one, x), (other, y)) {
                        Ordering::Equal => {}
                        unequal => return unequal,
                    },
                }
            }
        }
        Shape::Object => {
            let (mut left, mut right) = (one.sorted_members(a), other.sorted_members(b));
            loop {
                let (x, y) = match (left.next(), right.next()) {
                    (Some(x), Some(y)) => (x, y),
                    (x, y) => return x.is_some().cmp(&y.is_some()),
                };
                let found = text_order(one.key(x), other.key(y)).then_with(|| order((one, x.value), (other, y.value)));
                if found.is_ne() {
                    return found;
                }
            }
        }
    })
}

/// Whether two values are equal: types strictly, numbers by value, keys in any order.
pub fn equal(one: (&Document, Value), other: (&Document, Value)) -> bool {
    order(one, other).is_eq()
}

/// Numbers by exact value; what is no number (NaN, infinities) behind all others.
fn number_order(a: &[u8], b: &[u8]) -> Ordering {
    if number::equal(a, b) {
        return Ordering::Equal;
    }
    if let (Some(a), Some(b)) = (number::plain_integer(a), number::plain_integer(b)) {
        return a.cmp(&b);
    }
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(x), Some(y)) => decimal_order((&x, a), (&y, b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

fn decimal_order(a: (&Decimal<'_>, &[u8]), b: (&Decimal<'_>, &[u8])) -> Ordering {
    let sign = |number: &Decimal<'_>| match (number.is_zero(), number.is_negative()) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    let (left, right) = (sign(a.0), sign(b.0));
    if left != right || left == 0 {
        return left.cmp(&right);
    }
    let larger = power(a).cmp(&power(b)).then_with(|| a.0.digits().cmp(b.0.digits()));
    if left < 0 { larger.reverse() } else { larger }
}

/// A power of ten in an order in which only equal ones are equal: exact ones by value; those whose exponents are too long for that, by
/// sign, length, digits, and then by where the first digit stands.
type Power = (i8, i128, Vec<u8>, i128);

fn power((number, token): (&Decimal<'_>, &[u8])) -> Power {
    if let Some(exponent) = number.exponent() {
        return (0, exponent, Vec::new(), 0);
    }
    let at = token.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(token.len());
    let (mantissa, exponent) = token.split_at(at);
    let point = Decimal::parse(mantissa).and_then(|mantissa| mantissa.exponent()).unwrap_or(0);
    let is_negative = exponent.get(1) == Some(&b'-');
    let digits: Vec<u8> =
        exponent.iter().copied().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').collect();
    match is_negative {
        false => (1, digits.len() as i128, digits, point),
        true => (-1, -(digits.len() as i128), digits.iter().map(|digit| b'9' - digit).collect(), point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Tape, tape};
    use proptest::prelude::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn values_are_found_where_they_stand() {
        let document = document("\u{feff} { \"a\" : [1 , {\"b\\n\":\"x]\"} , null ] , \"a\\u0062\": -0, \"a\": true }");
        let root = document.root();
        let keys: Vec<&[u8]> = document.members(root).map(|member| document.key(member)).collect();
        assert_eq!(keys, [&b"\"a\""[..], b"\"a\\u0062\"", b"\"a\""]);
        assert_eq!(document.get(root, "a").map(|value| value.shape), Some(Shape::Bool));
        assert_eq!(document.get(root, "ab").map(|value| document.bytes(value)), Some(&b"-0"[..]));
        let sorted: Vec<Member> = document.sorted_members(root).collect();
        assert_eq!(sorted.len(), 2);
        assert_eq!(sorted[0].value.shape, Shape::Bool);
        let list = document.members(root).next().unwrap().value;
        assert_eq!(
            document.elements(list).map(|value| value.shape).collect::<Vec<_>>(),
            [Shape::Number, Shape::Object, Shape::Null]
        );
    }

    #[test]
    fn members_stand_in_the_order_of_their_keys_of_which_the_last_counts() {
        let all = [
            "",
            "a",
            "a\u{0}",
            "a\u{0}b",
            "a!",
            "ab",
            "abc",
            "abcd",
            "abcd\"",
            "abcde",
            "abcdf",
            "b",
            "\u{e9}",
            "\u{1f600}",
        ];
        let spelled = |key: &str, escaped: bool| match escaped {
            false => serde_json::to_string(key).unwrap(),
            true => {
                let units: String = key.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
                format!("\"{units}\"")
            }
        };
        let member = |(at, key): (usize, &&str)| format!("{}: {at}", spelled(key, at % 2 == 0));
        // Backwards, each key once more before in its other spelling.
        let before = all.iter().enumerate().map(|(at, key)| format!("{}:-1", spelled(key, at % 2 == 1)));
        let members: Vec<String> = before.chain(all.iter().enumerate().rev().map(member)).collect();
        let document = document(&format!("{{{}}}", members.join(",")));
        let sorted = document.sorted_members(document.root());
        let values: Vec<String> =
            sorted.map(|member| String::from_utf8_lossy(document.bytes(member.value)).into_owned()).collect();
        assert_eq!(values, (0..all.len()).map(|at| at.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn faults_have_their_line_and_byte() {
        let fault = Document::parse(b"{\n \"a\": 01\n}".to_vec()).unwrap_err();
        assert_eq!((fault.line, fault.offset), (2, 8));
        assert!(Document::parse(Vec::new()).is_err());
        assert!(Document::parse(vec![b'['; 5000]).unwrap_err().reason.contains("1024"));
    }

    #[test]
    fn addresses_are_numbers_or_hex() {
        let address = |text: &str| {
            let document = document(text);
            document.address(document.root())
        };
        assert_eq!(address("2181038080"), Some(0x8200_0000));
        assert_eq!(address("\"0x82000000\""), Some(0x8200_0000));
        assert_eq!(address("1e3"), Some(1000));
        for none in
            ["-1", "1.5", "\"82000000\"", "\"0x\"", "\"0x1FFFFFFFFFFFFFFFFF\"", "18446744073709551616", "null", "[]"]
        {
            assert_eq!(address(none), None, "{none}");
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".into()),
            Just("false".into()),
            Just("1".into()),
            Just("1.0".into()),
            Just("-10e-1".into()),
            Just("0.5".into()),
            Just("12345678901234567890123".into()),
            Just("10.0".into()),
            Just("1e1".into()),
            Just("-3".into()),
            Just("-20".into()),
            Just("1e99999999999999999999".into()),
            Just("10e99999999999999999999".into()),
            Just("1e-99999999999999999999".into()),
            Just("0.1e100000000000000000000".into()),
            Just("NaN".into()),
            Just("\"a\"".into()),
            Just("\"\\u0061\"".into()),
            Just("\"b\"".into()),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            let key = prop_oneof![Just("a"), Just("\\u0061"), Just("b"), Just("")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(" ,"))),
                prop::collection::vec((key, inner), 0..4).prop_map(|all| {
                    let members: Vec<String> =
                        all.into_iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_equal_as_those_of_events_are_and_stand_in_one_order(a in json(), b in json(), c in json()) {
            let [one, two, three] = [&a, &b, &c].map(|text| document(text));
            let [x, y, z] = [(&one, one.root()), (&two, two.root()), (&three, three.root())];
            let (mut left, mut right) = (Tape::default(), Tape::default());
            left.parse(a.as_bytes(), 0).unwrap();
            right.parse(b.as_bytes(), 0).unwrap();
            let same = tape::equal((&left, a.as_bytes(), Tape::ROOT), (&right, b.as_bytes(), Tape::ROOT));
            prop_assert_eq!(equal(x, y), same, "{} {}", a, b);
            prop_assert_eq!(order(x, y), order(y, x).reverse());
            if order(x, y).is_le() && order(y, z).is_le() {
                prop_assert!(order(x, z).is_le(), "{} {} {}", a, b, c);
            }
        }
    }
}
