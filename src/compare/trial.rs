//! What the tests of this room share: two lines weighed by every way there is.

use super::{Comparer, DIFFERENCES_LISTED_MAX, Event, Scratch, Weighed};
use crate::profile::{PayloadRole, Profile};

/// A line as an event: its kind and payload are looked for by their keys, which stand nowhere else.
pub(super) fn event<'l>(profile: &Profile, line: &'l str) -> Event<'l> {
    let value = |key: &str| line.find(&format!("\"{key}\":")).map(|at| at + key.len() + 3);
    let kind = match value(if line.contains("\"kind\":") { "kind" } else { "k" }) {
        Some(at) => &line[at..at + line[at..].find([',', '}']).unwrap()],
        None => "",
    };
    let (tail, payload_missing) = match (&profile.roles.payload, value("payload")) {
        (PayloadRole::Whole, _) => (line, false),
        (PayloadRole::At(_), Some(at)) => (&line[at..line.len() - 1], false),
        (PayloadRole::At(_), None) => ("", true),
    };
    Event {
        line: line.as_bytes(),
        kind: kind.as_bytes(),
        ordinal: None,
        tail: tail.as_bytes(),
        payload_missing,
        nondeterministic: false,
        head_is_strict: false,
        must_read: false,
        number: 0,
    }
}

/// A profile of rules on whole lines of the kind role `/k`.
pub(super) fn ruled(rules: &str) -> Profile {
    let text = format!("version = 1\nroles.kind = \"/k\"\n{rules}");
    crate::profile::parse(&text, "trial.toml").unwrap_or_else(|error| panic!("{error}"))
}

/// As [`differing`], both ways; equal lines have equal digests.
#[track_caller]
pub(super) fn assert_differing(profile: &Profile, a: &str, b: &str, places: &[&str]) {
    assert_eq!(differing(profile, a, b).0, places, "{a} {b}");
    let back = differing(profile, b, a).1;
    assert_eq!(back > 0, !places.is_empty(), "{b} {a}");
    let (comparer, mut scratch) = (Comparer::new(profile, false), Scratch::default());
    let digests = [a, b].map(|line| comparer.digest(0, &event(profile, line), &mut scratch).unwrap());
    assert!(digests[0] == digests[1] || !places.is_empty(), "digests of {a} {b}");
    let told = comparer.confirms(&event(profile, a), &event(profile, b), &mut scratch) && digests[0] == digests[1];
    assert_eq!(told, places.is_empty(), "digest and confirmation of {a} {b}");
}

/// As [`differing`], where the digests tell the lines apart if they differ.
pub(super) fn differing_in_digest(profile: &Profile, a: &str, b: &str) -> (Vec<String>, u64) {
    let (comparer, mut scratch) = (Comparer::new(profile, false), Scratch::default());
    let digests = [a, b].map(|line| comparer.digest(0, &event(profile, line), &mut scratch).unwrap());
    let found = differing(profile, a, b);
    assert_eq!(digests[0] == digests[1], found.1 == 0, "digests of {a} {b}");
    found
}

/// Where two lines differ, and in how many places in all. Weighing says the same by every way.
pub(super) fn differing(profile: &Profile, a: &str, b: &str) -> (Vec<String>, u64) {
    let (x, y, mut scratch) = (event(profile, a), event(profile, b), Scratch::default());
    let comparer = Comparer::new(profile, false);
    let found = comparer.differences(&x, &y, &mut scratch).unwrap();
    assert_eq!(found.listed.len() as u64, found.total.min(DIFFERENCES_LISTED_MAX as u64), "{a} {b}");
    for layouts in [false, true] {
        let comparer = Comparer::new(profile, false).with_layouts(layouts);
        for _ in 0..3 {
            let weighed = comparer.weigh(&x, &y, &mut scratch);
            let is_equal = matches!(weighed, Weighed::EqualByBytes | Weighed::EqualRead(_));
            assert_eq!(is_equal, found.total == 0, "{a} {b}");
        }
    }
    (found.listed.iter().map(|difference| difference.path.to_string()).collect(), found.total)
}
