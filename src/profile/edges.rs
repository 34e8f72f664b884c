//! Which events of one thread another thread's events follow from: a signal ends a wait, a thread makes another.

use super::rules::Condition;
use crate::json::Pointer;

/// One way in which what a thread does makes another thread go on.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeRule {
    /// The rule's name, for `--without` and reports.
    pub name: String,
    /// The events that make another thread go on.
    pub from: Vec<EdgeEnd>,
    /// The events that follow from them; empty where those name the thread they make.
    pub to: Vec<EdgeEnd>,
    /// Why one follows from the other, for people.
    pub reason: String,
}

/// Events at one end of an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeEnd {
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// What must be so in the event; empty: nothing.
    pub when: Vec<Condition>,
    /// Where the event keeps what it is about, from the line's root; of lists each element counts.
    pub about: About,
}

/// What an event at an end of an edge is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// Objects that both ends name, at any of these places.
    Object(Vec<Pointer>),
    /// The key of the thread that it makes, or the parts of a composite one.
    Thread(Vec<Pointer>),
}
