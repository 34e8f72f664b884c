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
use crate::scan::{Group, Opener, ScanOptions, ScannedWindow, Start, Swept, ThreadKey, WindowFault, sweep_with};
use crate::source::{Log, SourceError};

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
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    let (world, seen) = (World::new(focus), Seen::new(&profile.audit));
    let mut run = Run {
        profile,
        world,
        seen,
        threads: AHashMap::with_hasher(fixed_state()),
        skipped: 0,
        faults: Vec::new(),
        is_torn: false,
    };
    let look = |window: &crate::source::Window, scanned: &ScannedWindow| reader.read(scanned, &window.bytes);
    sweep_with(log, &opener, options, start, look, |swept, found| {
        run.window(&swept, found);
        let bytes = swept.window.overlong.map_or(swept.window.bytes.len() as u64, |overlong| overlong.len);
        progress(bytes, u64::from(swept.scanned.lines), u64::from(swept.scanned.events));
        ControlFlow::Continue(())
    })?;
    run.seen.is_damaged = run.skipped > 0 || run.is_torn;
    let verdicts = verdicts(&run.world, &run.seen);
    Ok(Audit {
        world: run.world,
        seen: run.seen,
        verdicts,
        lines_skipped: run.skipped,
        faults: run.faults,
        is_torn: run.is_torn,
    })
}

struct Run<'p> {
    profile: &'p Profile,
    world: World,
    seen: Seen,
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
}

/// A malformed line of a window: its row, where in the window, why.
type Fault = (u32, u32, String);

impl Run<'_> {
    fn window(&mut self, swept: &Swept<'_>, found: Vec<Found>) {
        let scanned = &swept.scanned;
        let reason = |fault: &WindowFault| (fault.line, fault.at, fault.fault.reason.to_string());
        let mut faults: Vec<Fault> = scanned.faults.iter().map(reason).collect();
        let mut turns = Vec::new();
        let groups = scanned.groups.iter().enumerate();
        // Its newest generation's number beside each group's places.
        let mut groups: Vec<(Places, Option<u32>)> =
            groups.map(|(at, group)| self.places(swept, (at, group), &found, (&mut turns, &mut faults))).collect();
        turns.sort_by_key(|turn| turn.row);
        let mut turns = turns.into_iter().peekable();
        for Found { row, group, index, start, what } in found {
            while let Some(turn) = turns.next_if(|turn| turn.row <= row) {
                self.turn(scanned, turn, &mut groups);
            }
            let (places, thread) = &groups[group as usize];
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
        self.seen.events += u64::from(scanned.events);
        self.seen.lines = swept.lines_before + u64::from(scanned.lines);
        faults.sort_by_key(|(row, ..)| *row);
        for (row, at, reason) in faults {
            self.fault(swept.lines_before + u64::from(row) + 1, swept.window.offset + u64::from(at), reason);
        }
        self.is_torn |= scanned.torn.is_some();
    }

    fn turn(&mut self, scanned: &ScannedWindow, turn: Turn, groups: &mut [(Places, Option<u32>)]) {
        let thread = &mut groups[turn.group].1;
        let Some(generation) = turn.begins else {
            thread.iter().for_each(|thread| self.world.goes_on(*thread));
            return;
        };
        thread.iter().for_each(|before| self.world.end_thread(*before));
        let key = &scanned.groups[turn.group].thread;
        *thread = Some(self.world.begin_thread(key.clone(), generation));
        if let Some((_, newest)) = self.threads.get_mut(key) {
            *newest = *thread;
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
    ) -> (Places, Option<u32>) {
        let (succession, thread) = self.threads.entry(group.thread.clone()).or_default();
        let (spans, events) = (&swept.scanned.spans, u64::from(group.to - group.from));
        let mut turn = |row, begins| turns.push(Turn { row, group: at, begins });
        if events > 0 && !group.irregular {
            let (first, span) = (succession.next(), spans.span(group.from));
            if succession.take_growing(&span, &spans.span(group.to - 1), events) {
                if thread.is_none() {
                    turn(span.row, Some(first.generation));
                }
                return (Places::Growing(first), *thread);
            }
        }
        let mut each = Vec::new();
        let mut newest = thread.map(|thread| self.world.threads[thread as usize].generation);
        let mut was_event = true;
        for span in swept.scanned.spans_of(group) {
            let place = succession.take(&span).map_err(|reason| reason.at(0).reason.to_string());
            match &place {
                Err(reason) => faults.push((span.row, span.start, reason.clone())),
                Ok(place) if newest != Some(place.generation) => {
                    newest = Some(place.generation);
                    turn(span.row, newest);
                }
                // What shows that it goes on was looked for as if those lines were events.
                Ok(_) if !was_event && found.binary_search_by_key(&span.row, |found| found.row).is_err() => {
                    turn(span.row, None);
                }
                Ok(_) => {}
            }
            was_event = place.is_ok();
            each.push(place.ok());
        }
        (Places::Each(each), *thread)
    }

    fn fault(&mut self, line: u64, offset: u64, reason: String) {
        self.skipped += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push((line, offset, reason));
        }
    }
}
