//! Two events under the rules (BEHAVIOUR 3): where they differ, and what was overlooked.

use super::json::{Number, Value, member};
use super::rules::{Allocator, Path, Rules};
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
    let [(a, path), (b, _)] = lines.map(|line| payload(line, rules));
    let mut weigher = Weigher { rules, kind, lines, out: Weighed::default() };
    let empty = Value::Object(Vec::new());
    let or_empty = |value: &Option<Value>| match value {
        None | Some(Value::Null) => empty.clone(),
        Some(value) => value.clone(),
    };
    match (or_empty(&a), or_empty(&b)) {
        (Value::Object(x), Value::Object(y)) => weigher.members(&path, &x, &y, true),
        (x, y) if x == y => {}
        (Value::Array(x), Value::Array(y)) => weigher.items(&path, &x, &y),
        _ => weigher.out.differences.push(Difference { path, sides: [a, b] }),
    }
    weigher.out
}

struct Weigher<'a> {
    rules: &'a Rules,
    kind: &'a Value,
    lines: [&'a Value; 2],
    out: Weighed,
}

type Members = [(Vec<u8>, Value)];

impl Weigher<'_> {
    fn members(&mut self, path: &Path, a: &Members, b: &Members, top: bool) {
        for (key, value) in a {
            self.place(child(path, key), [Some(value), member(b, key)], top);
        }
        for (key, value) in b {
            if member(a, key).is_none() {
                self.place(child(path, key), [None, Some(value)], top);
            }
        }
    }

    fn items(&mut self, path: &Path, a: &[Value], b: &[Value]) {
        for at in 0..a.len().max(b.len()) {
            self.place(child(path, at.to_string().as_bytes()), [a.get(at), b.get(at)], false);
        }
    }

    fn place(&mut self, path: Path, sides: [Option<&Value>; 2], top: bool) {
        if sides[0] == sides[1] {
            return;
        }
        if let Some(rule) = self.overlooking(&path, sides) {
            self.out.overlooked.insert(rule);
            return;
        }
        match sides {
            // Success against failure differs as a whole, whatever the values.
            [Some(Value::Object(a)), Some(Value::Object(b))] => self.members(&path, a, b, false),
            [Some(Value::Array(a)), Some(Value::Array(b))] => self.items(&path, a, b),
            [None, Some(Value::Null)] | [Some(Value::Null), None] if top && self.rules.null_equals_missing => {
                self.out.overlooked.insert(0);
            }
            _ => self.out.differences.push(Difference { path, sides: sides.map(|side| side.cloned()) }),
        }
    }

    /// The rule under which two unequal values do not count.
    fn overlooking(&self, path: &Path, sides: [Option<&Value>; 2]) -> Option<usize> {
        for (at, rule) in self.rules.ignore.iter().enumerate() {
            if rule.path == *path && rule.applies(self.kind) {
                return Some(1 + at);
            }
        }
        let masks = 1 + self.rules.ignore.len();
        for (at, (rule, bits)) in self.rules.mask.iter().enumerate() {
            if rule.path == *path && rule.applies(self.kind) {
                let masked = sides.map(|side| side.and_then(maskable).map(|n| n & !bits));
                if masked[0].is_some() && masked[0] == masked[1] {
                    return Some(masks + at);
                }
            }
        }
        let rule = self.rules.allocator.as_ref().filter(|rule| self.allocated(rule))?;
        let values = self.lines.map(|line| line.at(&rule.value));
        let returns = [0, 1].map(|side| returned(rule, self.lines[side]));
        let overlooked = (*path == rule.value && returns == [Returned::Success; 2])
            || (*path == rule.status && [0, 1].iter().all(|&side| follows(sides[side], values[side])));
        overlooked.then_some(masks + self.rules.mask.len())
    }

    /// Both are returns of allocators, be it two different ones.
    fn allocated(&self, rule: &Allocator) -> bool {
        self.kind.as_str() == Some(&rule.kind) && self.lines.iter().all(|line| allocator_named(rule, line).is_some())
    }
}

fn child(path: &Path, key: &[u8]) -> Path {
    let mut path = path.clone();
    path.push(String::from_utf8_lossy(key).into_owned());
    path
}

/// Whether the line's function is an allocator; if so, whether it returns a status.
fn allocator_named(rule: &Allocator, line: &Value) -> Option<bool> {
    let name = line.at(&rule.function)?.as_str()?;
    let among = |names: &[String]| names.iter().any(|own| own == name);
    if among(&rule.addresses) { Some(false) } else { among(&rule.statuses).then_some(true) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returned {
    Success,
    Failure,
    /// Compared as it stands.
    Raw,
}

fn returned(rule: &Allocator, line: &Value) -> Returned {
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
fn hex(value: &Value) -> Option<u128> {
    let text = value.as_str()?;
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits.trim_start_matches('0'), 16).ok().or(Some(0)).filter(|_| digits.len() <= 30)
}

/// True where a status spells the value returned beside it.
fn follows(status: Option<&Value>, value: Option<&Value>) -> bool {
    let (Some(status), Some(value)) = (status.and_then(hex), value) else { return false };
    let Some(value) = value.as_integer().or_else(|| hex(value).map(|n| n as i128)) else { return false };
    [32, 64].iter().any(|bits| status as i128 == value.rem_euclid(1 << bits))
}

/// What a mask is laid over: an integer of 64 bits or a hex string.
fn maskable(value: &Value) -> Option<u64> {
    match value {
        Value::Number(_) => u64::try_from(value.as_integer()?).ok(),
        _ => u64::try_from(hex(value)?).ok(),
    }
}

/// The digest of an event whose payload is not compared.
pub fn digest_of_kind(kind: &Value) -> String {
    let mut out = String::new();
    spell(kind, &mut out);
    out
}

/// Kind and payload under the rules as a text: equal texts are equal events (ordinals aside).
pub fn digest(line: &Value, kind: &Value, rules: &Rules) -> String {
    let mut out = String::new();
    spell(kind, &mut out);
    let (value, path) = payload(line, rules);
    let value = value.filter(|value| !value.is_null()).unwrap_or(Value::Object(Vec::new()));
    digest_at(&value, &path, true, &Digested { line, kind, rules }, &mut out);
    out
}

struct Digested<'a> {
    line: &'a Value,
    kind: &'a Value,
    rules: &'a Rules,
}

fn digest_at(value: &Value, path: &Path, top: bool, of: &Digested, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (key, inner) in sorted {
                let place = child(path, key);
                let ignored = of.rules.ignore.iter().any(|rule| rule.path == place && rule.applies(of.kind));
                let missing = top && of.rules.null_equals_missing && inner.is_null();
                if !ignored && !missing {
                    out.push_str(&format!("{key:?}:"));
                    digest_place(inner, &place, of, out);
                }
            }
            if top && succeeded(of) {
                out.push_str("success");
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, inner) in items.iter().enumerate() {
                digest_place(inner, &child(path, at.to_string().as_bytes()), of, out);
            }
            out.push(']');
        }
        _ => spell(value, out),
    }
}

fn digest_place(value: &Value, path: &Path, of: &Digested, out: &mut String) {
    for (rule, bits) in &of.rules.mask {
        if rule.path == *path
            && rule.applies(of.kind)
            && let Some(n) = maskable(value)
        {
            out.push_str(&format!("masked {},", n & !bits));
            return;
        }
    }
    if let Some(rule) = of.rules.allocator.as_ref().filter(|rule| of.kind.as_str() == Some(&rule.kind))
        && allocator_named(rule, of.line).is_some()
    {
        let hidden = (*path == rule.value && succeeded(of))
            || (*path == rule.status && follows(Some(value), of.line.at(&rule.value)));
        if hidden {
            out.push_str("hidden,");
            return;
        }
    }
    digest_at(value, path, false, of, out);
}

fn succeeded(of: &Digested) -> bool {
    of.rules.allocator.as_ref().is_some_and(|rule| {
        of.kind.as_str() == Some(&rule.kind)
            && allocator_named(rule, of.line).is_some()
            && returned(rule, of.line) == Returned::Success
    })
}

fn spell(value: &Value, out: &mut String) {
    match value {
        Value::Number(Number { negative, digits, exponent, far }) => {
            out.push_str(&format!("{negative} {digits} {exponent} {far:?},"));
        }
        other => out.push_str(&format!("{other:?},")),
    }
}
