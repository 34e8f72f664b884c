//! An object of one log and its partner in the other.

use smallvec::SmallVec;

use super::deed::Deed;
use super::trail::Trail;
use crate::align::LaneName;
use crate::audit::log::{Kind, Name};

/// Two threads that are one thread in two runs, or a thread that only one of the runs has.
#[derive(Clone, Debug, Default)]
pub struct ThreadPair {
    pub lanes: [Option<LaneName>; 2],
    /// The line and the position in its thread of each side's event where the two first part.
    pub parts: Option<[Option<(u64, u64)>; 2]>,
    /// They are of workers that take what comes: who does what says little.
    pub is_pool: bool,
}

/// How objects of two logs are told to be one: a thread and its partner made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairedBy {
    /// Both logs call them the same; where they have handles alone, as by order.
    Name,
    /// Each as its k-th of that type.
    Order,
}

/// An object and its partner.
#[derive(Debug)]
pub struct Paired {
    /// Unlike that of any other.
    pub(super) number: u64,
    /// What the logs call it if nobody made it.
    pub(super) unmade: Option<Name>,
    /// The number of each side's object in its log.
    pub numbers: [Option<u64>; 2],
    pub names: [Option<Name>; 2],
    pub kinds: [Option<Kind>; 2],
    /// Of the thread pairs that do something to it at different places, by their numbers.
    pub trails: SmallVec<[(u32, Trail); 1]>,
    /// Steps that wait for the other side's.
    pub(super) pending: u64,
    /// No handle of it is left.
    pub(super) gone: [bool; 2],
    /// It is gone, and one side did more to it.
    pub(super) is_uneven: bool,
}

impl Paired {
    pub(super) fn new(number: u64, unmade: Option<Name>) -> Paired {
        Paired {
            number,
            unmade,
            numbers: [None, None],
            names: [None, None],
            kinds: [None, None],
            trails: SmallVec::new(),
            pending: 0,
            gone: [false; 2],
            is_uneven: false,
        }
    }

    /// What one side made differs from what the other one did.
    pub fn differs_in_kind(&self) -> bool {
        match self.kinds {
            [Some(Kind::Event { manual: one }), Some(Kind::Event { manual: other })]
            | [Some(Kind::Timer { manual: one }), Some(Kind::Timer { manual: other })] => {
                one.zip(other).is_some_and(|(one, other)| one != other)
            }
            _ => false,
        }
    }

    /// Some trail of it parts.
    pub fn parts(&self) -> bool {
        self.differs_in_kind() || self.trails.iter().any(|(_, trail)| trail.parting().is_some())
    }

    /// Its place among objects that part: by the line where it first does, then by its numbers.
    pub(super) fn order(&self) -> (u64, [u64; 2]) {
        let lines = |trail: &Trail| trail.parting().iter().flatten().flatten().map(|deed| deed.at.line).min();
        let first = self.trails.iter().filter_map(|(_, trail)| lines(trail)).min().unwrap_or(0);
        (first, self.numbers.map(|number| number.unwrap_or(u64::MAX)))
    }

    /// Both sides did the same so far.
    pub(super) fn is_even(&self) -> bool {
        self.pending == 0 && self.trails.iter().all(|(_, trail)| trail.is_even())
    }

    /// Takes a step that both threads of a pair do. Up to the first that one of them does alone, nothing has to be kept.
    pub(super) fn take_alike(&mut self, pair: u32, deeds: [Deed; 2]) {
        let known = self.trails.iter_mut().find(|(known, _)| *known == pair);
        if let Some((_, trail)) = known.filter(|(_, trail)| !trail.is_even()) {
            trail.take_alike(deeds);
        }
    }

    /// The trail of a thread pair.
    pub(super) fn trail(&mut self, pair: u32) -> &mut Trail {
        let at = self.trails.iter().position(|(known, _)| *known == pair).unwrap_or_else(|| {
            self.trails.push((pair, Trail::default()));
            self.trails.len() - 1
        });
        &mut self.trails[at].1
    }
}
