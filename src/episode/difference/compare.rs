//! The whole comparison.

use std::collections::BTreeMap;

use super::judge::{Judge, Rule};
use super::logs::{self, LogDifference};
use super::sides::{SideValues, both};
use crate::episode::measure::{Measured, Measurement, Metric, PhaseMeasured};
use crate::profile::Profile;

/// A phase, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseRuns {
    /// What it is called.
    pub name: String,
    /// Runs of either side that have it.
    pub runs: [u64; 2],
}

/// A metric of a phase on both sides.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which phase, by its place.
    pub phase: usize,
    /// What was measured.
    pub metric: Metric,
    /// Its values.
    pub sides: [SideValues; 2],
    /// Whether it is more than what runs do by themselves.
    pub is_real: bool,
    /// By what that was said.
    pub rule: Rule,
}

impl Change {
    /// How much more the candidate's median is, as a part of the reference's; none where that is 0.
    pub fn part(&self) -> Option<f64> {
        let [reference, candidate] = self.sides.each_ref().map(|side| side.values.summary().median);
        let part = (candidate - reference) / reference.abs();
        (reference != 0.0 && part.is_finite()).then_some(part)
    }

    /// How strong it is: twice as much is as strong as half as much.
    fn strength(&self) -> f64 {
        let [reference, candidate] = self.sides.each_ref().map(|side| side.values.summary().median);
        let times = (candidate / reference).ln().abs();
        if times.is_nan() { f64::INFINITY } else { times }
    }
}

/// What runs have that other runs do not.
#[derive(Debug, Default)]
pub struct Difference {
    /// The reference's phases in their order, then those that only the candidate has.
    pub phases: Vec<PhaseRuns>,
    /// What was measured on both sides: what changed, the strongest first, then all else in the order of phases.
    pub changes: Vec<Change>,
    /// What only one side measured in a phase that both have: the phase, the metric, 0 for the reference.
    pub one_sided: Vec<(usize, Metric, usize)>,
    /// What happened, run by run, each candidate against the reference.
    pub logs: Vec<LogDifference>,
    /// Things worth saying that are no difference.
    pub notes: Vec<String>,
}

impl Difference {
    /// How many of the metrics changed.
    pub fn real(&self) -> usize {
        self.changes.iter().take_while(|change| change.is_real).count()
    }

    /// Whether anything was measured on both sides.
    pub fn has_compared(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// Holds runs against runs; works in the current rayon pool. There is one run at least on each side.
///
/// # Errors
/// A log cannot be read; told in a sentence.
pub fn compare(sides: [&[Measurement]; 2], judge: &Judge, profile: &Profile) -> Result<Difference, String> {
    let mut difference = Difference { phases: phases(sides), ..Difference::default() };
    for at in 0..difference.phases.len() {
        metrics_of(at, sides, &mut difference);
    }
    let mut greatest: BTreeMap<Metric, f64> = BTreeMap::new();
    for change in &difference.changes {
        let most = greatest.entry(change.metric.clone()).or_default();
        for side in &change.sides {
            *most = most.max(side.values.summary().median.abs());
        }
    }
    for change in &mut difference.changes {
        (change.is_real, change.rule) = judge.judge(&change.metric.unit, greatest[&change.metric], &change.sides);
    }
    // The order of phases stays among those that are alike.
    difference.changes.sort_by(|one, other| {
        let strength = |change: &Change| if change.is_real { change.strength() } else { -1.0 };
        strength(other).total_cmp(&strength(one))
    });
    logs::compare(sides, profile, &mut difference)?;
    Ok(difference)
}

fn phases(sides: [&[Measurement]; 2]) -> Vec<PhaseRuns> {
    let mut phases: Vec<PhaseRuns> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (side, runs) in sides.into_iter().enumerate() {
        for phase in runs.iter().flat_map(|run| &run.phases) {
            let place = *places.entry(&phase.name).or_insert_with(|| {
                phases.push(PhaseRuns { name: phase.name.clone(), runs: [0, 0] });
                phases.len() - 1
            });
            phases[place].runs[side] += 1;
        }
    }
    phases
}

/// Puts together what both sides measured in a phase.
fn metrics_of(at: usize, sides: [&[Measurement]; 2], difference: &mut Difference) {
    let PhaseRuns { name, runs } = &difference.phases[at];
    if runs.contains(&0) {
        return;
    }
    let mut found: BTreeMap<&Metric, [Vec<&Measured>; 2]> = BTreeMap::new();
    for (side, runs) in sides.into_iter().enumerate() {
        let phases = runs.iter().filter_map(|run| run.phase(name));
        for (metric, measured) in phases.flat_map(|phase: &PhaseMeasured| &phase.metrics) {
            found.entry(metric).or_default()[side].push(measured);
        }
    }
    for (metric, measured) in found {
        match both(measured.each_ref().map(Vec::as_slice)) {
            Some(sides) => {
                let metric = metric.clone();
                difference.changes.push(Change { phase: at, metric, sides, is_real: false, rule: Rule::Threshold });
            }
            None => difference.one_sided.push((at, metric.clone(), usize::from(measured[0].is_empty()))),
        }
    }
}
