//! What the writer thread, recording threads and a dying process know of a log; and what the writer thread does.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rustix::process::{Pid, getpid};

use super::options::{Options, Tid};
use super::outlet::{Counts, Outlet, Seal, Track};
use super::signals::{self, Held, held};

/// Who has written so many bytes at once does not sleep before the next look.
const BUSY_BYTES: u64 = 64 << 10;

/// How long a dying process waits for who is just writing.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the writer thread and dying processes know of a log.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) start: Instant,
    /// A process that was forked off has the rings, not the writer: it must not write them once more.
    process: Pid,
    /// Locked before `register`, where both are.
    pub(super) outlet: Mutex<Outlet>,
    pub(super) register: Mutex<Register>,
    pub(super) counts: Arc<Counts>,
    pub(super) is_ending: AtomicBool,
    /// The writer thread, to be woken without a lock.
    pub(super) writer: OnceLock<Thread>,
    plea: Plea,
}

/// What a signal handler asks of the writer thread. It only sets and reads this and wakes the writer: what it does itself must fit on an alternate
/// stack, of which a processor's registers may have taken half.
#[derive(Debug, Default)]
struct Plea {
    /// How often it was asked, and how often that was done.
    asked: AtomicU64,
    done: AtomicU64,
    /// The asked-for [`Seal`]: 0 none, 1 for a while, 2 for good.
    seal: AtomicU8,
}

/// Who records.
#[derive(Default)]
pub(super) struct Register {
    /// Rings that the outlet has not taken over yet: a new thread need not wait for a write.
    pub(super) fresh: Vec<Track>,
    pub(super) tids: BTreeSet<Tid>,
    pub(super) finished: bool,
}

impl Plea {
    fn seal(&self) -> Seal {
        match self.seal.load(Ordering::Relaxed) {
            0 => Seal::No,
            1 => Seal::Until(Instant::now() + PATIENCE),
            _ => Seal::ForGood,
        }
    }
}

impl Shared {
    pub(super) fn new(file: File, options: Options) -> Shared {
        let counts = Arc::new(Counts::default());
        Shared {
            options,
            start: Instant::now(),
            process: getpid(),
            outlet: Mutex::new(Outlet::new(file, Arc::clone(&counts))),
            register: Mutex::default(),
            counts,
            is_ending: AtomicBool::new(false),
            writer: OnceLock::new(),
            plea: Plea::default(),
        }
    }

    /// What the writer thread does.
    pub(super) fn write_on(&self) {
        signals::stay_away();
        let mut bytes = 0;
        while !self.is_ending.load(Ordering::Acquire) {
            // While much comes there is more by now; to be woken for it would take longer than to look.
            let before = std::mem::replace(&mut bytes, self.counts.bytes.load(Ordering::Relaxed));
            if bytes - before < BUSY_BYTES {
                thread::park_timeout(self.options.write_every);
            }
            let asked = self.plea.asked.load(Ordering::Acquire);
            if asked == self.plea.done.load(Ordering::Relaxed) {
                drop(self.drain());
            } else {
                self.last_words(self.plea.seal());
                self.plea.done.store(asked, Ordering::Release);
            }
        }
    }

    pub(super) fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    pub(super) fn drain(&self) -> Held<'_, Outlet> {
        let mut outlet = held(&self.outlet);
        if !self.is_of_another_process() {
            outlet.tracks.append(&mut held(&self.register).fresh);
            outlet.drain();
        }
        outlet
    }

    pub(super) fn close(&self) {
        let mut outlet = held(&self.outlet);
        let mut register = held(&self.register);
        register.finished = true;
        outlet.tracks.append(&mut register.fresh);
        drop(register);
        outlet.close();
        // There is no writer any more, and nothing left to do for it.
        self.plea.done.store(u64::MAX, Ordering::Release);
    }

    /// Has the writer thread write all that was recorded; for a signal handler. Waits for that, as long as anything is written.
    pub(super) fn plead(&self, seal: u8) {
        const NAP: Duration = Duration::from_micros(200);
        if self.is_of_another_process() {
            return;
        }
        self.plea.seal.fetch_max(seal, Ordering::Relaxed);
        let asked = self.plea.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake();
        let (mut waited, mut bytes) = (Duration::ZERO, 0);
        while self.plea.done.load(Ordering::Acquire) < asked && waited < PATIENCE {
            thread::sleep(NAP);
            let now = self.counts.bytes.load(Ordering::Relaxed);
            waited = if now == bytes { waited + NAP } else { Duration::ZERO };
            bytes = now;
        }
    }

    /// Writes all that was recorded if the locks can be had soon. The process may be dying: nothing is allocated or freed, for
    /// who died may hold the allocator's lock.
    pub(super) fn last_words(&self, seal: Seal) {
        if self.is_of_another_process() {
            return;
        }
        let Some(mut outlet) = soon(&self.outlet).filter(|outlet| outlet.seal != Seal::ForGood) else { return };
        outlet.seal = seal;
        let Outlet { tracks, out, .. } = &mut *outlet;
        for track in tracks {
            track.drain(out);
        }
        if let Some(mut register) = soon(&self.register) {
            for track in &mut register.fresh {
                track.drain(out);
            }
        }
        out.flush();
    }

    /// The process goes on behind a plea.
    pub(super) fn go_on(&self) {
        // Not if another thread has begun to die for good.
        let _ = self.plea.seal.compare_exchange(1, 0, Ordering::Relaxed, Ordering::Relaxed);
        self.plead(0);
    }

    pub(super) fn is_of_another_process(&self) -> bool {
        getpid() != self.process
    }
}

/// A lock that is held for moments, unless somebody writes to a slow disk.
///
/// `try_lock` is a compare-and-swap, and dropping its guard a swap and at most a system call: a signal handler may do both. The
/// thread that was interrupted does not hold the lock itself, as whoever holds one lets no signal come (`held`).
pub(super) fn soon<T>(lock: &Mutex<T>) -> Option<std::sync::MutexGuard<'_, T>> {
    const NAP: Duration = Duration::from_millis(1);
    for _ in 0..PATIENCE.as_millis() / NAP.as_millis() {
        match lock.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(NAP),
        }
    }
    None
}
