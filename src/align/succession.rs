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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Part;

    fn event(ordinal: Option<u64>, ends: bool) -> Span {
        let nothing = Part { start: 0, end: 0 };
        let flags = if ordinal.is_some() { Span::HAS_ORDINAL } else { 0 } | if ends { Span::ENDS_THREAD } else { 0 };
        Span { start: 0, len: 0, lead: 0, row: 0, kind: nothing, tail: nothing, ordinal: ordinal.unwrap_or(0), flags }
    }

    #[test]
    fn a_thread_begins_anew_at_ordinal_zero_and_behind_its_end() {
        let mut thread = Succession::default();
        let events = [
            ((Some(4), false), Ok((0, 0))),
            ((Some(5), false), Ok((0, 1))),
            ((Some(5), false), Err(5)),
            ((None, false), Ok((0, 2))),
            ((Some(3), false), Err(3)),
            ((Some(0), false), Ok((1, 0))),
            ((Some(0), false), Err(0)),
            ((Some(9), true), Ok((1, 1))),
            ((Some(10), false), Ok((2, 0))),
            ((Some(0), true), Ok((3, 0))),
            ((None, false), Ok((4, 0))),
        ];
        for ((ordinal, ends), must) in events {
            let place = thread.take(&event(ordinal, ends)).map_err(|fault| match fault {
                OpenReason::OrdinalNotGrowing { found, .. } => found,
                other => panic!("{other}"),
            });
            assert_eq!(place.map(|place| (place.generation, place.position)), must, "{ordinal:?}");
        }
        assert_eq!(thread.next(), LanePlace { generation: 4, position: 1 });
    }

    #[test]
    fn events_taken_at_once_are_those_taken_one_by_one() {
        let mut one_by_one = Succession::default();
        one_by_one.take(&event(Some(7), false)).unwrap();
        let mut at_once = one_by_one;
        let growing = [8, 9, 30].map(|ordinal| event(Some(ordinal), false));
        growing.iter().for_each(|event| _ = one_by_one.take(event).unwrap());
        assert!(at_once.take_growing(&growing[0], &growing[2], 3));
        assert_eq!(at_once, one_by_one);
        for ordinal in [0, 30] {
            assert!(!at_once.take_growing(&event(Some(ordinal), false), &event(Some(99), false), 2));
            assert_eq!(at_once, one_by_one);
        }
    }
}
