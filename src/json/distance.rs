//! How far two numbers lie apart, decided exactly from their digits.
//!
//! A sum of three decimals is looked at digit by digit from the top, all three at once. Once the part seen
//! so far is three units of its last place away from zero, nothing behind can turn its sign: each
//! place behind adds 27 at most, which is less than three units in all. So gaps of any width between the
//! digits cost nothing, and no number is ever written out.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::number::Decimal;

/// One decimal of a sum: `±0.d1d2d3… × 10^exponent`.
struct Term {
    negative: bool,
    /// Values from 0 to 9.
    digits: SmallVec<[u8; 24]>,
    exponent: i128,
}

impl Term {
    /// `None` where the exponent is beyond what is counted in.
    fn of(number: &Decimal<'_>, turned: bool) -> Option<Term> {
        let digits = number.digits().map(|digit| digit - b'0').collect();
        Some(Term { negative: number.is_negative() != turned, digits, exponent: number.exponent()? })
    }

    /// `-|a| × |b|`.
    fn minus_product(a: &Decimal<'_>, b: &Decimal<'_>) -> Option<Term> {
        let (a, b) = (Term::of(a, false)?, Term::of(b, false)?);
        let mut places = vec![0u64; a.digits.len() + b.digits.len()];
        for (i, x) in a.digits.iter().enumerate() {
            for (j, y) in b.digits.iter().enumerate() {
                places[i + j + 1] += u64::from(x * y);
            }
        }
        let mut carry = 0;
        for place in places.iter_mut().rev() {
            *place += carry;
            carry = *place / 10;
            *place %= 10;
        }
        let digits = places.into_iter().map(|place| place as u8).collect();
        Some(Term { negative: true, digits, exponent: a.exponent + b.exponent })
    }
}

/// Whether a sum of at most three terms is below, at or above zero.
fn sign(terms: &[Term]) -> Ordering {
    let mut taken: SmallVec<[usize; 3]> = SmallVec::from_elem(0, terms.len());
    let mut seen = 0i64;
    let mut last = None;
    loop {
        let place =
            |(term, taken): (&Term, &usize)| (*taken < term.digits.len()).then(|| term.exponent - *taken as i128);
        let Some(here) = terms.iter().zip(&taken).filter_map(place).max() else { return seen.cmp(&0) };
        // Zeros lie between: what was seen weighs ten units and more.
        if seen != 0 && last.is_some_and(|last| last - here > 1) {
            return seen.cmp(&0);
        }
        seen *= 10;
        for (term, taken) in terms.iter().zip(&mut taken) {
            if *taken < term.digits.len() && term.exponent - *taken as i128 == here {
                let digit = i64::from(term.digits[*taken]);
                seen += if term.negative { -digit } else { digit };
                *taken += 1;
            }
        }
        if seen.abs() >= 3 {
            return seen.cmp(&0);
        }
        last = Some(here);
    }
}

/// Whether two numbers lie no further apart than `bound`; `false` where an exponent is written with more digits
/// than an `i64` holds.
pub fn is_within(a: &Decimal<'_>, b: &Decimal<'_>, bound: &Decimal<'_>) -> bool {
    Term::of(bound, true).and_then(|bound| is_no_further(a, b, bound)).unwrap_or(false)
}

/// Whether two numbers lie no further apart than this part of the larger magnitude; `false` as for [`is_within`].
pub fn is_within_part(a: &Decimal<'_>, b: &Decimal<'_>, part: &Decimal<'_>) -> bool {
    let larger = |a, b| {
        let mut magnitudes = [Term::of(a, false)?, Term::of(b, false)?];
        (magnitudes[0].negative, magnitudes[1].negative) = (false, true);
        Some(if sign(&magnitudes).is_lt() { b } else { a })
    };
    let bound = larger(a, b).and_then(|larger| Term::minus_product(larger, part));
    bound.and_then(|bound| is_no_further(a, b, bound)).unwrap_or(false)
}

/// `|a - b| + minus_bound <= 0`.
fn is_no_further(a: &Decimal<'_>, b: &Decimal<'_>, minus_bound: Term) -> Option<bool> {
    let mut terms: SmallVec<[Term; 3]> = smallvec::smallvec![Term::of(a, false)?, Term::of(b, true)?];
    if sign(&terms).is_lt() {
        terms.iter_mut().for_each(|term| term.negative = !term.negative);
    }
    terms.push(minus_bound);
    Some(sign(&terms).is_le())
}

/// How many steps from one double to the next lie between two number tokens, each rounded to the nearest
/// double; `None` where one is no number or rounds to an infinity.
pub fn ulps_apart(a: &[u8], b: &[u8]) -> Option<u64> {
    let place = |token: &[u8]| {
        Decimal::parse(token)?;
        // Parsing rounds correctly, however many digits there are.
        let double: f64 = std::str::from_utf8(token).ok()?.parse().ok()?;
        let steps = i128::from(double.abs().to_bits());
        double.is_finite().then_some(if double.is_sign_negative() { -steps } else { steps })
    };
    u64::try_from((place(a)? - place(b)?).abs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bigdecimal::BigDecimal;
    use proptest::prelude::*;
    use std::str::FromStr;

    fn within(a: &str, b: &str, bound: &str) -> bool {
        let [a, b, bound] = [a, b, bound].map(|token| Decimal::parse(token.as_bytes()).unwrap());
        assert_eq!(is_within(&a, &b, &bound), is_within(&b, &a, &bound));
        is_within(&a, &b, &bound)
    }

    fn within_part(a: &str, b: &str, part: &str) -> bool {
        let [a, b, part] = [a, b, part].map(|token| Decimal::parse(token.as_bytes()).unwrap());
        assert_eq!(is_within_part(&a, &b, &part), is_within_part(&b, &a, &part));
        is_within_part(&a, &b, &part)
    }

    #[test]
    fn distances_are_decided_to_the_last_digit() {
        for (a, b, bound, near) in [
            ("0.1", "0.3", "0.2", true),
            ("0.1", "0.30000000000000000000000000000000000001", "0.2", false),
            ("1e400", "1.000000000000000000001e400", "1e379", true),
            ("1e400", "1.000000000000000000001e400", "0.99999999e379", false),
            ("1e9000000000000000000", "-1e-9000000000000000000", "1e9000000000000000000", false),
            ("1e9000000000000000000", "1e-9000000000000000000", "1e9000000000000000000", true),
            // Digits far behind add up to more than one place before them.
            ("100000", "0.00006", "0.00006", false),
            ("100000", "0.00006", "99999.99994", true),
            ("-1", "1", "2", true),
            ("-1", "1", "1.9999", false),
            ("1000", "999.9999999", "1e-7", true),
            ("1000", "999.9999999", "9e-8", false),
            ("0", "-0.0", "0", true),
            ("5", "0", "5", true),
            ("1e99999999999999999999", "1e99999999999999999998", "1e9000000000000000000", false),
        ] {
            assert_eq!(within(a, b, bound), near, "{a} {b} {bound}");
        }
        assert!(within_part("100", "101", "0.01"));
        assert!(!within_part("100", "101.02", "0.01"));
        assert!(within_part("-1e400", "-1.01e400", "0.01"));
        assert!(!within_part("1", "-1", "1.99") && within_part("1", "-1", "2"));
        assert!(within_part("0", "0.0", "0"));
    }

    #[test]
    fn steps_between_doubles_are_counted() {
        let apart = |a: &str, b: &str| ulps_apart(a.as_bytes(), b.as_bytes());
        assert_eq!(apart("0.1", "0.1000000000000000055511151231257827"), Some(0));
        assert_eq!(apart("1", "1.0000000000000002"), Some(1));
        assert_eq!(apart("-0", "0"), Some(0));
        assert_eq!(apart("5e-324", "-5e-324"), Some(2));
        assert_eq!(apart("9007199254740993", "9007199254740992"), Some(0));
        for special in ["NaN", "Infinity", "1e400"] {
            assert_eq!(apart(special, special), None);
            assert_eq!(apart("1", special), None);
        }
        assert!(apart("1.7976931348623157e308", "-1.7976931348623157e308").is_some());
    }

    prop_compose! {
        fn number()(negative: bool, whole in "0|[1-9][0-9]{0,6}", fraction in "(\\.[0-9]{1,6})?", power in proptest::option::of(-12i32..12)) -> String {
            format!("{}{whole}{fraction}{}", if negative { "-" } else { "" }, power.map(|p| format!("e{p}")).unwrap_or_default())
        }
    }

    proptest! {
        #[test]
        fn nearness_is_bigdecimals(a in number(), b in number(), bound in number(), nudge in -3i32..4) {
            let value = |text: &str| BigDecimal::from_str(text).unwrap();
            let bound = bound.trim_start_matches('-');
            let apart = (value(&a) - value(&b)).abs();
            prop_assert_eq!(within(&a, &b, bound), apart <= value(bound), "{} {} {}", a, b, bound);
            let larger = value(&a).abs().max(value(&b).abs());
            prop_assert_eq!(within_part(&a, &b, bound), apart <= value(bound) * larger, "{} {} {}", a, b, bound);
            // At the distance itself and a hair beside it.
            let hair = &apart + BigDecimal::from(nudge) * BigDecimal::from_str("1e-40").unwrap();
            let text = hair.to_scientific_notation().replace('E', "e");
            if nudge >= 0 || hair >= 0 {
                prop_assert_eq!(within(&a, &b, &text), nudge >= 0, "{} {} {}", a, b, text);
            }
        }
    }
}
