//! Files of accepted divergences for generated pairs: what the twin finds, told more or less closely.

use super::diff::{Divergence, Outcome, Pairing, diff};
use super::equal::Difference;
use super::flags::understand;
use super::json::Value;
use super::pairs::Case;
use super::rules::TIMES;
use super::shapes::Rng;
use std::path::Path;

/// The case with a file that accepts so many in a hundred of its divergences, and of those behind them.
pub fn accepting(case: Case, rng: &mut Rng, file: &Path, percent: usize) -> Case {
    let mut accepted = case.clone();
    accepted.flags.extend(["--accept".to_owned(), file.to_string_lossy().into_owned()]);
    let mut text = String::from("version = 1\n");
    std::fs::write(file, &text).expect("the file is written");
    let bytes = [case.bytes(0), case.bytes(1)];
    for _ in 0..1 + rng.below(4) {
        let (rules, choices) = understand(&accepted.flags);
        let Ok(outcome) = diff([&bytes[0], &bytes[1]], &rules, &choices, &TIMES) else { break };
        for pairing in &outcome.pairings {
            if let Some(found) = pairing.divergence.as_ref().filter(|_| rng.chance(percent)) {
                entries(&outcome, pairing, found, rng).iter().for_each(|entry| text.push_str(entry));
            }
        }
        std::fs::write(file, &text).expect("the file is written");
    }
    accepted
}

fn entries(outcome: &Outcome, pairing: &Pairing, found: &Divergence, rng: &mut Rng) -> Vec<String> {
    let whole = found.differences.is_empty() || rng.chance(20);
    if whole {
        return vec![entry(outcome, pairing, found, None, rng)];
    }
    found.differences.iter().map(|difference| entry(outcome, pairing, found, Some(difference), rng)).collect()
}

fn entry(
    outcome: &Outcome,
    pairing: &Pairing,
    found: &Divergence,
    difference: Option<&Difference>,
    rng: &mut Rng,
) -> String {
    let mut out = format!("\n[[accept]]\ndivergence = \"{}\"\nreason = \"r\"\n", found.kind);
    let mut say = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {value}\n"));
        }
    };
    let is_lane = matches!(found.kind, "ended-early" | "unmatched");
    let names_lane = is_lane || rng.chance(60);
    for (side, [thread, generation]) in
        [["thread", "generation"], ["candidate_thread", "candidate_generation"]].into_iter().enumerate()
    {
        let Some(lane) = pairing.lanes[side].filter(|_| names_lane) else { continue };
        let lane = &outcome.twin.logs[side].lanes[lane];
        let key = match lane.thread.as_slice() {
            [] => None,
            [only] => spelled(only),
            parts => {
                parts.iter().map(spelled).collect::<Option<Vec<_>>>().map(|parts| format!("[{}]", parts.join(",")))
            }
        };
        if key.is_some() && lane.generation > 0 {
            say(generation, Some(lane.generation.to_string()));
        }
        say(thread, key);
    }
    let valued = rng.chance(40);
    let path = difference.and_then(|difference| {
        let mut path = difference.path.clone();
        if !valued && path.len() > 1 && rng.chance(30) {
            path.pop();
        }
        let text: String = path.iter().map(|t| format!("/{}", t.replace('~', "~0").replace('/', "~1"))).collect();
        spelled(&Value::text(&text))
    });
    let wrong = usize::from(rng.chance(4));
    if path.is_none() || rng.chance(60) {
        say("position", Some((found.position + wrong).to_string()));
    }
    let event = [0, 1].into_iter().find_map(|side| found.events[side].map(|at| outcome.twin.event(side, at)));
    say("kind", event.filter(|_| rng.chance(40)).and_then(|event| spelled(&event.kind)));
    if let Some((resync, _)) =
        found.resync.as_ref().filter(|_| matches!(found.kind, "missing" | "extra" | "reordered" | "started-late"))
    {
        say("events", rng.chance(50).then(|| (resync.reference.max(resync.candidate) + wrong).to_string()));
    }
    if let Some(difference) = difference.filter(|_| path.is_some() && valued) {
        for (side, key) in ["reference", "candidate"].into_iter().enumerate() {
            say(key, difference.sides[side].as_ref().map_or(Some("{ absent = true }".to_owned()), spelled));
        }
    }
    say("path", path);
    out
}

/// A value as TOML, where that is easy; an entry without it accepts the more.
fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => {
            let n = number.integer()?;
            Some(i64::try_from(n).map_or_else(|_| format!("{{ json = \"{n}\" }}"), |n| n.to_string()))
        }
        Value::Text(text) => {
            let text = std::str::from_utf8(text).ok().filter(|text| text.chars().all(|c| (' '..='~').contains(&c)))?;
            Some(format!("'{text}'")).filter(|_| !text.contains('\''))
        }
        _ => None,
    }
}
