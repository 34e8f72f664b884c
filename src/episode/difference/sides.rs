//! What the runs of one side say of a metric, put together.

use crate::episode::measure::{Measured, Summary, summary};

/// The values of one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SideValues {
    /// Runs that have any.
    pub runs: u64,
    /// Their values: one a part of the one run, or one a run.
    pub values: Values,
}

/// What the values of a side are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// There is one run on each side: what its phase was, part by part.
    Parts(Summary),
    /// There are more: what each was as a whole.
    Runs(Summary),
}

impl Values {
    /// Whatever they are.
    pub fn summary(&self) -> &Summary {
        match self {
            Values::Parts(summary) | Values::Runs(summary) => summary,
        }
    }
}

/// Both sides of a metric; none where either has no values.
pub(super) fn both(sides: [&[&Measured]; 2]) -> Option<[SideValues; 2]> {
    let alone = sides.iter().all(|side| side.len() == 1);
    let of = |side: &[&Measured]| {
        let runs = side.len() as u64;
        let values = match side {
            [only] if alone => Values::Parts(only.parts),
            many => Values::Runs(summary(&mut many.iter().map(|one| one.whole).collect::<Vec<_>>())?),
        };
        Some(SideValues { runs, values })
    };
    Some([of(sides[0])?, of(sides[1])?])
}
