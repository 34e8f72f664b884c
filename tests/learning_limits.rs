//! The limits of what is learned of regular lines: beyond each the exact way answers, and the answer is the same.

use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Scratch, Weighed};
use forkpoint::json::Pointer;
use forkpoint::profile::{IgnoreRule, Pattern, Profile, UnorderedRule, builtin};
use forkpoint::scan::{Opener, reopen};

/// A trace's profile; the columns are ignored, each by a rule of its own, and null stands for a missing key.
fn profile(ignored: &[&str]) -> Profile {
    let mut profile = builtin("generic").expect("it is built in");
    profile.roles.ordinal = Some(Pointer::parse("/n").expect("a pointer"));
    profile.null_equals_missing = true;
    profile.ignore.extend(ignored.iter().map(|path| IgnoreRule {
        name: (*path).to_owned(),
        kinds: Vec::new(),
        path: Pattern::parse(path).expect("a path"),
        when: Vec::new(),
        reason: String::new(),
    }));
    profile
}

/// Weighs pairs by what is learned and by the exact way alone.
struct BothWays {
    opener: Opener,
    learning: Comparer<'static>,
    exact: Comparer<'static>,
    kept: Scratch,
    other: Scratch,
}

impl BothWays {
    fn new(profile: Profile) -> BothWays {
        let profile: &Profile = Box::leak(Box::new(profile));
        BothWays {
            opener: Opener::new(profile, false),
            learning: Comparer::new(profile, false),
            exact: Comparer::new(profile, false).with_layouts(false),
            kept: Scratch::default(),
            other: Scratch::default(),
        }
    }

    /// How many rules overlooked a difference; `None` where the two differ.
    fn weigh(&mut self, reference: &str, candidate: &str) -> Option<usize> {
        let lines = [reference, candidate].map(str::as_bytes);
        let spans = lines.map(|line| reopen(&self.opener, line, 0).expect("a sound line"));
        let [x, y] = [0, 1].map(|side| event_of(&spans[side], spans[side].line_of(lines[side]), 1));
        let sorted = |mut weighed| {
            if let Weighed::EqualRead(rules) = &mut weighed {
                rules.sort_unstable();
            }
            weighed
        };
        let found = sorted(self.learning.weigh(&x, &y, &mut self.kept));
        assert_eq!(found, sorted(self.exact.weigh(&x, &y, &mut self.other)), "{reference}\n{candidate}");
        match found {
            Weighed::EqualRead(rules) => Some(rules.len()),
            Weighed::Differ { .. } => None,
            other => panic!("{other:?}: {reference}\n{candidate}"),
        }
    }
}

#[test]
fn lines_of_more_leaves_than_a_layout_has_are_not_learned() {
    for (leaves, is_learned) in [(250, true), (300, false)] {
        let mut ways = BothWays::new(profile(&["/cycles"]));
        let line = |cycles: usize, last: usize| {
            let values: String = (0..leaves).map(|at| format!("{at},")).collect();
            format!("{{\"n\":1,\"cycles\":{cycles},\"values\":[{values}{last}]}}")
        };
        for at in 10..20 {
            assert_eq!(ways.weigh(&line(at, 7), &line(at + 50, 7)), Some(1));
            assert_eq!(ways.weigh(&line(at, 7), &line(at + 50, 8)), None);
        }
        assert_eq!(ways.kept.pairs_by_layout() > 0, is_learned, "{leaves} leaves");
    }
}

#[test]
fn five_rules_at_once_are_more_than_a_mould_tells() {
    let columns = ["/a", "/b", "/c", "/d", "/e"];
    for (rules, has_mould) in [(4, true), (5, false)] {
        let mut ways = BothWays::new(profile(&columns[..rules]));
        let line = |noise: usize| {
            let values: Vec<String> =
                columns[..rules].iter().map(|name| format!("\"{}\":{noise}", &name[1..])).collect();
            format!("{{\"n\":1,{}}}", values.join(","))
        };
        for at in 100..150 {
            assert_eq!(ways.weigh(&line(at), &line(at + 500)), Some(rules));
        }
        assert_eq!(ways.kept.pairs_by_mould() > 0, has_mould, "{rules} rules");
        assert!(ways.kept.pairs_by_layout() > 40);
    }
}

#[test]
fn more_widths_than_there_are_moulds_go_along_their_layout() {
    let mut ways = BothWays::new(profile(&["/cycles"]));
    let line = |widths: [usize; 4], cycles: usize, last: char| {
        let [a, b, c, d] = widths.map(|width| "x".repeat(width));
        format!("{{\"n\":1,\"a\":\"{a}\",\"b\":\"{b}\",\"c\":\"{c}\",\"cycles\":{cycles},\"d\":\"{d}{last}\"}}")
    };
    // Five times what fits, and more than is ever tried.
    for at in 0..12 * 12 * 12 * 12 {
        let widths = [at % 12, at / 12 % 12, at / 144 % 12, at / 1728];
        assert_eq!(ways.weigh(&line(widths, 10, 'y'), &line(widths, 20, 'y')), Some(1));
        if at % 50 == 0 {
            assert_eq!(ways.weigh(&line(widths, 10, 'y'), &line(widths, 20, 'z')), None);
        }
    }
    assert!(ways.kept.pairs_by_layout() > 20_000);
    // What is known stays known, and no more of it comes.
    for (widths, is_known) in [([5, 0, 0, 0], true), ([11; 4], false)] {
        let before = ways.kept.pairs_by_mould();
        for cycles in 30..40 {
            assert_eq!(ways.weigh(&line(widths, cycles, 'y'), &line(widths, cycles + 20, 'y')), Some(1));
        }
        assert_eq!(ways.kept.pairs_by_mould() - before, if is_known { 10 } else { 0 }, "{widths:?}");
    }
}

#[test]
fn more_layouts_against_each_other_than_are_kept_are_weighed_the_exact_way() {
    let mut ways = BothWays::new(profile(&[]));
    let line = |key: usize, value: usize| format!("{{\"n\":1,\"value\":{value},\"k{key}\":null}}");
    let round = |ways: &mut BothWays| {
        for at in 0..30 * 30 {
            let (x, y) = (at % 30, at / 30);
            if x == y {
                continue;
            }
            assert_eq!(ways.weigh(&line(x, 7), &line(y, 7)), Some(1));
            if at % 7 == 0 {
                assert_eq!(ways.weigh(&line(x, 7), &line(y, 8)), None);
            }
        }
    };
    round(&mut ways);
    let first = ways.kept.pairs_by_layout();
    round(&mut ways);
    let second = ways.kept.pairs_by_layout() - first;
    assert!((400..=30 * 29 - 100).contains(&second), "{second} of {} pairs", 30 * 29);
    // Until nothing is tried any more; what is known goes on, and new lines are not learned.
    (0..14).for_each(|_| round(&mut ways));
    let before = ways.kept.pairs_by_layout();
    for at in 0..10 {
        assert_eq!(ways.weigh(&line(100, at), &line(101, at)), Some(1));
    }
    assert_eq!(ways.kept.pairs_by_layout(), before);
    round(&mut ways);
    assert_eq!(ways.kept.pairs_by_layout() - before, second);
}

#[test]
fn a_rule_for_arrays_says_nothing_of_other_values_and_none_is_learned_there() {
    let mut unordered = profile(&["/cycles"]);
    unordered.unordered.push(UnorderedRule {
        name: "any-order".to_owned(),
        kinds: Vec::new(),
        path: Pattern::parse("/list").expect("a path"),
        when: Vec::new(),
        by: None,
        reason: String::new(),
    });
    let mut ways = BothWays::new(unordered);
    let line = |cycles: usize, list: &str| format!("{{\"n\":1,\"cycles\":{cycles},\"list\":{list}}}");
    for at in 10..20 {
        assert_eq!(ways.weigh(&line(at, "\"a\""), &line(at + 50, "\"a\"")), Some(1));
        assert_eq!(ways.weigh(&line(at, "\"a\""), &line(at + 50, "\"b\"")), None);
        assert_eq!(ways.weigh(&line(at, "[1,2]"), &line(at + 50, "[2,1]")), Some(2));
    }
    assert_eq!(ways.kept.pairs_by_layout(), 0);
}
