//! Steps written down as they are taken, for whoever holds two logs side by side.

use super::object::{Kind, Moment};
use super::step::Name;
use super::world::World;
use crate::profile::AuditStep;

/// A step in the life of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The object's number in its log.
    pub object: u64,
    pub kind: Kind,
    pub step: AuditStep,
    pub at: Moment,
    /// What beside the step must be the same: how much is released; of a wake, whether it was without the object.
    pub detail: i64,
    /// What the object is called, told where it is made, and always of one that nobody made.
    pub name: Option<Name>,
    /// No handle of it is left behind this step, and nobody else waits for it.
    pub is_gone: bool,
}

impl World {
    /// From here on steps are written down; whoever reads them empties the journal.
    pub fn keep_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// The steps since it was asked last.
    pub fn take_journal(&mut self) -> Vec<Step> {
        std::mem::take(self.journal.get_or_insert_default())
    }

    /// Writes a step of the object at a place down, if anybody wants to know.
    pub(super) fn write_down(&mut self, place: usize, step: AuditStep, at: Moment, detail: i64) {
        let Some(journal) = &mut self.journal else { return };
        let object = &self.objects.all[place];
        let is_made = object.created.is_some();
        let name = (!is_made || step == AuditStep::Create).then(|| object.called().cloned()).flatten();
        let is_closed = step == AuditStep::Destroy || object.is_gone;
        // Whoever waits for it may still do something with it.
        let is_gone = is_closed && object.waiters.iter().all(|other| *other == at.thread);
        journal.push(Step { object: object.number, kind: object.kind, step, at, detail, name, is_gone });
    }
}
