//! Pairings whose parting was told: behind which pair are the rest equal?

use rayon::prelude::*;

use super::aligner::Aligner;
use super::intake::Fault;
use super::lane::LaneCursor;
use super::options::Stage;
use super::pairs::{Phase, Weighing, check_lone, weigh_pairs};
use super::parting::Judge;
use super::weighing::CHUNK_PAIRS;
use crate::compare::Scratch;
use crate::source::{Side, SourceError};

/// Pairs looked at one after the other.
#[derive(Clone, Copy)]
struct Part {
    pairing: usize,
    /// Pairs of the pairing before these.
    skip: u64,
    count: u64,
}

/// What was seen in a part.
#[derive(Default)]
struct Seen {
    /// Pairs that need not wait.
    taken: u64,
    /// How many of them lie up to the last that differs, that one included; 0 if none does.
    differ: u64,
    /// Malformed lines among the events that nobody is compared with.
    faults: Vec<(Side, Fault)>,
}

impl<J: Judge> Aligner<'_, J> {
    /// Takes every pair that both lanes of a followed pairing have, and keeps which one differed last.
    ///
    /// Neither coverage nor malformed values are told here: how many pairs are looked at depends on how they come.
    pub(super) fn follow_all(&mut self) -> Result<(), SourceError> {
        let is_followed = |pairing: &usize| self.pairings[*pairing].phase == Phase::Following;
        let mut followed: Vec<usize> = self.changed.iter().copied().filter(is_followed).collect();
        followed.sort_unstable();
        while !followed.is_empty() {
            self.unseal_fronts(&followed)?;
            let parts: Vec<Part> = followed.iter().flat_map(|pairing| self.parts(*pairing)).collect();
            let seen: Vec<Seen> = parts
                .par_iter()
                .map_init(Scratch::default, |scratch, part| {
                    self.observer.enter(Stage::Compare);
                    let seen = self.look_through(*part, scratch);
                    self.observer.leave(Stage::Compare);
                    seen
                })
                .collect();
            followed = self.take_followed(&parts, seen);
        }
        self.close_ended();
        Ok(())
    }

    /// The pairs of a pairing that are at hand.
    fn parts(&self, pairing: usize) -> impl Iterator<Item = Part> + use<J> {
        let count = Side::BOTH.map(|side| self.lane(pairing, side).hot()).into_iter().min().unwrap_or(0);
        (0..count.div_ceil(CHUNK_PAIRS)).map(move |at| {
            let skip = at * CHUNK_PAIRS;
            Part { pairing, skip, count: CHUNK_PAIRS.min(count - skip) }
        })
    }

    fn look_through(&self, part: Part, scratch: &mut Scratch) -> Seen {
        let how = Weighing { strict: false, skip_faults: false, step: self.pairings[part.pairing].step };
        let mut weigh = |from: u64, count: u64| {
            weigh_pairs(self.comparer, self.cursors(part.pairing, part.skip + from), count, how, scratch)
        };
        let mut seen = Seen { taken: part.count, ..Seen::default() };
        // Only the last pair that differs counts: where the part ends with it, nothing before is asked for.
        if weigh(part.count - 1, 1).stop.is_some() {
            seen.differ = part.count;
        } else {
            let mut at = 0;
            while at < part.count {
                let found = weigh(at, part.count - at);
                at += found.taken;
                if found.waits {
                    seen.taken = at;
                    break;
                }
                if found.stop.is_some() {
                    at += 1;
                    seen.differ = at;
                }
            }
        }
        for (side, cursor) in Side::BOTH.into_iter().zip(self.cursors(part.pairing, part.skip)) {
            seen.faults.extend(self.faults_in(side, cursor, seen.taken, scratch));
        }
        seen
    }

    fn faults_in(&self, side: Side, cursor: LaneCursor<'_>, count: u64, scratch: &mut Scratch) -> Vec<(Side, Fault)> {
        let events = cursor.take(count as usize);
        events.filter_map(|met| Some((side, check_lone(&met, self.comparer, scratch)?))).collect()
    }

    /// Takes what was seen, in order; returns the pairings that may have more.
    fn take_followed(&mut self, parts: &[Part], seen: Vec<Seen>) -> Vec<usize> {
        let mut again: Vec<usize> = Vec::new();
        let mut waits = None;
        for (part, seen) in parts.iter().zip(seen) {
            // What lies behind a pair that waits is looked at again.
            if waits == Some(part.pairing) {
                continue;
            }
            if seen.differ > 0 {
                let heads = Side::BOTH.map(|side| self.lane(part.pairing, side).head);
                self.pairings[part.pairing].differs_to = heads.map(|head| head + seen.differ);
            }
            for side in Side::BOTH {
                let lane = self.pairings[part.pairing].lanes[side.index()].expect("paired");
                self.sides[side.index()].pop(lane, seen.taken);
            }
            seen.faults.into_iter().for_each(|(side, fault)| self.add_fault(side, fault));
            if seen.taken < part.count {
                self.undecided.insert(part.pairing);
                waits = Some(part.pairing);
            }
            if again.last() != Some(&part.pairing) {
                again.push(part.pairing);
            }
        }
        again.retain(|pairing| !self.undecided.contains(pairing));
        again
    }
}
