//! When a run that looks for the first divergence only may stop.

use super::judge::Judgement;
use super::rank;
use crate::align::Aligner;
use crate::profile::Profile;
use crate::source::SourceError;

/// What is known so far of the divergence that comes first.
#[derive(Debug, Default)]
pub struct Certainty {
    /// Verdicts looked at.
    seen: usize,
    /// The two lines of the best one so far.
    best: Option<[u64; 2]>,
    /// A malformed line waits before it, and only the end shows whether it is met.
    open_to_the_end: bool,
}

impl Certainty {
    /// Whether no event that is still to come can bring a divergence that ranks before the best
    /// one so far, or a malformed line before it.
    ///
    /// # Errors
    /// A log cannot be read again.
    pub fn is_reached(
        &mut self,
        aligner: &mut Aligner<'_, Judgement<'_>>,
        profile: &Profile,
    ) -> Result<bool, SourceError> {
        for (pairing, verdict) in &aligner.verdicts[self.seen..] {
            // A differing pair stands on a line of either log.
            if let [Some(reference), Some(candidate)] = verdict.lines
                && rank::is_of_the_best_class(aligner, &aligner.pairings[*pairing], verdict, profile)
                && self.best.is_none_or(|best| reference < best[0])
            {
                self.best = Some([reference, candidate]);
            }
        }
        self.seen = aligner.verdicts.len();
        let Some(lines) = self.best.filter(|_| !self.open_to_the_end) else { return Ok(false) };
        if aligner.may_part_before(lines[0]) {
            return Ok(false);
        }
        self.open_to_the_end = !aligner.is_sound_up_to(lines)?;
        Ok(!self.open_to_the_end)
    }
}
