//! The nearest snapshots of both runs before their first divergence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::decide::DiffPlan;
use super::tell;
use crate::diverge::{Divergence, Outcome, Pairing};
use crate::report::{NearestSnapshots, visible};
use crate::scan::ThreadKey;
use crate::snapshot::{Position, describe};
use crate::source::Side;

/// Whether there is something to look through, before logs are.
///
/// # Errors
/// One of the two folders is not there.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    Side::BOTH.into_iter().try_for_each(|side| state_files(&of_side(folder, side)).map(drop))
}

fn of_side(folder: &Path, side: Side) -> PathBuf {
    folder.join(["reference", "candidate"][side.index()])
}

/// Looks through `DIR/reference` and `DIR/candidate` for the last snapshots of both runs, taken at one moment, before the first divergence.
///
/// # Errors
/// One of the folders cannot be listed any more.
pub(super) fn look(plan: &mut DiffPlan, folder: &Path, outcome: &Outcome) -> anyhow::Result<()> {
    let Some(pairing) = outcome.first.map(|first| &outcome.pairings[first]) else { return Ok(()) };
    let Some(found) = &pairing.divergence else { return Ok(()) };
    let mut sides = [Moments::default(), Moments::default()];
    for side in Side::BOTH {
        let here = of_side(folder, side);
        let has_header = plan.profile.header.is_some();
        for path in state_files(&here)? {
            // What cannot be read is none.
            let Ok(told) = describe(&path) else { continue };
            if let Some(moment) = told.position.as_ref().and_then(|at| moment(at, pairing, found, side, has_header)) {
                sides[side.index()].insert(moment, path);
            }
        }
    }
    let [reference, candidate] = sides;
    let nearest =
        reference.iter().find_map(|(moment, one)| Some((*moment, [one.clone(), candidate.get(moment)?.clone()])));
    match nearest {
        Some((moment, paths)) => {
            let told = match moment {
                Moment::Before(events) => format!("{events} events of the thread before"),
                Moment::After { back } => format!("after {} events of the log", u64::MAX - back),
            };
            plan.context.snapshots = Some(NearestSnapshots { told, paths });
        }
        None if !plan.quiet => {
            let folder = visible(&folder.to_string_lossy());
            tell(&format!(
                "note: {folder} has no snapshots of both runs that were taken at one moment before the first divergence"
            ));
        }
        None => {}
    }
    Ok(())
}

/// When a snapshot was taken, the nearest to the divergence first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// So many events of the diverging thread before the divergent one.
    Before(u64),
    /// After so many events of the log, counted down.
    After { back: u64 },
}

type Moments = BTreeMap<Moment, PathBuf>;

/// When a snapshot was taken; none if that was not before the divergence, or nobody knows.
fn moment(at: &Position, pairing: &Pairing, found: &Divergence, side: Side, has_header: bool) -> Option<Moment> {
    let (lane, event) = match side {
        Side::Reference => (pairing.reference.as_ref()?, found.reference.as_ref()?),
        Side::Candidate => (pairing.candidate.as_ref()?, found.candidate.as_ref()?),
    };
    match at {
        Position::Thread { thread, ordinal } => {
            let is_its = ThreadKey::of_token(thread.to_string().as_bytes()).is_some_and(|key| key == lane.thread);
            if is_its { event.ordinal?.checked_sub(*ordinal).map(Moment::Before) } else { None }
        }
        Position::Events { events } => {
            let before = event.line.checked_sub(1 + u64::from(has_header))?;
            (*events <= before).then_some(Moment::After { back: u64::MAX - events })
        }
    }
}

/// The state files in a folder, in the order of their names.
fn state_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown = || format!("failed to look through {}", visible(&folder.to_string_lossy()));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(shown)? {
        let path = entry.with_context(shown)?.path();
        if path.extension().is_some_and(|extension| extension == "snap") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
