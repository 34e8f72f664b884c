//! The table itself: which handle a call concerns, and what is kept of it.

use std::collections::{HashMap, HashSet};

use super::limits::{AuditLimits, AuditLosses, GHOST_BYTES, trail_bytes};
use super::past::{PastTrails, Queue};
use super::ring::HandleAuditEntry;
use super::trail::{AuditCall, GhostTrail, HandleAuditTrail, UNCREATED};

/// A record of every handle's calls, to be embedded in an engine's kernel.
///
/// It is off unless [`enabled`](Self::enabled) is set, and each call then costs one branch. While it is on, a call looks its handle up and
/// writes to a ring; memory is asked for when a handle is created, and at the first call on an uncreated focus handle, only. Nothing
/// here panics. All fields are public, so `HandleAudit { enabled: true, ..HandleAudit::default() }` makes one; an engine may take
/// trails out of the maps whenever it likes.
#[derive(Debug, Default)]
pub struct HandleAudit {
    /// Each handle's newest trail, of closed handles too. A handle stays until its value is used again or room is needed.
    pub trails: HashMap<u32, HandleAuditTrail>,
    /// Whether calls are recorded.
    pub enabled: bool,
    /// Handles whose calls are kept even if their creation was not seen. It narrows nothing: every created handle has its trail.
    pub focus: HashSet<u32>,
    /// Trails of focus handles that nobody was seen to create, until they are.
    pub ghost_trails: HashMap<u32, GhostTrail>,
    /// Earlier trails of handles that were used again.
    pub past: PastTrails,
    /// How much may be kept.
    pub limits: AuditLimits,
    /// What was not kept, counted.
    pub losses: AuditLosses,
    /// What the table notes for itself.
    pub book: AuditBook,
}

/// What a table notes for itself: sequence numbers, bytes, which handle was closed first. [`HandleAudit`] tells them.
#[derive(Debug, Default)]
pub struct AuditBook {
    /// The next call's number.
    sequence: u64,
    /// What all trails take, by `limits`.
    bytes: usize,
    /// The lengths that the maps should have. If they have others, the engine took something out.
    trails: usize,
    ghosts: usize,
    /// Handles that were closed, and by what call.
    destroyed: Queue<(u32, u64)>,
}

impl AuditBook {
    #[inline]
    fn number(&mut self) -> u64 {
        let number = self.sequence;
        self.sequence += 1;
        number
    }
}

impl HandleAudit {
    /// Records that a handle was made, of a kind that the engine names.
    ///
    /// A trail that the handle has already is of another object: it goes to [`past`](Self::past), and this one is of the next
    /// generation. What a ghost trail of the handle holds becomes the beginning of the new trail.
    #[inline]
    pub fn record_create(&mut self, handle: u32, kind: &'static str, entry: HandleAuditEntry) {
        if self.enabled {
            self.create(handle, kind, entry, Vec::new());
        }
    }

    /// The same, with the guest's stack: `(frame address, return address)`, the innermost frame first. To walk it costs
    /// time, so engines do for handles in focus only.
    #[inline]
    pub fn record_create_with_stack(
        &mut self,
        handle: u32,
        kind: &'static str,
        entry: HandleAuditEntry,
        stack: Vec<(u32, u32)>,
    ) {
        if self.enabled {
            self.create(handle, kind, entry, stack);
        }
    }

    /// Records a signal: in the handle's trail, or else, for a focus handle, in its ghost trail. This call alone is complete.
    #[inline]
    pub fn record_signal(&mut self, handle: u32, entry: HandleAuditEntry) {
        if self.enabled {
            self.record(AuditCall::Signal, handle, entry);
        }
    }

    /// Records a signal on a focus handle that has no trail. Engines that call it next to [`record_signal`](Self::record_signal),
    /// as they once had to, may go on.
    ///
    /// It adds nothing where the handle has a trail, and nothing where the entry equals the newest signal
    /// of the handle's ghost trail, which is then the same signal told twice.
    #[inline]
    pub fn record_signal_attempt_ghost(&mut self, handle: u32, entry: HandleAuditEntry) {
        if self.enabled {
            self.attempt(handle, entry);
        }
    }

    /// Records that a thread began to wait, where [`record_signal`](Self::record_signal) would record a signal.
    #[inline]
    pub fn record_wait(&mut self, handle: u32, entry: HandleAuditEntry) {
        if self.enabled {
            self.record(AuditCall::Wait, handle, entry);
        }
    }

    /// Records that a waiting thread was made to go on, where [`record_signal`](Self::record_signal) would record a signal.
    #[inline]
    pub fn record_wake(&mut self, handle: u32, entry: HandleAuditEntry) {
        if self.enabled {
            self.record(AuditCall::Wake, handle, entry);
        }
    }

    /// Records that a handle was closed, where [`record_signal`](Self::record_signal) would record a signal. The trail
    /// stays where it is, and later calls on the handle go on in it: they show a use after the closing.
    #[inline]
    pub fn record_destroy(&mut self, handle: u32, entry: HandleAuditEntry) {
        if self.enabled {
            self.record(AuditCall::Destroy, handle, entry);
        }
    }

    /// How many signals, waits and wakes the rings of a handle's trail hold, each at most
    /// [`AUDIT_RING_CAPACITY`](super::AUDIT_RING_CAPACITY); how many there ever were is told by [`Ring::total`](super::Ring::total). `None` without a
    /// trail, so of a ghost too.
    pub fn counts(&self, handle: u32) -> Option<(usize, usize, usize)> {
        let trail = self.trails.get(&handle)?;
        Some((trail.signals.len(), trail.waits.len(), trail.wakes.len()))
    }

    /// The kind that reports should give a handle: its trail's, [`UNCREATED`] if it has a ghost trail, `None` if it has neither.
    pub fn kind_of(&self, handle: u32) -> Option<&'static str> {
        let ghost = || self.ghost_trails.contains_key(&handle).then_some(UNCREATED);
        self.trails.get(&handle).map(|trail| trail.kind).or_else(ghost)
    }

    /// All trails of a handle that are held, by generation; the newest is last.
    pub fn history(&self, handle: u32) -> impl Iterator<Item = &HandleAuditTrail> {
        self.past.of(handle).chain(self.trails.get(&handle))
    }

    /// The trails by handle.
    pub fn sorted_trails(&self) -> Vec<(u32, &HandleAuditTrail)> {
        by_handle(&self.trails)
    }

    /// The ghost trails by handle.
    pub fn sorted_ghosts(&self) -> Vec<(u32, &GhostTrail)> {
        by_handle(&self.ghost_trails)
    }

    /// Calls ever recorded on trails and ghost trails, dropped ones too. It is the next call's sequence number.
    pub fn recorded(&self) -> u64 {
        self.book.sequence
    }

    /// What all trails and ghost trails take, in bytes, counted as [`AuditLimits::bytes`] says. After trails were taken out of the
    /// maps it is too high until room is needed.
    pub fn bytes(&self) -> usize {
        self.book.bytes
    }

    fn record(&mut self, call: AuditCall, handle: u32, entry: HandleAuditEntry) {
        let Some(trail) = self.trails.get_mut(&handle) else { return self.record_ghost(call, handle, entry) };
        let sequence = self.book.number();
        match call {
            AuditCall::Create => {}
            AuditCall::Signal => trail.signals.push(sequence, entry),
            AuditCall::Wait => trail.waits.push(sequence, entry),
            AuditCall::Wake => trail.wakes.push(sequence, entry),
            AuditCall::Destroy => {
                trail.destroyed.push(sequence, entry);
                if trail.ended.is_none() {
                    trail.ended = Some(sequence);
                    self.book.destroyed.push((handle, sequence), |key| is_closed(&self.trails, key));
                }
            }
        }
    }

    fn record_ghost(&mut self, call: AuditCall, handle: u32, entry: HandleAuditEntry) {
        if !self.focus.contains(&handle) {
            self.losses.unknown_calls += 1;
            return;
        }
        if !self.ghost_trails.contains_key(&handle) {
            if !self.make_room(GHOST_BYTES) {
                self.losses.refused_calls += 1;
                return;
            }
            self.book.bytes += GHOST_BYTES;
            self.ghost_trails.insert(handle, GhostTrail::with_room());
            self.book.ghosts += 1;
        }
        let Some(ghost) = self.ghost_trails.get_mut(&handle) else { return };
        let sequence = self.book.number();
        match call {
            AuditCall::Create => {}
            AuditCall::Signal => ghost.signals.push(sequence, entry),
            AuditCall::Wait => ghost.waits.push(sequence, entry),
            AuditCall::Wake => ghost.wakes.push(sequence, entry),
            AuditCall::Destroy => ghost.destroyed.push(sequence, entry),
        }
    }

    fn attempt(&mut self, handle: u32, entry: HandleAuditEntry) {
        let is_told = || self.ghost_trails.get(&handle).is_some_and(|ghost| ghost.signals.back() == Some(&entry));
        if self.trails.contains_key(&handle) || !self.focus.contains(&handle) || is_told() {
            self.losses.idle_attempts += 1;
        } else {
            self.record_ghost(AuditCall::Signal, handle, entry);
        }
    }

    fn create(&mut self, handle: u32, kind: &'static str, entry: HandleAuditEntry, stack: Vec<(u32, u32)>) {
        let earlier = match self.trails.remove(&handle) {
            Some(trail) => Some(self.retire(handle, trail)),
            None => self.past.of(handle).next_back().map(|trail| trail.generation),
        };
        // Its rings become the trail's, so its bytes are room.
        let seen = self.ghost_trails.remove(&handle);
        if seen.is_some() {
            self.book.bytes = self.book.bytes.saturating_sub(GHOST_BYTES);
            self.book.ghosts = self.book.ghosts.saturating_sub(1);
        }
        let needed = trail_bytes(stack.capacity());
        if self.make_room(needed) {
            self.book.bytes += needed;
            let created = (self.book.number(), entry);
            let generation = earlier.map_or(0, |earlier| earlier.saturating_add(1));
            let seen = seen.unwrap_or_else(GhostTrail::with_room);
            self.trails.insert(handle, HandleAuditTrail::new(kind, created, stack, generation, seen));
            self.book.trails += 1;
            self.book.destroyed.reserve(self.trails.len());
        } else {
            self.losses.refused_trails += 1;
            if let Some(seen) = seen {
                self.ghost_trails.insert(handle, seen);
                self.book.ghosts += 1;
                self.book.bytes += GHOST_BYTES;
            }
        }
    }

    /// Puts a trail among the past ones, as far as its handle may have them, and says which generation it was.
    fn retire(&mut self, handle: u32, trail: HandleAuditTrail) -> u64 {
        let generation = trail.generation;
        self.book.trails = self.book.trails.saturating_sub(1);
        self.past.push(handle, trail);
        while let Some(oldest) = self.past.pop_above(handle, self.limits.past) {
            self.losses.past_by_count += 1;
            self.drop_trail(oldest);
        }
        generation
    }

    /// Drops what may be dropped until so many bytes fit, and says whether they do.
    fn make_room(&mut self, needed: usize) -> bool {
        let Some(most) = self.limits.bytes.checked_sub(needed) else { return false };
        if self.book.bytes > most
            && (self.book.trails, self.book.ghosts) != (self.trails.len(), self.ghost_trails.len())
        {
            self.count_again();
        }
        while self.book.bytes > most {
            if let Some(oldest) = self.past.pop() {
                self.losses.past_by_bytes += 1;
                self.drop_trail(oldest);
            } else if let Some((handle, _)) = self.book.destroyed.pop(|key| is_closed(&self.trails, key))
                && let Some(closed) = self.trails.remove(&handle)
            {
                self.book.trails = self.book.trails.saturating_sub(1);
                self.losses.destroyed_by_bytes += 1;
                self.drop_trail(closed);
            } else {
                return false;
            }
        }
        true
    }

    fn drop_trail(&mut self, trail: HandleAuditTrail) {
        self.losses.dropped_calls += trail.recorded();
        self.book.bytes = self.book.bytes.saturating_sub(trail_bytes(trail.created_stack.capacity()));
    }

    /// Sees what is held after the engine took trails out of the maps.
    fn count_again(&mut self) {
        let trails = self.trails.values().chain(self.past.iter().map(|(_, trail)| trail));
        let bytes = trails.map(|trail| trail_bytes(trail.created_stack.capacity())).sum::<usize>();
        self.book.bytes = bytes + self.ghost_trails.len() * GHOST_BYTES;
        (self.book.trails, self.book.ghosts) = (self.trails.len(), self.ghost_trails.len());
    }
}

/// Whether a handle's trail is still the one that a call closed.
fn is_closed(trails: &HashMap<u32, HandleAuditTrail>, (handle, call): &(u32, u64)) -> bool {
    trails.get(handle).is_some_and(|trail| trail.ended == Some(*call))
}

fn by_handle<T>(map: &HashMap<u32, T>) -> Vec<(u32, &T)> {
    let mut all: Vec<_> = map.iter().map(|(handle, trail)| (*handle, trail)).collect();
    all.sort_unstable_by_key(|(handle, _)| *handle);
    all
}

#[cfg(test)]
mod tests {
    use super::super::{AUDIT_RING_CAPACITY, Moment};
    use super::*;

    const H: u32 = 0x1040;

    fn at(cycle: u64) -> HandleAuditEntry {
        HandleAuditEntry { cycle, tid: 5, lr: 0x8211_0004, source: "NtSetEvent", aux: 1 }
    }

    fn table(focus: &[u32]) -> HandleAudit {
        HandleAudit { enabled: true, focus: focus.iter().copied().collect(), ..HandleAudit::default() }
    }

    fn cycles<'m>(moments: impl IntoIterator<Item = Moment<'m>>) -> Vec<(AuditCall, u64)> {
        moments.into_iter().map(|moment| (moment.call, moment.entry.cycle)).collect()
    }

    #[test]
    fn a_table_that_is_off_keeps_and_counts_nothing() {
        let mut audit = HandleAudit { focus: HashSet::from([H]), ..HandleAudit::default() };
        audit.record_create(H, "Event/Auto", at(0));
        audit.record_create_with_stack(H + 4, "Event/Auto", at(0), vec![(1, 2)]);
        for record in [
            HandleAudit::record_signal,
            HandleAudit::record_signal_attempt_ghost,
            HandleAudit::record_wait,
            HandleAudit::record_wake,
            HandleAudit::record_destroy,
        ] {
            record(&mut audit, H, at(1));
        }
        assert!(audit.trails.is_empty() && audit.ghost_trails.is_empty() && audit.past.is_empty());
        assert_eq!((audit.losses, audit.recorded(), audit.bytes()), (AuditLosses::default(), 0, 0));
    }

    #[test]
    fn calls_on_a_created_handle_are_counted_by_sort() {
        let mut audit = table(&[]);
        audit.record_create(H, "Semaphore", at(0));
        (1..=4).for_each(|cycle| audit.record_signal(H, at(cycle)));
        (5..=7).for_each(|cycle| audit.record_wait(H, at(cycle)));
        (8..=9).for_each(|cycle| audit.record_wake(H, at(cycle)));
        assert_eq!((audit.counts(H), audit.counts(H + 4)), (Some((4, 3, 2)), None));
        let trail = &audit.trails[&H];
        assert_eq!((trail.kind, trail.created, trail.created_stack.len()), ("Semaphore", at(0), 0));
        assert_eq!((trail.generation, trail.recorded(), audit.recorded()), (0, 10, 10));
        assert_eq!(trail.wakes.iter().map(|entry| entry.cycle).collect::<Vec<_>>(), [8, 9]);
    }

    #[test]
    fn counts_are_what_rings_hold_and_totals_what_there_was() {
        let mut audit = table(&[]);
        audit.record_create(H, "Event/Auto", at(0));
        (0..100).for_each(|cycle| audit.record_signal(H, at(cycle)));
        audit.record_wait(H, at(7));
        assert_eq!(audit.counts(H), Some((AUDIT_RING_CAPACITY, 1, 0)));
        let trail = &audit.trails[&H];
        assert_eq!((trail.signals.total(), trail.signals.dropped(), trail.dropped()), (100, 68, 68));
        assert_eq!((trail.signals.front().unwrap().cycle, trail.signals.back().unwrap().cycle), (68, 99));
    }

    #[test]
    fn frames_of_the_creation_are_kept_with_it() {
        let mut audit = table(&[]);
        let frames: Vec<_> = (0..5).map(|frame| (0x7000_0000 + 0x60 * frame, 0x8200_0000 + frame)).collect();
        audit.record_create_with_stack(H, "Timer/Auto", at(3), frames.clone());
        assert_eq!((&audit.trails[&H].created_stack, audit.bytes()), (&frames, trail_bytes(5)));
    }

    #[test]
    fn calls_on_a_handle_that_is_neither_created_nor_in_focus_are_counted_only() {
        let mut audit = table(&[H]);
        audit.record_signal(H + 4, at(1));
        audit.record_wait(H + 4, at(2));
        audit.record_wake(H + 4, at(3));
        audit.record_destroy(H + 4, at(4));
        assert!(audit.trails.is_empty() && audit.ghost_trails.is_empty());
        assert_eq!(audit.losses, AuditLosses { unknown_calls: 4, ..AuditLosses::default() });
        assert_eq!((audit.recorded(), audit.kind_of(H + 4)), (0, None));
    }

    #[test]
    fn a_focus_handle_nobody_created_has_a_ghost_of_all_its_calls() {
        let mut audit = table(&[H]);
        audit.record_wait(H, at(1));
        audit.record_signal(H, at(2));
        audit.record_signal(H, at(2));
        audit.record_wake(H, at(3));
        audit.record_destroy(H, at(4));
        let told = [
            (AuditCall::Wait, 1),
            (AuditCall::Signal, 2),
            (AuditCall::Signal, 2),
            (AuditCall::Wake, 3),
            (AuditCall::Destroy, 4),
        ];
        assert_eq!(cycles(audit.ghost_trails[&H].timeline()), told);
        assert_eq!((audit.kind_of(H), audit.counts(H), audit.trails.len()), (Some("<UNCREATED>"), None, 0));
        assert_eq!((audit.bytes(), audit.recorded()), (GHOST_BYTES, 5));
        (0..100).for_each(|cycle| audit.record_signal(H, at(cycle)));
        let signals = &audit.ghost_trails[&H].signals;
        assert_eq!((signals.len(), signals.total()), (AUDIT_RING_CAPACITY, 102));
    }

    #[test]
    fn a_ghost_becomes_the_beginning_of_the_trail_when_the_creation_comes() {
        let mut audit = table(&[H]);
        audit.record_signal(H, at(1));
        audit.record_wait(H, at(2));
        audit.record_create(H, "Event/Manual", at(3));
        audit.record_signal(H, at(4));
        assert!(audit.ghost_trails.is_empty());
        let trail = &audit.trails[&H];
        let told = [(AuditCall::Signal, 1), (AuditCall::Wait, 2), (AuditCall::Create, 3), (AuditCall::Signal, 4)];
        assert_eq!(cycles(trail.timeline()), told);
        assert_eq!((trail.created_sequence, trail.generation, trail.signals.total()), (2, 0, 2));
        assert_eq!((audit.kind_of(H), audit.bytes()), (Some("Event/Manual"), trail_bytes(0)));
    }

    #[test]
    fn a_signal_told_by_both_methods_is_one() {
        let mut audit = table(&[H]);
        for cycle in [1, 2] {
            audit.record_signal(H, at(cycle));
            audit.record_signal_attempt_ghost(H, at(cycle));
        }
        audit.record_signal_attempt_ghost(H, HandleAuditEntry { aux: 9, ..at(2) });
        assert_eq!((audit.ghost_trails[&H].signals.total(), audit.losses.idle_attempts), (3, 2));
        audit.record_create(H, "Event/Auto", at(3));
        audit.record_signal(H, at(4));
        audit.record_signal_attempt_ghost(H, at(4));
        audit.record_signal_attempt_ghost(H, at(5));
        audit.record_signal_attempt_ghost(H + 4, at(6));
        assert_eq!((audit.trails[&H].signals.total(), audit.losses.idle_attempts), (4, 5));
        assert_eq!((audit.ghost_trails.len(), audit.losses.calls()), (0, 5));
    }

    #[test]
    fn a_closed_handle_keeps_its_trail_and_shows_what_is_done_with_it_later() {
        let mut audit = table(&[H]);
        audit.record_create(H, "Mutant", at(0));
        assert!(!audit.trails[&H].is_destroyed());
        audit.record_destroy(H, at(1));
        audit.record_signal(H, at(2));
        audit.record_destroy(H, at(3));
        let trail = &audit.trails[&H];
        assert!(trail.is_destroyed() && audit.ghost_trails.is_empty());
        let told = [(AuditCall::Create, 0), (AuditCall::Destroy, 1), (AuditCall::Signal, 2), (AuditCall::Destroy, 3)];
        assert_eq!(cycles(trail.timeline()), told);
    }

    #[test]
    fn what_a_ghost_saw_closed_is_not_the_object_made_later() {
        let mut audit = table(&[H]);
        audit.record_destroy(H, at(0));
        audit.record_create(H, "Mutant", at(1));
        let trail = &audit.trails[&H];
        assert_eq!((trail.is_destroyed(), trail.destroyed.total()), (false, 1));
        audit.record_destroy(H, at(2));
        assert!(audit.trails[&H].is_destroyed());
    }

    #[test]
    fn a_handle_used_again_opens_a_generation_and_keeps_the_last_few() {
        let mut audit = table(&[]);
        for generation in 0..7 {
            audit.record_create(H, "Event/Auto", at(10 * generation));
            audit.record_signal(H, at(10 * generation + 1));
        }
        let told: Vec<_> = audit.history(H).map(|trail| (trail.generation, trail.created.cycle)).collect();
        assert_eq!(told, [(2, 20), (3, 30), (4, 40), (5, 50), (6, 60)]);
        assert!(audit.history(H).all(|trail| trail.signals[0].cycle == trail.created.cycle + 1));
        assert_eq!((audit.past.len(), audit.trails.len(), audit.bytes()), (4, 1, 5 * trail_bytes(0)));
        let losses = AuditLosses { past_by_count: 2, dropped_calls: 4, ..AuditLosses::default() };
        assert_eq!((audit.losses, audit.recorded()), (losses, 14));
        audit.limits.past = 0;
        audit.record_create(H, "Event/Auto", at(70));
        assert_eq!((audit.past.len(), audit.trails[&H].generation, audit.losses.past_by_count), (0, 7, 7));
    }

    #[test]
    fn past_trails_go_first_then_closed_ones_then_new_ones_are_refused() {
        let mut audit = table(&[12]);
        audit.limits.bytes = 5 * trail_bytes(0);
        [4, 8, 4, 8].into_iter().for_each(|handle| audit.record_create(handle, "Event/Auto", at(0)));
        audit.record_destroy(8, at(1));
        audit.record_destroy(4, at(2));
        audit.record_create(16, "Event/Auto", at(3));
        let losses = |audit: &HandleAudit| {
            let losses = audit.losses;
            [losses.past_by_bytes, losses.destroyed_by_bytes, losses.refused_trails, losses.refused_calls]
        };
        assert_eq!((audit.bytes(), losses(&audit)), (5 * trail_bytes(0), [0; 4]));
        audit.record_create(20, "Event/Auto", at(4));
        assert_eq!((audit.past.of(4).count(), audit.past.of(8).count()), (0, 1));
        audit.record_create(24, "Event/Auto", at(5));
        assert_eq!((audit.past.len(), losses(&audit)), (0, [2, 0, 0, 0]));
        audit.record_create(28, "Event/Auto", at(6));
        assert!(audit.trails.contains_key(&4) && !audit.trails.contains_key(&8), "8 was closed first");
        audit.record_wait(12, at(7));
        assert!(!audit.trails.contains_key(&4) && audit.ghost_trails.contains_key(&12));
        assert_eq!(losses(&audit), [2, 2, 0, 0]);
        assert_eq!(audit.losses.dropped_calls, 2 + 2 * 2);
        audit.record_create(32, "Event/Auto", at(8));
        audit.focus.insert(36);
        audit.record_signal(36, at(9));
        audit.record_signal(32, at(10));
        assert_eq!((losses(&audit), audit.losses.unknown_calls), ([2, 2, 1, 1], 1));
        let handles: Vec<_> = audit.sorted_trails().iter().map(|(handle, _)| *handle).collect();
        assert_eq!((handles, audit.sorted_ghosts()[0].0), (vec![16, 20, 24, 28], 12));
        audit.record_create(20, "Event/Auto", at(11));
        assert_eq!(audit.trails[&20].generation, 1, "a handle used again needs no more than it had");
    }

    #[test]
    fn what_never_fits_drops_nothing_and_a_refused_creation_leaves_the_ghost() {
        let mut audit = table(&[8]);
        audit.limits.bytes = 4 * trail_bytes(0);
        audit.record_create(4, "Event/Auto", at(0));
        audit.record_create(4, "Event/Auto", at(1));
        audit.record_signal(8, at(2));
        audit.record_create_with_stack(8, "Event/Auto", at(3), vec![(0, 0); 10_000]);
        assert_eq!((audit.past.len(), audit.losses.refused_trails, audit.losses.dropped_trails()), (1, 1, 0));
        assert_eq!((audit.kind_of(8), audit.bytes()), (Some(UNCREATED), 2 * trail_bytes(0) + GHOST_BYTES));
        // The object that the handle was is none the less gone.
        audit.record_create_with_stack(4, "Event/Auto", at(4), vec![(0, 0); 10_000]);
        assert_eq!((audit.counts(4), audit.history(4).count()), (None, 2));
        audit.limits.bytes = usize::MAX;
        audit.record_create(4, "Event/Auto", at(5));
        assert_eq!(audit.trails[&4].generation, 2);
    }

    #[test]
    fn an_engine_may_clear_the_maps() {
        let mut audit = table(&[1]);
        audit.limits.bytes = 4 * trail_bytes(0);
        for round in 0..20 {
            (4..8).for_each(|handle| audit.record_create(handle, "Event/Auto", at(round)));
            assert_eq!((audit.trails.len(), audit.losses.refused_trails), (4, 0), "{round}");
            audit.record_destroy(4, at(round));
            audit.trails.clear();
            audit.record_signal(1, at(round));
            assert_eq!(audit.ghost_trails.len(), 1);
            audit.ghost_trails = HashMap::new();
        }
        let lost = |losses: AuditLosses| losses.destroyed_by_bytes + losses.refused_calls;
        assert_eq!(lost(audit.losses), 0);
    }
}
