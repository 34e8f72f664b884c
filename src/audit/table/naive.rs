//! The table held to one that keeps every call there ever was and looks through all of them.

use std::collections::HashSet;

use proptest::prelude::*;

use super::limits::{GHOST_BYTES, trail_bytes};
use super::{
    AUDIT_DESTROY_CAPACITY, AUDIT_RING_CAPACITY, AuditCall, AuditLosses, HandleAudit, HandleAuditEntry, Moment,
};

/// What is done with a table.
#[derive(Clone, Debug)]
enum Step {
    Create { handle: u32, frames: usize },
    Call { call: AuditCall, handle: u32, times: usize },
    Attempt { handle: u32, told_before: bool },
    Focus { handle: u32, is_in: bool },
    Enable(bool),
    Limit { halves: usize, past: usize },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Ghost,
    Newest,
    /// Since what step.
    Past(usize),
    Dropped,
}

/// One object behind a handle.
struct Life {
    handle: u32,
    state: State,
    frames: usize,
    generation: u64,
    created: Option<u64>,
    ended: Option<u64>,
}

impl Life {
    fn bytes(&self) -> usize {
        match self.state {
            State::Dropped => 0,
            State::Ghost => GHOST_BYTES,
            State::Newest | State::Past(_) => trail_bytes(self.frames),
        }
    }
}

#[derive(Default)]
struct Naive {
    lives: Vec<Life>,
    /// Every call that was recorded, in order, and whose.
    calls: Vec<(usize, AuditCall, HandleAuditEntry)>,
    focus: HashSet<u32>,
    limit: (usize, usize),
    losses: AuditLosses,
    step: usize,
}

impl Naive {
    fn find(&self, handle: u32, state: State) -> Option<usize> {
        self.lives.iter().position(|life| life.handle == handle && life.state == state)
    }

    fn bytes(&self) -> usize {
        self.lives.iter().map(Life::bytes).sum()
    }

    fn past_of(&self, handle: Option<u32>) -> Vec<usize> {
        let since = |life: &Life| match life.state {
            State::Past(since) if handle.is_none_or(|handle| handle == life.handle) => Some(since),
            _ => None,
        };
        let mut past: Vec<_> = (0..self.lives.len()).filter(|at| since(&self.lives[*at]).is_some()).collect();
        past.sort_by_key(|at| since(&self.lives[*at]));
        past
    }

    fn drop_life(&mut self, life: usize) {
        self.lives[life].state = State::Dropped;
        self.losses.dropped_calls += self.calls.iter().filter(|(of, ..)| *of == life).count() as u64;
    }

    fn make_room(&mut self, needed: usize) -> bool {
        while needed <= self.limit.0 && self.bytes() + needed > self.limit.0 {
            let closed = (0..self.lives.len()).filter(|at| self.lives[*at].state == State::Newest);
            let closed = closed.filter(|at| self.lives[*at].ended.is_some()).min_by_key(|at| self.lives[*at].ended);
            if let Some(&oldest) = self.past_of(None).first() {
                self.losses.past_by_bytes += 1;
                self.drop_life(oldest);
            } else if let Some(closed) = closed {
                self.losses.destroyed_by_bytes += 1;
                self.drop_life(closed);
            } else {
                return false;
            }
        }
        needed <= self.limit.0
    }

    fn life(&mut self, handle: u32, state: State) -> usize {
        self.lives.push(Life { handle, state, frames: 0, generation: 0, created: None, ended: None });
        self.lives.len() - 1
    }

    fn create(&mut self, handle: u32, frames: usize, entry: HandleAuditEntry) {
        let newest = self.find(handle, State::Newest);
        let earlier = newest.or_else(|| self.past_of(Some(handle)).last().copied());
        let generation = earlier.map_or(0, |earlier| self.lives[earlier].generation + 1);
        newest.into_iter().for_each(|newest| self.lives[newest].state = State::Past(self.step));
        // Those too many go only when the handle is used again.
        let past = if newest.is_some() { self.past_of(Some(handle)) } else { Vec::new() };
        for &oldest in &past[..past.len().saturating_sub(self.limit.1)] {
            self.losses.past_by_count += 1;
            self.drop_life(oldest);
        }
        let ghost = self.find(handle, State::Ghost);
        // While room is made the ghost takes none.
        ghost.into_iter().for_each(|ghost| self.lives[ghost].state = State::Dropped);
        if self.make_room(trail_bytes(frames)) {
            let life = ghost.unwrap_or_else(|| self.life(handle, State::Newest));
            let created = Some(self.calls.len() as u64);
            self.lives[life] = Life { handle, state: State::Newest, frames, generation, created, ended: None };
            self.calls.push((life, AuditCall::Create, entry));
        } else {
            self.losses.refused_trails += 1;
            ghost.into_iter().for_each(|ghost| self.lives[ghost].state = State::Ghost);
        }
    }

    fn record(&mut self, call: AuditCall, handle: u32, entry: HandleAuditEntry) {
        let is_in_focus = self.focus.contains(&handle);
        let ghost = self.find(handle, State::Ghost).filter(|_| is_in_focus);
        let life = match self.find(handle, State::Newest).or(ghost) {
            Some(life) => life,
            None if !is_in_focus => return self.losses.unknown_calls += 1,
            None if self.make_room(GHOST_BYTES) => self.life(handle, State::Ghost),
            None => return self.losses.refused_calls += 1,
        };
        if call == AuditCall::Destroy && self.lives[life].state == State::Newest {
            let number = self.calls.len() as u64;
            self.lives[life].ended.get_or_insert(number);
        }
        self.calls.push((life, call, entry));
    }

    fn attempt(&mut self, handle: u32, entry: HandleAuditEntry) {
        let ghost = self.find(handle, State::Ghost);
        let newest = self.calls.iter().rfind(|(of, call, _)| Some(*of) == ghost && *call == AuditCall::Signal);
        let is_told = newest.is_some_and(|(_, _, newest)| *newest == entry);
        if is_told || !self.focus.contains(&handle) || self.find(handle, State::Newest).is_some() {
            self.losses.idle_attempts += 1;
        } else {
            self.record(AuditCall::Signal, handle, entry);
        }
    }

    /// What rings hold of an object, and how many calls they hold no longer.
    fn told(&self, life: usize) -> (Vec<(u64, AuditCall, HandleAuditEntry)>, u64) {
        let all: Vec<_> = (0..).zip(&self.calls).filter(|(_, (of, ..))| *of == life).collect();
        let stays = |at: usize, call: AuditCall| {
            let most = if call == AuditCall::Destroy { AUDIT_DESTROY_CAPACITY } else { AUDIT_RING_CAPACITY };
            all[at..].iter().filter(|(_, (_, other, _))| *other == call).count() <= most
        };
        let held = all.iter().enumerate().filter(|(at, (_, (_, call, _)))| stays(*at, *call));
        let held: Vec<_> = held.map(|(_, (number, (_, call, entry)))| (*number, *call, *entry)).collect();
        let dropped = (all.len() - held.len()) as u64;
        (held, dropped)
    }
}

/// Does the same with both, and says how many calls it was.
fn take(step: &Step, clock: u64, audit: &mut HandleAudit, naive: &mut Naive) -> u64 {
    let entry = |tid| HandleAuditEntry { cycle: clock / 3, tid, lr: 0x8200_0000, source: "x", aux: 0 };
    match *step {
        Step::Create { handle, frames } => {
            if frames == 0 {
                audit.record_create(handle, "Event/Auto", entry(1));
            } else {
                audit.record_create_with_stack(handle, "Event/Auto", entry(1), vec![(7, 8); frames]);
            }
            audit.enabled.then(|| naive.create(handle, frames, entry(1)));
            1
        }
        Step::Call { call, handle, times } => {
            let record = match call {
                AuditCall::Create | AuditCall::Signal => HandleAudit::record_signal,
                AuditCall::Wait => HandleAudit::record_wait,
                AuditCall::Wake => HandleAudit::record_wake,
                AuditCall::Destroy => HandleAudit::record_destroy,
            };
            for tid in 0..times as u32 {
                record(audit, handle, entry(tid));
                audit.enabled.then(|| naive.record(call, handle, entry(tid)));
            }
            times as u64
        }
        Step::Attempt { handle, told_before } => {
            if told_before {
                audit.record_signal(handle, entry(2));
                audit.enabled.then(|| naive.record(AuditCall::Signal, handle, entry(2)));
            }
            audit.record_signal_attempt_ghost(handle, entry(2));
            audit.enabled.then(|| naive.attempt(handle, entry(2)));
            1 + u64::from(told_before)
        }
        Step::Focus { handle, is_in } => {
            for focus in [&mut audit.focus, &mut naive.focus] {
                if is_in {
                    focus.insert(handle)
                } else {
                    focus.remove(&handle)
                };
            }
            0
        }
        Step::Enable(enabled) => {
            audit.enabled = enabled;
            0
        }
        Step::Limit { halves, past } => {
            naive.limit = (halves * trail_bytes(0) / 2, past);
            (audit.limits.bytes, audit.limits.past) = naive.limit;
            0
        }
    }
}

fn plain(timeline: Vec<Moment<'_>>) -> Vec<(u64, AuditCall, HandleAuditEntry)> {
    timeline.into_iter().map(|moment| (moment.sequence, moment.call, *moment.entry)).collect()
}

/// Wants every object told as the one that kept everything tells it, and no other.
fn compare(audit: &HandleAudit, naive: &Naive) {
    let mut held = 0;
    for (at, life) in naive.lives.iter().enumerate().filter(|(_, life)| life.state != State::Dropped) {
        held += 1;
        let told = naive.told(at);
        if life.state == State::Ghost {
            let ghost = &audit.ghost_trails[&life.handle];
            assert_eq!((plain(ghost.timeline()), ghost.dropped()), told);
            continue;
        }
        let trail = match life.state {
            State::Newest => &audit.trails[&life.handle],
            _ => audit.past.of(life.handle).find(|trail| trail.generation == life.generation).expect("it is held"),
        };
        assert_eq!((plain(trail.timeline()), trail.dropped()), told);
        assert_eq!((Some(trail.created_sequence), trail.generation), (life.created, life.generation));
        assert_eq!((trail.is_destroyed(), trail.created_stack.len()), (life.ended.is_some(), life.frames));
    }
    assert_eq!(audit.trails.len() + audit.past.len() + audit.ghost_trails.len(), held);
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let handle = || (1..6_u32).prop_map(|handle| 4 * handle);
    let call = prop_oneof![
        3 => Just(AuditCall::Signal),
        2 => Just(AuditCall::Wait),
        2 => Just(AuditCall::Wake),
        2 => Just(AuditCall::Destroy),
    ];
    let times = prop_oneof![4 => 1..4_usize, 1 => 25..80_usize];
    let frames = prop_oneof![4 => Just(0_usize), 1 => 1..4_usize, 1 => 500..3_000_usize];
    let step = prop_oneof![
        8 => (handle(), frames).prop_map(|(handle, frames)| Step::Create { handle, frames }),
        14 => (call, handle(), times).prop_map(|(call, handle, times)| Step::Call { call, handle, times }),
        3 => (handle(), any::<bool>()).prop_map(|(handle, told_before)| Step::Attempt { handle, told_before }),
        3 => (handle(), any::<bool>()).prop_map(|(handle, is_in)| Step::Focus { handle, is_in }),
        1 => prop::bool::weighted(0.8).prop_map(Step::Enable),
        1 => (0..24_usize, 0..4_usize).prop_map(|(halves, past)| Step::Limit { halves, past }),
    ];
    prop::collection::vec(step, 0..120)
}

/// Holds a table to the naive one over some steps, and gives what it lost.
fn hold(steps: &[Step]) -> AuditLosses {
    let mut naive = Naive { limit: (12 * trail_bytes(0), 2), ..Naive::default() };
    let mut audit = HandleAudit { enabled: true, ..HandleAudit::default() };
    (audit.limits.bytes, audit.limits.past) = naive.limit;
    let mut made = 0;
    for (clock, step) in (0..).zip(steps) {
        naive.step += 1;
        made += take(step, clock, &mut audit, &mut naive) * u64::from(audit.enabled);
        assert_eq!((audit.losses, audit.recorded()), (naive.losses, naive.calls.len() as u64), "{step:?}");
        assert_eq!(audit.bytes(), naive.bytes(), "{step:?}");
        let trails = audit.trails.values().chain(audit.past.iter().map(|(_, trail)| trail));
        let held = trails.map(|trail| trail.recorded()).sum::<u64>();
        let ghosts = audit.ghost_trails.values().map(|ghost| ghost.recorded()).sum::<u64>();
        assert_eq!(held + ghosts + audit.losses.calls(), made, "every call is counted once: {step:?}");
    }
    compare(&audit, &naive);
    audit.losses
}

proptest! {
    #[test]
    fn the_table_tells_what_one_that_keeps_every_call_tells(steps in steps()) {
        hold(&steps);
    }
}

#[test]
fn such_steps_lose_in_every_way() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut lost = AuditLosses::default();
    for _ in 0..100 {
        let of = hold(&steps().new_tree(&mut runner).unwrap().current());
        lost.unknown_calls += of.unknown_calls;
        lost.idle_attempts += of.idle_attempts;
        lost.refused_trails += of.refused_trails;
        lost.refused_calls += of.refused_calls;
        lost.past_by_count += of.past_by_count;
        lost.past_by_bytes += of.past_by_bytes;
        lost.destroyed_by_bytes += of.destroyed_by_bytes;
    }
    let AuditLosses { unknown_calls, idle_attempts, refused_trails, refused_calls, .. } = lost;
    for (way, calls) in [unknown_calls, idle_attempts, refused_trails, refused_calls].into_iter().enumerate() {
        assert!(calls > 20, "way {way}: {lost:?}");
    }
    assert!(lost.past_by_count > 20 && lost.past_by_bytes > 20 && lost.destroyed_by_bytes > 20, "{lost:?}");
}
