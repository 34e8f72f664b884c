//! The ends of a process that nobody plans: which logs are to be written then, and by what.

use std::panic;
use std::sync::{Arc, Mutex, Once};

use super::outlet::Seal;
use super::shared::{Shared, soon};
use super::signals::held;

/// Logs of which one asked to be written at some end. They are written at whatever end is watched.
static LOGS: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

/// Puts a log among them.
pub(super) fn keep(log: &Arc<Shared>) {
    let mut logs = held(&LOGS);
    if !logs.iter().any(|kept| Arc::ptr_eq(kept, log)) {
        logs.push(Arc::clone(log));
    }
}

/// Takes out a log that has ended.
pub(super) fn forget(log: &Arc<Shared>) {
    held(&LOGS).retain(|kept| !Arc::ptr_eq(kept, log));
}

/// Writes all of them, on this thread.
pub(super) fn write_all(seal: Seal) {
    if let Some(logs) = soon(&LOGS) {
        logs.iter().for_each(|log| log.last_words(seal));
    }
}

/// Has all of them written by their writer threads: in a signal handler.
pub(super) fn plead_all(is_last: bool, may_be_last: bool) {
    if let Some(logs) = soon(&LOGS) {
        let seal = if is_last { 2 } else { u8::from(may_be_last) };
        logs.iter().for_each(|log| log.plead(seal));
    }
}

/// The process goes on.
pub(super) fn go_on() {
    if let Some(logs) = soon(&LOGS) {
        logs.iter().for_each(|log| log.go_on());
    }
}

/// Has them written at every panic, once for the whole process.
pub(super) fn watch_panics() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        let before = panic::take_hook();
        // First, for the hook that was there may end the process. A panic that aborts is the last that is heard of it.
        panic::set_hook(Box::new(move |panic| {
            write_all(if cfg!(panic = "abort") { Seal::ForGood } else { Seal::No });
            before(panic);
        }));
    });
}
