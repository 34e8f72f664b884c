//! What was found of two folders.

use std::path::PathBuf;

use super::difference::Differences;
use super::invariant::{Invariant, Verdict};
use super::memory::MemoryRange;
use super::skipping::Entry;

/// How a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The same bytes.
    Identical,
    /// Read, and nothing differs.
    Equal,
    Diverged,
    MissingInReference,
    MissingInCandidate,
    /// On neither side.
    Absent,
    /// It cannot be read, or is no document.
    Faulty,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Identical => "identical",
            Status::Equal => "equal",
            Status::Diverged => "diverged",
            Status::MissingInReference => "missing-in-reference",
            Status::MissingInCandidate => "missing-in-candidate",
            Status::Absent => "absent",
            Status::Faulty => "faulty",
        }
    }
}

/// What was found of a file.
#[derive(Clone, Debug)]
pub struct FileOutcome {
    pub name: String,
    pub status: Status,
    /// Its differences by class.
    pub counts: [u64; 7],
    /// What documents themselves asked to skip, with what it hid.
    pub skipped: Vec<Entry>,
}

/// What was found of two folders.
#[derive(Debug, Default)]
pub struct StateOutcome {
    /// The files that were read.
    pub inputs: Vec<PathBuf>,
    pub invariants: Vec<Invariant>,
    pub files: Vec<FileOutcome>,
    pub differences: Differences,
    /// Differing bytes of images and dumps, and whose they are.
    pub memory: Vec<MemoryRange>,
    /// How many ranges there are beside them.
    pub memory_more: u64,
    /// Bytes that differ in all images and dumps.
    pub memory_bytes: u64,
    /// What is worth a word though it is no difference.
    pub remarks: Vec<String>,
    /// What could not be read.
    pub faults: Vec<String>,
}

impl StateOutcome {
    /// An invariant does not hold, or nobody knows: what differs cannot be interpreted.
    pub fn is_stopped(&self) -> bool {
        self.invariants.iter().any(|one| matches!(one.verdict, Verdict::Fail | Verdict::Unknown))
    }

    /// An invariant does not hold.
    pub fn has_failed(&self) -> bool {
        self.invariants.iter().any(|one| one.verdict == Verdict::Fail)
    }
}
