//! A tree of threads whose leaves begin alike and then do work of their own: which of them belong together only their
//! parents and the order in which they were created tell. Nothing uses that yet: it is counted how often chance decides.

use serde_json::Value;

use super::super::{Hindered, Program, Room, Shown, Table};
use super::pool::{Event, call, play, returned, work};
use crate::generate::numbers::Random;

/// Threads that the main thread creates, and threads that each of them creates.
const PARENTS: usize = 3;
const CHILDREN: usize = 3;
const THREADS: usize = 1 + PARENTS + PARENTS * CHILDREN;
/// Events that all leaves have in common.
const ALIKE: [u64; 2] = [20, 80];

/// What each thread does, the main thread's first, then the parents', then their children's.
fn lives(seed: u64, alike: u64, tids: &[u64]) -> Vec<Vec<Event>> {
    let own = |thread: usize, events: u64| work(&mut Random::new(seed, "life", thread as u64), events);
    let create = |thread: usize| ("thread.create", format!("{{\"tid\":{}}}", tids[thread]));
    let mut lives = Vec::new();
    let mut main = vec![call("XexLoadImage", "\"image\":1")];
    (0..PARENTS).for_each(|parent| main.push(create(1 + parent)));
    main.extend(own(0, 200));
    lives.push(main);
    for parent in 0..PARENTS {
        let mut life = vec![call("ExStartSystem", &format!("\"system\":{parent}")), returned("ExStartSystem", 0)];
        (0..CHILDREN).for_each(|child| life.push(create(1 + PARENTS + parent * CHILDREN + child)));
        life.extend(own(1 + parent, 200));
        lives.push(life);
    }
    for child in 0..PARENTS * CHILDREN {
        let mut life = vec![call("ExStartTask", "\"task\":0")];
        life.extend(work(&mut Random::new(seed, "alike", 0), alike));
        life.extend(own(1 + PARENTS + child, 100));
        lives.push(life);
    }
    lives
}

/// Counts right and wrong pairings of leaves; wrong is only a pairing of threads that cannot be mistaken.
pub fn show(program: &Program, room: &Room, seeds: u64) -> Shown {
    let mut wrong = Vec::new();
    let head = ["leaves of a tree of threads", "runs", "leaves", "right", "wrong, told ambiguous", "wrong silently"];
    let mut table = Table::new(&head);
    for alike in ALIKE {
        let mut counts = [0u64; 4];
        for seed in 1..=seeds {
            let mut random = Random::new(seed, "tree", alike);
            let mut runs = Vec::new();
            for side in 0..2 {
                let mut tids: Vec<u64> = (0..THREADS as u64).map(|n| 6 + n + 100 * side).collect();
                (1..THREADS).rev().for_each(|at| tids.swap(at, random.below(at as u64 + 1) as usize));
                let lives = lives(seed, alike, &tids);
                // Nobody begins before it was created.
                let begins = |thread: usize| if thread == 0 { 0 } else { 60 + 60 * u64::from(thread > PARENTS) };
                runs.push(play(&mut random, tids, lives, begins, |_| None));
            }
            let logs = [
                room.write("tree-a.jsonl", runs[0].lines.as_bytes())?,
                room.write("tree-b.jsonl", runs[1].lines.as_bytes())?,
            ];
            let report: Result<Value, Hindered> = program.diff(&[], &logs[0], &logs[1])?.report();
            for pairing in report?["pairings"].as_array().map_or(&[][..], Vec::as_slice) {
                let thread = |side: usize| {
                    let tid = pairing[["reference", "candidate"][side]]["tid"].as_u64()?;
                    runs[side].tids.iter().position(|own| *own == tid)
                };
                let is_right = thread(0) == thread(1);
                if thread(0).is_none_or(|thread| thread <= PARENTS) {
                    if !is_right {
                        wrong.push(format!("tree, seed {seed}: {pairing} is wrong"));
                    }
                    continue;
                }
                counts[0] += 1;
                counts[if is_right {
                    1
                } else if pairing["ambiguous"] == true {
                    2
                } else {
                    3
                }] += 1;
            }
        }
        let name = format!("which share their first {alike} events");
        let cells = [seeds, counts[0], counts[1], counts[2], counts[3]].map(|n| n.to_string());
        table.cells([name].into_iter().chain(cells).collect());
    }
    table.print();
    Ok(wrong)
}
