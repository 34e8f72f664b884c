//! Room `source`: bytes of a log, as windows of whole lines.
//!
//! A [`Log`] is opened by what its path leads to: a regular file is read by ranges, mapped if the
//! fault guard ([`install_guard`]) stands and plainly if not; a pipe, FIFO, socket or device is a
//! stream on a reader thread of its own. Both give [`Window`]s: whole lines, cut by one rule, so the
//! lines are the same whatever the window size and the way of reading.
//!
//! In reading order: `side` the two sides; `options` how a log is opened; `window` bytes and windows;
//! `error` what can go wrong; `walk` where windows end; `log` the choice by file type; `file` regular
//! files, `watch` whether they changed, `mapped` their mapped parts, `guard` the fault guard; `stream`
//! the rest, `reader` its thread and queue, `spool` what does not fit in memory; `keep` event texts
//! for the report. Unsafe code is in `mapped` and `guard` only.

mod error;
mod file;
mod guard;
mod keep;
mod log;
mod mapped;
mod options;
mod reader;
mod side;
mod spool;
mod stream;
mod walk;
mod watch;
mod window;

pub use error::{Change, SourceError};
pub use guard::{install as install_guard, is_installed as guard_is_installed, times_fired as guard_times_fired};
pub use keep::{Keep, KeptText};
pub use log::Log;
pub use options::OpenOptions;
pub use side::Side;
pub use window::{Bytes, Overlong, Window};
