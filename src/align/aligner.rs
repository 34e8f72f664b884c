//! The run: waves of windows pulled, scanned, sorted into lanes, paired and weighed.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ahash::AHashMap;
use rayon::prelude::*;

use super::header::HeaderFault;
use super::intake::{Fault, Intake};
use super::lane::Lane;
use super::objects::{self, Found};
use super::options::{LaneName, Malformed, MapChoice, Observer, RunOptions, Stage};
use super::pairing::{Decision, Pairer};
use super::pairs::{Phase, Recent};
use super::parting::{Judge, Step};
use super::taken_out::EventRules;
use super::weighing::CHUNK_PAIRS;
use crate::compare::Comparer;
use crate::identity::MarkFinder;
use crate::json::tape::fixed_state;
use crate::profile::Profile;
use crate::scan::{Opener, ScanOptions, ScannedWindow, scan_window};
use crate::source::{Log, Side, SourceError, Window};

/// Windows of a wave for each worker, so that none waits long for the last one to be scanned.
const WINDOWS_A_WORKER: usize = 4;
/// Bytes of windows scanned in one wave, however many workers there are.
const WAVE_BYTES_MAX: usize = 16 << 20;
/// Memory that a wave may take, in bytes, beside its windows.
const WAVE_MEMORY: usize = 16 << 20;
/// Bytes of windows held, both sides together, before waiting lanes are sealed.
const HOT_BYTES_MAX: usize = 32 << 20;

/// A pairing, its weighing so far, and how it was decided.
pub struct PairState {
    pub lanes: [Option<usize>; 2],
    pub decision: Decision,
    /// Equal pairs.
    pub compared: u64,
    pub phase: Phase,
    /// Accepted partings so far.
    pub accepted: u64,
    /// Partings told so far, a late start aside.
    pub told: u64,
    /// Equal pairs before the first of them.
    pub compared_before: Option<u64>,
    /// How many events of each lane lie before the first behind which all pairs so far are equal, once something was told.
    pub differs_to: [u64; 2],
    /// What ordinals of the candidate are ahead by.
    pub(super) step: Step,
    /// Pairs weighed in a round: few behind an accepted parting, where the next one may be near and what was weighed
    /// behind it is weighed again.
    pub(super) pace: u64,
    /// It is among the aligner's changed pairings.
    pub(super) changed: bool,
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
    pub differed_in_bytes: u64,
    /// By rule number.
    pub overlooked: Vec<u64>,
}

fn scan(
    openers: &[Opener; 2],
    (finder, rules): (&MarkFinder, &EventRules),
    pulled: Pulled,
    step_over_faults: bool,
    observer: &dyn Observer,
) -> Fresh {
    let Pulled { side, window, from } = pulled;
    observer.enter(Stage::Scan);
    let options = ScanOptions { step_over_faults, ..ScanOptions::default() };
    let scanned = scan_window(&openers[side.index()], &window, from, options);
    let found = Found { marks: objects::marks_of(finder, &window, &scanned), met: rules.met_in(&window, &scanned) };
    observer.leave(Stage::Scan);
    Fresh { side, window, scanned, found }
}

/// A window's lines from a byte on but the last, and the last; none if there is but one.
fn split_last_line(window: &Window, from: usize) -> Option<[Window; 2]> {
    let whole = window.bytes.strip_suffix(b"\n").filter(|_| window.overlong.is_none())?;
    let at = memchr::memrchr(b'\n', whole).map(|at| at + 1).filter(|at| *at > from)?;
    let part = |from: usize, to: usize| Window {
        offset: window.offset + from as u64,
        bytes: window.bytes.slice(from..to),
        overlong: None,
    };
    Some([part(0, at), part(at, window.bytes.len())])
}

/// Two logs being aligned.
pub struct Aligner<'r, J: Judge> {
    pub sides: [Intake<'r>; 2],
    pub pairings: Vec<PairState>,
    pub counters: Counters,
    pub verdicts: Vec<(usize, J::Verdict)>,
    /// How often each of the judge's acceptances accepted a parting.
    pub accepted_by: Vec<u64>,
    pub map_unknown: Vec<(Side, LaneName)>,
    pub(super) comparer: &'r Comparer<'r>,
    pub(super) profile: &'r Profile,
    pub(super) options: &'r RunOptions,
    pub(super) observer: &'r dyn Observer,
    pub(super) judge: &'r J,
    pub(super) pairer: Pairer,
    /// Lanes seen so far by `--map same` and given maps.
    pub(super) mapped: [usize; 2],
    pub(super) names: [LaneNames; 2],
    /// Pairings of which something changed since the last wave, each once.
    pub(super) changed: Vec<usize>,
    /// Pairings that parted and are not judged yet.
    pub(super) parted: Vec<usize>,
    /// Logs of which no more windows come.
    pub(super) dry: [bool; 2],
    /// Finds what events say of objects.
    pub(super) finder: Arc<MarkFinder>,
    /// The rules that take events out.
    rules: Arc<EventRules>,
    /// Pairings whose next pair waits until more lanes have partners.
    pub(super) undecided: BTreeSet<usize>,
}

/// Which lane a name means.
pub(super) type LaneNames = AHashMap<LaneName, usize>;

/// A window pulled, and the byte from which it is scanned.
struct Pulled {
    side: Side,
    window: Window,
    from: usize,
}

/// A window scanned and not yet taken.
struct Fresh {
    side: Side,
    window: Window,
    scanned: ScannedWindow,
    found: Found,
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
        let rules = Arc::new(EventRules::new(profile));
        let begin = |side, log| {
            Intake::begin(side, log, profile, Arc::clone(&rules), options, auto).map_err(|fault| (side, fault))
        };
        Ok(Aligner {
            sides: [begin(Side::Reference, reference)?, begin(Side::Candidate, candidate)?],
            pairings: Vec::new(),
            counters: Counters { overlooked: vec![0; profile.rule_names().len()], ..Counters::default() },
            verdicts: Vec::new(),
            accepted_by: Vec::new(),
            map_unknown: Vec::new(),
            comparer,
            profile,
            options,
            observer,
            judge,
            pairer: Pairer::default(),
            mapped: [0, 0],
            names: [(); 2].map(|()| AHashMap::with_hasher(fixed_state())),
            changed: Vec::new(),
            parted: Vec::new(),
            dry: [false; 2],
            finder: Arc::new(MarkFinder::new(profile)),
            rules,
            undecided: BTreeSet::new(),
        })
    }

    /// Runs to the end of both logs: the windows of a wave are scanned while the events of the
    /// wave before are weighed, by whatever workers are free. After each wave `enough` is asked
    /// whether to stop; says whether the ends were reached.
    ///
    /// # Errors
    /// A log cannot be read, or read again.
    pub fn run(&mut self, mut enough: impl FnMut(&mut Self) -> Result<bool, SourceError>) -> Result<bool, SourceError> {
        let mut fresh: Vec<Fresh> = Vec::new();
        while !self.sides.iter().all(|side| side.ended) {
            self.observer.enter(Stage::Read);
            let pulled = self.pull(&fresh);
            self.observer.leave(Stage::Read);
            let (pulled, observer) = (pulled?, self.observer);
            let (finder, rules) = (Arc::clone(&self.finder), Arc::clone(&self.rules));
            let openers = Side::BOTH.map(|side| self.sides[side.index()].opener.clone());
            let step_over_faults = self.options.malformed == Malformed::Skip;
            let taken = std::mem::take(&mut fresh);
            let (scanned, weighed) = rayon::join(
                || {
                    pulled
                        .into_par_iter()
                        .map(|pulled| scan(&openers, (&finder, &rules), pulled, step_over_faults, observer))
                        .collect()
                },
                || self.digest(taken),
            );
            weighed?;
            // Before anything more is waited for.
            if enough(self)? {
                return Ok(false);
            }
            fresh = scanned;
            for side in Side::BOTH {
                if self.dry[side.index()] && fresh.iter().all(|window| window.side != side) {
                    self.sides[side.index()].finish();
                }
            }
        }
        self.digest(Vec::new())?;
        self.finish_pairing();
        self.weigh_changed()?;
        Ok(true)
    }

    /// Takes scanned windows, then pairs, weighs and judges what they bring.
    fn digest(&mut self, fresh: Vec<Fresh>) -> Result<(), SourceError> {
        self.observer.enter(Stage::Align);
        for Fresh { side, window, scanned, found } in fresh {
            self.observer.progress(
                side,
                window.bytes.len() as u64,
                u64::from(scanned.lines),
                u64::from(scanned.events),
                u64::from(scanned.by_layout),
            );
            self.sides[side.index()].take(window, scanned, found);
        }
        self.take_objects();
        self.digest_openings();
        self.pair_lanes();
        self.observer.leave(Stage::Align);
        self.weigh_changed()?;
        self.forget_objects();
        let hot = if self.options.hot_bytes_max == 0 { HOT_BYTES_MAX } else { self.options.hot_bytes_max };
        self.sides.iter_mut().try_for_each(|side| side.seal(hot / 2))
    }

    /// Goes through the pairings of which something changed.
    fn weigh_changed(&mut self) -> Result<(), SourceError> {
        for side in Side::BOTH {
            for lane in std::mem::take(&mut self.sides[side.index()].touched) {
                if let Some(pairing) = self.sides[side.index()].lanes[lane].pairing {
                    self.change(pairing);
                }
            }
        }
        loop {
            self.weigh_all()?;
            // Behind a parting that is accepted, or told and gone past, there is more to weigh.
            if !self.judge_all()? {
                break;
            }
        }
        self.follow_all()?;
        self.drain_uncompared()
    }

    /// Something changed for a pairing: it is looked at in this wave.
    pub(super) fn change(&mut self, pairing: usize) {
        if !std::mem::replace(&mut self.pairings[pairing].changed, true) {
            self.changed.push(pairing);
        }
    }

    /// A pairing enters a phase.
    pub(super) fn set_phase(&mut self, pairing: usize, phase: Phase) {
        let state = &mut self.pairings[pairing];
        state.phase = phase;
        for side in Side::BOTH {
            if let Some(lane) = state.lanes[side.index()] {
                self.sides[side.index()].set_active(lane, matches!(phase, Phase::Active | Phase::Following));
            }
        }
        match phase {
            Phase::Parted(_) => self.parted.push(pairing),
            // No report shows what came last; thousands of threads may have ended so.
            Phase::Identical => self.pairings[pairing].recent = VecDeque::new(),
            _ => {}
        }
        self.change(pairing);
    }

    /// Windows to scan next: of the side that has less waiting, or of both. While there are
    /// `fresh` ones nothing is waited for.
    fn pull(&mut self, fresh: &[Fresh]) -> Result<Vec<Pulled>, SourceError> {
        let waiting = Side::BOTH.map(|side| {
            let coming =
                fresh.iter().filter(|window| window.side == side).map(|window| u64::from(window.scanned.events));
            self.sides[side.index()].waiting + coming.sum::<u64>()
        });
        let mut wanted = Side::BOTH.map(|side| !self.sides[side.index()].ended && !self.dry[side.index()]);
        let slack = 4 * CHUNK_PAIRS;
        if wanted == [true, true] {
            wanted = [waiting[0] <= waiting[1] + slack, waiting[1] <= waiting[0] + slack];
        }
        if self.options.first && fresh.is_empty() {
            wanted = self.ready(wanted);
        }
        let sides = wanted.iter().filter(|side| **side).count();
        let (windows, bytes_max) = share_of_wave(sides, rayon::current_num_threads());
        let mut pulled = Vec::new();
        for side in Side::BOTH.into_iter().filter(|side| wanted[side.index()]) {
            let intake = &mut self.sides[side.index()];
            intake.log.demand_memory(WAVE_MEMORY)?;
            let stream = intake.log.is_stream();
            let mut bytes = 0;
            for turn in 0..windows {
                let waits = stream && intake.log.would_block() && (turn > 0 || !fresh.is_empty());
                if bytes >= bytes_max || waits {
                    break;
                }
                let Some((window, from)) = intake.pull()? else {
                    self.dry[side.index()] = true;
                    break;
                };
                bytes += window.bytes.len();
                // Before a pause only the last line is held back, not all that came.
                let pauses = self.options.first && intake.log.would_block();
                match pauses.then(|| split_last_line(&window, from)).flatten() {
                    Some([lines, last]) => {
                        pulled.push(Pulled { side, window: lines, from });
                        pulled.push(Pulled { side, window: last, from: 0 });
                    }
                    None => pulled.push(Pulled { side, window, from }),
                }
            }
        }
        Ok(pulled)
    }

    /// What weighs the pairs.
    pub fn comparer(&self) -> &Comparer<'r> {
        self.comparer
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

/// Windows and bytes that one of so many sides may add to a wave.
fn share_of_wave(sides: usize, workers: usize) -> (usize, usize) {
    let sides = sides.max(1);
    (workers * WINDOWS_A_WORKER / sides, WAVE_BYTES_MAX / sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_shared_by_the_sides_that_are_pulled() {
        for workers in [1, 2, 64] {
            assert_eq!(share_of_wave(1, workers), (4 * workers, 16 << 20));
            assert_eq!(share_of_wave(2, workers), (2 * workers, 8 << 20));
            assert_eq!(share_of_wave(0, workers), share_of_wave(1, workers), "nobody is pulled");
        }
    }
}
