//! Which members of two sets are one.

use std::cmp::Ordering;

use super::document::{Document, Shape, Value, order};
use crate::source::Side;

/// Larger sets are not compared: what is held of each member is small, and so must their number be.
pub const MEMBERS_MAX: usize = 1 << 24;

/// In place of an offset: there is nothing.
const NONE: u32 = u32::MAX;

/// Where a member of a set begins in its document, and the value of its key.
#[derive(Clone, Copy, Debug)]
struct Keyed {
    member: u32,
    /// [`NONE`] where the member is no object, or has no key or null there.
    key: u32,
}

/// A member of one side and its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Where the members of both sides begin; [`NONE`] for one that is missing.
    members: [u32; 2],
    /// Of members with one key, the how many-th this is.
    pub nth: u32,
    /// It was not its key that paired them.
    pub is_otherwise: bool,
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

impl Match {
    /// The members of both sides.
    pub fn members(&self, documents: [&Document; 2]) -> [Option<Value>; 2] {
        [0, 1].map(|side| (self.members[side] != NONE).then(|| documents[side].value_at(self.members[side])))
    }

    /// The side that a member without a partner is on.
    fn lone_side(&self) -> Option<usize> {
        match self.members.map(|member| member != NONE) {
            [true, false] => Some(0),
            [false, true] => Some(1),
            _ => None,
        }
    }
}

/// The value of a member's key.
pub fn key(document: &Document, member: Value, by: &str) -> Option<Value> {
    document.get(member, by).filter(|key| key.shape != Shape::Null)
}

/// Pairs the members of two sets by the key `by`. Of several members with one key, and of those without one, equal ones belong
/// together. What then has no partner is paired by each of `otherwise` in turn and, if there are any, in the order of keys at last.
/// None where a set is too large.
pub fn pair([one, other]: [&Document; 2], sets: [Value; 2], by: &str, otherwise: &[String]) -> Option<Matches> {
    let [left, right] = [keyed(one, sets[0], by)?, keyed(other, sets[1], by)?];
    let mut matches = Matches::default();
    let mut lone = [Vec::new(), Vec::new()];
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
        let has_key = least.1.key != NONE;
        for (side, members) in Side::BOTH.into_iter().zip(group) {
            let many = members.len() as u64;
            match has_key {
                true => matches.doubles[side.index()] += many.saturating_sub(1),
                false => matches.keyless[side.index()] += many,
            }
        }
        let before = matches.all.len();
        pair_group([one, other], group, has_key, &mut matches.all);
        if has_key && !otherwise.is_empty() {
            for at in before..matches.all.len() {
                matches.all[at].lone_side().into_iter().for_each(|side| lone[side].push(at as u32));
            }
        }
        (i, j) = (i + same_left, j + same_right);
    }
    pair_left_over([one, other], otherwise, lone, &mut matches.all);
    Some(matches)
}

/// The members of a set in the order of their keys, those without one last; none if they are too many.
fn keyed(document: &Document, set: Value, by: &str) -> Option<Vec<Keyed>> {
    let of =
        |member: Value| Keyed { member: member.offset(), key: key(document, member, by).map_or(NONE, Value::offset) };
    let mut all: Vec<Keyed> = document.elements(set).take(MEMBERS_MAX + 1).map(of).collect();
    all.sort_unstable_by(|x, y| key_order((document, x), (document, y)).then(x.member.cmp(&y.member)));
    (all.len() <= MEMBERS_MAX).then_some(all)
}

fn key_order((one, x): (&Document, &Keyed), (other, y): (&Document, &Keyed)) -> Ordering {
    match (x.key, y.key) {
        (NONE, NONE) => Ordering::Equal,
        (NONE, _) => Ordering::Greater,
        (_, NONE) => Ordering::Less,
        (a, b) => order((one, one.value_at(a)), (other, other.value_at(b))),
    }
}

/// Pairs members that share one key, or have none.
fn pair_group(documents: [&Document; 2], group: [&[Keyed]; 2], has_key: bool, all: &mut Vec<Match>) {
    let matched = |members: [Option<&Keyed>; 2], nth: usize| Match {
        members: members.map(|member| member.map_or(NONE, |member| member.member)),
        nth: nth as u32,
        is_otherwise: false,
    };
    if has_key && group.iter().all(|members| members.len() <= 1) {
        all.push(matched(group.map(<[Keyed]>::first), 0));
        return;
    }
    let whole = |side: usize, one: &Keyed| (documents[side], documents[side].value_at(one.member));
    // In an order that does not depend on where they stood.
    let [left, right] = [0, 1].map(|side| {
        let mut members = group[side].to_vec();
        members.sort_unstable_by(|x, y| order(whole(side, x), whole(side, y)).then(x.member.cmp(&y.member)));
        members
    });
    let (mut lone, mut i, mut j) = ([Vec::new(), Vec::new()], 0, 0);
    let mut nth = 0;
    while i < left.len() || j < right.len() {
        let next = match (left.get(i), right.get(j)) {
            (Some(x), Some(y)) => order(whole(0, x), whole(1, y)),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match next {
            Ordering::Equal => {
                all.push(matched([Some(&left[i]), Some(&right[j])], nth));
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
        let [one, other] = [lone[0].get(at), lone[1].get(at)];
        let pairs = if at < together { [[one, other], [None; 2]] } else { [[one, None], [None, other]] };
        for members in pairs.into_iter().filter(|members| members.iter().any(Option::is_some)) {
            all.push(matched(members, nth));
            nth += 1;
        }
    }
}

/// Pairs members that have a key but no partner: those of each side, by their places among all matches.
fn pair_left_over(documents: [&Document; 2], otherwise: &[String], lone: [Vec<u32>; 2], all: &mut Vec<Match>) {
    if lone.iter().any(Vec::is_empty) {
        return;
    }
    let mut lone = lone;
    for field in otherwise {
        lone = by_field(documents, field, lone, all);
    }
    // They come in the order of their keys.
    lone[0].iter().zip(&lone[1]).for_each(|(one, other)| join(all, *one, *other));
    all.retain(|one| one.members != [NONE; 2]);
}

/// Makes a pair of two lone members; it stands where the reference's stood.
fn join(all: &mut [Match], one: u32, other: u32) {
    let candidate = std::mem::replace(&mut all[other as usize].members[1], NONE);
    let pair = &mut all[one as usize];
    (pair.members[1], pair.nth, pair.is_otherwise) = (candidate, 0, true);
}

/// Pairs lone members of both sides that have the same in a field, those with lesser keys first; returns the others.
fn by_field(documents: [&Document; 2], field: &str, lone: [Vec<u32>; 2], all: &mut [Match]) -> [Vec<u32>; 2] {
    let value = |side: usize, field: u32| (documents[side], documents[side].value_at(field));
    // Where the field begins, and which of all matches it is.
    let valued = |side: usize| {
        let document = documents[side];
        let of = |at: &u32| {
            let member = document.value_at(all[*at as usize].members[side]);
            (key(document, member, field).map_or(NONE, Value::offset), *at)
        };
        let (mut valued, rest): (Vec<_>, Vec<_>) = lone[side].iter().map(of).partition(|(field, _)| *field != NONE);
        valued.sort_unstable_by(|x, y| order(value(side, x.0), value(side, y.0)).then(x.1.cmp(&y.1)));
        (valued, rest.into_iter().map(|(_, at)| at).collect::<Vec<u32>>())
    };
    let ((left, mut rest_left), (right, mut rest_right)) = (valued(0), valued(1));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(x), Some(y)) => order(value(0, x.0), value(1, y.0)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        match next {
            Ordering::Equal => {
                left.next().zip(right.next()).into_iter().for_each(|((_, one), (_, other))| join(all, one, other));
            }
            Ordering::Less => rest_left.extend(left.next().map(|(_, at)| at)),
            Ordering::Greater => rest_right.extend(right.next().map(|(_, at)| at)),
        }
    }
    rest_left.sort_unstable();
    rest_right.sort_unstable();
    [rest_left, rest_right]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pairs of two sets, each member by its text.
    fn pairs(one: &str, other: &str, otherwise: &[&str]) -> (Vec<String>, Matches) {
        let [left, right] = [one, other].map(|text| Document::parse(text.as_bytes().to_vec()).unwrap());
        let otherwise: Vec<String> = otherwise.iter().map(|field| (*field).to_owned()).collect();
        let found = pair([&left, &right], [left.root(), right.root()], "k", &otherwise).unwrap();
        let shown = |document: &Document, value: Option<Value>| {
            value.map_or("-".to_owned(), |value| String::from_utf8_lossy(document.bytes(value)).into_owned())
        };
        let told = found.all.iter().map(|one| {
            let how = if one.is_otherwise { "~" } else { "=" };
            let [a, b] = one.members([&left, &right]);
            format!("{} {how} {}", shown(&left, a), shown(&right, b))
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
