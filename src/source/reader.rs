//! The reader thread of a stream.
//!
//! A pipe's writer must not wait for us for long: one program may write both logs in turn, and would then never come to
//! write what we wait for. So the thread reads whatever comes, the queue holds a bounded part of it in memory, and as
//! soon as nothing is taken from a full queue the rest goes to the spool. While something is taken the writer is let
//! wait: it is faster than we are, and the disk need not hold what it is ahead. A source that no program waits on (a
//! file read as a stream) is always let wait. What is packed is unpacked on this thread too.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::format::Sniffed;
use super::headroom::has_headroom;
use super::origin::{self, Origin};
use super::pool::Pool;
use super::queue::{Ended, Queue, WhenFull};
use super::spool::Spool;
use super::{Damage, OpenOptions, SourceError, unpack};

/// What one read asks for, in bytes, if windows are smaller, and at most.
const BLOCK_BYTES: std::ops::RangeInclusive<usize> = 64 << 10..=4 << 20;
/// The beginning of a line goes into the next block with the rest of it, if it is no longer than this.
const CARRY_BYTES: usize = 64 << 10;
/// A block that fills slowly is delivered when its first byte is this old.
const FILLING: Duration = Duration::from_millis(10);
/// Memory that a reader takes at least, in bytes: its stack, a decoder, blocks.
const READER_MEMORY: usize = 16 << 20;
/// How long to let a source rest that has nothing and does not block.
const REST: Duration = Duration::from_millis(2);

/// Opens what the thread then reads. Opening a FIFO waits for its writer, so the thread does it.
pub(super) type Opener = Box<dyn FnOnce() -> Result<Box<dyn Origin>, SourceError> + Send>;

/// Starts the reader thread of a stream.
pub(super) fn start(
    path: &Path,
    open: Opener,
    when_full: WhenFull,
    options: &OpenOptions,
) -> Result<Arc<Queue>, SourceError> {
    if !has_headroom(READER_MEMORY) {
        return Err(SourceError::Memory { path: path.to_owned(), at: 0, bytes: READER_MEMORY });
    }
    let pool = Arc::new(Pool::new(options.window().clamp(*BLOCK_BYTES.start(), *BLOCK_BYTES.end())));
    let queue = Arc::new(Queue::new(Spool::new(path.to_owned(), options.spool_limit), pool));
    let reader = Reader { queue: Arc::clone(&queue), path: path.to_owned(), when_full, options: options.clone() };
    thread::Builder::new().name("forkpoint-read".into()).spawn(move || reader.run(open)).map_err(|error| {
        let error = io::Error::new(error.kind(), format!("no thread to read it could be started: {error}"));
        SourceError::Open { path: path.to_owned(), error }
    })?;
    Ok(queue)
}

/// Reads, however often it takes until something comes.
pub(super) fn read_waiting(origin: &mut dyn Origin, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match origin.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A terminal or pipe that somebody set to not blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(REST),
            done => return done,
        }
    }
}

struct Reader {
    queue: Arc<Queue>,
    path: PathBuf,
    when_full: WhenFull,
    options: OpenOptions,
}

/// The block being filled, and where its first byte stands in the stream.
struct Filling {
    block: Vec<u8>,
    used: usize,
    offset: u64,
    /// When its first byte came.
    since: Instant,
    /// Bytes at its front in which no line feed was found.
    searched: usize,
}

impl Reader {
    fn run(self, open: Opener) {
        let how = self.origin(open).and_then(|origin| self.read(origin));
        self.queue.end(how);
    }

    /// What is read, unpacked if it is packed.
    fn origin(&self, open: Opener) -> Result<Box<dyn Origin>, SourceError> {
        let trouble = |error| SourceError::Read { path: self.path.clone(), at: Some(0), error };
        let (found, origin) = origin::begun(open()?).map_err(trouble)?;
        match found {
            Sniffed::Archive(format) => unpack::unpack(&self.path, format, Box::new(origin), &self.options),
            Sniffed::Plain | Sniffed::More => Ok(Box::new(origin)),
        }
    }

    fn read(&self, mut origin: Box<dyn Origin>) -> Result<Ended, SourceError> {
        let mut filling =
            Filling { block: self.queue.block(0)?, used: 0, offset: 0, since: Instant::now(), searched: 0 };
        loop {
            let Filling { block, used, since, .. } = &mut filling;
            let read = read_waiting(&mut *origin, &mut block[*used..]);
            match read {
                Ok(0) => {
                    self.deliver(&mut filling, true)?;
                    return Ok(Ended { damage: None, remark: origin.remark() });
                }
                Ok(len) => {
                    if *used == 0 {
                        *since = Instant::now();
                    }
                    *used += len;
                }
                Err(error) => {
                    self.deliver(&mut filling, true)?;
                    return match error.downcast::<Damage>() {
                        Ok(damage) => Ok(Ended { damage: Some(damage), remark: None }),
                        Err(error) => {
                            Err(SourceError::Read { path: self.path.clone(), at: Some(filling.offset), error })
                        }
                    };
                }
            }
            let is_full = *used == block.len();
            if !is_full && origin.has_more() && since.elapsed() < FILLING {
                continue;
            }
            if !self.deliver(&mut filling, false)? {
                return Ok(Ended::default());
            }
        }
    }

    /// Delivers the whole lines of a block, and keeps the beginning of the next line; a block without a line only if
    /// it is full, or at the end. `false` if nobody listens any more.
    fn deliver(&self, filling: &mut Filling, at_end: bool) -> Result<bool, SourceError> {
        let Filling { block, used, offset, since, searched } = filling;
        let line_end = memchr::memrchr(b'\n', &block[*searched..*used]).map(|at| *searched + at + 1);
        let len = match line_end {
            _ if at_end => *used,
            Some(end) if *used - end <= CARRY_BYTES => end,
            Some(_) => *used,
            None if *used == block.len() => *used,
            None => {
                *searched = *used;
                return Ok(!self.queue.is_closed());
            }
        };
        if len == 0 {
            return Ok(true);
        }
        let rest = block[len..*used].to_vec();
        let heard = self.queue.deliver(*offset, block, len, *since, self.when_full)?;
        block[..rest.len()].copy_from_slice(&rest);
        (*used, *searched) = (rest.len(), rest.len());
        *offset += len as u64;
        *since = Instant::now();
        Ok(heard)
    }
}

impl Drop for Reader {
    /// A source that panics ends the stream like one that fails: nobody waits for ever.
    fn drop(&mut self) {
        if thread::panicking() {
            let error = io::Error::other("its reader panicked");
            self.queue.end(Err(SourceError::Read { path: self.path.clone(), at: None, error }));
        }
    }
}
