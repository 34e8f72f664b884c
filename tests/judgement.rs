//! What `make show-judgement` counts with: a few of its traces.
#![cfg(feature = "cli")]

// Not everything the examples offer is used here.
#[allow(dead_code, unused_imports)]
#[path = "../examples/generate/mod.rs"]
mod generate;
#[allow(dead_code, unused_imports)]
#[path = "../examples/show/mod.rs"]
mod show;

use show::{Program, Room, judgement};

fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_forkpoint").into() }
}

#[test]
fn loops_are_no_false_resync() {
    let room = Room::new(None).unwrap();
    let wrong = judgement::show(&program(), &room, &judgement::Asked { traces: 24 }).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn planted_mentions_are_found() {
    let room = Room::new(None).unwrap();
    let asked = show::origin::Asked { cases: 24, size: 0, rounds: 0 };
    let wrong = show::origin::show(&program(), &room, &asked).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
