//! Which divergence may follow from which, and which one to look at first: the lead.

use std::collections::BTreeMap;

use ahash::AHashMap;

use super::edges::{Between, EdgeEvent, End, Wanted, look_through, may_follow};
use super::judge::{Judgement, Verdict};
use super::outcome::DivergenceKind;
use crate::align::{Aligner, ContextLine};
use crate::json::tape::fixed_state;
use crate::profile::Profile;
use crate::scan::{Opener, ThreadKey};
use crate::source::{Side, SourceError};

/// What is known of causes.
#[derive(Debug, Default)]
pub struct Causes {
    /// For each pairing what its divergence may follow from.
    pub follows: Vec<Vec<Follow>>,
    /// Logs that were looked through.
    pub looked: [bool; 2],
    /// Events at ends of edges that were met.
    pub met: u64,
    /// More lay between the divergences than is looked at.
    pub is_cut: bool,
}

/// An event of a thread that parts before it, and one of another thread, before that one parts, which follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The pairing that it may follow from.
    pub from: usize,
    /// The edge's number in the profile.
    pub rule: usize,
    /// The log in which the two events stand.
    pub side: Side,
    /// Their physical lines, from 1.
    pub cause: u64,
    pub effect: u64,
    /// What both are about.
    pub about: Vec<u8>,
}

/// Where a pairing parts, as far as causes are concerned.
struct Node {
    pairing: usize,
    lanes: [Option<usize>; 2],
    /// What a side's lane does from this line on may be otherwise.
    from: [Option<u64>; 2],
    /// What the lane does up to this line may be why it parts.
    to: [Option<u64>; 2],
    /// What the reference has there, which the candidate may lack, may itself follow from another thread's.
    awaits: bool,
}

/// Looks for causes in the logs between their divergences.
///
/// # Errors
/// A log cannot be read again.
pub fn causes(
    aligner: &Aligner<'_, Judgement<'_>>,
    verdicts: &[(usize, Verdict)],
    profile: &Profile,
) -> Result<Causes, SourceError> {
    let mut causes = Causes { follows: vec![Vec::new(); aligner.pairings.len()], ..Causes::default() };
    let firsts = verdicts.iter().enumerate().filter(|(at, (pairing, _))| *at == 0 || verdicts[at - 1].0 != *pairing);
    let verdicts: Vec<&(usize, Verdict)> = firsts.map(|(_, verdict)| verdict).collect();
    if verdicts.len() < 2 || profile.edge.is_empty() {
        return Ok(causes);
    }
    let opener = &aligner.sides[Side::Reference.index()].opener;
    let node_of = |(pairing, verdict): &&(usize, Verdict)| node(aligner, *pairing, verdict, profile, opener);
    let nodes: Vec<Node> = verdicts.iter().map(node_of).collect();
    for side in Side::BOTH {
        let intake = &aligner.sides[side.index()];
        let first = first_known(&verdicts, side).filter(|_| !intake.log.is_stream());
        let Some((first_line, offset)) = first else { continue };
        causes.looked[side.index()] = true;
        let Some(last_line) = nodes.iter().filter_map(|node| node.goes_on_by(side)).max() else { continue };
        let between = Between { offset, first_line, last_line };
        let by_lane = by_lane(&nodes, side);
        let wanted = |lane: usize, line: u64| {
            by_lane.get(&lane).map_or_else(Wanted::default, |number| nodes[*number].wanted(side, line))
        };
        let mut linker = Linker::new(&nodes, &by_lane, side);
        let sees_all = look_through(intake, profile, between, wanted, |event| {
            causes.met += 1;
            linker.take(event, |lane| (&intake.lanes[lane].thread, intake.lanes[lane].first_line));
        })?;
        causes.is_cut |= !sees_all;
        for (pairing, follow) in
            linker.found.into_iter().flat_map(|(pairing, found)| found.into_iter().map(move |one| (pairing, one)))
        {
            add(&mut causes.follows[pairing], follow);
        }
    }
    Ok(causes)
}

/// The node of each lane of a side that parts.
fn by_lane(nodes: &[Node], side: Side) -> AHashMap<usize, usize> {
    let mut by_lane = AHashMap::with_hasher(fixed_state());
    let lanes = nodes.iter().enumerate();
    by_lane.extend(lanes.filter_map(|(number, node)| Some((node.lanes[side.index()]?, number))));
    by_lane
}

impl Node {
    /// The last line of a side's log at which something may show that this lane parts because of another one.
    fn goes_on_by(&self, side: Side) -> Option<u64> {
        let [reference, candidate] = self.to;
        match side {
            // Only the very event which the candidate lacks: what stands before it is there. Or the lane's making.
            Side::Reference => reference.filter(|_| self.awaits || self.is_missing()),
            Side::Candidate => candidate,
        }
    }

    /// The candidate lacks the lane.
    fn is_missing(&self) -> bool {
        self.lanes[Side::Candidate.index()].is_none()
    }

    /// What an event of the lane on a line may be: what others follow from, what makes this lane part.
    fn wanted(&self, side: Side, line: u64) -> Wanted {
        let at = side.index();
        let to = match side {
            Side::Reference => self.awaits && self.from[at] == Some(line),
            Side::Candidate => self.to[at].is_some_and(|to| line <= to),
        };
        Wanted { from: self.from[at].is_some_and(|from| line >= from), to }
    }
}

fn node(
    aligner: &Aligner<'_, Judgement<'_>>,
    pairing: usize,
    verdict: &Verdict,
    profile: &Profile,
    opener: &Opener,
) -> Node {
    let last_common = |side: Side| verdict.before.last().map(|pair| pair[side.index()].place.line);
    let shown = verdict.events[Side::Reference.index()].as_ref();
    let shown = shown.filter(|_| verdict.kind != DivergenceKind::Unmatched);
    Node {
        pairing,
        lanes: aligner.pairings[pairing].lanes,
        from: verdict.lines,
        to: Side::BOTH.map(|side| verdict.lines[side.index()].or(last_common(side))),
        // Of a line that is shown cut nobody knows.
        awaits: shown.is_some_and(|shown| shown.cut_bytes > 0 || may_follow(opener, profile, &shown.text)),
    }
}

/// The first of the lines that are known of the divergences in a log, and its offset.
fn first_known(verdicts: &[&(usize, Verdict)], side: Side) -> Option<(u64, u64)> {
    let at = side.index();
    let known = verdicts.iter().flat_map(|(_, verdict)| {
        verdict.before.last().map(|pair| &pair[at]).into_iter().chain(&verdict.events[at]).chain(&verdict.after[at])
    });
    known.map(|line: &ContextLine| (line.place.line, line.place.offset)).min()
}

/// Keeps one cause from each pairing: of one log the latest, which is nearest to where it parts.
fn add(known: &mut Vec<Follow>, follow: Follow) {
    match known.iter_mut().find(|known| known.from == follow.from) {
        Some(known) if known.side == follow.side => *known = follow,
        Some(_) => {}
        None => known.push(follow),
    }
}

/// Finds in the events of one log what follows from what.
struct Linker<'n> {
    nodes: &'n [Node],
    side: Side,
    by_lane: &'n AHashMap<usize, usize>,
    /// What was done otherwise about each object, by each pairing last: its line, and the object as text.
    done: AHashMap<(usize, u64), Vec<Done>>,
    /// By the pairing that follows.
    found: BTreeMap<usize, Vec<Follow>>,
}

struct Done {
    from: usize,
    lane: usize,
    line: u64,
    about: Box<[u8]>,
}

impl<'n> Linker<'n> {
    fn new(nodes: &'n [Node], by_lane: &'n AHashMap<usize, usize>, side: Side) -> Linker<'n> {
        Linker { nodes, side, by_lane, done: AHashMap::with_hasher(fixed_state()), found: BTreeMap::new() }
    }

    /// Takes the next event; `lane` tells a lane's thread and the line of its first event.
    fn take<'l>(&mut self, event: EdgeEvent, lane: impl Fn(usize) -> (&'l ThreadKey, u64)) {
        let at = self.side.index();
        let own = self.by_lane.get(&event.lane).map(|number| &self.nodes[*number]);
        let Some(own) = own else { return };
        match event.end {
            End::From(objects) => {
                for object in objects {
                    let known = self.done.entry((event.rule, object)).or_default();
                    known.retain(|done| done.from != own.pairing);
                    let about = event.told.clone();
                    known.push(Done { from: own.pairing, lane: event.lane, line: event.line, about });
                }
            }
            End::To(objects) => {
                for object in &objects {
                    let known = self.done.get(&(event.rule, *object)).map_or(&[][..], Vec::as_slice);
                    for done in known.iter().filter(|done| done.lane != event.lane) {
                        let about = done.about.to_vec();
                        let (from, rule, side) = (done.from, event.rule, self.side);
                        let follow = Follow { from, rule, side, cause: done.line, effect: event.line, about };
                        add(self.found.entry(own.pairing).or_default(), follow);
                    }
                }
            }
            End::Makes(key) => {
                let is_made = |node: &&Node| {
                    let may_be = self.side == Side::Candidate || node.is_missing();
                    node.lanes[at].filter(|_| may_be).is_some_and(|made| {
                        let (thread, first_line) = lane(made);
                        *thread == key && first_line > event.line
                    })
                };
                // Of several generations the next one.
                let first_line = |node: &&Node| node.lanes[at].map(|made| lane(made).1);
                if let Some(made) = self.nodes.iter().filter(is_made).min_by_key(first_line) {
                    let effect = first_line(&made).unwrap_or(event.line);
                    let (from, rule, side) = (own.pairing, event.rule, self.side);
                    let follow = Follow { from, rule, side, cause: event.line, effect, about: event.told.to_vec() };
                    add(self.found.entry(made.pairing).or_default(), follow);
                }
            }
        }
    }
}

impl Causes {
    /// The pairing to look at first, given the one that comes first in the log: of those that `first` may follow from,
    /// directly or not, and that follow from nothing themselves, the one of the least rank; else `first` itself.
    pub fn lead(&self, first: usize, rank: impl Fn(usize) -> u64) -> usize {
        let mut is_seen = vec![false; self.follows.len()];
        let mut seen = vec![first];
        is_seen[first] = true;
        let mut at = 0;
        while let Some(pairing) = seen.get(at).copied() {
            at += 1;
            for follow in &self.follows[pairing] {
                if !std::mem::replace(&mut is_seen[follow.from], true) {
                    seen.push(follow.from);
                }
            }
        }
        let roots = seen.into_iter().filter(|pairing| self.follows[*pairing].is_empty());
        roots.min_by_key(|pairing| rank(*pairing)).unwrap_or(first)
    }

    /// For each pairing what to tell of it: the step by which it follows from the lead, in as few steps as there are; where
    /// it does not, the first that is known.
    pub fn told(&self, lead: usize) -> Vec<Option<Follow>> {
        let mut followers: AHashMap<usize, Vec<(usize, &Follow)>> = AHashMap::with_hasher(fixed_state());
        for (pairing, follows) in self.follows.iter().enumerate().filter(|(pairing, _)| *pairing != lead) {
            for follow in follows {
                followers.entry(follow.from).or_default().push((pairing, follow));
            }
        }
        let mut told: Vec<Option<Follow>> = vec![None; self.follows.len()];
        let mut reached = vec![lead];
        let mut at = 0;
        while let Some(from) = reached.get(at).copied() {
            at += 1;
            for (pairing, follow) in followers.get(&from).map_or(&[][..], Vec::as_slice) {
                if told[*pairing].is_none() {
                    told[*pairing] = Some((*follow).clone());
                    reached.push(*pairing);
                }
            }
        }
        for (pairing, follows) in self.follows.iter().enumerate().filter(|(pairing, _)| *pairing != lead) {
            if told[pairing].is_none() {
                told[pairing] = follows.first().cloned();
            }
        }
        told
    }
}
