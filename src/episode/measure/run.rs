//! All that an episode's folder tells, taken together.

use super::metric::{Metric, Source};
use super::series::{Series, seconds};
use super::statistics::{Summary, measured_of};
use super::telemetry;
use crate::episode::read::{FileAccount, Kept, Phases, Timeline, each_row};

/// What a metric was in a phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Its values, one a row or one an interval between two.
    pub values: Summary,
    /// The same for a few parts of the phase, one after the other, a value each: of what is counted, as much as was counted in all of the part's seconds; else the median.
    pub parts: Summary,
    /// One value for all of the phase: of what is counted, as much as was counted in all of its seconds; else the median.
    pub whole: f64,
}

/// One phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseMeasured {
    /// What it is called.
    pub name: String,
    /// How many times it was.
    pub times: u64,
    /// When it first began, in nanoseconds.
    pub start: u64,
    /// Seconds, all times together, as far as anything is known of it.
    pub seconds: f64,
    /// Nobody knows when it ended.
    pub is_cut: bool,
    /// What was measured in it, in order.
    pub metrics: Vec<(Metric, Measured)>,
}

/// An episode, read.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The folder.
    pub kept: Kept,
    /// Its phases, in the order in which they first were.
    pub phases: Vec<PhaseMeasured>,
    /// Its events.
    pub timeline: Timeline,
    /// What its files of rows are like: events, labels, then the collectors'.
    pub files: Vec<FileAccount>,
    /// The last time of which anything is known, in nanoseconds.
    pub last: u64,
    /// Things worth saying that are no damage.
    pub notes: Vec<String>,
}

impl Measurement {
    /// Reads an episode; of its events all are kept, or the first few.
    pub fn of(kept: Kept, all_events: bool) -> Measurement {
        let mut phases = Phases::read(kept.path());
        let timeline = Timeline::read(kept.path(), phases.last_start().unwrap_or(0), all_events);
        let told_end = kept.meta.seconds().map(|seconds| (seconds * 1e9) as u64);
        if let Some(end) = timeline.end.or(told_end) {
            phases.close(end);
        }
        let mut files = vec![timeline.account.clone(), phases.account.clone()];
        let mut measured = vec![Vec::new(); phases.names.len()];
        let mut notes = Vec::new();
        for source in Source::COLLECTORS {
            let mut series = Series::new(source, &phases);
            let account = each_row(kept.path(), &source.file(), |row| {
                telemetry::take(source, row, &mut series);
                Ok(())
            });
            if series.left_out > 0 {
                notes.push(format!("{}: more metrics than are summed up; the others are left out", account.name));
            }
            series.finish(|phase, metric, found| measured[phase].push((metric, found)));
            notes.extend(missing_rows(&kept, source, &account));
            files.push(account);
        }
        let last = files.iter().map(|file| file.last).max().unwrap_or(0);
        Measurement { phases: by_phase(&phases, measured, last), kept, timeline, files, last, notes }
    }

    /// What is damaged in the folder.
    pub fn faults(&self) -> impl Iterator<Item = &String> {
        self.kept.faults.iter().chain(self.files.iter().flat_map(|file| &file.faults))
    }

    /// How much of it there is.
    pub fn faults_total(&self) -> u64 {
        self.kept.faults.len() as u64 + self.files.iter().map(|file| file.faults_total).sum::<u64>()
    }

    /// How long the episode took, in seconds, as far as anything is known of it.
    pub fn seconds(&self) -> f64 {
        self.kept.meta.seconds().unwrap_or_else(|| seconds(self.last))
    }

    /// A phase by its name.
    pub fn phase(&self, name: &str) -> Option<&PhaseMeasured> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// How many rows a collector brought; none where it has no file.
    pub fn rows(&self, source: Source) -> Option<u64> {
        let name = source.file();
        self.files.iter().find(|file| file.exists && file.name == name).map(|file| file.rows)
    }
}

impl PhaseMeasured {
    fn new(name: &str) -> PhaseMeasured {
        let (name, metrics) = (name.to_owned(), Vec::new());
        PhaseMeasured { name, times: 0, start: 0, seconds: 0.0, is_cut: false, metrics }
    }

    /// What a metric was in it.
    pub fn metric(&self, metric: &Metric) -> Option<&Measured> {
        self.metrics.iter().find(|(known, _)| known == metric).map(|(_, found)| found)
    }
}

/// Whether the folder has other rows than its recorder says: part of it may be lost.
fn missing_rows(kept: &Kept, source: Source, account: &FileAccount) -> Option<String> {
    let told = kept.meta.rows(source.word())?;
    let found = account.rows + account.faults_total;
    (told != found).then(|| format!("{}: {found} rows, and meta.json tells of {told}", account.name))
}

/// Each phase with how long it was in front of all else that was measured.
fn by_phase(phases: &Phases, measured: Vec<Vec<(Metric, Measured)>>, last: u64) -> Vec<PhaseMeasured> {
    let mut found: Vec<PhaseMeasured> = phases.names.iter().map(|name| PhaseMeasured::new(name)).collect();
    // A time that was cut short says nothing of how long it would have been.
    let mut whole = vec![Vec::new(); found.len()];
    for span in &phases.spans {
        let phase = &mut found[span.phase];
        phase.start = if phase.times == 0 { span.start } else { phase.start.min(span.start) };
        phase.times += 1;
        phase.seconds += seconds(span.end.unwrap_or(last).saturating_sub(span.start));
        match span.end {
            Some(end) => whole[span.phase].push(seconds(end.saturating_sub(span.start))),
            None => phase.is_cut = true,
        }
    }
    for ((phase, metrics), mut whole) in found.iter_mut().zip(measured).zip(whole) {
        phase.metrics = metrics;
        phase.metrics.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some(measured) = measured_of(&mut whole, &[]) {
            phase.metrics.insert(0, (Metric::duration(), measured));
        }
    }
    found
}
