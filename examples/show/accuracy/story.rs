//! What is true of a generated pair: its threads' partners, and where they part. Known from the generator alone.

use std::collections::HashMap;

use serde_json::Value;

use super::super::Hindered;
use super::place::{First, LaneName};

/// Where a thread parts.
#[derive(Clone, Debug)]
pub struct Parting {
    pub position: u64,
    pub kind: String,
    pub lines: [Option<u64>; 2],
    /// So many events on the two sides are equal again, if enough follow.
    pub healed_after: u64,
}

/// A thread of the story, on each side that has it.
#[derive(Clone, Debug)]
pub struct Thread {
    pub lanes: [Option<LaneName>; 2],
    pub events: [u64; 2],
    pub parting: Option<Parting>,
}

pub struct Story {
    pub threads: Vec<Thread>,
    pub first: Option<usize>,
    /// From this thread on all live the very same life but for what was changed: which is whose partner is open.
    pub alike_from: usize,
    places: [HashMap<LaneName, usize>; 2],
}

impl Story {
    /// Of a `truth.json`.
    pub fn new(truth: &Value, alike_from: Option<usize>) -> Result<Story, Hindered> {
        let threads = truth["threads"].as_array().ok_or("truth.json: no threads")?;
        let threads: Vec<Thread> =
            threads.iter().map(thread).collect::<Option<_>>().ok_or("truth.json: half a thread")?;
        let mut places = [HashMap::new(), HashMap::new()];
        for (at, thread) in threads.iter().enumerate() {
            for (lane, places) in thread.lanes.iter().zip(&mut places) {
                places.extend(lane.clone().map(|lane| (lane, at)));
            }
        }
        let first = truth["first"].as_u64().and_then(|first| usize::try_from(first).ok());
        Ok(Story { alike_from: alike_from.unwrap_or(threads.len()), threads, first, places })
    }

    /// The thread that a lane of a side is.
    pub fn thread_of(&self, side: usize, lane: &LaneName) -> Option<usize> {
        self.places[side].get(lane).copied()
    }

    /// Whether two threads are each other's likeness.
    pub fn alike(&self, one: usize, other: usize) -> bool {
        one == other || (one >= self.alike_from && other >= self.alike_from)
    }

    /// The event where the two runs part, if they do; `logs` are theirs.
    pub fn first(&self, logs: &[Lines; 2]) -> Option<First> {
        let thread = &self.threads[self.first?];
        let parting = thread.parting.as_ref()?;
        let mut lines = parting.lines.map(|line| line.into_iter().collect::<Vec<u64>>());
        if self.first? >= self.alike_from {
            // Which of them it is may be told from the changed side only, if from any.
            let side = usize::from(parting.lines[0].is_none());
            let likes = self.threads[self.alike_from..].iter().filter_map(|thread| thread.lanes[side].as_ref());
            lines[side].extend(likes.filter_map(|lane| logs[side].line(lane, parting.position)));
        }
        Some(First { lines, kind: parting.kind.clone() })
    }

    /// The partners as scripts are told: 6=1,7=2.
    pub fn map(&self) -> String {
        let pair = |thread: &Thread| match &thread.lanes {
            // A tid that is used twice is named once.
            [Some((reference, 0)), Some((candidate, 0))] => Some(format!("{reference}={candidate}")),
            _ => None,
        };
        self.threads.iter().filter_map(pair).collect::<Vec<_>>().join(",")
    }
}

fn thread(thread: &Value) -> Option<Thread> {
    let sides = ["reference", "candidate"].map(|side| &thread[side]);
    let lane = |side: &Value| Some((side["tid"].to_string(), side["generation"].as_u64()?));
    let parted = &thread["divergence"];
    let parting = match parted["kind"].as_str() {
        None => None,
        Some(kind) => Some(Parting {
            position: parted["position"].as_u64()?,
            kind: kind.to_owned(),
            lines: ["reference_line", "candidate_line"].map(|key| parted[key].as_u64()),
            healed_after: parted["healed_after"].as_u64()?,
        }),
    };
    let lanes = sides.map(lane);
    lanes.iter().any(Option::is_some).then_some(())?;
    Some(Thread { lanes, events: sides.map(|side| side["events"].as_u64().unwrap_or(0)), parting })
}

/// A log's events by lane, read the plain way: for each line its lane and position.
pub struct Lines {
    by_lane: HashMap<LaneName, Vec<u64>>,
    lanes: Vec<Option<LaneName>>,
}

impl Lines {
    /// Of a log in schema-v1.
    pub fn read(text: &str) -> Result<Lines, Hindered> {
        let (mut by_lane, mut lanes) = (HashMap::<LaneName, Vec<u64>>::new(), Vec::new());
        let mut generations: HashMap<String, u64> = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let event: Value = serde_json::from_str(line)?;
            if event["kind"] == "schema_version" {
                lanes.push(None);
                continue;
            }
            let tid = event["tid"].to_string();
            let generation = generations.entry(tid.clone()).or_default();
            // A changed kind may have hidden the last event.
            *generation += u64::from(event["tid_event_idx"] == 0 && by_lane.contains_key(&(tid.clone(), *generation)));
            let lane = (tid, *generation);
            *generation += u64::from(event["kind"] == "thread.exit");
            by_lane.entry(lane.clone()).or_default().push(number);
            lanes.push(Some(lane));
        }
        Ok(Lines { by_lane, lanes })
    }

    /// The line of a lane's event.
    pub fn line(&self, lane: &LaneName, position: u64) -> Option<u64> {
        self.by_lane.get(lane)?.get(usize::try_from(position).ok()?).copied()
    }

    /// The lane of a line's event.
    pub fn lane(&self, line: u64) -> Option<&LaneName> {
        self.lanes.get(usize::try_from(line).ok()?.checked_sub(1)?)?.as_ref()
    }
}
