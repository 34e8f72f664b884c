//! Which threads of two logs are one: from a run of `diff`, for who follows objects through both.

use crate::align::{LaneName, Malformed, MapChoice, RunOptions, Unobserved};
use crate::audit::both::ThreadPair;
use crate::diverge::{self, Divergence, LaneFacts, Outcome, Pairing, RunError};
use crate::profile::Profile;
use crate::source::Log;

/// Compares two logs to know which threads belong together, and where each first parts.
///
/// # Errors
/// As `diff`.
pub fn threads(logs: [&mut Log; 2], profile: &Profile, map: Option<MapChoice>) -> Result<Vec<ThreadPair>, RunError> {
    let options = RunOptions { map: map.unwrap_or_default(), malformed: Malformed::Skip, ..RunOptions::default() };
    let [reference, candidate] = logs;
    let (outcome, _keep): (Outcome, _) = diverge::run(reference, candidate, profile, &options, &Unobserved)?;
    Ok(outcome.pairings.iter().map(pair).collect())
}

fn pair(pairing: &Pairing) -> ThreadPair {
    let lane = |facts: &LaneFacts| LaneName { thread: facts.thread.clone(), generation: facts.generation };
    let places = |divergence: &Divergence| {
        let copies = [divergence.reference.as_ref(), divergence.candidate.as_ref()];
        copies.map(|copy| copy.map(|copy| (copy.line, copy.position)))
    };
    ThreadPair {
        lanes: [&pairing.reference, &pairing.candidate].map(|facts| facts.as_ref().map(lane)),
        parts: pairing.divergence.as_ref().map(places),
        is_pool: pairing.pool.is_some(),
    }
}
