//! An exact amount that is no less than nothing, as a tolerance has it.

use std::fmt;

use crate::json::Decimal;
use crate::json::grammar;

/// A decimal number from 0 on, held as its digits so that nothing is lost.
#[derive(Clone, Debug)]
pub struct Amount(String);

impl Amount {
    /// Reads a number as JSON spells it (`0.001`, `1e-9`); `None` if it is none, is below zero, or has
    /// an exponent of more than 64 bits.
    pub fn parse(text: &str) -> Option<Amount> {
        let is_number =
            text.starts_with(|c: char| c.is_ascii_digit()) && grammar::scalar_end(text.as_bytes(), 0) == Ok(text.len());
        let amount = is_number.then(|| Amount(text.to_owned()))?;
        amount.decimal().exponent().is_some().then_some(amount)
    }

    /// The number.
    pub fn decimal(&self) -> Decimal<'_> {
        Decimal::parse(self.0.as_bytes()).expect("only numbers become amounts")
    }

    /// The nearest double.
    pub fn double(&self) -> Option<f64> {
        self.0.parse().ok()
    }

    /// Whether this is 1 or more.
    pub fn is_one_or_more(&self) -> bool {
        !self.is_zero() && self.decimal().exponent().is_some_and(|exponent| exponent > 0)
    }

    /// Whether this is nothing.
    pub fn is_zero(&self) -> bool {
        self.decimal().is_zero()
    }
}

/// Amounts are equal by their value.
impl PartialEq for Amount {
    fn eq(&self, other: &Amount) -> bool {
        self.decimal() == other.decimal()
    }
}

/// As TOML has it: a number where a double's shortest spelling says the same, else a string.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let double: f64 = self.0.parse().unwrap_or(f64::NAN);
        match Amount::parse(&format!("{double:?}")) {
            Some(shortest) if shortest == *self => write!(f, "{double:?}"),
            _ => write!(f, "\"{}\"", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_not_below_zero() {
        for (text, shown) in [
            ("0.001", "0.001"),
            ("1e-9", "1e-9"),
            ("5", "5.0"),
            ("0.10000000000000000555", "\"0.10000000000000000555\""),
            ("1e400", "\"1e400\""),
        ] {
            let amount = Amount::parse(text).unwrap();
            assert_eq!(amount.to_string(), shown);
            assert_eq!(amount.double(), text.parse().ok());
        }
        for text in ["-1", "", "x", "1.", "NaN", "Infinity", "0x10", " 1", "1e99999999999999999999"] {
            assert!(Amount::parse(text).is_none(), "{text}");
        }
        assert!(Amount::parse("0.0").unwrap().is_zero());
        for (text, is) in [("0.999", false), ("1", true), ("0.1e1", true), ("0", false), ("25", true), ("10e-2", false)]
        {
            assert_eq!(Amount::parse(text).unwrap().is_one_or_more(), is, "{text}");
        }
    }
}
