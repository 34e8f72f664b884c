//! The place that `show` is asked for, and the way to it.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::bail;

use super::lanes::lane_argument;
use crate::align::{LaneName, LanePlace, Succession};
use crate::scan::{ReadAt, Sighting, Span, Swept, ThreadKey};

/// A place in one log. An offset beats a line, a line beats a position; the rest is then only told again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Goal {
    pub(super) lane: Option<LaneName>,
    pub(super) position: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) offset: Option<u64>,
}

/// An event to be printed; what was not counted is unknown.
pub(super) struct Shown {
    pub(super) sighting: Sighting,
    pub(super) line: Option<u64>,
    pub(super) place: Option<LanePlace>,
}

/// Events of one lane, and which of them is meant.
pub(super) struct Found {
    pub(super) events: Vec<Shown>,
    pub(super) target: usize,
    pub(super) stepped_over: u64,
}

impl Goal {
    pub(super) fn complain(&self, prefix: &str, position: bool) -> anyhow::Result<()> {
        match self {
            Goal { offset: Some(_), .. } => Ok(()),
            Goal { line: Some(0), .. } => bail!("lines are counted from 1"),
            Goal { line: Some(_), .. } => Ok(()),
            Goal { lane: None, .. } if position => {
                bail!("a position counts the events of one thread: give --thread too")
            }
            Goal { lane: Some(_), position: Some(_), .. } => Ok(()),
            Goal { lane: Some(_), .. } => {
                bail!("where in that thread? give --at POSITION, --{prefix}line N or --{prefix}offset BYTE")
            }
            Goal { .. } => bail!("where? give --{prefix}offset BYTE, --{prefix}line N, or --thread T --at POSITION"),
        }
    }
}

/// Positions of the neighbours, counted out from the event in the middle.
pub(super) fn count_out(events: &mut [Shown], target: usize) {
    let Some(place) = events[target].place else { return };
    for (at, event) in events.iter_mut().enumerate() {
        let position = (place.position + at as u64).checked_sub(target as u64);
        event.place = position.map(|position| LanePlace { position, ..place });
    }
}

/// What is remembered of a log on the way to a place.
pub(super) struct Trail<'a> {
    pub(super) goal: &'a Goal,
    pub(super) context: usize,
    pub(super) lanes: HashMap<ThreadKey, (Succession, VecDeque<Shown>)>,
    /// The lane of the event in the middle, once met.
    pub(super) found: Option<(LaneName, Found)>,
    pub(super) stepped_over: u64,
}

impl Trail<'_> {
    pub(super) fn take(&mut self, swept: &Swept<'_>) -> ControlFlow<()> {
        self.stepped_over += swept.scanned.faults.len() as u64;
        let mut events: Vec<(Span, &ThreadKey)> = Vec::new();
        for group in &swept.scanned.groups {
            if self.wants(&group.thread) {
                events.extend(swept.scanned.spans_of(group).map(|span| (span, &group.thread)));
            }
        }
        events.sort_by_key(|(span, _)| span.row);
        for (span, thread) in events {
            self.event(swept, &span, thread)?;
        }
        self.behind(swept)
    }

    /// Whether events of a thread can be before, at or behind the place.
    fn wants(&self, thread: &ThreadKey) -> bool {
        match (&self.found, &self.goal.lane) {
            (Some((lane, _)), _) => lane.thread == *thread,
            (None, Some(lane)) => lane.thread == *thread,
            (None, None) => true,
        }
    }

    fn event(&mut self, swept: &Swept<'_>, span: &Span, thread: &ThreadKey) -> ControlFlow<()> {
        if !self.wants(thread) {
            return ControlFlow::Continue(());
        }
        if !self.lanes.contains_key(thread) {
            self.lanes.insert(thread.clone(), Default::default());
        }
        let (succession, recent) = self.lanes.get_mut(thread).expect("put there just now");
        let Ok(place) = succession.take(span) else {
            self.stepped_over += 1;
            return ControlFlow::Continue(());
        };
        if place.position == 0 {
            recent.clear();
        }
        let shown = shown(swept, span, thread, place);
        if let Some((lane, found)) = &mut self.found {
            if place.generation != lane.generation {
                return ControlFlow::Break(());
            }
            found.events.push(shown);
            return if found.events.len() > found.target + self.context {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        }
        if is_goal(self.goal, &shown, span) {
            let mut events: Vec<Shown> = std::mem::take(recent).into();
            let target = events.len();
            events.push(shown);
            let lane = LaneName { thread: thread.clone(), generation: place.generation };
            self.found = Some((lane, Found { events, target, stepped_over: 0 }));
            return if self.context == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        if self.context > 0 {
            if recent.len() == self.context {
                recent.pop_front();
            }
            recent.push_back(shown);
        }
        ControlFlow::Continue(())
    }

    /// Stops once the place is passed without an event there.
    fn behind(&self, swept: &Swept<'_>) -> ControlFlow<()> {
        let line = swept.lines_before + u64::from(swept.scanned.lines);
        let offset = swept.window.offset + swept.window.bytes.len() as u64;
        let passed = match self.goal {
            Goal { offset: Some(wanted), .. } => *wanted < offset,
            Goal { line: Some(wanted), .. } => *wanted <= line,
            _ => false,
        };
        if passed && self.found.is_none() && self.goal.lane.is_none() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    pub(super) fn end(self) -> anyhow::Result<Found> {
        if let Some((_, found)) = self.found {
            return Ok(Found { stepped_over: self.stepped_over, ..found });
        }
        match self.goal {
            Goal { offset: Some(offset), .. } => bail!("no event stands at byte {offset}"),
            Goal { line: Some(line), .. } => bail!("no event stands in line {line}"),
            Goal { lane: Some(lane), position, .. } => {
                let (name, position) = (lane_argument(lane), position.unwrap_or(0));
                if self.lanes.is_empty() {
                    bail!("there is no thread {name}")
                }
                bail!("thread {name} has no event at position {position}")
            }
            Goal { .. } => bail!("there is no such event"),
        }
    }
}

fn is_goal(goal: &Goal, shown: &Shown, span: &Span) -> bool {
    let end = shown.sighting.offset + u64::from(span.lead) + u64::from(span.len);
    match goal {
        // The first event at or behind the place: with a thread given, a neighbour's line may stand there.
        Goal { offset: Some(offset), lane, .. } => {
            *offset <= end && (lane.is_some() || *offset >= shown.sighting.offset)
        }
        Goal { line: Some(line), lane, .. } => {
            shown.line.is_some_and(|here| here == *line || (lane.is_some() && here > *line))
        }
        Goal { lane: Some(lane), position: Some(position), .. } => {
            shown.place == Some(LanePlace { generation: lane.generation, position: *position })
        }
        Goal { .. } => false,
    }
}

fn shown(swept: &Swept<'_>, span: &Span, thread: &ThreadKey, place: LanePlace) -> Shown {
    let offset = swept.window.offset + u64::from(span.start) - u64::from(span.lead);
    let text = span.line_of(&swept.window.bytes).to_vec();
    let sighting = Sighting { offset, text, span: *span, thread: thread.clone() };
    Shown { sighting, line: Some(swept.lines_before + u64::from(span.row) + 1), place: Some(place) }
}

/// A regular file, read where it is asked.
pub(super) struct OpenFile {
    pub(super) file: File,
    pub(super) size: u64,
    /// Device and inode.
    pub(super) identity: (u64, u64),
}

impl OpenFile {
    pub(super) fn open(path: &Path) -> anyhow::Result<OpenFile> {
        let failed = |error| crate::source::SourceError::Open { path: path.into(), error };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        Ok(OpenFile { file, size: about.len(), identity: (about.dev(), about.ino()) })
    }
}

impl ReadAt for OpenFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset)
    }
}
