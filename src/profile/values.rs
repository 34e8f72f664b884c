//! The single values of a profile's stored form, each refusing what it cannot be.
//!
//! Checked while they are read, so that the TOML reader tells their place.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::amount::Amount;
use super::pattern::Pattern;
use super::rules::{PayloadRole, Width};
use super::summary::Template;
use crate::json::Pointer;

/// A path to something below the line's root.
#[derive(JsonSchema)]
#[schemars(with = "String")]
pub(super) struct Path(pub Pointer);

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Path, D::Error> {
        parse_path(&String::deserialize(deserializer)?).map(Path).map_err(de::Error::custom)
    }
}

/// Reads a path that must not be the whole line.
pub(super) fn parse_path(text: &str) -> Result<Pointer, String> {
    let pointer = Pointer::parse(text).map_err(|error| error.to_string())?;
    match pointer.is_root() {
        true => Err("an empty path names the whole line; name a key".to_owned()),
        false => Ok(pointer),
    }
}

/// The path of a rule, in which `*` is any key.
pub(super) struct RulePath(pub Pattern);

impl<'de> Deserialize<'de> for RulePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RulePath, D::Error> {
        parse_rule_path(&String::deserialize(deserializer)?).map(RulePath).map_err(de::Error::custom)
    }
}

/// Reads a rule's path, which must not be the whole line.
pub(super) fn parse_rule_path(text: &str) -> Result<Pattern, String> {
    let pattern = Pattern::parse(text).map_err(|error| error.to_string())?;
    match pattern.is_root() {
        true => Err("an empty path names the whole line; name a key".to_owned()),
        false => Ok(pattern),
    }
}

/// One path, or a list of them.
#[derive(Default)]
pub(super) struct Paths(pub Vec<Pointer>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Paths, D::Error> {
        deserializer.deserialize_any(PathsVisitor)
    }
}

struct PathsVisitor;

impl<'de> de::Visitor<'de> for PathsVisitor {
    type Value = Paths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path or a list of paths")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Paths, E> {
        parse_path(text).map(|path| Paths(vec![path])).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Paths, A::Error> {
        let mut paths = Vec::new();
        while let Some(Path(path)) = items.next_element()? {
            paths.push(path);
        }
        Ok(Paths(paths))
    }
}

impl JsonSchema for Paths {
    fn schema_name() -> Cow<'static, str> {
        "Paths".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

/// A path, or `*`.
#[derive(Default, JsonSchema)]
#[schemars(with = "String")]
pub(super) struct PayloadPath(pub PayloadRole);

impl<'de> Deserialize<'de> for PayloadPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PayloadPath, D::Error> {
        parse_payload(&String::deserialize(deserializer)?).map(PayloadPath).map_err(de::Error::custom)
    }
}

/// Reads the payload role. A key that is named `*` is written `/*`.
pub(super) fn parse_payload(text: &str) -> Result<PayloadRole, String> {
    match text {
        "*" => Ok(PayloadRole::Whole),
        "" => Err("for the whole object write \"*\"".to_owned()),
        path => parse_path(path).map(PayloadRole::At),
    }
}

/// A text that says something: a name, a reason.
pub(super) struct Filled(pub String);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Filled, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.trim().is_empty() {
            true => Err(de::Error::custom("this must not be empty")),
            false => Ok(Filled(text)),
        }
    }
}

impl JsonSchema for Filled {
    fn schema_name() -> Cow<'static, str> {
        "Filled".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "\\S" })
    }
}

/// 0 to 2^64-1, as an integer or a hex string.
#[derive(Default)]
pub(super) struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer of 0 to 2^64-1, or a hex string like \"0x30\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
        u64::try_from(number).map(Number).map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Number, E> {
        Err(E::custom(format!("{number} has more than 64 bits")))
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Number, E> {
        Err(E::custom(format!("{number} has more than 64 bits")))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        match parse_number(text) {
            Some(number) if text.starts_with("0x") || text.starts_with("0X") => Ok(Number(number)),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^0[xX][0-9a-fA-F_]+$" },
        ] })
    }
}

/// Below 2^64 either way, as an integer or a hex string with or without a sign.
pub(super) struct SignedNumber(pub i128);

impl<'de> Deserialize<'de> for SignedNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SignedNumber, D::Error> {
        deserializer.deserialize_any(SignedVisitor)
    }
}

struct SignedVisitor;

impl de::Visitor<'_> for SignedVisitor {
    type Value = SignedNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, or a hex string like \"-0x1000\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<SignedNumber, E> {
        Ok(SignedNumber(number.into()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SignedNumber, E> {
        let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        match parse_number(digits) {
            Some(number) if digits.starts_with("0x") || digits.starts_with("0X") => {
                Ok(SignedNumber(if is_negative { -i128::from(number) } else { number.into() }))
            }
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

impl JsonSchema for SignedNumber {
    fn schema_name() -> Cow<'static, str> {
        "SignedNumber".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "integer" },
            { "type": "string", "pattern": "^-?0[xX][0-9a-fA-F_]+$" },
        ] })
    }
}

/// An exact distance, as a number or a string of one.
pub(super) struct Distance(pub Amount);

impl<'de> Deserialize<'de> for Distance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Distance, D::Error> {
        deserializer.deserialize_any(DistanceVisitor)
    }
}

struct DistanceVisitor;

impl de::Visitor<'_> for DistanceVisitor {
    type Value = Distance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 0 on, or a string of one like \"0.001\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Distance, E> {
        let amount = Amount::parse(&number.to_string()).map(Distance);
        amount.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Distance, E> {
        // The shortest spelling is what was written, unless that had more digits than a double holds.
        let amount = Amount::parse(&format!("{number:?}")).map(Distance);
        amount.ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Distance, E> {
        Amount::parse(text).map(Distance).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for Distance {
    fn schema_name() -> Cow<'static, str> {
        "Distance".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "number", "minimum": 0 },
            { "type": "string", "pattern": "^(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$" },
        ] })
    }
}

/// 32 or 64.
pub(super) struct Bits(pub Width);

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bits, D::Error> {
        match i64::deserialize(deserializer)? {
            32 => Ok(Bits(Width::W32)),
            64 => Ok(Bits(Width::W64)),
            other => Err(de::Error::custom(format!("a width is 32 or 64, not {other}"))),
        }
    }
}

impl JsonSchema for Bits {
    fn schema_name() -> Cow<'static, str> {
        "Bits".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": [32, 64] })
    }
}

/// Reads `48`, `0x30` or `0b11_0000`, 64 bits at most.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let (radix, digits) = match text.get(..2) {
        Some("0x" | "0X") => (16, &text[2..]),
        Some("0b" | "0B") => (2, &text[2..]),
        _ => (10, text),
    };
    let digits = digits.replace('_', "");
    // `from_str_radix` would take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| u64::from_str_radix(&digits, radix).ok()).flatten()
}

/// A summary's template, known to be well formed.
#[derive(JsonSchema)]
#[schemars(with = "String")]
pub(super) struct TemplateText(pub String);

impl<'de> Deserialize<'de> for TemplateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TemplateText, D::Error> {
        let text = String::deserialize(deserializer)?;
        Template::parse(&text).map_err(de::Error::custom)?;
        Ok(TemplateText(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_three_bases_and_without_signs() {
        for (text, number) in [
            ("48", Some(48)),
            ("0x30", Some(48)),
            ("0b11_0000", Some(48)),
            ("0xFFFFFFFFFFFFFFFF", Some(u64::MAX)),
            ("0x1FFFFFFFFFFFFFFFF", None),
            ("+1", None),
            ("-1", None),
            ("0x", None),
            ("0x+1", None),
            ("", None),
        ] {
            assert_eq!(parse_number(text), number, "{text}");
        }
    }
}
