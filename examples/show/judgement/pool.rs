//! Workers that take jobs from one queue, in two runs: where each got other jobs, nothing may be told of them as if it were
//! certain which belong together; where each has work of its own, nothing may be in doubt.

use std::fmt::Write;

use serde_json::Value;

use super::super::{Hindered, Program, Room, Shown, Table};
use crate::generate::numbers::Random;

const WORKERS: usize = 8;
const JOBS: u64 = 120;
/// The thread that starts the others and goes on with work of its own.
const MAIN: usize = WORKERS;

/// What distinguishes the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Nothing.
    None,
    /// Who runs which job.
    Distribution,
    /// Who runs which job, the jobs being ten times as long.
    LongJobs,
    /// Who runs which job, from the middle on.
    Later,
    /// Two workers fewer.
    Fewer,
    /// One value of one job, who runs it being the same.
    Value,
    /// Who runs which job, and one value of one of them.
    DistributionAndValue,
    /// Who runs which job, and one value of the main thread.
    DistributionAndMain,
    /// Two runs of threads that each have work of their own: a value of three of them, events that the fourth lacks.
    Own,
    /// Threads of their own that wait for ever the same; in the second run some waits time out.
    Timeouts,
}

const CHANGES: [Change; 10] = [
    Change::None,
    Change::Distribution,
    Change::LongJobs,
    Change::Later,
    Change::Fewer,
    Change::Value,
    Change::DistributionAndValue,
    Change::DistributionAndMain,
    Change::Own,
    Change::Timeouts,
];

impl Change {
    fn name(self) -> &'static str {
        match self {
            Change::None => "a pool, the same jobs for each",
            Change::Distribution => "a pool, other jobs for each",
            Change::LongJobs => "a pool, other jobs for each, long ones",
            Change::Later => "a pool, other jobs for each, from the middle on",
            Change::Fewer => "a pool, two workers fewer",
            Change::Value => "a pool, the same jobs, one wrong value",
            Change::DistributionAndValue => "a pool, other jobs, one wrong value in a job",
            Change::DistributionAndMain => "a pool, other jobs, one wrong value elsewhere",
            Change::Own => "threads with work of their own, four differ",
            Change::Timeouts => "threads that wait, some time out",
        }
    }

    fn redistributes(self) -> bool {
        !matches!(self, Change::None | Change::Value | Change::Own | Change::Timeouts)
    }
}

/// An event but for its thread: kind and payload.
pub type Event = (&'static str, String);

const NAMES: [&str; 8] = [
    "NtReadFile",
    "RtlEnterCriticalSection",
    "RtlLeaveCriticalSection",
    "KeSetEvent",
    "NtSetInformationFile",
    "KeQueryPerformanceFrequency",
    "ExAllocatePool",
    "VdSwap",
];

pub fn call(name: &str, args: &str) -> Event {
    ("kernel.call", format!("{{\"name\":\"{name}\",\"args\":{{{args}}}}}"))
}

pub fn returned(name: &str, value: u64) -> Event {
    ("kernel.return", format!("{{\"name\":\"{name}\",\"return_value\":{value}}}"))
}

/// So many calls and returns that depend on nothing but a number.
pub fn work(random: &mut Random, events: u64) -> Vec<Event> {
    (0..events)
        .map(|at| {
            let name = NAMES[random.below(8) as usize];
            // Much is alike in all that is done.
            let value = if random.chance(0.4) { 0 } else { random.below(2_000) };
            if at % 2 == 0 { call(name, &format!("\"a\":{value}")) } else { returned(name, value) }
        })
        .collect()
}

/// What whoever gets a job does: it waits for the queue, then 5 to 40 events that are the job's alone.
fn job(change: Change, seed: u64, number: u64) -> Vec<Event> {
    let mut random = Random::new(seed, "job", number);
    let events = (5 + random.below(36)) * if change == Change::LongJobs { 10 } else { 1 };
    let wait = [call("KeWaitForSingleObject", "\"queue\":1"), returned("KeWaitForSingleObject", 0)];
    wait.into_iter().chain(work(&mut random, events)).collect()
}

fn wrong_value(events: &mut [Event], random: &mut Random) -> usize {
    let at = random.below(events.len() as u64) as usize;
    events[at].1.insert_str(1, "\"wrong\":1,");
    at
}

/// One run as a log.
pub struct Played {
    pub lines: String,
    /// The number of each thread in this run.
    pub tids: Vec<u64>,
}

/// Plays threads whose events come as fast as chance wants, each from some time on; `next` says what a thread does once it has nothing left.
pub fn play(
    random: &mut Random,
    tids: Vec<u64>,
    mut threads: Vec<Vec<Event>>,
    begins: impl Fn(usize) -> u64,
    mut next: impl FnMut(usize) -> Option<Vec<Event>>,
) -> Played {
    let mut lines = String::from("{\"kind\":\"schema_version\",\"schema_version\":1}\n");
    let mut clocks: Vec<u64> = (0..threads.len()).map(|thread| begins(thread) + random.below(20)).collect();
    let mut places = vec![(0, 0u64); threads.len()];
    let mut over = vec![false; threads.len()];
    while let Some(thread) = (0..threads.len()).filter(|thread| !over[*thread]).min_by_key(|thread| clocks[*thread]) {
        let (at, ordinal) = &mut places[thread];
        if *at == threads[thread].len() {
            match next(thread) {
                Some(more) => (threads[thread], *at) = (more, 0),
                None => over[thread] = true,
            }
            continue;
        }
        let (kind, payload) = &threads[thread][*at];
        let tid = tids[thread];
        writeln!(lines, "{{\"kind\":\"{kind}\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\"payload\":{payload}}}")
            .expect("a text grows");
        (*at, *ordinal) = (*at + 1, *ordinal + 1);
        clocks[thread] += 1 + random.below(9);
    }
    Played { lines, tids }
}

/// Both runs, and the divergences that are true: thread and position.
struct Scene {
    runs: [Played; 2],
    truth: Vec<(usize, u64)>,
}

fn tids(random: &mut Random, renumbered: bool) -> Vec<u64> {
    let mut tids: Vec<u64> = (0..=WORKERS as u64).map(|n| 6 + n).collect();
    if renumbered {
        for at in (1..tids.len()).rev() {
            tids.swap(at, random.below(at as u64 + 1) as usize);
        }
        tids.iter_mut().for_each(|tid| *tid += 100);
    }
    tids
}

/// Who runs which job, where that is the same in both runs.
fn shares(random: &mut Random) -> Vec<Vec<u64>> {
    let mut shares = vec![Vec::new(); WORKERS];
    (0..JOBS).for_each(|job| shares[random.below(WORKERS as u64) as usize].push(job));
    shares
}

fn scene(change: Change, seed: u64) -> Scene {
    let mut random = Random::new(seed, "pool", 0);
    let mut edits = Random::new(seed, "edits", 0);
    let begin = || vec![call("ExJoinWorkerPool", "\"pool\":1"), returned("ExJoinWorkerPool", 0)];
    let end = vec![call("ExLeaveWorkerPool", "\"pool\":1"), ("thread.exit", "{}".to_owned())];
    let mut truth = Vec::new();
    let shares = shares(&mut random);
    let mut main = vec![call("XexLoadImage", "\"image\":1")];
    main.extend(work(&mut Random::new(seed, "main", 0), 400));
    let changed_job = edits.below(JOBS);
    let mut own: Vec<Vec<Event>> = (0..WORKERS as u64).map(|n| own(change, seed, n)).collect();
    let mut runs = Vec::new();
    for side in 0..2 {
        let tids = tids(&mut random, side == 1 && seed.is_multiple_of(2));
        let is_changed = side == 1;
        if is_changed && change == Change::DistributionAndMain {
            truth.push((MAIN, 1 + wrong_value(&mut main[1..], &mut edits) as u64));
        }
        if is_changed && matches!(change, Change::Own | Change::Timeouts) {
            truth.extend(edit_own(change, &mut own, &mut edits));
        }
        let mut value_of = Random::new(seed, "value", 0);
        let is_valued = matches!(change, Change::Value | Change::DistributionAndValue);
        let job = |number: u64, value_of: &mut Random| {
            let mut events = job(change, seed, number);
            let is_wrong = is_changed && is_valued && number == changed_job;
            let at = is_wrong.then(|| wrong_value(&mut events, value_of));
            (events, at)
        };
        let mut threads: Vec<Vec<Event>> = (0..WORKERS).map(|_| begin()).collect();
        threads.push(main.clone());
        // Jobs before these are taken by whom they were meant for.
        let from_queue = if change == Change::Later { JOBS / 2 } else { 0 };
        let mut queue = from_queue..JOBS;
        let (mut turns, mut over) = (vec![0; WORKERS], vec![false; WORKERS]);
        if is_changed && change == Change::Fewer {
            threads[..2].iter_mut().for_each(Vec::clear);
            over[..2].fill(true);
        }
        let mut done = [2u64; WORKERS];
        let played = play(
            &mut random,
            tids,
            threads,
            |_| 0,
            |thread| {
                if thread == MAIN || over[thread] {
                    return None;
                }
                let turn = turns[thread];
                turns[thread] += 1;
                let number = match change {
                    Change::Own | Change::Timeouts if turn == 0 => return Some(own[thread].clone()),
                    Change::Own | Change::Timeouts => None,
                    _ if change.redistributes() => {
                        shares[thread].get(turn).copied().filter(|job| *job < from_queue).or_else(|| queue.next())
                    }
                    _ => shares[thread].get(turn).copied(),
                };
                let Some(number) = number else {
                    over[thread] = true;
                    return Some(end.clone());
                };
                let (events, wrong) = job(number, &mut value_of);
                truth.extend(wrong.filter(|_| change == Change::Value).map(|at| (thread, done[thread] + at as u64)));
                done[thread] += events.len() as u64;
                Some(events)
            },
        );
        runs.push(played);
    }
    Scene { runs: runs.try_into().unwrap_or_else(|_| unreachable!("two runs")), truth }
}

/// What a thread does that is no worker of a pool.
fn own(change: Change, seed: u64, thread: u64) -> Vec<Event> {
    if change == Change::Own {
        return work(&mut Random::new(seed, "own", thread), 300 + 40 * thread);
    }
    let wait = |round: u64| {
        let wait =
            [call("KeWaitForSingleObject", &format!("\"object\":{thread}")), returned("KeWaitForSingleObject", 0)];
        let poll = [call("KeSetEvent", "\"e\":1"), returned("KeSetEvent", round % 3)];
        wait.into_iter().chain(poll)
    };
    (0..100).flat_map(wait).collect()
}

fn edit_own(change: Change, own: &mut [Vec<Event>], edits: &mut Random) -> Vec<(usize, u64)> {
    let mut truth = Vec::new();
    for (thread, events) in own.iter_mut().enumerate() {
        if change == Change::Timeouts {
            let from = 4 * (5 + edits.below(80) as usize);
            let waits = (from..events.len()).step_by(4).filter(|at| *at == from || edits.chance(0.3));
            waits.for_each(|at| events[at + 1] = returned("KeWaitForSingleObject", 258));
            truth.push((thread, 2 + from as u64 + 1));
        } else if thread < 3 {
            truth.push((thread, 2 + wrong_value(events, edits) as u64));
        } else if thread == 3 {
            let mut from = edits.below(200) as usize;
            // Else the events that are missing would not be these.
            while events[from] == events[from + 20] {
                from += 1;
            }
            events.drain(from..from + 20);
            truth.push((thread, 2 + from as u64));
        }
    }
    truth
}

/// What was told of runs of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    runs: u64,
    /// Workers of which a divergence is told: as a pool's, as ambiguous, as certain though it is not, rightly as certain.
    pool: u64,
    ambiguous: u64,
    falsely_certain: u64,
    right: u64,
    /// True divergences that are not told, or in doubt without need.
    missed: u64,
}

/// Where the report tells a thread of the reference to part, and what it says of its pairing.
struct Told {
    thread: usize,
    is_right_partner: bool,
    at: Option<u64>,
    ambiguous: bool,
    pool: bool,
}

fn told(report: &Value, scene: &Scene) -> Vec<Told> {
    let thread = |side: usize, pairing: &Value| {
        let tid = pairing[["reference", "candidate"][side]]["tid"].as_u64()?;
        scene.runs[side].tids.iter().position(|own| *own == tid)
    };
    let pairings = report["pairings"].as_array().map_or(&[][..], Vec::as_slice);
    // A worker that only one run has is no worker that parts.
    let paired = pairings.iter().filter(|pairing| pairing["status"] != "unmatched");
    let told = paired.filter_map(|pairing| {
        Some(Told {
            thread: thread(0, pairing)?,
            is_right_partner: thread(0, pairing) == thread(1, pairing),
            at: pairing["divergence"]["position"].as_u64(),
            ambiguous: pairing["ambiguous"] == true,
            pool: !pairing["pool"].is_null(),
        })
    });
    told.collect()
}

fn judge(change: Change, report: &Value, scene: &Scene, counts: &mut Counts) -> Vec<String> {
    let mut wrong = Vec::new();
    let told = told(report, scene);
    let message = report["message"].as_str().unwrap_or_default();
    for found in told.iter().filter(|found| found.at.is_some()) {
        let is_worker = found.thread != MAIN;
        let is_true = scene.truth.contains(&(found.thread, found.at.unwrap_or(0))) && found.is_right_partner;
        match () {
            () if found.pool && !(is_worker && change.redistributes()) => {
                wrong.push(format!("thread {} is told to be of a pool", found.thread));
            }
            () if found.pool && !found.ambiguous => wrong.push("a pool's pairing is told to be certain".to_owned()),
            () if found.pool => counts.pool += 1,
            () if found.ambiguous => counts.ambiguous += 1,
            () if is_true => counts.right += 1,
            () => {
                counts.falsely_certain += 1;
                wrong.push(format!("thread {} is told to part at {:?} for certain", found.thread, found.at));
            }
        }
    }
    let is_told = |(thread, at): &(usize, u64)| {
        told.iter().any(|found| (found.thread, found.at) == (*thread, Some(*at)) && !found.ambiguous)
    };
    for missed in scene.truth.iter().filter(|truth| !is_told(truth)) {
        counts.missed += 1;
        wrong.push(format!("thread {} parts at {}, which is not told for certain", missed.0, missed.1));
    }
    if change.redistributes() != message.contains("equal workers") {
        wrong.push(format!("of a pool it says: {message}"));
    }
    if let (Change::DistributionAndMain, Some((_, at))) = (change, scene.truth.first())
        && !message.contains(&format!("thread {}", scene.runs[0].tids[MAIN]))
    {
        wrong.push(format!("it does not name the main thread, which parts at {at}: {message}"));
    }
    let verdict = if change == Change::None { "identical" } else { "diverged" };
    if report["verdict"] != verdict {
        wrong.push(format!("the verdict is {}", report["verdict"]));
    }
    wrong
}

/// Certainty where there is none is wrong, and so is doubt without need.
pub fn show(program: &Program, room: &Room, seeds: u64) -> Shown {
    let mut wrong = Vec::new();
    let mut counted = Vec::new();
    for change in CHANGES {
        let mut counts = Counts::default();
        for seed in 1..=seeds {
            let scene = scene(change, seed);
            let logs = [
                room.write("workers-a.jsonl", scene.runs[0].lines.as_bytes())?,
                room.write("workers-b.jsonl", scene.runs[1].lines.as_bytes())?,
            ];
            let report: Result<Value, Hindered> = program.diff(&[], &logs[0], &logs[1])?.report();
            counts.runs += 1;
            let odd = judge(change, &report?, &scene, &mut counts);
            wrong.extend(odd.into_iter().map(|odd| format!("{}, seed {seed}: {odd}", change.name())));
        }
        counted.push((change, counts));
    }
    let head = ["8 threads", "runs", "told as a pool's", "ambiguous", "falsely certain", "rightly certain", "missed"];
    let mut table = Table::new(&head);
    for (change, Counts { runs, pool, ambiguous, falsely_certain, right, missed }) in counted {
        let cells = [runs, pool, ambiguous, falsely_certain, right, missed].map(|n| n.to_string());
        table.cells([change.name().to_owned()].into_iter().chain(cells).collect());
    }
    table.print();
    Ok(wrong)
}
