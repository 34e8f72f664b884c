//! One side's log: its lanes interleaved in an order of the side's own.

use std::collections::VecDeque;

use super::edit::{self, Action};
use super::lane::{Lane, Side, Texts};
use super::numbers::Random;
use super::options::{Births, Diverge, EditKind, Options, Shape, Skew};
use super::script::{Script, Step};

/// Events that a thread may be behind before it is preferred.
const BEHIND_MAX: u64 = 250;

/// What the plan says of one lane, the same for both sides.
#[derive(Clone, Debug)]
pub struct LanePlan {
    pub script: Script,
    pub events: u64,
    pub reference_tid: u64,
    pub candidate_tid: u64,
    pub generation: u64,
    /// The lane that must have ended before: it used the tid.
    pub after: Option<usize>,
    pub edits: Vec<Diverge>,
}

/// Where a lane's first edit has landed, as one side saw it.
#[derive(Clone, Copy, Debug)]
pub struct Landing {
    pub edit: Diverge,
    pub position: u64,
    /// The line of this side's event at that position, if it has one.
    pub line: Option<u64>,
    /// The line of this side's event before it.
    pub before: Option<u64>,
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub bytes: u64,
    pub lines: u64,
    /// Events of each lane.
    pub events: Vec<u64>,
    pub landings: Vec<Option<Landing>>,
    /// For each lane the lines of its first event and of the last of its opening.
    pub openings: Vec<[u64; 2]>,
    /// For each lane how many events on from its first edit the two sides are equal again, if one landed.
    pub healed: Vec<u64>,
}

/// Events that differ behind the first where one field differs for long.
const LASTING: u64 = 120;
/// Events by which lanes are paired, at most.
const OPENING: u64 = 64;

/// A log in the making.
pub struct Replay<'plan> {
    side: Side,
    plan: &'plan [LanePlan],
    texts: &'plan Texts,
    lanes: Vec<Lane>,
    edits: Vec<usize>,
    done: Vec<bool>,
    /// Events whose text is still to be changed, by lane.
    lasting: Vec<u64>,
    /// The line of each lane's newest event.
    newest: Vec<Option<u64>>,
    alive: Vec<usize>,
    /// How far the others were when a lane began: its own steps are counted from there.
    joined_at: Vec<u64>,
    unborn: VecDeque<(u64, usize)>,
    waiting: Vec<usize>,
    random: Random,
    slice: u64,
    turn: usize,
    left: u64,
    host_ns: u64,
    /// The line before the events, if the shape has one.
    header: Option<String>,
    /// This log is sorted by thread.
    sorted: bool,
    pub written: Written,
}

impl<'plan> Replay<'plan> {
    pub fn new(options: &Options, side: Side, plan: &'plan [LanePlan], texts: &'plan Texts) -> Self {
        let lane = |(number, lane): (usize, &LanePlan)| {
            let tid = if side == Side::Reference { lane.reference_tid } else { lane.candidate_tid };
            Lane::new(options, side, number as u64, tid, lane.script.clone())
        };
        let total: u64 = plan.iter().map(|lane| lane.events).sum();
        let sorted = if side == Side::Reference { Skew::Reference } else { Skew::Candidate };
        Self {
            side,
            plan,
            texts,
            lanes: plan.iter().enumerate().map(lane).collect(),
            edits: vec![0; plan.len()],
            done: vec![false; plan.len()],
            lasting: vec![0; plan.len()],
            newest: vec![None; plan.len()],
            alive: Vec::new(),
            joined_at: vec![0; plan.len()],
            unborn: births(options, side, plan, total),
            waiting: (0..plan.len()).filter(|lane| plan[*lane].after.is_some()).collect(),
            random: Random::new(options.seed, side.name(), u64::MAX),
            slice: options.slice.max(1),
            turn: 0,
            left: 0,
            header: header(options.shape, side),
            sorted: options.skew == sorted,
            host_ns: if side == Side::Reference { 1_000_000_000 } else { 9_000_000_000_000_000 },
            written: Written {
                events: vec![0; plan.len()],
                landings: vec![None; plan.len()],
                openings: vec![[0; 2]; plan.len()],
                healed: vec![0; plan.len()],
                ..Written::default()
            },
        }
    }

    /// Appends lines to `out` until it holds `limit` bytes; false once the log is complete.
    pub fn fill(&mut self, out: &mut Vec<u8>, limit: usize) -> bool {
        let before = out.len();
        if let Some(header) = self.header.take() {
            out.extend_from_slice(header.as_bytes());
            self.written.lines = 1;
        }
        let mut more = true;
        while more && out.len() < limit {
            more = self.slice_of_one_lane(out, limit);
        }
        self.written.bytes += (out.len() - before) as u64;
        more
    }

    fn slice_of_one_lane(&mut self, out: &mut Vec<u8>, limit: usize) -> bool {
        if self.left == 0 && !self.switch() {
            return false;
        }
        let number = self.alive[self.turn];
        while self.left > 0 && out.len() < limit {
            self.left -= 1;
            if !self.event(out, number) {
                self.end(number);
                self.left = 0;
            }
        }
        true
    }

    /// Chooses the thread whose turn it is; false if there is none any more.
    fn switch(&mut self) -> bool {
        while let Some((line, lane)) = self.unborn.front().copied()
            && (line < self.written.lines || self.alive.is_empty())
        {
            self.unborn.pop_front();
            self.join(lane);
        }
        if self.alive.is_empty() {
            return false;
        }
        if self.sorted {
            (self.turn, self.left) = (0, u64::MAX);
            return true;
        }
        self.turn = self.fair_turn();
        self.left = 1 + self.random.below(self.slice * 2 - 1);
        true
    }

    /// A thread at random; of two at random the one that is far behind, as a fair scheduler would
    /// have it: how much further one is than another then does not grow with the log.
    fn fair_turn(&mut self) -> usize {
        let mut any = || self.random.below(self.alive.len() as u64) as usize;
        let (one, other) = (any(), any());
        let is_behind = self.reached(self.alive[other]) + BEHIND_MAX < self.reached(self.alive[one]);
        if is_behind { other } else { one }
    }

    /// How far a lane is, as the scheduler sees it.
    fn reached(&self, lane: usize) -> u64 {
        self.joined_at[lane] + self.lanes[lane].taken
    }

    /// A lane begins, as far as the one that is least far.
    fn join(&mut self, lane: usize) {
        self.joined_at[lane] = self.alive.iter().map(|lane| self.reached(*lane)).min().unwrap_or(0);
        self.alive.push(lane);
    }

    fn end(&mut self, number: usize) {
        self.alive.retain(|lane| *lane != number);
        self.done[number] = true;
        let (plan, done) = (self.plan, &self.done);
        let (ready, waiting) =
            self.waiting.iter().partition(|lane| plan[**lane].after.is_some_and(|before| done[before]));
        self.waiting = waiting;
        let ready: Vec<usize> = ready;
        ready.into_iter().for_each(|lane| self.join(lane));
    }

    /// Writes the next event of a lane; false if it has ended.
    fn event(&mut self, out: &mut Vec<u8>, number: usize) -> bool {
        let Some(step) = self.lanes[number].script.next() else { return false };
        self.lanes[number].taken += 1;
        match self.plan[number].edits.get(self.edits[number]).copied() {
            Some(wanted) if self.is_due(number, step, wanted) => {
                self.edits[number] += 1;
                self.edited(out, number, step, wanted)
            }
            _ if self.lasting[number] > 0 && edit::fits(EditKind::Lasting, step) => {
                self.lasting[number] -= 1;
                self.rewritten(out, number, step, EditKind::Lasting);
                true
            }
            _ => {
                self.line(out, number, step);
                true
            }
        }
    }

    /// Whether an edit lands on an event.
    fn is_due(&self, number: usize, step: Step, wanted: Diverge) -> bool {
        let next = || self.lanes[number].script.clone().next();
        match wanted.kind {
            // What is left out begins with the lane.
            EditKind::Late => true,
            EditKind::Swapped => {
                let is_far_enough = self.lanes[number].taken > wanted.position && edit::fits(wanted.kind, step);
                is_far_enough
                    && next().is_some_and(|next| {
                        matches!(next, Step::Call { .. } | Step::WaitEnd { .. } | Step::Instruction { last: false, .. })
                    })
            }
            _ => self.lanes[number].taken > wanted.position && edit::fits(wanted.kind, step),
        }
    }

    /// Writes an event, then changes its text; the sides differ up to there at least.
    fn rewritten(&mut self, out: &mut Vec<u8>, number: usize, step: Step, kind: EditKind) {
        if let Some(landing) = self.written.landings[number] {
            self.written.healed[number] = self.lanes[number].position - landing.position + 1;
        }
        let from = out.len();
        self.line(out, number, step);
        if self.side == Side::Reference {
            return;
        }
        let line = String::from_utf8_lossy(&out[from..]).into_owned();
        out.truncate(from);
        out.extend_from_slice(edit::rewrite(&line, kind, step).as_bytes());
    }

    fn line(&mut self, out: &mut Vec<u8>, number: usize, step: Step) {
        self.host_ns += 100 + (self.random.next() & 0x1FF);
        self.lanes[number].write(out, self.texts, step, self.host_ns);
        self.written.lines += 1;
        self.written.events[number] += 1;
        self.newest[number] = Some(self.written.lines);
        let [first, last] = &mut self.written.openings[number];
        match self.written.events[number] {
            1 => [*first, *last] = [self.written.lines; 2],
            2..=OPENING => *last = self.written.lines,
            _ => {}
        }
    }

    /// The event that an edit lands on: the reference writes it and remembers where.
    fn edited(&mut self, out: &mut Vec<u8>, number: usize, step: Step, wanted: Diverge) -> bool {
        let position = self.lanes[number].position;
        let action = edit::action(wanted.kind);
        let ends = action == Action::End(self.side);
        if self.written.landings[number].is_none() {
            // After a skipped event the next one stands at its place, on a line not yet known.
            let skips = matches!(action, Action::Skip | Action::Late) && self.side == Side::Candidate;
            let line = (!ends && !skips).then_some(self.written.lines + 1);
            let before = self.newest[number];
            self.written.landings[number] = Some(Landing { edit: wanted, position, line, before });
            self.written.healed[number] = match action {
                Action::Swap => 2,
                Action::Late => wanted.position.max(1),
                _ => 1,
            };
        }
        if ends {
            return false;
        }
        if action == Action::Last {
            self.lasting[number] = LASTING;
            self.rewritten(out, number, step, wanted.kind);
            return true;
        }
        if self.side == Side::Reference {
            self.line(out, number, step);
            return true;
        }
        match action {
            Action::Skip => {}
            Action::Swap => {
                if let Some(next) = self.lanes[number].script.next() {
                    self.lanes[number].taken += 1;
                    self.line(out, number, next);
                }
                self.line(out, number, step);
            }
            Action::Late => {
                self.lanes[number].ordinal_shift = wanted.position.max(1);
                for _ in 1..wanted.position {
                    self.lanes[number].taken += 1;
                    self.lanes[number].script.next();
                }
            }
            // The other side's lane ends here.
            Action::End(_) => self.line(out, number, step),
            Action::Insert => {
                self.line(out, number, edit::odd(step));
                self.line(out, number, step);
            }
            Action::Renumber => {
                self.lanes[number].ordinal_shift += 1;
                self.line(out, number, step);
            }
            Action::Rewrite | Action::Last => self.rewritten(out, number, step, wanted.kind),
        }
        true
    }
}

/// The first line of a log that has one.
fn header(shape: Shape, side: Side) -> Option<String> {
    let (engine, number) = (side.engine(), side as u8);
    match shape {
        Shape::Flat => None,
        Shape::Sorted => Some(format!(
            "{{\"build\":\"4.{number}.0\",\"engine\":\"{engine}\",\"guest\":\"demo-title\",\"kind\":\"schema_version\",\"schema_version\":1}}\n"
        )),
        Shape::Schema | Shape::Reordered => Some(format!(
            "{{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"{engine}\",\"build\":\"4.{number}.0\",\"guest\":\"demo-title\"}}\n"
        )),
    }
}

/// Threads that run at once where threads start and end all the time.
const AT_ONCE: usize = 32;

/// The lines from which on threads may run, in the order of their births on this side.
fn births(options: &Options, side: Side, plan: &[LanePlan], total: u64) -> VecDeque<(u64, usize)> {
    let mut lanes: Vec<usize> = (0..plan.len()).filter(|lane| plan[*lane].after.is_none()).collect();
    if options.births == Births::Reversed && side == Side::Candidate {
        lanes.reverse();
    }
    let (apart, at_once) = match options.births {
        Births::Start => (0, 0),
        Births::Spread | Births::Reversed => (total / 2 / lanes.len().max(1) as u64, 0),
        Births::Churn => (total / lanes.len().max(1) as u64, AT_ONCE),
    };
    lanes.into_iter().enumerate().map(|(turn, lane)| (turn.saturating_sub(at_once) as u64 * apart, lane)).collect()
}
