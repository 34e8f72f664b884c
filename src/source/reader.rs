//! The reader thread of a stream, and the queue between it and the log.
//!
//! A pipe's writer must never wait for us: one program may write both logs in turn, and would then
//! never come to write what we wait for. So the thread reads whatever comes, the queue holds a bounded
//! part of it in memory, and the rest goes to the spool. A source that no program waits on (a file
//! read as a stream) is let wait instead.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::SourceError;
use super::spool::Spool;

/// What the queue holds in memory, in bytes.
const QUEUE_BYTES: usize = 16 << 20;
/// What one read asks for, in bytes.
const READ_BYTES: usize = 256 << 10;
/// Small reads are gathered in pieces of this many bytes.
const PIECE_BYTES: usize = 256 << 10;
/// How long to let a source rest that has nothing and does not block.
const REST: Duration = Duration::from_millis(2);

/// What to do with bytes that come while the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenFull {
    /// To the spool with them.
    Spill,
    /// Let the source wait.
    Wait,
}

/// Opens what the thread then reads. Opening a FIFO waits for its writer, so the thread does it.
pub(super) type Opener = Box<dyn FnOnce() -> Result<Box<dyn Read + Send>, SourceError> + Send>;

/// Bytes in the queue, in the order of the stream.
enum Piece {
    Held { bytes: Vec<u8>, start: usize },
    Spilled { offset: u64, end: u64 },
}

#[derive(Default)]
struct State {
    /// Each with the moment its first byte came.
    pieces: VecDeque<(Instant, Piece)>,
    /// Room taken by held pieces.
    held: usize,
    end: Option<Result<(), SourceError>>,
    /// Nobody listens any more.
    closed: bool,
}

/// The queue between one reader thread and one log.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
    pub(super) spool: Spool,
}

/// What a pull brought.
pub(super) enum Pulled {
    /// Bytes, the first of which came at this moment.
    Some(Instant),
    /// Nothing within the time.
    Nothing,
    /// The stream ended; its error, if there was one, is given once.
    End(Result<(), SourceError>),
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves up to `want` bytes into `into`, waiting for the first of them until `until`.
    pub(super) fn pull(&self, want: usize, into: &mut Vec<u8>, until: Option<Instant>) -> Result<Pulled, SourceError> {
        let mut state = self.state();
        while state.pieces.is_empty() {
            if let Some(end) = &mut state.end {
                return Ok(Pulled::End(std::mem::replace(end, Ok(()))));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Ok(Pulled::Nothing),
                Some(left) => self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        let (came, piece) = state.pieces.pop_front().expect("waited for a piece");
        match piece {
            Piece::Held { bytes, start } => {
                let end = bytes.len().min(start + want);
                into.extend_from_slice(&bytes[start..end]);
                if end < bytes.len() {
                    state.pieces.push_front((came, Piece::Held { bytes, start: end }));
                } else {
                    state.held -= bytes.capacity();
                    self.room.notify_one();
                }
            }
            Piece::Spilled { offset, end } => {
                let until = end.min(offset + want as u64);
                if until < end {
                    state.pieces.push_front((came, Piece::Spilled { offset: until, end }));
                }
                drop(state);
                self.spool.read(offset, (until - offset) as usize, into)?;
            }
        }
        Ok(Pulled::Some(came))
    }

    /// Tells the thread that nobody listens any more. It ends after the read it is in.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.pieces.clear();
        self.room.notify_one();
    }

    /// Takes bytes in; `false` if nobody listens any more.
    fn deliver(&self, offset: u64, bytes: &[u8], when_full: WhenFull) -> Result<bool, SourceError> {
        let mut state = self.state();
        while when_full == WhenFull::Wait && !state.closed && !state.has_room(bytes.len()) {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Ok(false);
        }
        if state.has_room(bytes.len()) {
            state.hold(bytes);
        } else {
            // Only this thread adds pieces, so the order stays without the lock.
            drop(state);
            self.spool.write(offset, bytes)?;
            self.state().spilled(offset, offset + bytes.len() as u64);
        }
        self.arrived.notify_one();
        Ok(true)
    }

    fn end(&self, how: Result<(), SourceError>) {
        self.state().end.get_or_insert(how);
        self.arrived.notify_one();
    }
}

impl State {
    fn has_room(&self, more: usize) -> bool {
        let is_gathered = matches!(self.pieces.back(), Some((_, Piece::Held { bytes, .. }))
            if bytes.len() + more <= bytes.capacity());
        is_gathered || self.held + more.max(PIECE_BYTES) <= QUEUE_BYTES
    }

    fn hold(&mut self, more: &[u8]) {
        if let Some((_, Piece::Held { bytes, .. })) = self.pieces.back_mut()
            && bytes.len() + more.len() <= bytes.capacity()
        {
            bytes.extend_from_slice(more);
            return;
        }
        let mut bytes = Vec::with_capacity(more.len().max(PIECE_BYTES));
        bytes.extend_from_slice(more);
        self.held += bytes.capacity();
        self.pieces.push_back((Instant::now(), Piece::Held { bytes, start: 0 }));
    }

    fn spilled(&mut self, from: u64, to: u64) {
        match self.pieces.back_mut() {
            Some((_, Piece::Spilled { end, .. })) if *end == from => *end = to,
            _ => self.pieces.push_back((Instant::now(), Piece::Spilled { offset: from, end: to })),
        }
    }
}

/// Starts the reader thread of a stream.
pub(super) fn start(path: &Path, open: Opener, when_full: WhenFull, spool: Spool) -> Result<Arc<Queue>, SourceError> {
    let queue = Arc::new(Queue { state: Mutex::default(), arrived: Condvar::new(), room: Condvar::new(), spool });
    let reader = Reader { queue: Arc::clone(&queue), path: path.to_owned(), when_full };
    thread::Builder::new()
        .name("forkpoint-read".into())
        .spawn(move || reader.run(open))
        .map_err(|error| SourceError::Open { path: path.to_owned(), error })?;
    Ok(queue)
}

struct Reader {
    queue: Arc<Queue>,
    path: PathBuf,
    when_full: WhenFull,
}

impl Reader {
    fn run(self, open: Opener) {
        let how = open().and_then(|source| self.read(source));
        self.queue.end(how);
    }

    fn read(&self, mut source: Box<dyn Read + Send>) -> Result<(), SourceError> {
        let mut bytes = vec![0; READ_BYTES];
        let mut offset = 0;
        loop {
            match source.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(len) => {
                    if !self.queue.deliver(offset, &bytes[..len], self.when_full)? {
                        return Ok(());
                    }
                    offset += len as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A terminal or pipe that somebody set to not blocking.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(REST),
                Err(error) => return Err(SourceError::Read { path: self.path.clone(), error }),
            }
            if self.queue.state().closed {
                return Ok(());
            }
        }
    }
}

impl Drop for Reader {
    /// A source that panics ends the stream like one that fails: nobody waits for ever.
    fn drop(&mut self) {
        if thread::panicking() {
            let error = io::Error::other("its reader panicked");
            self.queue.end(Err(SourceError::Read { path: self.path.clone(), error }));
        }
    }
}
