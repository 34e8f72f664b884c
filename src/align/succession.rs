//! How a thread's events follow each other: generations, positions, growing ordinals (BEHAVIOUR 10).

use super::generations::{Continues, continues};
use crate::scan::{OpenReason, Span};

/// Where one thread stands in its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Succession {
    generation: u32,
    position: u64,
    last: Option<u64>,
    ended: bool,
}

/// An event's place among those of its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanePlace {
    /// From 0.
    pub generation: u32,
    /// In its generation, from 0.
    pub position: u64,
}

impl Succession {
    /// The place that the thread's next event has if it goes on with what stands before.
    pub fn next(&self) -> LanePlace {
        LanePlace { generation: self.generation, position: self.position }
    }

    /// The place of the thread's next event.
    ///
    /// # Errors
    /// Its ordinal does not grow; the event then counts as not given.
    pub fn take(&mut self, event: &Span) -> Result<LanePlace, OpenReason> {
        match continues((self.ended, self.last), event.ordinal()) {
            Continues::Same => {}
            Continues::Anew => *self = Succession { generation: self.generation + 1, ..Succession::default() },
            Continues::Fault { before, found } => return Err(OpenReason::OrdinalNotGrowing { before, found }),
        }
        let place = self.next();
        self.position += 1;
        self.last = event.ordinal().or(self.last);
        self.ended = event.has(Span::ENDS_THREAD);
        Ok(place)
    }

    /// Takes so many events of the thread at once, of which the first and the last are given, the ordinals grow from
    /// one to the next and none ends the thread; `false`, and none is taken, where they do not go on with what
    /// stands before.
    pub fn take_growing(&mut self, first: &Span, last: &Span, events: u64) -> bool {
        if !matches!(continues((self.ended, self.last), first.ordinal()), Continues::Same) {
            return false;
        }
        self.position += events;
        self.last = last.ordinal().or(self.last);
        self.ended = false;
        true
    }
}
