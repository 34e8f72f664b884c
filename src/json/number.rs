//! Numbers by exact mathematical value, decided from their tokens: 1 = 1.0 = 1e0, -0 = 0.

use std::hash::{Hash, Hasher};

/// A number token taken apart: the value is `0.d1d2d3… × 10^exponent` with `d1` and the last
/// digit not 0. Zero has no digits.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: Exponent<'t>,
}

/// The power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Exponent<'t> {
    Exact(i128),
    /// Written with more digits than an `i64` holds: compared as written (sign, digits without
    /// leading zeros), together with where the significant digits begin.
    Huge {
        negative: bool,
        digits: &'t [u8],
        point: i128,
    },
}

/// An exact integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integer {
    Small(i64),
    /// Beyond 64 bits: its decimal digits, or digits and `e` with the zeros that follow them.
    Big(String),
}

impl<'t> Decimal<'t> {
    /// Takes a valid number token apart; `None` for `NaN` and the infinities.
    pub fn parse(token: &'t [u8]) -> Option<Decimal<'t>> {
        let negative = token.first() == Some(&b'-');
        let unsigned = &token[usize::from(negative)..];
        if !unsigned.first()?.is_ascii_digit() {
            return None;
        }
        let (mantissa, power) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
            None => (unsigned, &b""[..]),
        };
        let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &b""[..]),
        };
        Some(Decimal::normal(negative, whole, fraction, power))
    }

    /// Strips the zeros that do not count from both ends and moves the point before the first digit.
    fn normal(negative: bool, whole: &'t [u8], fraction: &'t [u8], power: &'t [u8]) -> Decimal<'t> {
        let mut point = whole.len() as i128;
        let whole_zeros = leading_zeros(whole);
        point -= whole_zeros as i128;
        let mut whole = &whole[whole_zeros..];
        let mut fraction = &fraction[..fraction.len() - trailing_zeros(fraction)];
        if whole.is_empty() {
            let zeros = leading_zeros(fraction);
            fraction = &fraction[zeros..];
            point -= zeros as i128;
        }
        if fraction.is_empty() {
            whole = &whole[..whole.len() - trailing_zeros(whole)];
        }
        if whole.is_empty() && fraction.is_empty() {
            return Decimal { negative: false, whole, fraction, exponent: Exponent::Exact(0) };
        }
        Decimal { negative, whole, fraction, exponent: Exponent::of(power, point) }
    }

    /// The significant digits, as they are spelled.
    pub fn digits(&self) -> impl Iterator<Item = u8> + use<'t> {
        self.whole.iter().chain(self.fraction).copied()
    }

    fn digit_count(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    /// Whether the value is zero.
    pub fn is_zero(&self) -> bool {
        self.digit_count() == 0
    }

    /// The power of ten by which `0.d1d2d3…` is multiplied; `None` where it was written with more
    /// digits than an `i64` holds.
    pub fn exponent(&self) -> Option<i128> {
        match self.exponent {
            Exponent::Exact(exponent) => Some(exponent),
            Exponent::Huge { .. } => None,
        }
    }

    /// The integer without its sign, `None` where the value is none or has more than 128 bits.
    pub fn magnitude(&self) -> Option<u128> {
        let zeros = u32::try_from(self.exponent()? - self.digit_count() as i128).ok()?;
        if self.is_zero() {
            return Some(0);
        }
        let digits = self
            .digits()
            .try_fold(0u128, |value, digit| value.checked_mul(10)?.checked_add(u128::from(digit - b'0')))?;
        digits.checked_mul(10u128.checked_pow(zeros)?)
    }

    /// Whether the value is an integer.
    pub fn is_integer(&self) -> bool {
        match self.exponent {
            Exponent::Exact(exponent) => self.is_zero() || exponent >= self.digit_count() as i128,
            Exponent::Huge { negative, .. } => !negative,
        }
    }

    /// The value as an integer, `None` where it is none.
    pub fn to_integer(&self) -> Option<Integer> {
        if self.is_zero() {
            return Some(Integer::Small(0));
        }
        let Exponent::Exact(exponent) = self.exponent else { return self.huge_integer() };
        let zeros = exponent - self.digit_count() as i128;
        if zeros < 0 {
            return None;
        }
        if exponent <= 18 {
            let value = self.digits().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
            let value = value * 10i64.pow(zeros as u32);
            return Some(Integer::Small(if self.negative { -value } else { value }));
        }
        let sign = if self.negative { "-" } else { "" };
        let digits: String = self.digits().map(char::from).collect();
        if exponent > 40 {
            return Some(Integer::Big(format!("{sign}{digits}e{zeros}")));
        }
        let text = format!("{sign}{digits}{}", "0".repeat(zeros as usize));
        Some(text.parse().map_or(Integer::Big(text), Integer::Small))
    }

    fn huge_integer(&self) -> Option<Integer> {
        match self.exponent {
            Exponent::Huge { negative: false, digits, point } => Some(Integer::Big(format!(
                "{}{}e{}{:+}",
                if self.negative { "-" } else { "" },
                self.digits().map(char::from).collect::<String>(),
                String::from_utf8_lossy(digits),
                point - self.digit_count() as i128
            ))),
            _ => None,
        }
    }

    /// The value as an integer from 0 to 2^64-1, `None` where it is none.
    pub fn to_u64(&self) -> Option<u64> {
        if self.is_zero() {
            return Some(0);
        }
        let Exponent::Exact(exponent) = self.exponent else { return None };
        if self.negative || exponent < self.digit_count() as i128 || exponent > 20 {
            return None;
        }
        let zeros = exponent as u32 - self.digit_count() as u32;
        let value = self.digits().fold(0u128, |value, digit| value * 10 + u128::from(digit - b'0'));
        u64::try_from(value * 10u128.pow(zeros)).ok()
    }

    /// True for a number below zero (not for -0).
    pub fn is_negative(&self) -> bool {
        self.negative
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative
            && self.exponent == other.exponent
            && self.digit_count() == other.digit_count()
            && self.digits().eq(other.digits())
    }
}

impl Eq for Decimal<'_> {}

impl Hash for Decimal<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.negative.hash(state);
        self.exponent.hash(state);
        self.digits().for_each(|digit| state.write_u8(digit));
        state.write_usize(self.digit_count());
    }
}

impl<'t> Exponent<'t> {
    fn of(power: &'t [u8], point: i128) -> Exponent<'t> {
        let negative = power.first() == Some(&b'-');
        let digits = &power[usize::from(matches!(power.first(), Some(b'+' | b'-')))..];
        let digits = &digits[leading_zeros(digits)..];
        let parsed = std::str::from_utf8(digits).ok().filter(|text| text.len() <= 19).map(|text| text.parse::<i64>());
        match parsed {
            _ if digits.is_empty() => Exponent::Exact(point),
            Some(Ok(value)) => Exponent::Exact(point + if negative { -i128::from(value) } else { i128::from(value) }),
            _ => Exponent::Huge { negative, digits, point },
        }
    }
}

/// Whether a valid number token is an integer.
#[inline]
pub fn is_integer(token: &[u8]) -> bool {
    token.iter().all(u8::is_ascii_digit) || Decimal::parse(token).is_some_and(|decimal| decimal.is_integer())
}

/// Whether two valid number tokens have the same value; `NaN` and the infinities equal themselves.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    // Plain integers begin with no zero that does not count, so each has one spelling.
    if a.iter().all(u8::is_ascii_digit) && b.iter().all(u8::is_ascii_digit) {
        return false;
    }
    matches!((Decimal::parse(a), Decimal::parse(b)), (Some(a), Some(b)) if a == b)
}

/// A valid number token as an integer from 0 to 2^64-1.
pub fn to_u64(token: &[u8]) -> Option<u64> {
    plain_integer(token).or_else(|| Decimal::parse(token)?.to_u64())
}

/// The value of a number token of one to nineteen digits and nothing else.
#[inline]
pub fn plain_integer(token: &[u8]) -> Option<u64> {
    let all_digits = !token.is_empty() && token.len() <= 19 && token.iter().all(u8::is_ascii_digit);
    all_digits.then(|| token.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

/// Feeds the value of a valid number token to a hasher: equal values feed the same.
pub fn hash<H: Hasher>(token: &[u8], state: &mut H) {
    match Decimal::parse(token) {
        Some(decimal) => decimal.hash(state),
        None => state.write(token),
    }
}

fn leading_zeros(digits: &[u8]) -> usize {
    digits.iter().take_while(|digit| **digit == b'0').count()
}

fn trailing_zeros(digits: &[u8]) -> usize {
    digits.iter().rev().take_while(|digit| **digit == b'0').count()
}

/// Reads a hex spelling: `0x` optional, any case, leading zeros, at most 128 bits.
pub fn hex_to_u128(text: &[u8]) -> Option<u128> {
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let significant = &digits[leading_zeros(digits)..];
    // Letters have the bit of 0x40, and `a` stands for ten.
    let nibble = |digit: &u8| u64::from((digit & 0xF) + 9 * (digit >> 6));
    match significant.len() {
        0..=16 => Some(u128::from(significant.iter().fold(0, |value, digit| value << 4 | nibble(digit)))),
        17..=32 => Some(significant.iter().fold(0, |value, digit| value << 4 | u128::from(nibble(digit)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bigdecimal::BigDecimal;
    use proptest::prelude::*;
    use std::hash::BuildHasher;
    use std::str::FromStr;

    fn same(a: &str, b: &str) -> bool {
        equal(a.as_bytes(), b.as_bytes())
    }

    #[test]
    fn spelling_does_not_count() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("-0", "0"),
            ("0.0e5", "-0"),
            ("100", "1e2"),
            ("0.001", "1e-3"),
            ("1e400", "10e399"),
            ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890.0"),
            ("1e99999999999999999999", "1.0e+0099999999999999999999"),
            ("0e99999999999999999999", "0"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("1", "-1"),
            ("0.1", "0.1000000000000000055511151231257827"),
            ("9007199254740993", "9007199254740992.0"),
            ("1e99999999999999999999", "1e-99999999999999999999"),
            ("NaN", "0"),
            ("Infinity", "-Infinity"),
            ("1e400", "1e401"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
        assert!(same("NaN", "NaN"));
    }

    #[test]
    fn integers_are_told_from_fractions_in_any_spelling() {
        for token in ["0", "-0", "7", "-1", "1.0", "0.0", "0e5", "1200e-2", "12e3", "1e400", "1e99999999999999999999"] {
            assert!(is_integer(token.as_bytes()), "{token}");
        }
        for token in ["1.5", "-0.1", "1e-1", "1e-99999999999999999999", "NaN", "-Infinity"] {
            assert!(!is_integer(token.as_bytes()), "{token}");
        }
    }

    #[test]
    fn integers_are_whole_in_any_size() {
        let decimal = |token: &'static str| Decimal::parse(token.as_bytes()).unwrap();
        for (token, magnitude) in [
            ("-0", Some(0)),
            ("12e3", Some(12_000)),
            ("-1.50e1", Some(15)),
            ("1.5", None),
            ("340282366920938463463374607431768211455", Some(u128::MAX)),
            ("340282366920938463463374607431768211456", None),
            ("1e99999999999999999999", None),
        ] {
            assert_eq!(decimal(token).magnitude(), magnitude, "{token}");
        }
        let huge = decimal("1e99999999999999999999").to_integer();
        assert!(matches!(huge, Some(Integer::Big(_))));
        assert_eq!(decimal("1.0e+0099999999999999999999").to_integer(), huge);
        for other in ["-1e99999999999999999999", "1.1e99999999999999999999", "1e99999999999999999998"] {
            assert!(
                matches!(decimal(other).to_integer(), Some(Integer::Big(_))) && decimal(other).to_integer() != huge
            );
        }
        assert_eq!(decimal("1e-99999999999999999999").to_integer(), None);
    }

    #[test]
    fn integers_are_exact() {
        assert_eq!(to_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(to_u64(b"18446744073709551616"), None);
        assert_eq!(to_u64(b"1.0"), Some(1));
        assert_eq!(to_u64(b"12e3"), Some(12000));
        assert_eq!(to_u64(b"-0"), Some(0));
        assert_eq!(to_u64(b"1.5"), None);
        assert_eq!(to_u64(b"-1"), None);
        assert_eq!(to_u64(b"1e999999999999999999999"), None);
        let integer = |token: &str| Decimal::parse(token.as_bytes()).unwrap().to_integer();
        assert_eq!(integer("6.0"), Some(Integer::Small(6)));
        assert_eq!(integer("-9223372036854775808"), Some(Integer::Small(i64::MIN)));
        assert_eq!(integer("1e20"), Some(Integer::Big("100000000000000000000".into())));
        assert_eq!(integer("1e400"), integer("10e399"));
        assert_eq!(integer("0.5"), None);
        assert_eq!(integer("-12e3"), Some(Integer::Small(-12_000)));
        assert_eq!(integer("999999999999999999"), Some(Integer::Small(999_999_999_999_999_999)));
    }

    #[test]
    fn hex_is_read_in_any_spelling() {
        assert_eq!(hex_to_u128(b"0xBC220000"), Some(0xBC22_0000));
        assert_eq!(hex_to_u128(b"0X00bc220000"), Some(0xBC22_0000));
        assert_eq!(hex_to_u128(b"bc"), Some(0xbc));
        assert_eq!(hex_to_u128(b"xyz"), None);
        assert_eq!(hex_to_u128(b"0x"), None);
        assert_eq!(
            hex_to_u128(b"0x00fedcba9876543210fedcba9876543210"),
            Some(0xFEDC_BA98_7654_3210_FEDC_BA98_7654_3210)
        );
        assert_eq!(hex_to_u128(b"100000000000000000000000000000000"), None, "129 bits");
    }

    prop_compose! {
        fn number()(negative: bool, whole in "0|[1-9][0-9]{0,22}", fraction in "(\\.[0-9]{1,6})?",
                    power in proptest::option::of(-30i32..30)) -> String {
            format!("{}{whole}{fraction}{}", if negative { "-" } else { "" }, power.map(|p| format!("e{p}")).unwrap_or_default())
        }
    }

    proptest! {
        #[test]
        fn equality_is_bigdecimals(a in number(), b in number(), shift in 0usize..4) {
            let value = |text: &str| BigDecimal::from_str(text).unwrap();
            prop_assert_eq!(same(&a, &b), value(&a) == value(&b));
            // A respelling of the same value, so that equality is met too.
            let respelt = format!("{}e-{shift}", value(&a).normalized() * BigDecimal::from(10u64.pow(shift as u32)));
            if crate::json::grammar::scalar_end(respelt.as_bytes(), 0) == Ok(respelt.len()) {
                prop_assert!(same(&a, &respelt), "{} {}", a, respelt);
                let state = ahash::RandomState::with_seeds(1, 2, 3, 4);
                let digest = |text: &str| { let mut h = state.build_hasher(); hash(text.as_bytes(), &mut h); h.finish() };
                prop_assert_eq!(digest(&a), digest(&respelt));
            }
        }
    }
}
