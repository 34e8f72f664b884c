//! Where a line keeps what aligning needs, and which events mean more than they hold.

use crate::json::Pointer;

/// Where a line keeps what aligning needs. A role that is `None` is not looked for: one lane,
/// position instead of ordinal, equal kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// Empty: one lane. Several paths make one composite key.
    pub thread: Vec<Pointer>,
    /// The event's own number on its thread.
    pub ordinal: Option<Pointer>,
    /// What rules and summaries go by.
    pub kind: Option<Pointer>,
    /// What is compared.
    pub payload: PayloadRole,
    /// Which events are marked nondeterministic.
    pub nondeterministic: Option<NondeterministicRole>,
    /// Where the header (or, without one, the first event) names the engine that wrote the log.
    pub label: Option<Pointer>,
    /// The kind of the event that ends a thread.
    pub end: Option<String>,
    /// The group key of a lane: the value at a path of its first event of a kind.
    pub pairing: Option<PairingRole>,
    /// The events that carry a hash of the state.
    pub checkpoint: Option<CheckpointRole>,
}

/// What is compared of an event beside kind and ordinal.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PayloadRole {
    /// The value at this path; anything else of the line is not compared.
    At(Pointer),
    /// The whole object less the other roles (`*`).
    #[default]
    Whole,
}

/// An event is nondeterministic where the boolean at `path` equals `equals`.
#[derive(Clone, Debug, PartialEq)]
pub struct NondeterministicRole {
    /// Where the boolean stands.
    pub path: Pointer,
    /// What it is in marked events.
    pub equals: bool,
}

/// A lane's group: the value at `path` (from the line's root) of its first event of `kind`.
#[derive(Clone, Debug, PartialEq)]
pub struct PairingRole {
    /// The kind of the event that is asked.
    pub kind: String,
    /// Where it keeps the group key.
    pub path: Pointer,
}

/// Events of `kind` carry a hash of the state: where two of them differ, something before them did.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointRole {
    /// The kind of these events.
    pub kind: String,
    /// Where the hash of the whole state stands, if what stands beside it tells of parts.
    pub path: Option<Pointer>,
}
