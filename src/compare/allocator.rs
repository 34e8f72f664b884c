//! Allocator returns: two successes are equal whatever address they name (BEHAVIOUR 3.5).

use crate::json::{self, Kind, Pointer, Tape};
use crate::profile::{AllocatorRule, Failure};

/// What one side returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    Success,
    Failure,
    /// Neither integer nor hex string (or a null that the rule gives no meaning): compared raw.
    Raw,
}

/// What one side's event says to an allocator rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub returned: Return,
    /// The status spells the returned value.
    pub status_follows: bool,
}

/// What an event holds at the places that an allocator rule looks at, as kind and token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sayings<'t> {
    pub function: Option<(Kind, &'t [u8])>,
    pub value: Option<(Kind, &'t [u8])>,
    pub status: Option<(Kind, &'t [u8])>,
}

/// Reads an event's payload under an allocator rule; `None` where the rule does not hold.
/// Paths of the rule are from the line's root, as is the tape.
pub fn read_call(rule: &AllocatorRule, tape: &Tape, line: &[u8]) -> Option<Call> {
    let find = |path: &Pointer| tape.at(line, Tape::ROOT, path).map(|node| (tape.kind(node), tape.bytes(line, node)));
    Sayings { function: find(&rule.function), value: find(&rule.value), status: rule.status.as_ref().and_then(find) }
        .call(rule)
}

impl Sayings<'_> {
    /// What they mean under the rule; `None` where it does not hold.
    pub fn call(&self, rule: &AllocatorRule) -> Option<Call> {
        let (_, name) = self.function.filter(|(kind, _)| *kind == Kind::String)?;
        let name = json::text::unescape(name);
        let functions = rule.functions.iter().find(|set| set.names.iter().any(|known| known.as_bytes() == &*name))?;
        Some(Call {
            returned: classify(self.value, &functions.failure),
            status_follows: follows(self.value, self.status),
        })
    }
}

/// What an allocator rule makes of a place whose values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Overlook,
    Differ,
    /// The values decide, as if there were no rule.
    ByValues,
}

/// What the calls of both sides make of differing returned values (or, with `status`, of the
/// places where those are spelled again).
pub fn decide(left: Call, right: Call, status: bool) -> Decision {
    match (left.returned, right.returned) {
        _ if status && left.status_follows && right.status_follows => Decision::Overlook,
        _ if status => Decision::ByValues,
        (Return::Success, Return::Success) => Decision::Overlook,
        (Return::Success, Return::Failure) | (Return::Failure, Return::Success) => Decision::Differ,
        _ => Decision::ByValues,
    }
}

fn classify(value: Option<(Kind, &[u8])>, failure: &Failure) -> Return {
    let magnitude = match value {
        None | Some((Kind::Null, _)) => return if failure.null { Return::Failure } else { Return::Raw },
        Some((Kind::Number, token)) => match magnitude(token, failure) {
            Ok(magnitude) => magnitude,
            Err(told) => return told,
        },
        Some((Kind::String, token)) => match json::number::hex_to_u128(&json::text::unescape(token)) {
            Some(value) => u64::try_from(value).ok(),
            None => return Return::Raw,
        },
        Some(_) => return Return::Raw,
    };
    if magnitude.is_some_and(|value| failure.has(value)) { Return::Failure } else { Return::Success }
}

/// What is left of a number to be looked up among the failures, or what it says by itself.
fn magnitude(token: &[u8], failure: &Failure) -> Result<Option<u64>, Return> {
    if let Some(value) = json::number::plain_integer(token) {
        return Ok(Some(value));
    }
    match json::Decimal::parse(token).filter(json::Decimal::is_integer) {
        Some(decimal) if decimal.is_negative() => Err(if failure.negative { Return::Failure } else { Return::Success }),
        Some(decimal) => Ok(decimal.to_u64()),
        None => Err(Return::Raw),
    }
}

/// Whether the status is a hex spelling of the value, modulo 2^32 or 2^64.
fn follows(value: Option<(Kind, &[u8])>, status: Option<(Kind, &[u8])>) -> bool {
    let (Some(value), Some((Kind::String, status))) = (value.and_then(modulo_64), status) else { return false };
    match json::number::hex_to_u128(&json::text::unescape(status)) {
        Some(spelled) => spelled == u128::from(value) || spelled == u128::from(value as u32),
        None => false,
    }
}

fn modulo_64((kind, token): (Kind, &[u8])) -> Option<u64> {
    match kind {
        Kind::Number => {
            json::number::plain_integer(token).or_else(|| match json::Decimal::parse(token)?.to_integer()? {
                json::Integer::Small(value) => Some(value as u64),
                json::Integer::Big(digits) => digits.parse().ok(),
            })
        }
        Kind::String => json::number::hex_to_u128(&json::text::unescape(token)).map(|value| value as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FailureRange;

    fn status() -> Failure {
        Failure {
            null: false,
            negative: true,
            values: vec![],
            ranges: vec![FailureRange { from: 0xC000_0001, to: 0xC000_FFFF, except_multiples_of: 0x1000 }],
        }
    }

    #[test]
    fn success_and_failure_are_told_apart() {
        let address = Failure { null: true, values: vec![0], ..Failure::default() };
        let class = |kind, token: &str, failure: &Failure| classify(Some((kind, token.as_bytes())), failure);
        assert_eq!(class(Kind::Number, "0", &address), Return::Failure);
        assert_eq!(class(Kind::Number, "0.0", &address), Return::Failure);
        assert_eq!(class(Kind::String, "\"0x00\"", &address), Return::Failure);
        assert_eq!(class(Kind::Number, "3156344832", &address), Return::Success);
        assert_eq!(class(Kind::Number, "-1", &address), Return::Success);
        assert_eq!(class(Kind::Number, "1.5", &address), Return::Raw);
        assert_eq!(class(Kind::String, "\"BC220000\"", &address), Return::Success);
        assert_eq!(class(Kind::String, "\"none\"", &address), Return::Raw);
        assert_eq!(class(Kind::True, "true", &address), Return::Raw);
        assert_eq!(class(Kind::Null, "null", &address), Return::Failure);
        assert_eq!(classify(None, &address), Return::Failure);
        assert_eq!(classify(None, &status()), Return::Raw);
        assert_eq!(class(Kind::Number, "-1073741801", &status()), Return::Failure);
        assert_eq!(class(Kind::Number, "3221225495", &status()), Return::Failure);
        assert_eq!(class(Kind::String, "\"0xC0000017\"", &status()), Return::Failure);
        assert_eq!(class(Kind::String, "\"0xC0000000\"", &status()), Return::Success);
        assert_eq!(class(Kind::String, "\"0xC0000001\"", &status()), Return::Failure);
        assert_eq!(class(Kind::String, "\"0xC000FFFF\"", &status()), Return::Failure);
        assert_eq!(class(Kind::String, "\"0xC0010000\"", &status()), Return::Success);
        assert_eq!(class(Kind::String, "\"0xC0001000\"", &status()), Return::Success);
        assert_eq!(class(Kind::Number, "0", &status()), Return::Success);
    }

    #[test]
    fn a_status_follows_in_any_spelling() {
        let says = |value: &str, status: &str| {
            follows(Some((Kind::Number, value.as_bytes())), Some((Kind::String, status.as_bytes())))
        };
        assert!(says("3156344832", "\"0xbc220000\""));
        assert!(says("3156344832", "\"00BC220000\""));
        assert!(says("-1073741801", "\"0xC0000017\""));
        assert!(says("-1073741801", "\"0xffffffffC0000017\""));
        assert!(!says("3156344832", "\"0xbc220001\""));
        assert!(!says("3156344832", "\"ok\""));
    }

    #[test]
    fn two_successes_are_equal_and_a_status_only_where_both_follow() {
        let profile = crate::profile::builtin("schema-v1").unwrap();
        let line = |value: &str, status: &str| {
            format!(
                r#"{{"kind":"kernel.return","payload":{{"name":"RtlAllocateHeap","return_value":{value},"status":{status}}}}}"#
            )
        };
        for (a, b, places) in [
            (("4096", "\"0x1000\""), ("8192", "\"0x2000\""), &[][..]),
            (("4096", "\"0x1000\""), ("8192", "\"0x3000\""), &["/payload/status"]),
            (("4096", "\"0x5\""), ("8192", "\"0x2000\""), &["/payload/status"]),
            (("4096", "\"0x5\""), ("8192", "\"0x6\""), &["/payload/status"]),
            (("4096", "\"0x5\""), ("8192", "\"0x5\""), &[]),
            (("0", "0"), ("8192", "0"), &["/payload/return_value"]),
            (("0", "0"), ("null", "0"), &["/payload/return_value"]),
            (("0", "1"), ("0.0", "1"), &[]),
        ] {
            let (a, b) = (line(a.0, a.1), line(b.0, b.1));
            for (a, b) in [(&a, &b), (&b, &a)] {
                assert_eq!(crate::compare::trial::differing_in_digest(&profile, a, b).0, places, "{a} {b}");
            }
        }
        let other = [line("4096", "0"), line("8192", "0")].map(|line| line.replace("RtlAllocateHeap", "Open"));
        let found = crate::compare::trial::differing_in_digest(&profile, &other[0], &other[1]);
        assert_eq!(found.0, ["/payload/return_value"]);
    }

    #[test]
    fn two_rules_of_one_kind_look_at_their_own_places() {
        let mut profile = crate::profile::builtin("schema-v1").unwrap();
        let path = |text: &str| crate::json::Pointer::parse(text).unwrap();
        let mut second = profile.allocator[0].clone();
        (second.name, second.function, second.value) = ("second".into(), path("/payload/f"), path("/payload/v"));
        second.status = None;
        profile.allocator.push(second);
        let line = |value: u32, other: u32| {
            format!(
                r#"{{"kind":"kernel.return","payload":{{"name":"RtlAllocateHeap","return_value":{value},"f":"RtlAllocateHeap","v":{other}}}}}"#
            )
        };
        for ((a, b), places) in [
            ((line(1, 2), line(3, 4)), &[][..]),
            ((line(0, 2), line(3, 4)), &["/payload/return_value"]),
            ((line(1, 2), line(3, 0)), &["/payload/v"]),
        ] {
            assert_eq!(crate::compare::trial::differing_in_digest(&profile, &a, &b).0, places, "{a} {b}");
        }
    }
}
