//! Ctrl-C and its like: what is half done is taken back, then the signal ends the process as if nobody had caught it.
//!
//! A shell thus sees what it sees of every other tool (130 for Ctrl-C, and its loop stops). Each thing that may be half
//! done stands under a lock of its own; a thread of ours takes these locks and never lets go, so nothing begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use super::{output, progress};
use crate::disk;

/// The signals that ask a process to end. SIGQUIT stays the way to a core dump.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Watches for the signals that ask the process to end: it does, as soon as what is half done is taken back.
pub fn watch() {
    listen(|signal| {
        take_back();
        let _ = low_level::emulate_default_handler(signal);
    });
}

/// The same for who has something to bring to an end instead: `act` is told the signal's name, and ends the process in its own way.
pub fn hand_to(act: impl FnOnce(&'static str) + Send + 'static) {
    listen(|signal| {
        act(match signal {
            SIGINT => "INT",
            SIGTERM => "TERM",
            _ => "HUP",
        });
    });
}

/// Waits for the first of these signals; a second one ends the process at once. A signal the caller lets be ignored (`nohup`, a job in the
/// background) stays ignored; where no watch can be set up, signals end the process as they always do.
fn listen(act: impl FnOnce(i32) + Send + 'static) {
    // A file that grows past the user's limit is then a failed write that can be told, and no signal.
    let _ = flag::register(SIGXFSZ, Arc::default());
    let Some(ignored) = ignored_signals() else { return };
    let ending = ENDING.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let ends_at_once = Arc::new(AtomicBool::new(false));
    let Ok(mut signals) = Signals::new([0; 0]) else { return };
    for signal in ending {
        // In this order: once the flag is raised the signal does what it does by default.
        if flag::register_conditional_default(signal, Arc::clone(&ends_at_once)).is_err()
            || signals.add_signal(signal).is_err()
        {
            return ends_at_once.store(true, Ordering::Relaxed);
        }
    }
    let flag = Arc::clone(&ends_at_once);
    let waits = move || {
        if let Some(signal) = signals.forever().next() {
            // Whoever is in a hurry asks twice.
            flag.store(true, Ordering::Relaxed);
            act(signal);
        }
    };
    if thread::Builder::new().name("forkpoint-signals".into()).stack_size(STACK_BYTES).spawn(waits).is_err() {
        ends_at_once.store(true, Ordering::Relaxed);
    }
}

/// The thread only waits, and cleans up once.
const STACK_BYTES: usize = 256 << 10;

/// What must not stay half done.
fn take_back() {
    disk::abandon();
    output::silence();
    progress::clear();
}

/// A bit for each signal that is ignored, signal 1 first.
fn ignored_signals() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_programs_ignore_closed_pipes_and_nothing_that_ends_them() {
        let ignored = ignored_signals().unwrap();
        assert_eq!(ignored >> (signal_hook::consts::SIGPIPE - 1) & 1, 1, "{ignored:x}");
        assert_eq!(ignored >> (signal_hook::consts::SIGSEGV - 1) & 1, 0, "{ignored:x}");
    }
}
