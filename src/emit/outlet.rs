//! Where lines leave: the file, a buffer in front of it, and the rings that are taken out in turn.
//!
//! Whoever holds the outlet's lock takes out: the writer thread every few milliseconds,
//! [`flush`](super::Recorder::flush) and whoever must wait for room in between, and the last words of a process that is dying. For all of them it is the same
//! code, and it neither allocates nor fails: the buffer is there from the start, and an error is kept, not returned. So the way that
//! is gone once in a crash is the way that is gone all day.
//!
//! Lines of different threads do not mix, because a ring shows whole lines only and is read up to where it was found to
//! end before the next one is looked at. Once a write has failed nothing is written any more: what came behind a torn
//! line would be lines that no reader can trust. What is taken out then is counted as dropped.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use memchr::memchr_iter;

use super::marker;
use super::ring::{Consumer, Found};

/// Bytes of one write: few enough to stay in a processor's cache from the ring to the file.
const BUFFER_BYTES: usize = 256 << 10;

/// What has become of events so far; read by anyone, without a lock.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Events taken out of rings.
    pub(super) taken: AtomicU64,
    /// Those of them that a failed write lost.
    pub(super) lost: AtomicU64,
    /// Events that a marker tells.
    pub(super) marked: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Why nothing is written any more.
    pub(super) failure: OnceLock<io::Error>,
}

/// A thread's ring and the name it has in markers.
pub(super) struct Track {
    pub(super) consumer: Consumer,
    /// As it stands in JSON.
    pub(super) tid: Vec<u8>,
}

/// The file and what is on its way to it.
pub(super) struct Outlet {
    pub(super) tracks: Vec<Track>,
    pub(super) out: Out,
    /// Nothing is taken in any more.
    pub(super) finished: bool,
    pub(super) seal: Seal,
}

/// Whether the process has said its last words. A further write might be cut short by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    No,
    /// Perhaps: somebody else's handler decides. It may never tell, if it jumps out.
    Until(Instant),
    ForGood,
}

/// The file and the buffer in front of it.
pub(super) struct Out {
    file: File,
    buffer: Box<[u8]>,
    filled: usize,
    /// The buffer begins inside a line, which is longer than it.
    is_inside: bool,
    counts: Arc<Counts>,
}

impl Outlet {
    pub(super) fn new(file: File, counts: Arc<Counts>) -> Outlet {
        let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
        let out = Out { file, buffer, filled: 0, is_inside: false, counts };
        Outlet { tracks: Vec::new(), out, finished: false, seal: Seal::No }
    }

    /// Writes all that was published. Tracks whose thread is gone end here.
    pub(super) fn drain(&mut self) {
        if self.is_sealed() {
            return;
        }
        let out = &mut self.out;
        self.tracks.retain_mut(|track| {
            let found = track.drain(out);
            if found.gone {
                track.end(out);
            }
            !found.gone
        });
        self.out.flush();
    }

    /// The same for all tracks, whose threads may not have ended.
    pub(super) fn close(&mut self) {
        for mut track in std::mem::take(&mut self.tracks) {
            let found = track.consumer.close();
            self.out.take(&mut track.consumer, found);
            track.end(&mut self.out);
        }
        self.out.flush();
        self.finished = true;
    }

    /// Whether nothing is to be written now but by who ends the log.
    pub(super) fn is_sealed(&self) -> bool {
        match self.seal {
            Seal::No => false,
            Seal::Until(time) => Instant::now() < time,
            Seal::ForGood => true,
        }
    }

    /// The file, for what only the system can do with it.
    pub(super) fn file(&self) -> &File {
        &self.out.file
    }
}

impl Track {
    /// Takes out what was published.
    pub(super) fn drain(&mut self, out: &mut Out) -> Found {
        let found = self.consumer.look();
        out.take(&mut self.consumer, found);
        found
    }

    /// Tells what was dropped last, behind which no event came.
    fn end(&self, out: &mut Out) {
        if let Some(loss) = self.consumer.loss() {
            let mut line = Vec::new();
            marker::write(&mut line, &self.tid, loss);
            out.put(&line);
            out.counts.marked.fetch_add(loss.events, Ordering::Relaxed);
        }
    }
}

impl Out {
    fn take(&mut self, consumer: &mut Consumer, found: Found) {
        self.counts.taken.fetch_add(found.events, Ordering::Relaxed);
        loop {
            if self.filled == self.buffer.len() {
                self.make_room();
            }
            match consumer.read(&mut self.buffer[self.filled..]) {
                0 => return,
                moved => self.filled += moved,
            }
        }
    }

    /// Takes one line that came through no ring.
    pub(super) fn take_event(&mut self, line: &[u8]) {
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
        self.put(line);
    }

    /// Puts whole lines into the buffer.
    pub(super) fn put(&mut self, mut lines: &[u8]) {
        while !lines.is_empty() {
            if self.filled == self.buffer.len() {
                self.make_room();
            }
            let moved = lines.len().min(self.buffer.len() - self.filled);
            self.buffer[self.filled..self.filled + moved].copy_from_slice(&lines[..moved]);
            self.filled += moved;
            lines = &lines[moved..];
        }
    }

    /// Writes the whole lines of a full buffer; of a line that is longer than it, all there is.
    fn make_room(&mut self) {
        let whole = memchr::memrchr(b'\n', &self.buffer[..self.filled]).map_or(self.filled, |end| end + 1);
        self.write(whole);
    }

    /// Writes all there is.
    pub(super) fn flush(&mut self) {
        self.write(self.filled);
    }

    fn write(&mut self, length: usize) {
        let mut written = 0;
        while written < length && self.counts.failure.get().is_none() {
            match (&self.file).write(&self.buffer[written..length]) {
                Ok(0) => self.fail(ErrorKind::WriteZero.into()),
                Ok(some) => written += some,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A pipe that was opened so as not to wait: it is waited for here.
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                Err(error) => self.fail(error),
            }
        }
        self.counts.bytes.fetch_add(written as u64, Ordering::Relaxed);
        if written < length {
            let lost = events_lost(&self.buffer[..length], written, self.is_inside);
            self.counts.lost.fetch_add(lost, Ordering::Relaxed);
        }
        if length > 0 {
            self.is_inside = self.buffer[length - 1] != b'\n';
        }
        self.buffer.copy_within(length..self.filled, 0);
        self.filled -= length;
    }

    fn fail(&self, error: io::Error) {
        // There is one failure at most: behind it nothing is written.
        let _ = self.counts.failure.set(error);
    }
}

/// The events whose lines end in a block behind what of it was written.
#[cold]
fn events_lost(block: &[u8], written: usize, mut is_inside: bool) -> u64 {
    let (mut start, mut lost) = (0, 0);
    for end in memchr_iter(b'\n', block) {
        let is_marker = !is_inside && block[start..].starts_with(marker::START);
        if end >= written && !is_marker {
            lost += 1;
        }
        (start, is_inside) = (end + 1, false);
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_lost_unless_its_end_was_written() {
        let mut block = b"one\ntwo\n".to_vec();
        block.extend_from_slice(marker::START);
        block.extend_from_slice(b"}\nthree\n");
        let lost = |written| events_lost(&block, written, false);
        assert_eq!([0, 3, 4, 7, 8, block.len() - 1, block.len()].map(lost), [3, 3, 2, 2, 1, 1, 0]);
        // The end of a long line is no marker, whatever it looks like.
        assert_eq!(events_lost(&block[8..], 0, true), 2);
    }
}
