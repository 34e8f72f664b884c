//! What the outside tells a report: names, switches, and the width of the paper.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::nearest::NearestSnapshots;
use super::origin::{CheckpointWindow, Origin};
use super::state::StateGate;
use crate::source::Side;

/// One log as the user named it.
#[derive(Clone, Debug, Default)]
pub struct LogName {
    /// The path as given on the command line.
    pub path: PathBuf,
    /// What reports call this side.
    pub label: String,
    /// False for standard input, pipes and FIFOs: no command printed can open them again.
    pub reopenable: bool,
}

/// How deeply lines were validated (BEHAVIOUR 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Validated {
    /// Every line as far as its roles; differing pairs wholly.
    #[default]
    Opened,
    /// Every line wholly (`--strict`).
    Full,
}

/// How many divergences are told in detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details {
    /// The first so many, by rank.
    Count(usize),
    /// All, and no list is shortened.
    All,
}

/// What a report needs to know beside the outcome.
#[derive(Clone, Debug)]
pub struct ReportContext {
    pub reference: LogName,
    pub candidate: LogName,
    pub validated: Validated,
    pub details: Details,
    /// Columns of the terminal; below 60 is taken as 60.
    pub width: usize,
    pub colour: bool,
    /// `--prefix`: a lane that ends before its partner is accepted.
    pub prefix: bool,
    /// `--ignore-unmatched`: a lane without a partner is accepted.
    pub ignore_unmatched: bool,
    /// A fault was met under `--malformed error`, or a source failed while it was read.
    pub trouble: bool,
    /// What failed beside malformed lines, one sentence each ("a.jsonl: shrank while it was read").
    pub messages: Vec<String>,
    /// `--malformed skip` was given.
    pub malformed_skip: bool,
    /// `--first` found something: whole-log counts are unknown.
    pub first_only: bool,
    /// Flags that every command about these logs needs (`--profile`, `generic`, `--thread`, `tid`), one word each.
    pub role_flags: Vec<String>,
    /// Names of the rules that came from a file or a flag: those the user can mend.
    pub own_rules: BTreeSet<String>,
    /// Further flags this `diff` was given and a repeated one needs (`--map`, `6=9`), one word each.
    pub diff_flags: Vec<String>,
    /// Where the first differing value came from, if that was looked for.
    pub origin: Option<Origin>,
    /// Between which checkpoints the state parted, if logs have any.
    pub checkpoint: Option<CheckpointWindow>,
    /// What must hold before events are compared, if the states in which the runs began are there.
    pub state: Option<StateGate>,
    /// The nearest snapshots before the first divergence, if they were looked for and found.
    pub snapshots: Option<NearestSnapshots>,
}

impl Default for ReportContext {
    fn default() -> Self {
        ReportContext {
            reference: LogName { path: "reference.jsonl".into(), label: "reference".into(), reopenable: true },
            candidate: LogName { path: "candidate.jsonl".into(), label: "candidate".into(), reopenable: true },
            validated: Validated::Opened,
            details: Details::Count(1),
            width: 80,
            colour: false,
            prefix: false,
            ignore_unmatched: false,
            trouble: false,
            messages: Vec::new(),
            malformed_skip: false,
            first_only: false,
            role_flags: Vec::new(),
            own_rules: BTreeSet::new(),
            diff_flags: Vec::new(),
            origin: None,
            checkpoint: None,
            state: None,
            snapshots: None,
        }
    }
}

impl ReportContext {
    /// The name of one side.
    pub fn name(&self, side: Side) -> &LogName {
        match side {
            Side::Reference => &self.reference,
            Side::Candidate => &self.candidate,
        }
    }
}
