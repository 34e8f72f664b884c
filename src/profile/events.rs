//! Rules on events: which are taken out of both logs, or joined in each, before anything is compared.

use super::rules::{Condition, Profile, Roles};
use crate::json::Pointer;

/// Events that are not compared.
#[derive(Clone, Debug, PartialEq)]
pub struct DropRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// What must be so in the event; empty: nothing.
    pub when: Vec<Condition>,
    /// Why these may come and go, for people.
    pub reason: String,
}

/// Events of which a lane's run counts once: of those that follow each other with no other event between them,
/// the first of each kind (and of each value at `same`) is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// What must be so in the event; empty: nothing.
    pub when: Vec<Condition>,
    /// Events with other values at these places, from the line's root, are others.
    pub same: Vec<Pointer>,
    /// Why these may be repeated, for people.
    pub reason: String,
}

/// Events that are compared as one with the next of their thread, as another engine logs it.
///
/// The joined event is the last of its parts, with some values made of all. A part that meets the rule waits for the next
/// one; what stands last need not meet it.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Kinds of what stands first. Empty: every kind.
    pub kinds: Vec<String>,
    /// What must be so in what stands first; empty: nothing.
    pub when: Vec<Condition>,
    /// Kinds of what it is joined with. Empty: its own.
    pub then: Vec<String>,
    /// Values that are those of the first part, from the line's root.
    pub first: Vec<Pointer>,
    /// Texts and lists that stand one behind the other.
    pub concat: Vec<Pointer>,
    /// Whole numbers that are added.
    pub sum: Vec<Pointer>,
    /// Why one engine splits these, for people.
    pub reason: String,
}

/// A rule on events, whatever its class.
#[derive(Clone, Copy, Debug)]
pub struct EventRule<'p> {
    /// Empty: every kind.
    pub kinds: &'p [String],
    /// What must be so in the event.
    pub when: &'p [Condition],
    /// What becomes of it.
    pub does: EventDoes<'p>,
}

/// What a rule on events does.
#[derive(Clone, Copy, Debug)]
pub enum EventDoes<'p> {
    /// Takes them out.
    Drop,
    /// Takes repetitions out, events with other values at these places being others.
    Fold(&'p [Pointer]),
    /// Joins them with the next one.
    Join(&'p JoinRule),
}

impl DropRule {
    /// As one of the rules on events.
    pub fn as_event_rule(&self) -> EventRule<'_> {
        EventRule { kinds: &self.kinds, when: &self.when, does: EventDoes::Drop }
    }
}

impl FoldRule {
    /// As one of the rules on events.
    pub fn as_event_rule(&self) -> EventRule<'_> {
        EventRule { kinds: &self.kinds, when: &self.when, does: EventDoes::Fold(&self.same) }
    }
}

impl JoinRule {
    /// As one of the rules on events.
    pub fn as_event_rule(&self) -> EventRule<'_> {
        EventRule { kinds: &self.kinds, when: &self.when, does: EventDoes::Join(self) }
    }

    /// The places of values that are made of all parts.
    pub fn paths(&self) -> impl Iterator<Item = &Pointer> {
        self.first.iter().chain(&self.concat).chain(&self.sum)
    }
}

impl Profile {
    /// The number of the first rule on events in [`Profile::rule_names`].
    pub fn event_base(&self) -> u16 {
        (self.rule_names().len() - self.drop.len() - self.fold.len() - self.join.len()) as u16
    }

    /// The role, read where a path leads, holds or lies in, by which events are told from others of their thread or
    /// threads from others.
    pub fn head_role_at(&self, path: &Pointer) -> Option<&'static str> {
        let Roles { thread, ordinal, kind, .. } = &self.roles;
        let roles = thread.iter().map(|path| ("thread", path));
        let mut roles =
            roles.chain(ordinal.iter().map(|path| ("ordinal", path))).chain(kind.iter().map(|path| ("kind", path)));
        let meets = |role: &Pointer| role.below(path).is_some() || path.below(role).is_some();
        roles.find(|(_, role)| meets(role)).map(|(name, _)| name)
    }

    /// All rules on events, in the order in which they are asked, which is that of [`Profile::rule_names`].
    pub fn event_rules(&self) -> impl Iterator<Item = EventRule<'_>> {
        let (drop, fold) =
            (self.drop.iter().map(DropRule::as_event_rule), self.fold.iter().map(FoldRule::as_event_rule));
        drop.chain(fold).chain(self.join.iter().map(JoinRule::as_event_rule))
    }
}
