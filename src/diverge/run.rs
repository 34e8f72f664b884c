//! A whole run: two logs in, the outcome out.

use crate::align::{Observer, RunOptions};
use crate::diverge::Outcome;
use crate::profile::Profile;
use crate::source::{Keep, Log, Side, SourceError};

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log lacks the header its profile demands.
    #[error("{reason}")]
    Header { side: Side, line: u64, offset: u64, reason: String },
    /// `--map` names a lane twice.
    #[error("{0}")]
    Map(String),
}

/// Finds the first divergence of every thread of two logs. Works in the current rayon pool.
///
/// The outcome is the same for any pool, window size or kind of source. Texts the report may
/// show are in the `Keep`.
///
/// # Errors
/// See [`RunError`]; malformed lines are no error but part of the outcome.
pub fn run(
    reference: &mut Log,
    candidate: &mut Log,
    profile: &Profile,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<(Outcome, Keep), RunError> {
    let _ = (reference, candidate, profile, options, observer);
    unimplemented!("not written in the skeleton")
}
