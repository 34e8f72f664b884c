//! Which lane goes with which (DESIGN, pairing lanes): a function of log time alone.

use super::diff::Twin;
use super::json::{Value, parse};
use super::rules::{Path, Times};
use std::collections::{BTreeMap, HashMap};

/// Two lanes (places in [`super::lines::Log::lanes`]) and how they came together.
#[derive(Clone, Debug)]
pub struct Matched {
    pub lanes: [usize; 2],
    pub by: &'static str,
    pub ambiguous: bool,
    /// Equal events at the beginning of the openings, and the longer opening's length.
    pub common: [usize; 2],
    /// Log time of the decision.
    pub at: usize,
}

/// A lane as pairing sees it.
#[derive(Debug)]
struct Ripe {
    lane: usize,
    side: usize,
    time: usize,
    group: String,
    opening: Vec<String>,
    /// The same number for the same opening in the same group.
    class: usize,
    paired: bool,
}

/// Pairs the lanes of both logs by their openings.
pub fn pair_lanes(twin: &Twin, times: &Times) -> Vec<Matched> {
    let mut ripe = Vec::new();
    for side in 0..2 {
        for lane in 0..twin.logs[side].lanes.len() {
            ripe.push(ripen(twin, times, side, lane));
        }
    }
    // Stable: at one log time the reference's lanes come first, each log's in order of birth.
    ripe.sort_by_key(|lane| (lane.time, lane.side));
    let mut classes: HashMap<(String, Vec<String>), usize> = HashMap::new();
    for lane in &mut ripe {
        let next = classes.len();
        lane.class = *classes.entry((lane.group.clone(), lane.opening.clone())).or_insert(next);
    }
    let end = twin.logs.iter().map(|log| log.events.len()).max().unwrap_or(0);
    let mut matching = Matching { ripe, out: Vec::new(), crowd: times.crowd };
    let mut moments: Vec<usize> =
        matching.ripe.iter().flat_map(|lane| [lane.time, lane.time + times.patience]).collect();
    moments.sort_unstable();
    moments.dedup();
    for moment in moments.into_iter().filter(|&moment| moment <= end) {
        matching.at_once(moment);
        matching.after_patience(moment, times.patience);
    }
    matching.at_the_end(end, twin.logs.iter().all(|log| log.lanes.len() == 1));
    matching.out
}

/// The group of a lane.
pub fn group_of(twin: &Twin, times: &Times, side: usize, lane: usize) -> String {
    ripen(twin, times, side, lane).group
}

fn ripen(twin: &Twin, times: &Times, side: usize, lane: usize) -> Ripe {
    let log = &twin.logs[side];
    let events = twin.lane_events(side, lane);
    let came = |at: usize| log.events[at].time;
    let first = log.lanes[lane].events.first().map_or(log.lanes[lane].first, |&at| came(at));
    // So many events of the log, its first among them.
    let mut time = log.events.len().min(first + times.patience);
    if let Some(&full) = events.get(times.opening - 1) {
        time = time.min(came(full) + 1);
    }
    if let Some(ended) = log.lanes[lane].ended {
        time = time.min(ended);
    }
    let time = time.max(first + 1);
    let opening: Vec<usize> = events.iter().copied().take(times.opening).take_while(|&at| came(at) < time).collect();
    let group = group(twin, side, &opening);
    let opening = opening.iter().map(|&at| twin.digest(side, at)).collect();
    Ripe { lane, side, time, group, opening, class: 0, paired: false }
}

/// The name of the opening's first call, else the kind of its first event.
fn group(twin: &Twin, side: usize, opening: &[usize]) -> String {
    let events = &twin.logs[side].events;
    if let Some((kind, path)) = &twin.rules.pairing
        && let Some(&call) = opening.iter().find(|&&at| events[at].kind.as_str() == Some(kind))
        && let Some(name) = named(twin, side, call, path)
        && !matches!(name, Value::Null)
    {
        return format!("call {}", in_order(&name));
    }
    // A lane whose every event is dropped at its start has an opening without events.
    opening.first().map_or(String::new(), |&first| format!("kind {:?}", events[first].kind))
}

/// A value's text in which the order of an object's keys does not count.
fn in_order(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut parts: Vec<String> =
                members.iter().map(|(key, inner)| format!("{key:?}: {}", in_order(inner))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(in_order).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

/// The value at a path in an event whose line is JSON, even if it gives a role twice.
fn named(twin: &Twin, side: usize, at: usize, path: &Path) -> Option<Value> {
    parse(twin.logs[side].text(twin.event(side, at))).ok()?.at(path).cloned()
}

struct Matching {
    ripe: Vec<Ripe>,
    out: Vec<Matched>,
    crowd: usize,
}

impl Matching {
    fn waiting(&self, side: usize, moment: usize) -> Vec<usize> {
        let waits = |lane: &Ripe| !lane.paired && lane.side == side && lane.time <= moment;
        (0..self.ripe.len()).filter(|&at| waits(&self.ripe[at])).collect()
    }

    fn pair(&mut self, lanes: [usize; 2], by: &'static str, ambiguous: bool, at: usize) {
        for lane in lanes {
            self.ripe[lane].paired = true;
        }
        let [r, c] = lanes.map(|lane| &self.ripe[lane].opening);
        let common = [common(r, c), r.len().max(c.len())];
        self.out.push(Matched { lanes: lanes.map(|lane| self.ripe[lane].lane), by, ambiguous, common, at });
    }

    /// (a): equal openings, the earliest ripe first.
    fn at_once(&mut self, moment: usize) {
        let mut same: BTreeMap<usize, [Vec<usize>; 2]> = BTreeMap::new();
        for side in 0..2 {
            for lane in self.waiting(side, moment) {
                same.entry(self.ripe[lane].class).or_default()[side].push(lane);
            }
        }
        let mut pairs = Vec::new();
        for [reference, candidate] in same.values() {
            let ambiguous = reference.len() > 1 || candidate.len() > 1;
            pairs.extend(reference.iter().zip(candidate).map(|(&r, &c)| ([r, c], ambiguous)));
        }
        pairs.sort_unstable();
        for (lanes, ambiguous) in pairs {
            self.pair(lanes, "first-call", ambiguous, moment);
        }
    }

    /// (b): pairs both of whose lanes have waited long enough, the most alike first.
    fn after_patience(&mut self, moment: usize, patience: usize) {
        for (_, [reference, candidate]) in self.groups(moment) {
            loop {
                let due = |r: usize, c: usize| self.ripe[r].time.max(self.ripe[c].time) + patience <= moment;
                let free = |lane: &&usize| !self.ripe[**lane].paired;
                // A group has lost a pair since the last look.
                let crowded = [&reference, &candidate].iter().any(|side| side.iter().filter(free).count() > self.crowd);
                let mut best: Option<([usize; 2], usize)> = None;
                let mut tied = false;
                for &r in reference.iter().filter(free) {
                    for &c in candidate.iter().filter(free).filter(|&&c| due(r, c)) {
                        let common = if crowded { 0 } else { common(&self.ripe[r].opening, &self.ripe[c].opening) };
                        match best {
                            Some((_, most)) if common < most => {}
                            Some((lanes, most)) if common == most => tied |= lanes[0] == r || lanes[1] == c,
                            _ => (best, tied) = (Some(([r, c], common)), false),
                        }
                    }
                }
                let Some((lanes, _)) = best else { break };
                self.pair(lanes, if crowded { "order" } else { "prefix" }, tied || crowded, moment);
            }
        }
    }

    /// (c): what is left, the most alike first; then across the groups.
    fn at_the_end(&mut self, end: usize, only_one_lane: bool) {
        for (_, sides) in self.groups(usize::MAX) {
            if sides.iter().any(|side| side.len() > self.crowd) {
                for (&r, &c) in sides[0].iter().zip(&sides[1]) {
                    self.pair([r, c], "order", true, end);
                }
                continue;
            }
            let by = match sides.each_ref().map(Vec::len) {
                _ if only_one_lane => "only",
                [0 | 1, 0 | 1] => "order",
                _ => "prefix",
            };
            while self.most_alike(by, end, [&sides[0], &sides[1]], |a, b| Some(common(a, b))) {}
        }
        let left = [0, 1].map(|side| self.waiting(side, usize::MAX));
        if !only_one_lane && left.iter().all(|side| side.len() <= self.crowd) {
            while self.most_alike("likeness", end, [&left[0], &left[1]], shared) {}
        }
        let left = [0, 1].map(|side| self.waiting(side, usize::MAX));
        if only_one_lane && left.iter().all(|side| side.len() == 1) {
            self.pair([left[0][0], left[1][0]], "only", false, end);
        }
    }

    /// Pairs those free lanes that a measure finds most alike, if it finds any, in order.
    fn most_alike(
        &mut self,
        by: &'static str,
        end: usize,
        lanes: [&[usize]; 2],
        measure: impl Fn(&[String], &[String]) -> Option<usize>,
    ) -> bool {
        let mut found = Vec::new();
        for &r in lanes[0].iter().filter(|&&lane| !self.ripe[lane].paired) {
            for &c in lanes[1].iter().filter(|&&lane| !self.ripe[lane].paired) {
                found.extend(measure(&self.ripe[r].opening, &self.ripe[c].opening).map(|alike| (alike, r, c)));
            }
        }
        let Some(most) = found.iter().map(|&(alike, ..)| alike).max() else { return false };
        found.retain(|&(alike, ..)| alike == most);
        for &(_, r, c) in &found {
            if self.ripe[r].paired || self.ripe[c].paired {
                continue;
            }
            let tied = found.iter().filter(|&&(_, other, another)| other == r || another == c).count() > 1;
            self.pair([r, c], by, tied, end);
            if by == "likeness" {
                self.out.last_mut().expect("just paired").common[0] = most;
            }
        }
        true
    }

    fn groups(&self, moment: usize) -> BTreeMap<String, [Vec<usize>; 2]> {
        let mut groups: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
        for side in 0..2 {
            for lane in self.waiting(side, moment) {
                groups.entry(self.ripe[lane].group.clone()).or_default()[side].push(lane);
            }
        }
        groups
    }
}

/// How many events two openings share, whatever their order: at least four, and three quarters of the longer one.
fn shared(a: &[String], b: &[String]) -> Option<usize> {
    let mut rest: Vec<&String> = b.iter().collect();
    let mut count = 0;
    for event in a {
        if let Some(at) = rest.iter().position(|other| *other == event) {
            rest.swap_remove(at);
            count += 1;
        }
    }
    (count >= 4 && 4 * count >= 3 * a.len().max(b.len())).then_some(count)
}

/// Length of the common beginning.
pub fn common(a: &[String], b: &[String]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
