//! Threads that wake each other, one of which does one thing wrong: whatever diverges first in the log, the lead must be it.
//!
//! The threads are a network of queues, each with one writer and one reader, so that what each thread does depends on no
//! schedule. In one log of each pair a signal goes astray, is left out, comes once too often or tells something wrong, or a
//! thread is made with a wrong argument.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;

use super::super::{Hindered, Program, Room, Shown, Table};
use crate::generate::numbers::Random;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Work(u64),
    Signal(usize),
    Wait(usize),
    Make(usize),
}

/// What one thread does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    OtherObject(usize),
    LeftOut,
    Twice(usize),
    OtherValue,
}

const WRONGS: [&str; 5] = [
    "a signal to another object",
    "a signal left out",
    "a signal too many",
    "a signal tells another value",
    "a thread made otherwise",
];

/// Which of them a seed is about: mostly such as may show elsewhere before.
fn wrong_of(seed: u64) -> usize {
    [0, 2, 1, 0, 2, 3, 0, 2, 4, 2][(seed % 10) as usize]
}

/// What each thread does, and which thread does its step of a number wrong.
struct Play {
    steps: Vec<Vec<Step>>,
    queues: usize,
    culprit: usize,
    at: usize,
    wrong: Wrong,
}

fn play(seed: u64) -> Option<Play> {
    let mut random = Random::new(seed, "cause", 0);
    let threads = 4 + random.below(5) as usize;
    let mut steps: Vec<Vec<Step>> = vec![Vec::new(); threads];
    steps[0] = (1..threads).map(Step::Make).collect();
    let mut queues: Vec<(usize, usize)> = Vec::new();
    for _ in 0..40 + random.below(60) {
        let writer = random.below(threads as u64) as usize;
        let reader = (writer + 1 + random.below(threads as u64 - 1) as usize) % threads;
        let queue = queues.iter().position(|ends| *ends == (writer, reader)).unwrap_or_else(|| {
            queues.push((writer, reader));
            queues.len() - 1
        });
        for (thread, step) in [(writer, Step::Signal(queue)), (reader, Step::Wait(queue))] {
            steps[thread].extend((0..random.below(4)).map(Step::Work));
            steps[thread].push(step);
        }
    }
    steps.iter_mut().for_each(|steps| steps.extend((0..6).map(Step::Work)));
    let turn = wrong_of(seed);
    let is_wanted = |step: &Step| match step {
        Step::Signal(_) => turn < 4,
        Step::Make(_) => turn == 4,
        _ => false,
    };
    let candidates: Vec<(usize, usize)> = (0..threads)
        .flat_map(|thread| (0..steps[thread].len()).map(move |at| (thread, at)))
        .filter(|(thread, at)| is_wanted(&steps[*thread][*at]))
        .collect();
    // Not among the last, which nobody waits for long enough to notice.
    let (culprit, at) = *candidates.get(random.below(candidates.len() as u64 * 2 / 3 + 1) as usize)?;
    let other = || (0..queues.len()).filter(|queue| Step::Signal(*queue) != steps[culprit][at]);
    let other = other().nth(random.below((queues.len() as u64 - 1).max(1)) as usize)?;
    let wrong = [Wrong::OtherObject(other), Wrong::LeftOut, Wrong::Twice(other), Wrong::OtherValue, Wrong::OtherValue];
    Some(Play { queues: queues.len(), culprit, at, wrong: wrong[turn], steps })
}

/// One side's log in the making.
struct Run<'p> {
    play: &'p Play,
    is_wrong: bool,
    tids: Vec<u64>,
    out: std::io::BufWriter<std::fs::File>,
    places: Vec<usize>,
    states: Vec<u64>,
    ordinals: Vec<u64>,
    waits: Vec<bool>,
    is_made: Vec<bool>,
    queues: Vec<VecDeque<u64>>,
}

impl Run<'_> {
    fn event(&mut self, thread: usize, kind: &str, payload: &str) -> Result<(), Hindered> {
        let (tid, ordinal) = (self.tids[thread], self.ordinals[thread]);
        self.ordinals[thread] += 1;
        Ok(writeln!(
            self.out,
            "{{\"kind\":\"{kind}\",\"tid\":{tid},\"tid_event_idx\":{ordinal},\"payload\":{{{payload}}}}}"
        )?)
    }

    fn signal(&mut self, thread: usize, queue: usize, value: u64) -> Result<(), Hindered> {
        self.queues[queue].push_back(value);
        let payload = format!(r#""name":"KeSetEvent","args":{{"handle":"event:{queue}","value":{value}}}"#);
        self.event(thread, "kernel.call", &payload)
    }

    /// A thread's next step; false if it waits, or has ended.
    fn step(&mut self, thread: usize) -> Result<bool, Hindered> {
        let at = self.places[thread];
        let is_wrong = self.is_wrong && thread == self.play.culprit && at == self.play.at;
        let value = self.states[thread] % 100_000 * 1_000 + at as u64;
        match self.play.steps[thread].get(at).copied() {
            None => {
                if at == self.play.steps[thread].len() {
                    self.event(thread, "thread.exit", "\"exit_code\":0")?;
                    self.places[thread] += 1;
                }
                return Ok(false);
            }
            Some(Step::Work(n)) => {
                let payload = format!(r#""name":"KeWork{thread}","args":{{"n":{n},"value":{value}}}"#);
                self.event(thread, "kernel.call", &payload)?;
            }
            Some(Step::Signal(queue)) => match (is_wrong, self.play.wrong) {
                (true, Wrong::OtherObject(other)) => self.signal(thread, other, value)?,
                (true, Wrong::LeftOut) => {}
                (true, Wrong::Twice(other)) => {
                    self.signal(thread, other, value)?;
                    self.signal(thread, queue, value)?;
                }
                (true, Wrong::OtherValue) => self.signal(thread, queue, value + 1)?,
                (false, _) => self.signal(thread, queue, value)?,
            },
            Some(Step::Wait(queue)) => {
                let payload = format!(r#""handle_semantic_id":"event:{queue}""#);
                if !std::mem::replace(&mut self.waits[thread], true) {
                    self.event(thread, "wait.begin", &payload)?;
                }
                let Some(told) = self.queues[queue].pop_front() else { return Ok(false) };
                self.waits[thread] = false;
                self.states[thread] = self.states[thread].wrapping_mul(31).wrapping_add(told) % 1_000_003;
                self.event(thread, "wait.end", &payload)?;
            }
            Some(Step::Make(child)) => {
                let argument = child as u64 * 7 + u64::from(is_wrong);
                (self.is_made[child], self.states[child]) = (true, argument);
                let tid = self.tids[child];
                self.event(thread, "thread.create", &format!(r#""tid":{tid},"argument":{argument}"#))?;
            }
        }
        self.places[thread] += 1;
        Ok(true)
    }
}

fn write(play: &Play, side: u64, seed: u64, is_wrong: bool, log: &Path) -> Result<(), Hindered> {
    let threads = play.steps.len();
    let mut random = Random::new(seed, "schedule", side);
    let mut run = Run {
        play,
        is_wrong,
        tids: (0..threads as u64).map(|thread| if side == 0 { 6 + thread } else { 40 - thread }).collect(),
        out: std::io::BufWriter::new(std::fs::File::create(log)?),
        places: vec![0; threads],
        states: vec![0; threads],
        ordinals: vec![0; threads],
        waits: vec![false; threads],
        is_made: (0..threads).map(|thread| thread == 0).collect(),
        queues: vec![VecDeque::new(); play.queues],
    };
    writeln!(run.out, "{{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"{side}\"}}")?;
    // Until nobody gets on for long enough.
    let mut idle = 0;
    while idle < 400 * threads {
        let mut thread = random.below(threads as u64) as usize;
        // Half the references let the culprit come last, their candidates first: what it does wrong then shows elsewhere on
        // earlier lines of the reference.
        let is_uneven = seed.is_multiple_of(2);
        if is_uneven && side == 1 && random.chance(0.7) {
            thread = play.culprit;
        } else if is_uneven && side == 0 && thread == play.culprit && random.chance(0.97) {
            continue;
        }
        idle += 1;
        for _ in 0..1 + random.below(12) {
            if !run.is_made[thread] || !run.step(thread)? {
                break;
            }
            idle = 0;
        }
    }
    Ok(run.out.flush()?)
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    pairs: u64,
    several: u64,
    first: u64,
    lead: u64,
    /// Divergences beside the lead, and those of them that are told to follow.
    others: u64,
    told: u64,
}

pub fn show(program: &Program, room: &Room, seeds: u64) -> Shown {
    let logs = ["cause-a.jsonl", "cause-b.jsonl"].map(|name| room.path(name));
    let mut wrong = Vec::new();
    let mut counts = [Counts::default(); 5];
    for seed in 1..=seeds {
        let play = play(seed).ok_or("a play without a culprit")?;
        for (side, log) in (0..).zip(&logs) {
            write(&play, side, seed, side == 1, log)?;
        }
        let report = program.diff(&[], &logs[0], &logs[1])?.report()?;
        // Who does wrong at once may have no partner.
        let culprit = play.culprit as u64;
        let is_culprit = |key: &str| {
            let pairing = &report["pairings"][report[key].as_u64().unwrap_or(u64::MAX) as usize];
            pairing["reference"]["tid"] == 6 + culprit || pairing["candidate"]["tid"] == 40 - culprit
        };
        let counts = &mut counts[wrong_of(seed)];
        let parted: Vec<_> = (report["pairings"].as_array().into_iter().flatten())
            .filter(|pairing| pairing["divergence"].is_object())
            .collect();
        let told = parted.iter().filter(|pairing| pairing["divergence"]["follows"].is_object()).count() as u64;
        counts.pairs += 1;
        counts.several += u64::from(parted.len() > 1);
        counts.first += u64::from(is_culprit("first"));
        counts.lead += u64::from(is_culprit("lead"));
        counts.others += (parted.len() as u64).saturating_sub(1);
        counts.told += told;
        if !is_culprit("lead") {
            let (what, lead) = (WRONGS[wrong_of(seed)], &report["lead"]);
            wrong.push(format!(
                "cause, seed {seed} ({what}): pairing {lead} is the lead, must be thread {}",
                6 + culprit
            ));
        }
        if seed <= 10 {
            let blind = program.diff(&["--without", "signals", "--without", "makes-thread"], &logs[0], &logs[1])?;
            let blind = blind.report()?;
            if blind["lead"] != blind["first"] || parted.len() > 1 && blind["causes"]["rules"] != false {
                wrong.push(format!(
                    "cause, seed {seed}: without edges the lead is no longer the first, or it is not said"
                ));
            }
        }
    }
    let head = [
        "one thing wrong",
        "pairs",
        "several part",
        "it is first in the log",
        "it is the lead",
        "others",
        "told to follow",
    ];
    let mut table = Table::new(&head);
    for (what, Counts { pairs, several, first, lead, others, told }) in WRONGS.iter().zip(counts) {
        let numbers = [pairs, several, first, lead, others, told].map(|number| number.to_string());
        table.cells([(*what).to_owned()].into_iter().chain(numbers).collect());
    }
    table.print();
    Ok(wrong)
}
