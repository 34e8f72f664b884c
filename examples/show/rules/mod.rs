//! Rules: each class overlooks what it is for and nothing beside it; a heap that moves, is freed and used again; what that costs.

mod cost;
mod heap;
mod scenes;

use std::path::PathBuf;

use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table};
use heap::{Heap, Wrong};

pub struct Asked {
    /// Bytes of the logs that are timed.
    pub size: u64,
    /// Allocations of each side's log.
    pub allocations: u64,
    pub rounds: usize,
    /// The program as it was before, to be timed beside this one.
    pub before: Option<PathBuf>,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut wrong = scenes::show(program, room)?;
    wrong.extend(objects(program, room, asked.allocations)?);
    wrong.extend(cost::show(program, room, asked)?);
    Ok(wrong)
}

/// Two heaps of one program: the same objects, and then one wrong one that is alive.
fn objects(program: &Program, room: &Room, allocations: u64) -> Shown {
    room.demand(allocations * 800)?;
    let mut wrong = Vec::new();
    let mut table = Table::new(&["heap", "events", "MB a side", "answer", "s", "resident, MB"]);
    let reference = room.path("heap-a.jsonl");
    let candidate = room.path("heap-b.jsonl");
    let (events, _) = Heap::new(0).write(&reference, allocations, None)?;
    for at in [None, Some(allocations * 9 / 10)] {
        let (_, planted) = Heap::new(1).write(&candidate, allocations, at)?;
        let run = program.diff(&[], &reference, &candidate)?;
        let report = run.report()?;
        let answer = match &planted {
            None => told(run.code == Some(0), "identical", format!("exit {}", run.ended()), &mut wrong),
            Some(planted) => {
                let (is_named, said) = named(&report, planted);
                told(is_named, "the wrong object, as such", said, &mut wrong)
            }
        };
        table.row([
            if at.is_none() { "elsewhere, freed and used again" } else { "with one wrong live object" }.to_owned(),
            events.to_string(),
            format!("{:.0}", std::fs::metadata(&candidate)?.len() as f64 / 1e6),
            answer,
            format!("{:.1}", run.seconds),
            format!("{:.0}", run.resident),
        ]);
    }
    println!("{allocations} allocations a side; {}", machine());
    table.print();
    std::fs::remove_file(reference)?;
    std::fs::remove_file(candidate)?;
    Ok(wrong)
}

fn told(is_right: bool, right: &str, said: String, wrong: &mut Vec<String>) -> String {
    if is_right {
        return right.to_owned();
    }
    wrong.push(format!("heap: must be {right}; {said}"));
    "WRONG".to_owned()
}

/// Whether a report names the planted object and the right one; and what it says.
fn named(report: &serde_json::Value, planted: &Wrong) -> (bool, String) {
    let first = report["first"].as_u64().unwrap_or(u64::MAX) as usize;
    let divergence = &report["pairings"][first]["divergence"];
    let difference = &divergence["differences"][0];
    let (reference, candidate) = (&difference["objects"]["reference"], &difference["objects"]["candidate"]);
    let is_right = divergence["candidate"]["line"] == planted.line
        && difference["path"] == "/payload/args/to"
        && (&reference["number"], &candidate["number"]) == (&planted.numbers[0].into(), &planted.numbers[1].into())
        && [reference, candidate].iter().all(|object| object["rule"] == "heap-addresses" && object["offset"] == 8)
        && divergence["differences_total"] == 1;
    (is_right, format!("at line {}: {difference}", divergence["candidate"]["line"]))
}

/// What a part of the demonstration makes, unless something hinders it.
type Done<T> = Result<T, Hindered>;
