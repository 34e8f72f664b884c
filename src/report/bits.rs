//! Integers that differ in one bit.

use super::story::Story;
use super::visible::visible;
use crate::diverge::Difference;
use crate::json::{self, Integer, number::hex_to_u128};
use crate::source::Side;

/// So many fields are told bit by bit.
const TOLD_MAX: usize = 3;

/// A bit that one side alone has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bit {
    /// From 0, the lowest.
    pub number: u32,
    /// The side that has it.
    pub side: Side,
}

/// The one bit in which two integers differ, if they differ in one: as numbers, or both as strings of hex digits.
pub(crate) fn only_bit(difference: &Difference) -> Option<Bit> {
    let [reference, candidate] = [difference.reference.as_deref()?, difference.candidate.as_deref()?];
    let is_text = |token: &[u8]| token.first() == Some(&b'"');
    if is_text(reference) != is_text(candidate) {
        return None;
    }
    let [reference, candidate] = [integer(reference)?, integer(candidate)?];
    let differ = reference ^ candidate;
    let side = if reference & differ != 0 { Side::Reference } else { Side::Candidate };
    differ.is_power_of_two().then_some(Bit { number: differ.trailing_zeros(), side })
}

/// A whole number from 0 on, or a string that is one in hex.
fn integer(token: &[u8]) -> Option<u128> {
    if let Some(text) = token.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
        let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?;
        return hex_to_u128(digits);
    }
    match json::Decimal::parse(token)?.to_integer()? {
        Integer::Small(value) => u128::try_from(value).ok(),
        Integer::Big(digits) => digits.parse().ok(),
    }
}

/// What is to be said of fields that differ in one bit: "payload.flags differs in bit 4 (0x10), which ours has set."
pub(crate) fn sentences<'a>(story: &'a Story, differences: &'a [Difference]) -> impl Iterator<Item = String> + 'a {
    let told = |difference: &Difference| {
        let Bit { number, side } = only_bit(difference)?;
        let path = visible(&difference.path.dotted());
        let label = story.label(side);
        Some(format!("{path} differs in bit {number} ({:#x}) alone, which {label} has set.", 1u128 << number))
    };
    differences.iter().filter_map(told).take(TOLD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_told_of_integers_alone() {
        let bit = |reference: &str, candidate: &str| {
            let bit = only_bit(&Difference::at("/x", Some(reference), Some(candidate)));
            bit.map(|bit| (bit.number, bit.side))
        };
        assert_eq!(bit("173", "45"), Some((7, Side::Reference)));
        assert_eq!(bit("0", "1.0"), Some((0, Side::Candidate)));
        assert_eq!(bit("\"0x34\"", "\"0X00030\""), Some((2, Side::Reference)));
        assert_eq!(bit("9223372036854775808", "0"), Some((63, Side::Reference)));
        assert_eq!(bit("3", "0"), None);
        assert_eq!(bit("1.5", "0.5"), None);
        assert_eq!(bit("-1", "1"), None);
        assert_eq!(bit("1", "\"0x0\""), None);
        assert_eq!(bit("true", "false"), None);
        assert_eq!(bit("\"a\"", "\"b\""), None);
        assert_eq!(only_bit(&Difference::at("/x", None, Some("1"))), None);
    }
}
