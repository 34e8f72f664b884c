//! The queue between a reader thread and its log: what came and was not asked for yet, in memory up to a limit,
//! behind it in the spool.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::headroom::append;
use super::pool::Pool;
use super::spool::Spool;
use super::{Damage, SourceError};

/// What the queue holds in memory, in bytes.
const QUEUE_BYTES: usize = 4 << 20;
/// More is never waited for at once: a full queue must be taken from, or its source would wait for ever.
const ENOUGH_BYTES: usize = QUEUE_BYTES / 2;
/// Whole lines are handed out when they are this old, however few.
pub(super) const PATIENCE: Duration = Duration::from_millis(50);

/// A full queue of which nothing is taken for so long is not waited for any more: whoever takes from it may be
/// waiting for what the source's writer would write elsewhere next.
const STALLED: Duration = Duration::from_millis(20);

/// What to do with bytes that come while the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenFull {
    /// To the spool with them, unless something is taken soon.
    Spill,
    /// Let the source wait.
    Wait,
}

/// Bytes in the queue, in the order of the stream.
enum Place {
    Held { block: Vec<u8>, start: usize },
    Spilled { offset: u64, end: u64 },
}

struct Piece {
    place: Place,
    /// When its first byte came.
    came: Instant,
    /// Whether a line feed is among its bytes.
    has_line: bool,
}

impl Piece {
    fn len(&self) -> usize {
        match &self.place {
            Place::Held { block, start } => block.len() - start,
            Place::Spilled { offset, end } => usize::try_from(end - offset).unwrap_or(usize::MAX),
        }
    }
}

/// How a stream ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// What is wrong with the archive it is.
    pub(super) damage: Option<Damage>,
    /// Something worth saying that changes no answer.
    pub(super) remark: Option<String>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// Bytes in them.
    waiting: u64,
    /// Room taken by held pieces.
    held: usize,
    end: Option<Result<Ended, SourceError>>,
    /// The log waits for so many bytes; and whether it waits no longer than its patience.
    wanted: Option<(u64, bool)>,
    /// Pulls that took something.
    taken: u64,
    /// The queue was full, and nothing was taken for long; until something is.
    stalled: bool,
    /// Nobody listens any more.
    closed: bool,
}

/// The queue between one reader thread and one log.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
    pub(super) spool: Spool,
    pub(super) pool: Arc<Pool>,
}

/// What a pull brought.
pub(super) enum Pulled {
    /// Bytes, the first of which came at this moment.
    Some(Instant),
    /// Nothing within the time.
    Nothing,
    /// The next bytes would not all fit.
    TooMany,
    /// The stream ended; how, is told once.
    End(Result<Ended, SourceError>),
}

/// What a pull is to bring.
pub(super) struct Wanted {
    /// At most so many bytes.
    pub(super) most: usize,
    /// So many are worth waiting for, as long as no line is due.
    pub(super) enough: usize,
    /// What was pulled before is due then.
    pub(super) due: Option<Instant>,
    /// Pieces are taken whole or not at all.
    pub(super) whole: bool,
}

impl Queue {
    pub(super) fn new(spool: Spool, pool: Arc<Pool>) -> Queue {
        Queue { state: Mutex::default(), arrived: Condvar::new(), room: Condvar::new(), spool, pool }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block to read into what stands at `offset`.
    pub(super) fn block(&self, offset: u64) -> Result<Vec<u8>, SourceError> {
        self.pool.take().map_err(|error| self.spool.unread(Some(offset), error))
    }

    /// Waits until enough has come, a line is due, or the stream has ended.
    fn settled(&self, wanted: &Wanted) -> MutexGuard<'_, State> {
        let enough = wanted.enough.min(ENOUGH_BYTES) as u64;
        let mut state = self.state();
        loop {
            if state.end.is_some() || state.waiting >= enough {
                break;
            }
            let due = wanted.due.or_else(|| state.due());
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            state.wanted = Some((enough, left.is_some()));
            state = match left {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        state.wanted = None;
        state
    }

    /// Moves bytes to the end of `into`; a whole block into an empty one without copying.
    pub(super) fn pull(&self, wanted: &Wanted, into: &mut Vec<u8>) -> Result<Pulled, SourceError> {
        let mut state = self.settled(wanted);
        let Some(piece) = state.pieces.front_mut() else {
            return Ok(match &mut state.end {
                Some(end) => Pulled::End(std::mem::replace(end, Ok(Ended::default()))),
                None => Pulled::Nothing,
            });
        };
        let (len, came) = (piece.len(), piece.came);
        if wanted.whole && len > wanted.most {
            return Ok(Pulled::TooMany);
        }
        let taken = len.min(wanted.most);
        let is_last = taken == len;
        match &mut piece.place {
            Place::Held { block, start } => {
                if is_last && into.is_empty() && *start == 0 {
                    self.pool.give(std::mem::replace(into, std::mem::take(block)));
                    state.held -= into.capacity();
                } else {
                    append(into, &block[*start..*start + taken]).map_err(|error| self.spool.unread(None, error))?;
                    *start += taken;
                    if is_last {
                        let block = std::mem::take(block);
                        state.held -= block.capacity();
                        self.pool.give(block);
                    }
                }
                state.passed(taken, is_last);
                self.room.notify_one();
            }
            Place::Spilled { offset, .. } => {
                let from = *offset;
                *offset += taken as u64;
                state.passed(taken, is_last);
                drop(state);
                self.spool.read(from, taken, into)?;
            }
        }
        Ok(Pulled::Some(came))
    }

    /// Whether the piece that comes next, if one has come, has no more bytes than this.
    pub(super) fn next_fits(&self, room: usize) -> bool {
        self.state().pieces.front().is_none_or(|piece| piece.len() <= room)
    }

    /// Whether a log that has `have` bytes pulled, with a line among them that is due then, would have to wait for
    /// `enough`.
    pub(super) fn would_wait(&self, have: usize, enough: usize, due: Option<Instant>) -> bool {
        let state = self.state();
        let has_line = due.is_some() || state.pieces.iter().any(|piece| piece.has_line);
        let is_due = || due.or_else(|| state.due()).is_some_and(|due| due <= Instant::now());
        let is_enough = have as u64 + state.waiting >= enough as u64 || state.waiting >= ENOUGH_BYTES as u64;
        state.end.is_none() && !(has_line && (is_enough || is_due()))
    }

    /// Tells the thread that nobody listens any more. It ends after the read it is in.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.pieces.clear();
        self.room.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Takes in the first `len` bytes of a block, which stand at `offset` of the stream; the block may be another one
    /// afterwards. `false` if nobody listens any more.
    pub(super) fn deliver(
        &self,
        offset: u64,
        block: &mut Vec<u8>,
        len: usize,
        came: Instant,
        when_full: WhenFull,
    ) -> Result<bool, SourceError> {
        let has_line = memchr::memrchr(b'\n', &block[..len]).is_some();
        let mut state = self.with_room(len, block.capacity(), when_full);
        if state.closed {
            return Ok(false);
        }
        if state.has_room(len, block.capacity()) {
            if !state.gather(&block[..len], has_line) {
                let mut full = std::mem::replace(block, self.block(offset)?);
                full.truncate(len);
                state.held += full.capacity();
                state.pieces.push_back(Piece { place: Place::Held { block: full, start: 0 }, came, has_line });
            }
        } else {
            // Only this thread adds pieces, so the order stays without the lock.
            drop(state);
            self.spool.write(offset, &block[..len])?;
            state = self.state();
            state.spilled(offset, offset + len as u64, came, has_line);
        }
        state.waiting += len as u64;
        // The log is woken for what it wants, and for the line that begins its patience; not for every few bytes.
        let waiting = state.waiting;
        if state.wanted.is_some_and(|(wanted, is_timed)| waiting >= wanted || has_line && !is_timed) {
            self.arrived.notify_one();
        }
        Ok(true)
    }

    /// Waits for room, as long as it makes sense to.
    fn with_room(&self, len: usize, block: usize, when_full: WhenFull) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while !state.closed && !state.stalled && !state.has_room(len, block) {
            let taken = state.taken;
            state = match when_full {
                WhenFull::Wait => self.room.wait(state).unwrap_or_else(PoisonError::into_inner),
                WhenFull::Spill => {
                    let waited = self.room.wait_timeout(state, STALLED);
                    let (mut state, time) = waited.unwrap_or_else(PoisonError::into_inner);
                    state.stalled = time.timed_out() && state.taken == taken;
                    state
                }
            };
        }
        state
    }

    pub(super) fn end(&self, how: Result<Ended, SourceError>) {
        self.state().end.get_or_insert(how);
        self.arrived.notify_one();
    }
}

impl State {
    /// When the oldest bytes are due, if there is a line.
    fn due(&self) -> Option<Instant> {
        let has_line = self.pieces.iter().any(|piece| piece.has_line);
        self.pieces.front().filter(|_| has_line).map(|piece| piece.came + PATIENCE)
    }

    fn passed(&mut self, taken: usize, is_last: bool) {
        self.waiting -= taken as u64;
        self.taken += 1;
        self.stalled = false;
        if is_last {
            self.pieces.pop_front();
        }
    }

    fn has_room(&self, more: usize, block: usize) -> bool {
        let is_gathered = matches!(self.pieces.back(), Some(Piece { place: Place::Held { block, .. }, .. })
            if block.len() + more <= block.capacity());
        is_gathered || self.held + block <= QUEUE_BYTES.max(block)
    }

    /// Adds bytes to the last piece, if there is room.
    fn gather(&mut self, more: &[u8], has_line: bool) -> bool {
        match self.pieces.back_mut() {
            Some(Piece { place: Place::Held { block, .. }, has_line: known, .. })
                if block.len() + more.len() <= block.capacity() =>
            {
                block.extend_from_slice(more);
                *known |= has_line;
                true
            }
            _ => false,
        }
    }

    fn spilled(&mut self, from: u64, to: u64, came: Instant, has_line: bool) {
        match self.pieces.back_mut() {
            Some(Piece { place: Place::Spilled { end, .. }, has_line: known, .. }) if *end == from => {
                *end = to;
                *known |= has_line;
            }
            _ => self.pieces.push_back(Piece { place: Place::Spilled { offset: from, end: to }, came, has_line }),
        }
    }
}
