//! One pairing, pair by pair, up to its first divergence.

use super::accept;
use super::diff::{Divergence, Outcome};
use super::equal::{Difference, Weighed};
use super::judge::Resync;
use super::rules::Path;
use std::collections::BTreeSet;

/// What a pair is.
enum Pair {
    Equal,
    Different(Weighed),
    /// A line cannot be read.
    Unread,
}

/// Compares two lanes.
pub fn walk(outcome: &mut Outcome, at: usize, lanes: [usize; 2], met: &mut [BTreeSet<usize>; 2]) {
    let events = [0, 1].map(|side| outcome.twin.lane_events(side, lanes[side]).to_vec());
    let mut place = [0; 2];
    let mut equal = 0;
    // Pairs before, those stepped over among them: what a report shows before a divergence.
    let mut before: Vec<[usize; 2]> = Vec::new();
    // What the candidate's ordinals are ahead by, as far as that is accepted or told.
    let mut ahead = 0;
    let mut told = Told::default();
    loop {
        step_over_holes(outcome, lanes, &events, &mut place, ahead);
        let (Some(&r), Some(&c)) = (events[0].get(place[0]), events[1].get(place[1])) else { break };
        met[0].insert(r);
        met[1].insert(c);
        match compare_pair(outcome, [r, c], ahead) {
            Pair::Equal => {
                outcome.coverage.compared += 1;
                equal += 1;
            }
            Pair::Unread if outcome.twin.choices.skip_malformed => outcome.coverage.unverified += 1,
            Pair::Unread => {
                outcome.pairings[at].status = "faulty";
                outcome.pairings[at].compared = equal;
                return told.settle(outcome, at);
            }
            Pair::Different(weighed) => {
                outcome.coverage.compared += 1;
                let found = diverged(outcome, &events, place, &before, weighed, (ahead, !told.divergences.is_empty()));
                if !accept::accepted(outcome, lanes.map(Some), &found) {
                    let (passed, step) = accept::onward_told(outcome, &found, [r, c], ahead);
                    (place, ahead) = (moved(place, passed), step);
                    told.equal_from = Some(place);
                    let goes_on = found.resync.is_some() && told.divergences.len() < outcome.twin.choices.further;
                    if found.kind == "started-late" {
                        told.late = Some(found);
                        continue;
                    }
                    told.compared.get_or_insert(equal);
                    told.divergences.push(found);
                    if goes_on {
                        continue;
                    }
                    told.follow(outcome, &events, place, ahead);
                    return told.settle(outcome, at);
                }
                outcome.pairings[at].accepted += 1;
                let passed;
                (passed, ahead) = accept::onward(outcome, &found, [r, c], ahead);
                if passed != [1, 1] || matches!(found.kind, "missing" | "extra") {
                    place = moved(place, passed);
                    continue;
                }
                equal += 1;
            }
        }
        before.push([r, c]);
        place = moved(place, [1, 1]);
    }
    outcome.pairings[at].compared = equal;
    told.heal(&events, place);
    rest(outcome, at, lanes, (&events, place), &before, &mut told);
    told.settle(outcome, at);
}

fn moved(place: [usize; 2], passed: [usize; 2]) -> [usize; 2] {
    [place[0] + passed[0], place[1] + passed[1]]
}

/// What one lane has beyond the other's end.
fn rest(
    outcome: &mut Outcome,
    at: usize,
    lanes: [usize; 2],
    (events, place): (&[Vec<usize>; 2], [usize; 2]),
    before: &[[usize; 2]],
    told: &mut Told,
) {
    let dropped = outcome.twin.dropped(0, lanes[0]).max(outcome.twin.dropped(1, lanes[1]));
    if [0, 1].iter().any(|&side| place[side] < events[side].len()) {
        let found = ended_early(outcome, lanes, events, place, before, dropped);
        if accept::accepted(outcome, lanes.map(Some), &found) {
            outcome.pairings[at].accepted += 1;
        } else {
            told.compared.get_or_insert(outcome.pairings[at].compared);
            told.divergences.push(found);
        }
    }
}

/// What is told of a pairing.
#[derive(Default)]
struct Told {
    divergences: Vec<Divergence>,
    late: Option<Divergence>,
    /// Equal pairs before the first divergence.
    compared: Option<usize>,
    /// The places in both lanes from which on all pairs so far are equal.
    equal_from: Option<[usize; 2]>,
    heals: bool,
}

impl Told {
    /// Looks for the last pair that differs.
    fn follow(&mut self, outcome: &Outcome, events: &[Vec<usize>; 2], from: [usize; 2], ahead: i128) {
        let mut place = from;
        while let (Some(&r), Some(&c)) = (events[0].get(place[0]), events[1].get(place[1])) {
            place = place.map(|place| place + 1);
            if !is_equal(outcome, [r, c], ahead) {
                self.equal_from = Some(place);
            }
        }
        self.heal(events, place);
    }

    /// Both lanes are over at these places: are they equal for good?
    fn heal(&mut self, events: &[Vec<usize>; 2], place: [usize; 2]) {
        let over = [0, 1].iter().all(|&side| place[side] == events[side].len());
        let enough = self.equal_from.is_some_and(|from| events[0].len() - from[0] >= super::judge::RUN_MIN);
        self.heals = over && enough;
    }

    fn settle(mut self, outcome: &mut Outcome, at: usize) {
        if self.heals {
            let to = self.equal_from.expect("something was told");
            for found in self.divergences.iter_mut().chain(&mut self.late) {
                found.healed_after = (0..2).map(|side| to[side] - found.places[side]).max();
            }
        }
        let pairing = &mut outcome.pairings[at];
        pairing.compared = self.compared.unwrap_or(pairing.compared);
        if self.divergences.is_empty() {
            self.divergences.extend(self.late);
        } else if let Some((late, (resync, _))) = self.late.and_then(|late| Some((late.kind, late.resync?))) {
            assert_eq!(late, "started-late");
            pairing.late_start = Some((usize::from(resync.candidate == 0), resync.reference.max(resync.candidate)));
        }
        let mut told = self.divergences.into_iter();
        pairing.divergence = told.next();
        pairing.further = told.collect();
        if pairing.divergence.is_some() {
            pairing.status = "diverged";
        }
    }
}

/// Whether a pair is equal, without anything being counted.
fn is_equal(outcome: &Outcome, pair: [usize; 2], ahead: i128) -> bool {
    let twin = &outcome.twin;
    let [r, c] = [0, 1].map(|side| twin.event(side, pair[side]));
    let same_tails = twin.logs[0].tail(r) == twin.logs[1].tail(c);
    let overlook = twin.choices.skip_nondeterministic && (r.nondeterministic || c.nondeterministic);
    let both = twin.choices.strict || !overlook && !same_tails;
    let to_read = [r.last || both, c.last || both];
    (0..2).all(|side| !to_read[side] || outcome.readable(side, pair[side]))
        && r.kind == c.kind
        && accept::in_step(outcome, pair, ahead)
        && (overlook || same_tails || outcome.weigh(pair).differences.is_empty())
}

fn compare_pair(outcome: &mut Outcome, pair: [usize; 2], ahead: i128) -> Pair {
    let twin = &outcome.twin;
    let [r, c] = [0, 1].map(|side| twin.event(side, pair[side]).clone());
    let same_roles = r.kind == c.kind && accept::in_step(outcome, pair, ahead);
    let same_tails = twin.logs[0].tail(&r) == twin.logs[1].tail(&c);
    let overlook = twin.choices.skip_nondeterministic && (r.nondeterministic || c.nondeterministic);
    let read = if overlook { false } else { !same_tails };
    let both = read || twin.choices.strict;
    let to_read: Vec<usize> =
        [r.last, c.last].iter().enumerate().filter(|(_, last)| both || **last).map(|(side, _)| side).collect();
    for &side in &to_read {
        outcome.read_for_report(side, &[pair[side]]);
    }
    if to_read.iter().any(|&side| !outcome.readable(side, pair[side])) {
        return Pair::Unread;
    }
    let coverage = &mut outcome.coverage;
    coverage.skipped_nondeterministic += usize::from(overlook && same_roles);
    coverage.differed += usize::from(read);
    coverage.read += usize::from(read || outcome.twin.choices.strict);
    coverage.equal_by_bytes += usize::from(!overlook && same_tails && same_roles);
    let weighed = if overlook || same_tails || r.kind != c.kind { Weighed::default() } else { outcome.weigh(pair) };
    if !same_roles || !weighed.differences.is_empty() {
        return Pair::Different(weighed);
    }
    outcome.coverage.unverified += usize::from(weighed.untold);
    for &rule in &weighed.overlooked {
        *outcome.coverage.overlooked.entry(rule).or_default() += 1;
    }
    Pair::Equal
}

/// Steps over the partner's events inside the holes that lines stepped over have left.
fn step_over_holes(
    outcome: &mut Outcome,
    lanes: [usize; 2],
    events: &[Vec<usize>; 2],
    place: &mut [usize; 2],
    ahead: i128,
) {
    if !outcome.twin.choices.skip_malformed {
        return;
    }
    loop {
        let mut stepped = false;
        for side in 0..2 {
            let other = 1 - side;
            let Some((from, to)) = hole(outcome, side, lanes[side], place[side]) else { continue };
            while let Some(&at) = events[other].get(place[other])
                && outcome.twin.event(other, at).ordinal.is_some_and(|ordinal| {
                    // As this side would number it.
                    let ordinal = i128::from(ordinal) + if side == 0 { -ahead } else { ahead };
                    (i128::from(from)..i128::from(to)).contains(&ordinal)
                })
            {
                outcome.coverage.unverified += 1;
                place[other] += 1;
                stepped = true;
            }
        }
        if !stepped {
            return;
        }
    }
}

/// The ordinals missing just before an event, where as many lines were stepped over.
fn hole(outcome: &Outcome, side: usize, lane: usize, place: usize) -> Option<(u64, u64)> {
    // Events dropped at the start still show where a hole begins.
    let place = place + outcome.twin.dropped(side, lane);
    let events = &outcome.twin.logs[side].lanes[lane].events;
    let now = outcome.twin.event(side, *events.get(place)?);
    let before = place.checked_sub(1).map(|before| outcome.twin.event(side, events[before]));
    let from = match before {
        Some(before) => before.ordinal? + 1,
        None => 0,
    };
    // A lane's first event may only have lost what stands behind the thread's last life.
    let earlier = || {
        let lanes = &outcome.twin.logs[side].lanes;
        let (thread, generation) = (&lanes[lane].thread, lanes[lane].generation);
        let last = lanes.iter().find(|other| other.thread == *thread && other.generation + 1 == generation)?;
        last.events.last().map(|at| outcome.twin.event(side, *at))
    };
    let skipped = now.skipped_before - before.or_else(earlier).map_or(0, |before| before.skipped_before);
    let jump = now.ordinal?.checked_sub(from)?;
    (jump > 0 && jump <= skipped as u64).then_some((from, now.ordinal?))
}

fn diverged(
    outcome: &mut Outcome,
    events: &[Vec<usize>; 2],
    place: [usize; 2],
    before: &[[usize; 2]],
    weighed: Weighed,
    (ahead, is_behind): (i128, bool),
) -> Divergence {
    let pair = [0, 1].map(|side| events[side][place[side]]);
    let (resync, order) = outcome.resync(&events[0][place[0]..], &events[1][place[1]..]);
    let [r, c] = [0, 1].map(|side| outcome.twin.event(side, pair[side]).clone());
    let one_sided = |found: Resync| (found.candidate == 0) != (found.reference == 0);
    let kind = match resync {
        // Its ordinals tell that what one side lacks was there, or nothing tells.
        Some((found, step))
            if one_sided(found) && before.is_empty() && !is_behind && step.is_none_or(|s| s == ahead) =>
        {
            "started-late"
        }
        Some((found, _)) if found.candidate == 0 && found.reference > 0 => "missing",
        Some((found, _)) if found.reference == 0 && found.candidate > 0 => "extra",
        _ if order.is_some() => "reordered",
        _ if r.kind != c.kind => "kind",
        _ if !weighed.differences.is_empty() => "value",
        _ => "ordinal",
    };
    let mut shown = pair.map(Some);
    let in_step = accept::in_step(outcome, pair, ahead);
    let mut differences = Vec::new();
    match kind {
        "missing" => shown[1] = None,
        "extra" => shown[0] = None,
        "started-late" => shown[usize::from(resync.is_some_and(|(found, _)| found.candidate == 0))] = None,
        "reordered" => {}
        _ => {
            differences = roles_that_differ(outcome, pair, in_step);
            if r.kind == c.kind {
                differences.extend(weighed.differences);
            }
        }
    }
    let mut out = Divergence {
        // The reference's: it has an event there, shown or not.
        position: place[0] + outcome.twin.rules.skip_start,
        kind,
        after_fault: after_fault(outcome, events, pair.map(Some), None),
        events: shown,
        differences,
        resync,
        reordered: [0, 1].map(|side| {
            let count = order.as_ref().map_or(0, Vec::len).min(8);
            events[side][place[side]..].iter().take(count).copied().collect()
        }),
        order,
        places: place,
        place: r.line,
        ..Divergence::default()
    };
    context(outcome, &mut out, events, place, before);
    out
}

/// Kind and ordinal, where they differ.
fn roles_that_differ(outcome: &Outcome, pair: [usize; 2], in_step: bool) -> Vec<Difference> {
    let rules = outcome.twin.rules;
    let events = [0, 1].map(|side| outcome.twin.event(side, pair[side]));
    let mut differences = Vec::new();
    let mut role = |path: &Option<Path>, sides| {
        differences.push(Difference { path: path.clone().expect("the role differs"), sides });
    };
    if events[0].kind != events[1].kind {
        let lines = [0, 1].map(|side| outcome.twin.line(side, pair[side]));
        let path = rules.kind.as_ref().expect("kinds differ");
        let opened =
            events.map(|event| Some(event.kind.clone()).filter(|kind| !matches!(kind, super::json::Value::Null)));
        let mut sides = lines.map(|line| line.as_ref().as_ref().ok().and_then(|line| line.at(path)).cloned());
        // A line that cannot be read was still opened as far as its kind.
        for (side, opened) in sides.iter_mut().zip(opened) {
            *side = side.take().or(opened);
        }
        role(&rules.kind, sides);
    }
    if !in_step {
        role(&rules.ordinal, events.map(|event| event.ordinal.map(|n| super::json::Value::integer(n.into()))));
    }
    differences
}

fn ended_early(
    outcome: &mut Outcome,
    lanes: [usize; 2],
    events: &[Vec<usize>; 2],
    place: [usize; 2],
    before: &[[usize; 2]],
    dropped: usize,
) -> Divergence {
    let shown = [0, 1].map(|side| events[side].get(place[side]).copied());
    // Events stepped over are not common.
    let first = outcome.twin.logs[0].lanes[lanes[0]].first;
    let last = before.last().map_or(first, |pair| pair[0]);
    let mut out = Divergence {
        position: place[usize::from(shown[0].is_none())] + dropped,
        kind: "ended-early",
        after_fault: after_fault(outcome, events, shown, Some(lanes)),
        events: shown,
        place: outcome.twin.event(0, last).line,
        ..Divergence::default()
    };
    context(outcome, &mut out, events, place, before);
    out
}

/// A lane without a partner.
pub fn unmatched(outcome: &mut Outcome, lanes: [Option<usize>; 2]) -> Divergence {
    let events =
        [0, 1].map(|side| lanes[side].map_or(Vec::new(), |lane| outcome.twin.lane_events(side, lane).to_vec()));
    let shown = [0, 1].map(|side| events[side].first().copied());
    // Lanes that only the candidate has come after all of the reference's.
    let first_line = |side: usize, lane: usize| {
        let log = &outcome.twin.logs[side];
        log.events[log.lanes[lane].first].line
    };
    let place = match lanes {
        [Some(lane), _] => first_line(0, lane),
        [None, lane] => usize::MAX / 2 + first_line(1, lane.expect("one side at least")),
    };
    let mut out = Divergence {
        position: if shown == [None, None] { 0 } else { outcome.twin.rules.skip_start },
        kind: "unmatched",
        after_fault: after_fault(outcome, &events, shown, None),
        events: shown,
        place,
        ..Divergence::default()
    };
    context(outcome, &mut out, &events, [0, 0], &[]);
    out
}

/// Without ordinals nothing shows where a line stepped over left its hole; with them, nothing
/// shows what was lost behind a lane's last event.
fn after_fault(
    outcome: &Outcome,
    events: &[Vec<usize>; 2],
    shown: [Option<usize>; 2],
    lanes: Option<[usize; 2]>,
) -> bool {
    let numbered = outcome.twin.rules.ordinal.is_some();
    [0, 1].iter().any(|&side| {
        let log = &outcome.twin.logs[side];
        // Every event of a lane may have been dropped at its start.
        let all = lanes.map_or(&events[side], |lanes| &log.lanes[lanes[side]].events);
        let last = all.last().map(|&at| log.events[at].skipped_before);
        match (shown[side], last) {
            (Some(at), _) => !numbered && log.events[at].skipped_before > 0,
            (None, Some(seen)) => log.lines_skipped > if numbered { seen } else { 0 },
            (None, None) => false,
        }
    })
}

/// Five pairs before, three events after on each side; they are read, too.
fn context(
    outcome: &mut Outcome,
    out: &mut Divergence,
    events: &[Vec<usize>; 2],
    place: [usize; 2],
    before: &[[usize; 2]],
) {
    out.before = before[before.len().saturating_sub(5)..].to_vec();
    for side in 0..2 {
        let from = place[side] + usize::from(out.events[side].is_some());
        out.after[side] = events[side].iter().skip(from).take(3).copied().collect();
        let mut shown: Vec<usize> = out.before.iter().map(|pair| pair[side]).collect();
        shown.extend(out.events[side]);
        shown.extend(&out.after[side]);
        outcome.read_for_report(side, &shown);
    }
}
