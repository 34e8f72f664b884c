//! Calls as a kernel of the Nt family has them, made of `Mutex` and `Condvar`.
//!
//! The log tells the truth about order: whatever changes an object, or begins to wait for it, is written under that object's lock, and
//! before it takes effect. A wait's end is written by the thread that goes on, when it does. So another thread may have been
//! given the same object meanwhile, and may say so first.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use super::log::Log;
use super::object::{Make, Object};
use super::outcome::{LeftOut, Parked, Signal};

/// What threads wait for is called so.
pub type Handle = u64;

/// The run is over: nobody can go on any more.
pub struct Over;

/// Where a thread stands.
#[derive(Default)]
struct Seat {
    name: String,
    wait: Option<Wait>,
    has_ended: bool,
}

/// What a thread waits for, since which line, and how often the event had been set then.
#[derive(Clone)]
struct Wait {
    object: Arc<Object>,
    sets: u64,
    line: u64,
}

pub struct Shim {
    log: Log,
    objects: Mutex<BTreeMap<Handle, Arc<Object>>>,
    seats: Mutex<BTreeMap<u64, Seat>>,
    /// The call that is forgotten.
    forgotten: Option<Signal>,
    left_out: Mutex<Option<LeftOut>>,
    is_over: AtomicBool,
}

const FIRST_TID: u64 = 4;
const FIRST_RAW: Handle = 0xF800_0010;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shim {
    pub fn new(forgotten: Option<Signal>) -> Shim {
        Shim {
            log: Log::new(),
            objects: Mutex::default(),
            seats: Mutex::default(),
            forgotten,
            left_out: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Runs a program from its first thread on, until all threads have ended or none can go on: who waits for what then.
    pub fn run<'e>(
        &'e self,
        main: impl for<'s> FnOnce(&Me<'s>, &'s Scope<'s, 'e>) -> Result<(), Over> + Send + 'e,
    ) -> Vec<Parked> {
        std::thread::scope(|scope| {
            let me = self.sit("main");
            scope.spawn(move || {
                if main(&me, scope).is_ok() {
                    me.event("thread.exit", None, "{\"exit_code\":0}");
                }
            });
            while !locked(&self.seats).values().all(|seat| seat.has_ended) {
                if self.is_stuck() {
                    return self.give_up();
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            Vec::new()
        })
    }

    /// A place for a new thread.
    fn sit(&self, name: &str) -> Me<'_> {
        let mut seats = locked(&self.seats);
        let tid = FIRST_TID + seats.len() as u64;
        seats.insert(tid, Seat { name: name.to_owned(), ..Seat::default() });
        Me { shim: self, tid, name: name.to_owned(), index: Cell::new(0), signals: RefCell::default() }
    }

    /// No thread can go on: each waits for what it is not given, and nothing was written while that was looked at. Whoever went on
    /// after it was looked at was signalled by a thread that had not been, and that signal is in the log.
    fn is_stuck(&self) -> bool {
        let before = self.log.lines();
        let alive: Vec<(u64, Option<Wait>)> = {
            let seats = locked(&self.seats);
            seats.iter().filter(|(_, seat)| !seat.has_ended).map(|(tid, seat)| (*tid, seat.wait.clone())).collect()
        };
        let is_held = |(tid, wait): &(u64, Option<Wait>)| {
            let Some(wait) = wait else { return false };
            let state = wait.object.lock();
            let seats = locked(&self.seats);
            let now = seats[tid].wait.as_ref();
            now.is_some_and(|now| now.line == wait.line) && !wait.object.gives(&state, *tid, wait.sets)
        };
        !alive.is_empty() && alive.iter().all(is_held) && self.log.lines() == before
    }

    /// Ends the run: all threads that wait go home without a word.
    fn give_up(&self) -> Vec<Parked> {
        self.is_over.store(true, Ordering::SeqCst);
        let waits: Vec<(u64, String, Wait)> = {
            let seats = locked(&self.seats);
            let waits = seats.iter().filter_map(|(tid, seat)| Some((*tid, seat.name.clone(), seat.wait.clone()?)));
            waits.collect()
        };
        let parked = |(tid, thread, wait): (u64, String, Wait)| {
            let _state = wait.object.lock();
            wait.object.changed.notify_all();
            Parked { tid, thread, object: wait.object.id.clone(), line: wait.line }
        };
        waits.into_iter().map(parked).collect()
    }

    pub fn log(&self) -> String {
        self.log.take()
    }

    pub fn left_out(&self) -> Option<LeftOut> {
        locked(&self.left_out).take()
    }

    fn object(&self, handle: Handle) -> Arc<Object> {
        Arc::clone(&locked(&self.objects)[&handle])
    }

    fn make(&self, id: &str, make: Make) -> Arc<Object> {
        let mut objects = locked(&self.objects);
        // The lowest handle that is free, as kernels have it.
        let raw = (FIRST_RAW..).step_by(4).find(|raw| !objects.contains_key(raw)).expect("handles are many");
        let object = Arc::new(Object::new(id, raw, make));
        objects.insert(raw, Arc::clone(&object));
        object
    }
}

/// A thread, as it calls the shim.
pub struct Me<'s> {
    shim: &'s Shim,
    tid: u64,
    name: String,
    index: Cell<u64>,
    /// How often it has signalled each object.
    signals: RefCell<BTreeMap<String, u64>>,
}

impl<'s> Me<'s> {
    fn event(&self, kind: &str, from: Option<&Location<'_>>, payload: &str) -> u64 {
        let index = self.index.get();
        self.index.set(index + 1);
        self.shim.log.event(self.tid, index, kind, from, payload)
    }

    fn call(&self, name: &str, from: &Location<'_>, args: &str) -> u64 {
        self.event("kernel.call", Some(from), &format!("{{\"name\":\"{name}\",\"args\":{{{args}}}}}"))
    }

    fn returns(&self, name: &str) {
        self.event("kernel.return", None, &format!("{{\"name\":\"{name}\",\"return_value\":0}}"));
    }

    #[track_caller]
    pub fn create(&self, id: &str, make: Make) -> Handle {
        let (name, of, args) = make.made();
        self.call(name, Location::caller(), &args);
        let raw = self.shim.make(id, make).raw;
        let ids = format!("\"handle_semantic_id\":\"{id}\",\"raw_handle_id\":{raw}");
        self.event("handle.create", None, &format!("{{{ids},\"object_type\":\"{of}\"}}"));
        self.returns(name);
        raw
    }

    /// Starts another thread; the handle by which its end is waited for.
    #[track_caller]
    pub fn start<'e>(
        &self,
        scope: &'s Scope<'s, 'e>,
        name: &str,
        body: impl FnOnce(&Me<'s>) -> Result<(), Over> + Send + 's,
    ) -> Handle {
        let (function, _, args) = Make::Thread.made();
        self.call(function, Location::caller(), &args);
        let id = format!("thread:{name}");
        let object = self.shim.make(&id, Make::Thread);
        let (raw, other) = (object.raw, self.shim.sit(name));
        let ids = format!("\"handle_semantic_id\":\"{id}\",\"raw_handle_id\":{raw}");
        self.event("thread.create", None, &format!("{{\"name\":\"{name}\",\"tid\":{},{ids}}}", other.tid));
        self.returns(function);
        scope.spawn(move || {
            if body(&other).is_ok() {
                let mut state = object.lock();
                other.event("thread.exit", None, "{\"exit_code\":0}");
                object.signal(&mut state, other.tid);
                object.changed.notify_all();
            }
        });
        raw
    }

    #[track_caller]
    pub fn wait(&self, handle: Handle) -> Result<(), Over> {
        const NAME: &str = "NtWaitForSingleObjectEx";
        let object = self.shim.object(handle);
        let mut state = object.lock();
        let args = format!("\"handle\":{handle},\"timeout_ms\":null,\"alertable\":false");
        let line = self.call(NAME, Location::caller(), &args);
        let id = format!("\"handle_semantic_id\":\"{}\"", object.id);
        self.event("wait.begin", None, &format!("{{{id},\"timeout_ms\":null,\"alertable\":false}}"));
        let sets = state.sets;
        let park = |wait: Option<Wait>| {
            if let Some(seat) = locked(&self.shim.seats).get_mut(&self.tid) {
                seat.wait = wait;
            }
        };
        if !object.gives(&state, self.tid, sets) {
            park(Some(Wait { object: Arc::clone(&object), sets, line }));
            while !object.gives(&state, self.tid, sets) {
                state = object.wait(state);
                if self.shim.is_over.load(Ordering::SeqCst) {
                    return Err(Over);
                }
            }
            park(None);
        }
        object.take(&mut state, self.tid);
        drop(state);
        self.event("wait.end", None, &format!("{{{id},\"wait_result\":0}}"));
        self.returns(NAME);
        Ok(())
    }

    /// Sets an event, releases a semaphore or a mutant. The one call that is forgotten is neither done nor written.
    #[track_caller]
    pub fn signal(&self, handle: Handle) {
        let from = Location::caller();
        let object = self.shim.object(handle);
        let name = match object.make {
            Make::Semaphore(_) => "NtReleaseSemaphore",
            Make::Mutant => "NtReleaseMutant",
            _ => "NtSetEvent",
        };
        let turn = {
            let mut signals = self.signals.borrow_mut();
            let turn = signals.entry(object.id.clone()).or_default();
            *turn += 1;
            *turn
        };
        let is_it = |one: &&Signal| (&*one.thread, &*one.object, one.turn) == (&*self.name, &*object.id, turn);
        if let Some(signal) = self.shim.forgotten.as_ref().filter(is_it) {
            let left_out = LeftOut { signal: signal.clone(), tid: self.tid, function: name, line: from.line() };
            *locked(&self.shim.left_out) = Some(left_out);
            return;
        }
        let mut state = object.lock();
        let count = if matches!(object.make, Make::Semaphore(_)) { ",\"release_count\":1" } else { "" };
        self.call(name, from, &format!("\"handle\":{handle}{count}"));
        object.signal(&mut state, self.tid);
        object.changed.notify_all();
        drop(state);
        self.returns(name);
    }

    /// Resets an event.
    #[track_caller]
    pub fn clear(&self, handle: Handle) {
        let object = self.shim.object(handle);
        let mut state = object.lock();
        self.call("NtClearEvent", Location::caller(), &format!("\"handle\":{handle}"));
        state.available = 0;
        drop(state);
        self.returns("NtClearEvent");
    }

    #[track_caller]
    pub fn close(&self, handle: Handle) {
        let object = self.shim.object(handle);
        self.call("NtClose", Location::caller(), &format!("\"handle\":{handle}"));
        let ids = format!("\"handle_semantic_id\":\"{}\",\"raw_handle_id\":{handle}", object.id);
        self.event("handle.destroy", None, &format!("{{{ids}}}"));
        locked(&self.shim.objects).remove(&handle);
        self.returns("NtClose");
    }
}

impl Drop for Me<'_> {
    /// Also where it panics: then the others wait for it, which is seen.
    fn drop(&mut self) {
        if let Some(seat) = locked(&self.shim.seats).get_mut(&self.tid) {
            seat.has_ended = true;
        }
    }
}
