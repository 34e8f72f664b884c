//! Room `disk`: files written whole or not at all, and regular files read by blocks.
//!
//! `atomic` writes: [`write_whole`]; [`same_target`], which tells whether two paths would be one file; and [`abandon`], which takes back what is
//! half written when the process must end. `plain` reads: [`PlainFile`]. `volume` is what
//! an atomic pair of files needs of a file system: [`Volume`], of which [`Native`] is the system's own. The room knows nothing of what it reads and writes.

mod atomic;
mod plain;
mod volume;

pub use atomic::{DiskError, abandon, same_target, write_whole};
pub use plain::{PlainFile, ReadError};
pub use volume::{Native, Volume, VolumeFile};
