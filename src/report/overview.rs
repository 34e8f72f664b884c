//! The table of pairings: which rows are shown, and how their cells are spelled.

use super::context::Details;
use super::story::{Story, kind_word, lane_name, matched_word};
use super::verdict::Class;
use super::visible::{counted, grouped};
use crate::diverge::{LaneFacts, Pairing, Status};

/// One pairing as cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Index into the outcome's pairings.
    pub at: usize,
    pub class: Class,
    /// This is the first divergence of the run.
    pub first: bool,
    pub reference: String,
    pub candidate: String,
    /// How the lanes were paired, with its evidence.
    pub matched: String,
    pub compared: u64,
    /// Events of each lane, empty where there is none.
    pub totals: [Option<u64>; 2],
    pub parts_at: Option<u64>,
    pub outcome: String,
    /// The divergence stands behind skipped lines.
    pub after_fault: bool,
}

/// The rows shown, and what is told of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overview {
    pub rows: Vec<Row>,
    /// "… and 19,980 identical pairings", one sentence a class.
    pub others: Vec<String>,
}

/// Up to this many pairings are shown whole.
const ROWS_MAX: usize = 24;
/// In a long table, so many rows of each class.
const ROWS_OF_CLASS_MAX: [(Class, usize); 7] = [
    (Class::Event, 20),
    (Class::Faulty, 10),
    (Class::EndedEarly, 5),
    (Class::StartedLate, 5),
    (Class::Unmatched, 5),
    (Class::Identical, 2),
    (Class::NotCompared, 0),
];

/// Chooses and spells the rows.
pub(crate) fn overview(story: &Story) -> Overview {
    let all = story.outcome.pairings.len();
    if all <= ROWS_MAX || story.context.details == Details::All {
        return Overview { rows: (0..all).map(|at| row(story, at)).collect(), others: Vec::new() };
    }
    let mut chosen = Vec::new();
    let mut others = Vec::new();
    for (class, limit) in ROWS_OF_CLASS_MAX {
        let of_class: Vec<usize> = match class {
            Class::Event => story.events.clone(),
            Class::EndedEarly => story.ended.clone(),
            Class::StartedLate => story.late.clone(),
            _ => (0..all).filter(|&at| Class::of(story.pairing(at)) == class).collect(),
        };
        let shown = of_class.len().min(limit);
        chosen.extend_from_slice(&of_class[..shown]);
        if of_class.len() > shown {
            others.push(left_out(class, (of_class.len() - shown) as u64));
        }
    }
    chosen.sort_unstable();
    Overview { rows: chosen.into_iter().map(|at| row(story, at)).collect(), others }
}

fn left_out(class: Class, count: u64) -> String {
    let (one, many) = match class {
        Class::Identical => ("identical pairing", "identical pairings"),
        Class::Event => ("diverging pairing", "diverging pairings"),
        Class::EndedEarly => ("pairing that only ends early", "pairings that only end early"),
        Class::StartedLate => ("pairing that only starts late", "pairings that only start late"),
        Class::Unmatched => ("thread without a partner", "threads without a partner"),
        Class::Faulty => ("pairing ended by a malformed line", "pairings ended by malformed lines"),
        Class::NotCompared => ("thread not compared", "threads not compared"),
    };
    format!("… and {}", counted(count, one, many))
}

fn row(story: &Story, at: usize) -> Row {
    let pairing = story.pairing(at);
    let name = |lane: &Option<LaneFacts>| lane.as_ref().map_or_else(|| "—".to_owned(), lane_name);
    let found = pairing.divergence.as_ref();
    let outcome = match (pairing.status, found) {
        (Status::NotCompared, _) => "not compared".to_owned(),
        (_, Some(found)) => kind_word(found.kind).to_owned(),
        (Status::Identical, None) => "identical".to_owned(),
        (Status::Unmatched, None) => "unmatched".to_owned(),
        (Status::Faulty, None) => "malformed".to_owned(),
        (Status::Diverged, None) => "diverged".to_owned(),
    };
    let accepted = match pairing.accepted {
        0 => String::new(),
        count => format!(", {} accepted", grouped(count)),
    };
    let late = if pairing.late_start.is_some() { ", starts late" } else { "" };
    let further = match pairing.further.len() {
        0 => String::new(),
        count => format!(", {} more", grouped(count as u64)),
    };
    let is_known = !story.context.first_only;
    let total = |lane: &Option<LaneFacts>| lane.as_ref().filter(|_| is_known).map(|lane| lane.events);
    Row {
        at,
        class: Class::of(pairing),
        first: story.outcome.first == Some(at),
        reference: name(&pairing.reference),
        candidate: name(&pairing.candidate),
        matched: matched(pairing),
        compared: pairing.compared,
        totals: [total(&pairing.reference), total(&pairing.candidate)],
        parts_at: found.filter(|_| matches!(Class::of(pairing), Class::Event)).map(|found| found.position),
        outcome: outcome + late + &further + &accepted,
        after_fault: found.is_some_and(|found| found.after_fault),
    }
}

/// Stands behind what a pool's pairing was matched by.
const POOL_MARK: &str = " pool?";

impl Overview {
    /// What the marks of its rows mean.
    pub(crate) fn marks(&self) -> Vec<&'static str> {
        let is_marked = |mark: &str| self.rows.iter().any(|row| row.matched.ends_with(mark));
        let marks = [
            (" ?", "? ambiguous: another lane fits as well"),
            (POOL_MARK, "pool? look like equal workers whose work is distributed differently"),
        ];
        marks.into_iter().filter(|(mark, _)| is_marked(mark)).map(|(_, text)| text).collect()
    }
}

/// "first-call 64/64", with the best rival behind it where there was one, "?" where it fits as well, "pool?" where both are workers of a pool.
fn matched(pairing: &Pairing) -> String {
    let mut text = matched_word(pairing.matched_by).to_owned();
    if let Some(evidence) = pairing.evidence {
        text += &format!(" {}/{}", grouped(evidence.common), grouped(evidence.of));
        if let Some(rival) = evidence.runner_up {
            text += &format!(" vs {}", grouped(rival));
        }
    }
    match (pairing.pool, pairing.ambiguous) {
        (Some(_), _) => text += POOL_MARK,
        (None, true) => text += " ?",
        (None, false) => {}
    }
    text
}
