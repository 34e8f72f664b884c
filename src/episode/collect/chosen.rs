//! From what was asked for to the collectors that do it.

use super::collector::Collector;
use super::plan::Plan;
use crate::episode::target::Target;

/// The collectors of a plan.
pub fn chosen(_plan: &Plan, _target: &Target) -> Vec<Box<dyn Collector>> {
    Vec::new()
}

/// Puts a machine back to a snapshot; what its monitor said.
///
/// # Errors
/// There is no monitor, no snapshot, or it could not be done.
pub fn revert(plan: &Plan, snapshot: Option<&str>) -> Result<String, String> {
    let (_, _) = (plan, snapshot);
    Err("not there yet".to_owned())
}
