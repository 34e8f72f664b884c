//! A step as it is held against the other side's.

use crate::audit::log::Moment;
use crate::profile::AuditStep;

/// What a thread does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    pub step: AuditStep,
    pub detail: i64,
    pub at: Moment,
}

impl Deed {
    /// It could end a wait.
    pub fn signals(&self) -> bool {
        matches!(self.step, AuditStep::Signal | AuditStep::Pulse)
    }

    /// The other side does the same, wherever it does.
    pub fn is_like(&self, other: &Deed) -> bool {
        (self.step, self.detail) == (other.step, other.detail)
    }
}
