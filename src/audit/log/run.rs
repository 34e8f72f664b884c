//! A whole log on its way through the world of its objects.

use std::ops::ControlFlow;

use ahash::AHashMap;

use super::object::Moment;
use super::reading::{Found, Reader, What};
use super::seen::Seen;
use super::step::{Name, Told};
use super::verdict::{Verdict, verdicts};
use super::world::World;
use crate::align::Succession;
use crate::json::tape::fixed_state;
use crate::profile::Profile;
use crate::scan::{Group, Opener, ScanOptions, ScannedWindow, Start, Sweep, Swept, ThreadKey};
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
    /// Where each thread stands, and its newest generation's number.
    threads: AHashMap<ThreadKey, (Succession, u32)>,
    skipped: u64,
    faults: Vec<(u64, u64, String)>,
    is_torn: bool,
}

/// Malformed lines that are told one by one.
const FAULTS_MAX: usize = 5;

/// The thread and the position of each event of a group.
enum Places {
    /// They follow each other from the first.
    Growing { thread: u32, first: u64 },
    /// One by one; nothing where an ordinal does not grow, which makes no event.
    Each(Vec<Option<(u32, u64)>>),
}

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
        let places: Vec<Places> = scanned.groups.iter().map(|group| self.places(swept, group)).collect();
        for Found { row, group, index, start, what } in found {
            let place = match &places[group as usize] {
                Places::Growing { thread, first } => Some((*thread, first + u64::from(index))),
                Places::Each(each) => each[index as usize],
            };
            let Some((thread, position)) = place else { continue };
            let What::Step(rule, told) = what else {
                self.world.goes_on(thread);
                continue;
            };
            let line = swept.lines_before + u64::from(row) + 1;
            let offset = swept.window.offset + u64::from(start);
            self.step(rule, *told, (line, offset), (thread, position));
        }
        self.seen.events += u64::from(scanned.events);
        self.seen.lines = swept.lines_before + u64::from(scanned.lines);
        for fault in &scanned.faults {
            self.fault(
                swept.lines_before + u64::from(fault.line) + 1,
                swept.window.offset + u64::from(fault.at),
                fault.fault.reason.to_string(),
            );
        }
        self.is_torn |= scanned.torn.is_some();
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

    fn places(&mut self, swept: &Swept<'_>, group: &Group) -> Places {
        let scanned = &swept.scanned;
        let events = u64::from(group.to - group.from);
        let world = &mut self.world;
        let key = &group.thread;
        let line = |row: u32| swept.lines_before + u64::from(row) + 1;
        let (succession, thread) = self.threads.entry(key.clone()).or_insert_with(|| {
            let thread = world.begin_thread(key.clone(), 0);
            (Succession::default(), thread)
        });
        let spans = &scanned.spans;
        if events > 0 && !group.irregular {
            let first = world.threads[*thread as usize].events;
            if succession.take_growing(&spans.span(group.from), &spans.span(group.to - 1), events) {
                world.threads[*thread as usize].events += events;
                world.threads[*thread as usize].last_line = line(spans.span(group.to - 1).row);
                return Places::Growing { thread: *thread, first };
            }
        }
        let mut each = Vec::new();
        let mut faults = Vec::new();
        for span in scanned.spans_of(group) {
            let place = match succession.take(&span) {
                Ok(place) => place,
                Err(reason) => {
                    faults.push((span.row, span.start, reason.at(0).reason.to_string()));
                    each.push(None);
                    continue;
                }
            };
            if place.generation > world.threads[*thread as usize].generation {
                world.end_thread(*thread);
                *thread = world.begin_thread(key.clone(), place.generation);
            }
            world.threads[*thread as usize].events += 1;
            world.threads[*thread as usize].last_line = line(span.row);
            each.push(Some((*thread, place.position)));
        }
        for (row, start, reason) in faults {
            self.fault(swept.lines_before + u64::from(row) + 1, swept.window.offset + u64::from(start), reason);
        }
        Places::Each(each)
    }

    fn fault(&mut self, line: u64, offset: u64, reason: String) {
        self.skipped += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push((line, offset, reason));
        }
    }
}
