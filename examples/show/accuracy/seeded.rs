//! Pairs whose truth the generator knows, put before everyone.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::{Hindered, Program, Room, Shown};
use super::forkpoint::{self, Pairing};
use super::misses::{Miss, misses};
use super::peers::{Scripts, Task, Toolbox};
use super::plan::plan;
use super::score::{Marks, Row, Tally, marks, print};
use super::story::{Lines, Story};
use crate::generate::Pair;
use crate::generate::pair::Target;

pub struct Asked {
    pub pairs: u64,
    pub first: u64,
    /// Arguments carry heap addresses and handles too.
    pub shifted: bool,
    /// Where the scripts lie.
    pub scripts: PathBuf,
    pub python: String,
    /// Keep the pairs in which forkpoint missed something there.
    pub keep: Option<PathBuf>,
}

/// A pair on disk, and what is true of it.
struct Made {
    logs: [PathBuf; 2],
    lines: [Lines; 2],
    story: Story,
    flags: Vec<&'static str>,
}

/// All counts of a run.
#[derive(Default)]
pub struct Outcome {
    pub forkpoint: Tally,
    pub peers: Vec<Tally>,
    pub pairing: Pairing,
    pub misses: Vec<(u64, Miss)>,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    let mut toolbox = Toolbox::open(&Scripts { folder: &asked.scripts.join("peers"), python: &asked.python });
    for (name, why) in &toolbox.skipped {
        println!("skipped: {name} ({why})");
    }
    let outcome = run(program, room, asked, &mut toolbox)?;
    told(asked, &toolbox, &outcome);
    let mut wrong = wrong(&outcome);
    wrong.extend(super::real::show(program, room, asked)?);
    Ok(wrong)
}

/// Every pair in turn.
pub fn run(program: &Program, room: &Room, asked: &Asked, toolbox: &mut Toolbox) -> Result<Outcome, Hindered> {
    let mut outcome = Outcome { peers: vec![Tally::default(); toolbox.tools.len()], ..Outcome::default() };
    let scratch = room.folder("peers")?;
    for seed in asked.first..asked.first + asked.pairs {
        let made = make(room, seed, asked.shifted)?;
        let first = made.story.first(&made.lines);
        let is_thread = |lines: [Option<u64>; 2]| is_thread(&made, lines);
        let run = program.diff(&made.flags, &made.logs[0], &made.logs[1])?;
        let report = run.report()?;
        let said = forkpoint::said(&report);
        let ours = marks(&said, first.as_ref(), is_thread);
        outcome.forkpoint.count(&said, first.as_ref(), ours);
        outcome.pairing.add(forkpoint::pairing(&made.story, &report));
        let missed = missed(&made, &report, run.code, ours);
        if let (false, Some(folder)) = (missed.is_empty(), &asked.keep) {
            keep(&made, folder, seed)?;
        }
        outcome.misses.extend(missed.into_iter().map(|miss| (seed, miss)));
        let map = made.story.map();
        let task = Task { reference: &made.logs[0], candidate: &made.logs[1], map: &map, scratch: &scratch };
        for (tool, tally) in toolbox.tools.iter_mut().zip(&mut outcome.peers) {
            let said = tool.ask(&task)?;
            tally.count(&said, first.as_ref(), marks(&said, first.as_ref(), is_thread));
        }
        made.logs.iter().try_for_each(std::fs::remove_file)?;
    }
    Ok(outcome)
}

/// What is missed, and an exit code that does not fit.
fn missed(made: &Made, report: &Value, code: Option<i32>, marks: Marks) -> Vec<Miss> {
    let mut missed = misses(&made.story, report, marks);
    let must = i32::from(made.story.first.is_some());
    // Each thread has work of its own.
    if report["pairings"].as_array().is_some_and(|all| all.iter().any(|pairing| !pairing["pool"].is_null())) {
        missed.push(Miss { what: "a pool is told".to_owned(), why: None, is_fatal: true });
    }
    if code != Some(must) {
        missed.push(Miss { what: format!("exit {code:?}, must be {must}"), why: None, is_fatal: true });
    }
    missed
}

fn make(room: &Room, seed: u64, shifted: bool) -> Result<Made, Hindered> {
    let planned = plan(seed, shifted)?;
    let logs = ["reference.jsonl", "candidate.jsonl"].map(|name| room.path(name));
    let flags = planned.options.flags();
    let pair = Pair::new(planned.options)?;
    let written = pair.write(&Target::File(logs[0].clone()), &Target::File(logs[1].clone()))?;
    let story = Story::new(&pair.truth(&written.0, &written.1), planned.alike_from)?;
    let lines = |log: &Path| -> Result<Lines, Hindered> { Lines::read(&std::fs::read_to_string(log)?) };
    Ok(Made { lines: [lines(&logs[0])?, lines(&logs[1])?], logs, story, flags })
}

/// Whether lines stand in the thread that parts first, or in one that lives alike.
fn is_thread(made: &Made, lines: [Option<u64>; 2]) -> bool {
    let thread = |side: usize| made.story.thread_of(side, made.lines[side].lane(lines[side]?)?);
    let must = made.story.first;
    match (thread(0), thread(1)) {
        (Some(one), _) => must.is_some_and(|must| made.story.alike(one, must)),
        (None, Some(other)) => must.is_some_and(|must| made.story.alike(other, must)),
        (None, None) => false,
    }
}

fn keep(made: &Made, folder: &Path, seed: u64) -> Result<(), Hindered> {
    let folder = folder.join(seed.to_string());
    std::fs::create_dir_all(&folder)?;
    for log in &made.logs {
        std::fs::copy(log, folder.join(log.file_name().ok_or("a log without a name")?))?;
    }
    Ok(())
}

fn told(asked: &Asked, toolbox: &Toolbox, outcome: &Outcome) {
    println!("{} pairs, seeds from {}", asked.pairs, asked.first);
    println!();
    let mut rows: Vec<Row<'_>> = vec![("forkpoint", "", &outcome.forkpoint)];
    rows.extend(toolbox.tools.iter().zip(&outcome.peers).map(|(tool, tally)| (tool.name, tool.told, tally)));
    print(&rows);
    let Pairing { threads, right, told, silent } = outcome.pairing;
    println!(
        "threads: {threads}, paired rightly {right}, left alone {}",
        threads.saturating_sub(right + told + silent)
    );
    println!("paired wrongly: {told} told to be ambiguous, {silent} silently");
    println!();
    for (seed, miss) in &outcome.misses {
        println!("seed {seed}: {}", miss.what);
        println!("  {}", miss.why.as_deref().unwrap_or("UNEXPLAINED"));
    }
    println!("{} misses", outcome.misses.len());
    println!();
}

/// A wrong first event, a silent wrong pairing, a miss that nothing explains; and too few true pairings.
pub fn wrong(outcome: &Outcome) -> Vec<String> {
    let bad = outcome.misses.iter().filter(|(_, miss)| miss.is_fatal || miss.why.is_none());
    let mut wrong: Vec<String> = bad.map(|(seed, miss)| format!("seed {seed}: {}", miss.what)).collect();
    let Pairing { threads, right, .. } = outcome.pairing;
    if right * 1000 < threads * 995 {
        wrong.push(format!("{right} of {threads} threads are paired rightly, must be 99.5 %"));
    }
    wrong
}
