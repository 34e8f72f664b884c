//! The engine's table held to one that keeps every call there ever was and looks through all of them.

use std::collections::HashSet;
use std::sync::LazyLock;

use forkpoint::audit::{
    AUDIT_DESTROY_CAPACITY, AUDIT_RING_CAPACITY, AuditCall, AuditLosses, HandleAudit, HandleAuditEntry, Moment,
};

/// What is done with a table.
#[derive(Clone, Debug)]
pub enum Step {
    Create { handle: u32, frames: usize },
    Call { call: AuditCall, handle: u32, times: usize },
    Attempt { handle: u32, told_before: bool },
    Focus { handle: u32, is_in: bool },
    Enable(bool),
    Limit { halves: usize, past: usize },
}

/// What a ghost trail takes, and a trail without a stack, as the table says.
static BYTES: LazyLock<(usize, usize)> = LazyLock::new(|| {
    let entry = HandleAuditEntry { cycle: 0, tid: 1, lr: 0, source: "x", aux: 0 };
    let mut audit = HandleAudit { enabled: true, focus: HashSet::from([4]), ..HandleAudit::default() };
    audit.record_signal(4, entry);
    let ghost = audit.bytes();
    audit.record_create(4, "Event/Auto", entry);
    (ghost, audit.bytes())
});

fn trail_bytes(frames: usize) -> usize {
    BYTES.1 + frames * size_of::<(u32, u32)>()
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
            State::Ghost => BYTES.0,
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
            None if self.make_room(BYTES.0) => self.life(handle, State::Ghost),
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

/// Steps as what draws numbers below a limit has them.
pub fn steps(count: usize, mut draw: impl FnMut(u64) -> u64) -> Vec<Step> {
    (0..count).map(|_| step(&mut draw)).collect()
}

fn step(draw: &mut impl FnMut(u64) -> u64) -> Step {
    let choice = draw(30);
    let handle = 4 * (1 + draw(5) as u32);
    match choice {
        0..8 => Step::Create {
            handle,
            frames: match draw(6) {
                0..4 => 0,
                4 => 1 + draw(3) as usize,
                _ => 500 + 10 * draw(250) as usize,
            },
        },
        8..22 => Step::Call {
            call: match draw(9) {
                0..3 => AuditCall::Signal,
                3..5 => AuditCall::Wait,
                5..7 => AuditCall::Wake,
                _ => AuditCall::Destroy,
            },
            handle,
            times: if draw(5) < 4 { 1 + draw(3) as usize } else { 25 + draw(55) as usize },
        },
        22..25 => Step::Attempt { handle, told_before: draw(2) == 1 },
        25..28 => Step::Focus { handle, is_in: draw(2) == 1 },
        28 => Step::Enable(draw(5) < 4),
        _ => Step::Limit { halves: draw(24) as usize, past: draw(4) as usize },
    }
}

/// Holds a table to the naive one over some steps, and gives what it lost.
pub fn hold(steps: &[Step]) -> AuditLosses {
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
