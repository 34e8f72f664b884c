//! The run: waves of windows pulled, scanned, sorted into lanes, paired and weighed.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::header::HeaderFault;
use super::intake::{Fault, Intake};
use super::lane::Lane;
use super::options::{LaneName, MapChoice, Observer, RunOptions, Stage};
use super::pairing::{Decision, Pairer};
use super::pairs::{Phase, Recent};
use super::parting::Judge;
use super::weighing::CHUNK_PAIRS;
use crate::compare::Comparer;
use crate::profile::Profile;
use crate::scan::{ScanOptions, scan_window};
use crate::source::{Log, Side, SourceError, Window};

/// Bytes of windows scanned in one wave, however many workers there are.
const WAVE_BYTES_MAX: usize = 16 << 20;
/// Bytes of windows held, both sides together, before waiting lanes are sealed.
const HOT_BYTES_MAX: usize = 32 << 20;

/// A pairing, its weighing so far, and how it was decided.
pub struct PairState {
    pub lanes: [Option<usize>; 2],
    pub decision: Decision,
    /// Equal pairs.
    pub compared: u64,
    pub phase: Phase,
    pub(super) recent: VecDeque<[Recent; 2]>,
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
    pub map_unknown: Vec<(Side, LaneName)>,
    pub(super) comparer: &'r Comparer<'r>,
    pub(super) profile: &'r Profile,
    pub(super) options: &'r RunOptions,
    pub(super) observer: &'r dyn Observer,
    pub(super) judge: &'r J,
    pub(super) pairer: Pairer,
    /// Lanes seen so far by `--map same` and given maps.
    pub(super) mapped: [usize; 2],
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

    pub(super) fn timed<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> T) -> T {
        self.observer.enter(stage);
        let result = work(self);
        self.observer.leave(stage);
        result
    }

    /// Pulls windows, scans them in parallel and puts their events into lanes in file order.
    pub(super) fn wave(&mut self) -> Result<(), SourceError> {
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
    pub(super) fn pull(&mut self) -> Result<Vec<(Side, Window, usize)>, SourceError> {
        let waiting = Side::BOTH.map(|side| self.waiting(side));
        let mut wanted = Side::BOTH.map(|side| !self.sides[side.index()].ended);
        let slack = 4 * CHUNK_PAIRS;
        if wanted == [true, true] {
            wanted = [waiting[0] <= waiting[1] + slack, waiting[1] <= waiting[0] + slack];
        }
        let sides = wanted.iter().filter(|side| **side).count();
        let share = (rayon::current_num_threads() * 2 / sides).max(1);
        let mut windows = Vec::new();
        for side in Side::BOTH {
            let intake = &mut self.sides[side.index()];
            let share = if intake.log.is_stream() { 1 } else { share };
            let mut bytes = 0;
            for _ in 0..if wanted[side.index()] { share } else { 0 } {
                if bytes * sides >= WAVE_BYTES_MAX {
                    break;
                }
                match intake.pull()? {
                    Some((window, from)) => {
                        bytes += window.bytes.len();
                        windows.push((side, window, from));
                    }
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
    pub(super) fn waiting(&self, side: Side) -> u64 {
        let intake = &self.sides[side.index()];
        (self.pairings.iter())
            .filter(|pairing| pairing.phase == Phase::Active)
            .filter_map(|pairing| pairing.lanes[side.index()])
            .map(|lane| intake.lanes[lane].waiting())
            .sum()
    }

    pub(super) fn lane(&self, pairing: usize, side: Side) -> &Lane {
        let lane = self.pairings[pairing].lanes[side.index()].expect("paired");
        &self.sides[side.index()].lanes[lane]
    }

    pub(super) fn lane_mut(&mut self, pairing: usize, side: Side) -> &mut Lane {
        let lane = self.pairings[pairing].lanes[side.index()].expect("paired");
        &mut self.sides[side.index()].lanes[lane]
    }

    pub(super) fn unseal_lane(&mut self, pairing: usize, side: Side, wanted: u64) -> Result<(), SourceError> {
        let Some(lane) = self.pairings[pairing].lanes[side.index()] else { return Ok(()) };
        let strict = self.options.strict;
        let intake = &mut self.sides[side.index()];
        let state = &mut intake.lanes[lane];
        if state.hot() < wanted.min(state.waiting()) {
            state.unseal(wanted, intake.log, &intake.opener, strict)?;
        }
        Ok(())
    }

    pub(super) fn add_fault(&mut self, side: Side, fault: Fault) {
        self.sides[side.index()].add_read_fault(fault);
    }
}
