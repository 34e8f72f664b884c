//! Objects on their way from events to the comparer, and pairs that wait for what objects they mean.

use std::sync::PoisonError;

use super::aligner::Aligner;
use super::intake::Intake;
use super::lane::Held;
use super::pairs::Phase;
use super::parting::Judge;
use super::taken_out::RowMeets;
use crate::identity::{Guesses, Mark, MarkFinder, Marked};
use crate::scan::{ScannedWindow, Span, SpanTable};
use crate::source::{Side, Window};

/// What events of a window say of objects, each by its line's row and its place among the events, in order of the log.
pub(super) type Marks = Vec<(u32, u32, Mark)>;

/// What was found in a window's events while it was scanned.
#[derive(Default)]
pub struct Found {
    /// What they say of objects.
    pub(super) marks: Marks,
    /// Those that rules may take out.
    pub(super) met: Vec<RowMeets>,
}

/// Looks through a window's events.
pub(super) fn marks_of(finder: &MarkFinder, window: &Window, scanned: &ScannedWindow) -> Marks {
    let mut marks = Marks::new();
    if finder.is_idle() {
        return marks;
    }
    let mut guesses = Guesses::default();
    for index in 0..scanned.spans.len() {
        let span = scanned.spans.span(index);
        let line = span.line_of(&window.bytes);
        let kind = (span.kind.start as usize, span.kind.end as usize);
        let head_is_strict = span.has(Span::HEAD_STRICT);
        let event = Marked { line, kind, tail: span.tail.of(line), head_is_strict };
        finder.find(&event, &mut guesses, |mark| marks.push((span.row, index, mark)));
    }
    // They were found thread by thread.
    marks.sort_by_key(|(row, ..)| *row);
    marks
}

/// The marks of those events that are left after some were taken out.
pub(super) fn marks_left(marks: Marks, spans: &SpanTable) -> Marks {
    let mut places: Vec<(u32, u32)> = (0..spans.len()).map(|index| (spans.row(index), index)).collect();
    places.sort_unstable();
    let place = |row: u32| places.binary_search_by_key(&row, |(row, _)| *row).ok().map(|at| places[at].1);
    marks.into_iter().filter_map(|(row, _, mark)| Some((row, place(row)?, mark))).collect()
}

impl Intake<'_> {
    /// Keeps what events say of objects, unless they were dropped.
    pub(super) fn note_marks(&mut self, held: &Held, marks: Marks) {
        for (row, index, mark) in marks {
            // They were taken in the order of the window's table.
            let at = self.taken.partition_point(|(_, to, _)| *to <= index);
            if let Some((.., lane)) = self.taken.get(at).filter(|(from, ..)| *from <= index) {
                self.marked.push((held.line(row), *lane as u32, mark));
            }
        }
    }
}

impl<J: Judge> Aligner<'_, J> {
    /// Hands over what the events taken last say of objects.
    pub(super) fn take_objects(&mut self) {
        let Some(identities) = self.comparer.identities() else { return };
        let mut identities = identities.write().unwrap_or_else(PoisonError::into_inner);
        for side in Side::BOTH {
            for (line, lane, mark) in self.sides[side.index()].marked.drain(..) {
                identities.take(side.index(), line, lane, mark);
            }
        }
    }

    /// Lets go of objects that nobody will ask for any more.
    pub(super) fn forget_objects(&mut self) {
        let Some(identities) = self.comparer.identities() else { return };
        let mut identities = identities.write().unwrap_or_else(PoisonError::into_inner);
        for side in Side::BOTH {
            if !identities.may_forget(side.index()) {
                continue;
            }
            let intake = &self.sides[side.index()];
            let is_open = |pairing: usize| {
                matches!(self.pairings[pairing].phase, Phase::Active | Phase::Parted(_) | Phase::Following)
            };
            let waiting = intake.lanes.iter().filter(|lane| lane.pairing.is_none_or(is_open));
            let oldest = waiting.filter_map(|lane| lane.next_line()).min();
            identities.forget_before(side.index(), oldest.unwrap_or(intake.last_line + 1));
        }
    }

    /// It is decided which lane is a lane's partner: pairs that waited for that are weighed again.
    pub(super) fn decide_partner(&mut self, side: Side, lane: usize, partner: Option<usize>) {
        let Some(identities) = self.comparer.identities() else { return };
        let mut identities = identities.write().unwrap_or_else(PoisonError::into_inner);
        identities.decide(side.index(), lane as u32, partner.map(|partner| partner as u32));
        drop(identities);
        self.weigh_undecided();
    }

    /// A lane is not compared.
    pub(super) fn leave_out(&mut self, side: Side, lane: usize) {
        let Some(identities) = self.comparer.identities() else { return };
        identities.write().unwrap_or_else(PoisonError::into_inner).leave_out(side.index(), lane as u32);
        self.weigh_undecided();
    }

    /// Pairs that waited for more to be decided are weighed again.
    fn weigh_undecided(&mut self) {
        for pairing in std::mem::take(&mut self.undecided) {
            self.change(pairing);
        }
    }
}
