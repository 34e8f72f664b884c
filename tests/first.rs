//! When `--first` is certain: each case in which something still to come could change the answer, and those in
//! which nothing could.

mod common;
mod twin;

use common::{event, header};
use forkpoint::diverge::Outcome;
use twin::library::painted;

/// Windows of a few lines: the run can stop anywhere.
const SMALL: (Option<usize>, usize) = (Some(2_000), 0);
/// Windows of hundreds of lines, and all that waits stays in memory.
const WIDE: (Option<usize>, usize) = (Some(50_000), usize::MAX);

/// Two logs being written, an event at a time.
struct Pair {
    logs: [String; 2],
    next: [[u64; 10]; 2],
}

const BOTH: [usize; 2] = [0, 1];

impl Pair {
    fn new() -> Pair {
        Pair { logs: [header("x"), header("x")], next: [[0; 10]; 2] }
    }

    /// An event of a thread on some sides.
    fn put(&mut self, sides: &[usize], thread: usize, payload: &str) -> &mut Pair {
        for side in sides {
            let ordinal = &mut self.next[*side][thread];
            self.logs[*side] += &event(&thread.to_string(), *ordinal, "call", payload);
            *ordinal += 1;
        }
        self
    }

    /// So many equal events of threads in turn.
    fn fill(&mut self, sides: &[usize], threads: &[usize], count: usize) -> &mut Pair {
        for at in 0..count {
            for thread in threads {
                self.put(sides, *thread, &format!("{{\"n\":{at}}}"));
            }
        }
        self
    }

    /// A thread parts here, on one line of both logs.
    fn part(&mut self, thread: usize) -> &mut Pair {
        self.put(&[0], thread, "\"old\"").put(&[1], thread, "\"new\"")
    }

    fn run(&self, flags: &[&str]) -> (u8, Outcome) {
        self.run_in(SMALL, flags)
    }

    fn run_in(&self, sizes: (Option<usize>, usize), flags: &[&str]) -> (u8, Outcome) {
        let [reference, candidate] = self.logs.each_ref().map(String::as_bytes);
        let (exit, _, outcome) = painted(reference, candidate, flags, sizes).unwrap();
        (exit, outcome)
    }

    /// Under `--first`: the exit code, the position in its thread, faults told, and whether the run stopped early;
    /// all but the last are those of the full run.
    fn first(&self, flags: &[&str]) -> (u8, u64, u64, bool) {
        let (exit, outcome) = self.run(&[flags, &["--first"]].concat());
        let (full_exit, full) = self.run(flags);
        let found = |outcome: &Outcome| {
            let pairing = &outcome.pairings[outcome.first.unwrap()];
            (pairing.reference.as_ref().unwrap().first_line, pairing.divergence.as_ref().unwrap().position)
        };
        assert_eq!((exit, found(&outcome)), (full_exit, found(&full)));
        let (wide_exit, wide) = self.run_in(WIDE, &[flags, &["--first"]].concat());
        assert_eq!((wide_exit, found(&wide)), (full_exit, found(&full)), "in wide windows");
        let whole = self.logs[0].len() as u64;
        (exit, found(&outcome).1, outcome.faults_total, outcome.reference.bytes < whole * 9 / 10)
    }
}

const BROKEN: &str = "{\"n\":01}";

#[test]
fn what_is_certain_is_told_at_once() {
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).part(1).fill(&BOTH, &[1, 2], 300).part(2).fill(&BOTH, &[1, 2], 5_000);
    assert_eq!(pair.first(&[]), (1, 100, 0, true));
    let (_, outcome) = pair.run(&["--first"]);
    assert!(outcome.reference.bytes < pair.logs[0].len() as u64 / 10, "{}", outcome.reference.bytes);
}

#[test]
fn an_earlier_line_that_waits_for_its_partner_may_part() {
    // Thread 2 parts on an earlier reference line, but its partner comes long after.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).put(&[0], 2, "\"old\"").part(1).fill(&BOTH, &[1], 2_000);
    pair.put(&[1], 2, "\"new\"").fill(&BOTH, &[2], 300).fill(&BOTH, &[1], 3_000);
    let (exit, _, _, stopped) = pair.first(&[]);
    assert_eq!((exit, stopped), (1, true));
    let (_, outcome) = pair.run(&["--first"]);
    assert_eq!(outcome.pairings[0].reference.as_ref().unwrap().thread.to_string(), "2");
}

#[test]
fn a_parting_whose_look_ahead_is_not_complete_is_waited_for() {
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).part(2).part(1).fill(&BOTH, &[1], 2_000);
    pair.fill(&BOTH, &[2], 300).fill(&BOTH, &[1], 3_000);
    pair.first(&[]);
    let (_, outcome) = pair.run(&["--first"]);
    assert_eq!(outcome.pairings[0].reference.as_ref().unwrap().thread.to_string(), "2");
}

#[test]
fn a_thread_without_a_partner_may_find_one_until_it_is_too_late() {
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1], 100).fill(&[0], &[7], 3).part(1).fill(&BOTH, &[1], 100_000);
    assert_eq!(pair.first(&[]), (1, 100, 0, false), "within the time");
    pair.fill(&BOTH, &[1], 150_000);
    assert_eq!(pair.first(&[]), (1, 100, 0, true), "past it");
    // It comes first if it is paired in time: at the end of the candidate's log.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1], 100).put(&[0], 7, "\"old\"").fill(&[0], &[7], 100).part(1).fill(&BOTH, &[1], 5_000);
    pair.put(&[1], 7, "\"new\"").fill(&[1], &[7], 100);
    assert_eq!(pair.first(&[]), (1, 0, 0, false));
    // Paired past it, it comes first only where no other one parts.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1], 100).put(&[0], 7, "\"old\"").fill(&[0], &[7], 100).part(1).fill(&BOTH, &[1], 150_000);
    pair.put(&[1], 7, "\"new\"").fill(&[1], &[7], 100);
    assert_eq!(pair.first(&[]).1, 100);
}

#[test]
fn under_a_map_a_partner_may_always_come() {
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1], 100).put(&[0], 2, "\"old\"").part(1).fill(&BOTH, &[1], 5_000);
    pair.put(&[1], 2, "\"new\"").fill(&BOTH, &[2, 1], 300);
    for flags in [&["--map", "same"][..], &["--map", "1=1,2=2"]] {
        assert_eq!(pair.first(flags).1, 0, "{flags:?}");
    }
    // Threads that are not compared hinder nothing; one that never comes is trouble.
    assert_eq!(pair.first(&["--map", "1=1"]), (1, 100, 0, true));
    assert_eq!(pair.first(&["--map", "1=1,8=8"]), (2, 100, 0, false));
}

#[test]
fn a_malformed_line_before_the_divergence_is_told_however_late_it_is_met() {
    // It waits for a partner on one side.
    for side in BOTH {
        let mut pair = Pair::new();
        pair.fill(&BOTH, &[1, 2], 100).fill(&[1], &[2], 2).put(&[side], 2, BROKEN).part(1).fill(&BOTH, &[1], 3_000);
        pair.fill(&[0], &[2], 2).put(&[1 - side], 2, "{}").fill(&BOTH, &[1, 2], 3_000);
        let (exit, _, faults, _) = pair.first(&[]);
        assert_eq!((exit, faults), (2, 1), "{side}");
        assert_eq!(pair.first(&["--malformed", "skip"]).2, 1, "{side}");
    }
    // It is equal on both sides, and shown because its thread parts just behind it.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).put(&BOTH, 2, BROKEN).part(1).fill(&BOTH, &[1], 2_000);
    pair.part(2).fill(&BOTH, &[1, 2], 3_000);
    let (exit, _, faults, _) = pair.first(&[]);
    assert_eq!((exit, faults), (2, 2));
    // It stands in a thread that finds no partner.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1], 100).put(&[0], 7, BROKEN).part(1).fill(&BOTH, &[1], 250_000);
    let (exit, _, faults, stopped) = pair.first(&[]);
    assert_eq!((exit, faults, stopped), (2, 1, false));
}

#[test]
fn what_stands_behind_the_divergence_is_not_told() {
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).part(1).fill(&BOTH, &[1, 2], 400);
    for far in [false, true] {
        let mut pair = Pair { logs: pair.logs.clone(), next: pair.next };
        pair.fill(&BOTH, &[1, 2], if far { 5_000 } else { 0 }).put(&[1], 2, BROKEN);
        pair.logs[0] += "garbage\n";
        assert_eq!(pair.run(&[]).0, 2);
        let (exit, outcome) = pair.run(&["--first"]);
        assert_eq!((exit, outcome.faults_total, outcome.notes.len()), (1, 0, 0), "far: {far}");
    }
}

#[test]
fn what_only_ends_is_told_from_the_end_and_decided_by_all() {
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).fill(&[0], &[1], 5).fill(&BOTH, &[2], 1_000).fill(&[0], &[3], 70);
    assert_eq!(pair.first(&[]), (1, 100, 0, false));
    // What is shown is accepted; the thread without a partner is not, although it is not shown.
    let (exit, outcome) = pair.run(&["--first", "--prefix"]);
    assert_eq!((exit, outcome.pairings.len()), (1, 1));
    assert_eq!(pair.run(&["--first", "--prefix", "--ignore-unmatched"]).0, 0);
    // Where the other log has ended, what it lacks does not come before what differs behind it.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).fill(&[0], &[2], 5).part(1).fill(&[0], &[1, 2], 5_000);
    assert_eq!(pair.first(&[]), (1, 100, 0, true));
    let (_, outcome) = pair.run(&["--first"]);
    assert_eq!(outcome.pairings[0].reference.as_ref().unwrap().thread.to_string(), "1");
    // A thread that a malformed line behind it stops does not count.
    let mut pair = Pair::new();
    pair.fill(&BOTH, &[1, 2], 100).fill(&[0], &[1], 5).fill(&BOTH, &[2], 1_000);
    pair.put(&[0], 2, BROKEN).put(&[1], 2, "{}").fill(&BOTH, &[2], 50);
    assert_eq!(pair.run(&[]).0, 2);
    let (exit, outcome) = pair.run(&["--first"]);
    assert_eq!((exit, outcome.faults_total), (1, 0));
}

#[test]
fn an_event_in_parts_waits_like_another() {
    let rules = "version = 1\nname = \"t\"\nextends = \"schema-v1\"\n[[join]]\nname = \"prefixes\"\nkinds = [\"call\"]\n\
                 first = \"/payload/pc\"\nconcat = \"/payload/bytes\"\nreason = \"one logs prefixes on their own\"\n\
                 when = { path = \"/payload/bytes\", equals = \"f3\" }\n";
    let (prefix, rest) = ("{\"pc\":1,\"bytes\":\"f3\"}", "{\"pc\":2,\"bytes\":\"a4\"}");
    for whole in ["{\"pc\":1,\"bytes\":\"f3a4\"}", "{\"pc\":1,\"bytes\":\"f3a5\"}"] {
        // Its parts are all there and the partner is not, or its last part comes late.
        for late in [false, true] {
            let mut pair = Pair::new();
            pair.fill(&BOTH, &[1, 2], 100).put(&[0], 2, prefix);
            let second: &[usize] = if late { &[] } else { &[0] };
            pair.put(second, 2, rest).part(1).fill(&BOTH, &[1], 2_000);
            pair.put(if late { &[0] } else { &[] }, 2, rest).put(&[1], 2, whole).fill(&BOTH, &[1, 2], 3_000);
            let (exit, at, faults, stopped) = pair.first(&["--profile", rules]);
            assert_eq!((exit, at, faults, stopped), (1, 100, 0, true), "{whole} {late}");
            let (_, outcome) = pair.run(&["--profile", rules, "--first"]);
            let first = if whole.contains("a5") && !late { "2" } else { "1" };
            let found = outcome.pairings[0].reference.as_ref().unwrap().thread.to_string();
            assert_eq!(found, first, "{whole} {late}");
        }
    }
}

#[test]
fn whoever_is_paired_late_hinders_nothing() {
    for (between, is_late) in [(100_000, false), (150_000, true)] {
        let mut pair = Pair::new();
        pair.fill(&BOTH, &[1], 100).fill(&[0], &[7], 80).fill(&BOTH, &[1], between).fill(&[1], &[7], 80);
        // Its partner's last events come after all others.
        pair.fill(&BOTH, &[1, 7], 100).fill(&[0], &[7], 10).part(1).fill(&BOTH, &[1], 40_000).fill(&[1], &[7], 10);
        let (exit, position, _, stopped) = pair.first(&[]);
        assert_eq!((exit, position, stopped), (1, between as u64 + 200, is_late));
    }
}
