//! What was told of each pairing, sorted by what it is: its first divergence, what parts behind it, a late start.

use super::judge::{Judgement, Verdict};
use super::outcome::{DivergenceKind, LateStart};
use super::resync::EQUAL_RUN_MIN;
use crate::align::{Aligner, Phase};
use crate::source::Side;

/// The verdicts of a run.
pub struct Told {
    /// With the pairing of each, those of one pairing in the order of its events: the divergence first, then what parts
    /// behind it.
    pub verdicts: Vec<(usize, Verdict)>,
    /// Of pairings with a divergence behind a late start, that one.
    pub late_starts: Vec<Option<LateStart>>,
    /// Of pairings that are equal for good behind what was told, how many events of each lane lie before that.
    pub healing: Vec<Option<[u64; 2]>>,
}

impl Told {
    /// Takes the verdicts of a run.
    pub fn of(aligner: &mut Aligner<'_, Judgement<'_>>) -> Told {
        let mut verdicts = std::mem::take(&mut aligner.verdicts);
        // Those of one pairing came in order.
        verdicts.sort_by_key(|(pairing, _)| *pairing);
        let mut late_starts = vec![None; aligner.pairings.len()];
        let is_last: Vec<bool> = (verdicts.iter().enumerate())
            .map(|(at, (pairing, _))| verdicts.get(at + 1).is_none_or(|(next, _)| next != pairing))
            .collect();
        let mut at = 0;
        verdicts.retain(|(pairing, verdict)| {
            at += 1;
            if verdict.kind != DivergenceKind::StartedLate || is_last[at - 1] {
                return true;
            }
            late_starts[*pairing] = late_start(verdict);
            false
        });
        let healing = (0..aligner.pairings.len()).map(|pairing| healed_to(aligner, pairing)).collect();
        Told { verdicts, late_starts, healing }
    }
}

/// The side that began later, and by how much.
fn late_start(verdict: &Verdict) -> Option<LateStart> {
    let (shift, _) = verdict.resync?;
    Some(LateStart { side: shift.lacking()?, events: verdict.events_passed()? })
}

/// Where both lanes of a pairing agree for good, if they do: enough pairs are equal, and both lanes end with them.
fn healed_to(aligner: &Aligner<'_, Judgement<'_>>, pairing: usize) -> Option<[u64; 2]> {
    let state = &aligner.pairings[pairing];
    let [Some(reference), Some(_)] = state.lanes else { return None };
    let equal = aligner.sides[0].lanes[reference].head.saturating_sub(state.differs_to[0]);
    (state.phase == Phase::Identical && equal >= EQUAL_RUN_MIN as u64).then_some(state.differs_to)
}

/// How many events of the lane that has more of them lie between a divergence and the place from which on both agree.
pub fn healed_after(verdict: &Verdict, to: [u64; 2]) -> Option<u64> {
    Side::BOTH.map(|side| to[side.index()].saturating_sub(verdict.positions[side.index()])).into_iter().max()
}
