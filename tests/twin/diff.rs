//! The whole diff: two logs as bytes in, the report's pairings, faults and verdict out.

use super::digest::{digest_among, digest_of_kind};
use super::equal::{Difference, Likeness, weigh, weigh_among};
use super::events::take_out;
use super::json::{Refused, Value};
use super::judge::{Ahead, LOOK_AHEAD, Resync};
use super::lines::{Event, Fault, Log, looks_glued, read_log};
use super::objects::Objects;
use super::opened::read;
use super::pairing::{Matched, group_of, pair_lanes};
use super::rules::{Choices, Map, Rules, Times};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

type Line = Rc<Result<Value, Refused>>;

/// Where both sides agree again, and what the candidate's ordinal is ahead by there.
pub type Agreed = (Resync, Option<i128>);

/// Both logs, and what was read of them so far.
pub struct Twin<'a> {
    pub rules: &'a Rules,
    pub choices: &'a Choices,
    pub logs: [Log<'a>; 2],
    read: [RefCell<HashMap<usize, Line>>; 2],
    objects: [Objects; 2],
    /// The partners of the reference's lanes.
    partners: HashMap<usize, usize>,
}

/// A pairing with what became of it.
#[derive(Debug)]
pub struct Pairing {
    pub lanes: [Option<usize>; 2],
    pub by: &'static str,
    pub ambiguous: bool,
    pub common: Option<[usize; 2]>,
    pub status: &'static str,
    pub compared: usize,
    /// Divergences gone past.
    pub accepted: usize,
    pub divergence: Option<Divergence>,
    /// What parts behind it.
    pub further: Vec<Divergence>,
    /// Which side began later than the other, by how many events, if something else was told behind that.
    pub late_start: Option<(usize, usize)>,
    /// Decided too late to come first while another pairing diverges.
    pub late: bool,
    /// The map does not name it.
    pub left_out: bool,
    /// The group of its lanes, if they were paired by their openings.
    pub group: Option<String>,
    /// Which pool of equal workers it belongs to, and how many pairings do.
    pub pool: Option<[usize; 2]>,
}

#[derive(Debug, Default)]
pub struct Divergence {
    pub position: usize,
    pub kind: &'static str,
    pub rank: usize,
    pub after_fault: bool,
    /// The events shown, by log time.
    pub events: [Option<usize>; 2],
    pub differences: Vec<Difference>,
    pub resync: Option<Agreed>,
    pub order: Option<Vec<usize>>,
    /// The events of each side that stand in another order, the first few.
    pub reordered: [Vec<usize>; 2],
    /// Where each lane parts.
    pub places: [usize; 2],
    pub healed_after: Option<usize>,
    pub before: Vec<[usize; 2]>,
    pub after: [Vec<usize>; 2],
    /// The reference line by which divergences of a class are ordered.
    pub place: usize,
}

#[derive(Debug, Default)]
pub struct Coverage {
    pub compared: usize,
    pub equal_by_bytes: usize,
    pub read: usize,
    pub unverified: usize,
    pub skipped_nondeterministic: usize,
    /// Pairs whose compared parts were not the same bytes.
    pub differed: usize,
    /// By number of the rule.
    pub overlooked: BTreeMap<usize, usize>,
    /// Events of each side, by rule on events.
    pub taken_out: [Vec<usize>; 2],
}

pub struct Outcome<'a> {
    pub twin: Twin<'a>,
    pub pairings: Vec<Pairing>,
    pub coverage: Coverage,
    pub faults: [BTreeSet<Fault>; 2],
    /// How often each accepted entry helped.
    pub accepted: BTreeMap<usize, usize>,
    pub first: Option<usize>,
    pub cut: [bool; 2],
    pub verdict: &'static str,
}

/// Compares two logs; the error is a log that cannot be read at all, or a map that names lanes nobody has.
pub fn diff<'a>(
    bytes: [&'a [u8]; 2],
    rules: &'a Rules,
    choices: &'a Choices,
    times: &Times,
) -> Result<Outcome<'a>, &'static str> {
    let mut logs = [read_log(bytes[0], rules, choices)?, read_log(bytes[1], rules, choices)?];
    let faults = [0, 1].map(|side| logs[side].faults.iter().cloned().collect());
    let taken_out = [0, 1].map(|side| take_out(&mut logs[side], rules));
    let objects = [0, 1].map(|side| Objects::of(&logs[side], rules));
    let mut twin = Twin { rules, choices, logs, read: Default::default(), objects, partners: HashMap::new() };
    let (pairings, unknown) = pairings(&twin, times);
    twin.partners = pairings.iter().filter_map(|pairing| Some((pairing.lanes[0]?, pairing.lanes[1]?))).collect();
    let mut outcome = Outcome {
        twin,
        pairings,
        coverage: Coverage::default(),
        faults,
        accepted: BTreeMap::new(),
        first: None,
        cut: [false; 2],
        verdict: "identical",
    };
    let mut met = [BTreeSet::new(), BTreeSet::new()];
    for at in 0..outcome.pairings.len() {
        outcome.compare(at, &mut met);
    }
    super::pool::find(&mut outcome);
    outcome.coverage.taken_out = taken_out;
    outcome.read_the_rest(&met);
    outcome.rank();
    outcome.judge_cut();
    outcome.verdict = if unknown { "trouble" } else { outcome.judge_verdict() };
    Ok(outcome)
}

impl Twin<'_> {
    /// The lane's events by log time, less those dropped at its start.
    pub fn lane_events(&self, side: usize, lane: usize) -> &[usize] {
        let events = &self.logs[side].lanes[lane].events;
        &events[self.rules.skip_start.min(events.len())..]
    }

    /// How many events were dropped at the lane's start.
    pub fn dropped(&self, side: usize, lane: usize) -> usize {
        self.rules.skip_start.min(self.logs[side].lanes[lane].events.len())
    }

    pub fn event(&self, side: usize, at: usize) -> &Event {
        &self.logs[side].events[at]
    }

    /// The event's line, read strictly.
    pub fn line(&self, side: usize, at: usize) -> Line {
        let mut lines = self.read[side].borrow_mut();
        let log = &self.logs[side];
        lines.entry(at).or_insert_with(|| Rc::new(read(log.text(&log.events[at]), self.rules))).clone()
    }

    /// Whether two events of one digest are equal. What cannot be read, or is marked and not compared, is.
    fn confirmed(&self, pair: [usize; 2]) -> bool {
        if self.rules.digests_tell() {
            return true;
        }
        let marked = [0, 1].iter().any(|&side| self.event(side, pair[side]).nondeterministic);
        let lines = [0, 1].map(|side| self.line(side, pair[side]));
        match (lines[0].as_ref(), lines[1].as_ref()) {
            (Ok(a), Ok(b)) if !(marked && self.choices.skip_nondeterministic) => {
                weigh([a, b], &self.event(0, pair[0]).kind, self.rules).differences.is_empty()
            }
            _ => true,
        }
    }

    /// Kind and payload under the rules; of a line that cannot be read, its bytes.
    pub fn digest(&self, side: usize, at: usize) -> String {
        let event = self.event(side, at);
        if self.choices.skip_nondeterministic && event.nondeterministic {
            return digest_of_kind(&event.kind);
        }
        match self.line(side, at).as_ref() {
            Ok(line) => {
                let means = |value: u64, own: bool, rules: &[usize]| {
                    self.objects[side].meant(value, event.line, own, rules).is_some()
                };
                digest_among(line, &event.kind, self.rules, Some(&means))
            }
            Err(_) => format!("unread {:?} {:?}", event.kind, self.logs[side].tail(event)),
        }
    }
}

/// Which lanes are held against each other; and whether the map names a lane that is not there.
fn pairings(twin: &Twin, times: &Times) -> (Vec<Pairing>, bool) {
    let mut unknown = false;
    let exact = |lanes: [usize; 2], by| Matched { lanes, by, ambiguous: false, common: [0; 2], at: 0 };
    let find = |side: usize, thread: &[Value], generation: usize| {
        twin.logs[side].lanes.iter().position(|lane| lane.thread == thread && lane.generation == generation)
    };
    let matched: Vec<Matched> = match &twin.choices.map {
        Map::Auto => pair_lanes(twin, times),
        Map::Same => {
            let lanes = twin.logs[0].lanes.iter().enumerate();
            lanes.filter_map(|(r, lane)| Some(exact([r, find(1, &lane.thread, lane.generation)?], "same"))).collect()
        }
        Map::Given(names) => {
            let mut out = Vec::new();
            for name in names {
                let [r, c] = [0, 1].map(|side| find(side, std::slice::from_ref(&name[side].0), name[side].1));
                match (r, c) {
                    (Some(r), Some(c)) => out.push(exact([r, c], "given")),
                    _ => unknown = true,
                }
            }
            out
        }
    };
    // A map leaves the lanes alone that it does not name; a named one lacks its partner.
    let left_over = |side: usize, lane: usize| match &twin.choices.map {
        Map::Given(names)
            if names.iter().all(|name| find(side, std::slice::from_ref(&name[side].0), name[side].1) != Some(lane)) =>
        {
            "not-compared"
        }
        _ => "unmatched",
    };
    let mut out = Vec::new();
    for (r, lane) in twin.logs[0].lanes.iter().enumerate() {
        let found = matched.iter().find(|found| found.lanes[0] == r);
        out.push(match found {
            Some(found) => {
                let auto = matches!(twin.choices.map, Map::Auto);
                let first = lane.events.first().map_or(lane.first, |&at| twin.event(0, at).time);
                let late = auto && found.at > first + 1 + times.late;
                let mut pairing = alone([Some(r), Some(found.lanes[1])], found.by, "identical");
                pairing.ambiguous = found.ambiguous;
                pairing.common = auto.then_some(found.common);
                pairing.late = late;
                pairing.group = auto.then(|| group_of(twin, times, 0, r));
                pairing
            }
            None => alone([Some(r), None], "none", left_over(0, r)),
        });
    }
    for c in 0..twin.logs[1].lanes.len() {
        if matched.iter().all(|found| found.lanes[1] != c) {
            out.push(alone([None, Some(c)], "none", left_over(1, c)));
        }
    }
    (out, unknown)
}

fn alone(lanes: [Option<usize>; 2], by: &'static str, status: &'static str) -> Pairing {
    Pairing {
        lanes,
        by,
        ambiguous: false,
        common: None,
        status,
        compared: 0,
        accepted: 0,
        divergence: None,
        further: Vec::new(),
        late_start: None,
        late: false,
        left_out: status == "not-compared",
        group: None,
        pool: None,
    }
}

impl Outcome<'_> {
    /// The faults of reading these events are faults of the run.
    pub fn read_for_report(&mut self, side: usize, events: &[usize]) {
        for &at in events {
            if let Err(refused) = self.twin.line(side, at).as_ref() {
                let event = self.twin.event(side, at);
                let offset = event.text.start + refused.at;
                self.faults[side].insert(Fault { line: event.line, offset, why: refused.why });
            }
        }
    }

    pub fn readable(&self, side: usize, at: usize) -> bool {
        self.twin.line(side, at).is_ok()
    }

    /// Lines that met no partner are read if they are last, look glued, or all are to be read.
    fn read_the_rest(&mut self, met: &[BTreeSet<usize>; 2]) {
        for (side, met) in met.iter().enumerate() {
            let log = &self.twin.logs[side];
            let must = |&at: &usize| {
                let event = &log.events[at];
                self.twin.choices.strict || event.last || (!met.contains(&at) && looks_glued(log.text(event)))
            };
            let events: Vec<usize> = (0..log.events.len()).filter(must).collect();
            self.read_for_report(side, &events);
        }
    }

    /// Puts the divergences in order (BEHAVIOUR 3.6).
    fn rank(&mut self) {
        let mut order: Vec<_> = (0..self.pairings.len())
            .filter_map(|at| {
                let pairing = &self.pairings[at];
                let divergence = pairing.divergence.as_ref()?;
                let class = match divergence.kind {
                    "ended-early" | "started-late" => 1,
                    "unmatched" => 2,
                    _ => 0,
                };
                Some((pairing.late, class, divergence.after_fault, divergence.place, at))
            })
            .collect();
        order.sort_unstable();
        self.first = order.first().map(|first| first.4);
        for (rank, entry) in order.iter().enumerate() {
            self.pairings[entry.4].divergence.as_mut().expect("only divergences were ordered").rank = rank + 1;
        }
        let mut behind: Vec<_> = (0..self.pairings.len())
            .flat_map(|at| (0..self.pairings[at].further.len()).map(move |n| (at, n)))
            .map(|(at, n)| {
                let (pairing, found) = (&self.pairings[at], &self.pairings[at].further[n]);
                let class = usize::from(found.kind == "ended-early");
                (pairing.late, class, found.after_fault, found.place, at, n)
            })
            .collect();
        behind.sort_unstable();
        for (rank, entry) in behind.iter().enumerate() {
            self.pairings[entry.4].further[entry.5].rank = order.len() + rank + 1;
        }
    }

    /// A log that only ends early: by its damage, or because every lane that is unequal is shorter there.
    fn judge_cut(&mut self) {
        for side in 0..2 {
            let shorter = |pairing: &Pairing| match pairing.divergence.as_ref() {
                None => pairing.status != "faulty",
                Some(divergence) => match divergence.kind {
                    "ended-early" | "unmatched" => divergence.events[side].is_none(),
                    _ => false,
                },
            };
            let log = &self.twin.logs[side];
            let ended =
                |pairing: &Pairing| pairing.divergence.as_ref().is_some_and(|found| found.kind == "ended-early");
            let only_shorter = self.pairings.iter().any(ended) && self.pairings.iter().all(shorter);
            self.cut[side] = log.torn || log.ended_by_fault || only_shorter;
        }
    }

    fn judge_verdict(&self) -> &'static str {
        let choices = self.twin.choices;
        if !choices.skip_malformed && self.faults.iter().any(|faults| !faults.is_empty()) {
            return "trouble";
        }
        let paired = self.pairings.iter().any(|pairing| pairing.lanes.iter().all(Option::is_some));
        if !paired || self.coverage.compared == 0 {
            return "inconclusive";
        }
        let counts =
            |kind| !(kind == "ended-early" && choices.prefix || kind == "unmatched" && choices.ignore_unmatched);
        let divergences =
            || self.pairings.iter().filter_map(|pairing| pairing.divergence.as_ref()).filter(|d| counts(d.kind));
        if divergences().any(|divergence| !divergence.after_fault) {
            return "diverged";
        }
        let doubtful = divergences().next().is_some()
            || self.coverage.unverified > 0
            || self.faults.iter().any(|faults| !faults.is_empty());
        if doubtful { "inconclusive" } else { "identical" }
    }

    /// The look-ahead of one side: digests up to the first line that cannot be read.
    pub fn look_ahead(&mut self, side: usize, events: &[usize]) -> Vec<String> {
        let mut out = Vec::new();
        for &at in events.iter().take(LOOK_AHEAD) {
            self.read_for_report(side, &[at]);
            if !self.readable(side, at) && !out.is_empty() {
                break;
            }
            out.push(self.twin.digest(side, at));
        }
        out
    }

    /// Compares the events of a pairing up to its first divergence.
    fn compare(&mut self, at: usize, met: &mut [BTreeSet<usize>; 2]) {
        match self.pairings[at].lanes {
            [Some(r), Some(c)] => super::walk::walk(self, at, [r, c], met),
            lanes => {
                if self.pairings[at].status == "unmatched" {
                    let found = super::walk::unmatched(self, lanes);
                    if super::accept::accepted(self, lanes, &found) {
                        self.pairings[at].accepted += 1;
                        self.pairings[at].status = "not-compared";
                    } else {
                        self.pairings[at].divergence = Some(found);
                    }
                }
            }
        }
    }

    /// Where the two sides agree again, what the candidate's ordinal is ahead by there, and the order of events before
    /// that differ in nothing else.
    pub fn resync(&mut self, reference: &[usize], candidate: &[usize]) -> (Option<Agreed>, Option<Vec<usize>>) {
        let digests = [self.look_ahead(0, reference), self.look_ahead(1, candidate)];
        let goes_on = [(0, reference), (1, candidate)]
            .map(|(side, events)| digests[side].len() == LOOK_AHEAD || digests[side].len() < events.len());
        let ahead = Ahead::new(&digests, goes_on, |i, j| {
            digests[0][i] == digests[1][j] && self.twin.confirmed([reference[i], candidate[j]])
        });
        let (found, order) = match ahead.reordered() {
            Some((found, order)) => (Some(found), Some(order)),
            None => (ahead.agreements().first().copied(), None),
        };
        let with_ordinals = found.map(|found| {
            let ordinals = [(0, reference[found.reference]), (1, candidate[found.candidate])]
                .map(|(side, at)| self.twin.event(side, at).ordinal.map(i128::from));
            match ordinals {
                [Some(r), Some(c)] => (found, Some(c - r)),
                _ => (found, None),
            }
        });
        (with_ordinals, order)
    }

    /// What [`weigh`] says of two lines that can be read.
    pub fn weigh(&self, pair: [usize; 2]) -> super::equal::Weighed {
        let lines = [0, 1].map(|side| self.twin.line(side, pair[side]));
        let [Ok(a), Ok(b)] = [lines[0].as_ref(), lines[1].as_ref()] else { return Default::default() };
        let twin = &self.twin;
        let lines = [0, 1].map(|side| twin.event(side, pair[side]).line);
        let same = |values: [u64; 2], own: bool, rules: &[usize]| {
            let [x, y] = [0, 1].map(|side| twin.objects[side].meant(values[side], lines[side], own, rules));
            let (Some(x), Some(y)) = (x, y) else { return Likeness::Other };
            let not_compared = |side: usize, lane: usize| {
                self.pairings.iter().any(|pairing| pairing.left_out && pairing.lanes[side] == Some(lane))
            };
            if not_compared(0, x.lane) && not_compared(1, y.lane) {
                return Likeness::Untold;
            }
            let is_same = (x.rule, x.number, x.offset) == (y.rule, y.number, y.offset)
                && twin.partners.get(&x.lane) == Some(&y.lane);
            if is_same { Likeness::Same(x.rule) } else { Likeness::Other }
        };
        weigh_among([a, b], &twin.event(0, pair[0]).kind, twin.rules, Some(&same))
    }
}
