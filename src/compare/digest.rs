//! Digests of events under the rules: pairs that are equal but for their ordinals have equal digests.

use std::hash::{BuildHasher, Hasher};

use super::allocator::{Call, Return};
use super::paths::{Action, Meaning, PathNode, RulePaths, Ruled};
use super::walk::masked;
use crate::identity::{Identities, number_of};
use crate::json::{self, Kind, Tape, tape};

/// What a digest is taken of.
pub(super) struct Digester<'a> {
    pub tape: &'a Tape,
    pub line: &'a [u8],
    pub paths: &'a RulePaths,
    pub null_equals_missing: bool,
    /// What the event says to each allocator rule that holds for it.
    pub calls: &'a [(u16, Call)],
    /// For each set of conditions whether it holds; `None`: the partner decides.
    pub held: &'a [Option<bool>],
    /// What values mean; where that is not known any number may mean some object.
    pub objects: Option<OneSide<'a>>,
}

/// What values of one event mean.
pub(super) struct OneSide<'a> {
    pub identities: &'a Identities,
    pub side: usize,
    pub line: u64,
}

impl OneSide<'_> {
    fn means(&self, meaning: Meaning, value: u64) -> bool {
        self.identities.means(self.side, self.line, value, meaning.own, meaning.rules)
    }
}

/// All scalars at a place where nothing better is known.
const SOME_SCALAR: u64 = 12;
/// All arrays at a place where it is not known whether their order counts.
const SOME_ARRAY: u64 = 19;
/// All values that mean an object.
const SOME_OBJECT: u64 = 20;

impl Digester<'_> {
    /// The digest of a payload (`None`: missing), given the digest of the kind.
    pub fn payload(&self, kind: u64, payload: Option<usize>) -> u64 {
        let mut state = tape::fixed_state().build_hasher();
        state.write_u64(kind);
        state.write_u64(match payload {
            None => self.object(None, None, true),
            Some(node) if self.tape.kind(node) == Kind::Null => self.object(None, None, true),
            Some(node) if self.tape.kind(node) == Kind::ObjectStart => {
                self.object(Some(RulePaths::ROOT), Some(node), true)
            }
            Some(node) => self.value(Some(RulePaths::ROOT), node),
        });
        state.finish()
    }

    /// The digest of a value under the rules of its place.
    pub fn value(&self, rules: Option<PathNode>, node: usize) -> u64 {
        if self.paths.is_bare(rules) {
            return tape::digest(self.tape, self.line, node);
        }
        match self.tape.kind(node) {
            Kind::ObjectStart => self.object(rules, Some(node), false),
            Kind::ArrayStart => self.array(rules, node),
            _ => self.scalar(rules, node),
        }
    }

    /// The rules of a place that may hold, and whether it is known that they do.
    fn rules(&self, rules: Option<PathNode>) -> impl Iterator<Item = (Action, bool)> {
        let held = |ruled: &Ruled| ruled.when.map_or(Some(true), |when| self.held[usize::from(when)]);
        self.paths.rules(rules).iter().filter_map(move |ruled| match held(ruled) {
            Some(false) => None,
            held => Some((ruled.action, held.is_some())),
        })
    }

    /// Whether a place never counts, or may not.
    pub fn is_left_out(&self, rules: Option<PathNode>) -> bool {
        self.rules(rules).any(|(action, _)| matches!(action, Action::Ignore(_) | Action::Exclude))
    }

    fn scalar(&self, rules: Option<PathNode>, node: usize) -> u64 {
        let bytes = self.tape.bytes(self.line, node);
        let mut rules = self.rules(rules).filter(|(action, _)| action.is_of_scalars());
        let found = match (rules.next(), rules.next()) {
            (None, _) => None,
            (Some((action, true)), None) => self.under(action, self.tape.kind(node), bytes),
            // What is equal by one rule or the other, or by a rule that may hold, is told by no number.
            _ => Some(SOME_SCALAR),
        };
        found.unwrap_or_else(|| tape::digest(self.tape, self.line, node))
    }

    /// The digest of a scalar under the only rule of its place; `None`: that of its value.
    fn under(&self, action: Action, kind: Kind, bytes: &[u8]) -> Option<u64> {
        match action {
            Action::Mask(_, bits) => masked(kind, bytes, bits).map(|(text, value)| {
                let mut state = tape::fixed_state().build_hasher();
                state.write_u8(if text { 8 } else { 9 });
                state.write_u64(value);
                state.finish()
            }),
            Action::Alike(_, alike) => self.paths.alikes[usize::from(alike)].digest((kind, bytes)),
            Action::AllocatorValue(rule) => self.call(rule).filter(|call| call.returned == Return::Success).map(|_| 10),
            Action::AllocatorStatus(rule) => self.call(rule).filter(|call| call.status_follows).map(|_| 11),
            Action::Identity(meaning) => {
                let value = number_of(bytes)?;
                let is_object = |objects: &OneSide<'_>| objects.means(self.paths.meanings[usize::from(meaning)], value);
                self.objects.as_ref().is_none_or(is_object).then_some(SOME_OBJECT)
            }
            Action::Exclude | Action::Ignore(_) | Action::Unordered(..) => None,
        }
    }

    fn array(&self, rules: Option<PathNode>, node: usize) -> u64 {
        let mut state = tape::fixed_state().build_hasher();
        state.write_u8(3);
        let unordered: Option<bool> = self
            .rules(rules)
            .filter(|(action, _)| matches!(action, Action::Unordered(..)))
            .map(|(_, known)| known)
            .max();
        match unordered {
            None => {
                for (index, element) in self.tape.elements(node).enumerate() {
                    let below = self.paths.element(rules, index);
                    // An overlooked element has its place, but may be missing at the end.
                    if !self.is_left_out(below) {
                        state.write_usize(index);
                        state.write_u64(self.value(below, element));
                    }
                }
            }
            Some(false) => return SOME_ARRAY,
            Some(true) => {
                let below = self.paths.elements(rules);
                if !self.is_left_out(below) {
                    let elements = self.tape.elements(node);
                    let sum = elements.fold(0u64, |sum, element| sum.wrapping_add(self.value(below, element)));
                    state.write_u64(sum);
                    state.write_usize(self.tape.elements(node).count());
                }
            }
        }
        state.finish()
    }

    fn call(&self, rule: u16) -> Option<Call> {
        self.calls.iter().find(|(index, _)| *index == rule).map(|(_, call)| *call)
    }

    /// An object less what never counts, whatever the order of its keys.
    fn object(&self, rules: Option<PathNode>, node: Option<usize>, top: bool) -> u64 {
        let mut state = tape::fixed_state().build_hasher();
        let members = node.map(|node| self.tape.distinct_members(self.line, node)).unwrap_or_default();
        let (mut sum, mut count) = (0u64, 0usize);
        for (key, value) in members {
            let token = self.tape.bytes(self.line, key);
            let below = self.paths.member(rules, token);
            let null = top && self.null_equals_missing && self.tape.kind(value) == Kind::Null;
            if null || self.is_left_out(below) {
                continue;
            }
            sum = sum.wrapping_add(json::tape::member_digest(token, self.value(below, value)));
            count += 1;
        }
        state.write_u8(4);
        state.write_u64(sum);
        state.write_usize(count);
        state.finish()
    }
}
