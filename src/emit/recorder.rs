//! The recorder: the log as a whole, and the thread that writes it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use rustix::process::{Pid, getpid};

use super::ends;
use super::options::{Options, Tid};
use super::outlet::{Counts, Outlet, Seal, Track};
use super::ring::{Published, ring};
use super::signals::{self, Held, held};
use super::thread::ThreadLog;

/// Who has written so many bytes at once does not sleep before the next look.
const BUSY_BYTES: u64 = 64 << 10;

/// How long a dying process waits for who is just writing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Records a log. Clones are of the same log, for any thread.
///
/// It ends with [`finish`](Self::finish), or when the last clone and the last [`ThreadLog`] are dropped; either way all
/// that was recorded is written.
#[derive(Clone)]
pub struct Recorder(Arc<Open>);

/// A log that is open: ends it when dropped.
struct Open {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer thread and dying processes know of a log.
pub(super) struct Shared {
    options: Options,
    start: Instant,
    /// A process that was forked off has the rings, not the writer: it must not write them once more.
    process: Pid,
    /// Locked before `register`, where both are.
    outlet: Mutex<Outlet>,
    register: Mutex<Register>,
    counts: Arc<Counts>,
    is_ending: AtomicBool,
    /// The writer thread, to be woken without a lock.
    writer: OnceLock<Thread>,
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
struct Register {
    /// Rings that the outlet has not taken over yet: a new thread need not wait for a write.
    fresh: Vec<Track>,
    tids: BTreeSet<Tid>,
    finished: bool,
}

/// What became of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events in the file.
    pub events: u64,
    /// Events that are not: for want of room, each told by a marker, or because a write failed.
    pub dropped: u64,
    /// Bytes of the file that were written.
    pub bytes: u64,
}

/// Why a thread cannot record.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("guest thread {tid} has a log already")]
pub struct InUse {
    /// The thread.
    pub tid: Tid,
}

impl Recorder {
    /// Begins a log in a file, anew if it is there.
    ///
    /// # Errors
    /// The file cannot be made, its header not be written, or the writer thread not be started.
    pub fn create(path: impl AsRef<Path>, options: Options) -> io::Result<Recorder> {
        Recorder::to(File::create(path)?, options)
    }

    /// Begins a log in whatever is open for writing: a file, a FIFO, a pipe, a socket.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn to(mut file: File, options: Options) -> io::Result<Recorder> {
        let header = options.header_line();
        file.write_all(&header)?;
        let counts = Arc::new(Counts::default());
        counts.bytes.store(header.len() as u64, Ordering::Relaxed);
        let shared = Arc::new(Shared {
            options,
            start: Instant::now(),
            process: getpid(),
            outlet: Mutex::new(Outlet::new(file, Arc::clone(&counts))),
            register: Mutex::default(),
            counts,
            is_ending: AtomicBool::new(false),
            writer: OnceLock::new(),
            plea: Plea::default(),
        });
        let writer = thread::Builder::new().name("forkpoint emit".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.write_on()
        })?;
        let _ = shared.writer.set(writer.thread().clone());
        Ok(Recorder(Arc::new(Open { shared, writer: Mutex::new(Some(writer)) })))
    }

    /// The log of a guest thread, which counts its events from 0.
    ///
    /// When it is dropped its id is free for the next thread, which is then another generation in the log: let `thread.exit`
    /// be the last event of the one before. On a recorder that has finished, all events are dropped.
    ///
    /// # Errors
    /// The guest thread has one: two would give ordinals twice.
    pub fn thread(&self, tid: impl Into<Tid>) -> Result<ThreadLog, InUse> {
        let (shared, tid) = (&self.0.shared, tid.into());
        let (producer, mut consumer) = ring(shared.options.ring_bytes);
        let mut register = held(&shared.register);
        if register.finished {
            consumer.close();
        } else if register.tids.insert(tid.clone()) {
            register.fresh.push(Track { consumer, tid: tid.json() });
        } else {
            return Err(InUse { tid });
        }
        drop(register);
        Ok(ThreadLog::new(self.clone(), producer, tid))
    }

    /// Writes all that was recorded before, by whatever thread.
    ///
    /// # Errors
    /// A write has failed, now or earlier; from then on nothing is written.
    pub fn flush(&self) -> io::Result<()> {
        self.drain();
        self.error().map_or(Ok(()), Err)
    }

    /// The same, and waits until it would survive a loss of power.
    ///
    /// # Errors
    /// The same, or the system could not.
    pub fn sync(&self) -> io::Result<()> {
        self.flush()?;
        match held(&self.0.shared.outlet).file().sync_data() {
            // Pipes and sockets know no such thing.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            done => done,
        }
    }

    /// Ends the log: writes all that was recorded, with markers for what was dropped last. Threads that go on recording get
    /// their events dropped. A second call tells the same.
    ///
    /// # Errors
    /// A write has failed; [`summary`](Self::summary) tells how far the log goes.
    pub fn finish(&self) -> io::Result<Summary> {
        self.0.end();
        self.error().map_or_else(|| Ok(self.summary()), Err)
    }

    /// What has become of events so far. Those that wait in rings are in neither number.
    pub fn summary(&self) -> Summary {
        let Counts { taken, lost, marked, bytes, .. } = self.counts();
        let [taken, lost, marked, bytes] = [taken, lost, marked, bytes].map(|count| count.load(Ordering::Relaxed));
        Summary { events: taken.saturating_sub(lost), dropped: marked + lost, bytes }
    }

    /// Why nothing is written any more, if so.
    pub fn error(&self) -> Option<io::Error> {
        let error = self.counts().failure.get()?;
        Some(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error))
    }

    /// Has the log written whenever the program panics, before whatever hook was there prints its message. It helps where a
    /// panic aborts, too.
    pub fn flush_on_panic(&self) {
        ends::keep(&self.0.shared);
        ends::watch_panics();
    }

    /// Has the log written when the process exits without dropping the recorder: by `exit`, or because `main` returns.
    ///
    /// # Errors
    /// The system cannot note one more thing to do at exit.
    pub fn flush_on_exit(&self) -> io::Result<()> {
        ends::keep(&self.0.shared);
        signals::watch_exit()
    }

    /// Has the log written when a signal ends the process: SIGHUP, SIGINT, SIGQUIT, SIGTERM, and SIGABRT, SIGBUS, SIGFPE,
    /// SIGILL, SIGSEGV. Then the signal goes to the handler that was there before, or does what it does without one.
    ///
    /// No handler is installed unless this is called. A signal that is ignored (`nohup`) stays ignored. An engine that mends
    /// faults by a handler of its own (write tracking, device memory) should call this *before* it installs that one, and
    /// hand on from there what is not its own: then a fault it mends costs nothing here. In the other order all is written at each
    /// such fault, and the engine's handler is called then.
    ///
    /// Events that other threads record meanwhile may be missing, and a loss that no event has come behind has no marker.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn flush_on_signals(&self) -> io::Result<()> {
        ends::keep(&self.0.shared);
        signals::watch_signals()
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.shared.options
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.0.shared.counts
    }

    /// Since the log was begun.
    #[inline]
    pub(super) fn nanoseconds(&self) -> u64 {
        let since = self.0.shared.start.elapsed();
        since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
    }

    /// Wakes the writer.
    #[cold]
    pub(super) fn hurry(&self) {
        self.0.shared.wake();
    }

    /// Writes all that was recorded, on this thread.
    fn drain(&self) {
        drop(self.0.shared.drain());
    }

    /// Makes room, whatever it takes; whether it could.
    pub(super) fn make_room(&self) -> bool {
        !self.0.shared.drain().is_sealed()
    }

    /// Writes the line of an event that is longer than a ring, behind all that was recorded.
    pub(super) fn write_line(&self, line: &[u8]) -> Published {
        let mut outlet = self.0.shared.drain();
        if outlet.finished {
            return Published::Closed;
        }
        if outlet.is_sealed() {
            return Published::Full;
        }
        outlet.out.take_event(line);
        outlet.out.flush();
        Published::Yes
    }

    /// A thread's log is dropped.
    pub(super) fn free(&self, tid: &Tid) {
        held(&self.0.shared.register).tids.remove(tid);
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("options", self.options()).field("summary", &self.summary()).finish()
    }
}

impl Open {
    fn end(&self) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = writer.take() else { return };
        if self.shared.is_of_another_process() {
            return;
        }
        self.shared.is_ending.store(true, Ordering::Release);
        writer.thread().unpark();
        // It does not panic; if it did, what it left is written here.
        let _ = writer.join();
        self.shared.close();
        ends::forget(&self.shared);
    }
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

impl Drop for Open {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// What the writer thread does.
    fn write_on(&self) {
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

    fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    fn drain(&self) -> Held<'_, Outlet> {
        let mut outlet = held(&self.outlet);
        self.take_over(&mut outlet);
        outlet.drain();
        outlet
    }

    fn take_over(&self, outlet: &mut Outlet) {
        outlet.tracks.append(&mut held(&self.register).fresh);
    }

    fn close(&self) {
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

    fn is_of_another_process(&self) -> bool {
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
