//! Both logs and the truth about them.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::lane::{Side, Texts};
use super::numbers::Random;
use super::options::{Births, Diverge, EditKind, LineLength, Noisy, Options, Shape, Size, Tids};
use super::replay::{Landing, LanePlan, Replay, Written};
use super::script::Script;

const BUFFER: usize = 1 << 20;

/// Where a log goes. A file is opened by the thread that writes it: opening a FIFO waits for
/// its reader.
#[derive(Clone, Debug)]
pub enum Target {
    File(PathBuf),
    Stdout,
    Nowhere,
}

impl Target {
    fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(File::options().write(true).create(true).truncate(true).open(path)?),
            Self::Stdout => Box::new(io::stdout()),
            Self::Nowhere => Box::new(io::sink()),
        })
    }
}

/// A pair of logs, planned.
pub struct Pair {
    options: Options,
    texts: Texts,
    plan: Vec<LanePlan>,
}

impl Pair {
    pub fn new(options: Options) -> Result<Self, String> {
        let events = match options.size {
            Size::Events(events) => events,
            Size::Bytes(bytes) => (bytes as f64 / mean_line(&options)?).round().max(1.0) as u64,
        };
        Self::planned(options, events)
    }

    fn planned(options: Options, events: u64) -> Result<Self, String> {
        let plan = plan(&options, events)?;
        Ok(Self { texts: Texts::new(&options), options, plan })
    }

    /// Events of each lane's script, before anything is changed.
    pub fn lengths(&self) -> Vec<u64> {
        self.plan.iter().map(|lane| lane.events).collect()
    }

    /// One log; `put` takes its bytes piece by piece.
    pub fn replay(&self, side: Side, mut put: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Written> {
        let mut replay = Replay::new(&self.options, side, &self.plan, &self.texts);
        let mut buffer = Vec::with_capacity(BUFFER + (1 << 16));
        loop {
            buffer.clear();
            let more = replay.fill(&mut buffer, BUFFER);
            put(&buffer)?;
            if !more {
                return Ok(replay.written);
            }
        }
    }

    /// Writes one log.
    pub fn write_one(&self, side: Side, target: &Target) -> io::Result<Written> {
        let mut file = target.open()?;
        let written = self.replay(side, |bytes| file.write_all(bytes))?;
        file.flush().map(|()| written)
    }

    /// Writes both logs, each by a thread of its own.
    pub fn write(&self, reference: &Target, candidate: &Target) -> io::Result<(Written, Written)> {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| self.write_one(Side::Candidate, candidate));
            let reference = self.write_one(Side::Reference, reference)?;
            let candidate = other.join().map_err(|_| io::Error::other("the writing thread panicked"))??;
            Ok((reference, candidate))
        })
    }

    /// Writes both logs with one thread that gives each a piece in turn.
    pub fn write_in_turn(&self, reference: &Target, candidate: &Target) -> io::Result<(Written, Written)> {
        let mut files = [reference.open()?, candidate.open()?];
        let mut replays =
            [Side::Reference, Side::Candidate].map(|side| Replay::new(&self.options, side, &self.plan, &self.texts));
        let mut more = [true, true];
        let mut buffer = Vec::new();
        while more != [false, false] {
            for which in 0..2 {
                if more[which] {
                    buffer.clear();
                    more[which] = replays[which].fill(&mut buffer, 1 << 16);
                    files[which].write_all(&buffer)?;
                }
            }
        }
        let [reference, candidate] = replays;
        Ok((reference.written, candidate.written))
    }

    /// What a diff of the two must find (BEHAVIOUR 3.6 for what comes first).
    pub fn truth(&self, reference: &Written, candidate: &Written) -> Value {
        let threads: Vec<Value> =
            (0..self.plan.len()).map(|lane| self.lane_truth(lane, reference, candidate)).collect();
        // What counts as first is not decided by lanes that are paired only long after they began.
        let is_late = |lane: usize| {
            let decided = reference.openings[lane][1].max(candidate.openings[lane][1]);
            decided > reference.openings[lane][0] + LATE
        };
        // The event that is missing or differs; where a lane only ends, its last common event; then lanes without partner.
        let rank = |lane: usize| {
            let (here, there) = (reference.landings[lane]?, candidate.landings[lane]?);
            let (class, place) = match here.edit.kind {
                EditKind::EndedEarly | EditKind::Overlong => (1, here.before),
                EditKind::Late => (1, here.line),
                EditKind::Unmatched | EditKind::Stranger => (2, here.line),
                _ => (0, here.line),
            };
            let is_late = class != 2 && is_late(lane);
            Some((is_late, class, place.is_none(), place.or(there.line), lane))
        };
        let first = (0..threads.len()).filter_map(rank).min().map(|(.., lane)| lane);
        let log = |side: Side, written: &Written| {
            json!({ "file": format!("{}.jsonl", side.name()), "engine": side.engine(), "bytes": written.bytes,
                    "lines": written.lines, "events": written.events.iter().sum::<u64>() })
        };
        json!({
            "seed": self.options.seed,
            "flags": self.options.flags(),
            "reference": log(Side::Reference, reference),
            "candidate": log(Side::Candidate, candidate),
            "first": first,
            "threads": threads,
        })
    }

    /// What one process wrote of its log, for another one that knows the plan.
    pub fn written_to_json(written: &Written) -> Value {
        let landings: Vec<Value> = written
            .landings
            .iter()
            .map(|landing| {
                landing
                    .map_or(Value::Null, |at| json!({ "position": at.position, "line": at.line, "before": at.before }))
            })
            .collect();
        json!({ "bytes": written.bytes, "lines": written.lines, "events": written.events, "landings": landings,
                "openings": written.openings, "healed": written.healed })
    }

    /// The same, read back; none if it is not of this plan.
    pub fn written_from_json(&self, value: &Value) -> Option<Written> {
        let list = |key: &str| value[key].as_array().filter(|list| list.len() == self.plan.len());
        let events: Option<Vec<u64>> = list("events")?.iter().map(Value::as_u64).collect();
        let landing = |(at, lane): (&Value, &LanePlan)| {
            let edit = *lane.edits.first()?;
            let (line, before) = (at["line"].as_u64(), at["before"].as_u64());
            Some(Landing { edit, position: at["position"].as_u64()?, line, before })
        };
        let landings = list("landings")?.iter().zip(&self.plan).map(landing).collect();
        let opening = |lines: &Value| Some([lines[0].as_u64()?, lines[1].as_u64()?]);
        let openings = list("openings")?.iter().map(opening).collect::<Option<_>>()?;
        let healed = list("healed")?.iter().map(Value::as_u64).collect::<Option<_>>()?;
        let (bytes, lines) = (value["bytes"].as_u64()?, value["lines"].as_u64()?);
        Some(Written { bytes, lines, events: events?, landings, openings, healed })
    }

    fn lane_truth(&self, lane: usize, reference: &Written, candidate: &Written) -> Value {
        let plan = &self.plan[lane];
        let divergence = match (reference.landings[lane], candidate.landings[lane]) {
            (Some(here), Some(there)) => json!({
                "position": there.position,
                "kind": there.edit.kind.reported(),
                "edit": there.edit.kind.name(),
                "reference_line": here.line,
                "candidate_line": there.line,
                "healed_after": candidate.healed[lane].max(reference.healed[lane]),
            }),
            _ => Value::Null,
        };
        // One lane of a flat log does not say which it is.
        let named = self.options.shape != Shape::Flat || self.options.lanes() > 1;
        let side = |tid: u64, written: &Written| match written.events[lane] {
            0 => Value::Null,
            events => json!({ "tid": named.then_some(tid), "generation": plan.generation, "events": events }),
        };
        json!({
            "thread": lane,
            "reference": side(plan.reference_tid, reference),
            "candidate": side(plan.candidate_tid, candidate),
            "divergence": divergence,
        })
    }
}

/// Events of log time after a lane's first by which it must be paired to come first.
const LATE: u64 = 131_072;

/// Bytes a line, measured on a small log of the same kind.
fn mean_line(options: &Options) -> Result<f64, String> {
    let mut small = options.clone();
    small.diverge.clear();
    small.diverge_late = 0;
    let lanes = (options.threads + options.workers) as u64;
    let pair = Pair::planned(small, 40_000.max(lanes * 400))?;
    let mut bytes = 0.0;
    let written = pair.replay(Side::Reference, |_| Ok(())).map_err(|error| error.to_string())?;
    bytes += written.bytes as f64;
    // Ordinals, clocks and handles of a large log have some digits more.
    Ok(bytes / written.lines as f64 + 3.0)
}

fn plan(options: &Options, events: u64) -> Result<Vec<LanePlan>, String> {
    let threads = options.lanes();
    possible(options)?;
    let generations = if options.generations { 2 } else { 1 };
    let share = (events / (threads * generations) as u64).max(1);
    let mut order: Vec<u64> = (0..threads as u64).collect();
    if options.tids == Tids::Shuffle {
        let mut random = Random::new(options.seed, "tids", 0);
        for last in (1..threads).rev() {
            order.swap(last, random.below(last as u64 + 1) as usize);
        }
    }
    let mut plan = Vec::new();
    for lane in 0..threads * generations {
        let (thread, generation) = (lane % threads, (lane / threads) as u64);
        let own = thread < options.threads;
        // Threads of their own differ in length by up to a fifth; two neighbours even out.
        let uneven =
            if own && options.threads.is_multiple_of(2) { share / 10 * (thread as u64 % 2 * 2) } else { share / 10 };
        let length = if own { share - share / 10 + uneven } else { share };
        let reference_tid = 100 + thread as u64;
        let candidate_tid = match options.tids {
            Tids::Same => reference_tid,
            Tids::Offset => reference_tid - 96,
            Tids::Shuffle => 4 + order[thread],
        };
        let after = (generation > 0).then(|| lane - threads);
        let script = match own {
            true => Script::new(options, Some(lane as u64), length),
            false => Script::worker(options, lane as u64, length),
        };
        plan.push(LanePlan {
            script,
            events: length,
            reference_tid,
            candidate_tid,
            generation,
            after,
            edits: Vec::new(),
        });
    }
    for edit in options.diverge.iter().copied().chain(late(options, &plan)) {
        let lanes = plan.len();
        let lane =
            plan.get_mut(edit.thread).ok_or_else(|| format!("thread {} of {lanes}: no such thread", edit.thread))?;
        if edit.position >= lane.events {
            return Err(format!("thread {} has {} events: none at {}", edit.thread, lane.events, edit.position));
        }
        if edit.position == 0 && matches!(edit.kind, EditKind::EndedEarly | EditKind::Overlong) {
            return Err(format!("thread {}: a lane that ends before its first event is none", edit.thread));
        }
        if edit.kind == EditKind::Late && !lane.edits.is_empty() {
            return Err(format!("thread {}: a thread starts late before all else", edit.thread));
        }
        if edit.kind.is_of_one_side() && (edit.position != 0 || options.generations) {
            let why = "a thread is one side's from position 0 on, and its tid serves once";
            return Err(format!("thread {}: {why}", edit.thread));
        }
        lane.edits.push(edit);
        lane.edits.sort_by_key(|edit| edit.position);
    }
    Ok(plan)
}

/// Refuses what cannot be written.
fn possible(options: &Options) -> Result<(), String> {
    let flat = options.shape == Shape::Flat;
    let tiny = options.line == LineLength::Tiny;
    let refused = [
        (options.lanes() == 0, "a log needs a thread"),
        (tiny && !flat, "only lines of the shape flat can be tiny"),
        (tiny && options.noisy == Noisy::Flags, "a tiny line has no flags"),
        (options.noisy == Noisy::Flags && !flat, "only the shape flat has flags"),
        (options.shifted && options.shape != Shape::Schema, "only the shape schema carries identities"),
        (flat && options.generations, "a thread of the shape flat has no exit: its tid serves once"),
        (
            options.births == Births::Churn && options.generations,
            "threads that start and end all the time are born once",
        ),
    ];
    refused.iter().find(|(impossible, _)| *impossible).map_or(Ok(()), |(_, why)| Err((*why).to_owned()))
}

/// Divergences of several kinds in the last twentieth of lanes drawn by lot.
fn late(options: &Options, plan: &[LanePlan]) -> Vec<Diverge> {
    const KINDS: [EditKind; 6] =
        [EditKind::Value, EditKind::Missing, EditKind::Nested, EditKind::Extra, EditKind::Kind, EditKind::Type];
    let mut random = Random::new(options.seed, "late", 0);
    let mut lanes: Vec<usize> = (0..plan.len()).collect();
    let mut edits = Vec::new();
    for kind in KINDS.iter().cycle().take(options.diverge_late) {
        if lanes.is_empty() {
            break;
        }
        let thread = lanes.swap_remove(random.below(lanes.len() as u64) as usize);
        let twentieth = plan[thread].events / 20;
        // Some equal events must follow, or nobody can tell a missing event from a changed one.
        let room = twentieth.saturating_sub(64).max(1);
        edits.push(Diverge { thread, position: plan[thread].events - twentieth + random.below(room), kind: *kind });
    }
    edits.retain(|edit| edit.position < plan[edit.thread].events);
    edits
}
