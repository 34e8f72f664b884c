//! Signals and exits: the logs are written, then everything goes as it would have gone.
//!
//! The handler calls [`ends::write_all`], which takes what was published out of the rings by the same code as ever:
//! atomics, `write`, short sleeps, no allocation, and locks that are only tried. So that the interrupted thread cannot be the
//! one that holds them, whoever takes such a lock keeps these signals away meanwhile ([`held`]), and the writer thread
//! keeps them away always. A thread that is interrupted while it records has published its last whole line before, or will not
//! have published the next one: there is nothing torn to be seen.
//!
//! All signals of the list are kept away while the handler runs, so that it is not interrupted by itself. It runs on the
//! thread's alternate stack if there is one, and needs little of it.
#![allow(unsafe_code)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::ends;

/// Signals that somebody sends.
const SENT: [libc::c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Signals of a fault.
const FAULTS: [libc::c_int; 5] = [libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGSEGV];

/// What was there before, by the signal's number.
static PREVIOUS: [OnceLock<libc::sigaction>; 32] = [const { OnceLock::new() }; 32];

/// A lock that is held, and no signal of the list comes meanwhile.
pub(super) struct Held<'a, T> {
    // Dropped first: signals that waited come when the lock is free.
    guard: MutexGuard<'a, T>,
    _calm: Calm,
}

/// Takes a lock that a signal handler may try for.
pub(super) fn held<T>(lock: &Mutex<T>) -> Held<'_, T> {
    let calm = Calm::begin();
    Held { guard: lock.lock().unwrap_or_else(PoisonError::into_inner), _calm: calm }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// Keeps the signals of the list away from this thread until dropped.
struct Calm {
    before: libc::sigset_t,
}

impl Calm {
    fn begin() -> Calm {
        let all = all_signals();
        let mut before = all;
        // SAFETY: both sets are valid for the call, which changes this thread's mask only.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before) };
        Calm { before }
    }
}

impl Drop for Calm {
    fn drop(&mut self) {
        // SAFETY: the mask that this thread had; guards are dropped in reverse order, and stay on their thread.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, ptr::null_mut()) };
    }
}

/// Keeps the signals of the list away from this thread for good.
pub(super) fn stay_away() {
    mem::forget(Calm::begin());
}

fn all_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` makes any memory of its size a valid set; the signals are known to the system.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in SENT.into_iter().chain(FAULTS) {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Installs the handler for each signal of the list; once is enough, more is harmless.
pub(super) fn watch_signals() -> io::Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    SENT.into_iter().chain(FAULTS).try_for_each(watch)
}

fn watch(signal: libc::c_int) -> io::Result<()> {
    let before = change(signal, None)?;
    let is_ignored = before.sa_sigaction == libc::SIG_IGN && SENT.contains(&signal);
    if is_ignored || before.sa_sigaction == on_signal as *const () as usize {
        return Ok(());
    }
    // Kept before the handler can run. Should somebody replace it and call us again, the first one met stays: theirs may
    // hand on to ours, and the two must not call each other for ever.
    PREVIOUS[signal as usize].get_or_init(|| before);
    let mut action = before;
    action.sa_sigaction = on_signal as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    action.sa_mask = all_signals();
    change(signal, Some(&action)).map(drop)
}

/// Sets what a signal does, if anything is given; returns what it did before.
fn change(signal: libc::c_int, action: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the new action is null or valid, the old one has room; our handler does only what a handler may (see above).
    let done = unsafe { libc::sigaction(signal, action.map_or(ptr::null(), ptr::from_ref), before.as_mut_ptr()) };
    match done {
        // SAFETY: the call has filled it in, and all zeros would be a valid action too.
        0 => Ok(unsafe { before.assume_init() }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The handler.
extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a valid siginfo. What a terminal sends has a code above 0, like a fault.
    let was_sent = SENT.contains(&signal) || unsafe { (*info).si_code } <= 0;
    let before = PREVIOUS[signal as usize].get();
    let handler = before.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
    // A fault cannot be ignored: returning to it with our handler in place would go round for ever.
    let is_last = handler == libc::SIG_DFL || handler == libc::SIG_IGN && !was_sent;
    write_all(is_last);
    if is_last {
        die(signal, was_sent);
    } else if let Some(before) = before.filter(|_| handler != libc::SIG_IGN) {
        call(before, signal, info, context);
        // The handler of the standard library, and those of many others, leave a fault that they do not know to the default
        // action, and return to it.
        if !was_sent && change(signal, None).is_ok_and(|now| now.sa_sigaction == libc::SIG_DFL) {
            write_all(true);
        }
    }
}

fn write_all(is_last: bool) {
    // SAFETY: errno is the thread's own; it is put back because the interrupted code may be about to read it.
    let errno = unsafe { *libc::__errno_location() };
    ends::write_all(is_last);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Goes back to the default action. A fault happens again on return and ends the process with the right core; a signal
/// that was sent is raised again, delivered on return.
fn die(signal: libc::c_int, was_sent: bool) {
    // SAFETY: both may be called in a handler.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        if was_sent {
            libc::raise(signal);
        }
    }
}

/// Calls the handler that was there before.
fn call(before: &libc::sigaction, signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the handler came from sigaction, whose flag says which of the two shapes it has.
    unsafe {
        if before.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                mem::transmute(before.sa_sigaction);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = mem::transmute(before.sa_sigaction);
            handler(signal);
        }
    }
}

/// Has the logs written at exit; once is enough, more is harmless.
pub(super) fn watch_exit() -> io::Result<()> {
    static WATCHING: Mutex<bool> = Mutex::new(false);
    let mut is_watching = WATCHING.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_watching {
        // SAFETY: the function has the shape that is asked for, does not unwind, and stays where it is until the end of
        // the process (of a library that is unloaded, the system calls it then).
        if unsafe { libc::atexit(on_exit) } != 0 {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        *is_watching = true;
    }
    Ok(())
}

extern "C" fn on_exit() {
    ends::write_all(true);
}
