//! Weighing a pair: bytes first, the values only where they differ.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use ahash::AHashMap;
use smallvec::SmallVec;

use super::allocator::{self, Call};
use super::condition::Held;
use super::digest::{Digester, OneSide};
use super::event::Event;
use super::learned::Learned;
use super::mould::FewRules;
use super::paths::RulePaths;
use super::regular::{Regular, payload_tells_all};
use super::walk::{Difference, Objects, Overlooked, PairedCall, SideText, Walk};
use crate::identity::Identities;
use crate::json::{self, Pointer, Tape, tape};
use crate::profile::{IdentityRule, PayloadRole, Profile, ReadFault, Reading, StrictReader};

/// Objects of one log at one time that are followed, unless another limit is given.
pub const IDENTITIES_MAX: usize = 4 << 20;

/// What weighing a pair found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// Kind, ordinal and tail are the same bytes.
    EqualByBytes,
    /// Both lines were read and are equal under the rules.
    EqualRead(Overlooked),
    /// The same, but for values of which it cannot be told whether they mean the same object.
    EqualUnsure(Overlooked),
    /// Values mean objects of lanes of which it is not decided yet whether they are partners.
    Waits,
    /// Marked nondeterministic: only kind and ordinal were compared, and are equal.
    EqualUnread,
    /// They differ; whether both lines were read to tell.
    Differ { read: bool },
    /// One or both lines are malformed when read.
    Malformed { reference: Option<ReadFault>, candidate: Option<ReadFault> },
}

/// What tells two events apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Which of the three compared things differ.
    pub kind: bool,
    pub ordinal: bool,
    pub payload: bool,
    pub listed: Vec<Difference>,
    pub total: u64,
    pub overlooked: Overlooked,
}

/// Buffers reused from pair to pair, one set a worker.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) reference: Tape,
    pub(super) candidate: Tape,
    reading: Reading,
    regular: Regular,
}

impl Scratch {
    /// Pairs whose tails differ in bytes that were found equal along learned layouts.
    pub fn pairs_by_layout(&self) -> u64 {
        self.regular.pairs()
    }

    /// Those of them that were judged all at once, by a mould.
    pub fn pairs_by_mould(&self) -> u64 {
        self.regular.by_mould()
    }
}

/// Compares events under one profile.
#[derive(Debug)]
pub struct Comparer<'p> {
    pub(super) profile: &'p Profile,
    strict: StrictReader,
    /// Places in `rules` by kind; the first are the rules for kinds that no rule names.
    by_kind: AHashMap<Vec<u8>, usize>,
    pub(super) rules: Vec<RulePaths>,
    /// The number of the first allocator rule among the profile's rule names.
    pub(super) allocator_base: u16,
    skip_nondeterministic: bool,
    digests_decide: bool,
    /// Of each place in `rules`, whether such events can be judged leaf by leaf.
    pub(super) by_leaves: Vec<bool>,
    /// Whether regular lines are walked along layouts, and what is known of those.
    pub(super) layouts: bool,
    pub(super) learned: Learned,
    pub(super) payload_tells_all: bool,
    identities: Option<RwLock<Identities>>,
    payload: Pointer,
    no_payload: Pointer,
}

impl<'p> Comparer<'p> {
    /// A comparer for the profile's rules.
    pub fn new(profile: &'p Profile, skip_nondeterministic: bool) -> Comparer<'p> {
        let kinds = (profile.value_rules().flat_map(|(_, rule)| rule.kinds))
            .chain(profile.allocator.iter().map(|rule| &rule.kind))
            .chain(profile.identity.iter().flat_map(IdentityRule::kinds));
        let mut by_kind = AHashMap::with_hasher(tape::fixed_state());
        let mut rules = vec![RulePaths::new(profile, None)];
        for kind in kinds {
            by_kind.entry(kind.clone().into_bytes()).or_insert_with(|| {
                rules.push(RulePaths::new(profile, Some(kind)));
                rules.len() - 1
            });
        }
        Comparer {
            strict: StrictReader::new(profile),
            by_kind,
            learned: Learned::new(rules.len() * 2),
            by_leaves: rules.iter().map(RulePaths::go_by_leaves).collect(),
            digests_decide: rules.iter().all(RulePaths::digests_decide),
            rules,
            allocator_base: profile.allocator_base(),
            skip_nondeterministic,
            layouts: true,
            payload_tells_all: payload_tells_all(profile),
            identities: (!profile.identity.is_empty()).then(|| RwLock::new(Identities::new(IDENTITIES_MAX))),
            payload: profile.roles.payload_path().cloned().unwrap_or_default(),
            no_payload: Pointer::default(),
            profile,
        }
    }

    /// Whether equal bytes are all there is to say of a pair: nothing is left out on purpose.
    pub fn compares_all(&self) -> bool {
        !self.skip_nondeterministic
    }

    /// The same comparer, which gives up following objects where a log has more of them at one time.
    #[must_use]
    pub fn with_identity_limit(mut self, limit: usize) -> Self {
        self.identities = self.identities.map(|_| RwLock::new(Identities::new(limit)));
        self
    }

    /// The objects of both logs, if the profile has rules on them; whoever reads the logs fills them in.
    pub fn identities(&self) -> Option<&RwLock<Identities>> {
        self.identities.as_ref()
    }

    /// The objects, where events of this kind may mean some.
    fn objects_of(&self, event: &Event<'_>) -> Option<RwLockReadGuard<'_, Identities>> {
        let identities = self.identities.as_ref().filter(|_| self.paths(event).have_meanings())?;
        Some(identities.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same comparer, with or without the short way along layouts: the answers are the same.
    #[must_use]
    pub fn with_layouts(mut self, layouts: bool) -> Self {
        self.layouts = layouts;
        self
    }

    /// Weighs a pair.
    pub fn weigh(&self, reference: &Event<'_>, candidate: &Event<'_>, scratch: &mut Scratch) -> Weighed {
        let same_head = self.same_kind(reference, candidate) && reference.ordinal == candidate.ordinal;
        let unread = self.skip_nondeterministic && (reference.nondeterministic || candidate.nondeterministic);
        let read = !unread && !same_tail(reference, candidate);
        if read && same_head {
            return match self.equal_at_once(reference, candidate, scratch) {
                Some(rules) => Weighed::EqualRead(rules.iter().collect()),
                None => self.weigh_tails(reference, candidate, scratch),
            };
        }
        if let Some(malformed) = self.read_both(reference, candidate, read, scratch) {
            return malformed;
        }
        match (same_head, unread) {
            (false, _) if read && self.same_kind(reference, candidate) && self.waits(reference, candidate, scratch) => {
                Weighed::Waits
            }
            (false, _) => Weighed::Differ { read },
            (true, true) => Weighed::EqualUnread,
            (true, false) => Weighed::EqualByBytes,
        }
    }

    /// The rules that overlook what differs in a pair of the same kind and ordinal, if the pair is
    /// equal and that is seen at once; else nothing is decided.
    #[inline]
    pub fn equal_at_once(
        &self,
        reference: &Event<'_>,
        candidate: &Event<'_>,
        scratch: &mut Scratch,
    ) -> Option<FewRules> {
        self.weigh_at_once(self.texts(reference, candidate)?, &mut scratch.regular)
    }

    /// Weighs a pair of the same kind and ordinal that is not equal at once; both lines are read.
    pub fn weigh_tails(&self, reference: &Event<'_>, candidate: &Event<'_>, scratch: &mut Scratch) -> Weighed {
        let texts = self.texts(reference, candidate);
        let mut unknown = false;
        let objects = self.objects_of(reference);
        let objects = objects.as_deref().map(|identities| Objects::of(identities, reference, candidate));
        if let Some(texts) = texts {
            match self.weigh_regular(texts, objects, &mut scratch.regular) {
                Ok(overlooked) => return Weighed::EqualRead(overlooked),
                Err(is_unknown) => unknown = is_unknown,
            }
        }
        if let Some(malformed) = self.read_both(reference, candidate, true, scratch) {
            return malformed;
        }
        if let Some(texts) = texts.filter(|_| unknown) {
            self.learn(texts, reference, candidate, scratch);
        }
        self.weigh_as_read(reference, candidate, objects, scratch)
    }

    /// Weighs two lines that were read.
    fn weigh_as_read(
        &self,
        reference: &Event<'_>,
        candidate: &Event<'_>,
        objects: Option<Objects<'_>>,
        scratch: &Scratch,
    ) -> Weighed {
        let calls = self.calls(reference, candidate, scratch);
        let held = self.held(reference, candidate, scratch);
        let mut walk = self.walk(reference, candidate, scratch, (&calls, &held), &self.no_payload);
        (walk.verdict_only, walk.objects) = (true, objects);
        walk.run();
        match walk.total {
            _ if walk.waits => Weighed::Waits,
            0 if walk.untold => Weighed::EqualUnsure(walk.overlooked),
            0 => Weighed::EqualRead(walk.overlooked),
            _ => Weighed::Differ { read: true },
        }
    }

    /// Whether it is not decided yet what two lines that were read mean.
    fn waits(&self, reference: &Event<'_>, candidate: &Event<'_>, scratch: &Scratch) -> bool {
        let Some(identities) = self.objects_of(reference) else { return false };
        let objects = Objects::of(&identities, reference, candidate);
        self.weigh_as_read(reference, candidate, Some(objects), scratch) == Weighed::Waits
    }

    /// Whether events of one digest are equal whatever they hold; else [`Comparer::confirms`] says so.
    pub fn digests_decide(&self) -> bool {
        self.digests_decide
    }

    /// Whether two events of one digest are equal, their ordinals overlooked. A line that cannot be read is
    /// equal to what has its digest, and so is a marked one of which only the kind counts.
    pub fn confirms(&self, reference: &Event<'_>, candidate: &Event<'_>, scratch: &mut Scratch) -> bool {
        if self.digests_decide || same_tail(reference, candidate) {
            return true;
        }
        if self.skip_nondeterministic && (reference.nondeterministic || candidate.nondeterministic) {
            return true;
        }
        let read = self.strict.read(reference.line, &mut scratch.reference).is_ok()
            && self.strict.read(candidate.line, &mut scratch.candidate).is_ok();
        !read || matches!(self.weigh_as_read(reference, candidate, None, scratch), Weighed::EqualRead(_))
    }

    /// Reads both lines as far as is due: whole if they are to be walked (`walked`), or must be read.
    fn read_both(
        &self,
        reference: &Event<'_>,
        candidate: &Event<'_>,
        walked: bool,
        scratch: &mut Scratch,
    ) -> Option<Weighed> {
        let left = self.read_where_due(reference, walked, &mut scratch.reference, &mut scratch.reading);
        let right = self.read_where_due(candidate, walked, &mut scratch.candidate, &mut scratch.reading);
        let is_malformed = left.is_err() || right.is_err();
        is_malformed.then(|| Weighed::Malformed { reference: left.err(), candidate: right.err() })
    }

    /// Reads a line into its tape if it is to be walked, else only if it must be read anyway.
    fn read_where_due(
        &self,
        event: &Event<'_>,
        walked: bool,
        tape: &mut Tape,
        reading: &mut Reading,
    ) -> Result<(), ReadFault> {
        match (walked, event.must_read) {
            (true, _) => self.strict.read(event.line, tape),
            (false, true) => self.strict.check(event.line, reading),
            (false, false) => Ok(()),
        }
    }

    /// Reads a line strictly.
    ///
    /// # Errors
    /// The line is malformed.
    pub fn read(&self, line: &[u8], scratch: &mut Scratch) -> Result<(), ReadFault> {
        self.strict.check(line, &mut scratch.reading)
    }

    /// Everything that tells two events apart: kind and ordinal only, if the kinds differ.
    ///
    /// # Errors
    /// The side's line is malformed; the reference's fault if both are.
    pub fn differences(
        &self,
        reference: &Event<'_>,
        candidate: &Event<'_>,
        scratch: &mut Scratch,
    ) -> Result<Differences, ReadFault> {
        let mut found = Differences {
            kind: !self.same_kind(reference, candidate),
            ordinal: reference.ordinal != candidate.ordinal,
            ..Differences::default()
        };
        if found.kind {
            let role = self.profile.roles.kind.as_ref();
            found.add(
                role,
                (!reference.kind.is_empty()).then_some(reference.kind),
                (!candidate.kind.is_empty()).then_some(candidate.kind),
            );
        }
        if found.ordinal {
            let text = |event: &Event<'_>| event.ordinal.map(|ordinal| ordinal.to_string());
            let (left, right) = (text(reference), text(candidate));
            let role = self.profile.roles.ordinal.as_ref();
            found.add(role, left.as_deref().map(str::as_bytes), right.as_deref().map(str::as_bytes));
        }
        if found.kind || (self.skip_nondeterministic && (reference.nondeterministic || candidate.nondeterministic)) {
            return Ok(found);
        }
        if same_tail(reference, candidate) {
            return Ok(found);
        }
        self.strict.read(reference.line, &mut scratch.reference)?;
        self.strict.read(candidate.line, &mut scratch.candidate)?;
        let calls = self.calls(reference, candidate, scratch);
        let held = self.held(reference, candidate, scratch);
        let objects = self.objects_of(reference);
        let mut walk = self.walk(reference, candidate, scratch, (&calls, &held), &self.payload);
        walk.objects = objects.as_deref().map(|identities| Objects::of(identities, reference, candidate));
        walk.run();
        found.payload = walk.total > 0;
        found.total += walk.total;
        found.listed.append(&mut walk.differences);
        found.listed.truncate(super::walk::DIFFERENCES_LISTED_MAX);
        found.overlooked = walk.overlooked;
        Ok(found)
    }

    /// A digest of kind and payload under the rules, the ordinal overlooked: equal events have
    /// equal digests. A line that cannot be read is digested by its bytes.
    pub fn digest(&self, side: usize, event: &Event<'_>, scratch: &mut Scratch) -> Result<u64, (u64, ReadFault)> {
        let kind = self.kind_digest(event);
        let raw = || {
            use std::hash::{BuildHasher, Hasher};
            let mut state = tape::fixed_state().build_hasher();
            state.write_u64(kind);
            state.write(event.tail);
            state.finish()
        };
        // A marked event's digest is that of its kind, whatever else its line holds.
        let marked = self.skip_nondeterministic && event.nondeterministic;
        if let Err(fault) = self.strict.read(event.line, &mut scratch.reference) {
            return Err((if marked { kind } else { raw() }, fault));
        }
        if marked {
            return Ok(kind);
        }
        let (line, tape) = (event.line, &scratch.reference);
        let paths = self.paths(event);
        let calls: SmallVec<[(u16, Call); 1]> = paths
            .allocators
            .iter()
            .filter_map(|index| {
                let rule = &self.profile.allocator[*index as usize];
                allocator::read_call(rule, tape, line).map(|call| (*index, call))
            })
            .collect();
        let (null_equals_missing, held) = (self.profile.null_equals_missing, paths.conditions.in_one((tape, line)));
        let identities = self.objects_of(event);
        let objects = identities.as_deref().map(|identities| OneSide { identities, side, line: event.number });
        let digester = Digester { tape, line, paths, null_equals_missing, calls: &calls, held: &held, objects };
        Ok(digester.payload(kind, self.payload_node(event, tape)))
    }

    fn kind_digest(&self, event: &Event<'_>) -> u64 {
        if event.scalar_kind().is_empty() {
            return 0;
        }
        let mut tape = Tape::default();
        match tape.parse(event.kind, 1) {
            Ok(()) => tape::digest(&tape, event.kind, Tape::ROOT),
            Err(_) => 1,
        }
    }

    /// Whether both kinds are the same scalar.
    pub fn same_kind(&self, reference: &Event<'_>, candidate: &Event<'_>) -> bool {
        let (a, b) = (reference.scalar_kind(), candidate.scalar_kind());
        a == b
            || match (a.first(), b.first()) {
                (Some(b'"'), Some(b'"')) => json::text::equal(a, b),
                (Some(_), Some(_)) => json::number::equal(a, b),
                _ => false,
            }
    }

    fn paths(&self, event: &Event<'_>) -> &RulePaths {
        &self.rules[self.rules_of(event)]
    }

    /// Where the rules for an event's kind stand.
    #[inline]
    pub(super) fn rules_of(&self, event: &Event<'_>) -> usize {
        if self.by_kind.is_empty() { 0 } else { self.rules_of_kind(event.kind) }
    }

    fn rules_of_kind(&self, kind: &[u8]) -> usize {
        if kind.first() != Some(&b'"') {
            return 0;
        }
        self.by_kind.get(&*json::text::unescape(kind)).copied().unwrap_or(0)
    }

    pub(super) fn payload_node(&self, event: &Event<'_>, tape: &Tape) -> Option<usize> {
        if event.payload_missing {
            return None;
        }
        match &self.profile.roles.payload {
            PayloadRole::Whole => Some(Tape::ROOT),
            // The line's own keys count as given first, unlike keys inside values.
            PayloadRole::At(path) => path
                .tokens()
                .iter()
                .try_fold(Tape::ROOT, |node, token| tape.get_first(event.line, node, token.as_bytes())),
        }
    }

    fn calls(&self, reference: &Event<'_>, candidate: &Event<'_>, scratch: &Scratch) -> SmallVec<[PairedCall; 1]> {
        let holds = |index: &u16| {
            let rule = &self.profile.allocator[*index as usize];
            let left = allocator::read_call(rule, &scratch.reference, reference.line)?;
            let right = allocator::read_call(rule, &scratch.candidate, candidate.line)?;
            Some((*index, self.allocator_base + *index, left, right))
        };
        self.paths(reference).allocators.iter().filter_map(holds).collect()
    }

    fn walk<'a>(
        &'a self,
        reference: &Event<'a>,
        candidate: &Event<'a>,
        scratch: &'a Scratch,
        (calls, held): (&'a [PairedCall], &'a [bool]),
        base: &Pointer,
    ) -> Walk<'a> {
        let side = |event: &Event<'a>, tape: &'a Tape| SideText {
            tape,
            line: event.line,
            payload: self.payload_node(event, tape),
        };
        let (left, right) = (side(reference, &scratch.reference), side(candidate, &scratch.candidate));
        let mut walk = Walk::new(left, right, self.paths(reference), calls, base);
        walk.null_equals_missing = self.profile.null_equals_missing;
        walk.held = held;
        walk
    }

    /// Which conditions of the kind's rules hold on both sides.
    fn held(&self, reference: &Event<'_>, candidate: &Event<'_>, scratch: &Scratch) -> Held<bool> {
        let conditions = &self.paths(reference).conditions;
        conditions.in_both((&scratch.reference, reference.line), (&scratch.candidate, candidate.line))
    }
}

/// Whether the tails are the same bytes; a missing payload has no tail.
#[inline]
fn same_tail(reference: &Event<'_>, candidate: &Event<'_>) -> bool {
    reference.tail == candidate.tail && reference.payload_missing == candidate.payload_missing
}

impl Differences {
    fn add(&mut self, role: Option<&Pointer>, reference: Option<&[u8]>, candidate: Option<&[u8]>) {
        let path = role.cloned().unwrap_or_default();
        let owned = |token: Option<&[u8]>| token.map(<[u8]>::to_vec);
        let (reference, candidate) = (owned(reference), owned(candidate));
        self.listed.push(Difference { path, reference, candidate, meant: None });
        self.total += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::event;
    use crate::profile::builtin;

    /// Which of kind, ordinal and payload differ between two events, by the exact way.
    fn told(comparer: &Comparer<'_>, x: &Event<'_>, y: &Event<'_>) -> [bool; 3] {
        let found = comparer.differences(x, y, &mut Scratch::default()).unwrap();
        let told = [found.kind, found.ordinal, found.payload];
        let differs = matches!(comparer.weigh(x, y, &mut Scratch::default()), Weighed::Differ { .. });
        assert_eq!(differs, told.contains(&true));
        told
    }

    #[test]
    fn kind_ordinal_and_payload_are_told_apart() {
        let profile = builtin("schema-v1").unwrap();
        let comparer = Comparer::new(&profile, false);
        let [a, b, c] = [
            r#"{"kind":"a","payload":{"v":1}}"#,
            r#"{"kind":"b","payload":{"v":1}}"#,
            r#"{"kind":"a","payload":{"v":2}}"#,
        ]
        .map(|line| event(&profile, line));
        let numbered = |event, ordinal| Event { ordinal: Some(ordinal), ..event };
        assert_eq!(told(&comparer, &a, &a), [false, false, false]);
        assert_eq!(told(&comparer, &a, &b), [true, false, false]);
        assert_eq!(told(&comparer, &a, &c), [false, false, true]);
        assert_eq!(told(&comparer, &numbered(a, 1), &numbered(a, 2)), [false, true, false]);
        assert_eq!(told(&comparer, &numbered(a, 1), &numbered(c, 2)), [false, true, true]);
        // Payloads of two kinds are not compared.
        assert_eq!(told(&comparer, &numbered(b, 1), &numbered(c, 2)), [true, true, false]);
    }

    #[test]
    fn of_marked_events_only_kind_and_ordinal_count_if_so_asked() {
        let profile = builtin("schema-v1").unwrap();
        let lines = [r#"{"kind":"a","payload":{"v":1}}"#, r#"{"kind":"a","payload":{"v":2}}"#];
        for marked in [[false, false], [true, false], [false, true], [true, true]] {
            let [x, y] = [0, 1].map(|side| Event { nondeterministic: marked[side], ..event(&profile, lines[side]) });
            for skip in [false, true] {
                let differs = !skip || marked == [false, false];
                assert_eq!(told(&Comparer::new(&profile, skip), &x, &y), [false, false, differs], "{marked:?} {skip}");
            }
        }
    }
}
