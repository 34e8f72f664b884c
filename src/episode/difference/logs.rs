//! What happened, aligned as logs by forkpoint's own engine: events, and labels.

use crate::align::{RunOptions, Unobserved};
use crate::diverge::{self, Outcome, Status};
use crate::episode::measure::Measurement;
use crate::episode::{EVENTS, LABELS};
use crate::profile::Profile;
use crate::source::{Keep, Log, OpenOptions};

use super::compare::Difference;

/// The built-in profile of both logs.
pub const PROFILE: &str = "episode";

/// One log of a candidate against the reference's.
#[derive(Debug)]
pub struct LogDifference {
    /// Its name in an episode's folder.
    pub file: &'static str,
    /// Which of the candidates, by its place.
    pub candidate: usize,
    /// What was found against the first reference.
    pub outcome: Outcome,
    /// The texts of its events.
    pub keep: Keep,
    /// Another of the references, by its place, whose log is the same where the first one's is not.
    pub same_as: Option<usize>,
}

impl LogDifference {
    /// Whether it differs from the logs of all references.
    pub fn differs(&self) -> bool {
        self.same_as.is_none() && !is_same(&self.outcome)
    }
}

/// Aligns the logs of each candidate with the first reference's, and where they part, with the others'.
pub(super) fn compare(
    sides: [&[Measurement]; 2],
    profile: &Profile,
    difference: &mut Difference,
) -> Result<(), String> {
    let [references, candidates] = sides;
    let Some((first, others)) = references.split_first() else { return Ok(()) };
    for (at, candidate) in candidates.iter().enumerate() {
        for file in [EVENTS, LABELS] {
            match [first, candidate].map(|run| has_rows(run, file)) {
                [true, true] => {}
                [false, false] => continue,
                [has, _] => {
                    let who = if has { candidate } else { first };
                    difference.notes.push(format!("{}: no {file} to compare", who.kept.path().display()));
                    continue;
                }
            }
            let (outcome, keep) = align([first, candidate], file, profile)?;
            let mut found = LogDifference { file, candidate: at, outcome, keep, same_as: None };
            for (place, other) in others.iter().enumerate().filter(|(_, other)| has_rows(other, file)) {
                if found.same_as.is_none() && !is_same(&found.outcome) {
                    let (outcome, _) = align([other, candidate], file, profile)?;
                    found.same_as = is_same(&outcome).then_some(place + 1);
                }
            }
            difference.logs.push(found);
        }
    }
    Ok(())
}

fn has_rows(run: &Measurement, file: &str) -> bool {
    run.files.iter().any(|account| account.name == file && account.rows > 0)
}

fn is_same(outcome: &Outcome) -> bool {
    outcome.faults_total == 0 && outcome.pairings.iter().all(|pairing| pairing.status == Status::Identical)
}

fn align(runs: [&Measurement; 2], file: &str, profile: &Profile) -> Result<(Outcome, Keep), String> {
    let open = |run: &Measurement| {
        let path = run.kept.path().join(file);
        Log::open(&path, &OpenOptions::default()).map_err(|error| error.to_string())
    };
    let [mut reference, mut candidate] = [open(runs[0])?, open(runs[1])?];
    diverge::run(&mut reference, &mut candidate, profile, &RunOptions::default(), &Unobserved)
        .map_err(|error| error.to_string())
}
