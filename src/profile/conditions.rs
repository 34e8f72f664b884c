//! The stored form of a rule's conditions: `when = { path, equals }`, or a list of such.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::rules::{Condition, Scalar};
use super::values::parse_rule_path;
use crate::json::Pointer;

/// The conditions of a rule: none, one, or a list of which all must hold.
#[derive(Default)]
pub(super) struct When(pub Vec<Condition>);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}

struct WhenVisitor;

impl<'de> de::Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ path, equals } or a list of such")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
        let condition = ConditionTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(When(vec![condition.into_condition()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<When, A::Error> {
        let mut all = Vec::new();
        while let Some(condition) = items.next_element::<ConditionTable>()? {
            all.push(condition.into_condition());
        }
        Ok(When(all))
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = generator.subschema_for::<ConditionTable>();
        schemars::json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// What must be so on both sides.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConditionTable {
    #[schemars(with = "String")]
    path: OnePlace,
    equals: Scalars,
}

impl ConditionTable {
    fn into_condition(self) -> Condition {
        Condition { path: self.path.0, equals: self.equals.0 }
    }
}

/// A path without `*`.
struct OnePlace(Pointer);

impl<'de> Deserialize<'de> for OnePlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OnePlace, D::Error> {
        let path = parse_rule_path(&String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        let why = "a condition names one place; a key that is named * is quoted, as in payload[\"*\"]";
        path.pointer().map(OnePlace).ok_or_else(|| de::Error::custom(why))
    }
}

/// One value, or several.
struct Scalars(Vec<Scalar>);

impl<'de> Deserialize<'de> for Scalars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalars, D::Error> {
        deserializer.deserialize_any(ScalarsVisitor { one: false })
    }
}

/// An item of a list of values.
struct OneScalar(Scalars);

impl<'de> Deserialize<'de> for OneScalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneScalar, D::Error> {
        deserializer.deserialize_any(ScalarsVisitor { one: true }).map(OneScalar)
    }
}

struct ScalarsVisitor {
    /// A list is no value.
    one: bool,
}

impl<'de> de::Visitor<'de> for ScalarsVisitor {
    type Value = Scalars;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an integer, true or false")?;
        if self.one { Ok(()) } else { f.write_str(", or a list of such") }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalars, E> {
        Ok(Scalars(vec![Scalar::Text(text.to_owned())]))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalars, E> {
        Ok(Scalars(vec![Scalar::Integer(number)]))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalars, E> {
        Ok(Scalars(vec![Scalar::Boolean(value)]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Scalars, A::Error> {
        if self.one {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        let mut all = Vec::new();
        while let Some(OneScalar(Scalars(one))) = items.next_element()? {
            all.extend(one);
        }
        match all.is_empty() {
            true => Err(de::Error::custom("nothing is one of no values")),
            false => Ok(Scalars(all)),
        }
    }
}

impl JsonSchema for Scalars {
    fn schema_name() -> Cow<'static, str> {
        "Scalars".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = serde_json::json!({ "type": ["string", "integer", "boolean"] });
        schemars::json_schema!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
    }
}
