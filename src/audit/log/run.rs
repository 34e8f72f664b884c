//! A whole log on its way through the world of its objects.

use std::ops::ControlFlow;

use ahash::AHashMap;

use super::object::Moment;
use super::reading::{Found, Reader, What};
use super::seen::Seen;
use super::step::{Name, Told};
use super::verdict::{Verdict, verdicts};
use super::world::World;
use crate::align::{LanePlace, Succession};
use crate::json::tape::fixed_state;
use crate::profile::Profile;
use crate::scan::{Group, Opener, ScanOptions, ScannedWindow, Start, Sweep, Swept, ThreadKey, WindowFault};
use crate::source::{Log, SourceError, Window};

/// What was found in a log.
pub struct Audit {
    pub world: World,
    pub seen: Seen,
    /// One for each thread that waits when the log ends.
    pub verdicts: Vec<Verdict>,
    /// Malformed lines stepped over.
    pub lines_skipped: u64,
    /// The first of them: line, offset of the offending byte, reason.
    pub faults: Vec<(u64, u64, String)>,
    /// The last line is torn.
    pub is_torn: bool,
}

/// Follows all objects through a log, whose header has been read; `progress` is told the bytes, lines and events of each window.
///
/// # Errors
/// The log cannot be read.
pub fn audit(
    log: &mut Log,
    start: Start,
    profile: &Profile,
    focus: Vec<Name>,
    mut progress: impl FnMut(u64, u64, u64),
) -> Result<Audit, SourceError> {
    let opener = Opener::new(profile, false);
    let reader = Reader::new(profile);
    let mut run = Run::new(profile, focus);
    let mut sweep = sweep(log, &opener, start);
    while run.some(&mut sweep, &reader, &mut progress)?.is_continue() {}
    Ok(run.end())
}

/// A log from behind its header; malformed lines are stepped over.
pub(in crate::audit) fn sweep<'l>(log: &'l mut Log, opener: &'l Opener, start: Start) -> Sweep<'l> {
    Sweep::new(log, opener, ScanOptions { step_over_faults: true, ..ScanOptions::default() }, start)
}

/// A log on its way.
pub(in crate::audit) struct Run<'p> {
    profile: &'p Profile,
    pub(in crate::audit) world: World,
    pub(in crate::audit) seen: Seen,
    /// Where each thread stands, and its newest generation's number; none before its first event.
    threads: AHashMap<ThreadKey, (Succession, Option<u32>)>,
    skipped: u64,
    faults: Vec<(u64, u64, String)>,
    is_torn: bool,
}

/// Malformed lines that are told one by one.
const FAULTS_MAX: usize = 5;

/// The generation and the position of each event of a group.
enum Places {
    /// They follow each other from the first.
    Growing(LanePlace),
    /// One by one; nothing where an ordinal does not grow, which makes no event.
    Each(Vec<Option<LanePlace>>),
}

impl Places {
    fn of(&self, index: u32) -> Option<LanePlace> {
        match self {
            Places::Growing(first) => Some(LanePlace { position: first.position + u64::from(index), ..*first }),
            Places::Each(each) => each[index as usize],
        }
    }
}

/// What is seen of a group's thread on a row beside its steps.
struct Turn {
    row: u32,
    group: usize,
    /// The generation that begins there; none: it goes on behind lines that are no events.
    begins: Option<u32>,
    /// How far the one before came, if that was in this window.
    before: Option<Reach>,
}

/// How far a thread has come: its events, and the line of the last.
type Reach = (u64, u64);

/// A group's thread on its way through a window.
struct Passing {
    places: Places,
    /// Its newest generation.
    thread: Option<u32>,
    /// How far that comes, if it has an event there.
    reach: Option<Reach>,
}

/// A malformed line of a window: its row, where in the window, why.
type Fault = (u32, u32, String);

impl<'p> Run<'p> {
    pub(in crate::audit) fn new(profile: &'p Profile, focus: Vec<Name>) -> Run<'p> {
        Run {
            profile,
            world: World::new(focus),
            seen: Seen::new(&profile.audit),
            threads: AHashMap::with_hasher(fixed_state()),
            skipped: 0,
            faults: Vec::new(),
            is_torn: false,
        }
    }

    /// Takes the next windows of the log; breaks at its end. `progress` is told the bytes, lines and events of each.
    pub(in crate::audit) fn some(
        &mut self,
        sweep: &mut Sweep<'_>,
        reader: &Reader<'_>,
        mut progress: impl FnMut(u64, u64, u64),
    ) -> Result<ControlFlow<()>, SourceError> {
        let look = |window: &Window, scanned: &ScannedWindow| reader.read(scanned, &window.bytes);
        sweep.some(look, |swept, found| {
            self.window(&swept, found);
            let bytes = swept.window.overlong.map_or(swept.window.bytes.len() as u64, |overlong| overlong.len);
            progress(bytes, u64::from(swept.scanned.lines), u64::from(swept.scanned.events));
            ControlFlow::Continue(())
        })
    }

    /// What is said of who waits now that the log has ended.
    pub(in crate::audit) fn end(mut self) -> Audit {
        self.seen.is_damaged = self.skipped > 0 || self.is_torn;
        let verdicts = verdicts(&self.world, &self.seen);
        let Run { world, seen, skipped: lines_skipped, faults, is_torn, .. } = self;
        Audit { world, seen, verdicts, lines_skipped, faults, is_torn }
    }

    fn window(&mut self, swept: &Swept<'_>, found: Vec<Found>) {
        let scanned = &swept.scanned;
        let reason = |fault: &WindowFault| (fault.line, fault.at, fault.fault.reason.to_string());
        let mut faults: Vec<Fault> = scanned.faults.iter().map(reason).collect();
        let mut turns = Vec::new();
        let groups = scanned.groups.iter().enumerate();
        let mut groups: Vec<Passing> =
            groups.map(|(at, group)| self.places(swept, (at, group), &found, (&mut turns, &mut faults))).collect();
        turns.sort_by_key(|turn| turn.row);
        let mut turns = turns.into_iter().peekable();
        for Found { row, group, index, start, what } in found {
            while let Some(turn) = turns.next_if(|turn| turn.row <= row) {
                self.turn(scanned, turn, &mut groups);
            }
            let Passing { places, thread, .. } = &groups[group as usize];
            let (Some(place), Some(thread)) = (places.of(index), *thread) else { continue };
            let What::Step(rule, told) = what else {
                self.world.goes_on(thread);
                continue;
            };
            let line = swept.lines_before + u64::from(row) + 1;
            let offset = swept.window.offset + u64::from(start);
            self.step(rule, *told, (line, offset), (thread, place.position));
        }
        turns.for_each(|turn| self.turn(scanned, turn, &mut groups));
        groups.iter().for_each(|passing| self.reaches(passing.thread, passing.reach));
        self.seen.events += u64::from(scanned.events);
        self.seen.lines = swept.lines_before + u64::from(scanned.lines);
        faults.sort_by_key(|(row, ..)| *row);
        for (row, at, reason) in faults {
            self.fault(swept.lines_before + u64::from(row) + 1, swept.window.offset + u64::from(at), reason);
        }
        self.is_torn |= scanned.torn.is_some();
    }

    fn turn(&mut self, scanned: &ScannedWindow, turn: Turn, groups: &mut [Passing]) {
        let thread = &mut groups[turn.group].thread;
        let Some(generation) = turn.begins else {
            thread.iter().for_each(|thread| self.world.goes_on(*thread));
            return;
        };
        self.reaches(*thread, turn.before);
        thread.iter().for_each(|before| self.world.end_thread(*before));
        let key = &scanned.groups[turn.group].thread;
        *thread = Some(self.world.begin_thread(key.clone(), generation));
        if let Some((_, newest)) = self.threads.get_mut(key) {
            *newest = *thread;
        }
    }

    fn reaches(&mut self, thread: Option<u32>, reach: Option<Reach>) {
        if let (Some(thread), Some((events, last_line))) = (thread, reach) {
            let thread = &mut self.world.threads[thread as usize];
            (thread.events, thread.last_line) = (events, last_line);
        }
    }

    fn step(&mut self, number: u16, told: Told, (line, offset): (u64, u64), (thread, position): (u32, u64)) {
        let rule = &self.profile.audit[usize::from(number)];
        // Who does something says so itself, or the function does that the thread is in.
        let source = match (&told.source, self.world.call_of(thread)) {
            (Some(source), _) => source.clone(),
            (None, Some(call)) => call.into(),
            (None, None) => match &rule.kinds[..] {
                [kind] => kind.as_str().into(),
                _ => rule.name.as_str().into(),
            },
        };
        let source = self.world.source(&source);
        self.seen.count(number, source);
        let moment = Moment { line, offset, thread, position, source, time: told.time };
        self.seen.time = self.seen.time.max(told.time);
        self.world.take(rule, number, told, moment);
    }

    /// The places of a group's events, and its thread as it stands before them.
    fn places(
        &mut self,
        swept: &Swept<'_>,
        (at, group): (usize, &Group),
        found: &[Found],
        (turns, faults): (&mut Vec<Turn>, &mut Vec<Fault>),
    ) -> Passing {
        let (succession, thread) = self.threads.entry(group.thread.clone()).or_default();
        let (spans, events) = (&swept.scanned.spans, u64::from(group.to - group.from));
        let line = |row: u32| swept.lines_before + u64::from(row) + 1;
        let mut turn = |row, begins, before| turns.push(Turn { row, group: at, begins, before });
        if events > 0 && !group.irregular {
            let (next, first, last) = (succession.next(), spans.span(group.from), spans.span(group.to - 1));
            if succession.take_growing(&first, &last, events) {
                if thread.is_none() {
                    turn(first.row, Some(next.generation), None);
                }
                let reach = Some((succession.next().position, line(last.row)));
                return Passing { places: Places::Growing(next), thread: *thread, reach };
            }
        }
        let mut each = Vec::new();
        let mut newest = thread.map(|thread| self.world.threads[thread as usize].generation);
        let mut was_event = true;
        let mut reach = None;
        for span in swept.scanned.spans_of(group) {
            let place = succession.take(&span).map_err(|reason| reason.at(0).reason.to_string());
            match &place {
                Err(reason) => faults.push((span.row, span.start, reason.clone())),
                Ok(place) if newest != Some(place.generation) => {
                    newest = Some(place.generation);
                    turn(span.row, newest, reach);
                }
                // What shows that it goes on was looked for as if those lines were events.
                Ok(_) if !was_event && found.binary_search_by_key(&span.row, |found| found.row).is_err() => {
                    turn(span.row, None, None);
                }
                Ok(_) => {}
            }
            was_event = place.is_ok();
            reach = place.as_ref().ok().map(|place| (place.position + 1, line(span.row))).or(reach);
            each.push(place.ok());
        }
        Passing { places: Places::Each(each), thread: *thread, reach }
    }

    fn fault(&mut self, line: u64, offset: u64, reason: String) {
        self.skipped += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push((line, offset, reason));
        }
    }
}
