//! Pairing lanes in log time.
//!
//! The n-th events of both logs are simultaneous, so a pairing is a function of the two event
//! sequences alone: waves, windows and workers do not exist here. Lanes arrive ripe, with an
//! opening that never changes; decisions fall at exact moments of log time and never change.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::hash::{BuildHasher, Hasher};

use crate::json::tape::fixed_state;
use crate::source::Side;

/// A lane's opening is at most so many events.
pub const OPENING_EVENTS_MAX: usize = 64;
/// An opening is complete once so many events of its log have come, its first among them.
pub const OPENING_SPAN: u64 = 65_536;
/// So long after both are ripe two lanes of a group are paired even if their openings differ.
pub const PATIENCE: u64 = 65_536;
/// A pairing decided later than this after its reference lane's first event is late.
pub const LATE: u64 = 131_072;
/// With more lanes waiting in a group, openings are no longer held against each other.
pub const WAITING_COMPARED_MAX: usize = 1_000;

/// Lanes of different groups that are left at the ends may be one thread whose first call differs: if they share at least
/// so many events of their openings, which must be three quarters of the longer one.
pub const SHARED_MIN: u64 = 4;
const LIKENESS_MIN: [u64; 2] = [3, 4];

/// A lane's beginning, as far as pairing looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Digests of its events under the rules, ordinals overlooked.
    pub digests: Vec<u64>,
    /// A digest of the group key.
    pub group: u64,
}

impl Opening {
    fn fingerprint(&self) -> u64 {
        let mut state = fixed_state().build_hasher();
        self.digests.iter().for_each(|digest| state.write_u64(*digest));
        state.write_usize(self.digests.len());
        state.finish()
    }

    /// How many events the two have in common from the start.
    pub fn common(&self, other: &Opening) -> u64 {
        common(&self.digests, &other.digests)
    }
}

/// How many events two have in common from the start.
fn common(one: &[u64], two: &[u64]) -> u64 {
    one.iter().zip(two).take_while(|(a, b)| a == b).count() as u64
}

/// How many events two sorted openings share, if that is enough to take them for one thread's.
fn likeness(one: &[u64], two: &[u64]) -> Option<u64> {
    let longer = one.len().max(two.len()) as u64;
    let [mut one, mut two] = [one, two].map(|digests| digests.iter().peekable());
    let mut shared = 0;
    while let (Some(a), Some(b)) = (one.peek(), two.peek()) {
        let order = a.cmp(b);
        shared += u64::from(order.is_eq());
        if order.is_le() {
            one.next();
        }
        if order.is_ge() {
            two.next();
        }
    }
    let [least, of] = LIKENESS_MIN;
    (shared >= SHARED_MIN && shared * of >= longer * least).then_some(shared)
}

/// How a pairing was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedBy {
    FirstCall,
    Prefix,
    Order,
    /// At the ends, of different groups: their openings share most of their events.
    Likeness,
    Only,
    Same,
    Given,
    None,
}

/// How alike two openings are: `common` events from the start (under [`MatchedBy::Likeness`] wherever they stand), of `of`;
/// and the best other fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    pub common: u64,
    pub of: u64,
    /// The same with another lane that waited; `None` if none did.
    pub runner_up: Option<u64>,
}

/// Two lanes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Indices of the lanes, the reference's first.
    pub lanes: [usize; 2],
    pub matched_by: MatchedBy,
    pub ambiguous: bool,
    pub evidence: Option<Evidence>,
    /// Log time of the decision.
    pub at: u64,
}

/// A ripe lane; the order is that of ripeness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ripe {
    at: u64,
    first_line: u64,
    lane: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrival,
    Due,
}

#[derive(Debug, Default)]
struct Group {
    waiting: [BTreeSet<Ripe>; 2],
    due: [BTreeSet<Ripe>; 2],
    by_opening: BTreeMap<u64, [VecDeque<Ripe>; 2]>,
}

/// Decides pairings as log time advances.
#[derive(Debug, Default)]
pub struct Pairer {
    openings: [BTreeMap<usize, Opening>; 2],
    agenda: BinaryHeap<Reverse<(u64, Step, Side, Ripe)>>,
    groups: BTreeMap<u64, Group>,
    decisions: Vec<Decision>,
}

impl Pairer {
    /// A lane became ripe at a moment that [`Pairer::advance`] has not passed yet.
    pub fn ripe(&mut self, side: Side, lane: usize, at: u64, first_line: u64, opening: Opening) {
        self.openings[side.index()].insert(lane, opening);
        self.agenda.push(Reverse((at, Step::Arrival, side, Ripe { at, first_line, lane })));
    }

    /// Decides everything up to and including the moment `horizon`.
    pub fn advance(&mut self, horizon: u64) -> Vec<Decision> {
        while let Some(Reverse((now, step, ..))) = self.agenda.peek().copied() {
            if now > horizon {
                break;
            }
            let mut batch = Vec::new();
            while let Some(Reverse((at, kind, side, ripe))) = self.agenda.peek().copied() {
                if (at, kind) != (now, step) {
                    break;
                }
                self.agenda.pop();
                batch.push((side, ripe));
            }
            match step {
                Step::Arrival => self.arrive(now, &batch),
                Step::Due => self.fall_due(now, &batch),
            }
        }
        std::mem::take(&mut self.decisions)
    }

    /// Decides what is left when both logs have ended, at the moment `end`.
    pub fn finish(&mut self, end: u64, lanes: [usize; 2]) -> Vec<Decision> {
        let mut decisions = self.advance(end);
        let mut left: [Vec<Ripe>; 2] = [Vec::new(), Vec::new()];
        for group in std::mem::take(&mut self.groups).into_values() {
            let mut waiting = group.waiting.map(|side| side.into_iter().collect::<Vec<_>>());
            if waiting.iter().any(|side| side.len() > WAITING_COMPARED_MAX) {
                let pairs = waiting[0].len().min(waiting[1].len());
                let [references, candidates] = waiting.each_mut().map(|side| side.drain(..pairs).collect::<Vec<_>>());
                let lanes = references.into_iter().zip(candidates);
                decisions.extend(lanes.map(|(r, c)| self.in_order(r, c, end)));
            } else {
                let matched_by = match waiting.each_ref().map(Vec::len) {
                    _ if lanes == [1, 1] => MatchedBy::Only,
                    [0 | 1, 0 | 1] => MatchedBy::Order,
                    _ => MatchedBy::Prefix,
                };
                let openings = self.openings_of(&waiting);
                decisions.extend(fit(&mut waiting, &openings, matched_by, end, |r, c| Some(common(r, c))));
            }
            left.iter_mut().zip(waiting).for_each(|(left, waiting)| left.extend(waiting));
        }
        if let ([1, 1], [r], [c]) = (lanes, left[0].as_slice(), left[1].as_slice()) {
            let evidence = Some(self.evidence(&Group::default(), *r, *c));
            let matched_by = MatchedBy::Only;
            decisions.push(Decision { lanes: [r.lane, c.lane], matched_by, ambiguous: false, evidence, at: end });
        } else if left.iter().all(|side| side.len() <= WAITING_COMPARED_MAX) {
            // Groups stand in the order of their digests.
            left.iter_mut().for_each(|side| side.sort_unstable());
            let mut openings = self.openings_of(&left);
            openings.iter_mut().flatten().for_each(|digests| digests.to_mut().sort_unstable());
            decisions.extend(fit(&mut left, &openings, MatchedBy::Likeness, end, likeness));
        }
        decisions
    }

    fn openings_of(&self, lanes: &[Vec<Ripe>; 2]) -> [Vec<Cow<'_, [u64]>>; 2] {
        let digests = |side, ripe: &Ripe| Cow::from(&self.opening(side, *ripe).digests);
        Side::BOTH.map(|side| lanes[side.index()].iter().map(|ripe| digests(side, ripe)).collect())
    }

    fn opening(&self, side: Side, ripe: Ripe) -> &Opening {
        &self.openings[side.index()][&ripe.lane]
    }

    /// Lanes that became ripe at one moment: all arrive, then equal openings meet.
    fn arrive(&mut self, now: u64, batch: &[(Side, Ripe)]) {
        let mut classes = Vec::new();
        for (side, ripe) in batch {
            let opening = self.opening(*side, *ripe);
            let class = (opening.group, opening.fingerprint());
            let group = self.groups.entry(class.0).or_default();
            group.waiting[side.index()].insert(*ripe);
            group.by_opening.entry(class.1).or_default()[side.index()].push_back(*ripe);
            if !classes.contains(&class) {
                classes.push(class);
            }
            self.agenda.push(Reverse((now + PATIENCE, Step::Due, *side, *ripe)));
        }
        for (group, class) in classes {
            let several = self.groups[&group].by_opening[&class].iter().any(|lanes| lanes.len() > 1);
            while let [Some(r), Some(c)] = self.fronts(group, class) {
                let group = self.groups.remove(&group).expect("just read");
                let evidence = self.evidence(&group, r, c);
                let key = self.opening(Side::Reference, r).group;
                self.groups.insert(key, group);
                self.decide(r, c, MatchedBy::FirstCall, several, evidence, now);
            }
        }
    }

    fn fronts(&self, group: u64, class: u64) -> [Option<Ripe>; 2] {
        match self.groups.get(&group).and_then(|group| group.by_opening.get(&class)) {
            Some(lanes) => [lanes[0].front().copied(), lanes[1].front().copied()],
            None => [None, None],
        }
    }

    fn fall_due(&mut self, now: u64, batch: &[(Side, Ripe)]) {
        let mut touched = Vec::new();
        for (side, ripe) in batch {
            // A lane that was paired meanwhile has left its opening behind.
            let Some(key) = self.openings[side.index()].get(&ripe.lane).map(|opening| opening.group) else { continue };
            let Some(group) = self.groups.get_mut(&key) else { continue };
            if group.waiting[side.index()].contains(ripe) {
                group.due[side.index()].insert(*ripe);
                if !touched.contains(&key) {
                    touched.push(key);
                }
            }
        }
        for key in touched {
            self.settle(key, now);
        }
    }

    /// Pairs the due lanes of a group until one side has none.
    fn settle(&mut self, key: u64, now: u64) {
        loop {
            let group = &self.groups[&key];
            let (Some(first_r), Some(first_c)) = (group.due[0].first(), group.due[1].first()) else { return };
            if group.waiting.iter().any(|waiting| waiting.len() > WAITING_COMPARED_MAX) {
                let (r, c) = (*first_r, *first_c);
                let evidence = self.in_order(r, c, now).evidence.expect("lanes with openings");
                self.decide(r, c, MatchedBy::Order, true, evidence, now);
                continue;
            }
            let (r, c, ambiguous) = self.best_fit(group);
            let evidence = self.evidence(group, r, c);
            self.decide(r, c, MatchedBy::Prefix, ambiguous, evidence, now);
        }
    }

    /// The due pair with the longest common beginning, the earliest ripe among equals; whether
    /// one of the two would fit another lane just as well.
    fn best_fit(&self, group: &Group) -> (Ripe, Ripe, bool) {
        let mut best: Option<(u64, Ripe, Ripe)> = None;
        let mut fits = Vec::new();
        for r in &group.due[0] {
            for c in &group.due[1] {
                let common = self.opening(Side::Reference, *r).common(self.opening(Side::Candidate, *c));
                if best.is_none_or(|(most, ..)| common > most) {
                    best = Some((common, *r, *c));
                    fits.clear();
                }
                if best.is_some_and(|(most, ..)| common == most) {
                    fits.push((*r, *c));
                }
            }
        }
        let (_, r, c) = best.expect("both sides have a due lane");
        let ambiguous = fits.iter().any(|(x, y)| (*x == r) != (*y == c));
        (r, c, ambiguous)
    }

    /// Two lanes of a crowd, in which openings are not held against each other.
    fn in_order(&self, r: Ripe, c: Ripe, at: u64) -> Decision {
        let (a, b) = (self.opening(Side::Reference, r), self.opening(Side::Candidate, c));
        let of = a.digests.len().max(b.digests.len()) as u64;
        let evidence = Some(Evidence { common: a.common(b), of, runner_up: None });
        Decision { lanes: [r.lane, c.lane], matched_by: MatchedBy::Order, ambiguous: true, evidence, at }
    }

    fn evidence(&self, group: &Group, r: Ripe, c: Ripe) -> Evidence {
        let (a, b) = (self.opening(Side::Reference, r), self.opening(Side::Candidate, c));
        let others = group.waiting[1].iter().filter(|other| **other != c).take(WAITING_COMPARED_MAX);
        Evidence {
            common: a.common(b),
            of: a.digests.len().max(b.digests.len()) as u64,
            runner_up: others.map(|other| a.common(self.opening(Side::Candidate, *other))).max(),
        }
    }

    fn decide(&mut self, r: Ripe, c: Ripe, matched_by: MatchedBy, ambiguous: bool, evidence: Evidence, at: u64) {
        let lanes = [r.lane, c.lane];
        self.decisions.push(Decision { lanes, matched_by, ambiguous, evidence: Some(evidence), at });
        let (key, class) = {
            let opening = self.opening(Side::Reference, r);
            (opening.group, opening.fingerprint())
        };
        let other_class = self.opening(Side::Candidate, c).fingerprint();
        let group = self.groups.get_mut(&key).expect("a waiting lane has a group");
        for (side, ripe, class) in [(0, r, class), (1, c, other_class)] {
            group.waiting[side].remove(&ripe);
            group.due[side].remove(&ripe);
            if let Some(lanes) = group.by_opening.get_mut(&class) {
                lanes[side].retain(|waiting| *waiting != ripe);
                if lanes.iter().all(VecDeque::is_empty) {
                    group.by_opening.remove(&class);
                }
            }
        }
        self.openings[0].remove(&r.lane);
        self.openings[1].remove(&c.lane);
    }
}

/// Pairs lanes that are left at the ends by a measure of their openings, the most alike first, the earliest ripe
/// among equals; takes them out. Where one of the two would fit another lane as well, be it one that just got a
/// partner, that is ambiguous.
fn fit(
    left: &mut [Vec<Ripe>; 2],
    [references, candidates]: &[Vec<Cow<'_, [u64]>>; 2],
    matched_by: MatchedBy,
    at: u64,
    measure: impl Fn(&[u64], &[u64]) -> Option<u64>,
) -> Vec<Decision> {
    let rows = references.iter().map(|r| candidates.iter().map(|c| measure(r, c)).collect());
    let measured: Vec<Vec<Option<u64>>> = rows.collect();
    let places = (0..references.len()).flat_map(|r| (0..candidates.len()).map(move |c| (r, c)));
    let mut best: Vec<_> = places.filter_map(|(r, c)| Some((Reverse(measured[r][c]?), r, c))).collect();
    best.sort_unstable();
    let mut free = [vec![true; references.len()], vec![true; candidates.len()]];
    let mut decisions = Vec::new();
    for alike in best.chunk_by(|a, b| a.0 == b.0) {
        let before = free.clone();
        let mut fits = [vec![0; references.len()], vec![0; candidates.len()]];
        for (_, r, c) in alike.iter().filter(|(_, r, c)| before[0][*r] && before[1][*c]) {
            fits[0][*r] += 1;
            fits[1][*c] += 1;
        }
        for (Reverse(common), r, c) in alike.iter().copied() {
            if !(free[0][r] && free[1][c]) {
                continue;
            }
            (free[0][r], free[1][c]) = (false, false);
            let others = (0..candidates.len()).filter(|other| *other != c && before[1][*other]);
            decisions.push(Decision {
                lanes: [left[0][r].lane, left[1][c].lane],
                matched_by,
                ambiguous: fits[0][r] > 1 || fits[1][c] > 1,
                evidence: Some(Evidence {
                    common,
                    of: references[r].len().max(candidates[c].len()) as u64,
                    runner_up: others.filter_map(|other| measured[r][other]).max(),
                }),
                at,
            });
        }
    }
    for (side, free) in left.iter_mut().zip(free) {
        let mut free = free.into_iter();
        side.retain(|_| free.next() == Some(true));
    }
    decisions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(group: u64, digests: &[u64]) -> Opening {
        Opening { digests: digests.to_vec(), group }
    }

    fn pairs(decisions: &[Decision]) -> Vec<(usize, usize, MatchedBy, bool, u64)> {
        decisions.iter().map(|d| (d.lanes[0], d.lanes[1], d.matched_by, d.ambiguous, d.at)).collect()
    }

    #[test]
    fn equal_openings_meet_at_once_the_earliest_first() {
        let mut pairer = Pairer::default();
        pairer.ripe(Side::Reference, 0, 64, 2, opening(1, &[1, 2]));
        pairer.ripe(Side::Reference, 1, 70, 5, opening(1, &[1, 2]));
        pairer.ripe(Side::Candidate, 0, 80, 2, opening(1, &[1, 2]));
        assert_eq!(pairs(&pairer.advance(79)), []);
        assert_eq!(pairs(&pairer.advance(100)), [(0, 0, MatchedBy::FirstCall, true, 80)]);
        pairer.ripe(Side::Candidate, 1, 120, 9, opening(1, &[1, 2]));
        assert_eq!(pairs(&pairer.finish(200, [2, 2])), [(1, 1, MatchedBy::FirstCall, false, 120)]);
    }

    #[test]
    fn of_equal_candidates_the_earliest_is_taken_first() {
        let mut pairer = Pairer::default();
        pairer.ripe(Side::Candidate, 7, 64, 2, opening(1, &[1, 2]));
        pairer.ripe(Side::Candidate, 8, 70, 5, opening(1, &[1, 2]));
        pairer.ripe(Side::Reference, 0, 80, 2, opening(1, &[1, 2]));
        pairer.ripe(Side::Reference, 1, 90, 3, opening(1, &[1, 2]));
        let decided = pairer.advance(100);
        assert_eq!(pairs(&decided), [(0, 7, MatchedBy::FirstCall, true, 80), (1, 8, MatchedBy::FirstCall, false, 90)]);
    }

    #[test]
    fn of_equal_beginnings_the_earliest_pair_is_taken_and_told_as_ambiguous() {
        let mut pairer = Pairer::default();
        for (lane, at) in [(0, 10), (1, 20)] {
            pairer.ripe(Side::Reference, lane, at, 2, opening(1, &[1, 2, lane as u64]));
            pairer.ripe(Side::Candidate, lane, at + 5, 2, opening(1, &[1, 2, 7 + lane as u64]));
        }
        let decided = pairer.advance(PATIENCE + 25);
        let due = [PATIENCE + 15, PATIENCE + 25];
        assert_eq!(
            pairs(&decided),
            [(0, 0, MatchedBy::Prefix, false, due[0]), (1, 1, MatchedBy::Prefix, false, due[1])]
        );
        let mut pairer = Pairer::default();
        for lane in [0, 1] {
            pairer.ripe(Side::Reference, lane, 10, 2 + lane as u64, opening(1, &[1, 2, lane as u64]));
            pairer.ripe(Side::Candidate, lane, 10, 2 + lane as u64, opening(1, &[1, 2, 7 + lane as u64]));
        }
        let decided = pairer.advance(PATIENCE + 10);
        assert_eq!(
            pairs(&decided),
            [(0, 0, MatchedBy::Prefix, true, PATIENCE + 10), (1, 1, MatchedBy::Prefix, false, PATIENCE + 10)]
        );
    }

    #[test]
    fn patience_ends_with_the_longest_common_beginning() {
        let mut pairer = Pairer::default();
        pairer.ripe(Side::Reference, 0, 10, 2, opening(1, &[1, 2, 3]));
        pairer.ripe(Side::Reference, 1, 20, 3, opening(1, &[1, 9, 9]));
        pairer.ripe(Side::Candidate, 0, 30, 2, opening(1, &[1, 9, 8]));
        pairer.ripe(Side::Candidate, 1, 40, 3, opening(1, &[5]));
        pairer.ripe(Side::Candidate, 2, 40, 4, opening(2, &[1, 2, 3]));
        assert_eq!(pairs(&pairer.advance(PATIENCE + 29)), []);
        let decided = pairer.advance(PATIENCE + 40);
        assert_eq!(
            pairs(&decided),
            [(1, 0, MatchedBy::Prefix, false, PATIENCE + 30), (0, 1, MatchedBy::Prefix, false, PATIENCE + 40)]
        );
        assert_eq!(decided[0].evidence, Some(Evidence { common: 2, of: 3, runner_up: Some(0) }));
    }

    #[test]
    fn at_the_end_the_most_alike_meet_and_a_choice_between_equals_is_told() {
        let ripe = |pairer: &mut Pairer, side, lane, digests: &[u64]| {
            pairer.ripe(side, lane, 10 + lane as u64, 2, opening(1, digests));
        };
        let mut pairer = Pairer::default();
        ripe(&mut pairer, Side::Reference, 0, &[1, 2, 3, 4]);
        ripe(&mut pairer, Side::Reference, 1, &[1, 5, 6, 7]);
        ripe(&mut pairer, Side::Candidate, 2, &[1, 5, 6, 9]);
        ripe(&mut pairer, Side::Candidate, 3, &[1, 2, 8, 4]);
        let decided = pairer.finish(60, [2, 2]);
        assert_eq!(pairs(&decided), [(1, 2, MatchedBy::Prefix, false, 60), (0, 3, MatchedBy::Prefix, false, 60)]);
        assert_eq!(decided[0].evidence, Some(Evidence { common: 3, of: 4, runner_up: Some(1) }));
        let mut pairer = Pairer::default();
        ripe(&mut pairer, Side::Reference, 0, &[1, 2, 3]);
        ripe(&mut pairer, Side::Reference, 1, &[1, 5, 6]);
        ripe(&mut pairer, Side::Candidate, 2, &[1, 8]);
        let decided = pairer.finish(60, [2, 1]);
        assert_eq!(pairs(&decided), [(0, 2, MatchedBy::Prefix, true, 60)]);
        // Whoever comes second had the same choice.
        let mut pairer = Pairer::default();
        for lane in [0, 1] {
            ripe(&mut pairer, Side::Reference, lane, &[1, 2, 3]);
            ripe(&mut pairer, Side::Candidate, lane, &[1, 2, 4]);
        }
        let decided = pairer.finish(60, [2, 2]);
        assert_eq!(pairs(&decided), [(0, 0, MatchedBy::Prefix, true, 60), (1, 1, MatchedBy::Prefix, true, 60)]);
    }

    #[test]
    fn a_crowd_meets_in_order_until_it_is_none_any_more() {
        let crowd = || {
            let mut pairer = Pairer::default();
            for lane in 0..WAITING_COMPARED_MAX + 2 {
                pairer.ripe(Side::Reference, lane, 10 + lane as u64, 2, opening(1, &[1, lane as u64, 7]));
            }
            for lane in 0..4 {
                // The last but one of the reference's lanes, and so on.
                let like = (WAITING_COMPARED_MAX - lane) as u64;
                pairer.ripe(Side::Candidate, lane, 10, 2, opening(1, &[1, like, 8]));
            }
            pairer
        };
        let mut pairer = crowd();
        assert_eq!(pairs(&pairer.advance(PATIENCE + 9)), []);
        let decided = pairer.advance(2 * PATIENCE);
        let at = |lane: usize| PATIENCE + 10 + lane as u64;
        let wanted = [
            (0, 0, MatchedBy::Order, true, at(0)),
            (1, 1, MatchedBy::Order, true, at(1)),
            // Of the two candidates that are left each is as little like this one.
            (2, 2, MatchedBy::Prefix, true, at(2)),
            (3, 3, MatchedBy::Prefix, false, at(3)),
        ];
        assert_eq!(pairs(&decided), wanted);
        assert_eq!(decided[0].evidence, Some(Evidence { common: 1, of: 3, runner_up: None }));
        // Where the logs end before patience does, all of a crowd meet so.
        let decided = crowd().finish(2_000, [WAITING_COMPARED_MAX + 2, 4]);
        let wanted: Vec<_> = (0..4).map(|lane| (lane, lane, MatchedBy::Order, true, 2_000)).collect();
        assert_eq!(pairs(&decided), wanted);
        let mut few = Pairer::default();
        for lane in 0..WAITING_COMPARED_MAX {
            few.ripe(Side::Reference, lane, 10, 2, opening(1, &[1, lane as u64]));
        }
        few.ripe(Side::Candidate, 0, 10, 2, opening(1, &[1, 500, 8]));
        assert_eq!(pairs(&few.finish(60, [2, 1])), [(500, 0, MatchedBy::Prefix, false, 60)]);
    }

    #[test]
    fn at_the_end_lanes_of_different_groups_meet_by_most_of_their_openings() {
        let finish = |reference: &[&[u64]], candidate: &[&[u64]]| {
            let mut pairer = Pairer::default();
            for (side, openings) in Side::BOTH.into_iter().zip([reference, candidate]) {
                for (lane, digests) in openings.iter().enumerate() {
                    let group = 10 * (side.index() as u64 + 1) + lane as u64;
                    pairer.ripe(side, lane, 10 + lane as u64, 2, opening(group, digests));
                }
            }
            pairer.finish(60, [reference.len() + 1, candidate.len() + 1])
        };
        let decided = finish(&[&[1, 2, 3, 4, 5], &[6, 7, 8, 9]], &[&[60, 7, 8, 9, 10], &[2, 3, 4, 5, 6]]);
        assert_eq!(pairs(&decided), [(0, 1, MatchedBy::Likeness, false, 60)]);
        assert_eq!(decided[0].evidence, Some(Evidence { common: 4, of: 5, runner_up: None }));
        // Equally alike to two.
        let decided = finish(&[&[1, 2, 3, 4, 5]], &[&[2, 3, 4, 5, 6], &[7, 2, 3, 4, 5]]);
        assert_eq!(pairs(&decided), [(0, 0, MatchedBy::Likeness, true, 60)]);
        // An event twice is shared twice only where both have it twice; three are too few.
        assert_eq!(pairs(&finish(&[&[1, 2, 2, 2, 3]], &[&[4, 2, 3, 1, 5]])), []);
        assert_eq!(pairs(&finish(&[&[1, 2, 3, 4]], &[&[5, 2, 3, 4]])), []);
    }

    #[test]
    fn at_the_end_ripeness_decides_and_lone_lanes_always_meet() {
        let mut pairer = Pairer::default();
        pairer.ripe(Side::Reference, 3, 10, 2, opening(1, &[1]));
        pairer.ripe(Side::Candidate, 4, 50, 2, opening(2, &[7]));
        assert_eq!(pairs(&pairer.finish(60, [1, 1])), [(3, 4, MatchedBy::Only, false, 60)]);
        let mut pairer = Pairer::default();
        pairer.ripe(Side::Reference, 3, 10, 2, opening(1, &[1]));
        pairer.ripe(Side::Candidate, 4, 50, 2, opening(2, &[7]));
        assert_eq!(pairs(&pairer.finish(60, [2, 1])), []);
    }
}
