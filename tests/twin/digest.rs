//! Digests of events as texts: equal texts where two events may be equal under the rules (ordinals aside).

use super::equal::{Returned, allocator_named, child, follows, maskable, payload, returned};
use super::json::{Number, Value};
use super::objects::{Identity, meanings, number};
use super::rules::{Asked, Class, Field, Path, Rules, Step};

/// The digest of an event whose payload is not compared.
pub fn digest_of_kind(kind: &Value) -> String {
    let mut out = String::new();
    spell(kind, &mut out);
    out
}

/// Kind and payload under the rules as a text.
pub fn digest(line: &Value, kind: &Value, rules: &Rules) -> String {
    digest_among(line, kind, rules, None)
}

/// Whether a value means an object of these rules.
pub type Means<'a> = &'a dyn Fn(u64, bool, &[usize]) -> bool;

/// The same, where it is known what values mean; else any that may mean an object does.
pub fn digest_among(line: &Value, kind: &Value, rules: &Rules, means: Option<Means<'_>>) -> String {
    let mut out = String::new();
    spell(kind, &mut out);
    let (value, path) = payload(line, rules);
    let place: Vec<Step> = path.iter().fold(Vec::new(), |place, name| child(&place, name.as_bytes()));
    let of = Digested { line, kind, rules, means };
    match value.filter(|value| !value.is_null()).unwrap_or(Value::Object(Vec::new())) {
        Value::Object(members) => digest_members(&members, &place, true, &of, &mut out),
        value => digest_place(&value, &place, &of, &mut out),
    }
    out
}

struct Digested<'a> {
    line: &'a Value,
    kind: &'a Value,
    rules: &'a Rules,
    means: Option<Means<'a>>,
}

/// What is known of a rule with only one line of a pair at hand.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Holds,
    Fails,
    /// The other line may say otherwise and be equal all the same.
    Open,
}

impl Digested<'_> {
    fn known(&self, rule: &Field) -> Known {
        if rule.applies(self.kind) { self.known_when(&rule.when) } else { Known::Fails }
    }

    fn known_when(&self, when: &[Asked]) -> Known {
        match () {
            () if !when.iter().all(|asked| self.is_compared(&asked.path)) => Known::Open,
            () if when.iter().all(|asked| asked.is_so(self.line)) => Known::Holds,
            () => Known::Fails,
        }
    }

    /// Whether events that differ at a path always differ.
    fn is_compared(&self, path: &Path) -> bool {
        let rules = self.rules;
        if rules.kind.as_ref() == Some(path) {
            return true;
        }
        let near = |other: &Path| other.iter().zip(path).all(|(a, b)| a == b);
        let inside = match &rules.payload {
            Some(payload) => path.starts_with(payload),
            None => !rules.walked(true).iter().any(|(_, role)| near(role)),
        };
        let reached =
            |rule: &Field| rule.path.iter().zip(path).all(|(step, name)| step.as_ref().is_none_or(|step| step == name));
        let returned = rules.allocator.as_ref().is_some_and(|rule| near(&rule.value) || near(&rule.status));
        let means = |identity: &Identity| identity.uses.iter().any(reached);
        inside && !returned && !rules.fields().any(reached) && !rules.identity.iter().any(means)
    }

    fn is_left_out(&self, place: &[Step]) -> bool {
        self.rules.ignore.iter().any(|rule| rule.reaches(place) && self.known(rule) != Known::Fails)
    }
}

/// Lines nest deep, so what goes down keeps its frame small.
fn digest_place(value: &Value, path: &[Step], of: &Digested, out: &mut String) {
    match value {
        Value::Object(members) => digest_members(members, path, false, of, out),
        Value::Array(items) => digest_items(items, path, of, out),
        _ => digest_scalar(value, path, of, out),
    }
}

fn digest_members(members: &[(Vec<u8>, Value)], path: &[Step], top: bool, of: &Digested, out: &mut String) {
    let mut sorted: Vec<&(Vec<u8>, Value)> = members.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    out.push('{');
    for (key, inner) in sorted {
        let place = child(path, key);
        let missing = top && of.rules.null_equals_missing && inner.is_null();
        if !missing && !of.is_left_out(&place) {
            push_key(key, out);
            digest_place(inner, &place, of, out);
        }
    }
    if top && succeeded(of) {
        out.push_str("success");
    }
    out.push('}');
}

fn push_key(key: &[u8], out: &mut String) {
    out.push_str(&format!("{key:?}:"));
}

fn digest_items(items: &[Value], path: &[Step], of: &Digested, out: &mut String) {
    let known = order_counts(path, of);
    if known == Known::Open {
        return out.push_str("some array,");
    }
    let mut parts = Vec::new();
    for (at, inner) in items.iter().enumerate() {
        let mut place = child(path, at.to_string().as_bytes());
        place.last_mut().expect("it has a step").free = known == Known::Fails;
        if !of.is_left_out(&place) {
            let mut part = if known == Known::Holds { format!("{at}:") } else { String::new() };
            digest_place(inner, &place, of, &mut part);
            parts.push(part);
        }
    }
    if known == Known::Fails {
        parts.sort();
    }
    out.push('[');
    out.push_str(&parts.join(";"));
    out.push(']');
}

/// Whether the order of an array counts.
fn order_counts(path: &[Step], of: &Digested) -> Known {
    let free =
        of.rules.others.iter().filter(|(rule, class)| matches!(class, Class::Unordered { .. }) && rule.reaches(path));
    let known: Vec<Known> = free.map(|(rule, _)| of.known(rule)).collect();
    match () {
        () if known.contains(&Known::Holds) => Known::Fails,
        () if known.contains(&Known::Open) => Known::Open,
        () => Known::Holds,
    }
}

fn digest_scalar(value: &Value, path: &[Step], of: &Digested, out: &mut String) {
    let mut found = Vec::new();
    for (rule, bits) in of.rules.mask.iter().filter(|(rule, _)| rule.reaches(path)) {
        found.push((of.known(rule), maskable(value).map(|(text, n)| format!("masked {text} {},", n & !bits))));
    }
    let names = super::equal::names(path);
    if let Some(rule) = of.rules.allocator.as_ref().filter(|rule| of.kind.as_str() == Some(&rule.kind)) {
        let of_allocator = allocator_named(rule, of.line).is_some();
        if names == rule.value {
            found.push((Known::Holds, (of_allocator && succeeded(of)).then(|| "hidden,".to_owned())));
        }
        if names == rule.status {
            let follows = of_allocator && follows(Some(value), of.line.at(&rule.value));
            found.push((Known::Holds, follows.then(|| "hidden,".to_owned())));
        }
    }
    for (rule, class) in of.rules.others.iter().filter(|(rule, _)| rule.reaches(path)) {
        if !matches!(class, Class::Unordered { .. }) {
            found.push((of.known(rule), super::alike::digest(class, value)));
        }
    }
    for (when, rules, own) in meanings(of.rules, of.kind, path) {
        let known = when.map_or(Known::Holds, |when| of.known_when(when));
        let means = number(value).is_some_and(|value| of.means.is_none_or(|means| means(value, own, &rules)));
        found.push((known, means.then(|| "some object,".to_owned())));
    }
    found.retain(|(known, _)| *known != Known::Fails);
    match &found[..] {
        [] | [(Known::Holds, None)] => spell(value, out),
        [(Known::Holds, Some(text))] => out.push_str(text),
        _ => out.push_str("some scalar,"),
    }
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
