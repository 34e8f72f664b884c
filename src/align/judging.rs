//! Handing partings to the judge, and counting what no partner is compared with.

use rayon::prelude::*;

use super::aligner::Aligner;
use super::intake::Fault;
use super::lane::{Lane, Met};
use super::options::Stage;
use super::pairs::{Phase, check_lone};
use super::parting::{ContextLine, Course, Judge, MetFault, Onward, Parted, Parting};
use super::weighing::{CHUNK_PAIRS, PACE_ACCEPTED, ROUND_PAIRS};
use crate::compare::Scratch;
use crate::source::{Side, SourceError};

/// Events of each side that the look-ahead sees.
pub const LOOK_AHEAD: u64 = 256;
/// Events shown of a lane without a partner, or behind its partner's end.
const SHOWN_BEHIND: u64 = 4;

fn events_of(lane: &Lane, count: u64) -> Vec<Met<'_>> {
    lane.cursor(0).take(count as usize).collect()
}

impl<J: Judge> Aligner<'_, J> {
    /// Judges the partings whose look-ahead is complete; says whether a pairing goes on behind one.
    pub(super) fn judge_all(&mut self) -> Result<bool, SourceError> {
        self.observer.enter(Stage::Judge);
        let mut ready = Vec::new();
        for pairing in std::mem::take(&mut self.parted) {
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
            } else {
                self.parted.push(pairing);
            }
        }
        let judged: Vec<_> = ready
            .into_par_iter()
            .map_init(Scratch::default, |scratch, (pairing, how, wanted, (before, mut faults))| {
                let state = &self.pairings[pairing];
                let lanes =
                    Side::BOTH.map(|side| state.lanes[side.index()].map(|lane| &self.sides[side.index()].lanes[lane]));
                let sides = lanes.map(|lane| lane.map_or_else(Vec::new, |lane| events_of(lane, wanted)));
                let parting = Parting { pairing, how, lanes, step: state.step, told: state.told, sides, before };
                let mut judged = self.judge.judge(&parting, scratch);
                faults.append(&mut judged.faults);
                (pairing, judged, faults)
            })
            .collect();
        let mut goes_on = false;
        for (pairing, judged, faults) in judged {
            faults.into_iter().for_each(|(side, fault)| self.add_fault(side, fault));
            let (onward, phase) = match &judged.course {
                Course::Accepted(accepted) => {
                    self.count_accepted(pairing, &accepted.by);
                    (Some(accepted.onward), Phase::Active)
                }
                Course::Late(onward) => (Some(*onward), Phase::Active),
                Course::GoesOn(onward) => (Some(*onward), Phase::Active),
                Course::Followed(onward) => (Some(*onward), Phase::Following),
                Course::Over => (None, Phase::Counting),
            };
            if !matches!(judged.course, Course::Accepted(_) | Course::Late(_)) {
                let state = &mut self.pairings[pairing];
                state.told += 1;
                state.compared_before.get_or_insert(state.compared);
            }
            let is_told = !matches!(judged.course, Course::Accepted(_));
            let goes_past = onward.is_some_and(|onward| self.go_past(pairing, onward, phase, is_told));
            if is_told {
                self.verdicts.push((pairing, judged.verdict));
            }
            if goes_past {
                goes_on |= phase == Phase::Active;
                continue;
            }
            let is_alone = matches!(self.pairings[pairing].phase, Phase::Parted(Parted::Alone(_)));
            self.set_phase(pairing, if is_alone && !is_told { Phase::NotCompared } else { Phase::Counting });
            self.pairings[pairing].recent.clear();
            self.pop_both(pairing, judged.looked.map(|looked| looked as u64));
        }
        self.observer.leave(Stage::Judge);
        Ok(goes_on)
    }

    fn count_accepted(&mut self, pairing: usize, acceptances: &[u32]) {
        for by in acceptances {
            let by = *by as usize;
            self.accepted_by.resize(self.accepted_by.len().max(by + 1), 0);
            self.accepted_by[by] += 1;
        }
        self.pairings[pairing].accepted += 1;
    }

    /// Goes past a parting; says whether there is anything behind it.
    fn go_past(&mut self, pairing: usize, onward: Onward, phase: Phase, is_told: bool) -> bool {
        let (passed, step) = match onward {
            Onward::Pair(step) => {
                self.remember(pairing, 1);
                self.pairings[pairing].compared += 1;
                ([1, 1], step)
            }
            Onward::Past(passed, step) => (passed, step),
            Onward::End => return false,
        };
        self.pairings[pairing].step = step;
        self.pairings[pairing].pace = PACE_ACCEPTED;
        self.pop_both(pairing, passed);
        if is_told {
            self.pairings[pairing].differs_to = Side::BOTH.map(|side| self.lane(pairing, side).head);
        }
        if phase == Phase::Following {
            self.pairings[pairing].recent.clear();
        }
        self.set_phase(pairing, phase);
        true
    }

    /// Takes so many events off both lanes.
    fn pop_both(&mut self, pairing: usize, counts: [u64; 2]) {
        for side in Side::BOTH {
            if let Some(lane) = self.pairings[pairing].lanes[side.index()] {
                self.sides[side.index()].pop(lane, counts[side.index()]);
            }
        }
    }

    /// The texts of the last equal pairs, read strictly since they are shown.
    pub(super) fn load_recent(&self, pairing: usize) -> Result<(Vec<[ContextLine; 2]>, Vec<MetFault>), SourceError> {
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
    pub(super) fn drain_uncompared(&mut self) -> Result<(), SourceError> {
        self.check_dropped();
        for pairing in std::mem::take(&mut self.changed) {
            self.pairings[pairing].changed = false;
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
                                .filter_map(|met| check_lone(met, self.comparer, &mut scratch))
                                .collect::<Vec<_>>()
                        })
                        .collect();
                    faults.into_iter().for_each(|fault| self.add_fault(side, fault));
                    self.sides[side.index()].pop(lane, count);
                }
            }
        }
        Ok(())
    }

    /// Events dropped by `skip_start`.
    fn check_dropped(&mut self) {
        for side in Side::BOTH {
            let mut scratch = Scratch::default();
            for (held, from, to) in std::mem::take(&mut self.sides[side.index()].dropped) {
                for index in from..to {
                    let met = Met { held: &held, index, position: 0, gone: 0 };
                    if let Some(fault) = check_lone(&met, self.comparer, &mut scratch) {
                        self.add_fault(side, fault);
                    }
                }
            }
        }
    }
}
