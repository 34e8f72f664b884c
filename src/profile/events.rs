//! Rules on events: which are taken out of both logs before anything is compared.

use super::rules::{Condition, Profile};
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

/// A rule on events, whatever its class.
#[derive(Clone, Copy, Debug)]
pub struct EventRule<'p> {
    /// Empty: every kind.
    pub kinds: &'p [String],
    /// What must be so in the event.
    pub when: &'p [Condition],
    /// Set: only repetitions are taken out, events with other values here being others.
    pub same: Option<&'p [Pointer]>,
}

impl DropRule {
    /// As one of the rules on events.
    pub fn as_event_rule(&self) -> EventRule<'_> {
        EventRule { kinds: &self.kinds, when: &self.when, same: None }
    }
}

impl FoldRule {
    /// As one of the rules on events.
    pub fn as_event_rule(&self) -> EventRule<'_> {
        EventRule { kinds: &self.kinds, when: &self.when, same: Some(&self.same) }
    }
}

impl Profile {
    /// The number of the first rule on events in [`Profile::rule_names`].
    pub fn event_base(&self) -> u16 {
        (self.rule_names().len() - self.drop.len() - self.fold.len()) as u16
    }

    /// All rules on events, in the order in which they are asked, which is that of [`Profile::rule_names`].
    pub fn event_rules(&self) -> impl Iterator<Item = EventRule<'_>> {
        self.drop.iter().map(DropRule::as_event_rule).chain(self.fold.iter().map(FoldRule::as_event_rule))
    }
}
