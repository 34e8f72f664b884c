//! The values of each metric in each phase, kept while rows go by: eight bytes a value, and eight more of what is counted.

use std::collections::BTreeMap;

use ahash::AHashMap;

use super::metric::{Metric, Source, Unit};
use super::run::Measured;
use super::statistics::measured_of;
use crate::episode::read::Phases;

/// Metrics of one collector that are summed up; a guest may name more, and they are counted.
const METRICS_MAX: usize = 1_000;

/// A number as a row tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    /// Exact: counters are often more than a double holds exactly.
    Whole(i128),
    /// What a double holds of it.
    Real(f64),
}

impl Amount {
    /// Reads a number's token; none for what is not finite.
    pub(super) fn read(token: &[u8]) -> Option<Amount> {
        let text = std::str::from_utf8(token).ok()?;
        let whole = text.parse().ok().map(Amount::Whole);
        whole.or_else(|| text.parse().ok().filter(|value: &f64| value.is_finite()).map(Amount::Real))
    }

    pub(super) fn value(self) -> f64 {
        match self {
            Amount::Whole(value) => value as f64,
            Amount::Real(value) => value,
        }
    }

    /// How much more it is than an earlier one; none where it is less: the counter began anew.
    fn since(self, earlier: Amount) -> Option<f64> {
        let grown = match (self, earlier) {
            (Amount::Whole(now), Amount::Whole(then)) => now.checked_sub(then)? as f64,
            (now, then) => now.value() - then.value(),
        };
        (grown >= 0.0 && grown.is_finite()).then_some(grown)
    }
}

/// What is kept of a metric in a phase.
#[derive(Clone, Debug, Default)]
struct InPhase {
    values: Vec<f64>,
    /// Of what is counted, in how many seconds each was.
    seconds: Vec<f64>,
}

#[derive(Debug)]
struct Gathered {
    metric: Metric,
    /// The last amount of a counter, and when that was.
    last: Option<(u64, Amount)>,
    /// By the phase's place; only of those in which there are values.
    phases: BTreeMap<usize, InPhase>,
}

/// All that one collector measured.
#[derive(Debug)]
pub(super) struct Series<'p> {
    source: Source,
    phases: &'p Phases,
    numbers: AHashMap<String, usize>,
    gathered: Vec<Gathered>,
    /// Metrics that were too many.
    pub(super) left_out: u64,
}

/// Nanoseconds as seconds.
pub(super) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

impl<'p> Series<'p> {
    pub(super) fn new(source: Source, phases: &'p Phases) -> Series<'p> {
        Series { source, phases, numbers: AHashMap::new(), gathered: Vec::new(), left_out: 0 }
    }

    /// A value that holds at a time.
    pub(super) fn gauge(&mut self, name: &str, unit: &Unit, time: u64, value: f64) {
        let Some(span) = self.phases.at(time) else { return };
        let phase = self.phases.spans[span].phase;
        if let Some(gathered) = self.gathered(name, unit) {
            gathered.phases.entry(phase).or_default().values.push(value);
        }
    }

    /// What a counter shows at a time: so many of its unit, of which each is `scale`. It becomes a rate from one row to the next, if both lie in one phase.
    pub(super) fn counter(&mut self, name: &str, unit: Unit, scale: f64, time: u64, amount: Amount) {
        let phases = self.phases;
        let Some(gathered) = self.gathered(name, &unit.per_second()) else { return };
        let last = gathered.last.replace((time, amount));
        if let Some((before, earlier)) = last
            && before < time
            && let Some(grown) = amount.since(earlier)
            && let Some(span) = phases.around(before, time)
        {
            gathered.phases.entry(phases.spans[span].phase).or_default().add(grown * scale, seconds(time - before));
        }
    }

    /// What was counted in a stretch of time; it counts if all of that lies in one phase.
    pub(super) fn counted(&mut self, name: &str, unit: &Unit, [from, to]: [u64; 2], amount: f64) {
        let Some(span) = self.phases.around(from, to).filter(|_| from < to) else { return };
        let phase = self.phases.spans[span].phase;
        if let Some(gathered) = self.gathered(name, unit) {
            gathered.phases.entry(phase).or_default().add(amount, seconds(to - from));
        }
    }

    fn gathered(&mut self, name: &str, unit: &Unit) -> Option<&mut Gathered> {
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => self.begin(name, unit)?,
        };
        Some(&mut self.gathered[number])
    }

    fn begin(&mut self, name: &str, unit: &Unit) -> Option<usize> {
        if self.gathered.len() == METRICS_MAX {
            // Names of those are not kept: they may be as many as there are rows.
            self.left_out += 1;
            return None;
        }
        let metric = Metric { source: self.source, name: name.to_owned(), unit: unit.clone() };
        self.gathered.push(Gathered { metric, last: None, phases: BTreeMap::new() });
        self.numbers.insert(name.to_owned(), self.gathered.len() - 1);
        Some(self.gathered.len() - 1)
    }

    /// Hands on what each metric was in each phase.
    pub(super) fn finish(self, mut take: impl FnMut(usize, Metric, Measured)) {
        for gathered in self.gathered {
            for (phase, mut kept) in gathered.phases {
                if let Some(measured) = measured_of(&mut kept.values, &kept.seconds) {
                    take(phase, gathered.metric.clone(), measured);
                }
            }
        }
    }
}

impl InPhase {
    fn add(&mut self, amount: f64, seconds: f64) {
        let rate = amount / seconds;
        if rate.is_finite() {
            self.values.push(rate);
            self.seconds.push(seconds);
        }
    }
}
