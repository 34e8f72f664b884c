//! Rules on values that stand for objects: addresses, handles, descriptors, ids.
//!
//! What such a value is differs from run to run; which object it means does not. A rule says which
//! events define objects, which release them, and where their values are used.

use super::pattern::Pattern;
use super::rules::{Condition, Failure};
use crate::json::Pointer;

/// Values that stand for objects. Two of them are equal if they mean the same object and the same
/// place in it: the k-th that this rule defined on lanes that are partners.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityRule {
    /// The rule's name, for `--without`, counters and reports.
    pub name: String,
    /// The events that define objects.
    pub define: Vec<DefineRule>,
    /// The events that release them.
    pub release: Vec<ReleaseRule>,
    /// Where values mean objects.
    pub uses: Vec<UseRule>,
    /// Why this may differ, for people.
    pub reason: String,
}

impl IdentityRule {
    /// The kinds of event that are named where values may mean objects.
    pub fn kinds(&self) -> impl Iterator<Item = &String> {
        self.define.iter().map(|define| &define.kind).chain(self.uses.iter().flat_map(|used| &used.kinds))
    }
}

/// An event that defines an object.
#[derive(Clone, Debug, PartialEq)]
pub struct DefineRule {
    /// The event's kind.
    pub kind: String,
    /// What must be so in the event; empty: nothing.
    pub when: Vec<Condition>,
    /// Where the event keeps the object's first value. It is compared as it stands, unless it is among the uses or
    /// another rule is for it.
    pub value: Pointer,
    /// Values that define nothing.
    pub except: Failure,
    /// How many values the object has; one, if that is not known.
    pub size: Option<SizeRule>,
}

/// Where the size of an object is told: in the event itself, or in an earlier one of its thread.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeRule {
    /// The kind of the event that tells; the latest before the definition counts.
    pub kind: String,
    /// Where it tells.
    pub path: Pointer,
    /// What must be the same in both events, such as the name of the function called.
    pub same: Option<Pointer>,
}

/// An event that releases an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseRule {
    /// The event's kind.
    pub kind: String,
    /// What must be so in the event; empty: nothing.
    pub when: Vec<Condition>,
    /// Where it keeps the object's first value; where several places fit, at any of them.
    pub value: Pattern,
}

/// Places whose values mean objects of the rule.
#[derive(Clone, Debug, PartialEq)]
pub struct UseRule {
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// Where, from the line's root.
    pub path: Pattern,
}
