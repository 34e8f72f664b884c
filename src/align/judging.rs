//! Handing partings to the judge, and counting what no partner is compared with.

use rayon::prelude::*;

use super::aligner::Aligner;
use super::intake::Fault;
use super::lane::Met;
use super::options::Stage;
use super::pairs::{Phase, check_lone};
use super::parting::{ContextLine, Judge, MetFault, Parted, Parting};
use super::weighing::{CHUNK_PAIRS, ROUND_PAIRS};
use crate::compare::Scratch;
use crate::source::{Side, SourceError};

/// Events of each side that the look-ahead sees.
pub const LOOK_AHEAD: u64 = 256;
/// Events shown of a lane without a partner, or behind its partner's end.
const SHOWN_BEHIND: u64 = 4;

impl<J: Judge> Aligner<'_, J> {
    /// Judges the partings whose look-ahead is complete.
    pub(super) fn judge_all(&mut self) -> Result<(), SourceError> {
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
                let sides = Side::BOTH.map(|side| match self.pairings[pairing].lanes[side.index()] {
                    Some(lane) => self.sides[side.index()].lanes[lane].cursor(0).take(wanted as usize).collect(),
                    None => Vec::new(),
                });
                let parting = Parting { pairing, how, sides, before };
                let judged = self.judge.judge(&parting, scratch);
                faults.extend(judged.faults);
                (pairing, judged.looked, judged.verdict, faults)
            })
            .collect();
        for (pairing, looked, verdict, faults) in judged {
            self.verdicts.push((pairing, verdict));
            faults.into_iter().for_each(|(side, fault)| self.add_fault(side, fault));
            self.set_phase(pairing, Phase::Counting);
            self.pairings[pairing].recent.clear();
            for side in Side::BOTH {
                if let Some(lane) = self.pairings[pairing].lanes[side.index()] {
                    self.sides[side.index()].pop(lane, looked[side.index()] as u64);
                }
            }
        }
        self.observer.leave(Stage::Judge);
        Ok(())
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
                    let met = Met { held: &held, index, position: 0 };
                    if let Some(fault) = check_lone(&met, self.comparer, &mut scratch) {
                        self.add_fault(side, fault);
                    }
                }
            }
        }
    }
}
