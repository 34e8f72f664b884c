//! The run: waves of windows pulled, scanned, sorted into lanes, paired and weighed.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::group::GroupKeys;
use super::header::HeaderFault;
use super::intake::{Fault, Intake};
use super::lane::{LaneCursor, Met, Place};
use super::options::{MapChoice, Observer, RunOptions, Stage};
use super::pairing::{Decision, MatchedBy, Opening, Pairer};
use super::pairs::{Phase, Recent, WeighedPairs, weigh_pairs};
use crate::compare::{Comparer, Scratch};
use crate::profile::{Profile, ReadFault};
use crate::scan::{ScanOptions, scan_window};
use crate::source::{Log, Side, SourceError};

/// Pairs of one lane that one worker weighs at a time.
const CHUNK_PAIRS: u64 = 1_024;
/// Pairs of one lane weighed in one round, so that sealed events come back a few at a time.
const ROUND_PAIRS: u64 = 65_536;
/// Events of each side that the look-ahead sees.
pub const LOOK_AHEAD: u64 = 256;
/// Events shown of a lane without a partner, or behind its partner's end.
pub const SHOWN_BEHIND: u64 = 4;
/// Bytes of windows held, both sides together, before waiting lanes are sealed.
const HOT_BYTES_MAX: usize = 32 << 20;

/// A pairing, its weighing so far, and how it was decided.
pub struct PairState {
    pub lanes: [Option<usize>; 2],
    pub decision: Decision,
    /// Equal pairs.
    pub compared: u64,
    pub phase: Phase,
    recent: VecDeque<[Recent; 2]>,
}

/// What a lane's look-ahead is handed to.
pub struct Parting<'l> {
    pub pairing: usize,
    pub how: Parted,
    /// Events from the parting on, at most [`LOOK_AHEAD`] a side.
    pub sides: [Vec<Met<'l>>; 2],
    /// Up to five pairs before, oldest first.
    pub before: Vec<[ContextLine; 2]>,
}

/// How a pairing parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parted {
    /// A pair differs.
    Differs,
    /// This side's lane ended before its partner.
    Short(Side),
    /// This side's lane has no partner.
    Alone(Side),
}

/// An event as context: where it stands and its trimmed line, possibly cut.
#[derive(Clone, Debug)]
pub struct ContextLine {
    pub place: Place,
    pub text: Vec<u8>,
    pub cut_bytes: u64,
}

/// A malformed line met while judging.
pub type MetFault = (Side, Fault);

/// Judges partings; called in parallel.
pub trait Judge: Sync {
    /// What a judgement yields.
    type Verdict: Send + Sync;
    /// Judges one parting; also names malformed lines it met.
    fn judge(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> (Self::Verdict, Vec<MetFault>);
}

/// How much was compared.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub events_compared: u64,
    pub equal_by_bytes: u64,
    pub read: u64,
    pub unverified: u64,
    pub skipped_nondeterministic: u64,
    /// By rule number.
    pub overlooked: Vec<u64>,
}

/// Two logs being aligned.
pub struct Aligner<'r, J: Judge> {
    pub sides: [Intake<'r>; 2],
    pub pairings: Vec<PairState>,
    pub counters: Counters,
    pub verdicts: Vec<(usize, J::Verdict)>,
    pub map_unknown: Vec<(Side, super::options::LaneName)>,
    comparer: &'r Comparer<'r>,
    profile: &'r Profile,
    options: &'r RunOptions,
    observer: &'r dyn Observer,
    judge: &'r J,
    pairer: Pairer,
    /// Lanes seen so far by `--map same` and given maps.
    mapped: [usize; 2],
}

impl<'r, J: Judge> Aligner<'r, J> {
    /// Opens both logs as far as their headers.
    ///
    /// # Errors
    /// A log cannot be read or lacks its header.
    pub fn begin(
        logs: [&'r mut Log; 2],
        profile: &'r Profile,
        comparer: &'r Comparer<'r>,
        options: &'r RunOptions,
        observer: &'r dyn Observer,
        judge: &'r J,
    ) -> Result<Aligner<'r, J>, (Side, HeaderFault)> {
        let auto = options.map == MapChoice::Auto;
        let [reference, candidate] = logs;
        let begin = |side, log| Intake::begin(side, log, profile, options, auto).map_err(|fault| (side, fault));
        Ok(Aligner {
            sides: [begin(Side::Reference, reference)?, begin(Side::Candidate, candidate)?],
            pairings: Vec::new(),
            counters: Counters { overlooked: vec![0; profile.rule_names().len()], ..Counters::default() },
            verdicts: Vec::new(),
            map_unknown: Vec::new(),
            comparer,
            profile,
            options,
            observer,
            judge,
            pairer: Pairer::default(),
            mapped: [0, 0],
        })
    }

    /// Runs to the end of both logs.
    ///
    /// # Errors
    /// A log cannot be read, or read again.
    pub fn run(&mut self) -> Result<(), SourceError> {
        let hot = if self.options.hot_bytes_max == 0 { HOT_BYTES_MAX } else { self.options.hot_bytes_max };
        while !self.sides.iter().all(|side| side.ended) {
            self.wave()?;
            self.timed(Stage::Align, |run| run.pair_lanes());
            self.weigh_all()?;
            self.judge_all()?;
            self.drain_uncompared()?;
            for side in &mut self.sides {
                side.seal(hot / 2)?;
            }
        }
        self.finish_pairing();
        self.weigh_all()?;
        self.judge_all()?;
        self.drain_uncompared()
    }

    fn timed<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> T) -> T {
        self.observer.enter(stage);
        let result = work(self);
        self.observer.leave(stage);
        result
    }

    /// Pulls windows, scans them in parallel and puts their events into lanes in file order.
    fn wave(&mut self) -> Result<(), SourceError> {
        let windows = self.timed(Stage::Read, Aligner::pull)?;
        self.observer.enter(Stage::Scan);
        let scanned: Vec<_> = windows
            .par_iter()
            .map(|(side, window, from)| {
                let side = &self.sides[side.index()];
                let options = ScanOptions { step_over_faults: side.steps_over_faults(), strict: false };
                scan_window(&side.opener, window, *from, options)
            })
            .collect();
        self.observer.leave(Stage::Scan);
        self.observer.enter(Stage::Align);
        let mut given = [false; 2];
        for ((side, window, _), scanned) in windows.into_iter().zip(scanned) {
            given[side.index()] = true;
            self.observer.progress(
                side,
                window.bytes.len() as u64,
                u64::from(scanned.lines),
                u64::from(scanned.events),
            );
            self.sides[side.index()].take(window, scanned);
        }
        self.digest_openings();
        self.observer.leave(Stage::Align);
        Ok(())
    }

    /// Windows to scan next: of the side that has less waiting, or of both.
    fn pull(&mut self) -> Result<Vec<(Side, crate::source::Window, usize)>, SourceError> {
        let waiting = Side::BOTH.map(|side| self.waiting(side));
        let mut wanted = Side::BOTH.map(|side| !self.sides[side.index()].ended);
        let slack = 4 * CHUNK_PAIRS;
        if wanted == [true, true] {
            wanted = [waiting[0] <= waiting[1] + slack, waiting[1] <= waiting[0] + slack];
        }
        let share = (rayon::current_num_threads() * 2 / wanted.iter().filter(|side| **side).count()).max(1);
        let mut windows = Vec::new();
        for side in Side::BOTH {
            let intake = &mut self.sides[side.index()];
            let share = if intake.log.is_stream() { 1 } else { share };
            for _ in 0..if wanted[side.index()] { share } else { 0 } {
                match intake.pull()? {
                    Some((window, from)) => windows.push((side, window, from)),
                    None => {
                        // What was pulled before must be taken first.
                        if windows.iter().all(|(other, ..)| *other != side) {
                            intake.finish();
                        }
                        break;
                    }
                }
            }
        }
        Ok(windows)
    }

    /// Events of a side that wait for partners of paired lanes.
    fn waiting(&self, side: Side) -> u64 {
        let intake = &self.sides[side.index()];
        (self.pairings.iter())
            .filter(|pairing| pairing.phase == Phase::Active)
            .filter_map(|pairing| pairing.lanes[side.index()])
            .map(|lane| intake.lanes[lane].waiting())
            .sum()
    }

    fn digest_openings(&mut self) {
        for side in Side::BOTH {
            let tasks = std::mem::take(&mut self.sides[side.index()].openings);
            let digested: Vec<_> = tasks
                .par_iter()
                .map_init(Scratch::default, |scratch, task| {
                    let mut digests = Vec::with_capacity(task.spans.len());
                    let mut keys = GroupKeys::default();
                    for span in &task.spans {
                        let event = Met { held: &task.held, span, position: 0 }.event();
                        digests.push(match self.comparer.digest(&event, scratch) {
                            Ok(digest) | Err((digest, _)) => digest,
                        });
                        keys.look(self.profile, &event);
                    }
                    (digests, keys)
                })
                .collect();
            let intake = &mut self.sides[side.index()];
            for (task, (digests, keys)) in tasks.iter().zip(digested) {
                let lane = &mut intake.lanes[task.lane];
                lane.group.join(keys);
                lane.opening.get_or_insert_with(Opening::default).digests.extend(digests);
            }
            for lane in std::mem::take(&mut intake.ripened) {
                let state = &mut intake.lanes[lane];
                let mut opening = state.opening.take().unwrap_or_default();
                opening.group = state.group.digest();
                let at = state.ripe_at.expect("ripened lanes are ripe");
                self.pairer.ripe(side, lane, at, state.first_line, opening);
            }
        }
    }

    /// Pairs what can be paired by now.
    fn pair_lanes(&mut self) {
        if self.options.map != MapChoice::Auto {
            return self.map_lanes();
        }
        let progress = |side: &Intake<'_>| if side.ended { u64::MAX } else { side.time };
        let horizon = self.sides.iter().map(progress).min().expect("two sides");
        if horizon == u64::MAX {
            return;
        }
        for decision in self.pairer.advance(horizon) {
            self.add_pairing(decision);
        }
    }

    fn finish_pairing(&mut self) {
        let end = self.sides[0].time.max(self.sides[1].time);
        if self.options.map == MapChoice::Auto {
            let lanes = [self.sides[0].lanes.len(), self.sides[1].lanes.len()];
            for decision in self.pairer.finish(end, lanes) {
                self.add_pairing(decision);
            }
        } else {
            self.map_lanes();
            self.find_unknown_names();
        }
        for side in Side::BOTH {
            let alone = (0..self.sides[side.index()].lanes.len())
                .filter(|lane| self.sides[side.index()].lanes[*lane].pairing.is_none())
                .collect::<Vec<_>>();
            for lane in alone {
                self.add_alone(side, lane, Phase::Parted(Parted::Alone(side)), end);
            }
        }
    }

    fn add_pairing(&mut self, decision: Decision) {
        let index = self.pairings.len();
        for side in Side::BOTH {
            let lane = decision.lanes[side.index()];
            self.sides[side.index()].lanes[lane].pairing = Some(index);
        }
        self.pairings.push(PairState {
            lanes: decision.lanes.map(Some),
            decision,
            compared: 0,
            phase: Phase::Active,
            recent: VecDeque::new(),
        });
    }

    fn add_alone(&mut self, side: Side, lane: usize, phase: Phase, at: u64) {
        let index = self.pairings.len();
        self.sides[side.index()].lanes[lane].pairing = Some(index);
        let mut lanes = [None, None];
        lanes[side.index()] = Some(lane);
        let decision =
            Decision { lanes: [lane, lane], matched_by: MatchedBy::None, ambiguous: false, evidence: None, at };
        self.pairings.push(PairState { lanes, decision, compared: 0, phase, recent: VecDeque::new() });
    }

    /// Pairs new lanes under `--map same` or a given map.
    fn map_lanes(&mut self) {
        for side in Side::BOTH {
            while self.mapped[side.index()] < self.sides[side.index()].lanes.len() {
                let lane = self.mapped[side.index()];
                self.mapped[side.index()] += 1;
                self.map_lane(side, lane);
            }
        }
    }

    fn map_lane(&mut self, side: Side, lane: usize) {
        let state = &self.sides[side.index()].lanes[lane];
        let name = super::options::LaneName { thread: state.thread.clone(), generation: state.generation };
        let (partner, matched_by) = match &self.options.map {
            MapChoice::Given(map) => {
                let entry = map.iter().find(|entry| *pick(entry, side) == name);
                let Some(entry) = entry else { return self.add_alone(side, lane, Phase::NotCompared, 0) };
                (pick(entry, side.other()).clone(), MatchedBy::Given)
            }
            _ => (name.clone(), MatchedBy::Same),
        };
        let other = side.other();
        let index = self.sides[other.index()].lanes[..self.mapped[other.index()]]
            .iter()
            .position(|lane| lane.thread == partner.thread && lane.generation == partner.generation);
        if let Some(found) = index {
            let lanes = if side == Side::Reference { [lane, found] } else { [found, lane] };
            let at = self.sides[0].lanes[lanes[0]].first_time.unwrap_or(0);
            self.add_pairing(Decision { lanes, matched_by, ambiguous: false, evidence: None, at });
        }
    }

    fn find_unknown_names(&mut self) {
        let MapChoice::Given(map) = &self.options.map else { return };
        for entry in map {
            for side in Side::BOTH {
                let name = pick(entry, side);
                let known = (self.sides[side.index()].lanes.iter())
                    .any(|lane| lane.thread == name.thread && lane.generation == name.generation);
                if !known {
                    self.map_unknown.push((side, name.clone()));
                }
            }
        }
    }

    /// Weighs every pair that both sides have, round by round.
    fn weigh_all(&mut self) -> Result<(), SourceError> {
        self.observer.enter(Stage::Compare);
        let mut active: Vec<usize> =
            (0..self.pairings.len()).filter(|pairing| self.pairings[*pairing].phase == Phase::Active).collect();
        while !active.is_empty() {
            for pairing in &active {
                self.unseal_front(*pairing)?;
                self.step_over_holes(*pairing)?;
            }
            let mut tasks = Vec::new();
            for pairing in &active {
                let count = self.pairs_at_hand(*pairing).min(ROUND_PAIRS);
                let chunks = (0..count).step_by(CHUNK_PAIRS as usize);
                tasks.extend(chunks.map(|skip| (*pairing, skip, CHUNK_PAIRS.min(count - skip))));
            }
            let reading = (self.options.strict, self.sides[0].steps_over_faults());
            let results: Vec<WeighedPairs> = tasks
                .par_iter()
                .map_init(Scratch::default, |scratch, (pairing, skip, count)| {
                    let [reference, candidate] = self.cursors(*pairing, *skip);
                    let pairs = reference.zip(candidate).take(*count as usize);
                    weigh_pairs(self.comparer, pairs, reading, scratch)
                })
                .collect();
            active = self.settle(&tasks, results);
        }
        self.close_ended();
        self.observer.leave(Stage::Compare);
        Ok(())
    }

    fn cursors(&self, pairing: usize, skip: u64) -> [LaneCursor<'_>; 2] {
        Side::BOTH.map(|side| {
            let lane = self.pairings[pairing].lanes[side.index()].expect("only paired lanes are weighed");
            self.sides[side.index()].lanes[lane].cursor(skip)
        })
    }

    /// Takes the results in order; returns the pairings that may have more to weigh.
    fn settle(&mut self, tasks: &[(usize, u64, u64)], results: Vec<WeighedPairs>) -> Vec<usize> {
        let mut again = Vec::new();
        let mut at = 0;
        while at < tasks.len() {
            let pairing = tasks[at].0;
            let end = tasks[at..].iter().position(|task| task.0 != pairing).map_or(tasks.len(), |next| at + next);
            let mut taken = 0;
            for result in &results[at..end] {
                taken += result.taken;
                self.count(pairing, result);
                if let Some(phase) = result.stop {
                    self.pairings[pairing].phase = phase;
                    break;
                }
            }
            self.remember(pairing, taken);
            for side in Side::BOTH {
                let lane = self.pairings[pairing].lanes[side.index()].expect("paired");
                self.sides[side.index()].lanes[lane].pop(taken);
            }
            if self.pairings[pairing].phase == Phase::Active && taken > 0 {
                again.push(pairing);
            }
            at = end;
        }
        again
    }

    fn count(&mut self, pairing: usize, result: &WeighedPairs) {
        self.pairings[pairing].compared += result.equal;
        let counters = &mut self.counters;
        counters.events_compared += result.compared;
        counters.equal_by_bytes += result.equal_by_bytes;
        counters.read += result.read;
        counters.unverified += result.unverified;
        counters.skipped_nondeterministic += result.skipped_nondeterministic;
        for (rule, count) in &result.overlooked {
            counters.overlooked[*rule as usize] += count;
        }
        for (side, fault) in &result.faults {
            self.add_fault(*side, fault.clone());
        }
    }

    fn add_fault(&mut self, side: Side, fault: Fault) {
        let intake = &mut self.sides[side.index()];
        if intake.steps_over_faults() {
            intake.lines_skipped += 1;
        }
        intake.faults.push(fault);
    }

    /// Keeps the last five pairs taken, for the report.
    fn remember(&mut self, pairing: usize, taken: u64) {
        if taken == 0 {
            return;
        }
        let from = taken.saturating_sub(Recent::PAIRS);
        let [reference, candidate] = self.cursors(pairing, from);
        let streams = Side::BOTH.map(|side| self.sides[side.index()].log.is_stream());
        let newest: Vec<_> = reference
            .zip(candidate)
            .take((taken - from) as usize)
            .map(|(r, c)| [Recent::new(&r, streams[0]), Recent::new(&c, streams[1])])
            .collect();
        let recent = &mut self.pairings[pairing].recent;
        recent.extend(newest);
        let excess = recent.len().saturating_sub(Recent::PAIRS as usize);
        recent.drain(..excess);
    }

    fn pairs_at_hand(&self, pairing: usize) -> u64 {
        let lanes = Side::BOTH.map(|side| self.lane(pairing, side));
        let to_hole = |lane: &super::lane::Lane| lane.holes.front().map_or(u64::MAX, |hole| hole.0 - lane.head);
        lanes.iter().map(|lane| lane.hot().min(to_hole(lane))).min().unwrap_or(0)
    }

    fn lane(&self, pairing: usize, side: Side) -> &super::lane::Lane {
        let lane = self.pairings[pairing].lanes[side.index()].expect("paired");
        &self.sides[side.index()].lanes[lane]
    }

    fn lane_mut(&mut self, pairing: usize, side: Side) -> &mut super::lane::Lane {
        let lane = self.pairings[pairing].lanes[side.index()].expect("paired");
        &mut self.sides[side.index()].lanes[lane]
    }

    /// Brings sealed events back where their partners wait.
    fn unseal_front(&mut self, pairing: usize) -> Result<(), SourceError> {
        for side in Side::BOTH {
            let partner = self.lane(pairing, side.other()).waiting();
            self.unseal_lane(pairing, side, partner.min(ROUND_PAIRS / 4))?;
        }
        Ok(())
    }

    fn unseal_lane(&mut self, pairing: usize, side: Side, wanted: u64) -> Result<(), SourceError> {
        let Some(lane) = self.pairings[pairing].lanes[side.index()] else { return Ok(()) };
        let strict = self.options.strict;
        let intake = &mut self.sides[side.index()];
        let state = &mut intake.lanes[lane];
        if state.hot() < wanted.min(state.waiting()) {
            state.unseal(wanted, intake.log, &intake.opener, strict)?;
        }
        Ok(())
    }

    /// Where lines were skipped and ordinals show which events are gone, the partner's events
    /// in that hole are stepped over.
    fn step_over_holes(&mut self, pairing: usize) -> Result<(), SourceError> {
        loop {
            let mut stepped = false;
            for side in Side::BOTH {
                let lane = self.lane(pairing, side);
                let Some((position, after, before)) = lane.holes.front().copied() else { continue };
                if position != lane.head {
                    continue;
                }
                let partner = self.lane(pairing, side.other());
                let next = partner.cursor(0).next().and_then(|met| met.span.ordinal());
                let inside = next.is_some_and(|next| after.is_none_or(|after| next > after) && next < before);
                if inside {
                    self.lane_mut(pairing, side.other()).pop(1);
                    self.counters.unverified += 1;
                    self.unseal_front(pairing)?;
                    stepped = true;
                } else if next.is_some() || partner.complete && partner.waiting() == 0 {
                    self.lane_mut(pairing, side).holes.pop_front();
                    stepped = true;
                }
            }
            if !stepped {
                return Ok(());
            }
        }
    }

    /// Pairings of which a lane is at its end.
    fn close_ended(&mut self) {
        for pairing in 0..self.pairings.len() {
            if self.pairings[pairing].phase != Phase::Active {
                continue;
            }
            let [reference, candidate] = Side::BOTH.map(|side| self.lane(pairing, side));
            let over = |lane: &super::lane::Lane| lane.complete && lane.waiting() == 0;
            self.pairings[pairing].phase = match (over(reference), over(candidate)) {
                (true, true) => Phase::Identical,
                (true, false) if candidate.waiting() > 0 => Phase::Parted(Parted::Short(Side::Reference)),
                (false, true) if reference.waiting() > 0 => Phase::Parted(Parted::Short(Side::Candidate)),
                _ => Phase::Active,
            };
        }
    }

    /// Judges the partings whose look-ahead is complete.
    fn judge_all(&mut self) -> Result<(), SourceError> {
        self.observer.enter(Stage::Judge);
        let mut ready = Vec::new();
        for pairing in 0..self.pairings.len() {
            let Phase::Parted(how) = self.pairings[pairing].phase else { continue };
            let wanted = if how == Parted::Differs { LOOK_AHEAD } else { SHOWN_BEHIND };
            let complete = Side::BOTH.iter().all(|side| {
                let lane = self.pairings[pairing].lanes[side.index()].map(|lane| &self.sides[side.index()].lanes[lane]);
                lane.is_none_or(|lane| lane.complete || lane.waiting() >= wanted)
            });
            if complete {
                for side in Side::BOTH {
                    self.unseal_lane(pairing, side, wanted)?;
                }
                let before = self.load_recent(pairing)?;
                ready.push((pairing, how, wanted, before));
            }
        }
        let judged: Vec<_> = ready
            .into_par_iter()
            .map_init(Scratch::default, |scratch, (pairing, how, wanted, (before, mut faults))| {
                let sides = Side::BOTH.map(|side| match self.pairings[pairing].lanes[side.index()] {
                    Some(lane) => self.sides[side.index()].lanes[lane].cursor(0).take(wanted as usize).collect(),
                    None => Vec::new(),
                });
                let parting = Parting { pairing, how, sides, before };
                let (verdict, met) = self.judge.judge(&parting, scratch);
                faults.extend(met);
                (pairing, wanted, verdict, faults)
            })
            .collect();
        for (pairing, wanted, verdict, faults) in judged {
            self.verdicts.push((pairing, verdict));
            faults.into_iter().for_each(|(side, fault)| self.add_fault(side, fault));
            self.pairings[pairing].phase = Phase::Counting;
            self.pairings[pairing].recent.clear();
            for side in Side::BOTH {
                if let Some(lane) = self.pairings[pairing].lanes[side.index()] {
                    let lane = &mut self.sides[side.index()].lanes[lane];
                    lane.pop(wanted.min(lane.waiting()));
                }
            }
        }
        self.observer.leave(Stage::Judge);
        Ok(())
    }

    /// The texts of the last equal pairs, read strictly since they are shown.
    fn load_recent(&self, pairing: usize) -> Result<(Vec<[ContextLine; 2]>, Vec<MetFault>), SourceError> {
        let mut lines = Vec::new();
        let mut faults = Vec::new();
        for pair in &self.pairings[pairing].recent {
            let mut load = |side: Side| -> Result<ContextLine, SourceError> {
                let (line, fault) = pair[side.index()].load(self.sides[side.index()].log, self.comparer)?;
                faults.extend(fault.map(|fault| (side, fault)));
                Ok(line)
            };
            lines.push([load(Side::Reference)?, load(Side::Candidate)?]);
        }
        Ok((lines, faults))
    }

    /// Takes the events that no partner is compared with: counted, and read where two lines may
    /// be glued together.
    fn drain_uncompared(&mut self) -> Result<(), SourceError> {
        for pairing in 0..self.pairings.len() {
            if !matches!(self.pairings[pairing].phase, Phase::Counting | Phase::NotCompared | Phase::Faulty) {
                continue;
            }
            for side in Side::BOTH {
                let Some(lane) = self.pairings[pairing].lanes[side.index()] else { continue };
                while self.sides[side.index()].lanes[lane].waiting() > 0 {
                    self.unseal_lane(pairing, side, ROUND_PAIRS)?;
                    let state = &self.sides[side.index()].lanes[lane];
                    let met: Vec<Met<'_>> = state.cursor(0).take(ROUND_PAIRS as usize).collect();
                    let count = met.len() as u64;
                    let faults: Vec<Fault> = met
                        .par_chunks(CHUNK_PAIRS as usize)
                        .flat_map_iter(|chunk| {
                            let mut scratch = Scratch::default();
                            chunk
                                .iter()
                                .filter_map(|met| super::pairs::check_lone(met, self.comparer, &mut scratch))
                                .collect::<Vec<_>>()
                        })
                        .collect();
                    faults.into_iter().for_each(|fault| self.add_fault(side, fault));
                    self.sides[side.index()].lanes[lane].pop(count);
                }
            }
        }
        Ok(())
    }
}

fn pick(entry: &(super::options::LaneName, super::options::LaneName), side: Side) -> &super::options::LaneName {
    match side {
        Side::Reference => &entry.0,
        Side::Candidate => &entry.1,
    }
}

/// Where a reading fault of an event stands in its log.
pub fn fault_at(met: &Met<'_>, fault: &ReadFault) -> Fault {
    Fault { line: met.place().line, offset: met.offset_of(fault.at), reason: fault.reason.to_string() }
}
