//! Room `source`: bytes of a log, as windows of whole lines.
//!
//! A [`Log`] is opened by what its path leads to: a regular file is read by ranges, mapped if the
//! fault guard ([`install_guard`]) stands and plainly if not; a pipe, FIFO, socket or device is a
//! stream on a reader thread of its own. What is packed (gzip, zstd: known by content) is unpacked on a reader thread
//! too. All give [`Window`]s: whole lines, cut by one rule, so the
//! lines are the same whatever the window size and the way of reading.
//!
//! In reading order: `side` the two sides; `options` how a log is opened; `window` bytes and windows;
//! `error` what can go wrong; `headroom` whether memory is left; `walk` where windows end; `log` the choice by file
//! type; `file` regular files, `watch` whether they changed, `mapped` their mapped parts, `guard` the fault guard, `slot` a
//! place in its table; `stream` the rest, `queue` what came and was not asked for, `pool` its memory, `reader` the thread, `origin` what it
//! reads, `spool` what does not fit in memory; `format` knows archives, `unpack` chooses `gzip` or `zstandard`, which
//! a `feed` brings packed bytes, and `damage` says what is wrong with one; `keep` event texts for the report. Unsafe
//! code is in `mapped` and `guard` only.

mod damage;
mod error;
#[cfg(feature = "compressed")]
mod feed;
mod file;
mod format;
mod guard;
#[cfg(feature = "compressed")]
mod gzip;
mod headroom;
mod keep;
mod log;
mod mapped;
mod options;
mod origin;
mod pool;
mod queue;
mod reader;
mod side;
mod slot;
mod spool;
mod stream;
mod unpack;
mod walk;
mod watch;
mod window;
#[cfg(feature = "compressed")]
mod zstandard;

// For `slot`: see there.
use std::sync::atomic;

pub use damage::{Damage, DamageKind};
pub use error::{Change, SourceError};
pub use format::Format;
pub use guard::{install as install_guard, is_installed as guard_is_installed, times_fired as guard_times_fired};
pub use headroom::{has_headroom, zeros};
pub use keep::{Keep, KeptText};
pub use log::Log;
pub use options::OpenOptions;
pub use side::Side;
pub use window::{Bytes, Overlong, Window};
