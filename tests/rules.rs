//! Rules of every class over random pairs of events: the exact way, the short way and the twin say the same; equal
//! events have equal digests; a rule never makes equal values differ, and taking one out never hides a difference.
//!
//! `FORKPOINT_CASES` and `FORKPOINT_SEED` as in `property_diff`.

mod twin;

use std::collections::BTreeMap;

use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Scratch};
use forkpoint::profile::{Does, Profile, parse};
use forkpoint::scan::{Opener, reopen};
use twin::held::{hold, ruled};
use twin::ruled::lines;
use twin::shapes::Rng;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The class of a rule.
fn class(profile: &Profile, name: &str) -> &'static str {
    let does = profile.value_rules().find(|(_, rule)| rule.name == name).map(|(_, rule)| rule.does);
    match does {
        None => "null",
        Some(Does::Ignore) => "ignore",
        Some(Does::Mask(_)) => "mask",
        Some(Does::Tolerance(_)) => "tolerance",
        Some(Does::Unordered(None)) => "unordered",
        Some(Does::Unordered(Some(_))) => "unordered by key",
        Some(Does::Spelling(_)) => "spelling",
        Some(Does::Offset(_)) => "offset",
    }
}

#[test]
fn all_ways_say_the_same_under_rules_of_every_class() {
    let (first, cases) = (number("FORKPOINT_SEED", 1), number("FORKPOINT_CASES", 1500));
    let (mut equal, mut short, mut pairs) = (0, 0, 0);
    let mut overlooked: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in first..first + cases {
        let rng = &mut Rng::new(seed);
        let inside = rng.chance(50);
        let (profile, rules) = ruled(inside, rng);
        for _ in 0..6 {
            let lines = lines(inside, rng);
            let shown = std::panic::catch_unwind(|| hold(&profile, &rules, [lines[0].as_bytes(), lines[1].as_bytes()]));
            let Ok(shown) = shown else {
                panic!("seed {seed}\n{}\n{}\n{}", lines[0], lines[1], forkpoint::profile::show(&profile))
            };
            let shown = shown.unwrap_or_else(|| panic!("seed {seed}: a sound line\n{}\n{}", lines[0], lines[1]));
            pairs += 1;
            equal += u64::from(shown.equal);
            short += u64::from(shown.short);
            for name in &shown.overlooked {
                *overlooked.entry(class(&profile, name)).or_default() += 1;
            }
        }
    }
    // Every class overlooked something, and both ways were gone.
    let least = cases / 100;
    for class in ["ignore", "mask", "tolerance", "unordered", "unordered by key", "spelling", "offset"] {
        assert!(
            overlooked.get(class).copied().unwrap_or(0) >= least,
            "{class}: {overlooked:?} of {equal} of {pairs} pairs"
        );
    }
    assert!(
        short > pairs / 50 && equal > pairs / 5 && equal < pairs * 9 / 10,
        "{short} short, {equal} equal of {pairs}"
    );
}

#[test]
fn of_marked_events_only_kinds_count_where_digests_alone_decide_nothing() {
    let text = "version = 1\nname = \"t\"\n[roles]\nkind = \"/op\"\nnondeterministic = { path = \"/sure\", equals = false }\n\
                [[tolerance]]\nname = \"about\"\npath = \"/x\"\nabsolute = 1\nreason = \"rounding\"\n";
    let profile = parse(text, "t.toml").unwrap_or_else(|error| panic!("{error}"));
    let (marked, sure) = (r#"{"op":"a","sure":false,"x":1}"#, r#"{"op":"a","sure":true,"x":1}"#);
    let far = r#"{"op":"a","sure":true,"x":9}"#;
    for (lines, skip, wanted) in [
        ([sure, far], false, false),
        ([sure, far], true, false),
        ([marked, far], false, false),
        ([marked, far], true, true),
        ([far, marked], true, true),
        ([sure, sure], true, true),
    ] {
        let (opener, comparer) = (Opener::new(&profile, skip), Comparer::new(&profile, skip));
        assert!(!comparer.digests_decide());
        let spans = lines.map(|line| reopen(&opener, line.as_bytes(), 0).expect("a sound line"));
        let [x, y] = [0, 1].map(|side| event_of(&spans[side], spans[side].line_of(lines[side].as_bytes()), 1));
        assert_eq!(comparer.confirms(&x, &y, &mut Scratch::default()), wanted, "{lines:?} {skip}");
    }
}
