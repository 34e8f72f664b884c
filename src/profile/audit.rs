//! Which events are steps in the life of an object that threads wait for: who makes it, signals it, waits for it, is woken.

use super::rules::{Condition, Profile};
use crate::json::Pointer;

/// Events that do one and the same to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRule {
    /// The rule's name, for `--without` and reports.
    pub name: String,
    /// Why these events are such a step, for people.
    pub reason: String,
    pub step: AuditStep,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// What must be so in the event; empty: nothing.
    pub when: Vec<Condition>,
    /// The types of the objects that it may be about (`Event` for both kinds of events); of a step that makes one, its type.
    /// Empty: any.
    pub of: Vec<String>,
    /// Where the event keeps what.
    pub places: AuditPlaces,
    /// The object is a manual-reset one if one of these holds, and not if one of their places has another value.
    pub manual: Vec<Condition>,
    /// The wait is for all its objects if one of these holds.
    pub all: Vec<Condition>,
    /// The wait ended without its object if one of these holds: a timeout, a call of the thread's own.
    pub unmet: Vec<Condition>,
}

/// What an event does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditStep {
    /// The thread enters a function; what follows on it is done by that. It may say what kind of object is to be made.
    Call,
    /// An object comes to be, under all names that the event gives.
    Create,
    /// It gets another name.
    Duplicate,
    /// One of its names is given up; with the last one it ceases to be.
    Destroy,
    /// It is signalled, released, fires.
    Signal,
    /// A timer is set.
    Arm,
    /// It is no longer signalled; a timer is no longer set.
    Reset,
    /// It wakes who waits, and stays unsignalled.
    Pulse,
    /// A thread begins to wait for it.
    Wait,
    /// The thread's wait is over.
    Wake,
    /// The thread ends, which signals the object that it is.
    Exit,
}

impl AuditStep {
    /// All of them, by their names in profiles.
    pub const ALL: [(AuditStep, &'static str); 11] = [
        (AuditStep::Call, "call"),
        (AuditStep::Create, "create"),
        (AuditStep::Duplicate, "duplicate"),
        (AuditStep::Destroy, "destroy"),
        (AuditStep::Signal, "signal"),
        (AuditStep::Arm, "arm"),
        (AuditStep::Reset, "reset"),
        (AuditStep::Pulse, "pulse"),
        (AuditStep::Wait, "wait"),
        (AuditStep::Wake, "wake"),
        (AuditStep::Exit, "exit"),
    ];

    /// Its name in profiles and reports.
    pub fn name(self) -> &'static str {
        AuditStep::ALL.iter().find(|(step, _)| *step == self).map_or("", |(_, name)| name)
    }
}

/// Where an event keeps what is told of a step, from the line's root: of several places the first with a value counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditPlaces {
    /// The object's name: what both logs call it, or a handle. All are names of what is made; of a list each element is one.
    pub object: Vec<Pointer>,
    /// The new name of a duplicate.
    pub becomes: Vec<Pointer>,
    /// The key of the thread that is made with the object.
    pub thread: Vec<Pointer>,
    /// The function that does it; else the event's kind is told.
    pub source: Vec<Pointer>,
    /// The object's type.
    pub object_type: Vec<Pointer>,
    /// Whether it is signalled when made, or how often it can be taken.
    pub initial: Vec<Pointer>,
    /// How much a release gives.
    pub count: Vec<Pointer>,
    /// How long a wait may last.
    pub timeout: Vec<Pointer>,
    pub alertable: Vec<Pointer>,
    /// The object's state before.
    pub previous: Vec<Pointer>,
    /// How the wait ended: the number of the object that ended it.
    pub result: Vec<Pointer>,
    /// The host's time.
    pub time: Vec<Pointer>,
    /// Where the caller goes on.
    pub lr: Vec<Pointer>,
    /// The callers.
    pub stack: Vec<Pointer>,
}

impl AuditPlaces {
    /// Each by its key in profiles.
    pub fn by_key(&self) -> [(&'static str, &Vec<Pointer>); 14] {
        [
            ("object", &self.object),
            ("becomes", &self.becomes),
            ("thread", &self.thread),
            ("source", &self.source),
            ("type", &self.object_type),
            ("initial", &self.initial),
            ("count", &self.count),
            ("timeout", &self.timeout),
            ("alertable", &self.alertable),
            ("previous", &self.previous),
            ("result", &self.result),
            ("time", &self.time),
            ("lr", &self.lr),
            ("stack", &self.stack),
        ]
    }
}

impl Profile {
    /// The names of all rules, those that overlook nothing among them.
    pub fn all_names(&self) -> Vec<&str> {
        let mut names = self.rule_names();
        names.extend(self.edge.iter().map(|edge| edge.name.as_str()));
        names.extend(self.audit.iter().map(|rule| rule.name.as_str()));
        names
    }
}
