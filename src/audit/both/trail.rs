//! What a thread does to an object beyond what its partner does at the same place, and where the two part.

use std::collections::VecDeque;

use super::deed::Deed;
use crate::source::Side;

/// A side that is farther ahead than this is not waited for.
const AHEAD_MAX: usize = 1 << 20;

/// Steps on one object that a thread and its partner do at different places. They are the same if their order is.
#[derive(Debug, Default)]
pub struct Trail {
    /// Steps of one side that the other one has not come to.
    ahead: VecDeque<(Side, Deed)>,
    /// Where the two part: what either side does there.
    pub parting: Option<[Option<Deed>; 2]>,
    /// The first signal of each side at the parting or behind it.
    signal: [Option<Deed>; 2],
    /// How many signals each side has.
    signals: [u64; 2],
}

impl Trail {
    /// Takes the next step of a side.
    pub fn take(&mut self, side: Side, deed: Deed) {
        self.signals[side.index()] += u64::from(deed.signals());
        if self.parting.is_some() {
            return self.note_signal(side, deed);
        }
        let Some((_, other)) = self.ahead.front().filter(|(ahead, _)| *ahead != side).copied() else {
            self.ahead.push_back((side, deed));
            if self.ahead.len() > AHEAD_MAX {
                self.end();
            }
            return;
        };
        if deed.is_like(&other) {
            self.ahead.pop_front();
            return;
        }
        let parted = if side == Side::Reference { [deed, other] } else { [other, deed] };
        self.part(parted.map(Some));
        self.note_signal(side, deed);
    }

    /// The other side does nothing further: what one side did is where they part.
    pub fn end(&mut self) {
        let Some((side, deed)) = self.ahead.front().copied() else { return };
        let mut parted = [None, None];
        parted[side.index()] = Some(deed);
        self.part(parted);
    }

    /// Nothing is left to be compared.
    pub fn is_even(&self) -> bool {
        self.ahead.is_empty() && self.parting.is_none()
    }

    fn part(&mut self, parted: [Option<Deed>; 2]) {
        self.parting = Some(parted);
        for (side, deed) in std::mem::take(&mut self.ahead) {
            self.note_signal(side, deed);
        }
    }

    fn note_signal(&mut self, side: Side, deed: Deed) {
        if deed.signals() {
            self.signal[side.index()].get_or_insert(deed);
        }
    }

    /// The signal of a side that the other side does not have: the first one if it has more of them.
    pub fn missing(&self, has: Side) -> Option<Deed> {
        let more = self.signals[has.index()] > self.signals[has.other().index()];
        self.signal[has.index()].filter(|_| more && self.parting.is_some())
    }
}
