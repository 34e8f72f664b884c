//! Where a thread's events go on, begin anew, or are out of order.

use super::intake::Intake;
use crate::scan::{OpenReason, ScannedWindow, Span, WindowFault};

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
pub(super) fn continues((ended, last): (bool, Option<u64>), span: &Span) -> Continues {
    match (last, span.ordinal()) {
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
pub(super) fn state_after(last: &Span, before: Option<(bool, Option<u64>)>) -> (bool, Option<u64>) {
    (last.has(Span::ENDS_THREAD), last.ordinal().or(before.and_then(|(_, ordinal)| ordinal)))
}

impl Intake<'_> {
    /// Ordinals that do not grow are faults of opening too: they are taken out of the groups
    /// and put among the window's faults. Where faults end the log, the first sets `stop_line`.
    pub(super) fn find_ordinal_faults(&mut self, scanned: &mut ScannedWindow, stop_line: &mut u32) {
        let mut found: Vec<WindowFault> = Vec::new();
        for group in &scanned.groups {
            let lane = self.current.get(&group.thread).map(|lane| &self.lanes[*lane]);
            let mut state = lane.map_or((false, None), |lane| (lane.ended, lane.last_ordinal));
            let first = group.spans[0].ordinal();
            let joins = !state.0 && (first.is_none() || state.1.is_none() || state.1 < first);
            if joins && !group.irregular {
                continue;
            }
            for span in &group.spans {
                match continues(state, span) {
                    Continues::Fault { before, found: ordinal } => {
                        let fault = OpenReason::OrdinalNotGrowing { before, found: ordinal }.at(0);
                        found.push(WindowFault { line: span.line, at: span.start, sequence: span.sequence, fault });
                        if !self.steps_over_faults() {
                            break;
                        }
                    }
                    _ => state = (span.has(Span::ENDS_THREAD), span.ordinal().or(state.1)),
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
        let lines: Vec<u32> = found.iter().map(|fault| fault.line).collect();
        let sequences: Vec<u32> = found.iter().map(|fault| fault.sequence).collect();
        for group in &mut scanned.groups {
            group.spans.retain(|span| lines.binary_search(&span.line).is_err());
            for span in &mut group.spans {
                span.sequence -= sequences.partition_point(|sequence| *sequence < span.sequence) as u32;
            }
        }
        scanned.groups.retain(|group| !group.spans.is_empty());
        scanned.faults.extend(found);
        scanned.faults.sort_by_key(|fault| fault.line);
    }
}
