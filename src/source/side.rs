//! The two sides of a comparison.

/// Which of the two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The log taken as the measure.
    Reference,
    /// The log held against it.
    Candidate,
}

impl Side {
    /// Both sides, the reference first.
    pub const BOTH: [Side; 2] = [Side::Reference, Side::Candidate];

    /// 0 for the reference, 1 for the candidate: for arrays with one place a side.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The opposite side.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Reference => Side::Candidate,
            Side::Candidate => Side::Reference,
        }
    }
}
