//! Where an event stands in its thread, counted from the end of its log: what the run tells of a thread's events, less those
//! from there on.

use crate::diverge::{LaneFacts, Outcome};
use crate::scan::{Opener, ScanOptions, ThreadKey, lines_from, scan_window};
use crate::source::{Log, Side, SourceError};

/// Bytes read at a time.
const PIECE: usize = 4 << 20;

/// The generations of a side's threads, as the run met them; none where it does not know how long they are: under `--first`,
/// and where malformed lines or damage ended logs or pairings.
pub(super) fn lanes_of(outcome: &Outcome, side: Side) -> Vec<&LaneFacts> {
    let is_damaged = outcome.reference.ended_by_damage || outcome.candidate.ended_by_damage;
    let is_known = outcome.only_first.is_none() && outcome.faults_total == 0 && !is_damaged;
    let pairings = outcome.pairings.iter().filter(|_| is_known);
    let mut lanes: Vec<&LaneFacts> = pairings
        .filter_map(|pairing| match side {
            Side::Reference => pairing.reference.as_ref(),
            Side::Candidate => pairing.candidate.as_ref(),
        })
        .collect();
    lanes.sort_by_key(|lane| lane.first_line);
    lanes
}

/// The generation and the position of a thread's event on a line, which begins at an offset; none if no generation of the
/// thread holds it.
///
/// # Errors
/// The log cannot be read again.
pub(super) fn place_from_behind(
    log: &Log,
    opener: &Opener,
    lanes: &[&LaneFacts],
    thread: &ThreadKey,
    (offset, line): (u64, u64),
) -> Result<Option<(u32, u64)>, SourceError> {
    let mut own = lanes.iter().filter(|lane| lane.thread == *thread);
    let Some(lane) = own.clone().rfind(|lane| lane.first_line <= line) else { return Ok(None) };
    let next = own.find(|lane| lane.first_line > line).map(|lane| lane.first_line);
    let behind = events_from(log, opener, thread, (offset, line), next)?;
    Ok(lane.events.checked_sub(behind).map(|position| (lane.generation, position)))
}

/// A thread's events from a line on, up to another line.
fn events_from(
    log: &Log,
    opener: &Opener,
    thread: &ThreadKey,
    (mut offset, mut line): (u64, u64),
    until: Option<u64>,
) -> Result<u64, SourceError> {
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    let mut events = 0;
    while until.is_none_or(|until| line < until)
        && let Some(window) = lines_from(log, offset, PIECE, usize::MAX / 2)?
    {
        let scanned = scan_window(opener, &window, 0, options);
        for group in scanned.groups.iter().filter(|group| group.thread == *thread) {
            events += match until {
                None => u64::from(group.to - group.from),
                Some(until) => scanned.spans_of(group).filter(|span| line + u64::from(span.row) < until).count() as u64,
            };
        }
        line += u64::from(scanned.lines);
        offset += window.bytes.len() as u64;
    }
    Ok(events)
}

/// Line feeds in a stretch of a log.
///
/// # Errors
/// The log cannot be read again.
pub(super) fn lines_between(log: &Log, from: u64, to: u64) -> Result<u64, SourceError> {
    let (mut offset, mut lines) = (from, 0);
    while offset < to {
        let len = (to - offset).min(PIECE as u64);
        lines += memchr::memchr_iter(b'\n', &log.reread(offset, len as usize)?).count() as u64;
        offset += len;
    }
    Ok(lines)
}
