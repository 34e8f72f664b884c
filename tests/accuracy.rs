//! What `make accuracy` counts with: some dozens of its pairs, its own judgement, and the peers that are installed.
#![cfg(feature = "cli")]

// Not everything the examples offer is used here.
#[allow(dead_code, unused_imports)]
#[path = "../examples/generate/mod.rs"]
mod generate;
#[allow(dead_code, unused_imports)]
#[path = "../examples/show/mod.rs"]
mod show;

use std::path::{Path, PathBuf};

use generate::pair::Target;
use generate::{Diverge, EditKind, Options, Pair, Size, Tids};
use serde_json::Value;
use show::accuracy::peers::{Scripts, Task, Toolbox};
use show::accuracy::place::{First, Said};
use show::accuracy::story::{Lines, Story};
use show::accuracy::{Asked, forkpoint, misses, plan, real, score, seeded};
use show::{Program, Room};

fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_forkpoint").into() }
}

fn asked(pairs: u64) -> Asked {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/show/accuracy");
    Asked { pairs, first: 1, shifted: false, scripts, python: "python3".to_owned(), keep: None }
}

fn toolbox(asked: &Asked) -> Toolbox {
    let toolbox = Toolbox::open(&Scripts { folder: &asked.scripts.join("peers"), python: &asked.python });
    toolbox.skipped.iter().for_each(|(name, why)| println!("skipped: {name} ({why})"));
    toolbox
}

/// A pair on disk.
struct Made {
    logs: [PathBuf; 2],
    story: Story,
    first: Option<First>,
}

fn make(room: &Room, diverge: &[(usize, u64, EditKind)]) -> Made {
    let diverge =
        diverge.iter().map(|(thread, position, kind)| Diverge { thread: *thread, position: *position, kind: *kind });
    let options = Options {
        size: Size::Events(3_000),
        threads: 4,
        tids: Tids::Same,
        diverge: diverge.collect(),
        ..Options::default()
    };
    let logs = ["a.jsonl", "b.jsonl"].map(|name| room.path(name));
    let pair = Pair::new(options).unwrap();
    let written = pair.write(&Target::File(logs[0].clone()), &Target::File(logs[1].clone())).unwrap();
    let story = Story::new(&pair.truth(&written.0, &written.1), None).unwrap();
    let lines = [0, 1].map(|side| Lines::read(&std::fs::read_to_string(&logs[side]).unwrap()).unwrap());
    let first = story.first(&lines);
    Made { logs, story, first }
}

#[test]
fn some_dozens_of_pairs_are_told_rightly() {
    // Among them threads whose first event is another or missing.
    let (room, asked) = (Room::new(None).unwrap(), Asked { first: 29, ..asked(28) });
    let outcome = seeded::run(&program(), &room, &asked, &mut toolbox(&asked)).unwrap();
    assert_eq!(seeded::wrong(&outcome), [""; 0]);
    let tally = &outcome.forkpoint;
    assert_eq!(tally.same.of + tally.event.of, 28);
    assert_eq!(tally.by_kind.len(), 10, "every kind that is known, and none: {:?}", tally.by_kind);
    assert!(outcome.pairing.right > 50);
}

/// Each side's own heap addresses and handles in arguments: identity rules tell them from wrong ones.
#[test]
fn some_dozens_of_pairs_with_arguments_of_their_own_are_told_rightly() {
    let (room, asked) = (Room::new(None).unwrap(), Asked { first: 29, shifted: true, ..asked(28) });
    let outcome = seeded::run(&program(), &room, &asked, &mut toolbox(&asked)).unwrap();
    assert_eq!(seeded::wrong(&outcome), [""; 0]);
    assert_eq!(outcome.forkpoint.same.of + outcome.forkpoint.event.of, 28);
}

#[test]
fn plans_reach_every_dimension() {
    let plans: Vec<_> = (1..=900).map(|seed| plan::plan(seed, false).unwrap()).collect();
    let any = |is: &dyn Fn(&Options) -> bool| plans.iter().filter(|planned| is(&planned.options)).count();
    for (name, kind) in EditKind::ALL {
        assert!(any(&|options| options.diverge.first().is_some_and(|edit| edit.kind == kind)) > 20, "{name}");
    }
    assert!(any(&|options| options.diverge.is_empty()) > 20);
    assert!(any(&|options| options.diverge.len() > 1) > 20);
    for threads in [2, 16, 200] {
        assert!(any(&|options| options.lanes() == threads) > 20, "{threads}");
    }
    assert!(any(&|options| options.generations) > 10);
    assert!(any(&|options| options.alike.is_some() && options.workers > 0) > 10);
    assert!(plans.iter().filter(|planned| planned.alike_from.is_some()).count() > 10);
    assert!(plan::plan(7, true).unwrap().options.shifted);
}

#[test]
fn wrong_answers_are_seen() {
    let room = Room::new(None).unwrap();
    let made = make(&room, &[(1, 200, EditKind::Value), (2, 400, EditKind::Missing)]);
    let first = made.first.as_ref().unwrap();
    let judge = |flags: &[&str]| {
        let report = program().diff(flags, &made.logs[0], &made.logs[1]).unwrap().report().unwrap();
        let marks = score::marks(&forkpoint::said(&report), Some(first), |_| true);
        let missed = misses::misses(&made.story, &report, marks);
        (marks, forkpoint::pairing(&made.story, &report), missed)
    };
    let (marks, pairing, missed) = judge(&[]);
    assert!(marks.event && marks.kind && missed.is_empty());
    assert_eq!((pairing.threads, pairing.right, pairing.silent), (4, 4, 0));
    // Two threads taken for each other, and two left out.
    let (marks, pairing, missed) = judge(&["--map", "100=101,101=100"]);
    assert!(!marks.event);
    assert_eq!((pairing.right, pairing.silent), (0, 2));
    assert_eq!(missed.iter().filter(|miss| miss.is_fatal).count(), 3);
    // The thread that parts first is not looked at.
    let (marks, pairing, missed) = judge(&["--map", "100=100,102=102,103=103"]);
    assert!(!marks.event && missed.iter().any(|miss| miss.is_fatal && miss.why.is_none()));
    assert_eq!((pairing.right, pairing.silent), (3, 0));
}

/// The line at which each tool that is installed sees the two part, and as what.
fn told(logs: &[PathBuf; 2], map: &str, room: &Room) -> Vec<(&'static str, Said)> {
    let scratch = room.folder("peers").unwrap();
    let task = Task { reference: &logs[0], candidate: &logs[1], map, scratch: &scratch };
    let mut toolbox = toolbox(&asked(0));
    toolbox.tools.iter_mut().map(|tool| (tool.name, tool.ask(&task).unwrap())).collect()
}

#[test]
fn peers_say_what_they_can_see() {
    let room = Room::new(None).unwrap();
    for (kind, blind) in [
        (EditKind::Value, None),
        (EditKind::Kind, None),
        (EditKind::EndedEarly, None),
        // Ordinals are what jq leaves out.
        (EditKind::Ordinal, Some("jq + diff")),
    ] {
        let made = make(&room, &[(1, 200, kind)]);
        let first = made.first.as_ref().unwrap();
        for (name, said) in told(&made.logs, &made.story.map(), &room) {
            let marks = score::marks(&said, Some(first), |_| false);
            let sees = blind != Some(name) && !["cmp", "diff"].contains(&name);
            assert_eq!((marks.event, marks.kind), (sees, sees), "{name}, {kind:?}: {said:?}");
        }
    }
    let made = make(&room, &[]);
    for (name, said) in told(&made.logs, &made.story.map(), &room) {
        assert_eq!(said == Said::Same, !["cmp", "diff"].contains(&name), "{name}: {said:?}");
    }
}

#[test]
fn cmp_and_diff_are_read_rightly() {
    let room = Room::new(None).unwrap();
    let parts = |lines, kind: Option<&str>| Said::Parts { lines, kind: kind.map(str::to_owned) };
    let cases = [
        ("a\nb\nc\n", "a\nb\nc\n", Said::Same, Said::Same),
        ("a\nb\nc\n", "a\nx\nc\n", parts([Some(2), None], None), parts([Some(2), Some(2)], Some("value"))),
        ("a\nb\nc\n", "a\nc\n", parts([Some(2), None], None), parts([Some(2), None], Some("missing"))),
        ("a\nc\n", "a\nb\nc\n", parts([Some(2), None], None), parts([None, Some(2)], Some("extra"))),
        ("a\nb\n", "a\n", parts([Some(2), None], None), parts([Some(2), None], Some("missing"))),
        ("a\n", "a\nb\nc\n", parts([None, Some(2)], None), parts([None, Some(2)], Some("extra"))),
        ("a\nbb\n", "a\nb", parts([Some(2), None], None), parts([Some(2), Some(2)], Some("value"))),
    ];
    for (reference, candidate, cmp, diff) in cases {
        let logs =
            [("a.txt", reference), ("b.txt", candidate)].map(|(name, text)| room.write(name, text.as_bytes()).unwrap());
        let scratch = room.folder("peers").unwrap();
        let task = Task { reference: &logs[0], candidate: &logs[1], map: "", scratch: &scratch };
        for tool in &mut toolbox(&asked(0)).tools {
            match tool.name {
                "cmp" => assert_eq!(tool.ask(&task).unwrap(), cmp, "{reference:?} {candidate:?}"),
                "diff" => assert_eq!(tool.ask(&task).unwrap(), diff, "{reference:?} {candidate:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn real_pairs_that_can_be_had_part_where_their_scripts_say() {
    let room = Room::new(None).unwrap();
    assert_eq!(real::show(&program(), &room, &asked(0)).unwrap(), [""; 0]);
}

#[test]
fn lines_know_their_lanes() {
    let event = |tid: &str, ordinal: u64, kind: &str| {
        let value: Value = serde_json::json!({ "kind": kind, "tid": serde_json::from_str::<Value>(tid).unwrap(),
            "tid_event_idx": ordinal, "payload": {} });
        format!("{value}\n")
    };
    let text = [
        "{\"kind\":\"schema_version\",\"schema_version\":1}\n".to_owned(),
        event("6", 0, "a"),
        event("\"6\"", 0, "a"),
        event("6", 1, "thread.exit"),
        event("6", 0, "a"),
        event("\"6\"", 3, "a"),
        event("\"6\"", 0, "a"),
    ];
    let lines = Lines::read(&text.concat()).unwrap();
    let lane = |tid: &str, generation| (tid.to_owned(), generation);
    assert_eq!(lines.lane(1), None);
    assert_eq!(lines.lane(4), Some(&lane("6", 0)));
    assert_eq!(lines.lane(5), Some(&lane("6", 1)));
    assert_eq!(lines.line(&lane("\"6\"", 0), 1), Some(6));
    assert_eq!(lines.line(&lane("\"6\"", 1), 0), Some(7));
    assert_eq!(lines.line(&lane("6", 1), 1), None);
}
