//! A difference of two documents, and how many are kept.

use super::class::{Class, Kind};

/// So many differences of a class are kept; the others are counted.
pub const KEPT_MAX: u64 = 100_000;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// By its number among the files.
    pub file: usize,
    /// Where, spelled for people; empty for the file itself.
    pub path: String,
    pub kind: Kind,
    pub class: Class,
    /// The JSON texts of both sides; none where a side has nothing there.
    pub values: [Option<Vec<u8>>; 2],
    /// Among differences of its class: what is told first has the lesser one.
    pub rank: u8,
    /// It is told, and changes no verdict.
    pub is_informational: bool,
}

/// All differences of two folders, in the order in which they were met.
#[derive(Debug, Default)]
pub struct Differences {
    pub kept: Vec<Difference>,
    /// All there are, kept or not, by class.
    pub counts: [u64; 7],
    /// Those of them that are informational only.
    pub informational: u64,
}

impl Differences {
    /// Counts a difference of a class; it is put into words only if it is kept.
    pub fn push(&mut self, class: Class, difference: impl FnOnce() -> Difference) {
        let count = &mut self.counts[class.index()];
        *count += 1;
        if *count <= KEPT_MAX {
            self.kept.push(difference());
        }
    }

    /// How many change the verdict; with `strict` also those of classes that by themselves do not.
    pub fn counting(&self, strict: bool) -> u64 {
        let all: u64 =
            Class::ALL.iter().filter(|class| strict || class.counts()).map(|class| self.counts[class.index()]).sum();
        all - self.informational
    }
}
