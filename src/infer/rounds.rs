//! Round by round: what differs becomes rules, under which what is left is looked at again.

use std::collections::BTreeMap;

use super::census::{Counted, Telling, census};
use super::extra::whole;
use super::family::Family;
use super::place::{Place, Unordered};
use super::proposal::{self, Breadth, Class, Proposal};
use super::survey::{Findings, survey};
use super::tally;
use crate::align::{Observer, RunOptions};
use crate::diverge::RunError;
use crate::profile::Profile;
use crate::source::Log;

/// Rounds after which nothing more is to be learned.
const ROUNDS_MAX: usize = 40;

/// What was learned.
#[derive(Clone, Debug)]
pub struct Inferred {
    /// The rules under which the runs were compared, with the proposed ones on top.
    pub profile: Profile,
    pub proposals: Vec<Proposal>,
    /// Rounds it took.
    pub rounds: usize,
}

/// Where logs come from: each is read several times. 0 is the reference.
pub type Open<'o> = dyn FnMut(usize) -> Result<Log, RunError> + 'o;

/// Finds rules that overlook what differs between the first of so many logs and each other one.
///
/// # Errors
/// A log cannot be read, or lacks its header.
pub fn infer(
    logs: usize,
    open: &mut Open<'_>,
    base: &Profile,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Inferred, RunError> {
    // What comes and goes is taken out first: pairs that are none would make noise of everything.
    let events = proposal::named(proposal::joined(tally::come_and_go(logs, open, base)?), base);
    let base = &proposal::laid_on(&events, base);
    let mut seen = Findings::default();
    let mut breadths: BTreeMap<Place, Breadth> = BTreeMap::new();
    let mut inferred = Inferred { profile: base.clone(), proposals: Vec::new(), rounds: 0 };
    while inferred.rounds < ROUNDS_MAX {
        inferred.rounds += 1;
        let mut round = Findings::default();
        for run in 1..logs {
            let (mut reference, mut candidate) = (open(0)?, open(run)?);
            round.merge(survey(run, [&mut reference, &mut candidate], &inferred.profile, options, observer)?.0);
        }
        if round.is_empty() {
            break;
        }
        seen.merge(round.clone());
        let unordered = Unordered::of(&proposal::laid_on(&orders_of(&seen, base), base));
        let families = proposal::gather(without_positions(&seen.families, &unordered));
        let sighted = without_positions(&round.families, &unordered);
        let wholes = seen.extra.iter().map(|(kind, extra)| (whole(kind), extra.family.clone()));
        let asked = families.clone().into_iter().chain(wholes).collect();
        let counted = census(&mut open(0)?, base, &asked, None)?;
        let turns = logs as u64 - 1;
        let of = |breadths: &BTreeMap<Place, Breadth>| -> Vec<Proposal> {
            proposal::proposals(&families, (&seen.orders, &seen.extra), &counted, breadths, (turns, base))
        };
        let mut proposals = of(&breadths);
        // A rule that stays as it was although its place differed again did not do.
        let again = families
            .keys()
            .filter(|place| sighted.keys().any(|other| place.holds(other)))
            .cloned()
            .chain(round.extra.keys().map(|kind| whole(kind)));
        let stale: Vec<Place> =
            again.filter(|place| rules_of(place, &proposals) == rules_of(place, &inferred.proposals)).collect();
        for place in &stale {
            let breadth = breadths.entry(place.clone()).or_default();
            *breadth = breadth.wider();
        }
        if !stale.is_empty() {
            proposals = of(&breadths);
        }
        if are_the_same(&proposals, &inferred.proposals) {
            break;
        }
        inferred.profile = proposal::laid_on(&proposals, base);
        inferred.proposals = proposals;
    }
    inferred.proposals.splice(0..0, events);
    Ok(inferred)
}

/// What arrays alone give.
fn orders_of(seen: &Findings, base: &Profile) -> Vec<Proposal> {
    let nothing = BTreeMap::<Place, Counted>::new();
    proposal::proposals(&BTreeMap::new(), (&seen.orders, &BTreeMap::new()), &nothing, &BTreeMap::new(), (1, base))
}

/// Places below arrays without order have no positions.
pub(super) fn without_positions(families: &BTreeMap<Place, Family>, unordered: &Unordered) -> BTreeMap<Place, Family> {
    let mut found: BTreeMap<Place, Family> = BTreeMap::new();
    for (place, family) in families {
        found.entry(unordered.without_positions(place)).or_default().merge(family);
    }
    found
}

/// What the rules of a place say.
fn rules_of<'p>(place: &Place, proposals: &'p [Proposal]) -> Vec<(&'p Class, &'p Option<Telling>)> {
    let is_for = |proposal: &&Proposal| {
        proposal.path == place.path && place.kind.as_ref().is_none_or(|kind| proposal.kinds.contains(kind))
    };
    proposals.iter().filter(is_for).map(|proposal| (&proposal.class, &proposal.telling)).collect()
}

fn are_the_same(new: &[Proposal], old: &[Proposal]) -> bool {
    let essence = |proposals: &[Proposal]| -> Vec<_> {
        proposals
            .iter()
            .map(|rule| (rule.kinds.clone(), rule.path.clone(), rule.class.clone(), rule.telling.clone()))
            .collect()
    };
    essence(new) == essence(old)
}
