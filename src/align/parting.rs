//! A lane's parting, as it is handed to a judge.

use smallvec::SmallVec;

use super::intake::Fault;
use super::lane::{Lane, Met, Place};
use crate::compare::{Event, Scratch};
use crate::profile::ReadFault;
use crate::source::Side;

/// What a lane's look-ahead is handed to.
pub struct Parting<'l> {
    pub pairing: usize,
    pub how: Parted,
    pub lanes: [Option<&'l Lane>; 2],
    /// What ordinals of the candidate are ahead by, as far as that was accepted or told.
    pub step: Step,
    /// Partings of the pairing told before, a late start aside.
    pub told: u64,
    /// Events from the parting on, at most [`super::LOOK_AHEAD`] a side.
    pub sides: [Vec<Met<'l>>; 2],
    /// Up to five pairs before, oldest first.
    pub before: Vec<[ContextLine; 2]>,
}

/// How a pairing parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parted {
    /// A pair differs.
    Differs,
    /// This side's lane ended before its partner.
    Short(Side),
    /// This side's lane has no partner.
    Alone(Side),
}

/// An event as context: where it stands and its trimmed line, possibly cut.
#[derive(Clone, Debug)]
pub struct ContextLine {
    pub place: Place,
    pub text: Vec<u8>,
    pub cut_bytes: u64,
}

/// A malformed line met while judging.
pub type MetFault = (Side, Fault);

/// A judgement, and what was met on the way.
pub struct Judged<V> {
    /// The judgement itself.
    pub verdict: V,
    /// Malformed lines among the events looked at.
    pub faults: Vec<MetFault>,
    /// How many of the events offered were read on each side; a malformed line ends a look.
    pub looked: [usize; 2],
    /// What becomes of the pairing.
    pub course: Course,
}

/// What becomes of a pairing behind a parting.
#[derive(Clone, Debug)]
pub enum Course {
    /// The parting is accepted: the pairing goes on, and the verdict is dropped.
    Accepted(Accepted),
    /// One side's lane began later. That is told, and the pairing goes on as if nothing had been.
    Late(Onward),
    /// It is told, and so is what parts behind it.
    GoesOn(Onward),
    /// It is told; behind it is only looked where the last pair differs.
    Followed(Onward),
    /// It is told, and nothing behind it is looked at.
    Over,
}

/// An accepted parting.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// By which acceptances; what the numbers mean is the judge's affair.
    pub by: SmallVec<[u32; 1]>,
    /// How the pairing goes on.
    pub onward: Onward,
}

/// How a pairing goes on behind a parting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// The pair counts as equal.
    Pair(Step),
    /// Behind so many events of each side, which have no partner.
    Past([u64; 2], Step),
    /// One lane has no event there, and nothing follows to be compared.
    End,
}

/// What ordinals of the candidate are ahead of the reference's by, where both number the same events: 0 until missing
/// or extra events, or other ordinals, are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step(pub i128);

impl Step {
    /// A candidate's ordinal as the reference would number that event.
    fn back(self, candidate: u64) -> i128 {
        i128::from(candidate) - self.0
    }

    /// The candidate's event as if its ordinal were the reference's, where it is only ahead by the step. What has the
    /// same ordinal is left alone: equal ordinals are equal whatever was accepted.
    #[inline(always)]
    pub fn renumbered<'w>(self, reference: &Event<'_>, mut candidate: Event<'w>) -> Event<'w> {
        if self.0 != 0
            && let (Some(wanted), Some(ordinal)) = (reference.ordinal, candidate.ordinal)
            && self.back(ordinal) == i128::from(wanted)
        {
            candidate.ordinal = reference.ordinal;
        }
        candidate
    }

    /// An ordinal of the other side as `side` would number that event.
    pub fn as_numbered_by(self, side: Side, ordinal: u64) -> i128 {
        match side {
            Side::Reference => self.back(ordinal),
            Side::Candidate => i128::from(ordinal) + self.0,
        }
    }
}

/// Judges partings; called in parallel.
pub trait Judge: Sync {
    /// What a judgement yields.
    type Verdict: Send + Sync;
    /// Judges one parting.
    fn judge(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> Judged<Self::Verdict>;
}

/// Where a reading fault of an event stands in its log.
pub fn fault_at(met: &Met<'_>, fault: &ReadFault) -> Fault {
    Fault { line: met.place().line, offset: met.offset_of(fault.at), reason: fault.reason.to_string() }
}
