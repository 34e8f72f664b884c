//! What must hold before events are compared: the invariants of two state folders, in front of a comparison of logs.

use std::path::PathBuf;

use super::super::doc::Doc;
use super::super::markdown::{code, prose};
use super::super::style::Page;
use super::super::visible::{clip, visible};
use super::terminal::invariants;
use crate::state::{Invariant, Verdict};

/// The invariants of the states in which two runs began.
#[derive(Clone, Debug, Default)]
pub struct StateGate {
    pub paths: [PathBuf; 2],
    pub invariants: Vec<Invariant>,
}

impl StateGate {
    /// The runs did not begin in one state, or nobody knows.
    pub fn stops(&self) -> bool {
        self.invariants.iter().any(|one| matches!(one.verdict, Verdict::Fail | Verdict::Unknown))
    }

    /// Why what follows says little, if it does.
    pub(crate) fn sentence(&self) -> Option<String> {
        let of = |verdict: Verdict| {
            let names = self.invariants.iter().filter(move |one| one.verdict == verdict).map(|one| visible(&one.name));
            names.collect::<Vec<_>>().join(", ")
        };
        match (of(Verdict::Fail), of(Verdict::Unknown)) {
            (failed, _) if !failed.is_empty() => Some(format!(
                "STOP: the runs did not begin in one state ({failed}); what follows cannot be interpreted"
            )),
            (_, unknown) if !unknown.is_empty() => {
                Some(format!("whether the runs began in one state is unknown ({unknown})"))
            }
            _ => None,
        }
    }

    pub(crate) fn paint(&self, page: &mut Page, width: usize) {
        invariants(&self.invariants, page, width);
    }

    pub(crate) fn markdown(&self) -> String {
        let mut out = String::from("| state | reference | candidate | result |\n|---|---|---|---|\n");
        for one in &self.invariants {
            let cell = |value: &Option<String>| {
                value.as_ref().map_or_else(|| "absent".to_owned(), |value| code(&clip(&visible(value), 80)))
            };
            let [reference, candidate] = one.values.each_ref().map(cell);
            out.push_str(&format!("| {} | {reference} | {candidate} | {} |\n", prose(&one.name), one.verdict.word()));
        }
        out
    }

    pub(crate) fn doc(&self) -> Doc {
        let [reference, candidate] = self.paths.each_ref().map(|path| Doc::text(&path.to_string_lossy()));
        Doc::object([
            ("reference", reference),
            ("candidate", candidate),
            ("stop", Doc::boolean(self.invariants.iter().any(|one| one.verdict == Verdict::Fail))),
            ("invariants", Doc::Array(self.invariants.iter().map(super::json::invariant).collect())),
        ])
    }
}
