//! What can go wrong with a snapshot.

use std::io;
use std::path::PathBuf;

use super::id::SnapshotId;

/// Why a snapshot was not saved, read or believed. The first fourteen are those of the tool this library is compatible with, and bear its texts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// For engines: a processor went on running.
    #[error("a vCPU did not ack quiesce within the timeout")]
    QuiesceTimeout,
    /// The file is no snapshot of ours.
    #[error("snapshot magic mismatch (file: {found:#018x}, expected: {expected:#018x})")]
    MagicMismatch {
        /// What the file begins with; for a file of the other tool, the magic number it holds.
        found: u64,
        /// [`super::header::MAGIC`].
        expected: u64,
    },
    /// The file was written in a form that is not known here.
    #[error("snapshot version {found} is incompatible with forkpoint's {expected}")]
    VersionMismatch {
        /// The file's.
        found: String,
        /// The newest that is read.
        expected: String,
    },
    /// Bytes of the file are not those that were written.
    #[error("snapshot CRC32 mismatch")]
    CrcMismatch,
    /// Not even a header.
    #[error("snapshot file is too short to contain a header")]
    TooShort,
    /// The state is none that can be restored: 1 to 32 processors, no SMT, an interrupt controller whose length is told rightly.
    #[error("snapshot is from a different VMM (sysreg or GIC blob shape mismatch)")]
    Incompatible,
    /// Everything was written, and the last step failed; the old pair stands.
    #[error("atomic commit (rename) failed: {0}")]
    AtomicCommitFailed(#[source] io::Error),
    /// The temporary file did not come to lie on its destination's file system, so no rename can be atomic.
    #[error("{} and its temporary folder {} lie on different file systems: no rename between them is atomic", dest.display(), temp_dir.display())]
    AtomicCommitCrossFs {
        /// Where the file should stand.
        dest: PathBuf,
        /// Where it was written.
        temp_dir: PathBuf,
    },
    /// What was asked for cannot be, for a reason of paths or sizes.
    #[error("invalid snapshot path: {0}")]
    InvalidPath(String),
    /// The body does not hold what it should.
    #[error("snapshot encoding error: {0}")]
    Bitcode(String),
    /// The body is larger than what is saved and loaded, in bytes.
    #[error("snapshot exceeds {0} byte deserialization limit")]
    SizeLimitExceeded(u64),
    /// Memory could not be read from the engine, or written.
    #[error("memory file I/O error: {0}")]
    MemoryIo(#[source] io::Error),
    /// The state could not be read or written.
    #[error("snapshot I/O error: {0}")]
    Io(#[from] io::Error),
    /// For engines: a device did not tell or take its state.
    #[error("snapshot capture/restore failure: {0}")]
    Capture(String),

    /// The memory file is not the one that belongs to the state.
    #[error("memory file {}: {why}", path.display())]
    Memory {
        /// The memory file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A diff is no whole memory: it goes onto another snapshot's.
    #[error("this snapshot is a diff: its memory goes onto that of snapshot {}", parent.map_or("that its maker knows (none is named)".to_owned(), |parent| parent.to_string()))]
    NeedsBase {
        /// The snapshot below it, if it names one.
        parent: Option<SnapshotId>,
    },
    /// Snapshots that do not follow each other.
    #[error("{}: {why}", path.display())]
    Chain {
        /// The state file that does not fit.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The state is no state of a machine, but some other document.
    #[error("the state is a document of an engine's own, not that of a machine")]
    NotAMachine,
}
