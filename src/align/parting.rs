//! A lane's parting, as it is handed to a judge.

use super::intake::Fault;
use super::lane::{Met, Place};
use crate::compare::Scratch;
use crate::profile::ReadFault;
use crate::source::Side;

/// What a lane's look-ahead is handed to.
pub struct Parting<'l> {
    pub pairing: usize,
    pub how: Parted,
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
