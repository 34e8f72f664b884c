//! Which members of two sets are one.

use std::cmp::Ordering;

use super::document::{Document, Shape, Value, order};
use crate::source::Side;

/// A member of a set and the value of its key.
#[derive(Clone, Copy, Debug)]
struct Keyed {
    value: Value,
    /// `None` where it is no object, or has no key or null there.
    key: Option<Value>,
}

/// A member of one side and its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The members of both sides; one of them may be missing.
    pub members: [Option<Value>; 2],
    /// The values of their keys.
    pub keys: [Option<Value>; 2],
    /// It was not its key that paired them.
    pub is_otherwise: bool,
    /// Of members with one key, the how many-th this is.
    pub nth: usize,
}

/// What was found of two sets.
#[derive(Debug, Default)]
pub struct Matches {
    /// In the order of keys, members without one last.
    pub all: Vec<Match>,
    /// Members of each side that share their key with an earlier one.
    pub doubles: [u64; 2],
    /// Members of each side that have no key.
    pub keyless: [u64; 2],
}

/// Pairs the members of two sets by the key `by`. Of several members with one key, and of those without one, equal ones belong
/// together. What then has no partner is paired by each of `otherwise` in turn and, if there are any, in the order of keys at last.
pub fn pair([one, other]: [&Document; 2], sets: [Value; 2], by: &str, otherwise: &[String]) -> Matches {
    let [left, right] = [keyed(one, sets[0], by), keyed(other, sets[1], by)];
    let mut matches = Matches::default();
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let least = match (left.get(i), right.get(j)) {
            (Some(x), Some(y)) if key_order((other, y), (one, x)).is_lt() => (other, *y),
            (Some(x), _) => (one, *x),
            (None, Some(y)) => (other, *y),
            (None, None) => break,
        };
        let run = |document: &Document, from: &[Keyed]| {
            from.iter().take_while(|next| key_order((document, next), (least.0, &least.1)).is_eq()).count()
        };
        let (same_left, same_right) = (run(one, &left[i..]), run(other, &right[j..]));
        let group = [&left[i..i + same_left], &right[j..j + same_right]];
        for (side, members) in Side::BOTH.into_iter().zip(group) {
            let many = members.len() as u64;
            match least.1.key {
                Some(_) => matches.doubles[side.index()] += many.saturating_sub(1),
                None => matches.keyless[side.index()] += many,
            }
        }
        pair_group([one, other], group, &mut matches.all);
        (i, j) = (i + same_left, j + same_right);
    }
    if !otherwise.is_empty() {
        pair_left_over([one, other], otherwise, &mut matches.all);
    }
    matches
}

/// The members of a set in the order of their keys, those without one last.
fn keyed(document: &Document, set: Value, by: &str) -> Vec<Keyed> {
    let key = |value: Value| document.get(value, by).filter(|key| key.shape != Shape::Null);
    let mut all: Vec<Keyed> = document.elements(set).map(|value| Keyed { value, key: key(value) }).collect();
    all.sort_by(|x, y| key_order((document, x), (document, y)));
    all
}

fn key_order((one, x): (&Document, &Keyed), (other, y): (&Document, &Keyed)) -> Ordering {
    match (x.key, y.key) {
        (Some(a), Some(b)) => order((one, a), (other, b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// Pairs members that share one key, or have none.
fn pair_group(documents: [&Document; 2], group: [&[Keyed]; 2], all: &mut Vec<Match>) {
    let has_key = group.iter().find_map(|members| members.first()).is_some_and(|member| member.key.is_some());
    if has_key && group.iter().all(|members| members.len() <= 1) {
        let [one, other] = group.map(|members| members.first().copied());
        all.push(matched([one, other], false, 0));
        return;
    }
    // In an order that does not depend on where they stood.
    let [mut left, mut right] = group.map(<[Keyed]>::to_vec);
    left.sort_by(|x, y| order((documents[0], x.value), (documents[0], y.value)));
    right.sort_by(|x, y| order((documents[1], x.value), (documents[1], y.value)));
    let (mut lone, mut i, mut j) = ([Vec::new(), Vec::new()], 0, 0);
    let mut nth = 0;
    while i < left.len() || j < right.len() {
        let next = match (left.get(i), right.get(j)) {
            (Some(x), Some(y)) => order((documents[0], x.value), (documents[1], y.value)),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match next {
            Ordering::Equal => {
                all.push(matched([Some(left[i]), Some(right[j])], false, nth));
                nth += 1;
                (i, j) = (i + 1, j + 1);
            }
            Ordering::Less => {
                lone[0].push(left[i]);
                i += 1;
            }
            Ordering::Greater => {
                lone[1].push(right[j]);
                j += 1;
            }
        }
    }
    // Members of one key are one object that changed; those without a key may be any.
    let together = if has_key { lone[0].len().min(lone[1].len()) } else { 0 };
    for at in 0..lone[0].len().max(lone[1].len()) {
        let pair = if at < together {
            vec![[Some(lone[0][at]), Some(lone[1][at])]]
        } else {
            let lone = [lone[0].get(at).copied(), lone[1].get(at).copied()];
            vec![[lone[0], None], [None, lone[1]]]
        };
        for members in pair.into_iter().filter(|members| members.iter().any(Option::is_some)) {
            all.push(matched(members, false, nth));
            nth += 1;
        }
    }
}

fn matched(members: [Option<Keyed>; 2], is_otherwise: bool, nth: usize) -> Match {
    let keys = members.map(|member| member.and_then(|member| member.key));
    Match { members: members.map(|member| member.map(|member| member.value)), keys, is_otherwise, nth }
}

/// Pairs members that have a key but no partner.
fn pair_left_over(documents: [&Document; 2], otherwise: &[String], all: &mut Vec<Match>) {
    let is_lone = |one: &Match| one.keys.iter().flatten().count() == 1 && one.members.iter().flatten().count() == 1;
    // They come in the order of their keys, and stay in it.
    let (of_reference, of_candidate) = all.extract_if(.., |one| is_lone(one)).partition(|one| one.members[0].is_some());
    let mut lone: [Vec<Match>; 2] = [of_reference, of_candidate];
    for field in otherwise {
        lone = by_field(documents, field, lone, all);
    }
    let together = lone[0].len().min(lone[1].len());
    let [left, right] = lone;
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    all.extend(left.by_ref().zip(right.by_ref()).take(together).map(|(one, other)| joined(&one, &other)));
    all.extend(left.chain(right));
    all.sort_by(|one, other| match (some_key(documents, one), some_key(documents, other)) {
        (Some(a), Some(b)) => order(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
}

fn some_key<'d>(documents: [&'d Document; 2], one: &Match) -> Option<(&'d Document, Value)> {
    one.keys.iter().zip(documents).find_map(|(key, document)| Some((document, (*key)?)))
}

fn joined(one: &Match, other: &Match) -> Match {
    let (members, keys) = ([one.members[0], other.members[1]], [one.keys[0], other.keys[1]]);
    Match { members, keys, is_otherwise: true, nth: 0 }
}

/// Pairs lone members of both sides that have the same in a field, those with lesser keys first; returns the others.
fn by_field(documents: [&Document; 2], field: &str, lone: [Vec<Match>; 2], all: &mut Vec<Match>) -> [Vec<Match>; 2] {
    let mut side = 0;
    let [left, right] = lone.map(|lone| {
        let document = documents[side];
        let value = |one: &Match| document.get(one.members[side]?, field).filter(|value| value.shape != Shape::Null);
        let mut valued: Vec<(Option<Value>, usize, Match)> =
            lone.into_iter().enumerate().map(|(at, one)| (value(&one), at, one)).collect();
        valued.sort_by(|(x, ..), (y, ..)| match (x, y) {
            (Some(x), Some(y)) => order((document, *x), (document, *y)),
            (x, y) => y.is_some().cmp(&x.is_some()),
        });
        side += 1;
        valued
    });
    let mut rest = [Vec::new(), Vec::new()];
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some((Some(x), ..)), Some((Some(y), ..))) => order((documents[0], *x), (documents[1], *y)),
            (Some(_), None) | (Some((Some(_), ..)), Some(_)) => Ordering::Less,
            (_, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        match next {
            Ordering::Equal => {
                let pair = left.next().zip(right.next());
                all.extend(pair.map(|((.., one), (.., other))| joined(&one, &other)));
            }
            Ordering::Less => rest[0].extend(left.next().map(|(_, at, one)| (at, one))),
            Ordering::Greater => rest[1].extend(right.next().map(|(_, at, one)| (at, one))),
        }
    }
    rest.map(|mut rest| {
        rest.sort_by_key(|(at, _)| *at);
        rest.into_iter().map(|(_, one)| one).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pairs of two sets, each member by its text.
    fn pairs(one: &str, other: &str, otherwise: &[&str]) -> (Vec<String>, Matches) {
        let [left, right] = [one, other].map(|text| Document::parse(text.as_bytes().to_vec()).unwrap());
        let otherwise: Vec<String> = otherwise.iter().map(|field| (*field).to_owned()).collect();
        let found = pair([&left, &right], [left.root(), right.root()], "k", &otherwise);
        let shown = |document: &Document, value: Option<Value>| {
            value.map_or("-".to_owned(), |value| String::from_utf8_lossy(document.bytes(value)).into_owned())
        };
        let told = found.all.iter().map(|one| {
            let how = if one.is_otherwise { "~" } else { "=" };
            format!("{} {how} {}", shown(&left, one.members[0]), shown(&right, one.members[1]))
        });
        (told.collect(), found)
    }

    #[test]
    fn members_are_paired_by_key_whatever_its_spelling_and_their_order() {
        let (told, _) = pairs(r#"[{"k":2},{"k":1.0},{"k":"1"}]"#, r#"[{"k":"\u0031"},{"k":1},{"k":[3]}]"#, &[]);
        assert_eq!(
            told,
            [r#"{"k":1.0} = {"k":1}"#, r#"{"k":2} = -"#, r#"{"k":"1"} = {"k":"\u0031"}"#, r#"- = {"k":[3]}"#]
        );
    }

    #[test]
    fn doubles_and_members_without_a_key_are_paired_by_what_they_hold() {
        let (told, found) = pairs(
            r#"[{"k":1,"v":2},{"k":1,"v":1},5,{"x":1},{"k":null}]"#,
            r#"[{"x":1},{"v":1,"k":1},{"k":1,"v":3},6]"#,
            &[],
        );
        assert_eq!(
            told,
            [
                r#"{"k":1,"v":1} = {"v":1,"k":1}"#,
                r#"{"k":1,"v":2} = {"k":1,"v":3}"#,
                r#"{"x":1} = {"x":1}"#,
                "5 = -",
                "- = 6",
                r#"{"k":null} = -"#,
            ]
        );
        assert_eq!((found.doubles, found.keyless), ([1, 1], [3, 2]));
    }

    #[test]
    fn what_is_left_is_paired_by_other_fields_and_then_by_the_order_of_keys() {
        let one = r#"[{"k":30,"name":"b","size":8},{"k":10,"name":"a"},{"k":20,"size":4},{"k":40},{"k":50},{"k":60}]"#;
        let other = r#"[{"k":11,"size":4},{"k":12,"name":"a"},{"k":13,"name":"x","size":8},{"k":60},{"k":9}]"#;
        let (told, _) = pairs(one, other, &["name", "size"]);
        assert_eq!(
            told,
            [
                r#"{"k":10,"name":"a"} ~ {"k":12,"name":"a"}"#,
                r#"{"k":20,"size":4} ~ {"k":11,"size":4}"#,
                r#"{"k":30,"name":"b","size":8} ~ {"k":13,"name":"x","size":8}"#,
                r#"{"k":40} ~ {"k":9}"#,
                r#"{"k":50} = -"#,
                r#"{"k":60} = {"k":60}"#,
            ]
        );
    }
}
