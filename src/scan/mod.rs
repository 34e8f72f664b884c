//! Room `scan`: windows to spans.
//!
//! In reading order: [`line`] opens one line the exact way; [`fault`] names what it refuses;
//! [`key`] tells threads apart; [`span`] is what is remembered of a line; [`window`] scans a
//! whole window. The room knows where roles stand, never what a rule means.

pub mod fault;
pub mod key;
pub mod line;
pub mod span;
pub mod window;

pub use fault::{OpenFault, OpenReason};
pub use key::ThreadKey;
pub use line::{Opened, Opener, Part};
pub use span::{Group, ScannedWindow, Span, WindowFault, reopen};
pub use window::{ScanOptions, scan_window};
