//! Room `disk`: files written whole or not at all.
//!
//! `atomic` has its doors: [`write_whole`]; [`same_target`], which tells whether two paths would
//! be one file; and [`abandon`], which takes back what is half written when the process must end. The room knows nothing of what it writes.

mod atomic;

pub use atomic::{DiskError, abandon, same_target, write_whole};
