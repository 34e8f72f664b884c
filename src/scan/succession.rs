//! How a thread's events follow each other: generations, positions, growing ordinals (BEHAVIOUR 10).

use super::fault::OpenReason;
use super::span::Span;

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
pub struct Place {
    /// From 0.
    pub generation: u32,
    /// In its generation, from 0.
    pub position: u64,
}

impl Succession {
    /// The place of the thread's next event.
    ///
    /// # Errors
    /// Its ordinal does not grow; the event then counts as not given.
    pub fn take(&mut self, event: &Span) -> Result<Place, OpenReason> {
        let ordinal = event.ordinal();
        if let (false, Some(before), Some(found)) = (self.ended, self.last, ordinal)
            && found <= before
        {
            if found != 0 || before == 0 {
                return Err(OpenReason::OrdinalNotGrowing { before, found });
            }
            self.ended = true;
        }
        if self.ended {
            *self = Succession { generation: self.generation + 1, ..Succession::default() };
        }
        let place = Place { generation: self.generation, position: self.position };
        self.position += 1;
        self.last = ordinal.or(self.last);
        self.ended = event.has(Span::ENDS_THREAD);
        Ok(place)
    }
}
