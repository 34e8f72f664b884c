//! One guest thread's part of a log: its ordinals, its ring, and the event that is being written.

use std::sync::atomic::Ordering;

use serde::Serialize;

use super::WhenFull;
use super::marker;
use super::options::Tid;
use super::payload::{self, Members, PayloadError};
use super::recorder::Recorder;
use super::ring::{Producer, Published};
use super::text;

/// What one guest thread records. Whoever runs the guest thread has it; it may be handed to another thread with it.
///
/// An event is built in a buffer of its own and then put into the thread's ring, without a lock and without a system
/// call. If the log of a thread is dropped, what it recorded is written all the same.
pub struct ThreadLog {
    recorder: Recorder,
    ring: Producer,
    tid: Tid,
    /// The thread's id as it stands in JSON.
    tid_json: Vec<u8>,
    /// What stands in every line between kind and ordinal.
    middle: Vec<u8>,
    /// The next event's ordinal.
    next: u64,
    dropped: u64,
    when_full: WhenFull,
    host_ns: bool,
}

/// An event that is about to be recorded: [`payload`](Self::payload), [`empty`](Self::empty) or
/// [`serialize`](Self::serialize) records it.
#[must_use = "an event is recorded by its payload"]
pub struct Event<'a> {
    thread: &'a mut ThreadLog,
    kind: &'a str,
    cycle: Option<u64>,
    is_deterministic: bool,
}

impl ThreadLog {
    pub(super) fn new(recorder: Recorder, ring: Producer, tid: Tid) -> ThreadLog {
        let tid_json = tid.json();
        let middle = [br#","tid":"#, &tid_json[..], br#","tid_event_idx":"#].concat();
        let options = recorder.options();
        let (when_full, host_ns) = (options.when_full, options.host_ns);
        ThreadLog { recorder, ring, tid, tid_json, middle, next: 0, dropped: 0, when_full, host_ns }
    }

    /// Begins an event. Any kind will do but `schema_version`, which is the header's, and `forkpoint.dropped`, a marker's.
    #[inline]
    pub fn event<'a>(&'a mut self, kind: &'a str) -> Event<'a> {
        Event { thread: self, kind, cycle: None, is_deterministic: true }
    }

    /// The guest thread.
    pub fn tid(&self) -> &Tid {
        &self.tid
    }

    /// How many events were recorded, those that were dropped too: the next one's ordinal.
    pub fn recorded(&self) -> u64 {
        self.next
    }

    /// How many of them were dropped for want of room, or because the recorder had finished.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Writes all of a line up to its payload.
    #[inline]
    fn begin(&mut self, kind: &str, cycle: Option<u64>, is_deterministic: bool) -> &mut Vec<u8> {
        let loss = self.ring.loss();
        let line = self.ring.line();
        if let Some(loss) = loss {
            marker::write(line, &self.tid_json, loss);
        }
        line.extend_from_slice(br#"{"kind":"#);
        text::string(line, kind);
        line.extend_from_slice(&self.middle);
        text::number(line, self.next);
        if self.host_ns {
            line.extend_from_slice(br#","host_ns":"#);
            text::number(line, self.recorder.nanoseconds());
        }
        if let Some(cycle) = cycle {
            line.extend_from_slice(br#","guest_cycle":"#);
            text::number(line, cycle);
        }
        let rest: &[u8] = if is_deterministic {
            br#","deterministic":true,"payload":"#
        } else {
            br#","deterministic":false,"payload":"#
        };
        line.extend_from_slice(rest);
        line
    }

    /// Ends the line and gives it away; the event's ordinal.
    #[inline]
    fn end(&mut self) -> u64 {
        let marked = self.ring.loss();
        let mut published = self.ring.publish();
        if self.when_full == WhenFull::Wait && matches!(published, Published::Full | Published::TooLong) {
            published = self.wait();
        }
        let ordinal = self.next;
        self.next += 1;
        match published {
            Published::Yes => {}
            Published::Filling => self.recorder.hurry(),
            Published::Full | Published::TooLong => {
                self.ring.lose(ordinal);
                self.dropped += 1;
                return ordinal;
            }
            Published::Closed => {
                self.dropped += 1;
                return ordinal;
            }
        }
        if let Some(loss) = marked {
            self.recorder.counts().marked.fetch_add(loss.events, Ordering::Relaxed);
        }
        ordinal
    }

    /// Writes out what there is until the line fits. A line that never will goes straight to the file.
    #[cold]
    fn wait(&mut self) -> Published {
        while self.recorder.make_room() {
            match self.ring.publish() {
                Published::Full => {}
                Published::TooLong => return self.recorder.write_line(self.ring.written()),
                done => return done,
            }
        }
        Published::Full
    }
}

impl Drop for ThreadLog {
    fn drop(&mut self) {
        if let Some(loss) = self.ring.loss() {
            marker::write(self.ring.line(), &self.tid_json, loss);
            if matches!(self.ring.publish_marker(), Published::Yes | Published::Filling) {
                self.recorder.counts().marked.fetch_add(loss.events, Ordering::Relaxed);
            }
            // Otherwise whoever takes the rest out of the ring writes it.
        }
        self.ring.leave();
        self.recorder.free(&self.tid);
    }
}

impl std::fmt::Debug for ThreadLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadLog").field("tid", &self.tid).field("recorded", &self.next).finish_non_exhaustive()
    }
}

impl Event<'_> {
    /// How far the guest's clock has come.
    #[inline]
    pub fn cycle(mut self, cycle: u64) -> Self {
        self.cycle = Some(cycle);
        self
    }

    /// The event depends on the host: input, time, network.
    #[inline]
    pub fn nondeterministic(mut self) -> Self {
        self.is_deterministic = false;
        self
    }

    /// Records the event with the members that the closure writes; returns its ordinal. If the closure panics, nothing
    /// is recorded.
    #[inline]
    pub fn payload(self, write: impl FnOnce(&mut Members<'_>)) -> u64 {
        let Event { thread, kind, cycle, is_deterministic } = self;
        let line = thread.begin(kind, cycle, is_deterministic);
        payload::object(line, write);
        line.extend_from_slice(b"}\n");
        thread.end()
    }

    /// Records the event with no members.
    pub fn empty(self) -> u64 {
        self.payload(|_| {})
    }

    /// Records the event with what serde makes of a value, which must be an object: a struct, a map.
    ///
    /// # Errors
    /// It is no object, or cannot be JSON. Then nothing is recorded.
    pub fn serialize(self, payload: &(impl Serialize + ?Sized)) -> Result<u64, PayloadError> {
        let Event { thread, kind, cycle, is_deterministic } = self;
        let line = thread.begin(kind, cycle, is_deterministic);
        let start = line.len();
        payload::serialized(line, payload)?;
        if line.get(start) != Some(&b'{') {
            return Err(PayloadError::NoObject);
        }
        line.extend_from_slice(b"}\n");
        Ok(thread.end())
    }
}
