//! One side's log on its way into lanes: header, windows in file order, faults, generations.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Weak};

use ahash::AHashMap;

use super::generations::{Continues, continues, state_after};
use super::header::{self, HeaderFault};
use super::lane::{Held, Lane};
use super::objects::{self, Found};
use super::openings::OpeningTask;
use super::options::{Malformed, RunOptions};
use super::pairing::OPENING_SPAN;
use super::taken_out::{self, EventRules, Meets};
use crate::identity::Mark;
use crate::json::tape::fixed_state;
use crate::profile::Profile;
use crate::scan::{Group, Opener, ScannedWindow, Span, ThreadKey, WindowFault};
use crate::source::{Log, Side, SourceError, Window};

/// A malformed line of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Physical line, from 1.
    pub line: u64,
    /// Offset of the offending byte.
    pub offset: u64,
    pub reason: String,
}

/// One log being sorted into lanes.
pub struct Intake<'r> {
    pub side: Side,
    pub log: &'r mut Log,
    pub opener: Opener,
    pub(super) malformed: Malformed,
    strict: bool,
    pub(super) skip_start: u64,
    pub(super) wants_openings: bool,
    /// Scanned windows held back until it is known that a later line follows them.
    pending: Vec<(Window, ScannedWindow, Found)>,
    /// Physical line of the next window's first byte, from 1.
    next_line: u64,
    /// Events so far: log time.
    pub time: u64,
    pub lanes: Vec<Lane>,
    pub(super) current: AHashMap<ThreadKey, usize>,
    /// Lanes whose opening is not ripe, in order of their first event.
    pub(super) unripe: VecDeque<usize>,
    pub ripened: Vec<usize>,
    pub openings: Vec<OpeningTask>,
    /// Events dropped by `skip_start` since last looked at: no partner is compared with them.
    pub dropped: Vec<(Arc<Held>, u32, u32)>,
    /// Lanes that got events, or were completed, since last looked at; some more than once.
    pub touched: Vec<usize>,
    /// What events said of objects since last looked at: their line, their lane and the mark, in order of the log.
    pub marked: Vec<(u64, u32, Mark)>,
    /// The events of the newest window that are not dropped, and their lanes.
    pub(super) taken: Vec<(u32, u32, usize)>,
    pub(super) rules: Arc<EventRules>,
    /// How events of the newest window meet rules that take them out; none at all where none does.
    pub(super) meets: Vec<Option<Meets>>,
    /// Events taken out so far, by rule.
    pub taken_out: Vec<u64>,
    /// Events that wait in lanes whose pairings are still weighed.
    pub waiting: u64,
    pub faults: Vec<Fault>,
    /// Lines stepped over, whether on opening or on reading.
    pub lines_skipped: u64,
    /// Lines stepped over on opening: any lane may have lost an event there.
    pub lines_unopened: u64,
    /// Lines among `faults` that opened.
    read_faults: BTreeSet<u64>,
    pub first_skipped_line: Option<u64>,
    /// Remarks, each with the line it is about.
    pub notes: Vec<(u64, String)>,
    /// Windows whose bytes some lane may still need, oldest first.
    windows: VecDeque<(Weak<Held>, usize, Vec<usize>)>,
    /// No event will come any more.
    pub ended: bool,
    pub ended_by_damage: bool,
    /// The end of the malformed line that ended the log.
    pub ended_at: Option<u64>,
    pub header: Option<Vec<u8>>,
    pub engine: Option<String>,
    label: Option<crate::json::Pointer>,
    /// The last physical line that was an event.
    pub last_line: u64,
    header_left: Option<(Window, usize)>,
}

impl<'r> Intake<'r> {
    /// Reads as far as the header.
    ///
    /// # Errors
    /// The log cannot be read, or has not the header its profile demands.
    pub fn begin(
        side: Side,
        log: &'r mut Log,
        profile: &Profile,
        rules: Arc<EventRules>,
        options: &RunOptions,
        wants_openings: bool,
    ) -> Result<Intake<'r>, HeaderFault> {
        let mut intake = Intake {
            side,
            log,
            opener: match options.layouts {
                true => Opener::new(profile, options.skip_nondeterministic),
                false => Opener::new(profile, options.skip_nondeterministic).without_layouts(),
            },
            malformed: options.malformed,
            strict: options.strict,
            skip_start: profile.skip_start,
            wants_openings,
            pending: Vec::new(),
            next_line: 1,
            time: 0,
            lanes: Vec::new(),
            current: AHashMap::with_hasher(fixed_state()),
            unripe: VecDeque::new(),
            ripened: Vec::new(),
            openings: Vec::new(),
            dropped: Vec::new(),
            touched: Vec::new(),
            marked: Vec::new(),
            taken: Vec::new(),
            rules,
            meets: Vec::new(),
            taken_out: vec![0; profile.event_rules().count()],
            waiting: 0,
            faults: Vec::new(),
            lines_skipped: 0,
            lines_unopened: 0,
            read_faults: BTreeSet::new(),
            first_skipped_line: None,
            notes: Vec::new(),
            windows: VecDeque::new(),
            ended: false,
            ended_by_damage: false,
            ended_at: None,
            header: None,
            engine: None,
            label: profile.roles.label.clone(),
            last_line: 0,
            header_left: None,
        };
        if let Some(wanted) = &profile.header {
            let found = header::read(intake.log, wanted, profile)?;
            intake.engine = header::label(&found.text, intake.label.as_ref());
            intake.next_line = found.window_line;
            intake.header = Some(found.text);
            intake.header_left = Some((found.window, found.rest));
            intake.label = None;
        }
        Ok(intake)
    }

    /// The next window and the byte from which it is to be scanned; `None` at the log's end.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn pull(&mut self) -> Result<Option<(Window, usize)>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        match self.header_left.take() {
            Some(left) => Ok(Some(left)),
            None => Ok(self.log.next_window()?.map(|window| (window, 0))),
        }
    }

    /// Whether the scan goes on after malformed lines.
    pub fn steps_over_faults(&self) -> bool {
        self.malformed == Malformed::Skip
    }

    /// Takes a scanned window, in file order.
    pub fn take(&mut self, window: Window, scanned: ScannedWindow, found: Found) {
        if self.ended {
            return;
        }
        let stops = scanned.torn.is_some() || (!scanned.faults.is_empty() && !self.steps_over_faults());
        if scanned.events > 0 || !scanned.faults.is_empty() || scanned.torn.is_some() {
            self.flush();
        }
        if self.ended {
            return;
        }
        self.pending.push((window, scanned, found));
        if stops {
            self.flush();
            self.end();
        }
    }

    /// The log is at its end: its last line is read strictly, and every lane is complete.
    pub fn finish(&mut self) {
        if self.ended {
            return;
        }
        if let Some((_, scanned, _)) = self.pending.iter_mut().rfind(|(_, scanned, _)| scanned.events > 0)
            && let Some(last) = scanned.last_event()
            && scanned.faults.iter().all(|fault| fault.line < scanned.spans.row(last))
        {
            scanned.spans.set_flag(last, Span::MUST_READ);
        }
        self.flush();
        self.end();
    }

    fn end(&mut self) {
        self.ended = true;
        for lane in 0..self.lanes.len() {
            // When the log's last event came.
            self.release_parts(lane, self.time.saturating_sub(1));
            self.lanes[lane].complete = true;
        }
        self.touched.extend(0..self.lanes.len());
        while let Some(lane) = self.unripe.pop_front() {
            self.ripen(lane, self.time);
        }
        // A lane whose every event was dropped by skip_start has an empty opening.
        for lane in 0..self.lanes.len() {
            self.ripen(lane, self.time);
        }
    }

    pub(super) fn ripen(&mut self, lane: usize, at: u64) {
        if self.lanes[lane].ripe_at.is_none() && self.wants_openings {
            self.lanes[lane].ripe_at = Some(at);
            self.lanes[lane].opening_wanted = 0;
            self.ripened.push(lane);
        }
    }

    fn flush(&mut self) {
        for (window, scanned, found) in std::mem::take(&mut self.pending) {
            if !self.ended {
                self.append(window, scanned, found);
            }
        }
        while let Some(lane) = self.unripe.front().copied() {
            let due = self.lanes[lane].first_time.map(|first| first + OPENING_SPAN);
            if self.lanes[lane].ripe_at.is_none() {
                let Some(due) = due.filter(|due| *due <= self.time) else { break };
                self.ripen(lane, due);
            }
            self.unripe.pop_front();
        }
    }

    fn append(&mut self, window: Window, mut scanned: ScannedWindow, Found { mut marks, met }: Found) {
        let overlong = window.overlong.map_or(0, |line| line.len);
        let mut stop_line = u32::MAX;
        let events = scanned.spans.len();
        self.find_ordinal_faults(&mut scanned, &mut stop_line);
        if scanned.spans.len() != events {
            marks = objects::marks_left(marks, &scanned.spans);
        }
        self.meets = taken_out::by_event(met, &scanned.spans);
        if self.strict {
            (0..scanned.spans.len()).for_each(|index| scanned.spans.set_flag(index, Span::MUST_READ));
        }
        if let Some(label) = self.label.take_if(|_| scanned.events > 0) {
            let first = scanned.groups.iter().flat_map(|group| scanned.spans_of(group)).min_by_key(|span| span.row);
            self.engine = first.and_then(|span| header::label(span.line_of(&window.bytes), Some(&label)));
        }
        let held = Arc::new(Held {
            bytes: window.bytes,
            spans: std::mem::take(&mut scanned.spans),
            offset: window.offset,
            first_line: self.next_line,
            gathered: None,
            parts: 1,
        });
        let mut lanes = Vec::with_capacity(scanned.groups.len());
        self.taken.clear();
        let mut events = 0;
        for group in std::mem::take(&mut scanned.groups) {
            events += self.admit(&group, &held, &scanned.faults, stop_line, &mut lanes);
        }
        self.note_faults(&held, &scanned);
        self.note_marks(&held, marks);
        if let Some(fault) = scanned.faults.first().filter(|_| !self.steps_over_faults()) {
            let rest = &held.bytes[(fault.at as usize).min(held.bytes.len())..];
            let line_end = memchr::memchr(b'\n', rest).map_or(rest.len(), |found| found + 1);
            self.ended_at = Some(held.offset + u64::from(fault.at) + line_end as u64 + overlong);
        }
        self.time += events;
        self.next_line += u64::from(scanned.lines);
        self.windows.push_back((Arc::downgrade(&held), held.bytes.len(), lanes));
        if stop_line != u32::MAX {
            self.end();
        }
    }

    fn note_faults(&mut self, held: &Held, scanned: &ScannedWindow) {
        let fault_of = |fault: &WindowFault| Fault {
            line: held.first_line + u64::from(fault.line),
            offset: held.offset + u64::from(fault.at),
            reason: fault.fault.reason.to_string(),
        };
        if !scanned.faults.is_empty() {
            if self.steps_over_faults() {
                self.lines_skipped += scanned.faults.len() as u64;
                self.lines_unopened += scanned.faults.len() as u64;
            }
            self.first_skipped_line.get_or_insert(held.first_line + u64::from(scanned.faults[0].line));
            self.faults.extend(scanned.faults.iter().map(fault_of));
            self.ended_by_damage |= !self.steps_over_faults();
        }
        if let Some(torn) = &scanned.torn {
            let torn = fault_of(torn);
            let note = format!("line {} is torn ({}): the log ends before it", torn.line, torn.reason);
            self.notes.push((torn.line, note));
            self.ended_by_damage = true;
        }
    }

    /// Puts a group's events into its lane or lanes; returns how many.
    fn admit(
        &mut self,
        group: &Group,
        held: &Arc<Held>,
        faults: &[WindowFault],
        stop_line: u32,
        lanes: &mut Vec<usize>,
    ) -> u64 {
        let spans = &held.spans;
        let mut to = group.to;
        while to > group.from && spans.row(to - 1) >= stop_line {
            to -= 1;
        }
        if to == group.from {
            return 0;
        }
        let count = u64::from(to - group.from);
        let mut lane = self.current.get(&group.thread).copied();
        let skipped = self.lines_unopened + faults.len() as u64;
        let plain = !group.irregular
            && lane.is_some_and(|lane| {
                let lane = &self.lanes[lane];
                let state = (lane.ended, lane.last_ordinal);
                matches!(continues(state, spans.ordinal(group.from)), Continues::Same) && lane.skipped_seen == skipped
            });
        if let Some(lane) = lane.filter(|_| plain) {
            self.push(lane, held, group.from, to, lanes);
            return count;
        }
        let mut from = group.from;
        for index in group.from..to {
            let state = lane.map(|lane| (self.lanes[lane].ended, self.lanes[lane].last_ordinal));
            let state = if index > from { Some(state_after(spans, index - 1, state)) } else { state };
            let goes_on = state.is_some_and(|state| matches!(continues(state, spans.ordinal(index)), Continues::Same));
            if !goes_on {
                if let Some(old) = lane {
                    self.push(old, held, from, index, lanes);
                    from = index;
                    self.close(old, held, index);
                }
                lane = Some(self.open_lane(&group.thread, lane, held, index));
            }
            if !self.meets.is_empty() {
                // Places in the lane are known only of what was put there.
                self.push(lane.expect("opened above"), held, from, index, lanes);
                from = index;
            }
            self.watch_hole(lane.expect("opened above"), held, (from, index), faults);
        }
        if let Some(lane) = lane {
            self.push(lane, held, from, to, lanes);
        }
        count
    }

    fn push(&mut self, lane: usize, held: &Arc<Held>, from: u32, to: u32, lanes: &mut Vec<usize>) {
        if from == to {
            return;
        }
        lanes.push(lane);
        self.touched.push(lane);
        let last = to - 1;
        self.last_line = self.last_line.max(held.line(held.spans.row(last)));
        self.push_ruled(lane, held, from, to);
        let time = self.time + u64::from(held.spans.sequence(held.spans.row(last)));
        let ends = held.spans.flags(last) & Span::ENDS_THREAD != 0;
        if ends {
            self.release_parts(lane, time);
        }
        let state = &mut self.lanes[lane];
        state.last_ordinal = held.spans.ordinal(last).or(state.last_ordinal);
        state.ended = ends;
        state.complete |= ends;
        if ends && state.opening_wanted > 0 {
            // Its end was taken out.
            self.ripen(lane, time + 1);
        }
    }

    /// Puts a range of events into their lane.
    pub(super) fn push_kept(&mut self, lane: usize, held: &Arc<Held>, from: u32, to: u32) {
        if from == to {
            return;
        }
        if self.wants_opening(lane) {
            let (base, spans) = (self.time, &held.spans);
            self.collect_opening(lane, held, (from, to), |index| base + u64::from(spans.sequence(spans.row(index))));
        }
        let state = &mut self.lanes[lane];
        let dropped = self.skip_start.saturating_sub(state.events).min(u64::from(to - from));
        self.taken.push((from + dropped as u32, to, lane));
        if dropped > 0 {
            self.dropped.push((Arc::clone(held), from, from + dropped as u32));
        }
        state.push(held, from, to);
        state.pop(dropped);
        if state.active {
            self.waiting += u64::from(to - from) - dropped;
        }
    }

    /// Takes events off a lane's front.
    pub fn pop(&mut self, lane: usize, count: u64) {
        let state = &mut self.lanes[lane];
        state.pop(count);
        if state.active {
            self.waiting -= count;
        }
    }

    /// A lane's pairing is weighed from now on, or no more.
    pub fn set_active(&mut self, lane: usize, active: bool) {
        let state = &mut self.lanes[lane];
        match (std::mem::replace(&mut state.active, active), active) {
            (false, true) => self.waiting += state.waiting(),
            (true, false) => self.waiting -= state.waiting(),
            _ => {}
        }
    }

    /// Gives up the bytes of the oldest windows until at most `bytes_max` are held.
    ///
    /// # Errors
    /// A stream's bytes cannot be spooled.
    pub fn seal(&mut self, bytes_max: usize) -> Result<(), SourceError> {
        self.windows.retain(|(held, ..)| held.strong_count() > 0);
        let mut bytes: usize = self.windows.iter().map(|(_, len, _)| len).sum();
        while bytes > bytes_max {
            let Some((held, len, lanes)) = self.windows.pop_front() else { return Ok(()) };
            bytes -= len;
            let Some(held) = held.upgrade() else { continue };
            let window = Window { offset: held.offset, bytes: held.bytes.clone(), overlong: None };
            self.log.retain(&window)?;
            for lane in lanes {
                self.lanes[lane].seal(&held);
            }
        }
        Ok(())
    }

    /// Takes a fault met on reading; a line read more than once is told once.
    pub fn add_read_fault(&mut self, fault: Fault) {
        if self.read_faults.insert(fault.line) {
            self.lines_skipped += u64::from(self.steps_over_faults());
            self.faults.push(fault);
        }
    }

    /// Distinct thread keys so far.
    pub fn threads(&self) -> u64 {
        self.current.len() as u64
    }
}
