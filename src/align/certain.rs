//! Whether what is still to come can change what comes first: the rules by which a run may stop early.
//!
//! All of it looks at what was taken in, after a wave: every event up to a line that was seen stands
//! in its lane. To go on is always right, only slower, so every doubt counts as a yes.

use std::time::Duration;

use super::aligner::{Aligner, PairState};
use super::lane::Lane;
use super::options::MapChoice;
use super::pairing::LATE;
use super::pairs::Phase;
use super::parting::{Judge, Parted};
use crate::compare::Scratch;
use crate::source::{Side, SourceError};

/// Sealed events read again at a time where they must be looked at.
const LOOKED_AT: u64 = 4_096;

/// How long nothing is done while neither log has anything.
const PAUSE: Duration = Duration::from_millis(1);

impl<J: Judge> Aligner<'_, J> {
    /// Whether a pairing was decided so late that it comes first only if no other one parts.
    pub fn is_late(&self, pairing: &PairState) -> bool {
        let first = pairing.lanes[0].and_then(|lane| self.sides[0].lanes[lane].first_time);
        first.is_some_and(|first| pairing.decision.at > first + LATE)
    }

    /// Whether a pair that is still to be weighed or judged may differ on a reference line before
    /// this one, which was taken in, in a pairing that is not late.
    pub fn may_part_before(&self, line: u64) -> bool {
        if self.sides.iter().all(|side| side.ended) || !self.has_all_names() {
            return true;
        }
        let waits = |lane: &&Lane| lane.next_line().is_some_and(|next| next < line);
        self.sides[0].lanes.iter().filter(waits).any(|lane| match lane.pairing {
            Some(pairing) => self.is_open(&self.pairings[pairing]),
            None => self.may_be_paired_in_time(lane),
        })
    }

    /// Whether events of a pairing are still to be weighed, or its parting to be judged, and count.
    fn is_open(&self, pairing: &PairState) -> bool {
        match pairing.phase {
            Phase::Active | Phase::Parted(Parted::Differs) => !self.is_late(pairing),
            // These only end early or have no partner: another class.
            Phase::Parted(Parted::Short(_) | Parted::Alone(_)) => false,
            Phase::Identical | Phase::Following | Phase::Counting | Phase::Faulty | Phase::NotCompared => false,
        }
    }

    /// Whether a reference lane without a partner may still get one, and not late.
    fn may_be_paired_in_time(&self, lane: &Lane) -> bool {
        let progress = self.sides.iter().map(|side| if side.ended { u64::MAX } else { side.time });
        // Every decision up to this moment was taken; the last may fall on it, where a log ends.
        let horizon = progress.min().expect("two sides");
        let is_too_late = lane.first_time.is_some_and(|first| horizon > first + LATE);
        let candidate = &self.sides[1];
        let nobody_left = || candidate.ended && candidate.lanes.iter().all(|lane| lane.pairing.is_some());
        !is_too_late && !nobody_left()
    }

    /// Whether every lane that `--map` names was seen: one that never comes is trouble at the end.
    fn has_all_names(&self) -> bool {
        let MapChoice::Given(map) = &self.options.map else { return true };
        map.iter().all(|(reference, candidate)| {
            self.names[0].contains_key(reference) && self.names[1].contains_key(candidate)
        })
    }

    /// Whether no malformed line up to these lines is still to be met: the events there that wait,
    /// and those that a later parting of their lane would show, are read strictly.
    ///
    /// # Errors
    /// A log cannot be read again.
    pub fn is_sound_up_to(&mut self, lines: [u64; 2]) -> Result<bool, SourceError> {
        for side in Side::BOTH {
            for lane in 0..self.sides[side.index()].lanes.len() {
                if !self.waits_soundly(side, lane, lines[side.index()])? {
                    return Ok(false);
                }
            }
        }
        for pairing in self.pairings.iter().filter(|pairing| matches!(pairing.phase, Phase::Active | Phase::Parted(_)))
        {
            for (side, recent) in pairing.recent.iter().flat_map(|pair| Side::BOTH.into_iter().zip(pair)) {
                if recent.line() <= lines[side.index()]
                    && recent.load(self.sides[side.index()].log, self.comparer)?.1.is_some()
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether those of a lane's waiting events that stand up to a line are strictly valid.
    fn waits_soundly(&mut self, side: Side, lane: usize, line: u64) -> Result<bool, SourceError> {
        let strict = self.options.strict;
        let intake = &mut self.sides[side.index()];
        let state = &mut intake.lanes[lane];
        if state.next_line().is_none_or(|next| next > line) {
            return Ok(true);
        }
        let mut scratch = Scratch::default();
        let mut looked = 0;
        while looked < state.waiting() {
            state.unseal(looked + LOOKED_AT, intake.log, &intake.opener, strict)?;
            for met in state.cursor(looked).take(LOOKED_AT as usize) {
                if met.place().line > line {
                    return Ok(true);
                }
                if self.comparer.read(met.event().line, &mut scratch).is_err() {
                    return Ok(false);
                }
                looked += 1;
            }
        }
        Ok(true)
    }

    /// The sides to pull from where nobody may be waited for in vain: those of the wanted that have
    /// something; if none has, the other one; if neither, whichever gets something first.
    pub(super) fn ready(&self, wanted: [bool; 2]) -> [bool; 2] {
        loop {
            let ready = Side::BOTH.map(|side| {
                let intake = &self.sides[side.index()];
                let is_over = intake.ended || self.dry[side.index()];
                let is_silent = intake.log.may_pause() && intake.log.would_block();
                !is_over && !is_silent
            });
            let both = [wanted[0] && ready[0], wanted[1] && ready[1]];
            if both != [false, false] {
                return both;
            }
            if ready != [false, false] {
                return ready;
            }
            std::thread::sleep(PAUSE);
        }
    }
}
