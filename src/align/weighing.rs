//! Weighing all common pairs of all paired lanes, round by round, in parallel.

use rayon::prelude::*;

use super::aligner::Aligner;
use super::lane::{Lane, LaneCursor};
use super::options::Stage;
use super::pairs::{Phase, Recent, WeighedPairs, Weighing, weigh_pairs};
use super::parting::{Judge, Parted};
use crate::compare::Scratch;
use crate::source::{Side, SourceError};

/// Pairs of one lane that one worker weighs at a time.
pub(super) const CHUNK_PAIRS: u64 = 1_024;
/// Pairs of one lane weighed in one round, so that sealed events come back a few at a time.
pub(super) const ROUND_PAIRS: u64 = 65_536;
/// Events of all lanes together that a round brings back, and the least of one lane.
const UNSEALED_MAX: u64 = 65_536;
pub(super) const UNSEALED_MIN: u64 = 64;
/// Pairs weighed in the first round behind an accepted parting.
pub(super) const PACE_ACCEPTED: u64 = 64;

/// Pairs weighed one after the other: the pairing, how many pairs are skipped, how many are weighed.
type Part = (usize, u64, u64);

impl<J: Judge> Aligner<'_, J> {
    /// Weighs every pair that both sides have, round by round.
    pub(super) fn weigh_all(&mut self) -> Result<(), SourceError> {
        let is_active = |pairing: &usize| self.pairings[*pairing].phase == Phase::Active;
        let mut active: Vec<usize> = self.changed.iter().copied().filter(is_active).collect();
        active.sort_unstable();
        while !active.is_empty() {
            self.unseal_fronts(&active)?;
            for pairing in &active {
                self.step_over_holes(*pairing)?;
            }
            let tasks = self.tasks(&active);
            let (strict, skip_faults) = (self.options.strict, self.sides[0].steps_over_faults());
            let results: Vec<Vec<WeighedPairs>> = tasks
                .par_iter()
                .map_init(Scratch::default, |scratch, task| {
                    self.observer.enter(Stage::Compare);
                    let weigh = |part: &Part| {
                        let how = Weighing { strict, skip_faults, step: self.pairings[part.0].step };
                        weigh_pairs(self.comparer, self.cursors(part.0, part.1), part.2, how, scratch)
                    };
                    let weighed = task.iter().map(weigh).collect();
                    self.observer.leave(Stage::Compare);
                    weighed
                })
                .collect();
            let parts: Vec<Part> = tasks.into_iter().flatten().collect();
            active = self.settle(&parts, results.into_iter().flatten().collect());
        }
        self.close_ended();
        Ok(())
    }

    /// The pairs at hand, cut and gathered into tasks of about equal size.
    fn tasks(&self, active: &[usize]) -> Vec<Vec<Part>> {
        let mut tasks: Vec<Vec<Part>> = Vec::new();
        let mut room = 0;
        for pairing in active {
            let count = self.pairs_at_hand(*pairing).min(self.pairings[*pairing].pace);
            let mut skip = 0;
            while skip < count {
                if room == 0 {
                    tasks.push(Vec::new());
                    room = CHUNK_PAIRS;
                }
                let share = (count - skip).min(room);
                tasks.last_mut().expect("pushed above").push((*pairing, skip, share));
                skip += share;
                room -= share;
            }
        }
        tasks
    }

    pub(super) fn cursors(&self, pairing: usize, skip: u64) -> [LaneCursor<'_>; 2] {
        Side::BOTH.map(|side| {
            let lane = self.pairings[pairing].lanes[side.index()].expect("only paired lanes are weighed");
            self.sides[side.index()].lanes[lane].cursor(skip)
        })
    }

    /// Takes the results in order; returns the pairings that may have more to weigh.
    fn settle(&mut self, tasks: &[Part], results: Vec<WeighedPairs>) -> Vec<usize> {
        let mut again = Vec::new();
        let mut at = 0;
        while at < tasks.len() {
            let pairing = tasks[at].0;
            let end = tasks[at..].iter().position(|task| task.0 != pairing).map_or(tasks.len(), |next| at + next);
            let (mut taken, mut told, mut stop) = (0, 0, None);
            for result in &results[at..end] {
                taken += result.taken;
                self.count(pairing, result);
                if result.waits {
                    self.undecided.insert(pairing);
                    break;
                }
                if let Some(phase) = result.stop {
                    stop = Some(phase);
                    // The malformed pair was read and told; the divergent one is still to be judged.
                    told = u64::from(phase == Phase::Faulty);
                    break;
                }
            }
            self.remember(pairing, taken);
            for side in Side::BOTH {
                let lane = self.pairings[pairing].lanes[side.index()].expect("paired");
                self.sides[side.index()].pop(lane, taken + told);
            }
            match stop {
                Some(phase) => self.set_phase(pairing, phase),
                None => self.pairings[pairing].pace = (self.pairings[pairing].pace * 4).min(ROUND_PAIRS),
            }
            if self.pairings[pairing].phase == Phase::Active && taken > 0 {
                again.push(pairing);
            }
            at = end;
        }
        again
    }

    pub(super) fn count(&mut self, pairing: usize, result: &WeighedPairs) {
        self.pairings[pairing].compared += result.equal;
        let counters = &mut self.counters;
        counters.events_compared += result.compared;
        counters.equal_by_bytes += result.equal_by_bytes;
        counters.read += result.read;
        counters.unverified += result.unverified;
        counters.skipped_nondeterministic += result.skipped_nondeterministic;
        let alike = result.equal_by_bytes + result.skipped_nondeterministic + result.differ_elsewhere;
        counters.differed_in_bytes += result.compared - alike;
        for (rule, count) in &result.overlooked {
            counters.overlooked[*rule as usize] += count;
        }
        for (side, fault) in &result.faults {
            self.add_fault(*side, fault.clone());
        }
    }

    /// Keeps the last five pairs taken, for the report.
    pub(super) fn remember(&mut self, pairing: usize, taken: u64) {
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

    pub(super) fn pairs_at_hand(&self, pairing: usize) -> u64 {
        let lanes = Side::BOTH.map(|side| self.lane(pairing, side));
        let to_hole = |lane: &Lane| lane.holes.front().map_or(u64::MAX, |hole| hole.0 - lane.head);
        lanes.iter().map(|lane| lane.hot().min(to_hole(lane))).min().unwrap_or(0)
    }

    /// Brings sealed events of many pairings back, in parallel.
    pub(super) fn unseal_fronts(&mut self, active: &[usize]) -> Result<(), SourceError> {
        let share = share_of_round(active.len());
        let mut wanted: Vec<(Side, usize, usize)> = Vec::new();
        for pairing in active {
            for side in Side::BOTH {
                let partner = self.lane(*pairing, side.other()).waiting().min(share);
                let lane = self.pairings[*pairing].lanes[side.index()].expect("paired");
                let state = self.lane(*pairing, side);
                if state.hot() < partner.min(state.waiting()) {
                    wanted.extend(state.sealed_within(partner).into_iter().map(|at| (side, lane, at)));
                }
            }
        }
        let strict = self.options.strict;
        let reopened: Vec<Result<_, SourceError>> = wanted
            .par_iter()
            .map(|(side, lane, at)| {
                let intake = &self.sides[side.index()];
                intake.lanes[*lane].reopened(*at, intake.log, &intake.opener, strict)
            })
            .collect();
        for ((side, lane, at), held) in wanted.into_iter().zip(reopened) {
            self.sides[side.index()].lanes[lane].put_back(at, held?);
        }
        Ok(())
    }

    /// Brings sealed events back where their partners wait.
    pub(super) fn unseal_front(&mut self, pairing: usize, share: u64) -> Result<(), SourceError> {
        for side in Side::BOTH {
            let partner = self.lane(pairing, side.other()).waiting();
            self.unseal_lane(pairing, side, partner.min(share))?;
        }
        Ok(())
    }

    /// Pairings of which a lane is at its end.
    pub(super) fn close_ended(&mut self) {
        for at in 0..self.changed.len() {
            let pairing = self.changed[at];
            let short = |side: Side| match self.pairings[pairing].phase {
                Phase::Active => Some(Phase::Parted(Parted::Short(side))),
                // It was told that the lanes part, and they never agree again.
                Phase::Following => Some(Phase::Counting),
                _ => None,
            };
            let (Some(short_reference), Some(short_candidate)) = (short(Side::Reference), short(Side::Candidate))
            else {
                continue;
            };
            let [reference, candidate] = Side::BOTH.map(|side| self.lane(pairing, side));
            let over = |lane: &Lane| lane.complete && lane.waiting() == 0;
            let phase = match (over(reference), over(candidate)) {
                (true, true) => Phase::Identical,
                (true, false) if candidate.waiting() > 0 => short_reference,
                (false, true) if reference.waiting() > 0 => short_candidate,
                _ => continue,
            };
            self.set_phase(pairing, phase);
        }
    }
}

/// Events of each of so many lanes that a round brings back, so that many lanes stay within bounds.
fn share_of_round(lanes: usize) -> u64 {
    (UNSEALED_MAX / lanes as u64).clamp(UNSEALED_MIN, ROUND_PAIRS / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_shared_by_its_lanes() {
        let shares = [(1, 8_192), (8, 8_192), (9, 7_281), (64, 1_024), (1_024, 64), (1_000_000, 64)];
        for (lanes, share) in shares {
            assert_eq!(share_of_round(lanes), share, "{lanes} lanes");
        }
    }
}
