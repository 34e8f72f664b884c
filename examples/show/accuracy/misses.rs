//! What forkpoint missed, and why that could not be otherwise, where it could not.

use serde_json::Value;

use super::forkpoint::{Judged, judged};
use super::score::Marks;
use super::story::{Story, Thread};

/// Events that must agree before one is called missing or extra.
const EQUAL_RUN: u64 = 4;

/// One thing missed in one pair.
pub struct Miss {
    pub what: String,
    /// None if nothing explains it.
    pub why: Option<String>,
    /// No explanation makes up for it.
    pub is_fatal: bool,
}

/// What a report missed of a story.
pub fn misses(story: &Story, report: &Value, marks: Marks) -> Vec<Miss> {
    let mut misses = Vec::new();
    let first = story.first.map(|first| &story.threads[first]);
    let reported = &report["pairings"][report["first"].as_u64().unwrap_or(u64::MAX) as usize];
    let truth = first.map_or("nothing differs".to_owned(), told);
    if !marks.event {
        let what = format!("first event: {truth}; reported {}", shown(reported));
        misses.push(Miss { what, why: None, is_fatal: true });
    } else if !marks.kind {
        let what = format!("kind: {truth}; reported {}", shown(reported));
        let why = first.and_then(|first| few_behind(first).or_else(|| made_an_object(first, reported)));
        misses.push(Miss { what, why, is_fatal: false });
    } else if !marks.thread {
        let what = format!("thread: {truth}; reported {}", shown(reported));
        misses.push(Miss { what, why: None, is_fatal: true });
    }
    if let Some(first) = first.filter(|_| marks.kind) {
        let healed = reported["divergence"]["healed_after"].as_u64();
        let must = healed_after(first);
        if healed != must {
            let what = format!("healed: {truth}, equal again after {must:?}; reported {healed:?}");
            let is_later = healed.is_none_or(|healed| must.is_some_and(|must| healed > must));
            let why =
                made_an_object(first, reported).or_else(|| is_later.then(|| made_on_one_side(reported)).flatten());
            misses.push(Miss { what, why, is_fatal: false });
        }
    }
    for pairing in report["pairings"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let judged = judged(story, pairing);
        if judged == Judged::Right {
            continue;
        }
        let side = if pairing["reference"].is_null() { 1 } else { 0 };
        let lane = &pairing[["reference", "candidate"][side]];
        let lane = (lane["tid"].to_string(), lane["generation"].as_u64().unwrap_or(0));
        let thread = story.thread_of(side, &lane).map(|thread| &story.threads[thread]);
        let word = match judged {
            Judged::Silent => "paired wrongly",
            Judged::Told => "paired wrongly, told to be ambiguous",
            Judged::Right | Judged::Alone => "left alone",
        };
        let what = format!("{word}: {}; {}", lanes(pairing), thread.map_or("no such thread".to_owned(), told));
        misses.push(Miss { what, why: thread.and_then(in_opening), is_fatal: judged == Judged::Silent });
    }
    misses
}

/// After how many events the sides must be told to agree for good: if enough follow, and the lane goes on.
fn healed_after(thread: &Thread) -> Option<u64> {
    let parting =
        thread.parting.as_ref().filter(|parting| !matches!(parting.kind.as_str(), "ended-early" | "unmatched"))?;
    let behind = thread.events[0].max(thread.events[1]).saturating_sub(parting.position + parting.healed_after);
    (behind >= EQUAL_RUN).then_some(parting.healed_after)
}

/// A missing or extra event, or some in another order, with too few behind for anyone to tell.
fn few_behind(thread: &Thread) -> Option<String> {
    let parting = thread.parting.as_ref()?;
    let own = match parting.kind.as_str() {
        "missing" => [1, 0],
        "extra" => [0, 1],
        "reordered" => [2, 2],
        _ => return None,
    };
    let behind = (0..2).map(|side| thread.events[side].saturating_sub(parting.position + own[side])).min()?;
    (behind < EQUAL_RUN)
        .then(|| format!("{behind} events are behind it, and {EQUAL_RUN} must agree before it is told apart"))
}

/// A missing or extra event that makes an object, which one of the events right behind it names: on one side that one means
/// nothing, so they agree again only behind it, one event apart.
fn made_an_object(thread: &Thread, reported: &Value) -> Option<String> {
    let parting = thread.parting.as_ref()?;
    let (own, apart) = match parting.kind.as_str() {
        "missing" => ("reference", 1),
        "extra" => ("candidate", -1),
        _ => return None,
    };
    let divergence = &reported["divergence"];
    let event = &divergence[own]["event"];
    let makes =
        event["kind"] == "handle.create" || event["payload"]["return_value"].as_u64().is_some_and(|made| made > 0);
    let after = ["after_reference", "after_candidate"].map(|side| divergence["resync"][side].as_i64());
    let [Some(reference), Some(candidate)] = after else { return None };
    let is_soon = reference.min(candidate) <= EQUAL_RUN as i64;
    (makes && is_soon && reference - candidate == apart)
        .then(|| format!("it makes an object that is used within {EQUAL_RUN} events, where only one side has it"))
}

/// An event whose kind differs makes an object on one side only: what the thread makes behind it has other numbers on the two sides.
fn made_on_one_side(reported: &Value) -> Option<String> {
    let makes = ["reference", "candidate"].map(|side| {
        let event = &reported["divergence"][side]["event"];
        let returns =
            event["kind"] == "kernel.return" && event["payload"]["return_value"].as_u64().is_some_and(|made| made > 0);
        returns || event["kind"] == "handle.create"
    });
    (makes[0] != makes[1]).then(|| "it makes an object on one side only, so later ones count otherwise".to_owned())
}

/// A thread whose beginning, by which it would be known, is what differs.
fn in_opening(thread: &Thread) -> Option<String> {
    let parting = thread.parting.as_ref()?;
    (parting.position == 0).then(|| "its first event, by which it would be known, is what differs".to_owned())
}

fn told(thread: &Thread) -> String {
    let name = |side: usize| match &thread.lanes[side] {
        Some((tid, 0)) => tid.clone(),
        Some((tid, generation)) => format!("{tid}#{generation}"),
        None => "nobody".to_owned(),
    };
    let (reference, candidate) = (name(0), name(1));
    match &thread.parting {
        Some(at) => format!("{reference} → {candidate} parts at {} ({})", at.position, at.kind),
        None => format!("{reference} → {candidate} never parts"),
    }
}

fn lanes(pairing: &Value) -> String {
    let name = |side: &str| match &pairing[side] {
        Value::Null => "nobody".to_owned(),
        lane if lane["generation"] == 0 => lane["tid"].to_string(),
        lane => format!("{}#{}", lane["tid"], lane["generation"]),
    };
    format!("{} → {}", name("reference"), name("candidate"))
}

fn shown(pairing: &Value) -> String {
    let divergence = &pairing["divergence"];
    match divergence["kind"].as_str() {
        Some(kind) => format!("{} at {} ({kind})", lanes(pairing), divergence["position"]),
        None => "nothing".to_owned(),
    }
}
