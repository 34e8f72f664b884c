//! Room `disk`: files written whole or not at all.
//!
//! `atomic` has both doors: [`write_whole`] and [`same_target`], which tells whether two paths would
//! be one file. The room knows nothing of what it writes.

mod atomic;

pub use atomic::{DiskError, same_target, write_whole};
