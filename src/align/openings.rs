//! The openings of lanes, gathered as their events come: by them lanes are paired.

use std::sync::Arc;

use super::intake::Intake;
use super::lane::Held;
use super::pairing::OPENING_SPAN;
use crate::scan::Span;

/// Events whose digests a lane's opening still lacks.
pub struct OpeningTask {
    pub lane: usize,
    pub held: Arc<Held>,
    /// The first of its spans, and the one behind its last.
    pub from: u32,
    pub to: u32,
}

impl Intake<'_> {
    /// Whether the lane's opening lacks something.
    pub(super) fn wants_opening(&self, lane: usize) -> bool {
        self.lanes[lane].opening_wanted > 0 && self.lanes[lane].ripe_at.is_none()
    }

    /// Takes what the lane's opening still lacks, and ripens the lane when it has all; the events' log times are told.
    pub(super) fn collect_opening(
        &mut self,
        lane: usize,
        held: &Arc<Held>,
        (from, to): (u32, u32),
        time: impl Fn(u32) -> u64,
    ) {
        let spans = &held.spans;
        let state = &mut self.lanes[lane];
        let first = from + self.skip_start.saturating_sub(state.events).min(u64::from(to - from)) as u32;
        let ends = |index: u32| spans.flags(index) & Span::ENDS_THREAD != 0;
        let mut wanted = 0;
        let mut ripe = None;
        for index in first..to {
            let born = *state.first_time.get_or_insert_with(|| {
                self.unripe.push_back(lane);
                time(index)
            });
            if time(index) >= born + OPENING_SPAN {
                ripe = Some(born + OPENING_SPAN);
                break;
            }
            wanted += 1;
            if wanted == state.opening_wanted || ends(index) {
                ripe = Some(time(index) + 1);
                break;
            }
        }
        if ripe.is_none() && ends(to - 1) {
            ripe = Some(time(to - 1) + 1);
        }
        state.opening_wanted -= wanted;
        if wanted > 0 {
            self.openings.push(OpeningTask { lane, held: Arc::clone(held), from: first, to: first + wanted as u32 });
        }
        if let Some(at) = ripe {
            self.ripen(lane, at);
        }
    }
}
