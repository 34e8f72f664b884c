//! Where a thread's events go on, begin anew, or are out of order.

use super::intake::Intake;
use super::lane::{Held, Lane};
use crate::scan::{OpenReason, ScannedWindow, Span, SpanTable, ThreadKey, WindowFault};

/// What an event means for its thread's current lane.
pub(super) enum Continues {
    /// The event goes on with its lane.
    Same,
    /// It opens the thread's next generation.
    Anew,
    Fault {
        before: u64,
        found: u64,
    },
}

/// What an event means for a lane in the state (ended, last ordinal).
pub(super) fn continues((ended, last): (bool, Option<u64>), ordinal: Option<u64>) -> Continues {
    match (last, ordinal) {
        _ if ended => Continues::Anew,
        (Some(before), Some(found)) if found <= before => {
            if found == 0 && before > 0 {
                Continues::Anew
            } else {
                Continues::Fault { before, found }
            }
        }
        _ => Continues::Same,
    }
}

/// The state of a lane (ended, last ordinal) after an event.
pub(super) fn state_after(spans: &SpanTable, index: u32, before: Option<(bool, Option<u64>)>) -> (bool, Option<u64>) {
    let ends = spans.flags(index) & Span::ENDS_THREAD != 0;
    (ends, spans.ordinal(index).or(before.and_then(|(_, ordinal)| ordinal)))
}

impl Intake<'_> {
    /// Ordinals that do not grow are faults of opening too: they are taken out of the groups
    /// and put among the window's faults. Where faults end the log, the first sets `stop_line`.
    pub(super) fn find_ordinal_faults(&mut self, scanned: &mut ScannedWindow, stop_line: &mut u32) {
        let mut found: Vec<WindowFault> = Vec::new();
        let spans = &scanned.spans;
        for group in scanned.groups.iter().filter(|group| group.from < group.to) {
            let lane = self.current.get(&group.thread).map(|lane| &self.lanes[*lane]);
            let mut state = lane.map_or((false, None), |lane| (lane.ended, lane.last_ordinal));
            let first = spans.ordinal(group.from);
            let joins = !state.0 && (first.is_none() || state.1.is_none() || state.1 < first);
            if joins && !group.irregular {
                continue;
            }
            for index in group.from..group.to {
                match continues(state, spans.ordinal(index)) {
                    Continues::Fault { before, found: ordinal } => {
                        let fault = OpenReason::OrdinalNotGrowing { before, found: ordinal }.at(0);
                        let span = spans.span(index);
                        found.push(WindowFault { line: span.row, at: span.start, fault });
                        if !self.steps_over_faults() {
                            break;
                        }
                    }
                    _ => state = state_after(spans, index, Some(state)),
                }
            }
        }
        if found.is_empty() {
            return;
        }
        found.sort_by_key(|fault| fault.line);
        if !self.steps_over_faults() {
            // A fault the scan stopped at lies behind this one.
            found.truncate(1);
            *stop_line = found[0].line;
            scanned.faults = found;
            scanned.torn = None;
            return;
        }
        let rows: Vec<u32> = found.iter().map(|fault| fault.line).collect();
        remove(scanned, &rows);
        scanned.faults.extend(found);
        scanned.faults.sort_by_key(|fault| fault.line);
    }

    /// A lane ends because its thread begins anew.
    pub(super) fn close(&mut self, lane: usize, held: &Held, next: u32) {
        let row = held.spans.row(next);
        let index = self.time + u64::from(held.spans.sequence(row));
        self.touched.push(lane);
        self.release_parts(lane, index);
        let lane_state = &mut self.lanes[lane];
        lane_state.complete = true;
        if !lane_state.ended {
            let line = held.line(row);
            let note = format!(
                "line {line}: thread {} begins anew with ordinal 0 without having ended (generation {})",
                lane_state.thread,
                lane_state.generation + 1
            );
            self.notes.push((line, note));
        }
        self.ripen(lane, index + 1);
    }

    pub(super) fn open_lane(&mut self, thread: &ThreadKey, before: Option<usize>, held: &Held, first: u32) -> usize {
        let mut lane = Lane::new(thread.clone(), before.map_or(0, |before| self.lanes[before].generation + 1));
        lane.first_line = held.line(held.spans.row(first));
        lane.skipped_seen = before.map_or(0, |before| self.lanes[before].skipped_seen);
        if !self.wants_openings {
            lane.opening_wanted = 0;
        }
        self.lanes.push(lane);
        let index = self.lanes.len() - 1;
        self.current.insert(thread.clone(), index);
        index
    }
}

/// Takes the events of some lines out of their groups.
fn remove(scanned: &mut ScannedWindow, rows: &[u32]) {
    let bounds: Vec<u32> = scanned.groups.iter().flat_map(|group| [group.from, group.to]).collect();
    let left = scanned.spans.remove_rows(rows, &bounds);
    for (group, bounds) in scanned.groups.iter_mut().zip(left.chunks(2)) {
        (group.from, group.to) = (bounds[0], bounds[1]);
    }
    scanned.groups.retain(|group| group.from < group.to);
}
