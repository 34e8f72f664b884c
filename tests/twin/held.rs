//! Two events under the rules of a profile: the exact way, the short way and the twin say the same.

use super::digest::digest;
use super::equal::weigh;
use super::json::{Value, parse};
use super::ruled::{EVENT, EVENT_INSIDE, from_toml, profile};
use super::rules::{Rules, path};
use super::shapes::Rng;
use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Event, Scratch, Weighed};
use forkpoint::profile::{Overrides, Profile, parse as parse_profile};
use forkpoint::scan::{Opener, reopen};

/// What a pair of events showed.
#[derive(Debug, Default)]
pub struct Shown {
    pub equal: bool,
    pub overlooked: Vec<String>,
    /// Judged along learned layouts.
    pub short: bool,
}

/// A random profile for single events, as the program and as the twin read it.
pub fn ruled(inside: bool, rng: &mut Rng) -> (Profile, Rules) {
    let text = profile(if inside { &EVENT_INSIDE } else { &EVENT }, rng);
    let read = parse_profile(&text, "random.toml").unwrap_or_else(|error| panic!("{error}"));
    let payload = inside.then(|| "/data".to_owned());
    let flags = Overrides { kind: Some("/op".into()), payload, ..Overrides::default() };
    let mut rules = from_toml(&text);
    (rules.kind, rules.payload) = (Some(path("/op")), inside.then(|| path("/data")));
    (flags.apply(read).expect("the rules stay"), rules)
}

/// Holds all ways against each other; `None` where a line cannot be read.
///
/// # Panics
/// They disagree, equal events have two digests, or a rule hides nothing when it is there but would when it is not.
pub fn hold(profile: &Profile, rules: &Rules, lines: [&[u8]; 2]) -> Option<Shown> {
    let told = || lines.map(String::from_utf8_lossy).join("\n");
    let opener = Opener::new(profile, false);
    let [Ok(left), Ok(right)] = lines.map(|line| reopen(&opener, line, 0)) else { return None };
    let spans = [left, right];
    let [x, y] = [0, 1].map(|side| event_of(&spans[side], spans[side].line_of(lines[side]), 1));
    let [Ok(a), Ok(b)] = [x.line, y.line].map(parse) else { return None };
    let exact = Comparer::new(profile, false).with_layouts(false);
    let mut scratch = Scratch::default();
    if !exact.same_kind(&x, &y) || x.ordinal != y.ordinal {
        return None;
    }
    let weighed = sorted(exact.weigh(&x, &y, &mut scratch));
    if matches!(weighed, Weighed::Malformed { .. }) {
        return None;
    }
    let short = Comparer::new(profile, false);
    let mut kept = Scratch::default();
    for _ in 0..3 {
        assert_eq!(sorted(short.weigh(&x, &y, &mut kept)), weighed, "the short way\n{}", told());
    }
    let equal = !matches!(weighed, Weighed::Differ { .. });
    let mut numbers = Vec::new();
    if let Weighed::EqualRead(rules) = &weighed {
        numbers.extend(rules.iter().map(|rule| usize::from(*rule)));
    }
    let kind = rules.kind.as_ref().and_then(|path| a.at(path)).cloned().unwrap_or(Value::Null);
    if weighed != Weighed::EqualByBytes {
        as_the_twin(profile, rules, [&a, &b], &kind, [&x, &y], &numbers);
    }
    // Of equal bytes neither line was read: a role's key may stand twice in one.
    let digests = [&x, &y].map(|event| exact.digest(0, event, &mut scratch));
    let [Ok(first), Ok(second)] = digests else { return None };
    let digests = [first, second];
    let theirs = [&a, &b].map(|line| digest(line, &kind, rules));
    assert_eq!(digests[0] == digests[1], theirs[0] == theirs[1], "digests {theirs:?}\n{}", told());
    let confirmed = digests[0] == digests[1] && exact.confirms(&x, &y, &mut scratch);
    assert_eq!(confirmed, equal, "confirmed by {theirs:?}\n{}", told());
    let names = profile.rule_names();
    for name in &names[1..] {
        let mut less = profile.clone();
        less.retain_rules(|other| other != *name);
        let without = Comparer::new(&less, false).with_layouts(false).weigh(&x, &y, &mut scratch);
        let hidden = !matches!(without, Weighed::Differ { .. }) && !equal;
        assert!(!hidden, "without {name} they are equal\n{}", told());
    }
    let overlooked = numbers.into_iter().map(|number| names[number].to_owned()).collect();
    Some(Shown { equal, overlooked, short: kept.pairs_by_layout() > 0 })
}

/// What differs, and what was overlooked, is what the twin says.
fn as_the_twin(
    profile: &Profile,
    rules: &Rules,
    lines: [&Value; 2],
    kind: &Value,
    [x, y]: [&Event<'_>; 2],
    numbers: &[usize],
) {
    let told = || [x.line, y.line].map(String::from_utf8_lossy).join("\n");
    let theirs = weigh(lines, kind, rules);
    let found = Comparer::new(profile, false).differences(x, y, &mut Scratch::default()).expect("it was read");
    let mut paths: Vec<Vec<String>> = found.listed.iter().map(|difference| difference.path.tokens().to_vec()).collect();
    let mut their_paths: Vec<Vec<String>> =
        theirs.differences.iter().map(|difference| difference.path.clone()).collect();
    paths.sort();
    their_paths.sort();
    if found.total as usize == paths.len() {
        assert_eq!(paths, their_paths, "places\n{}", told());
    }
    assert_eq!(found.total as usize, their_paths.len(), "how many places\n{}", told());
    if their_paths.is_empty() {
        assert_eq!(numbers, theirs.overlooked.into_iter().collect::<Vec<_>>(), "overlooked\n{}", told());
    }
}

fn sorted(weighed: Weighed) -> Weighed {
    match weighed {
        Weighed::EqualRead(mut rules) => {
            rules.sort_unstable();
            Weighed::EqualRead(rules)
        }
        other => other,
    }
}
