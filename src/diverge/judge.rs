//! Judging a parting: what kind of divergence it is and what a report shows of it.

use super::acceptance::{self, Acceptances};
use super::outcome::DivergenceKind;
use super::pool::{Look, Looks};
use super::resync::{Ahead, Reordering, Shift};
use crate::align::{
    Accepted, CONTEXT_BYTES_MAX, ContextLine, Course, Judge, Judged, LOOK_AHEAD, Met, MetFault, Onward, Parted,
    Parting, Step, fault_at, pairs,
};
use crate::compare::{Comparer, Difference, Overlooked, Scratch};
use crate::source::Side;

/// Bytes of the divergent event that a report shows.
pub const EVENT_BYTES_MAX: usize = 16 << 10;
/// Events shown behind the divergent one.
const AFTER: usize = 3;
/// Of events in another order so many are shown.
pub const REORDERED_MAX: usize = 8;

/// What judging a parting yields.
#[derive(Debug)]
pub struct Verdict {
    pub kind: DivergenceKind,
    pub position: u64,
    /// The place in each side's lane at which they part, from 0.
    pub positions: [u64; 2],
    /// The token of the divergent event's kind: the reference's, or where that has none there the candidate's.
    pub event_kind: Option<Vec<u8>>,
    /// The divergent event of each side, absent where that side has none there.
    pub events: [Option<ContextLine>; 2],
    /// The physical line of the reference event at the position (the last common event's where
    /// a lane ended early), by which divergences are ranked.
    pub reference_line: Option<u64>,
    /// The physical line at which each side parts, if it has one.
    pub lines: [Option<u64>; 2],
    pub differences: Vec<Difference>,
    pub differences_total: u64,
    /// The two ordinals differ, and not only by what was accepted before.
    pub ordinal_differs: bool,
    pub overlooked: Overlooked,
    /// Where both sides agree again, and what the candidate's ordinal is ahead by there.
    pub resync: Option<(Shift, Option<i128>)>,
    /// The same events in another order: the places of the candidate's events' partners, and the first events of each side.
    pub reordered: Option<(Vec<usize>, [Vec<ContextLine>; 2])>,
    pub before: Vec<[ContextLine; 2]>,
    pub after: [Vec<ContextLine>; 2],
    /// What both lanes do from here on, where an event differs, nothing was told of them before, and it is kept.
    pub ahead: Option<Look>,
}

impl Verdict {
    /// How many events are missing, or extra, or in another order, or before a late start.
    pub fn events_passed(&self) -> Option<u64> {
        let (shift, _) = self.resync?;
        let passed = shift.reference.max(shift.candidate) as u64;
        passes_events(self.kind).then_some(passed)
    }

    /// How the two lanes go on if this is accepted. `step` is what the candidate's ordinals were ahead by so far.
    fn onward_accepted(&self, step: Step, ordinals: [Option<u64>; 2]) -> Onward {
        match (self.kind, self.resync) {
            (DivergenceKind::EndedEarly | DivergenceKind::Unmatched, _) => Onward::End,
            (kind, Some((shift, behind))) if passes_events(kind) => past(shift, behind, step),
            _ => Onward::Pair(self.step_behind(step, ordinals)),
        }
    }

    /// How they go on behind it where it is told: where they agree again, or with the next pair.
    fn onward_told(&self, step: Step, ordinals: [Option<u64>; 2]) -> Onward {
        match self.resync {
            Some((shift, behind)) if shift.reference + shift.candidate > 0 => past(shift, behind, step),
            _ => Onward::Past([1, 1], self.step_behind(step, ordinals)),
        }
    }

    /// What the candidate's ordinals are ahead by behind the pair: ordinals that differ go on as they stand.
    fn step_behind(&self, step: Step, ordinals: [Option<u64>; 2]) -> Step {
        match ordinals {
            [Some(reference), Some(candidate)] if self.ordinal_differs => {
                Step(i128::from(candidate) - i128::from(reference))
            }
            _ => step,
        }
    }
}

/// Whether behind a divergence of this kind both sides agree again after a number of events.
pub fn passes_events(kind: DivergenceKind) -> bool {
    use DivergenceKind::{Extra, Missing, Reordered, StartedLate};
    matches!(kind, Missing | Extra | Reordered | StartedLate)
}

fn past(shift: Shift, behind: Option<i128>, step: Step) -> Onward {
    Onward::Past([shift.reference as u64, shift.candidate as u64], behind.map_or(step, Step))
}

/// The judge of a run.
pub struct Judgement<'p> {
    pub comparer: &'p Comparer<'p>,
    pub acceptances: &'p Acceptances,
    /// Only the first divergence is looked for: nothing is looked at behind one.
    pub first: bool,
    /// Divergences of a pairing told behind its first.
    pub further: u64,
    pub looks: Looks,
}

impl Judge for Judgement<'_> {
    type Verdict = Verdict;

    fn judge(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> Judged<Verdict> {
        let mut judged = match parting.how {
            Parted::Differs => self.differs(parting, scratch),
            Parted::Short(side) => self.one_sided(parting, side.other(), DivergenceKind::EndedEarly, scratch),
            Parted::Alone(side) => self.one_sided(parting, side, DivergenceKind::Unmatched, scratch),
        };
        judged.course = self.course(parting, &judged.verdict);
        if !self.is_looked_at(parting, &judged) {
            judged.verdict.ahead = None;
        }
        judged
    }
}

impl Judgement<'_> {
    /// Whether what follows is kept, to be held against what other threads do.
    fn is_looked_at(&self, parting: &Parting<'_>, judged: &Judged<Verdict>) -> bool {
        let is_first = parting.told == 0 && judged.verdict.kind != DivergenceKind::StartedLate;
        let is_told = !matches!(judged.course, Course::Accepted(_));
        judged.verdict.ahead.is_some() && is_first && is_told && !self.first && self.looks.take()
    }

    fn course(&self, parting: &Parting<'_>, verdict: &Verdict) -> Course {
        let lanes = parting.lanes.map(|lane| lane.map(|lane| (&lane.thread, lane.generation)));
        let ordinals = parting.sides.each_ref().map(|events| events.first().and_then(Met::ordinal));
        if let Some(by) = self.acceptances.accept(&acceptance::Met { verdict, lanes }) {
            return Course::Accepted(Accepted { by, onward: verdict.onward_accepted(parting.step, ordinals) });
        }
        let onward = verdict.onward_told(parting.step, ordinals);
        match verdict.kind {
            DivergenceKind::StartedLate => Course::Late(onward),
            DivergenceKind::EndedEarly | DivergenceKind::Unmatched => Course::Over,
            _ if self.first => Course::Over,
            _ if verdict.resync.is_some() && parting.told < self.further => Course::GoesOn(onward),
            _ => Course::Followed(onward),
        }
    }

    fn differs(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> Judged<Verdict> {
        let mut faults = Vec::new();
        let ahead = Side::BOTH.map(|side| self.digests(&parting.sides[side.index()], side, scratch, &mut faults));
        let look = look_ahead(parting, &ahead, self.comparer, scratch);
        let reordering = look.reordering();
        let resync = reordering.as_ref().map_or_else(|| look.resync(), |found| Some(found.shift));
        let resync = resync.map(|shift| (shift, ordinals_ahead(parting, shift)));
        let [reference, candidate] = [&parting.sides[0][0], &parting.sides[1][0]];
        let left = reference.event();
        let right = parting.step.renumbered(&left, candidate.event());
        // A malformed divergent line is told as a fault; kind and ordinal still are.
        let found = self.comparer.differences(&left, &right, scratch).unwrap_or_default();
        let lacking = resync.and_then(|(shift, _)| shift.lacking());
        let kind = match lacking {
            Some(_) if begins_late(parting, resync) => DivergenceKind::StartedLate,
            Some(Side::Candidate) => DivergenceKind::Missing,
            Some(Side::Reference) => DivergenceKind::Extra,
            None if reordering.is_some() => DivergenceKind::Reordered,
            None if found.kind => DivergenceKind::Kind,
            None if found.payload || !found.ordinal => DivergenceKind::Value,
            None => DivergenceKind::Ordinal,
        };
        let shown = Side::BOTH.map(|side| lacking != Some(side));
        // Of two events that are none of each other's partners no fields are compared.
        let are_partners = lacking.is_none() && kind != DivergenceKind::Reordered;
        let looked = Side::BOTH.map(|side| {
            let events = &parting.sides[side.index()];
            // The malformed line that ended a look was read too; what is shown behind it must be.
            let looked = (ahead[side.index()].len() + 1).min(events.len());
            let shown = (usize::from(shown[side.index()]) + AFTER).min(events.len()).max(looked);
            for met in &events[looked..shown] {
                let fault = self.comparer.read(met.event().line, scratch).err();
                faults.extend(fault.map(|fault| (side, fault_at(met, &fault))));
            }
            shown
        });
        let event = |side: Side| {
            let met = &parting.sides[side.index()][0];
            shown[side.index()].then(|| pairs::cut(met.place(), met.event().line, EVENT_BYTES_MAX))
        };
        let after = Side::BOTH.map(|side| {
            let events = &parting.sides[side.index()][usize::from(shown[side.index()])..];
            events.iter().take(AFTER).map(context).collect()
        });
        let verdict = Verdict {
            kind,
            position: reference.position,
            positions: [reference.position, candidate.position],
            event_kind: kind_of(if shown[0] { reference } else { candidate }),
            ordinal_differs: found.ordinal,
            events: [event(Side::Reference), event(Side::Candidate)],
            reference_line: Some(reference.place().line),
            lines: [Some(reference.place().line), Some(candidate.place().line)],
            differences: if are_partners { found.listed } else { Vec::new() },
            differences_total: if are_partners { found.total } else { 0 },
            overlooked: if are_partners { found.overlooked } else { Overlooked::new() },
            resync,
            reordered: reordering.map(|found| reordered(parting, found)),
            before: parting.before.clone(),
            after,
            ahead: Some(ahead),
        };
        Judged { verdict, faults, looked, course: Course::Over }
    }

    /// Digests of a look-ahead, all of it read strictly. It ends before the first malformed
    /// line, but for the divergent event itself.
    fn digests(&self, events: &[Met<'_>], side: Side, scratch: &mut Scratch, faults: &mut Vec<MetFault>) -> Vec<u64> {
        let mut digests = Vec::with_capacity(events.len());
        for (at, met) in events.iter().enumerate() {
            match self.comparer.digest(side.index(), &met.event(), scratch) {
                Ok(digest) => digests.push(digest),
                Err((digest, fault)) => {
                    faults.push((side, fault_at(met, &fault)));
                    if at > 0 {
                        break;
                    }
                    digests.push(digest);
                }
            }
        }
        digests
    }

    /// A lane whose partner ended before it, or that has none.
    fn one_sided(
        &self,
        parting: &Parting<'_>,
        side: Side,
        kind: DivergenceKind,
        scratch: &mut Scratch,
    ) -> Judged<Verdict> {
        let events = &parting.sides[side.index()];
        let faults = events
            .iter()
            .filter_map(|met| {
                let fault = self.comparer.read(met.event().line, scratch).err()?;
                Some((side, fault_at(met, &fault)))
            })
            .collect();
        let first = events.first();
        let mut verdict = Verdict {
            kind,
            position: first.map_or(0, |met| met.position),
            positions: [first.map_or(0, |met| met.position); 2],
            event_kind: first.and_then(kind_of),
            ordinal_differs: false,
            events: [None, None],
            reference_line: parting.before.last().map(|pair| pair[0].place.line),
            lines: [None, None],
            differences: Vec::new(),
            differences_total: 0,
            overlooked: Overlooked::new(),
            resync: None,
            reordered: None,
            before: parting.before.clone(),
            after: [Vec::new(), Vec::new()],
            ahead: None,
        };
        verdict.events[side.index()] = first.map(|met| pairs::cut(met.place(), met.event().line, EVENT_BYTES_MAX));
        verdict.lines[side.index()] = first.map(|met| met.place().line);
        verdict.after[side.index()] = events.iter().skip(1).take(AFTER).map(context).collect();
        let looked = parting.sides.each_ref().map(Vec::len);
        Judged { verdict, faults, looked, course: Course::Over }
    }
}

/// What the candidate's ordinal is ahead by where the sides agree again, if both have one there.
fn ordinals_ahead(parting: &Parting<'_>, shift: Shift) -> Option<i128> {
    let [reference, candidate] = [&parting.sides[0][shift.reference], &parting.sides[1][shift.candidate]];
    Some(i128::from(candidate.ordinal()?) - i128::from(reference.ordinal()?))
}

/// Whether nothing was compared before, and no ordinals tell that what one side lacks never was: its log only began
/// later, as one that ends early only ends before.
fn begins_late(parting: &Parting<'_>, resync: Option<(Shift, Option<i128>)>) -> bool {
    let ahead = resync.and_then(|(_, ahead)| ahead).map(Step);
    parting.before.is_empty() && parting.told == 0 && ahead.is_none_or(|ahead| ahead == parting.step)
}

/// The events that come in another order, as they are shown.
fn reordered(parting: &Parting<'_>, found: Reordering) -> (Vec<usize>, [Vec<ContextLine>; 2]) {
    let shown = found.order.len().min(REORDERED_MAX);
    (found.order, parting.sides.each_ref().map(|events| events[..shown].iter().map(context).collect()))
}

/// Compares the look-aheads of a parting, as far as the digests of their events reach.
pub fn look_ahead(
    parting: &Parting<'_>,
    digests: &[Vec<u64>; 2],
    comparer: &Comparer<'_>,
    scratch: &mut Scratch,
) -> Ahead {
    let digests_decide = comparer.digests_decide();
    // A look that is full, or that a malformed line ended, tells nothing of where its lane ends.
    let goes_on = [0, 1].map(|side: usize| {
        let offered = parting.sides[side].len();
        digests[side].len() < offered || offered as u64 == LOOK_AHEAD
    });
    Ahead::new(digests, goes_on, |i, j| {
        digests[0][i] == digests[1][j]
            && (digests_decide || {
                let [left, right] = [&parting.sides[0][i], &parting.sides[1][j]];
                comparer.confirms(&left.event(), &right.event(), scratch)
            })
    })
}

/// The token of an event's kind, if it has one.
fn kind_of(met: &Met<'_>) -> Option<Vec<u8>> {
    let event = met.event();
    let kind = event.scalar_kind();
    (!kind.is_empty()).then(|| kind.to_vec())
}

fn context(met: &Met<'_>) -> ContextLine {
    pairs::cut(met.place(), met.event().line, CONTEXT_BYTES_MAX)
}
