//! Rules for what differs nearly everywhere between two runs.

use std::collections::BTreeMap;

use super::census::census;
use super::place::Unordered;
use super::proposal::{self, Proposal};
use super::rounds::without_positions;
use super::survey::survey;
use crate::align::{Observer, RunOptions};
use crate::diverge::RunError;
use crate::profile::Profile;
use crate::source::Log;

/// Pairs that must have a place before anything is said of it.
const PAIRS_MIN: u64 = 20;

/// Rules for places that differ in nine of ten pairs which have them, as telemetry does. `again` is the reference once
/// more.
///
/// # Errors
/// A log cannot be read, or lacks its header.
pub fn suggest(
    logs: [&mut Log; 2],
    again: &mut Log,
    profile: &Profile,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Vec<Proposal>, RunError> {
    let (found, compared) = survey(1, logs, profile, options, observer)?;
    let families = proposal::gather(without_positions(&found.families, &Unordered::of(profile)));
    let counted = census(again, profile, &families, Some(&compared))?;
    let mut proposals =
        proposal::proposals(&families, (&found.orders, &BTreeMap::new()), &counted, &BTreeMap::new(), (1, profile));
    let is_everywhere =
        |rule: &Proposal| rule.of >= PAIRS_MIN && rule.pairs.saturating_mul(10) >= rule.of.saturating_mul(9);
    proposals.retain(is_everywhere);
    Ok(proposals)
}
