//! What must hold before anything else can be compared.

use std::collections::BTreeMap;

use super::document::{Document, Shape, equal};
use super::rules::{Holds, InvariantRule, Source, StateRules};

/// Whether an invariant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
    /// A value that it needs is not there.
    Unknown,
    /// It does not hold, and that does not matter: another one says so.
    Info,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
            Verdict::Info => "info",
        }
    }
}

/// An invariant and what the two sides have.
#[derive(Clone, Debug)]
pub struct Invariant {
    pub name: String,
    /// What each side has, as people read it; nothing where it has nothing.
    pub values: [Option<String>; 2],
    pub verdict: Verdict,
}

/// The values of both sides that invariants ask for: a document each, kept from whole files.
#[derive(Debug, Default)]
pub struct Values {
    kept: BTreeMap<(String, String), [Option<Document>; 2]>,
}

impl Values {
    /// Keeps what the rules ask for of a side's document.
    pub fn keep(&mut self, rules: &StateRules, file: &str, side: usize, document: &Document) {
        for source in rules.sources(file) {
            // A null says as little as nothing.
            let value = document.at(&source.path).filter(|value| value.shape != Shape::Null);
            let value = value.and_then(|value| Document::parse(document.bytes(value).to_vec()).ok());
            self.kept.entry(key(source)).or_default()[side] = value;
        }
    }

    /// The value of a side.
    pub fn get(&self, source: &Source, side: usize) -> Option<&Document> {
        self.kept.get(&key(source))?[side].as_ref()
    }
}

fn key(source: &Source) -> (String, String) {
    (source.file.clone(), source.path.to_string())
}

/// Whether a rule holds by the values alone.
pub fn judge(rule: &InvariantRule, values: &Values) -> Invariant {
    let shown = |document: &Document| {
        let root = document.root();
        document.text(root).unwrap_or_else(|| String::from_utf8_lossy(document.bytes(root)).into_owned())
    };
    let same = |one: &Document, other: &Document| equal((one, one.root()), (other, other.root()));
    let (values, verdict) = match &rule.holds {
        Holds::Between(source) => {
            let both = [0, 1].map(|side| values.get(source, side));
            let verdict = match both {
                [Some(one), Some(other)] if same(one, other) => Verdict::Pass,
                [Some(_), Some(_)] => Verdict::Fail,
                _ => Verdict::Unknown,
            };
            (both.map(|value| value.map(shown)), verdict)
        }
        Holds::Within(sources) => {
            let sides = [0, 1].map(|side| sources.each_ref().map(|source| values.get(source, side)));
            let verdicts = sides.map(|pair| match pair {
                [Some(one), Some(other)] if same(one, other) => Verdict::Pass,
                [Some(_), Some(_)] => Verdict::Fail,
                _ => Verdict::Unknown,
            });
            let verdict = match verdicts {
                [Verdict::Fail, _] | [_, Verdict::Fail] => Verdict::Fail,
                [Verdict::Pass, Verdict::Pass] => Verdict::Pass,
                _ => Verdict::Unknown,
            };
            let told = sides.map(|pair| {
                let is_there = pair.iter().any(Option::is_some);
                is_there.then(|| pair.map(|value| value.map_or_else(|| "absent".to_owned(), shown)).join(" == "))
            });
            (told, verdict)
        }
    };
    Invariant { name: rule.name.clone(), values, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::rules_file::builtin;

    #[test]
    fn what_is_absent_or_null_is_unknown() {
        let rules = builtin("state-v1").unwrap();
        let told = |config: [&str; 2], cpu: [&str; 2]| {
            let mut values = Values::default();
            for side in 0..2 {
                for (file, text) in [("config.json", config[side]), ("cpu_state.json", cpu[side])] {
                    values.keep(&rules, file, side, &Document::parse(text.as_bytes().to_vec()).unwrap());
                }
            }
            let all = rules.invariants.iter().map(|rule| judge(rule, &values).verdict.word());
            all.collect::<Vec<_>>().join(" ")
        };
        let config = r#"{"xex_entry_point":5,"iso_sha256":"a","image_loaded_sha256":null}"#;
        assert_eq!(told([config, config], ["{\"pc\":5.0}", "{\"pc\":5}"]), "pass pass pass unknown");
        assert_eq!(told([config, config], ["{\"pc\":5}", "{\"pc\":6}"]), "pass fail pass unknown");
        assert_eq!(told([config, config], ["{\"pc\":6}", "{}"]), "pass fail pass unknown");
        assert_eq!(
            told([config, r#"{"xex_entry_point":"5"}"#], ["{\"pc\":5}", "{\"pc\":\"5\"}"]),
            "fail pass unknown unknown"
        );
        assert_eq!(told(["{}", "[]"], ["{}", "7"]), "unknown unknown unknown unknown");
    }
}
