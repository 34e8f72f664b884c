//! Pools of equal workers: what only one lane of a pairing does, other pairings' lanes do on the other side.

use super::diff::Outcome;
use super::judge::RUN_MIN;
use std::collections::{BTreeMap, BTreeSet};

/// What both lanes of a pairing do behind their first divergence.
type Look = [Vec<String>; 2];

/// Tells pools: pairings of one group that part, a quarter of which, and two, give and take work.
pub fn find(outcome: &mut Outcome) {
    let mut groups: BTreeMap<String, (Vec<usize>, Vec<Look>)> = BTreeMap::new();
    for at in 0..outcome.pairings.len() {
        let pairing = &outcome.pairings[at];
        let (Some(group), [Some(r), Some(c)], Some(found)) = (&pairing.group, pairing.lanes, &pairing.divergence)
        else {
            continue;
        };
        let (kind, places) = (found.kind, found.places);
        let (members, looks) = groups.entry(group.clone()).or_default();
        members.push(at);
        if !matches!(kind, "ended-early" | "started-late") {
            let events =
                [(0, r), (1, c)].map(|(side, lane)| outcome.twin.lane_events(side, lane)[places[side]..].to_vec());
            looks.push([outcome.look_ahead(0, &events[0]), outcome.look_ahead(1, &events[1])]);
        }
    }
    let mut pools: Vec<Vec<usize>> =
        groups.into_values().filter(|(_, looks)| is_pool(looks)).map(|(members, _)| members).collect();
    // Pairings stand in the order of the report.
    pools.sort();
    for (number, members) in pools.iter().enumerate() {
        for &at in members {
            outcome.pairings[at].pool = Some([number, members.len()]);
            outcome.pairings[at].ambiguous = true;
        }
    }
}

fn is_pool(looks: &[Look]) -> bool {
    let moved = (0..looks.len()).filter(|&at| has_moved(looks, at)).count();
    moved >= 2 && 4 * moved >= looks.len()
}

/// Whether what only one lane does is others' work on the other side, in both directions, or one if the other has nothing.
fn has_moved(looks: &[Look], at: usize) -> bool {
    let mut moved_any = false;
    for side in 0..2 {
        let other = 1 - side;
        let own = &looks[at][side];
        let shared = |run: &[String]| occurs(run, &looks[at][other]);
        let moved = |run: &[String]| {
            let is_foreign = |look: &Look| occurs(run, &look[other]) && !occurs(run, &look[side]);
            looks.iter().enumerate().any(|(another, look)| another != at && is_foreign(look))
        };
        let [shared, moved] = [within(own, &shared), within(own, &moved)];
        let rest: Vec<usize> = (0..own.len()).filter(|place| !shared.contains(place)).collect();
        if rest.len() < RUN_MIN {
            continue;
        }
        let of_others: Vec<&String> =
            rest.iter().filter(|place| moved.contains(place)).map(|&place| &own[place]).collect();
        let different: BTreeSet<&String> = of_others.iter().copied().collect();
        if different.len() < RUN_MIN || 2 * of_others.len() < rest.len() {
            return false;
        }
        moved_any = true;
    }
    moved_any
}

fn occurs(run: &[String], events: &[String]) -> bool {
    events.windows(RUN_MIN).any(|window| window == run)
}

/// The places of events that lie in a run of some kind.
fn within(events: &[String], is_of_kind: &dyn Fn(&[String]) -> bool) -> BTreeSet<usize> {
    let runs = events.windows(RUN_MIN).enumerate().filter(|(_, run)| is_of_kind(run));
    runs.flat_map(|(at, _)| at..at + RUN_MIN).collect()
}
