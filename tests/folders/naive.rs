//! The slow twin: two trees compared under `state-v1` the obvious way.

use std::collections::BTreeMap;

use super::tree::Tree;
use super::{Files, NAMES};

/// A difference: file, path, kind, class.
pub type Found = (String, String, &'static str, &'static str);

/// The field by which members of an array are told apart, if its order does not count.
pub fn set_key(file: &str, field: &str) -> Option<&'static str> {
    match (file, field) {
        ("kernel.json", "objects") => Some("handle_semantic_id"),
        ("kernel.json", "handle_name_table") => Some("name"),
        ("vfs.json", "cache_root_listing") => Some("relpath"),
        ("memory.json", "heaps") => Some("base"),
        _ => None,
    }
}

/// A step down: its spelling, and what the rules look at.
#[derive(Clone)]
struct Step {
    spelled: String,
    /// A key; or nothing for what stands in brackets.
    key: Option<String>,
}

/// All differences of the JSON files of two folders, sorted.
pub fn compare(sides: [&Files; 2]) -> Vec<Found> {
    let mut found = Vec::new();
    for name in NAMES {
        match sides.map(|side| side.get(name)) {
            [Some(one), Some(other)] => {
                let skips = [one, other].into_iter().flat_map(|tree| match tree.get("deterministic_skip") {
                    Some(Tree::List(entries)) => entries.clone(),
                    _ => Vec::new(),
                });
                let skips = skips.filter_map(|entry| match entry {
                    Tree::Text(text) if !text.is_empty() => Some(text),
                    _ => None,
                });
                let mut walk = Walk { file: name, skips: skips.collect(), found: &mut found };
                walk.values(&[], one, other);
            }
            [None, None] => {}
            _ => found.push((name.to_owned(), String::new(), "missing-file", "sigma-structural")),
        }
    }
    found.sort();
    found
}

struct Walk<'a> {
    file: &'static str,
    skips: Vec<String>,
    found: &'a mut Vec<Found>,
}

impl Walk<'_> {
    fn tell(&mut self, steps: &[Step], kind: &'static str) {
        let path: String = join(steps);
        let normal: Vec<String> = steps.iter().map(|step| step.key.clone().unwrap_or_else(|| "[]".into())).collect();
        let normal = normal.join("/");
        let last = steps.last().and_then(|step| step.key.clone()).unwrap_or_default();
        let class = match (self.file, normal.as_str()) {
            ("config.json", "xex_entry_point" | "iso_sha256") => "delta-content-STOP",
            ("config.json", path) if path.starts_with("xex_entry_point/") || path.starts_with("iso_sha256/") => {
                "delta-content-STOP"
            }
            _ if kind != "value" && kind != "type-mismatch" => "sigma-structural",
            ("config.json", _) if last == "host_ns_at_snapshot" || last == "wall_clock_iso8601" => "tau-host-timing",
            ("memory.json", path) if path.starts_with("heaps/[]/base") || path.starts_with("heaps/[]/name") => {
                "epsilon-host-allocator"
            }
            _ if last == "sha256" || last.ends_with("_sha256") => "delta-content",
            ("vfs.json", path) if path.starts_with("cache_root_listing") => "kappa-cache",
            _ => "gamma-kernel-content",
        };
        self.found.push((self.file.to_owned(), path, kind, class));
    }

    fn is_skipped(&self, steps: &[Step]) -> bool {
        let last = steps.last().and_then(|step| step.key.as_deref()).unwrap_or("");
        let ruled = match self.file {
            "cpu_state.json" => last == "hw_id",
            "kernel.json" => last == "raw_handle_id" || last == "exports_registered_count",
            "config.json" => {
                ["build_id", "iso_path", "cli_argv"].contains(&last)
                    || steps
                        .iter()
                        .map(|step| step.key.as_deref().unwrap_or("[]"))
                        .eq(["cvars", "phase_b_snapshot_dir"])
            }
            _ => false,
        };
        // The entries that are drawn are these.
        let normal: Vec<&str> = steps.iter().map(|step| step.key.as_deref().unwrap_or("[]")).collect();
        let asked = |entry: &String| match entry.as_str() {
            "cvars.gpu" => normal == ["cvars", "gpu"],
            "objects[].details" => normal == ["objects", "[]", "details"],
            name => last == name,
        };
        ruled || ["schema_version", "engine", "deterministic_skip"].contains(&last) || self.skips.iter().any(asked)
    }

    fn values(&mut self, steps: &[Step], one: &Tree, other: &Tree) {
        if !steps.is_empty() && self.is_skipped(steps) {
            return;
        }
        match (one, other) {
            (Tree::Object(_), Tree::Object(_)) => {
                let mut keys = one.keys();
                keys.extend(other.keys());
                keys.sort();
                keys.dedup();
                for key in keys {
                    let below =
                        below(steps, Step { spelled: spelled_key(steps.is_empty(), &key), key: Some(key.clone()) });
                    match (one.get(&key), other.get(&key)) {
                        (Some(one), Some(other)) => self.values(&below, one, other),
                        _ if self.is_skipped(&below) => {}
                        (Some(_), None) => self.tell(&below, "missing-field"),
                        _ => self.tell(&below, "extra-field"),
                    }
                }
            }
            (Tree::List(left), Tree::List(right)) => {
                match set_key(self.file, steps.last().and_then(|step| step.key.as_deref()).unwrap_or("")) {
                    Some(by) => self.sets(steps, by, left, right),
                    None => {
                        if left.len() != right.len() {
                            self.tell(steps, "seq-length");
                        }
                        for (at, (one, other)) in left.iter().zip(right).enumerate() {
                            let step = Step { spelled: format!("[{at}]"), key: None };
                            self.values(&below(steps, step), one, other);
                        }
                    }
                }
            }
            _ if one.shape() != other.shape() => self.tell(steps, "type-mismatch"),
            _ if one.canonical() == other.canonical() => {}
            _ => self.tell(steps, "value"),
        }
    }

    fn sets(&mut self, steps: &[Step], by: &str, left: &[Tree], right: &[Tree]) {
        let mut groups: BTreeMap<Option<String>, [Vec<Tree>; 2]> = BTreeMap::new();
        for (side, members) in [left, right].into_iter().enumerate() {
            for member in members {
                let key = member.get(by).filter(|key| **key != Tree::Null).map(Tree::canonical);
                groups.entry(key).or_default()[side].push(member.clone());
            }
        }
        let mut lone: [Vec<Tree>; 2] = [Vec::new(), Vec::new()];
        for (key, [mut one, mut other]) in groups {
            let is_single = key.is_some() && one.len() <= 1 && other.len() <= 1;
            one.sort_by(deep_order);
            other.sort_by(deep_order);
            let mut pairs: Vec<[Option<Tree>; 2]> = Vec::new();
            // Equal ones first; what is told of them is in the order of all.
            let mut rest_of_other = other.clone();
            let mut rest = Vec::new();
            for member in one {
                match rest_of_other.iter().position(|twin| !is_single && twin.canonical() == member.canonical()) {
                    Some(at) => pairs.push([Some(member), Some(rest_of_other.remove(at))]),
                    None => rest.push(member),
                }
            }
            let together = if key.is_some() { rest.len().min(rest_of_other.len()) } else { 0 };
            let unpaired: Vec<Tree> = rest.split_off(together);
            let others: Vec<Tree> = rest_of_other.split_off(together);
            pairs.extend(rest.into_iter().zip(rest_of_other).map(|(one, other)| [Some(one), Some(other)]));
            if by == "base" && key.is_some() && pairs.is_empty() && unpaired.len() + others.len() == 1 {
                lone[0].extend(unpaired);
                lone[1].extend(others);
                continue;
            }
            pairs.extend(unpaired.into_iter().map(|one| [Some(one), None]));
            pairs.extend(others.into_iter().map(|other| [None, Some(other)]));
            for pair in pairs {
                self.pair(steps, by, pair);
            }
        }
        self.left_over(steps, by, lone);
    }

    /// Heaps that lie elsewhere: by name, by size, by the order of their bases.
    fn left_over(&mut self, steps: &[Step], by: &str, [mut left, mut right]: [Vec<Tree>; 2]) {
        let base = |tree: &Tree| tree.get("base").cloned().unwrap_or(Tree::Null);
        left.sort_by(|x, y| base(x).order(&base(y)));
        right.sort_by(|x, y| base(x).order(&base(y)));
        for field in ["name", "size"] {
            let mut rest = Vec::new();
            for one in left {
                let own = one.get(field).filter(|value| **value != Tree::Null).map(Tree::canonical);
                let fits = |other: &Tree| own.is_some() && other.get(field).map(Tree::canonical) == own;
                match right.iter().position(fits) {
                    Some(at) => self.pair(steps, by, [Some(one), Some(right.remove(at))]),
                    None => rest.push(one),
                }
            }
            left = rest;
        }
        let mut right = right.into_iter();
        for one in left {
            self.pair(steps, by, [Some(one), right.next()]);
        }
        right.for_each(|other| self.pair(steps, by, [None, Some(other)]));
    }

    fn pair(&mut self, steps: &[Step], by: &str, pair: [Option<Tree>; 2]) {
        let key = pair.iter().flatten().next().and_then(|member| member.get(by)).filter(|key| **key != Tree::Null);
        let key = match key {
            Some(Tree::Text(text)) => text.clone(),
            Some(other) => {
                let mut text = String::new();
                other.spell(&mut text, None);
                text
            }
            None => "?".to_owned(),
        };
        let is_odd = key.is_empty() || key.contains(['[', ']', '"', '=', '\\']);
        let key = if is_odd { serde_json::to_string(&key).unwrap() } else { key };
        let below = below(steps, Step { spelled: format!("[{by}={key}]"), key: None });
        match pair {
            [Some(one), Some(other)] => self.values(&below, &one, &other),
            [Some(_), None] => self.tell(&below, "missing-in-candidate"),
            _ => self.tell(&below, "extra-in-candidate"),
        }
    }
}

fn deep_order(one: &Tree, other: &Tree) -> std::cmp::Ordering {
    match (one, other) {
        (Tree::Object(_), Tree::Object(_)) => {
            let (left, right) = (one.keys(), other.keys());
            for (x, y) in left.iter().zip(&right) {
                let order = x.cmp(y).then_with(|| deep_order(one.get(x).unwrap(), other.get(y).unwrap()));
                if order.is_ne() {
                    return order;
                }
            }
            left.len().cmp(&right.len())
        }
        (Tree::List(left), Tree::List(right)) => left
            .iter()
            .zip(right)
            .map(|(x, y)| deep_order(x, y))
            .find(|order| order.is_ne())
            .unwrap_or(left.len().cmp(&right.len())),
        _ => one.order(other),
    }
}

fn below(steps: &[Step], step: Step) -> Vec<Step> {
    let mut steps = steps.to_vec();
    steps.push(step);
    steps
}

fn join(steps: &[Step]) -> String {
    steps.iter().map(|step| step.spelled.as_str()).collect()
}

fn spelled_key(is_first: bool, key: &str) -> String {
    let is_odd = key.is_empty() || key.contains(['.', '[', ']', '"']) || key == "*" || key.parse::<u64>().is_ok();
    match (is_odd, is_first) {
        (true, _) => format!("[{}]", serde_json::to_string(key).unwrap()),
        (false, true) => key.to_owned(),
        (false, false) => format!(".{key}"),
    }
}

/// A path without the numbers of members that share a key: which of them is told first is no question of truth.
pub fn without_numbers(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('#') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..at]);
        rest = &rest[at + 1 + digits..];
    }
    out + rest
}
