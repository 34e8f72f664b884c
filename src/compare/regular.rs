//! The short way of weighing: regular lines walked along learned layouts.
//!
//! What it answers is what the exact way would say; what it cannot answer the exact way decides,
//! and teaches it the layouts of the lines it read.

use std::sync::Arc;

use super::event::Event;
use super::layout::{Layout, ReadLine};
use super::learned::Book;
use super::leaves::Allocators;
use super::lockstep::{Span, Walked, walk};
use super::mould::{FewRules, Pair};
use super::plan::Plan;
use super::walk::{Objects, Overlooked};
use super::weigh::{Comparer, Scratch};
use crate::json::Tape;
use crate::profile::{PayloadRole, Profile};

/// What a worker keeps for the short way.
#[derive(Debug, Default)]
pub(super) struct Regular {
    book: Option<Arc<Book>>,
    spans: [Vec<Span>; 2],
    pairs: u64,
    by_mould: u64,
}

impl Regular {
    /// Pairs that were found equal this way.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Those of them that a mould judged.
    pub fn by_mould(&self) -> u64 {
        self.by_mould
    }
}

/// The texts of a pair that the short way walks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'w> {
    rules: usize,
    payload_only: bool,
    reference: &'w [u8],
    candidate: &'w [u8],
}

impl Texts<'_> {
    /// Payloads and whole lines have layouts of their own, and so have kinds with other rules.
    fn kind(&self) -> usize {
        self.rules * 2 + usize::from(self.payload_only)
    }
}

/// Whether all that comparing asks of an event stands in its payload, a key of the line's own.
pub(super) fn payload_tells_all(profile: &Profile) -> bool {
    let PayloadRole::At(base) = &profile.roles.payload else { return false };
    let inside = |path: &crate::json::Pointer| path.below(base).is_some();
    base.tokens().len() == 1
        && (profile.allocator.iter())
            .all(|rule| inside(&rule.function) && inside(&rule.value) && rule.status.as_ref().is_none_or(inside))
}

/// Whether a line is known to be valid but for its tail, which goes up to the closing brace.
fn only_tail_unread(event: &Event<'_>) -> bool {
    let behind = event.tail.as_ptr() as usize + event.tail.len() + 1;
    event.head_is_strict && behind == event.line.as_ptr() as usize + event.line.len()
}

impl Comparer<'_> {
    /// What of a pair is walked; `None` where the exact way is to be taken at once.
    #[inline]
    pub(super) fn texts<'w>(&self, reference: &Event<'w>, candidate: &Event<'w>) -> Option<Texts<'w>> {
        if !self.layouts || reference.payload_missing || candidate.payload_missing {
            return None;
        }
        let rules = self.rules_of(reference);
        if !self.by_leaves[rules] {
            return None;
        }
        let payload_only = self.payload_tells_all && only_tail_unread(reference) && only_tail_unread(candidate);
        Some(match payload_only {
            true => Texts { rules, payload_only, reference: reference.tail, candidate: candidate.tail },
            false => Texts { rules, payload_only, reference: reference.line, candidate: candidate.line },
        })
    }

    /// Judges a pair by the moulds: the rules that overlooked a difference, if both texts are valid
    /// and equal; else nothing is decided.
    #[inline]
    pub(super) fn weigh_at_once(&self, texts: Texts<'_>, kept: &mut Regular) -> Option<FewRules> {
        let rules = self.learned.moulds.judge(Pair::new(texts.kind(), texts.reference, texts.candidate)?)?;
        kept.pairs += 1;
        kept.by_mould += 1;
        Some(rules)
    }

    /// Weighs a pair of the same kind and ordinal: the rules that overlooked a difference, if both
    /// lines are valid and equal; else nothing is decided, and whether the lines are worth learning.
    pub(super) fn weigh_regular(
        &self,
        texts: Texts<'_>,
        objects: Option<Objects<'_>>,
        kept: &mut Regular,
    ) -> Result<Overlooked, bool> {
        let pair = Pair::new(texts.kind(), texts.reference, texts.candidate);
        let (paths, rules, base) = (&self.rules[texts.rules], &self.profile.allocator, self.allocator_base);
        let allocators = Allocators { paths, rules, base, objects };
        loop {
            let book = self.learned.snapshot(&mut kept.book);
            match walk(book.trie(texts.kind()), texts.reference, texts.candidate, allocators, &mut kept.spans) {
                Walked::Equal(overlooked) => {
                    kept.pairs += 1;
                    if let Some(pair) = pair {
                        self.learned.moulds.learn(book.trie(texts.kind()), pair);
                    }
                    return Ok(overlooked);
                }
                Walked::Undecided => return Err(false),
                Walked::NoPlan(x, y) if self.learned.may_try() => {
                    let null_equals_missing = self.profile.null_equals_missing;
                    self.learned.add_plan(texts.kind(), (x, y), |reference, candidate| {
                        Plan::new(allocators.paths, null_equals_missing, reference, candidate)
                    });
                    if !self.learned.refresh(&mut kept.book) {
                        return Err(false);
                    }
                }
                Walked::NoPlan(..) => return Err(false),
                Walked::Unknown if self.learned.refresh(&mut kept.book) => {}
                Walked::Unknown => return Err(true),
            }
        }
    }

    /// Learns the layouts of two lines that were read strictly into the tapes.
    pub(super) fn learn(&self, texts: Texts<'_>, reference: &Event<'_>, candidate: &Event<'_>, scratch: &Scratch) {
        self.learn_one(texts, reference, texts.reference, &scratch.reference);
        self.learn_one(texts, candidate, texts.candidate, &scratch.candidate);
    }

    fn learn_one(&self, texts: Texts<'_>, event: &Event<'_>, text: &[u8], tape: &Tape) {
        if !self.learned.may_try() {
            return;
        }
        let Some(payload) = self.payload_node(event, tape) else { return };
        let paths = &self.rules[texts.rules];
        let read = ReadLine { tape, line: event.line, payload, paths, allocators: &self.profile.allocator };
        let layout = match texts.payload_only {
            true => Layout::of_payload(read, event.line.len() - 1),
            false => Layout::of_line(read),
        };
        if let Some(layout) = layout {
            self.learned.add_layout(texts.kind(), text, layout);
        }
    }
}
