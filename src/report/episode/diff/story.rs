//! What is told of runs against runs, in which order, and its sentences.

use std::collections::BTreeMap;

use super::super::super::verdict::Verdict;
use super::super::super::visible::{counted, visible};
use super::super::logs::{self, LogPart};
use super::super::numbers::{change, seconds, value};
use crate::episode::difference::{Change, Difference, Rule, SideValues};
use crate::episode::measure::{Measurement, Metric};
use crate::episode::read::Standing;

/// What the outside tells, and how it is told.
#[derive(Clone, Debug, Default)]
pub struct EpisodeDiffContext {
    /// Flags that change which events are the same, one word each: commands that are printed repeat them.
    pub flags: Vec<String>,
    /// Medians that are apart by less are the same: a part of the reference's.
    pub threshold: f64,
    /// What did not change is told too.
    pub all: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// In colour.
    pub colour: bool,
}

/// Runs, and what was found between them.
pub struct EpisodeDiffStory<'a> {
    pub(super) sides: [&'a [Measurement]; 2],
    pub(super) difference: &'a Difference,
    pub(super) context: &'a EpisodeDiffContext,
    pub(super) logs: Vec<LogPart<'a>>,
    /// The answer.
    pub verdict: Verdict,
}

/// What the two sides are called.
pub(super) const SIDES: [&str; 2] = ["reference", "candidate"];

impl<'a> EpisodeDiffStory<'a> {
    pub fn new(
        sides: [&'a [Measurement]; 2],
        difference: &'a Difference,
        context: &'a EpisodeDiffContext,
    ) -> EpisodeDiffStory<'a> {
        let has_faults = sides.iter().any(|runs| runs.iter().any(|run| run.faults_total() > 0));
        let has_common = difference.phases.iter().any(|phase| !phase.runs.contains(&0));
        let differs = difference.real() > 0
            || difference.logs.iter().any(|log| log.differs())
            || difference.phases.iter().any(|phase| phase.runs.contains(&0));
        let verdict = match (has_faults, has_common && difference.has_compared(), differs) {
            (true, ..) => Verdict::Trouble,
            (_, false, _) => Verdict::Inconclusive,
            (.., true) => Verdict::Diverged,
            _ => Verdict::Identical,
        };
        let logs = logs::parts(sides, difference, &context.flags);
        EpisodeDiffStory { sides, difference, context, logs, verdict }
    }

    /// What changed, the strongest first.
    pub(super) fn real(&self) -> &'a [Change] {
        &self.difference.changes[..self.difference.real()]
    }

    /// What did not, in the order of phases.
    pub(super) fn others(&self) -> &'a [Change] {
        &self.difference.changes[self.difference.real()..]
    }

    pub(super) fn phase(&self, change: &Change) -> String {
        visible(&self.difference.phases[change.phase].name)
    }

    /// The answer as a sentence.
    pub(super) fn headline(&self) -> String {
        let mut told = Vec::new();
        let faults: u64 = self.sides.iter().flat_map(|runs| runs.iter()).map(Measurement::faults_total).sum();
        if self.verdict == Verdict::Trouble {
            let rows = counted(faults, "place is damaged", "places are damaged");
            told.push(format!("{rows}, and what stands there is left out"));
        }
        if self.verdict == Verdict::Inconclusive {
            told.push("no phase was measured on both sides, so nothing can be compared".to_owned());
            return told.join("; ");
        }
        let all = self.difference.changes.len() as u64;
        let phases = self.difference.phases.iter().filter(|phase| !phase.runs.contains(&0)).count() as u64;
        let of = format!("{} in {}", counted(all, "measurement", "measurements"), counted(phases, "phase", "phases"));
        let longest = self.real().iter().find(|change| change.metric == Metric::duration());
        told.extend(longest.and_then(|change| Some(format!("{} took {}", self.phase(change), longer(change.part()?)))));
        match self.real() {
            [] => told.push(format!("none of {of} changed")),
            real @ [first, ..] if longest.is_none() => {
                let most =
                    format!("{} of {} {}", visible(&first.metric.told()), self.phase(first), change(first.part()));
                let much = if real.len() == 1 { "" } else { "most of all " };
                told.push(format!("{} of {of} changed, {much}{most}", real.len()));
            }
            real => told.push(format!("{} of {of} changed", real.len())),
        }
        let alone = self.difference.phases.iter().filter(|phase| phase.runs.contains(&0)).count() as u64;
        if alone > 0 {
            told.push(format!("{} on one side only", counted(alone, "phase is", "phases are")));
        }
        told.extend(logs::sentence(&self.logs));
        told.join("; ")
    }

    /// How a run stands, and how long it took: "complete, 12.3 s".
    pub(super) fn standing(run: &Measurement) -> String {
        format!("{}, {}", run.kept.standing.word(), seconds(run.seconds()))
    }

    /// The rules by which changes were judged, as a sentence each.
    pub(super) fn rules(&self) -> Vec<String> {
        let percent = format!("{} %", self.context.threshold * 100.0);
        let used = |rule: Rule| self.difference.changes.iter().any(|change| change.rule == rule);
        let sentence = |rule: Rule| match rule {
            Rule::Runs => format!(
                "by runs, a change counts if medians are more than {percent} apart and no run of one side lies among those of the other"
            ),
            Rule::Parts => format!(
                "by parts, a change counts if medians are more than {percent} apart and no eighth of one run's phase is near those of \
                 the other; whether two runs differ by chance only more runs can tell"
            ),
            Rule::Threshold => format!(
                "by threshold, a change counts if the only two values are more than {percent} apart; only more runs can tell more"
            ),
        };
        [Rule::Runs, Rule::Parts, Rule::Threshold].into_iter().filter(|rule| used(*rule)).map(sentence).collect()
    }

    /// What is worth saying beside.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for run in self.sides.iter().flat_map(|runs| runs.iter()) {
            let path = visible(&run.kept.path().to_string_lossy());
            for reason in run.kept.meta.texts("/result/reasons") {
                notes.push(format!("{path}: {}", visible(&reason)));
            }
            match run.kept.standing {
                Standing::Unfinished => {
                    notes.push(format!("{path}: never came to its end; of its last phase only the beginning is there"))
                }
                Standing::Running => notes.push(format!("{path}: is being recorded; what follows is not there yet")),
                Standing::Complete | Standing::Degraded => {}
            }
            let torn = run.files.iter().filter(|file| file.is_torn);
            notes.extend(torn.map(|file| format!("{path}: {}: the last line is torn", file.name)));
            notes.extend(run.notes.iter().map(|note| format!("{path}: {}", visible(note))));
        }
        for phase in self.difference.phases.iter().filter(|phase| phase.runs.contains(&0)) {
            let side = SIDES[usize::from(phase.runs[0] == 0)];
            notes.push(format!("phase {}: only the {side} has it", visible(&phase.name)));
        }
        notes.extend(self.missing_in_some());
        notes.extend(self.one_sided());
        notes.extend(self.difference.notes.iter().map(|note| visible(note)));
        notes
    }

    /// Phases that some runs of a side lack.
    fn missing_in_some(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for phase in self.difference.phases.iter().filter(|phase| !phase.runs.contains(&0)) {
            for (side, word) in SIDES.iter().enumerate() {
                let (has, of) = (phase.runs[side], self.sides[side].len());
                if has < of as u64 {
                    notes.push(format!("phase {}: {has} of {of} runs of the {word} have it", visible(&phase.name)));
                }
            }
        }
        notes
    }

    /// Who measured on one side only.
    fn one_sided(&self) -> Vec<String> {
        let mut counts: BTreeMap<(&str, usize), Vec<&Metric>> = BTreeMap::new();
        // A phase that was cut short has no duration, and the run that it is of is told anyway.
        let told = self.difference.one_sided.iter().filter(|(_, metric, _)| *metric != Metric::duration());
        for (_, metric, side) in told {
            let known = counts.entry((metric.source.word(), *side)).or_default();
            if !known.contains(&metric) {
                known.push(metric);
            }
        }
        let told = counts.into_iter().map(|((source, side), metrics)| {
            let which = match metrics.as_slice() {
                [only] => visible(&only.name),
                many => counted(many.len() as u64, "metric", "metrics"),
            };
            format!("{source}: {which} only in the {}, not compared", SIDES[side])
        });
        told.collect()
    }
}

/// "19.6 % longer".
fn longer(part: f64) -> String {
    match part {
        part if part >= 9.0 => format!("{:.0} times as long", part + 1.0),
        part if part > 0.0 => format!("{:.1} % longer", part * 100.0),
        part => format!("{:.1} % less time", -part * 100.0),
    }
}

/// A side's median.
pub(super) fn median(change: &Change, side: &SideValues) -> String {
    value(&change.metric.unit, side.values.summary().median)
}

/// What a side's values lie between; nothing where there is one value.
pub(super) fn range(change: &Change, side: &SideValues) -> String {
    let summary = side.values.summary();
    let [min, max] = [summary.min, summary.max].map(|end| value(&change.metric.unit, end));
    if summary.count == 1 { String::new() } else { format!("{min} to {max}") }
}
