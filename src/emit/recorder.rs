//! The recorder: the log as a whole, as an engine has it.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::ends;
use super::options::{Options, Tid};
use super::outlet::{Counts, Track};
use super::ring::{Published, ring};
use super::shared::Shared;
use super::signals::{self, held};
use super::thread::ThreadLog;

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
        let shared = Arc::new(Shared::new(file, options));
        shared.counts.bytes.store(header.len() as u64, Ordering::Relaxed);
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
        !self.0.shared.drain().is_sealed() && !self.0.shared.is_of_another_process()
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

impl Drop for Open {
    fn drop(&mut self) {
        self.end();
    }
}
