//! What a report of forkpoint says of a pair, and whether it paired the threads as the story has them.

use serde_json::Value;

use super::place::{LaneName, Said};
use super::story::Story;

/// The divergence that a report puts first.
pub fn said(report: &Value) -> Said {
    let Some(first) = report["first"].as_u64() else {
        return match report["verdict"].as_str() {
            Some("identical") => Said::Same,
            verdict => Said::Nothing(format!("verdict {}", verdict.unwrap_or("none"))),
        };
    };
    let divergence = &report["pairings"][first as usize]["divergence"];
    Said::Parts {
        lines: ["reference", "candidate"].map(|side| divergence[side]["line"].as_u64()),
        kind: divergence["kind"].as_str().map(str::to_owned),
    }
}

/// How a report pairs the threads of a story.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pairing {
    pub threads: u64,
    pub right: u64,
    /// Paired wrongly, and told to be ambiguous.
    pub told: u64,
    /// Paired wrongly without a word.
    pub silent: u64,
}

impl Pairing {
    pub fn add(&mut self, more: Pairing) {
        self.threads += more.threads;
        self.right += more.right;
        self.told += more.told;
        self.silent += more.silent;
    }
}

pub fn pairing(story: &Story, report: &Value) -> Pairing {
    let mut counted = Pairing { threads: story.threads.len() as u64, ..Pairing::default() };
    for pairing in report["pairings"].as_array().map(Vec::as_slice).unwrap_or_default() {
        match judged(story, pairing) {
            Judged::Right => counted.right += 1,
            Judged::Told => counted.told += 1,
            Judged::Silent => counted.silent += 1,
            Judged::Alone => {}
        }
    }
    counted
}

#[derive(Clone, Copy, PartialEq)]
pub enum Judged {
    Right,
    Told,
    Silent,
    /// A lane told to have no partner although it has.
    Alone,
}

pub fn judged(story: &Story, pairing: &Value) -> Judged {
    let lane = |side: usize, name: &str| {
        let lane: LaneName = (pairing[name]["tid"].to_string(), pairing[name]["generation"].as_u64()?);
        Some(story.thread_of(side, &lane))
    };
    let lacks = |thread: usize, side: usize| {
        let likes = (0..story.threads.len()).filter(|other| story.alike(thread, *other));
        likes.into_iter().any(|other| story.threads[other].lanes[side].is_none())
    };
    let is_right = match (lane(0, "reference"), lane(1, "candidate")) {
        (Some(Some(one)), Some(Some(other))) => story.alike(one, other),
        (Some(Some(one)), None) if lacks(one, 1) => return Judged::Right,
        (None, Some(Some(other))) if lacks(other, 0) => return Judged::Right,
        (_, None) | (None, _) => return Judged::Alone,
        // A lane that the story does not know.
        _ => false,
    };
    match is_right {
        true => Judged::Right,
        false if pairing["ambiguous"] == true => Judged::Told,
        false => Judged::Silent,
    }
}
