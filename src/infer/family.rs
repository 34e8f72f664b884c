//! All that was seen to differ at one place.

use std::collections::{BTreeMap, BTreeSet};

use super::apart::{Apart, Value};
use crate::json::{Kind, Pointer};

/// Values of a field beside a place that are told apart.
const VALUES_MAX: usize = 32;

/// A pair that shows what differs: its line in the reference, and both values, empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// Which of the compared runs.
    pub run: usize,
    pub line: u64,
    pub values: [String; 2],
}

/// How values differed in some pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differing {
    pub pairs: u64,
    /// Pairs in which only one side has a value there.
    pub absent: u64,
    /// Pairs in which a side has something that is neither a number nor a string.
    pub others: u64,
    /// The first of them.
    pub example: Option<Example>,
    pub(super) apart: Apart,
}

/// What stands beside a place in the same events: of each field that was the same on both sides every time, how the place
/// differed where each value stood there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    events: u64,
    /// `None`: it differed, was missing, or had too many values.
    fields: BTreeMap<Pointer, Option<BTreeMap<String, Differing>>>,
}

/// The differences of one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    pub all: Differing,
    pub beside: Beside,
}

/// The values of both sides, where they have one.
pub type Pair<'t> = [Option<Value<'t>>; 2];

impl Differing {
    fn take(&mut self, values: Pair<'_>, example: &Example) {
        self.pairs += 1;
        if self.example.as_ref().is_none_or(|held| example < held) {
            self.example = Some(example.clone());
        }
        let is_plain = |value: &Value<'_>| matches!(value.0, Kind::Number | Kind::String);
        match values {
            [Some(reference), Some(candidate)] if is_plain(&reference) && is_plain(&candidate) => {
                self.apart.take(example.run, reference, candidate);
            }
            [Some(_), Some(_)] => self.others += 1,
            _ => self.absent += 1,
        }
    }

    /// Takes other pairs.
    pub fn merge(&mut self, other: &Differing) {
        self.pairs += other.pairs;
        self.absent += other.absent;
        self.others += other.others;
        self.example = self.example.take().into_iter().chain(other.example.clone()).min();
        self.apart.merge(&other.apart);
    }
}

impl Family {
    /// Takes one pair: its values there, and what is the same beside them.
    pub fn take(&mut self, values: Pair<'_>, beside: &[(Pointer, String)], example: &Example) {
        self.all.take(values, example);
        self.beside.take(values, beside, example);
    }

    /// Takes the differences of another place as if they were of this one.
    pub fn merge(&mut self, other: &Family) {
        self.all.merge(&other.all);
        self.beside.merge(&other.beside);
    }
}

impl Beside {
    fn take(&mut self, values: Pair<'_>, same: &[(Pointer, String)], example: &Example) {
        let first = self.events == 0;
        self.events += 1;
        let met: BTreeSet<&Pointer> = same.iter().map(|(path, _)| path).collect();
        for (path, held) in &mut self.fields {
            if !met.contains(path) {
                *held = None;
            }
        }
        for (path, value) in same {
            if first {
                self.fields.insert(path.clone(), Some(BTreeMap::new()));
            }
            // A field that was missing before does not count.
            let Some(Some(held)) = self.fields.get_mut(path) else { continue };
            held.entry(value.clone()).or_default().take(values, example);
            if held.len() > VALUES_MAX {
                self.fields.insert(path.clone(), None);
            }
        }
    }

    fn merge(&mut self, other: &Beside) {
        if self.events == 0 {
            self.clone_from(other);
            return;
        }
        if other.events == 0 {
            return;
        }
        self.events += other.events;
        for (path, held) in &mut self.fields {
            let Some(Some(values)) = other.fields.get(path) else {
                *held = None;
                continue;
            };
            let Some(own) = held else { continue };
            for (value, differing) in values {
                own.entry(value.clone()).or_default().merge(differing);
            }
            if own.len() > VALUES_MAX {
                *held = None;
            }
        }
    }

    /// The fields that were there and the same every time, with how the place differed by the value each had.
    pub fn fields(&self) -> impl Iterator<Item = (&Pointer, &BTreeMap<String, Differing>)> {
        self.fields.iter().filter_map(|(path, values)| Some((path, values.as_ref()?)))
    }

    /// How the place differed by the value of a field.
    pub fn by(&self, field: &Pointer) -> Option<&BTreeMap<String, Differing>> {
        self.fields.get(field)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Example {
        Example { run: 1, line: 1, values: [String::new(), String::new()] }
    }

    fn beside(events: &[&[(&str, &str)]]) -> Beside {
        let mut beside = Beside::default();
        for event in events {
            let same: Vec<(Pointer, String)> =
                event.iter().map(|(path, value)| (Pointer::parse(path).unwrap(), (*value).to_owned())).collect();
            beside.take([None, None], &same, &example());
        }
        beside
    }

    fn told(beside: &Beside) -> Vec<String> {
        let counts = |values: &BTreeMap<String, Differing>| {
            values.iter().map(|(value, differing)| format!(" {value}: {}", differing.pairs)).collect::<String>()
        };
        beside.fields().map(|(path, values)| format!("{path}{}", counts(values))).collect()
    }

    #[test]
    fn only_what_stands_beside_every_time_is_told() {
        let events: [&[(&str, &str)]; 3] = [&[("/a", "1"), ("/b", "x")], &[("/a", "2"), ("/c", "y")], &[("/a", "1")]];
        let whole = beside(&events);
        assert_eq!(told(&whole), ["/a 1: 2 2: 1"]);
        for cut in 1..3 {
            let mut merged = beside(&events[..cut]);
            merged.merge(&beside(&events[cut..]));
            assert_eq!(told(&merged), told(&whole), "{cut}");
        }
        let many: Vec<String> = (0..=VALUES_MAX).map(|at| at.to_string()).collect();
        let mut full = Beside::default();
        many.iter().for_each(|value| full.take([None, None], &[(Pointer::new(["a"]), value.clone())], &example()));
        assert_eq!(told(&full), [""; 0]);
    }
}
