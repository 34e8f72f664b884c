//! What a thread and its partner do to an object, and where the two part.

use std::collections::VecDeque;

use super::deed::Deed;
use crate::source::Side;

/// A side that is farther ahead than this is not waited for.
const AHEAD_MAX: usize = 1 << 20;

/// All steps on one object of a thread and its partner, from the first that one of them does alone. They are the same if the
/// order of each is.
#[derive(Debug, Default)]
pub struct Trail {
    whole: InOrder,
    /// The steps alone that the partner does not do at the same place: those that are missing are found among these.
    alone: InOrder,
    /// The first signal of each side where those part or behind it.
    signal: [Option<Deed>; 2],
    /// How many signals each side does alone.
    signals: [u64; 2],
}

/// Two orders of steps.
#[derive(Debug, Default)]
struct InOrder {
    /// Steps of one side that the other one has not come to.
    ahead: VecDeque<(Side, Deed)>,
    /// Where they part: what either side does there.
    parting: Option<[Option<Deed>; 2]>,
}

impl Trail {
    /// Takes a step that a side does alone.
    pub fn take(&mut self, side: Side, deed: Deed) {
        self.whole.take(side, deed);
        self.signals[side.index()] += u64::from(deed.signals());
        let behind = self.alone.take(side, deed);
        behind.into_iter().for_each(|(side, deed)| self.note_signal(side, deed));
    }

    /// Takes a step that both do.
    pub fn take_alike(&mut self, deeds: [Deed; 2]) {
        Side::BOTH.into_iter().zip(deeds).for_each(|(side, deed)| _ = self.whole.take(side, deed));
    }

    /// The other side does nothing further: what one side did is where they part.
    pub fn end(&mut self) {
        self.whole.end();
        let behind = self.alone.end();
        behind.into_iter().for_each(|(side, deed)| self.note_signal(side, deed));
    }

    /// Nothing is left to be compared.
    pub fn is_even(&self) -> bool {
        self.whole.is_even() && self.alone.is_even()
    }

    /// Where the two part: what either side does there.
    pub fn parting(&self) -> Option<[Option<Deed>; 2]> {
        self.whole.parting
    }

    fn note_signal(&mut self, side: Side, deed: Deed) {
        if deed.signals() {
            self.signal[side.index()].get_or_insert(deed);
        }
    }

    /// The signal of a side that the other side does not have: the first one if it has more of them.
    pub fn missing(&self, has: Side) -> Option<Deed> {
        let more = self.signals[has.index()] > self.signals[has.other().index()];
        self.signal[has.index()].filter(|_| more)
    }
}

impl InOrder {
    /// Takes the next step of a side; returns what is known to stand where they part, or behind it.
    fn take(&mut self, side: Side, deed: Deed) -> VecDeque<(Side, Deed)> {
        if self.parting.is_some() {
            return VecDeque::from([(side, deed)]);
        }
        let Some((_, other)) = self.ahead.front().filter(|(ahead, _)| *ahead != side).copied() else {
            self.ahead.push_back((side, deed));
            return if self.ahead.len() > AHEAD_MAX { self.end() } else { VecDeque::new() };
        };
        if deed.is_like(&other) {
            self.ahead.pop_front();
            return VecDeque::new();
        }
        let parted = if side == Side::Reference { [deed, other] } else { [other, deed] };
        self.parting = Some(parted.map(Some));
        self.ahead.push_back((side, deed));
        std::mem::take(&mut self.ahead)
    }

    /// Nothing further comes.
    fn end(&mut self) -> VecDeque<(Side, Deed)> {
        if let Some((side, deed)) = self.ahead.front() {
            let mut parted = [None, None];
            parted[side.index()] = Some(*deed);
            self.parting = Some(parted);
        }
        std::mem::take(&mut self.ahead)
    }

    fn is_even(&self) -> bool {
        self.ahead.is_empty() && self.parting.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::log::Moment;
    use crate::profile::AuditStep;

    fn deed(step: AuditStep, position: u64) -> Deed {
        let at = Moment { line: position + 1, offset: 0, thread: 0, position, source: 0, time: None };
        Deed { step, detail: 0, at }
    }

    #[test]
    fn steps_that_belong_together_elsewhere_part_nothing() {
        // Both wait and wake twice; one of each was held against a step in another place.
        let [wait, wake] = [AuditStep::Wait, AuditStep::Wake];
        let mut trail = Trail::default();
        trail.take(Side::Reference, deed(wait, 0));
        trail.take(Side::Reference, deed(wake, 1));
        trail.take_alike([deed(wait, 2), deed(wait, 0)]);
        trail.take_alike([deed(wake, 3), deed(wake, 1)]);
        trail.take(Side::Candidate, deed(wait, 6));
        assert!(!trail.is_even());
        trail.take(Side::Candidate, deed(wake, 7));
        trail.end();
        assert_eq!((trail.is_even(), trail.parting()), (true, None));
    }

    #[test]
    fn the_same_steps_in_another_order_part() {
        let [signal, reset] = [AuditStep::Signal, AuditStep::Reset];
        let mut trail = Trail::default();
        trail.take(Side::Reference, deed(reset, 0));
        trail.take_alike([deed(signal, 1), deed(signal, 0)]);
        trail.take(Side::Candidate, deed(reset, 1));
        trail.end();
        assert_eq!(trail.parting(), Some([Some(deed(reset, 0)), Some(deed(signal, 0))]));
        assert_eq!((trail.missing(Side::Reference), trail.missing(Side::Candidate)), (None, None));
    }

    #[test]
    fn the_signal_that_one_side_lacks_is_told_where_the_other_does_it() {
        let [signal, wait] = [AuditStep::Signal, AuditStep::Wait];
        let mut trail = Trail::default();
        trail.take(Side::Reference, deed(signal, 4));
        trail.take_alike([deed(signal, 5), deed(signal, 4)]);
        trail.take_alike([deed(wait, 6), deed(wait, 5)]);
        trail.end();
        assert_eq!(trail.parting(), Some([Some(deed(signal, 5)), Some(deed(wait, 5))]));
        assert_eq!((trail.missing(Side::Reference), trail.missing(Side::Candidate)), (Some(deed(signal, 4)), None));
    }
}
