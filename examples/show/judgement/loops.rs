//! Loop-heavy traces that are equal at many shifts, with one change in the candidate: a resync must be the true one, or none.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::super::{Hindered, Program, Room, Shown, Table};
use crate::generate::numbers::Random;

/// An executed instruction: where it stands, what it is, and which of the reference's it really is (none: only the
/// candidate executes it).
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    pc: u32,
    op: &'static str,
    id: Option<u64>,
}

/// A piece of a program.
#[derive(Clone, Debug)]
enum Piece {
    Line(Vec<(u32, &'static str)>),
    Loop { body: Vec<Piece>, count: u64 },
}

const OPS: [&str; 8] = ["LDA", "STA", "INX", "ADC", "CMP", "TAX", "LSR", "EOR"];

/// What the candidate does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A loop runs fewer times.
    Fewer,
    More,
    /// Instructions that stand elsewhere are executed.
    Extra,
    /// An instruction is executed twice.
    Twice,
    Missing,
    /// Other instructions in place of some.
    Path,
}

const CHANGES: [Change; 6] = [Change::Fewer, Change::More, Change::Extra, Change::Twice, Change::Missing, Change::Path];

impl Change {
    fn name(self) -> &'static str {
        match self {
            Change::Fewer => "a loop runs fewer times",
            Change::More => "a loop runs more often",
            Change::Extra => "extra instructions",
            Change::Twice => "an instruction twice",
            Change::Missing => "missing instructions",
            Change::Path => "another path",
        }
    }
}

/// A short program out of few routines, which it runs again and again.
fn program(random: &mut Random) -> Vec<Piece> {
    let mut pc = 0x400;
    let routines: Vec<Piece> = (0..2 + random.below(3)).map(|_| piece(random, &mut pc, 2)).collect();
    (0..3 + random.below(6))
        .map(|_| match random.chance(0.7) {
            true => match &routines[random.below(routines.len() as u64) as usize] {
                // The same loop, as often as before or otherwise.
                Piece::Loop { body, .. } if random.chance(0.5) => {
                    Piece::Loop { body: body.clone(), count: count(random) }
                }
                routine => routine.clone(),
            },
            false => line(random, &mut pc),
        })
        .collect()
}

fn count(random: &mut Random) -> u64 {
    match random.below(3) {
        0 => 2 + random.below(6),
        1 => 4 + random.below(40),
        _ => 20 + random.below(200),
    }
}

fn line(random: &mut Random, pc: &mut u32) -> Piece {
    let ops = (0..1 + random.below(6)).map(|_| {
        *pc += 2;
        (*pc, OPS[random.below(8) as usize])
    });
    Piece::Line(ops.collect())
}

fn piece(random: &mut Random, pc: &mut u32, depth: u32) -> Piece {
    if depth == 0 || random.chance(0.15) {
        return line(random, pc);
    }
    // DEX; BNE is all that many a loop does.
    let mut body = match random.chance(0.4) {
        true => Vec::new(),
        false if random.chance(0.3) => vec![piece(random, pc, depth - 1)],
        false => vec![line(random, pc)],
    };
    *pc += 4;
    body.push(Piece::Line(vec![(*pc - 2, "DEX"), (*pc, "BNE")]));
    Piece::Loop { body, count: if depth == 2 { count(random) } else { 2 + random.below(5) } }
}

/// Executes pieces; tells where the iterations of each loop begin and end.
fn run(pieces: &[Piece], trace: &mut Vec<Step>, loops: &mut Vec<Vec<usize>>) {
    for piece in pieces {
        match piece {
            Piece::Line(ops) => {
                trace.extend(ops.iter().map(|(pc, op)| Step { pc: *pc, op, id: Some(0) }));
            }
            Piece::Loop { body, count } => {
                let mut bounds = vec![trace.len()];
                for _ in 0..*count {
                    run(body, trace, loops);
                    bounds.push(trace.len());
                }
                loops.push(bounds);
            }
        }
    }
}

/// Both traces of a seed.
fn traces(seed: u64) -> (Change, [Vec<Step>; 2]) {
    let mut random = Random::new(seed, "loops", 0);
    let change = CHANGES[(seed % CHANGES.len() as u64) as usize];
    loop {
        let (mut reference, mut loops) = (Vec::new(), Vec::new());
        run(&program(&mut random), &mut reference, &mut loops);
        if reference.len() > 20_000 || loops.is_empty() {
            continue;
        }
        for (id, step) in (0..).zip(&mut reference) {
            step.id = Some(id);
        }
        let mut candidate = reference.clone();
        changed(&mut random, change, &mut candidate, &loops);
        if reference.iter().map(|step| (step.pc, step.op)).ne(candidate.iter().map(|step| (step.pc, step.op))) {
            return (change, [reference, candidate]);
        }
    }
}

fn changed(random: &mut Random, change: Change, trace: &mut Vec<Step>, loops: &[Vec<usize>]) {
    let at = random.below(trace.len() as u64) as usize;
    let few = 1 + random.below(3) as usize;
    let elsewhere = |count: usize| (0..count as u32).map(|n| Step { pc: 0x9000 + 2 * n, op: "NOP", id: None });
    let bounds = &loops[random.below(loops.len() as u64) as usize];
    let (last, begin) = (*bounds.last().expect("a bound"), bounds[bounds.len() - 1 - few.min(bounds.len() - 1)]);
    match change {
        // Which of the equal iterations are left out is one; the last ones then.
        Change::Fewer => drop(trace.drain(begin..last)),
        Change::More => {
            let more: Vec<Step> = trace[begin..last].iter().map(|step| Step { id: None, ..*step }).collect();
            trace.splice(last..last, more);
        }
        Change::Extra => drop(trace.splice(at..at, elsewhere(few))),
        Change::Twice => {
            let twice = Step { id: None, ..trace[at] };
            trace.insert(at + 1, twice);
        }
        Change::Missing => drop(trace.drain(at..(at + few).min(trace.len()))),
        Change::Path => {
            let to = (at + 1 + random.below(4) as usize).min(trace.len());
            drop(trace.splice(at..to, elsewhere(few)));
        }
    }
}

fn write(trace: &[Step], path: &Path) -> Result<(), Hindered> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for step in trace {
        writeln!(file, "{{\"pc\":{},\"op\":\"{}\"}}", step.pc, step.op)?;
    }
    Ok(file.flush()?)
}

/// Answers to traces of one change.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    traces: u64,
    right: u64,
    none: u64,
    wrong: u64,
}

/// What a resync is.
fn judged(found: &Value, traces: &[Vec<Step>; 2]) -> Option<bool> {
    let at = found["position"].as_u64()? as usize;
    let after = ["after_reference", "after_candidate"].map(|side| found["resync"][side].as_u64());
    let id = |side: usize| traces[side].get(at + after[side]? as usize)?.id;
    after[0].map(|_| id(0).is_some() && id(0) == id(1))
}

/// A false resync is wrong, and so is a pair of which nothing is said.
pub fn show(program: &Program, room: &Room, seeds: u64) -> Shown {
    let logs = ["loops-a.jsonl", "loops-b.jsonl"].map(|name| room.path(name));
    let mut wrong = Vec::new();
    let mut counts = CHANGES.map(|change| (change, Counts::default()));
    for seed in 1..=seeds {
        let (change, traces) = traces(seed);
        for (trace, log) in traces.iter().zip(&logs) {
            write(trace, log)?;
        }
        let report = program.diff(&["--profile", "generic", "--kind", "op"], &logs[0], &logs[1])?.report()?;
        let found = &report["pairings"][0]["divergence"];
        let counted = &mut counts.iter_mut().find(|(known, _)| *known == change).expect("every change").1;
        counted.traces += 1;
        match judged(found, &traces) {
            None => counted.none += 1,
            Some(true) => counted.right += 1,
            Some(false) => {
                counted.wrong += 1;
                wrong.push(format!("loops, seed {seed} ({}): {} is no resync", change.name(), found["resync"]));
            }
        }
    }
    let mut table = Table::new(&["loop-heavy traces, where", "traces", "true resync", "none told", "false resync"]);
    for (change, Counts { traces, right, none, wrong }) in counts {
        table.cells(
            [change.name().to_owned()].into_iter().chain([traces, right, none, wrong].map(|n| n.to_string())).collect(),
        );
    }
    table.print();
    Ok(wrong)
}
