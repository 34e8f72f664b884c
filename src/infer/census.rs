//! In which events a place is noisy, and in which it is quiet: a value beside it may tell.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rayon::prelude::*;

use super::family::{Differing, Family};
use super::place::{Place, kind_name};
use super::survey::{Compared, condition_value};
use crate::align::{HeaderFault, event_of, header};
use crate::json::{Pointer, Tape, tape};
use crate::profile::{Profile, StrictReader};
use crate::scan::{Opener, ScanOptions, Span, Start, Swept, ThreadKey, sweep};
use crate::source::{Log, SourceError};

/// Values of one field that are counted.
const VALUES_MAX: usize = 4_096;
/// Values that a condition may name.
const NAMED_MAX: usize = 32;
/// A value is quiet only if chance would leave it so less often than this.
const CHANCE_MAX: f64 = 0.001;
/// Events of one worker at a time.
const CHUNK: usize = 512;

/// How many events of a log have a place, and what stands beside it in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    pub events: u64,
    /// By field, how often each value stands there; `None`: too many.
    fields: Vec<Option<BTreeMap<String, u64>>>,
}

impl Counted {
    /// In how many events one of the values stands in a field beside the place.
    pub fn events_with(&self, family: &Family, (field, values): &Telling) -> u64 {
        let at = family.beside.fields().position(|(path, _)| path == field);
        let counts = at.and_then(|at| self.fields.get(at)?.as_ref());
        counts.map_or(0, |counts| values.iter().filter_map(|value| counts.get(value)).sum())
    }
}

/// What of an event decides whether a place is noisy in it: a field, and its values where it is.
pub type Telling = (Pointer, Vec<String>);

/// Counts, in all events of a log, what stands beside the places of families; given how many events of each thread
/// were compared, in those alone.
///
/// # Errors
/// The log cannot be read.
pub fn census(
    log: &mut Log,
    profile: &Profile,
    families: &BTreeMap<Place, Family>,
    compared: Option<&Compared>,
) -> Result<BTreeMap<Place, Counted>, SourceError> {
    let wanted: Vec<Wanted<'_>> = families
        .iter()
        .map(|(place, family)| Wanted {
            kind: place.kind.as_deref(),
            at: place.certain_part(),
            fields: family.beside.fields().map(|(path, _)| path).collect(),
        })
        .collect();
    let Some(start) = begin(log, profile)? else { return Ok(BTreeMap::new()) };
    let opener = Opener::new(profile, false);
    let strict = StrictReader::new(profile);
    let mut counts = vec![Counted::default(); wanted.len()];
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    let mut seen = Compared::with_hasher(tape::fixed_state());
    sweep(log, &opener, options, start, |swept| {
        let mut spans: Vec<Span> = Vec::new();
        for group in &swept.scanned.groups {
            let seen = seen.entry(group.thread.clone()).or_default();
            let compared = compared.map_or(u64::MAX, |all| all.get(&group.thread).copied().unwrap_or(0));
            let left = usize::try_from(compared.saturating_sub(*seen)).unwrap_or(usize::MAX);
            spans.extend(swept.scanned.spans_of(group).take(left));
            *seen += u64::from(group.to - group.from);
        }
        let counted = spans
            .par_chunks(CHUNK)
            .map(|spans| count(&wanted, &strict, &swept, spans))
            .reduce(|| vec![Counted::default(); wanted.len()], merged);
        counts = merged(std::mem::take(&mut counts), counted);
        ControlFlow::Continue(())
    })?;
    Ok(families.keys().cloned().zip(counts).collect())
}

/// Where a log's events begin; nothing where it lacks its header: whoever compares the logs tells that.
fn begin(log: &mut Log, profile: &Profile) -> Result<Option<Start>, SourceError> {
    match header::start(log, profile) {
        Ok(start) => Ok(Some(start)),
        Err(HeaderFault::Source(error)) => Err(error),
        Err(HeaderFault::Unfit { .. }) => Ok(None),
    }
}

/// Tells each event of a log: its thread, where its roles lie, and its line. Those of a thread come in order.
///
/// # Errors
/// The log cannot be read.
pub fn events_of(
    log: &mut Log,
    profile: &Profile,
    mut told: impl FnMut(&ThreadKey, &Span, &[u8]),
) -> Result<(), SourceError> {
    let Some(start) = begin(log, profile)? else { return Ok(()) };
    let opener = Opener::new(profile, false);
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    sweep(log, &opener, options, start, |swept| {
        for group in &swept.scanned.groups {
            for span in swept.scanned.spans_of(group) {
                told(&group.thread, &span, span.line_of(&swept.window.bytes));
            }
        }
        ControlFlow::Continue(())
    })
}

/// What is counted of one place.
struct Wanted<'f> {
    kind: Option<&'f str>,
    at: Pointer,
    fields: Vec<&'f Pointer>,
}

fn count(wanted: &[Wanted<'_>], strict: &StrictReader, swept: &Swept<'_>, spans: &[Span]) -> Vec<Counted> {
    let mut counts: Vec<Counted> = wanted
        .iter()
        .map(|wanted| Counted { events: 0, fields: vec![Some(BTreeMap::new()); wanted.fields.len()] })
        .collect();
    let mut tape = Tape::default();
    for span in spans {
        let line = span.line_of(&swept.window.bytes);
        let kind = kind_name(event_of(span, line, 0).scalar_kind());
        let mut read = None;
        for (wanted, counted) in wanted.iter().zip(&mut counts) {
            if wanted.kind != kind.as_deref() || !*read.get_or_insert_with(|| strict.read(line, &mut tape).is_ok()) {
                continue;
            }
            if tape.at(line, Tape::ROOT, &wanted.at).is_some() {
                counted.events += 1;
                for (field, values) in wanted.fields.iter().zip(&mut counted.fields) {
                    let node = tape.at(line, Tape::ROOT, field);
                    if let Some(value) = node.and_then(|node| condition_value(tape.bytes(line, node))) {
                        add(values, value, 1);
                    }
                }
            }
        }
    }
    counts
}

/// Counts one value more, unless there are too many.
pub(super) fn add(values: &mut Option<BTreeMap<String, u64>>, value: &str, count: u64) {
    let Some(held) = values else { return };
    match held.get_mut(value) {
        Some(held) => *held += count,
        None => {
            held.insert(value.to_owned(), count);
        }
    }
    if held.len() > VALUES_MAX {
        *values = None;
    }
}

fn merged(mut one: Vec<Counted>, other: Vec<Counted>) -> Vec<Counted> {
    for (one, other) in one.iter_mut().zip(other) {
        one.events += other.events;
        if one.fields.is_empty() {
            one.fields = other.fields;
            continue;
        }
        for (held, more) in one.fields.iter_mut().zip(other.fields) {
            match more {
                None => *held = None,
                Some(more) => more.iter().for_each(|(value, count)| add(held, value, *count)),
            }
        }
    }
    one
}

/// The field that tells noisy events from quiet ones best, if one does: where its values are those, the place was
/// seen to differ; where they are others it stayed the same more often than chance allows. `turns` is how often each
/// event was compared.
pub fn telling(family: &Family, counted: &Counted, turns: u64) -> Option<Telling> {
    let mut best: Option<((u64, usize), Telling)> = None;
    for ((field, noisy), all) in family.beside.fields().zip(&counted.fields) {
        let Some(all) = all else { continue };
        if noisy.len() > NAMED_MAX {
            continue;
        }
        let pairs = |(value, differing): (&String, &Differing)| (value.clone(), differing.pairs);
        let quiet = quiet_events(&noisy.iter().map(pairs).collect(), all, turns);
        // The most quiet events, then the fewest names, then what stands first.
        let rank = (quiet, usize::MAX - noisy.len());
        if quiet > 0 && best.as_ref().is_none_or(|(held, _)| rank > *held) {
            best = Some((rank, (field.clone(), noisy.keys().cloned().collect())));
        }
    }
    best.map(|(_, telling)| telling)
}

/// In how many events the other values are quiet for certain.
fn quiet_events(noisy: &BTreeMap<String, u64>, all: &BTreeMap<String, u64>, turns: u64) -> u64 {
    let events = |value: &str| all.get(value).copied().unwrap_or(0).saturating_mul(turns);
    let seen: u64 = noisy.keys().map(|value| events(value)).sum();
    let differed: u64 = noisy.values().sum();
    // Each noisy value was chosen for having differed once, which says nothing of how often it does.
    // Events that only the other run has were not counted.
    let chosen = noisy.len() as u64;
    let (again, trials) = (differed.saturating_sub(chosen), seen.max(differed).saturating_sub(chosen));
    let rate = again as f64 / (trials as f64 + 1.0);
    let is_quiet = |value: &str| (1.0 - rate).powf(events(value) as f64) < CHANCE_MAX;
    all.iter().filter(|(value, _)| !noisy.contains_key(*value) && is_quiet(value)).map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: &[(&str, u64)]) -> BTreeMap<String, u64> {
        values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
    }

    #[test]
    fn values_are_quiet_only_where_chance_would_not_leave_them_so() {
        let all = counts(&[("a", 100), ("b", 100), ("c", 3)]);
        assert_eq!(quiet_events(&counts(&[("a", 100)]), &all, 1), 103);
        assert_eq!(quiet_events(&counts(&[("a", 10)]), &all, 1), 100);
        assert_eq!(quiet_events(&counts(&[("a", 2)]), &all, 1), 0);
        assert_eq!(quiet_events(&counts(&[("a", 100)]), &all, 50), 100);
        // Values that are met once each say nothing, however they fall.
        let once: Vec<String> = (0..40).map(|at| at.to_string()).collect();
        let all: BTreeMap<String, u64> = once.iter().map(|value| (value.clone(), 1)).collect();
        let half: BTreeMap<String, u64> = once.iter().step_by(2).map(|value| (value.clone(), 1)).collect();
        assert_eq!(quiet_events(&half, &all, 1), 0);
    }
}
