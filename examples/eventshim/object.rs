//! One thing that threads wait for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    Manual,
    Auto,
    /// How often it can be taken at first.
    Semaphore(u32),
    Mutant,
    Thread,
}

impl Make {
    /// The function that makes it, the type of the object, and what the function is told.
    pub fn made(self) -> (&'static str, &'static str, String) {
        match self {
            Make::Manual => ("NtCreateEvent", "Event", "\"event_type\":0,\"initial_state\":false".to_owned()),
            Make::Auto => ("NtCreateEvent", "Event", "\"event_type\":1,\"initial_state\":false".to_owned()),
            Make::Semaphore(count) => ("NtCreateSemaphore", "Semaphore", format!("\"initial_count\":{count}")),
            Make::Mutant => ("NtCreateMutant", "Mutant", "\"initial_owner\":false".to_owned()),
            Make::Thread => ("ExCreateThread", "Thread", String::new()),
        }
    }
}

/// How it stands.
#[derive(Default)]
pub struct State {
    pub available: u32,
    /// Of a mutant: who has it, and how often.
    pub owner: Option<(u64, u32)>,
    /// How often a manual-reset event was set: whoever waited then goes on, though it was reset since.
    pub sets: u64,
}

pub struct Object {
    pub id: String,
    pub raw: u64,
    pub make: Make,
    state: Mutex<State>,
    pub changed: Condvar,
}

impl Object {
    pub fn new(id: &str, raw: u64, make: Make) -> Object {
        let available = if let Make::Semaphore(count) = make { count } else { 0 };
        let state = Mutex::new(State { available, ..State::default() });
        Object { id: id.to_owned(), raw, make, state, changed: Condvar::new() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives way until something has changed.
    pub fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a thread goes on that has waited since the event had been set so often.
    pub fn gives(&self, state: &State, tid: u64, sets: u64) -> bool {
        match self.make {
            Make::Mutant => state.owner.is_none_or(|(owner, _)| owner == tid),
            Make::Manual => state.available > 0 || state.sets > sets,
            _ => state.available > 0,
        }
    }

    pub fn take(&self, state: &mut State, tid: u64) {
        match self.make {
            Make::Manual | Make::Thread => {}
            Make::Auto | Make::Semaphore(_) => state.available -= 1,
            Make::Mutant => state.owner = Some((tid, state.owner.map_or(1, |(_, depth)| depth + 1))),
        }
    }

    /// It is set, released, or has ended.
    pub fn signal(&self, state: &mut State, tid: u64) {
        match self.make {
            Make::Semaphore(_) => state.available += 1,
            Make::Mutant => {
                let (owner, depth) = state.owner.expect("a mutant that is released is somebody's");
                assert_eq!(owner, tid, "{} is released by who does not have it", self.id);
                state.owner = (depth > 1).then_some((owner, depth - 1));
            }
            _ => {
                state.available = 1;
                state.sets += 1;
            }
        }
    }
}
