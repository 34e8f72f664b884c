//! Room `emit`: the recorder that an engine embeds to write its event log, schema-v1.
//!
//! ```
//! use forkpoint::emit::{Options, Recorder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("run.jsonl");
//! let recorder = Recorder::create(&path, Options::new("lantern-jit"))?;
//! recorder.flush_on_panic();
//! let mut thread = recorder.thread(6)?;
//! thread.event("kernel.call").cycle(1999).payload(|payload| {
//!     payload.text("name", "NtClose").number("ord", 207);
//!     payload.object("args", |args| {
//!         args.text("handle", "event:ready");
//!     });
//! });
//! thread.event("thread.exit").payload(|payload| {
//!     payload.number("exit_code", 0);
//! });
//! drop(thread);
//! let summary = recorder.finish()?;
//! assert_eq!((summary.events, summary.dropped), (2, 0));
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//! guest thread ──► line ──► ring ──┐
//! guest thread ──► line ──► ring ──┼──► buffer ──► file
//! guest thread ──► line ──► ring ──┘    (writer thread, flush, a dying process)
//! ```
//!
//! - **Recording never harms the recorded.** A thread builds its line in a buffer of its own and copies it into a ring of its own: no lock, no system call, no allocation
//!   once the buffer has grown. A disk that is too slow, or full, costs events and not time, unless [`WhenFull::Wait`] asks for the
//!   opposite; nothing panics.
//! - **What is lost is told.** Events for which there was no room are replaced by a marker ([`DROPPED`]) with their number. Ordinals go on behind it
//!   as if they had been written, so a gap stands behind a marker only and is as long as it says.
//! - **Whole lines, in the order of each thread.** What is published is whole, what is written is published; only a disk that fails, or a process
//!   that is killed within a write, leaves a torn line, and then it is the last.
//! - **At the end everything is written**: when the recorder is dropped, and, where asked for, when the program panics
//!   ([`Recorder::flush_on_panic`]), exits ([`Recorder::flush_on_exit`]) or is ended by a signal ([`Recorder::flush_on_signals`]). SIGKILL and a power
//!   failure lose what was not written yet: at most [`Options::write_every`] and a ring a thread.
//!
//! Roads not taken. One lock around a buffered file is simpler, and 16 threads then wait for each other and for the disk. A channel of lines
//! allocates for each of them. A ring of memory shared with the file (`mmap`) would survive SIGKILL, but a log in a FIFO would not be possible, and a full
//! disk would be a SIGBUS.
//!
//! In reading order: `options` how a log is recorded; `thread` a guest thread's part and its events, `payload` what an event tells,
//! `text` as JSON; `marker` what stands for lost events; `ring` the way from a thread to the writer; `outlet` the way from the rings to the file;
//! `shared` what is known of a log and what its writer thread does, `recorder` the whole; `ends` unplanned ends, `signals` those that the system tells. Unsafe code is in `signals` only. The room knows no other.

mod ends;
mod marker;
mod options;
mod outlet;
mod payload;
mod recorder;
mod ring;
mod shared;
mod signals;
mod text;
mod thread;

// For `ring`: see there.
use std::sync::atomic;

pub use marker::DROPPED;
pub use options::{Options, Tid, WhenFull};
pub use payload::{Elements, Members, PayloadError};
pub use recorder::{InUse, Recorder, Summary};
pub use text::Number;
pub use thread::{Event, ThreadLog};
