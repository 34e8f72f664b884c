//! Scalars that are alike under a rule though their values differ: near each other, spelled in another
//! way, or a constant apart.

use std::hash::{BuildHasher, Hasher};

use crate::json::distance::{is_within, is_within_part, ulps_apart};
use crate::json::{self, Decimal, Kind, tape};
use crate::profile::{Offset, Spelling, Tolerance, Width};

/// What makes two scalars alike.
#[derive(Clone, Debug, PartialEq)]
pub enum Alike {
    /// Numbers that lie no further apart.
    Near(Tolerance),
    /// Values that are equal in another spelling.
    Spelled(Spelling),
    /// The candidate's address lies a constant behind the reference's.
    Moved(Offset),
}

/// A scalar as a line has it.
pub type Scalar<'t> = (Kind, &'t [u8]);

impl Alike {
    /// Whether the two sides' values, which differ as they stand, are alike.
    pub fn holds(&self, reference: Scalar<'_>, candidate: Scalar<'_>) -> bool {
        match self {
            Alike::Near(tolerance) => is_near(tolerance, reference, candidate),
            Alike::Spelled(spelling) => {
                let meant = meaning(*spelling, reference);
                meant.is_some() && meant == meaning(*spelling, candidate)
            }
            Alike::Moved(offset) => match (word(reference), word(candidate)) {
                (Some((is_text, from)), Some((other_is_text, to))) => {
                    is_text == other_is_text
                        && (offset.from..=offset.to).contains(&from)
                        && i128::from(from) + offset.by == i128::from(to)
                }
                _ => false,
            },
        }
    }

    /// Whether scalars of equal digests are alike or equal.
    pub fn has_digests(&self) -> bool {
        matches!(self, Alike::Spelled(_))
    }

    /// A digest that all scalars share which are alike or equal; `None` where that is the value's own.
    pub fn digest(&self, scalar: Scalar<'_>) -> Option<u64> {
        let mut state = tape::fixed_state().build_hasher();
        match self {
            // Nearness is no equality: a is near b, and b is near c, but a is not near c.
            Alike::Near(_) => {
                counted(scalar)?;
                state.write_u8(13);
            }
            Alike::Spelled(spelling) => match meaning(*spelling, scalar)? {
                Meaning::Integer { is_text, negative, magnitude } => {
                    state.write_u8(14 + u8::from(is_text));
                    state.write_u8(u8::from(negative));
                    state.write_u128(magnitude);
                }
                Meaning::Text(text) => {
                    state.write_u8(16);
                    state.write(&text);
                }
            },
            // A value may stand on either side, so it and what lies apart from it share one.
            Alike::Moved(offset) => {
                let (is_text, value) = word(scalar)?;
                let here = |value: i128| (i128::from(offset.from)..=offset.to.into()).contains(&value);
                if !here(value.into()) && !here(i128::from(value) - offset.by) {
                    return None;
                }
                state.write_u8(17 + u8::from(is_text));
            }
        }
        Some(state.finish())
    }
}

/// A number that a tolerance counts with.
fn counted((kind, token): Scalar<'_>) -> Option<Decimal<'_>> {
    let number = if kind == Kind::Number { Decimal::parse(token) } else { None };
    number.filter(|number| number.exponent().is_some())
}

fn is_near(tolerance: &Tolerance, reference: Scalar<'_>, candidate: Scalar<'_>) -> bool {
    let (Some(a), Some(b)) = (counted(reference), counted(candidate)) else { return false };
    let Tolerance { absolute, relative, ulps } = tolerance;
    absolute.as_ref().is_some_and(|bound| is_within(&a, &b, &bound.decimal()))
        || relative.as_ref().is_some_and(|part| is_within_part(&a, &b, &part.decimal()))
        || ulps.is_some_and(|most| ulps_apart(reference.1, candidate.1).is_some_and(|apart| apart <= most))
}

/// What a value means whatever its spelling.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Integer { is_text: bool, negative: bool, magnitude: u128 },
    Text(Vec<u8>),
}

/// `None` where the value means what it is.
fn meaning(spelling: Spelling, (kind, token): Scalar<'_>) -> Option<Meaning> {
    let as_integer = spelling.hex || spelling.width.is_some();
    let integer = match kind {
        Kind::Number if as_integer => {
            let number = Decimal::parse(token)?;
            Some((number.is_negative(), number.magnitude()?))
        }
        Kind::String if as_integer => {
            json::number::hex_to_u128(&json::text::unescape(token)).map(|value| (false, value))
        }
        _ => None,
    };
    if let Some((negative, magnitude)) = integer {
        let is_text = kind == Kind::String && !spelling.hex;
        let (negative, magnitude) =
            spelling.width.map_or((negative, magnitude), |width| folded(width, negative, magnitude));
        return Some(Meaning::Integer { is_text, negative, magnitude });
    }
    (spelling.case && kind == Kind::String).then(|| Meaning::Text(json::text::unescape(token).to_ascii_lowercase()))
}

/// An integer as the two's complement of this width, if it is negative and fits, or is such a one with its sign
/// extended to twice the width.
fn folded(width: Width, negative: bool, magnitude: u128) -> (bool, u128) {
    let bits = width.bits();
    if negative && magnitude <= 1 << (bits - 1) {
        return (false, (1 << bits) - magnitude);
    }
    let is_extended = !negative && magnitude >> (bits - 1) == (1 << (bits + 1)) - 1;
    if is_extended { (false, magnitude & ((1 << bits) - 1)) } else { (negative, magnitude) }
}

/// An integer from 0 to 2^64-1 or a hex string of one; the tag keeps the two apart.
pub fn word((kind, token): Scalar<'_>) -> Option<(bool, u64)> {
    Some(match kind {
        Kind::Number => (false, json::number::to_u64(token)?),
        Kind::String => (true, u64::try_from(json::number::hex_to_u128(&json::text::unescape(token))?).ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Amount;

    fn scalar(token: &str) -> Scalar<'_> {
        (if token.starts_with('"') { Kind::String } else { Kind::Number }, token.as_bytes())
    }

    /// Whether two tokens are alike; if so, or if they are equal, their digests are equal.
    fn alike(rule: &Alike, x: &str, y: &str) -> bool {
        let (x, y) = (scalar(x), scalar(y));
        let holds = rule.holds(x, y);
        assert!(!holds || rule.digest(x).is_some() && rule.digest(x) == rule.digest(y), "{x:?} {y:?}");
        holds
    }

    #[test]
    fn numbers_are_near_by_any_of_three_distances() {
        let amount = |text: &str| Amount::parse(text);
        let near = |absolute, relative, ulps| Alike::Near(Tolerance { absolute, relative, ulps });
        for (rule, x, y, is) in [
            (near(amount("0.2"), None, None), "0.1", "0.3", true),
            (near(amount("0.2"), None, None), "0.1", "0.3000000000000000000001", false),
            (near(amount("0.2"), None, None), "\"0.1\"", "0.1", false),
            (near(amount("5"), None, None), "NaN", "NaN", false),
            (near(None, amount("0.01"), None), "100", "-101", false),
            (near(None, amount("0.01"), None), "100", "101", true),
            (near(None, None, Some(1)), "1", "1.0000000000000002", true),
            (near(None, None, Some(1)), "1", "1.0000000000000005", false),
            (near(amount("1"), None, Some(0)), "1", "2", true),
            (near(None, None, Some(5)), "1e400", "1e401", false),
            (near(amount("5"), None, None), "1e99999999999999999999", "1.1e99999999999999999999", false),
        ] {
            assert_eq!(alike(&rule, x, y), is, "{rule:?} {x} {y}");
            assert_eq!(alike(&rule, y, x), is, "{rule:?} {y} {x}");
        }
    }

    #[test]
    fn spellings_mean_the_same_only_as_asked() {
        let rule = |hex, width, case| Alike::Spelled(Spelling { hex, width, case });
        let (w32, w64) = (Some(Width::W32), Some(Width::W64));
        for (rule, x, y, is) in [
            (rule(true, None, false), "\"0x10\"", "16", true),
            (rule(true, None, false), "\"0010\"", "16.0", true),
            (rule(true, None, false), "\"0X1F\"", "\"1f\"", true),
            (rule(true, None, false), "\"xyz\"", "\"XYZ\"", false),
            (rule(true, None, true), "\"xyz\"", "\"XYZ\"", true),
            (rule(true, None, false), "-1", "\"ffffffff\"", false),
            (rule(true, w32, false), "-1", "\"ffffffff\"", true),
            (rule(false, w32, false), "-1", "\"ffffffff\"", false),
            (rule(false, w32, false), "-1", "4294967295", true),
            (rule(false, w32, false), "-2147483648", "2147483648", true),
            (rule(false, w32, false), "-2147483649", "2147483647", false),
            (rule(false, w32, false), "\"0x80001680\"", "\"0xffffffff80001680\"", true),
            (rule(false, w32, false), "\"0x70001680\"", "\"0xffffffff70001680\"", false),
            (rule(false, w64, false), "-1", "18446744073709551615", true),
            (rule(true, w64, false), "-1", "\"0xffffffffffffffffffffffffffffffff\"", true),
            (rule(true, w64, false), "-1", "\"0xffffffff\"", false),
            (rule(false, None, true), "\"Ab\"", "\"\\u0061B\"", true),
            (rule(false, None, true), "\"\u{e9}\"", "\"\u{c9}\"", false),
            (rule(true, None, false), "1.5", "\"1\"", false),
            (rule(true, None, false), "340282366920938463463374607431768211456", "\"0\"", false),
        ] {
            assert_eq!(alike(&rule, x, y), is, "{rule:?} {x} {y}");
            assert_eq!(alike(&rule, y, x), is, "{rule:?} {y} {x}");
        }
    }

    #[test]
    fn addresses_lie_apart_one_way_and_in_their_range_only() {
        let rule = Alike::Moved(Offset { by: 0x100, from: 0x1000, to: 0x1FFF });
        for (x, y, is) in [
            ("4096", "4352", true),
            ("4352", "4096", false),
            ("\"0x1000\"", "\"1100\"", true),
            ("4096", "\"0x1100\"", false),
            ("8191", "8447", true),
            ("8192", "8448", false),
            ("4095", "4351", false),
        ] {
            assert_eq!(alike(&rule, x, y), is, "{x} {y}");
        }
        let back = Alike::Moved(Offset { by: -i128::from(u64::MAX), from: 0, to: u64::MAX });
        assert!(alike(&back, "18446744073709551615", "0"));
        assert!(!alike(&back, "18446744073709551614", "0"));
        // Equal values that a rule would move share a digest too.
        assert_eq!(rule.digest(scalar("4352")), rule.digest(scalar("8447")));
        assert_eq!(rule.digest(scalar("5")), None);
    }
}
