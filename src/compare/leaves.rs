//! Two leaves under their rule, and what a whole pair of texts says to its allocator rules.

use smallvec::SmallVec;

use super::allocator::{self, Decision, Sayings};
use super::layout::{Duty, Saying, said_bit};
use super::paths::{Meaning, RulePaths};
use super::walk::{Objects, Overlooked, masked};
use crate::identity::{Likeness, Values, number_of};
use crate::json::{self, Kind};
use crate::profile::AllocatorRule;

/// Judges the leaves of one pair of texts. Whatever makes the texts differ is left to the exact
/// way: that happens once a lane.
#[derive(Debug, Default)]
pub(super) struct Leaves<'t> {
    pub overlooked: Overlooked,
    /// Tokens that allocator rules look at: by which side, and which of the places they are.
    said: SmallVec<[(usize, u8, &'t [u8]); 6]>,
    /// Allocator rules that are to decide differing values (false) or statuses (true).
    pending: SmallVec<[(u16, bool); 2]>,
    /// Values that may mean the same: the place of what they may mean, and the values.
    meant: SmallVec<[(u16, [u64; 2]); 2]>,
}

/// The allocator rules that hold for a kind of event.
#[derive(Clone, Copy)]
pub(super) struct Allocators<'a> {
    pub paths: &'a RulePaths,
    /// All allocator rules of the profile, and the number of the first among its rule names.
    pub rules: &'a [AllocatorRule],
    pub base: u16,
    /// What values of the pair mean.
    pub objects: Option<Objects<'a>>,
}

impl<'t> Leaves<'t> {
    /// Keeps a token for the allocator rules that look at its place.
    #[inline]
    pub fn say(&mut self, side: usize, says: u8, token: &'t [u8]) {
        if says != 0 {
            self.said.push((side, says, token));
        }
    }

    /// Counts an overlooked difference.
    #[inline]
    pub fn overlook(&mut self, rule: u16) {
        if !self.overlooked.contains(&rule) {
            self.overlooked.push(rule);
        }
    }

    /// Judges two leaves; false where they seem to differ.
    #[inline]
    pub fn judge(&mut self, duty: Duty, paths: &RulePaths, reference: &'t [u8], candidate: &'t [u8]) -> bool {
        match duty {
            Duty::Skip => true,
            _ if same_value(reference, candidate) => true,
            Duty::Plain => false,
            Duty::Ignore(rule) => {
                self.overlook(rule);
                true
            }
            Duty::Mask(rule, bits) => {
                let left = masked(kind_of(reference), reference, bits);
                let same = left.is_some() && left == masked(kind_of(candidate), candidate, bits);
                if same {
                    self.overlook(rule);
                }
                same
            }
            Duty::Alike(rule, alike) => {
                let (x, y) = ((kind_of(reference), reference), (kind_of(candidate), candidate));
                let same = paths.alikes[usize::from(alike)].holds(x, y);
                if same {
                    self.overlook(rule);
                }
                same
            }
            Duty::Identity(meaning) => match (number_of(reference), number_of(candidate)) {
                (Some(left), Some(right)) => {
                    self.meant.push((meaning, [left, right]));
                    true
                }
                _ => false,
            },
            Duty::Value(rule) => self.put_off(rule, false),
            Duty::Status(rule) => self.put_off(rule, true),
        }
    }

    /// A leaf whose partner is missing: null stands for a missing key; false where they seem to differ.
    pub fn judge_alone(&mut self, ignore: Option<u16>, token: &[u8]) -> bool {
        match ignore {
            _ if token == b"null" => self.overlook(0),
            Some(rule) => self.overlook(rule),
            None => return false,
        }
        true
    }

    fn put_off(&mut self, rule: u16, status: bool) -> bool {
        self.pending.push((rule, status));
        true
    }

    /// Lets the allocator rules decide what was put off, once both texts are walked; false where
    /// the sides seem to differ.
    #[inline]
    pub fn settle(&mut self, allocators: Allocators<'_>) -> bool {
        (self.pending.is_empty() || self.settle_calls(allocators))
            && (self.meant.is_empty() || self.settle_meanings(allocators))
    }

    /// Whether all values that may mean objects mean the same ones.
    fn settle_meanings(&mut self, Allocators { paths, objects, .. }: Allocators<'_>) -> bool {
        let Some(Objects { identities, lines }) = objects else { return false };
        for (meaning, values) in std::mem::take(&mut self.meant) {
            let Meaning { rules, own } = paths.meanings[usize::from(meaning)];
            let Likeness::Same { rule } = identities.likeness(&Values { values, lines, own, rules }) else {
                return false;
            };
            self.overlook(paths.identity_base + rule);
        }
        true
    }

    fn settle_calls(&mut self, allocators: Allocators<'_>) -> bool {
        let mut known = None;
        for (rule, status) in std::mem::take(&mut self.pending) {
            // A rule's value and status mostly wait together.
            let calls = match known {
                Some((of, calls)) if of == rule => calls,
                _ => [0, 1].map(|side| {
                    let slot = allocators.paths.allocators.iter().position(|index| *index == rule)?;
                    self.sayings(side, slot).call(&allocators.rules[rule as usize])
                }),
            };
            known = Some((rule, calls));
            let [Some(left), Some(right)] = calls else { return false };
            if allocator::decide(left, right, status) != Decision::Overlook {
                return false;
            }
            self.overlook(allocators.base + rule);
        }
        true
    }

    fn sayings(&self, side: usize, slot: usize) -> Sayings<'t> {
        let find = |saying| {
            let bit = said_bit(slot, saying);
            let token = self.said.iter().find(|(from, says, _)| *from == side && says >> bit & 1 == 1)?.2;
            Some((kind_of(token), token))
        };
        Sayings { function: find(Saying::Function), value: find(Saying::Value), status: find(Saying::Status) }
    }
}

/// The kind of a valid scalar token.
#[inline]
fn kind_of(token: &[u8]) -> Kind {
    match token[0] {
        b'"' => Kind::String,
        b't' => Kind::True,
        b'f' => Kind::False,
        b'n' => Kind::Null,
        _ => Kind::Number,
    }
}

/// Whether two valid scalar tokens are equal values.
#[inline]
fn same_value(a: &[u8], b: &[u8]) -> bool {
    match (kind_of(a), kind_of(b)) {
        (Kind::Number, Kind::Number) => json::number::equal(a, b),
        (Kind::String, Kind::String) => json::text::equal(a, b),
        (left, right) => left == right,
    }
}
