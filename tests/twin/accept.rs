//! Divergences that are accepted: which entries mean one, and how the walk goes on behind it.

use super::diff::{Divergence, Outcome};
use super::equal::Difference;
use super::json::{Value, parse};

/// One entry of a file, as it stands there.
#[derive(Clone, Debug)]
pub struct Entry {
    keys: toml::Table,
}

/// More differing fields than these are not told, so no field's entry can accept the pair.
const TOLD_MAX: usize = 64;

/// The entries of a file.
pub fn entries(text: &str) -> Vec<Entry> {
    let file: toml::Table = text.parse().expect("a test's file is TOML");
    let list = file.get("accept").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    list.into_iter().map(|keys| Entry { keys: keys.as_table().expect("a table").clone() }).collect()
}

/// A TOML value as the JSON it stands for; `None` where it says that nothing is there.
fn json(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::Integer(n) => Some(Value::integer((*n).into())),
        toml::Value::String(text) => Some(Value::text(text)),
        toml::Value::Boolean(truth) => Some(Value::Bool(*truth)),
        toml::Value::Array(items) => Some(Value::Array(items.iter().filter_map(json).collect())),
        toml::Value::Table(table) => {
            let text = table.get("json")?.as_str().expect("a text");
            Some(parse(text.as_bytes()).expect("a test's value is JSON"))
        }
        other => panic!("no value: {other}"),
    }
}

impl Entry {
    fn number(&self, key: &str) -> Option<usize> {
        Some(self.keys.get(key)?.as_integer()? as usize)
    }

    /// Whether it may mean a divergence of these lanes, its fields aside.
    fn means(&self, outcome: &Outcome, lanes: [Option<usize>; 2], found: &Divergence) -> bool {
        let said = |key: &str| self.keys.get(key);
        if said("divergence").and_then(toml::Value::as_str) != Some(found.kind) {
            return false;
        }
        for (side, [thread, generation]) in
            [["thread", "generation"], ["candidate_thread", "candidate_generation"]].into_iter().enumerate()
        {
            let Some(wanted) = said(thread).and_then(json) else { continue };
            let Some(lane) = lanes[side].map(|lane| &outcome.twin.logs[side].lanes[lane]) else { return false };
            let key = match lane.thread.as_slice() {
                [only] => only.clone(),
                parts => Value::Array(parts.to_vec()),
            };
            if key != wanted || lane.generation != self.number(generation).unwrap_or(0) {
                return false;
            }
        }
        if self.number("position").is_some_and(|position| position != found.position) {
            return false;
        }
        if let Some(kind) = said("kind").and_then(json) {
            let event = [0, 1].into_iter().find_map(|side| found.events[side].map(|at| outcome.twin.event(side, at)));
            if event.is_none_or(|event| event.kind != kind) {
                return false;
            }
        }
        self.number("events").is_none_or(|count| passed(found).is_some_and(|passed| passed.contains(&count)))
    }

    fn has_path(&self) -> bool {
        self.keys.contains_key("path")
    }

    fn accepts(&self, difference: &Difference) -> bool {
        let Some(path) = self.keys.get("path").and_then(toml::Value::as_str) else { return true };
        let path: Vec<String> =
            path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let valued = ["reference", "candidate"].map(|key| self.keys.get(key));
        if valued == [None, None] {
            return difference.path.starts_with(&path);
        }
        let same = |side: usize| match valued[side] {
            None => true,
            Some(wanted) => json(wanted) == difference.sides[side],
        };
        difference.path == path && same(0) && same(1)
    }
}

/// The events gone past, by side, where some are missing, extra, in another order or before a late start.
fn passed(found: &Divergence) -> Option<[usize; 2]> {
    match (found.kind, &found.resync) {
        ("missing" | "extra" | "reordered" | "started-late", Some((resync, _))) => {
            Some([resync.reference, resync.candidate])
        }
        _ => None,
    }
}

/// Whether a divergence is accepted; if so, each entry that helped is counted once.
pub fn accepted(outcome: &mut Outcome, lanes: [Option<usize>; 2], found: &Divergence) -> bool {
    let entries = outcome.twin.choices.accept.clone();
    let meant: Vec<usize> = (0..entries.len()).filter(|&at| entries[at].means(outcome, lanes, found)).collect();
    let whole = found.differences.is_empty() || found.differences.len() > TOLD_MAX;
    let mut by: Vec<Option<usize>> = Vec::new();
    if whole {
        by.push(meant.iter().copied().find(|&at| !entries[at].has_path()));
    } else {
        for difference in &found.differences {
            by.push(meant.iter().copied().find(|&at| entries[at].accepts(difference)));
        }
    }
    let Some(mut by) = by.into_iter().collect::<Option<Vec<usize>>>() else { return false };
    by.sort_unstable();
    by.dedup();
    by.into_iter().for_each(|at| *outcome.accepted.entry(at).or_default() += 1);
    true
}

/// How far each side goes on behind an accepted divergence, and what the candidate's ordinals are ahead by then.
pub fn onward(outcome: &Outcome, found: &Divergence, pair: [usize; 2], ahead: i128) -> ([usize; 2], i128) {
    if let (Some(passed), Some((_, step))) = (passed(found), &found.resync) {
        return (passed, step.unwrap_or(ahead));
    }
    let ordinals = [0, 1].map(|side| outcome.twin.event(side, pair[side]).ordinal.map(i128::from));
    match ordinals {
        [Some(r), Some(c)] if !in_step(outcome, pair, ahead) => ([1, 1], c - r),
        _ => ([1, 1], ahead),
    }
}

/// How far each side goes on behind a divergence that is told, where the two agree again or with the next pair, and what
/// the candidate's ordinals are ahead by then.
pub fn onward_told(outcome: &Outcome, found: &Divergence, pair: [usize; 2], ahead: i128) -> ([usize; 2], i128) {
    match found.resync {
        Some((resync, step)) if (resync.reference, resync.candidate) != (0, 0) => {
            ([resync.reference, resync.candidate], step.unwrap_or(ahead))
        }
        _ => {
            let ordinals = [0, 1].map(|side| outcome.twin.event(side, pair[side]).ordinal.map(i128::from));
            match ordinals {
                [Some(r), Some(c)] if !in_step(outcome, pair, ahead) => ([1, 1], c - r),
                _ => ([1, 1], ahead),
            }
        }
    }
}

/// Whether a pair's ordinals are equal, or the candidate's is ahead by as much as was accepted.
pub fn in_step(outcome: &Outcome, pair: [usize; 2], ahead: i128) -> bool {
    let [r, c] = [0, 1].map(|side| outcome.twin.event(side, pair[side]).ordinal);
    r == c || matches!((r, c), (Some(r), Some(c)) if i128::from(c) - i128::from(r) == ahead)
}
