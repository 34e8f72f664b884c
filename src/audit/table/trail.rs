//! All that is known of one object behind a handle: how it was made, and the calls on it in their rings.

use super::ring::{HandleAuditEntry, Ring};

/// Calls that the ring of a handle's destructions holds: one is all there should be.
pub const AUDIT_DESTROY_CAPACITY: usize = 4;

/// What reports call the kind of a handle that nobody was seen to create.
pub const UNCREATED: &str = "<UNCREATED>";

/// What a call did to a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AuditCall {
    /// The object was made.
    Create,
    /// It was signalled, released or set.
    Signal,
    /// A thread began to wait on it.
    Wait,
    /// A thread that waited on it was made to go on.
    Wake,
    /// The handle was closed.
    Destroy,
}

/// A call in the order of all calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'t> {
    /// Its number among all calls that the table recorded, from 0.
    pub sequence: u64,
    /// What it did.
    pub call: AuditCall,
    /// Who did it, when and where.
    pub entry: &'t HandleAuditEntry,
}

/// One object behind a handle, from its creation on. In [`HandleAudit::trails`](super::HandleAudit::trails) is each handle's
/// newest one, closed or not; earlier ones are in [`HandleAudit::past`](super::HandleAudit::past).
///
/// Calls on a focus handle that came before its creation stand in the same rings: their sequence numbers are below
/// [`created_sequence`](Self::created_sequence).
#[derive(Debug)]
pub struct HandleAuditTrail {
    /// The engine's word for what sort of object it is, such as `Event/Auto` or `Semaphore`.
    pub kind: &'static str,
    /// The call that made it.
    pub created: HandleAuditEntry,
    /// The guest's stack when it was made, as `(frame address, return address)`, the innermost frame first. Empty
    /// unless it was recorded by [`record_create_with_stack`](super::HandleAudit::record_create_with_stack).
    pub created_stack: Vec<(u32, u32)>,
    /// Signals.
    pub signals: Ring,
    /// Beginnings of waits.
    pub waits: Ring,
    /// Wakes.
    pub wakes: Ring,
    /// Closings. A second one is an engine's or a guest's mistake worth seeing.
    pub destroyed: Ring<AUDIT_DESTROY_CAPACITY>,
    /// Which object behind this handle value it is, counted from 0; anew from 0 where the table held no trail of the
    /// handle any more.
    pub generation: u64,
    /// The sequence number of the call that made it.
    pub created_sequence: u64,
    /// The sequence number of the first closing since it was made.
    pub(super) ended: Option<u64>,
}

impl HandleAuditTrail {
    /// A trail that begins with its creation, and with what a ghost saw before.
    pub(super) fn new(
        kind: &'static str,
        (created_sequence, created): (u64, HandleAuditEntry),
        created_stack: Vec<(u32, u32)>,
        generation: u64,
        seen: GhostTrail,
    ) -> HandleAuditTrail {
        let GhostTrail { signals, waits, wakes, destroyed } = seen;
        HandleAuditTrail {
            kind,
            created,
            created_stack,
            signals,
            waits,
            wakes,
            destroyed,
            generation,
            created_sequence,
            ended: None,
        }
    }

    /// Whether the handle was closed since it was created. Calls are recorded behind that too.
    pub fn is_destroyed(&self) -> bool {
        self.ended.is_some()
    }

    /// Calls ever recorded on this trail, its creation among them.
    pub fn recorded(&self) -> u64 {
        1 + self.signals.total() + self.waits.total() + self.wakes.total() + self.destroyed.total()
    }

    /// Calls recorded on this trail that its rings hold no longer.
    pub fn dropped(&self) -> u64 {
        self.signals.dropped() + self.waits.dropped() + self.wakes.dropped() + self.destroyed.dropped()
    }

    /// What is held of this trail in the order in which it was recorded: creation, signals, waits, wakes, closings, 101 at
    /// most. Where a ring has dropped calls, only those it holds.
    pub fn timeline(&self) -> Vec<Moment<'_>> {
        let created = Moment { sequence: self.created_sequence, call: AuditCall::Create, entry: &self.created };
        in_order(Some(created), [&self.signals, &self.waits, &self.wakes], &self.destroyed)
    }
}

/// Calls on a focus handle that nobody was seen to create: the guest made the object by hand, or before the audit began.
///
/// When a creation comes, they become the beginning of its trail. Until then reports should call its kind [`UNCREATED`].
#[derive(Debug, Default)]
pub struct GhostTrail {
    /// Signals.
    pub signals: Ring,
    /// Beginnings of waits.
    pub waits: Ring,
    /// Wakes.
    pub wakes: Ring,
    /// Closings.
    pub destroyed: Ring<AUDIT_DESTROY_CAPACITY>,
}

impl GhostTrail {
    /// What its rings hold on the heap, in bytes. A trail's rings are the same.
    pub(super) const HEAP_BYTES: usize =
        3 * Ring::<{ super::ring::AUDIT_RING_CAPACITY }>::HEAP_BYTES + Ring::<AUDIT_DESTROY_CAPACITY>::HEAP_BYTES;

    /// An empty one that will not allocate when it fills.
    pub(super) fn with_room() -> GhostTrail {
        GhostTrail {
            signals: Ring::with_room(),
            waits: Ring::with_room(),
            wakes: Ring::with_room(),
            destroyed: Ring::with_room(),
        }
    }

    /// Calls ever recorded on it.
    pub fn recorded(&self) -> u64 {
        self.signals.total() + self.waits.total() + self.wakes.total() + self.destroyed.total()
    }

    /// Calls recorded on it that its rings hold no longer.
    pub fn dropped(&self) -> u64 {
        self.signals.dropped() + self.waits.dropped() + self.wakes.dropped() + self.destroyed.dropped()
    }

    /// What is held of it in the order in which it was recorded.
    pub fn timeline(&self) -> Vec<Moment<'_>> {
        in_order(None, [&self.signals, &self.waits, &self.wakes], &self.destroyed)
    }
}

fn in_order<'t>(
    created: Option<Moment<'t>>,
    [signals, waits, wakes]: [&'t Ring; 3],
    destroyed: &'t Ring<AUDIT_DESTROY_CAPACITY>,
) -> Vec<Moment<'t>> {
    let mut all = Vec::with_capacity(1 + signals.len() + waits.len() + wakes.len() + destroyed.len());
    all.extend(created);
    for (call, ring) in [(AuditCall::Signal, signals), (AuditCall::Wait, waits), (AuditCall::Wake, wakes)] {
        all.extend(ring.numbered().map(|(sequence, entry)| Moment { sequence, call, entry }));
    }
    all.extend(destroyed.numbered().map(|(sequence, entry)| Moment { sequence, call: AuditCall::Destroy, entry }));
    all.sort_unstable_by_key(|moment| moment.sequence);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cycle: u64) -> HandleAuditEntry {
        HandleAuditEntry { cycle, tid: 1, lr: 0, source: "x", aux: 0 }
    }

    #[test]
    fn a_timeline_goes_by_sequence_numbers_not_by_clocks() {
        let mut seen = GhostTrail::with_room();
        seen.wakes.push(2, entry(80));
        let mut trail = HandleAuditTrail::new("Mutant", (3, entry(70)), Vec::new(), 0, seen);
        trail.destroyed.push(9, entry(10));
        trail.signals.push(5, entry(60));
        trail.signals.push(8, entry(20));
        trail.waits.push(6, entry(50));
        trail.wakes.push(7, entry(40));
        let told: Vec<_> = trail.timeline().iter().map(|m| (m.sequence, m.call, m.entry.cycle)).collect();
        let expected = [
            (2, AuditCall::Wake, 80),
            (3, AuditCall::Create, 70),
            (5, AuditCall::Signal, 60),
            (6, AuditCall::Wait, 50),
            (7, AuditCall::Wake, 40),
            (8, AuditCall::Signal, 20),
            (9, AuditCall::Destroy, 10),
        ];
        assert_eq!(told, expected);
        assert_eq!((trail.recorded(), trail.dropped()), (7, 0));
    }

    #[test]
    fn a_ghost_has_no_creation_to_tell() {
        let mut ghost = GhostTrail::with_room();
        (0..6).for_each(|number| ghost.destroyed.push(2 * number, entry(number)));
        ghost.waits.push(7, entry(99));
        let told: Vec<_> = ghost.timeline().iter().map(|moment| moment.sequence).collect();
        assert_eq!(told, [4, 6, 7, 8, 10]);
        assert_eq!((ghost.recorded(), ghost.dropped()), (7, 2));
    }
}
