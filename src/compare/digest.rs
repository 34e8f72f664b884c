//! Digests of events under the rules: pairs that are equal but for their ordinals have equal digests.

use std::hash::{BuildHasher, Hasher};

use super::allocator::{Call, Return};
use super::paths::{Action, PathNode, RulePaths};
use super::walk::masked;
use crate::json::{self, Kind, Tape, tape};

/// What a digest is taken of.
pub(super) struct Digester<'a> {
    pub tape: &'a Tape,
    pub line: &'a [u8],
    pub paths: &'a RulePaths,
    pub null_equals_missing: bool,
    /// What the event says to each allocator rule that holds for it.
    pub calls: &'a [(u16, Call)],
}

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

    fn value(&self, rules: Option<PathNode>, node: usize) -> u64 {
        if self.paths.is_bare(rules) {
            return tape::digest(self.tape, self.line, node);
        }
        let bytes = self.tape.bytes(self.line, node);
        match self.paths.action(rules) {
            Some(Action::Mask(_, bits)) => {
                if let Some((text, value)) = masked(self.tape.kind(node), bytes, bits) {
                    let mut state = tape::fixed_state().build_hasher();
                    state.write_u8(if text { 8 } else { 9 });
                    state.write_u64(value);
                    return state.finish();
                }
            }
            Some(Action::AllocatorValue(rule)) if self.call(rule).is_some_and(|c| c.returned == Return::Success) => {
                return 10;
            }
            Some(Action::AllocatorStatus(rule)) if self.call(rule).is_some_and(|call| call.status_follows) => {
                return 11;
            }
            _ => {}
        }
        match self.tape.kind(node) {
            Kind::ObjectStart => self.object(rules, Some(node), false),
            Kind::ArrayStart => {
                let mut state = tape::fixed_state().build_hasher();
                state.write_u8(3);
                for (index, element) in self.tape.elements(node).enumerate() {
                    let below = self.paths.element(rules, index);
                    match self.paths.action(below) {
                        // An overlooked element still has its place.
                        Some(Action::Ignore(_) | Action::Exclude) => state.write_u64(12),
                        _ => state.write_u64(self.value(below, element)),
                    }
                }
                state.finish()
            }
            _ => tape::digest(self.tape, self.line, node),
        }
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
            if null || matches!(self.paths.action(below), Some(Action::Ignore(_) | Action::Exclude)) {
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
