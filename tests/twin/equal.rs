//! Two events under the rules (BEHAVIOUR 3): where they differ, and what was overlooked.

use super::json::{Value, member};
use super::objects::{meanings, number};
use super::rules::{Allocator, Asked, Class, Field, Path, Rules, Step};
use std::collections::BTreeSet;

/// One differing place; an absent side is `None`.
#[derive(Clone, Debug)]
pub struct Difference {
    pub path: Path,
    pub sides: [Option<Value>; 2],
}

/// What comparing two payloads gives.
#[derive(Debug, Default)]
pub struct Weighed {
    pub differences: Vec<Difference>,
    /// Numbers of the rules that overlooked something: 0 is null-equals-missing, then ignores, masks, allocator.
    pub overlooked: BTreeSet<usize>,
    /// Of some values it cannot be told whether they mean the same.
    pub untold: bool,
}

/// The part of a line that is compared, and where it stands.
pub fn payload(line: &Value, rules: &Rules) -> (Option<Value>, Path) {
    if let Some(path) = &rules.payload {
        return (line.at(path).cloned(), path.clone());
    }
    let mut whole = line.clone();
    for (_, path) in rules.walked(true) {
        remove(&mut whole, &path);
    }
    (Some(whole), Vec::new())
}

fn remove(value: &mut Value, path: &[String]) {
    let Value::Object(members) = value else { return };
    match path {
        [] => {}
        [last] => members.retain(|(key, _)| key != last.as_bytes()),
        [first, rest @ ..] => {
            if let Some((_, inner)) = members.iter_mut().find(|(key, _)| key == first.as_bytes()) {
                remove(inner, rest);
            }
        }
    }
}

/// Compares the payloads of two lines whose kinds are equal.
pub fn weigh(lines: [&Value; 2], kind: &Value, rules: &Rules) -> Weighed {
    weigh_among(lines, kind, rules, None)
}

/// What two values have to do with each other.
pub type Same<'a> = &'a dyn Fn([u64; 2], bool, &[usize]) -> Likeness;

/// Whether two values mean the same object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Likeness {
    /// By this rule.
    Same(usize),
    Other,
    /// They are objects of lanes that are not compared.
    Untold,
}

/// The same, where it is known which objects are the same; else any that may be are.
pub fn weigh_among(lines: [&Value; 2], kind: &Value, rules: &Rules, same: Option<Same<'_>>) -> Weighed {
    let [(a, path), (b, _)] = lines.map(|line| payload(line, rules));
    let mut weigher = Weigher { rules, kind, lines, same, out: Weighed::default() };
    let place: Vec<Step> = path.iter().fold(Vec::new(), |place, name| child(&place, name.as_bytes()));
    let empty = Value::Object(Vec::new());
    let or_empty = |value: &Option<Value>| match value {
        None | Some(Value::Null) => empty.clone(),
        Some(value) => value.clone(),
    };
    match (or_empty(&a), or_empty(&b)) {
        (Value::Object(x), Value::Object(y)) => weigher.members(&place, &x, &y, true),
        _ => weigher.place(place, [a.as_ref(), b.as_ref()], false),
    }
    weigher.out
}

/// What is compared at a place.
pub type Sides<'v> = [Option<&'v Value>; 2];

pub struct Weigher<'a> {
    pub rules: &'a Rules,
    pub kind: &'a Value,
    pub lines: [&'a Value; 2],
    pub same: Option<Same<'a>>,
    pub out: Weighed,
}

/// In place of a rule's number.
const UNTOLD: usize = usize::MAX;

type Members = [(Vec<u8>, Value)];

impl<'a> Weigher<'a> {
    fn members(&mut self, path: &[Step], a: &Members, b: &Members, top: bool) {
        for (key, value) in a {
            self.place(child(path, key), [Some(value), member(b, key)], top);
        }
        for (key, value) in b {
            if member(a, key).is_none() {
                self.place(child(path, key), [None, Some(value)], top);
            }
        }
    }

    fn items(&mut self, path: &[Step], a: &[Value], b: &[Value]) {
        for at in 0..a.len().max(b.len()) {
            self.place(child(path, at.to_string().as_bytes()), [a.get(at), b.get(at)], false);
        }
    }

    /// Lines nest deep, so what goes down keeps its frame small.
    pub fn place(&mut self, path: Vec<Step>, sides: Sides, top: bool) {
        match sides {
            _ if self.is_settled(&path, sides, top) => {}
            [Some(Value::Object(a)), Some(Value::Object(b))] => self.members(&path, a, b, false),
            [Some(Value::Array(a)), Some(Value::Array(b))] => self.arrays(&path, a, b),
            _ => self.differ(&path, sides),
        }
    }

    /// Whether two values are equal, or a rule of the place overlooks what differs.
    fn is_settled(&mut self, path: &[Step], sides: Sides, top: bool) -> bool {
        if sides[0] == sides[1] {
            return true;
        }
        let is_null = matches!(sides, [None, Some(Value::Null)] | [Some(Value::Null), None]);
        let rule =
            if top && self.rules.null_equals_missing && is_null { Some(0) } else { self.overlooking(path, sides) };
        if rule == Some(UNTOLD) {
            self.out.untold = true;
        } else {
            self.out.overlooked.extend(rule);
        }
        rule.is_some()
    }

    fn arrays(&mut self, path: &[Step], a: &[Value], b: &[Value]) {
        match self.unordered(path)[..] {
            [] => self.items(path, a, b),
            [(rule, by)] => super::multiset::weigh(self, path, rule, by, [a, b]),
            [(rule, _), ..] => super::multiset::weigh(self, path, rule, None, [a, b]),
        }
    }

    fn differ(&mut self, path: &[Step], sides: Sides) {
        self.out.differences.push(Difference { path: names(path), sides: sides.map(|side| side.cloned()) });
    }

    /// The rules by which the order of an array does not count, with their numbers.
    fn unordered(&self, path: &[Step]) -> Vec<(usize, Option<&'a Path>)> {
        let rules: &'a Rules = self.rules;
        let first = rules.first_other();
        let all = rules.others.iter().enumerate().filter(|(_, (rule, _))| rule.reaches(path) && self.holds(rule));
        all.filter_map(|(at, (_, class))| match class {
            Class::Unordered { by } => Some((first + at, by.as_ref())),
            _ => None,
        })
        .collect()
    }

    /// Whether a rule holds for this pair: its kind, and its conditions on both sides.
    pub fn holds(&self, rule: &Field) -> bool {
        rule.applies(self.kind) && rule.when.iter().all(|asked| self.lines.iter().all(|line| asked.is_so(line)))
    }

    /// The rule under which two unequal values do not count.
    fn overlooking(&self, path: &[Step], sides: Sides) -> Option<usize> {
        for (at, rule) in self.rules.ignore.iter().enumerate() {
            if rule.reaches(path) && self.holds(rule) {
                return Some(1 + at);
            }
        }
        let masks = 1 + self.rules.ignore.len();
        for (at, (rule, bits)) in self.rules.mask.iter().enumerate() {
            if rule.reaches(path) && self.holds(rule) {
                let masked = sides.map(|side| side.and_then(maskable).map(|(text, n)| (text, n & !bits)));
                if masked[0].is_some() && masked[0] == masked[1] {
                    return Some(masks + at);
                }
            }
        }
        if let Some(rule) = self.rules.allocator.as_ref().filter(|rule| self.allocated(rule)) {
            let values = self.lines.map(|line| line.at(&rule.value));
            let returns = [0, 1].map(|side| returned(rule, self.lines[side]));
            let overlooked = (names(path) == rule.value && returns == [Returned::Success; 2])
                || (names(path) == rule.status && [0, 1].iter().all(|&side| follows(sides[side], values[side])));
            if overlooked {
                return Some(masks + self.rules.mask.len());
            }
        }
        let [Some(x), Some(y)] = sides else { return None };
        let alike =
            |(rule, class): &(Field, Class)| rule.reaches(path) && self.holds(rule) && super::alike::alike(class, x, y);
        let alike = self.rules.others.iter().position(alike).map(|at| self.rules.first_other() + at);
        alike.or_else(|| self.same_object(path, [x, y]))
    }

    /// The rule by which two values mean the same object.
    fn same_object(&self, path: &[Step], sides: [&Value; 2]) -> Option<usize> {
        let (mut rules, mut own) = (Vec::new(), false);
        for (when, of, is_own) in meanings(self.rules, self.kind, path) {
            let all = when.unwrap_or_default();
            if all.iter().all(|asked| self.lines.iter().all(|line| asked.is_so(line))) {
                rules.extend(of);
                own |= is_own;
            }
        }
        let [x, y] = sides.map(number);
        let (x, y) = (x?, y?);
        let first = *rules.first()?;
        let rule = match self.same {
            Some(same) => match same([x, y], own, &rules) {
                Likeness::Same(rule) => rule,
                Likeness::Other => return None,
                Likeness::Untold => return Some(UNTOLD),
            },
            None => first,
        };
        Some(self.rules.first_other() + self.rules.others.len() + rule)
    }

    /// Both are returns of allocators, be it two different ones.
    fn allocated(&self, rule: &Allocator) -> bool {
        self.kind.as_str() == Some(&rule.kind) && self.lines.iter().all(|line| allocator_named(rule, line).is_some())
    }
}

impl Rules {
    /// The number of the first rule of the newer classes.
    pub fn first_other(&self) -> usize {
        1 + self.ignore.len() + self.mask.len() + usize::from(self.allocator.is_some())
    }

    /// Whether events of one digest are equal whatever the rules: none is of the newer classes or has a condition, and
    /// no two masks meet.
    pub fn digests_tell(&self) -> bool {
        self.others.is_empty() && self.mask.len() < 2 && self.fields().all(|rule| rule.when.is_empty())
    }

    /// All rules on values but those of allocators.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.ignore.iter().chain(self.mask.iter().map(|(rule, _)| rule)).chain(self.others.iter().map(|(rule, _)| rule))
    }
}

impl Asked {
    pub fn is_so(&self, line: &Value) -> bool {
        line.at(&self.path).is_some_and(|value| self.equals.contains(value))
    }
}

pub fn child(path: &[Step], key: &[u8]) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(Step { name: String::from_utf8_lossy(key).into_owned(), free: false });
    path
}

pub fn names(path: &[Step]) -> Path {
    path.iter().map(|step| step.name.clone()).collect()
}

/// Whether the line's function is an allocator; if so, whether it returns a status.
pub fn allocator_named(rule: &Allocator, line: &Value) -> Option<bool> {
    let name = line.at(&rule.function)?.as_str()?;
    let among = |names: &[String]| names.iter().any(|own| own == name);
    if among(&rule.addresses) { Some(false) } else { among(&rule.statuses).then_some(true) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    Success,
    Failure,
    /// Compared as it stands.
    Raw,
}

pub fn returned(rule: &Allocator, line: &Value) -> Returned {
    let status = allocator_named(rule, line) == Some(true);
    match line.at(&rule.value) {
        None | Some(Value::Null) if status => Returned::Raw,
        None | Some(Value::Null) => Returned::Failure,
        Some(Value::Number(number)) if number.is_integer() => match number.integer() {
            // Beyond every failing value, but negative is negative.
            None if status && number.negative => Returned::Failure,
            None => Returned::Success,
            Some(n) => code(n, status),
        },
        Some(value) => hex(value).map_or(Returned::Raw, |n| code(n as i128, status)),
    }
}

fn code(n: i128, status: bool) -> Returned {
    let failed = match status {
        true => n < 0 || ((0xC000_0001..=0xC000_FFFF).contains(&n) && n % 0x1000 != 0),
        false => n == 0,
    };
    if failed { Returned::Failure } else { Returned::Success }
}

/// A string of hex digits, with or without 0x.
pub fn hex(value: &Value) -> Option<u128> {
    let text = value.as_str()?;
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.trim_start_matches('0') {
        "" => Some(0),
        digits => u128::from_str_radix(digits, 16).ok(),
    }
}

/// True where a status spells the value returned beside it.
pub fn follows(status: Option<&Value>, value: Option<&Value>) -> bool {
    let (Some(status), Some(value)) = (status.and_then(hex), value) else { return false };
    let Some(value) = value.as_integer().or_else(|| hex(value).map(|n| n as i128)) else { return false };
    [32, 64].iter().any(|bits| i128::try_from(status) == Ok(value.rem_euclid(1 << bits)))
}

/// What a mask is laid over: an integer of 64 bits or a hex string, and which of the two.
pub fn maskable(value: &Value) -> Option<(bool, u64)> {
    match value {
        Value::Number(_) => Some((false, u64::try_from(value.as_integer()?).ok()?)),
        _ => Some((true, u64::try_from(hex(value)?).ok()?)),
    }
}
