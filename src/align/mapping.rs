//! Which lanes belong together: openings digested, decisions taken, `--map` obeyed.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::aligner::{Aligner, PairState};
use super::group::GroupKeys;
use super::intake::Intake;
use super::lane::Met;
use super::options::{LaneName, MapChoice};
use super::pairing::{Decision, MatchedBy, Opening};
use super::pairs::Phase;
use super::parting::{Judge, Parted, Step};
use super::weighing::ROUND_PAIRS;
use crate::compare::Scratch;
use crate::source::Side;

impl<J: Judge> Aligner<'_, J> {
    pub(super) fn digest_openings(&mut self) {
        for side in Side::BOTH {
            let tasks = std::mem::take(&mut self.sides[side.index()].openings);
            let digested: Vec<_> = tasks
                .par_iter()
                .map_init(Scratch::default, |scratch, task| {
                    let mut digests = Vec::with_capacity((task.to - task.from) as usize);
                    let mut keys = GroupKeys::default();
                    for index in task.from..task.to {
                        let event = Met { held: &task.held, index, position: 0, gone: 0 }.event();
                        digests.push(match self.comparer.digest(side.index(), &event, scratch) {
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
    pub(super) fn pair_lanes(&mut self) {
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

    pub(super) fn finish_pairing(&mut self) {
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

    pub(super) fn add_pairing(&mut self, decision: Decision) {
        let index = self.pairings.len();
        for side in Side::BOTH {
            let lane = decision.lanes[side.index()];
            self.sides[side.index()].lanes[lane].pairing = Some(index);
            self.decide_partner(side, lane, Some(decision.lanes[side.other().index()]));
        }
        self.pairings.push(PairState {
            lanes: decision.lanes.map(Some),
            decision,
            compared: 0,
            phase: Phase::Active,
            accepted: 0,
            told: 0,
            compared_before: None,
            differs_to: [0, 0],
            step: Step::default(),
            pace: ROUND_PAIRS,
            changed: false,
            recent: VecDeque::new(),
        });
        self.set_phase(index, Phase::Active);
    }

    pub(super) fn add_alone(&mut self, side: Side, lane: usize, phase: Phase, at: u64) {
        let index = self.pairings.len();
        self.sides[side.index()].lanes[lane].pairing = Some(index);
        match phase {
            Phase::NotCompared => self.leave_out(side, lane),
            _ => self.decide_partner(side, lane, None),
        }
        let mut lanes = [None, None];
        lanes[side.index()] = Some(lane);
        let decision =
            Decision { lanes: [lane, lane], matched_by: MatchedBy::None, ambiguous: false, evidence: None, at };
        self.pairings.push(PairState {
            lanes,
            decision,
            compared: 0,
            phase,
            accepted: 0,
            told: 0,
            compared_before: None,
            differs_to: [0, 0],
            step: Step::default(),
            pace: ROUND_PAIRS,
            changed: false,
            recent: VecDeque::new(),
        });
        self.set_phase(index, phase);
    }

    /// Pairs new lanes under `--map same` or a given map.
    pub(super) fn map_lanes(&mut self) {
        for side in Side::BOTH {
            while self.mapped[side.index()] < self.sides[side.index()].lanes.len() {
                let lane = self.mapped[side.index()];
                self.mapped[side.index()] += 1;
                self.map_lane(side, lane);
            }
        }
    }

    pub(super) fn map_lane(&mut self, side: Side, lane: usize) {
        let state = &self.sides[side.index()].lanes[lane];
        let name = LaneName { thread: state.thread.clone(), generation: state.generation };
        let (partner, matched_by) = match &self.options.map {
            MapChoice::Given(map) => {
                let entry = map.iter().find(|entry| *pick(entry, side) == name);
                let Some(entry) = entry else { return self.add_alone(side, lane, Phase::NotCompared, 0) };
                (pick(entry, side.other()).clone(), MatchedBy::Given)
            }
            _ => (name.clone(), MatchedBy::Same),
        };
        self.names[side.index()].insert(name, lane);
        if let Some(found) = self.names[side.other().index()].get(&partner).copied() {
            let lanes = if side == Side::Reference { [lane, found] } else { [found, lane] };
            let at = self.sides[0].lanes[lanes[0]].first_time.unwrap_or(0);
            self.add_pairing(Decision { lanes, matched_by, ambiguous: false, evidence: None, at });
        }
    }

    pub(super) fn find_unknown_names(&mut self) {
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
}

fn pick(entry: &(LaneName, LaneName), side: Side) -> &LaneName {
    match side {
        Side::Reference => &entry.0,
        Side::Candidate => &entry.1,
    }
}
