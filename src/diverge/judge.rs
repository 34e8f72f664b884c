//! Judging a parting: what kind of divergence it is and what a report shows of it.

use super::acceptance::{self, Acceptances};
use super::outcome::DivergenceKind;
use super::resync;
use crate::align::{
    Accepted, CONTEXT_BYTES_MAX, ContextLine, Judge, Judged, Met, MetFault, Onward, Parted, Parting, Step, fault_at,
    pairs,
};
use crate::compare::{Comparer, Difference, Overlooked, Scratch};
use crate::source::Side;

/// Bytes of the divergent event that a report shows.
pub const EVENT_BYTES_MAX: usize = 16 << 10;
/// Events shown behind the divergent one.
const AFTER: usize = 3;

/// What judging a parting yields.
#[derive(Debug)]
pub struct Verdict {
    pub kind: DivergenceKind,
    pub position: u64,
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
    pub resync: Option<(resync::Shift, Option<i128>)>,
    pub before: Vec<[ContextLine; 2]>,
    pub after: [Vec<ContextLine>; 2],
}

impl Verdict {
    /// How many events are missing, or extra.
    pub fn events_passed(&self) -> Option<u64> {
        let (shift, _) = self.resync?;
        match self.kind {
            DivergenceKind::Missing => Some(shift.reference as u64),
            DivergenceKind::Extra => Some(shift.candidate as u64),
            _ => None,
        }
    }

    /// How the two lanes go on if this is accepted. `step` is what the candidate's ordinals were ahead by so far.
    fn onward(&self, step: Step, ordinals: [Option<u64>; 2]) -> Onward {
        let ahead = match ordinals {
            [Some(reference), Some(candidate)] => Step(i128::from(candidate) - i128::from(reference)),
            _ => step,
        };
        match (self.kind, self.resync) {
            (DivergenceKind::EndedEarly | DivergenceKind::Unmatched, _) => Onward::End,
            (DivergenceKind::Missing | DivergenceKind::Extra, Some((shift, behind))) => {
                Onward::Past([shift.reference as u64, shift.candidate as u64], behind.map_or(step, Step))
            }
            // Ordinals that were accepted as they stand go on as they stand.
            _ if self.ordinal_differs => Onward::Pair(ahead),
            _ => Onward::Pair(step),
        }
    }
}

/// The judge of a run.
pub struct Judgement<'p> {
    pub comparer: &'p Comparer<'p>,
    pub acceptances: &'p Acceptances,
}

impl Judge for Judgement<'_> {
    type Verdict = Verdict;

    fn judge(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> Judged<Verdict> {
        let mut judged = match parting.how {
            Parted::Differs => self.differs(parting, scratch),
            Parted::Short(side) => self.one_sided(parting, side.other(), DivergenceKind::EndedEarly, scratch),
            Parted::Alone(side) => self.one_sided(parting, side, DivergenceKind::Unmatched, scratch),
        };
        judged.accepted = self.accepted(parting, &judged.verdict);
        judged
    }
}

impl Judgement<'_> {
    fn accepted(&self, parting: &Parting<'_>, verdict: &Verdict) -> Option<Accepted> {
        let lanes = parting.lanes.map(|lane| lane.map(|lane| (&lane.thread, lane.generation)));
        let by = self.acceptances.accept(&acceptance::Met { verdict, lanes })?;
        let ordinals = parting.sides.each_ref().map(|events| events.first().and_then(Met::ordinal));
        Some(Accepted { by, onward: verdict.onward(parting.step, ordinals) })
    }

    fn differs(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> Judged<Verdict> {
        let mut faults = Vec::new();
        let ahead = Side::BOTH.map(|side| self.digests(&parting.sides[side.index()], side, scratch, &mut faults));
        let shift = agree_again(parting, &ahead, self.comparer, scratch);
        let [reference, candidate] = [&parting.sides[0][0], &parting.sides[1][0]];
        let left = reference.event();
        let right = parting.step.renumbered(&left, candidate.event());
        // A malformed divergent line is told as a fault; kind and ordinal still are.
        let found = self.comparer.differences(&left, &right, scratch).unwrap_or_default();
        let kind = match shift {
            Some(shift) if shift.candidate == 0 && shift.reference > 0 => DivergenceKind::Missing,
            Some(shift) if shift.reference == 0 && shift.candidate > 0 => DivergenceKind::Extra,
            _ if found.kind => DivergenceKind::Kind,
            _ if found.payload || !found.ordinal => DivergenceKind::Value,
            _ => DivergenceKind::Ordinal,
        };
        let shown = [kind != DivergenceKind::Extra, kind != DivergenceKind::Missing];
        let one_side = !(shown[0] && shown[1]);
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
        let ordinals = |shift: resync::Shift| {
            let ordinal = |side: usize, at: usize| parting.sides[side][at].ordinal().map(i128::from);
            Some(ordinal(1, shift.candidate)? - ordinal(0, shift.reference)?)
        };
        let verdict = Verdict {
            kind,
            position: reference.position,
            event_kind: kind_of(if kind == DivergenceKind::Extra { candidate } else { reference }),
            ordinal_differs: found.ordinal,
            events: [event(Side::Reference), event(Side::Candidate)],
            reference_line: Some(reference.place().line),
            lines: [Some(reference.place().line), Some(candidate.place().line)],
            differences: if one_side { Vec::new() } else { found.listed },
            differences_total: if one_side { 0 } else { found.total },
            overlooked: if one_side { Overlooked::new() } else { found.overlooked },
            resync: shift.map(|shift| (shift, ordinals(shift))),
            before: parting.before.clone(),
            after,
        };
        Judged { verdict, faults, looked, accepted: None }
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
            event_kind: first.and_then(kind_of),
            ordinal_differs: false,
            events: [None, None],
            reference_line: parting.before.last().map(|pair| pair[0].place.line),
            lines: [None, None],
            differences: Vec::new(),
            differences_total: 0,
            overlooked: Overlooked::new(),
            resync: None,
            before: parting.before.clone(),
            after: [Vec::new(), Vec::new()],
        };
        verdict.events[side.index()] = first.map(|met| pairs::cut(met.place(), met.event().line, EVENT_BYTES_MAX));
        verdict.lines[side.index()] = first.map(|met| met.place().line);
        verdict.after[side.index()] = events.iter().skip(1).take(AFTER).map(context).collect();
        let looked = parting.sides.each_ref().map(Vec::len);
        Judged { verdict, faults, looked, accepted: None }
    }
}

/// Where both sides of a parting agree again, as far as the digests of their events reach.
pub fn agree_again(
    parting: &Parting<'_>,
    digests: &[Vec<u64>; 2],
    comparer: &Comparer<'_>,
    scratch: &mut Scratch,
) -> Option<resync::Shift> {
    let digests_decide = comparer.digests_decide();
    resync::find(digests.each_ref().map(Vec::len), |i, j| {
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
