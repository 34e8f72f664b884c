//! Whether a line may meet conditions, by its bytes alone.

use std::collections::BTreeSet;

use memchr::memmem::Finder;

use super::rules::{Condition, Scalar};

/// What tells lines that may meet some lists of conditions from those that meet none of them, without reading them: what a
/// condition asks for must stand behind its key somewhere. Most calls are of other functions.
pub struct Glance {
    /// The last key of the place that each list asks.
    key: Finder<'static>,
    values: BTreeSet<Vec<u8>>,
}

impl Glance {
    /// One of each list's conditions must ask one and the same key for plain texts; else nothing can be told.
    pub fn new<'c>(lists: impl IntoIterator<Item = &'c [Condition]>) -> Option<Glance> {
        let mut glance: Option<Glance> = None;
        for conditions in lists {
            let condition = conditions.iter().find(|condition| is_plain(condition))?;
            let key = condition.path.tokens().last()?;
            let values = condition.equals.iter().filter_map(|value| match value {
                Scalar::Text(text) => Some(text.as_bytes().to_vec()),
                _ => None,
            });
            let own = || Glance { key: Finder::new(key.as_bytes()).into_owned(), values: BTreeSet::new() };
            let glance = glance.get_or_insert_with(own);
            if glance.key.needle() != key.as_bytes() {
                return None;
            }
            glance.values.extend(values);
        }
        glance
    }

    /// Whether a line may meet one of the lists.
    pub fn may_hold(&self, line: &[u8]) -> bool {
        let value = |at: usize| {
            let rest = line[at + self.key.needle().len()..].strip_prefix(b"\"")?;
            let rest = rest.trim_ascii_start().strip_prefix(b":")?;
            let value = rest.trim_ascii_start().strip_prefix(b"\"")?;
            memchr::memchr(b'"', value).map(|end| &value[..end])
        };
        let is_wanted = |at: usize| value(at).is_some_and(|value| self.values.contains(value));
        // An escape may spell either of them otherwise.
        self.key.find_iter(line).any(is_wanted) || memchr::memchr(b'\\', line).is_some()
    }
}

/// It asks for texts that no escape is needed for.
fn is_plain(condition: &Condition) -> bool {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte));
    condition.equals.iter().all(|value| matches!(value, Scalar::Text(text) if is_plain(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Pointer;

    fn may_hold(conditions: &[Condition], line: &[u8]) -> bool {
        Glance::new([conditions]).is_none_or(|glance| glance.may_hold(line))
    }

    #[test]
    fn only_what_cannot_hold_is_left_out() {
        let condition = |equals: Vec<Scalar>| Condition { path: Pointer::parse("/payload/name").unwrap(), equals };
        let text = |text: &str| Scalar::Text(text.to_owned());
        let of = |equals: Vec<Scalar>, line: &str| may_hold(&[condition(equals)], line.as_bytes());
        assert!(of(vec![text("A"), text("NtClose")], r#"{"payload":{"name" : "NtClose"}}"#));
        assert!(!of(vec![text("NtClose")], r#"{"payload":{"name":"NtCloseX"}}"#));
        assert!(!of(vec![text("NtClose")], r#"{"payload":{"x":"NtClose","name":7}}"#));
        assert!(of(vec![text("NtClose")], r#"{"payload":{"name":"N\u0074Close"}}"#), "an escape");
        assert!(of(vec![Scalar::Integer(1)], "{}") && of(vec![text("a b")], "{}"), "these need reading");
        assert!(may_hold(&[], "{}".as_bytes()));
        let both = Glance::new([&[condition(vec![text("A")])][..], &[condition(vec![text("B")])]]).unwrap();
        assert_eq!(
            ["A", "B", "C"].map(|name| both.may_hold(format!(r#"{{"name":"{name}"}}"#).as_bytes())),
            [true, true, false]
        );
        assert!(Glance::new([&[condition(vec![text("A")])][..], &[]]).is_none(), "one asks for nothing");
    }
}
