//! JSON values that are equal where BEHAVIOUR 3.2 says so.

/// One value. Objects keep the order of their keys' first occurrence.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    /// `NaN`, `Infinity`, `-Infinity`.
    Token(&'static str),
    /// Code points after unescaping; lone surrogates in three bytes (WTF-8).
    Text(Vec<u8>),
    Array(Vec<Value>),
    Object(Vec<(Vec<u8>, Value)>),
}

/// An exact number: `±digits × 10^exponent`, without leading and trailing zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub negative: bool,
    pub digits: String,
    pub exponent: i128,
    /// The digits (with sign) of an exponent that fits no i64; `exponent` is then the shift alone.
    pub far: Option<String>,
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::Token(a), Value::Token(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| member(b, key) == Some(value))
            }
            _ => false,
        }
    }
}

/// The value of a key among the members of an object.
pub fn member<'a>(members: &'a [(Vec<u8>, Value)], key: &[u8]) -> Option<&'a Value> {
    members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

impl Value {
    /// The value at a path of keys (and array positions), if there is one.
    pub fn at(&self, path: &[String]) -> Option<&Value> {
        path.iter().try_fold(self, |value, token| value.get(token))
    }

    /// One step down.
    pub fn get(&self, token: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => member(members, token.as_bytes()),
            Value::Array(items) => token.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        }
    }

    pub fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().to_vec())
    }

    pub fn integer(n: i128) -> Value {
        Value::Number(Number::parse(&n.to_string()))
    }

    /// The integer this is, if it is one (1.0 and 1e2 are) and fits.
    pub fn as_integer(&self) -> Option<i128> {
        let Value::Number(number) = self else { return None };
        number.integer()
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    pub fn as_array(&self) -> &[Value] {
        match self {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl Number {
    /// From a token that fits the grammar.
    pub fn parse(token: &str) -> Number {
        let (negative, rest) = token.strip_prefix('-').map_or((false, token), |rest| (true, rest));
        let (mantissa, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let shown = all.trim_start_matches('0');
        let digits = shown.trim_end_matches('0');
        if digits.is_empty() {
            return Number { negative: false, digits: String::new(), exponent: 0, far: None };
        }
        let shift = (shown.len() - digits.len()) as i128 - fraction.len() as i128;
        let (sign, power) = match power.as_bytes()[0] {
            b'-' => ("-", &power[1..]),
            b'+' => ("", &power[1..]),
            _ => ("", power),
        };
        let spelled = format!("{sign}{}", power.trim_start_matches('0'));
        let (exponent, far) = match spelled.as_str() {
            "" | "-" => (shift, None),
            text => match text.parse::<i64>() {
                Ok(n) => (shift + i128::from(n), None),
                Err(_) => (shift, Some(spelled)),
            },
        };
        Number { negative, digits: digits.to_owned(), exponent, far }
    }

    /// The integer this is, if it is one and fits.
    pub fn integer(&self) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        if self.far.is_some() || self.exponent < 0 || self.exponent > 40 {
            return None;
        }
        let magnitude: i128 = format!("{}{}", self.digits, "0".repeat(self.exponent as usize)).parse().ok()?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// True for every integer, however large.
    pub fn is_integer(&self) -> bool {
        self.digits.is_empty() || self.far.as_ref().map_or(self.exponent >= 0, |far| !far.starts_with('-'))
    }
}
