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
fn no_loop_is_a_resync_and_the_culprit_leads() {
    let room = Room::new(None).unwrap();
    let wrong = judgement::show(&program(), &room, &judgement::Asked { traces: 24, plays: 20, pools: 0 }).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_pool_of_workers_is_no_certainty() {
    let room = Room::new(None).unwrap();
    let wrong = judgement::show(&program(), &room, &judgement::Asked { traces: 0, plays: 0, pools: 6 }).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn planted_mentions_are_found() {
    let room = Room::new(None).unwrap();
    let asked = show::origin::Asked { cases: 24, size: 0, rounds: 0 };
    let wrong = show::origin::show(&program(), &room, &asked).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
