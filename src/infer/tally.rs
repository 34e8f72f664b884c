//! Kinds of events that come and go: how often each is logged, run by run.
//!
//! Counts need no alignment, so they tell even where hardly two events in a row are in both runs. A kind that was not
//! logged equally often comes and goes; a field may tell which of its events do. Where its events stand in equally many
//! stretches of their threads, though, and only those are longer or shorter, they are repeated.

use std::collections::{BTreeMap, BTreeSet};

use ahash::AHashMap;

use super::census::{Telling, add, events_of};
use super::extra::fields;
use super::place::kind_name;
use super::proposal::{Class, Proposal};
use super::rounds::Open;
use crate::align::event_of;
use crate::diverge::RunError;
use crate::json::Pointer;
use crate::json::tape::fixed_state;
use crate::profile::{Pattern, Profile};
use crate::scan::ThreadKey;

/// Values of a field that may come and go, and events of others that must not, before it tells anything.
const NAMED_MAX: usize = 32;
const QUIET_MIN: u64 = 8;

/// What one log holds of a kind that comes and goes.
#[derive(Clone, Debug, Default)]
struct OfKind {
    events: u64,
    /// Stretches of a thread's events of this kind, kinds that come and go between them left out.
    stretches: u64,
    /// By field, how often each value stands there; `None`: too many values.
    fields: BTreeMap<Pointer, Option<BTreeMap<String, u64>>>,
}

/// Rules for the kinds that were not logged equally often in the first log and each other one. None where that is so of
/// nearly all that was logged: then a log is cut, or the runs are not the same.
///
/// # Errors
/// A log cannot be read, or lacks its header.
pub fn come_and_go(logs: usize, open: &mut Open<'_>, base: &Profile) -> Result<Vec<Proposal>, RunError> {
    let mut counts: Vec<BTreeMap<String, u64>> = Vec::new();
    for log in 0..logs {
        let mut kinds = BTreeMap::new();
        events_of(&mut open(log)?, base, |_, span, line| {
            if let Some(kind) = kind_name(event_of(span, line, 0).scalar_kind()) {
                *kinds.entry(kind).or_default() += 1;
            }
        })?;
        counts.push(kinds);
    }
    let all: BTreeSet<&String> = counts.iter().flat_map(BTreeMap::keys).collect();
    let count = |log: usize, kind: &String| counts[log].get(kind).copied().unwrap_or(0);
    let differs = |kind: &&String| (1..logs).any(|log| count(log, kind) != count(0, kind));
    // What the profile takes out already may come and go.
    let is_ruled = |kind: &String| base.event_rules().any(|rule| rule.kinds.contains(kind));
    let noisy: BTreeSet<String> = all.iter().copied().filter(differs).filter(|kind| !is_ruled(kind)).cloned().collect();
    let total: u64 = counts[0].values().sum();
    if noisy.is_empty() || noisy.iter().map(|kind| count(0, kind)).sum::<u64>() * 10 > total * 9 {
        return Ok(Vec::new());
    }
    let mut found: Vec<BTreeMap<String, OfKind>> = Vec::new();
    for log in 0..logs {
        found.push(look(log, open, base, &noisy)?);
    }
    Ok(noisy.iter().map(|kind| proposal(kind, &found)).collect())
}

/// What a log holds of the kinds that come and go.
fn look(
    log: usize,
    open: &mut Open<'_>,
    base: &Profile,
    noisy: &BTreeSet<String>,
) -> Result<BTreeMap<String, OfKind>, RunError> {
    let mut found: BTreeMap<String, OfKind> = BTreeMap::new();
    // The kinds that each thread has met since its last event of another kind.
    let mut met: AHashMap<ThreadKey, BTreeSet<String>> = AHashMap::with_hasher(fixed_state());
    events_of(&mut open(log)?, base, |thread, span, line| {
        let met = match met.get_mut(thread) {
            Some(met) => met,
            None => met.entry(thread.clone()).or_default(),
        };
        let kind = kind_name(event_of(span, line, 0).scalar_kind());
        let Some(kind) = kind.filter(|kind| noisy.contains(kind)) else { return met.clear() };
        let of = found.entry(kind.clone()).or_default();
        of.events += 1;
        for (path, value) in fields(line, base).unwrap_or_default() {
            // What tells events apart stands in all of them, so in the first.
            if of.events == 1 {
                of.fields.insert(path.clone(), Some(BTreeMap::new()));
            }
            of.fields.get_mut(&path).into_iter().for_each(|values| add(values, &value, 1));
        }
        of.stretches += u64::from(met.insert(kind));
    })?;
    Ok(found)
}

fn proposal(kind: &String, found: &[BTreeMap<String, OfKind>]) -> Proposal {
    let nothing = OfKind::default();
    let of: Vec<&OfKind> = found.iter().map(|log| log.get(kind).unwrap_or(&nothing)).collect();
    let are_repeated = of.iter().all(|other| other.stretches == of[0].stretches);
    let telling = if are_repeated { None } else { telling(&of) };
    Proposal {
        name: String::new(),
        kinds: vec![kind.clone()],
        path: Pattern::default(),
        telling,
        class: if are_repeated { Class::Fold } else { Class::Drop },
        pairs: of.iter().skip(1).map(|other| other.events.abs_diff(of[0].events)).sum(),
        of: of.iter().map(|log| log.events).sum(),
        example: None,
    }
}

/// The field whose values tell events that come and go from those that do not: the latter the most, the former the fewest.
fn telling(of: &[&OfKind]) -> Option<Telling> {
    let mut best: Option<((u64, usize), Telling)> = None;
    for (path, values) in &of[0].fields {
        let Some(values) = values else { continue };
        let others: Option<Vec<&BTreeMap<String, u64>>> =
            of[1..].iter().map(|log| log.fields.get(path)?.as_ref()).collect();
        let Some(others) = others else { continue };
        let is_quiet = |value: &String| others.iter().all(|other| other.get(value) == values.get(value));
        let all: BTreeSet<&String> = others.iter().flat_map(|other| other.keys()).chain(values.keys()).collect();
        let (quiet, noisy): (Vec<&String>, Vec<&String>) = all.into_iter().partition(|value| is_quiet(value));
        let events: u64 = quiet.iter().filter_map(|value| values.get(*value)).sum();
        // Every event must have the field, or who has none would be left out.
        let is_everywhere = of.iter().all(|log| {
            let of_field = log.fields.get(path).and_then(|values| values.as_ref());
            of_field.is_some_and(|values| values.values().sum::<u64>() == log.events)
        });
        let rank = (events, usize::MAX - noisy.len());
        let may_tell = events >= QUIET_MIN && !noisy.is_empty() && noisy.len() <= NAMED_MAX && is_everywhere;
        if may_tell && best.as_ref().is_none_or(|(held, _)| rank > *held) {
            best = Some((rank, (path.clone(), noisy.into_iter().cloned().collect())));
        }
    }
    best.map(|(_, telling)| telling)
}
