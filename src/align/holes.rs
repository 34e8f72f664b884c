//! Holes: places where lines of a lane may have been skipped.

use super::aligner::Aligner;
use super::intake::Intake;
use super::lane::Held;
use super::options::Malformed;
use super::pairs::check_lone;
use super::parting::Judge;
use super::weighing::UNSEALED_MIN;
use crate::compare::Scratch;
use crate::scan::WindowFault;
use crate::source::{Side, SourceError};

impl Intake<'_> {
    /// Notes a place where lines were skipped that may have been this lane's: before an event whose
    /// lane's events from `from` on are not in the lane yet.
    pub(super) fn watch_hole(&mut self, lane: usize, held: &Held, (from, index): (u32, u32), faults: &[WindowFault]) {
        let row = held.spans.row(index);
        let skipped = self.lines_unopened + faults.partition_point(|fault| fault.line < row) as u64;
        let lane = &mut self.lanes[lane];
        let gone = skipped - lane.skipped_seen;
        if gone == 0 || !matches!(self.malformed, Malformed::Skip) {
            return;
        }
        lane.skipped_seen = skipped;
        let position = lane.events + u64::from(index - from);
        let before = if index > from { held.spans.ordinal(index - 1) } else { lane.last_ordinal };
        match held.spans.ordinal(index) {
            Some(ordinal) => {
                let jump = ordinal - before.map_or(0, |before| before + 1);
                if jump > 0 && jump <= gone {
                    let numbered = |ordinal: u64| ordinal.saturating_sub(lane.gone);
                    lane.holes.push_back((position, before.map(numbered), numbered(ordinal)));
                }
            }
            None => {
                lane.fault_from.get_or_insert(position);
            }
        }
    }
}

impl<J: Judge> Aligner<'_, J> {
    /// Where lines were skipped and ordinals show which events are gone, the partner's events
    /// in that hole are stepped over.
    pub(super) fn step_over_holes(&mut self, pairing: usize) -> Result<(), SourceError> {
        loop {
            let mut stepped = false;
            for side in Side::BOTH {
                let lane = self.lane(pairing, side);
                let Some((position, after, before)) = lane.holes.front().copied() else { continue };
                if position != lane.head {
                    continue;
                }
                let partner = self.lane(pairing, side.other());
                let next = partner.cursor(0).next().and_then(|met| met.ordinal());
                // As the lane with the hole would number it.
                let number = next.map(|next| self.pairings[pairing].step.as_numbered_by(side, next));
                let inside = number.is_some_and(|number| {
                    after.is_none_or(|after| number > i128::from(after)) && number < i128::from(before)
                });
                if inside {
                    self.check_stepped_over(pairing, side.other());
                    let lane = self.pairings[pairing].lanes[side.other().index()].expect("paired");
                    self.sides[side.other().index()].pop(lane, 1);
                    self.counters.unverified += 1;
                    self.unseal_front(pairing, UNSEALED_MIN)?;
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

    /// An event that is stepped over has no partner either.
    fn check_stepped_over(&mut self, pairing: usize, side: Side) {
        let met = self.lane(pairing, side).cursor(0).next();
        if let Some(fault) = met.and_then(|met| check_lone(&met, self.comparer, &mut Scratch::default())) {
            self.add_fault(side, fault);
        }
    }
}
