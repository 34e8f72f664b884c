//! Arrays that have the same elements in another order.

use std::collections::{BTreeMap, BTreeSet};

use super::family::Example;
use crate::json::{Kind, Pointer, Tape, tape, text};

/// How often an array had its elements in another order, and what could tell them apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Orders {
    /// Pairs in which it did.
    pub pairs: u64,
    /// The elements were the same every time, as they stand.
    pub whole: bool,
    /// Keys that every element had, each with a value of its own, every time; `None`: not looked for yet.
    pub keys: BTreeSet<Pointer>,
    pub example: Example,
}

/// What two arrays show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reordered {
    pub whole: bool,
    pub keys: BTreeSet<Pointer>,
}

impl Orders {
    /// Takes one more pair.
    pub fn take(held: &mut Option<Orders>, seen: Reordered, example: Example) {
        let Reordered { whole, keys } = seen;
        match held {
            None => *held = Some(Orders { pairs: 1, whole, keys, example }),
            Some(orders) => {
                orders.pairs += 1;
                orders.whole &= whole;
                orders.keys.retain(|key| keys.contains(key));
                if example < orders.example {
                    orders.example = example;
                }
            }
        }
    }

    /// The key by which elements are known, where they are not the same as they stand.
    pub fn by(&self) -> Option<&Pointer> {
        self.keys.first().filter(|_| !self.whole)
    }
}

/// A line taken apart.
pub type Read<'t> = (&'t Tape, &'t [u8]);

/// Whether two arrays have the same elements, or elements known by the same keys, in another order.
pub fn reordered(reference: (Read<'_>, usize), candidate: (Read<'_>, usize)) -> Option<Reordered> {
    let elements = |(read, array): (Read<'_>, usize)| read.0.elements(array).collect::<Vec<usize>>();
    let (left, right) = (elements(reference), elements(candidate));
    if left.len() != right.len() || left.len() < 2 {
        return None;
    }
    let digests = |(read, _): (Read<'_>, usize), nodes: &[usize]| {
        nodes.iter().map(|node| tape::digest(read.0, read.1, *node)).collect::<Vec<u64>>()
    };
    let (ours, theirs) = (digests(reference, &left), digests(candidate, &right));
    let whole = ours != theirs && sorted(&ours) == sorted(&theirs);
    let keys = known_by(reference.0, &left);
    let others = known_by(candidate.0, &right);
    let keys: BTreeSet<Pointer> = keys
        .into_iter()
        .filter(|(key, values)| {
            others.get(key).is_some_and(|others| others != values && sorted(others) == sorted(values))
        })
        .map(|(key, _)| key)
        .collect();
    (whole || !keys.is_empty()).then_some(Reordered { whole, keys })
}

fn sorted(values: &[u64]) -> Vec<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values
}

/// The keys of which every element has a scalar of its own, with the digests of those.
fn known_by((tape, line): Read<'_>, elements: &[usize]) -> BTreeMap<Pointer, Vec<u64>> {
    let mut known: BTreeMap<Pointer, Vec<u64>> = BTreeMap::new();
    for (at, element) in elements.iter().enumerate() {
        if tape.kind(*element) != Kind::ObjectStart {
            return BTreeMap::new();
        }
        for (key, value) in tape.distinct_members(line, *element) {
            if matches!(tape.kind(value), Kind::Number | Kind::String) {
                let key = String::from_utf8_lossy(&text::unescape(tape.bytes(line, key))).into_owned();
                let values = known.entry(Pointer::new([key])).or_default();
                if values.len() == at {
                    values.push(tape::digest(tape, line, value));
                }
            }
        }
    }
    known
        .retain(|_, values| values.len() == elements.len() && sorted(values).windows(2).all(|pair| pair[0] != pair[1]));
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(x: &str, y: &str) -> Option<Reordered> {
        let tape_of = |text: &str| {
            let mut tape = Tape::default();
            tape.parse(text.as_bytes(), 0).unwrap();
            tape
        };
        let (left, right) = (tape_of(x), tape_of(y));
        reordered(((&left, x.as_bytes()), Tape::ROOT), ((&right, y.as_bytes()), Tape::ROOT))
    }

    #[test]
    fn the_same_elements_in_another_order_are_seen() {
        let keys = |names: &[&str]| names.iter().map(|name| Pointer::new([*name])).collect::<BTreeSet<_>>();
        for (x, y, whole, by) in [
            ("[1,2,3]", "[3,1,2]", true, &[][..]),
            ("[1,1,2]", "[1,2,1.0]", true, &[]),
            (r#"[{"id":1,"t":5},{"id":2,"t":6}]"#, r#"[{"id":2,"t":7},{"id":1,"t":8}]"#, false, &["id"]),
            (r#"[{"id":1,"n":"a"},{"id":2,"n":"b"}]"#, r#"[{"n":"b","id":2},{"id":1,"n":"a"}]"#, true, &["id", "n"]),
        ] {
            assert_eq!(seen(x, y), Some(Reordered { whole, keys: keys(by) }), "{x} {y}");
        }
        for (x, y) in [
            ("[1,2]", "[1,3]"),
            ("[1,2]", "[2,1,1]"),
            ("[1,2]", "[1,2]"),
            (r#"[{"id":1},{"id":1}]"#, r#"[{"id":1},{"id":2}]"#),
            (r#"[{"id":1,"t":5},{"id":2,"t":6}]"#, r#"[{"id":1,"t":7},{"id":2,"t":8}]"#),
            ("[1]", "[2]"),
        ] {
            assert_eq!(seen(x, y), None, "{x} {y}");
        }
    }
}
