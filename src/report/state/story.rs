//! What is told of two state folders, in which order.

use std::path::PathBuf;

use super::super::verdict::Verdict;
use crate::state::{Class, Difference, StateOutcome, StateRules};

/// What the outside tells, and how it is told.
#[derive(Clone, Debug, Default)]
pub struct StateContext {
    pub paths: [PathBuf; 2],
    /// So many differences of a class are told.
    pub details: usize,
    /// Classes that by themselves change no verdict count too.
    pub strict: bool,
    pub width: usize,
    pub colour: bool,
}

/// Two folders with their answer.
pub struct StateStory<'a> {
    pub(crate) outcome: &'a StateOutcome,
    pub(crate) rules: &'a StateRules,
    pub(crate) context: &'a StateContext,
    pub verdict: Verdict,
    /// How many differences change the verdict.
    pub(crate) counting: u64,
}

impl<'a> StateStory<'a> {
    pub fn new(outcome: &'a StateOutcome, rules: &'a StateRules, context: &'a StateContext) -> StateStory<'a> {
        let counting = outcome.differences.counting(context.strict);
        let verdict = match (outcome.faults.is_empty(), outcome.is_stopped(), counting) {
            (false, ..) => Verdict::Trouble,
            (_, true, _) => Verdict::Inconclusive,
            (_, _, 0) => Verdict::Identical,
            _ => Verdict::Diverged,
        };
        StateStory { outcome, rules, context, verdict, counting }
    }

    /// The differences of a class that are kept, in the order in which they are told.
    pub(crate) fn of_class(&self, class: Class) -> Vec<&'a Difference> {
        let mut all: Vec<&Difference> =
            self.outcome.differences.kept.iter().filter(|difference| difference.class == class).collect();
        all.sort_by_key(|difference| difference.rank);
        all
    }

    /// How many of a class are told as differences of documents: bytes of memory have a list of their own.
    pub(crate) fn count_of(&self, class: Class) -> u64 {
        let all = self.outcome.differences.counts[class.index()];
        if class == Class::Delta { all - self.memory_counting() } else { all }
    }

    /// The ranges of memory that count.
    pub(crate) fn memory_counting(&self) -> u64 {
        let counting = self.outcome.memory.iter().filter(|range| !range.is_import_patch).count();
        counting as u64 + self.outcome.memory_more
    }

    /// The name of a file by its number.
    pub(crate) fn file(&self, file: usize) -> &'a str {
        self.outcome.files.get(file).map_or("?", |file| &file.name)
    }
}
