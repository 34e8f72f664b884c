//! Signals and exits: the logs are written, then everything goes as it would have gone.
//!
//! The handler asks each log's writer thread to write all that was published and waits for it ([`ends::plead_all`]): it sets atomics, wakes
//! that thread, sleeps, and tries for one lock. It could take the rings out itself, by the same code, and did; but an alternate
//! stack has 8 KiB, of which a processor's registers take half, and a build without optimisation overflows the rest. The
//! writer thread has a stack, is healthy whatever happened to the one that was interrupted, and needs no allocator.
//!
//! So that nobody waits for the interrupted thread itself, whoever takes a lock of a log keeps these signals away meanwhile
//! ([`held`]); the writer thread keeps them away always. A thread that is interrupted while it records has published its
//! last whole line before, or will not have published the next one: there is nothing torn to be seen. All signals of the
//! list are kept away while the handler runs, so that it is not interrupted by itself.
#![allow(unsafe_code)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::ends;
use super::outlet::Seal;

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
    if is_last {
        calmly(|| ends::plead_all(true, true));
        die(signal, was_sent);
    } else if was_sent {
        calmly(|| ends::plead_all(false, false));
        if let Some(before) = before.filter(|_| handler != libc::SIG_IGN) {
            call(before, signal, info, context);
        }
        // Handlers of a fault, the standard library's among them, put the default action back and return, for the fault
        // to happen again; one that was sent does not. Of other signals, such a handler means: the next one ends it.
        if FAULTS.contains(&signal) && is_left(signal) {
            calmly(|| ends::plead_all(true, true));
            die(signal, true);
        }
    } else if let Some(before) = before {
        fault(before, signal, info, context);
    }
}

/// A fault that a handler was there for before: only that one knows whether it is the end.
fn fault(before: &libc::sigaction, signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    calmly(|| ends::plead_all(false, true));
    // If it aborts, all is written already. To be called once more for that would take more room on an alternate stack
    // than the standard library makes.
    let abort = without_handler(libc::SIGABRT);
    call(before, signal, info, context);
    if let Some(abort) = abort {
        let _ = change(libc::SIGABRT, Some(&abort));
    }
    calmly(|| if is_left(signal) { ends::plead_all(true, true) } else { ends::go_on() });
}

/// Whether a signal is left to the default action: what the standard library's handler, and those of many others, do with
/// a fault that they do not know before they return to it.
fn is_left(signal: libc::c_int) -> bool {
    change(signal, None).is_ok_and(|now| now.sa_sigaction == libc::SIG_DFL)
}

/// Takes our handler away from a signal that nobody else had one for; the action to be put back.
fn without_handler(signal: libc::c_int) -> Option<libc::sigaction> {
    let before = PREVIOUS[signal as usize].get().filter(|before| before.sa_sigaction == libc::SIG_DFL)?;
    change(signal, Some(before)).ok()
}

/// Does something that may change errno, and puts that back: the interrupted code may be about to read it.
fn calmly(what: impl FnOnce()) {
    // SAFETY: errno is the thread's own.
    let errno = unsafe { *libc::__errno_location() };
    what();
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
    ends::write_all(Seal::ForGood);
}
