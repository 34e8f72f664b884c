//! Room `scan`: windows to spans.
//!
//! In reading order: [`mod@line`] opens one line the exact way; [`fault`] names what it refuses;
//! [`layout`] opens regular lines faster, `mould` those whose leaves are equally wide at once,
//! `learn` makes layouts of lines opened the exact way, `learned` keeps them; [`key`] tells threads apart, `threads` those of one window; [`span`] is what
//! is remembered of a line, [`table`] keeps those of a window, `events` fills it; [`window`] scans a whole
//! window;
//! [`mod@sweep`] scans a whole log in file order; [`mod@around`] finds one place of it by seeking; [`mod@mention`] tells whether
//! a line mentions a value, [`mod@backward`] finds the last one before a place that does; [`mod@again`] reads lines a second time. The
//! room knows where roles stand, never what a rule means.

pub mod again;
pub mod around;
pub mod backward;
mod events;
pub mod fault;
pub mod key;
pub mod layout;
mod learn;
mod learned;
pub mod line;
pub mod mention;
mod mould;
pub mod span;
pub mod sweep;
pub mod table;
mod threads;
pub mod window;

pub use again::{lines_from, pieces};
pub use around::{Around, AroundError, ReadAt, Sighting, Wanted, around, offset_of_line};
pub use backward::{FoundLine, Stretch, last_line};
pub use fault::{OpenFault, OpenReason};
pub use key::ThreadKey;
pub use line::{Opened, Opener, Part};
pub use mention::{Compared, Mention, Needle, Unsought};
pub use span::{Group, ScannedWindow, Span, WindowFault, reopen};
pub use sweep::{Start, Sweep, Swept, sweep, sweep_with};
pub use table::{Sight, SpanTable};
pub use window::{ScanOptions, scan_window};
