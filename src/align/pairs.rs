//! Weighing a run of pairs, and what is kept of those that were equal.

use std::ops::ControlFlow;

use smallvec::SmallVec;

use super::intake::Fault;
use super::lane::{LaneCursor, Met, Place, Run};
use super::parting::{ContextLine, Parted, Step, fault_at};
use crate::compare::{Comparer, Scratch, Weighed};
use crate::profile::ReadFault;
use crate::scan::Sight;
use crate::source::{Log, Side, SourceError};

/// How far a pairing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Pairs are still weighed.
    Active,
    Identical,
    /// Parted; the look-ahead is not judged yet.
    Parted(Parted),
    /// Judged: what follows is weighed for the last pair that differs.
    Following,
    /// Judged: what follows is counted.
    Counting,
    /// A malformed line ended it.
    Faulty,
    NotCompared,
}

/// What weighing a run of pairs found, up to the first that stops it.
#[derive(Debug, Default)]
pub struct WeighedPairs {
    /// Pairs before the one that stops the run.
    pub taken: u64,
    pub equal: u64,
    /// Pairs weighed, the one that differs included.
    pub compared: u64,
    pub equal_by_bytes: u64,
    pub read: u64,
    pub unverified: u64,
    pub skipped_nondeterministic: u64,
    /// Pairs that differ in kind or ordinal, and not in what is compared besides.
    pub differ_elsewhere: u64,
    /// Pairs by rule number.
    pub overlooked: SmallVec<[(u16, u64); 4]>,
    pub faults: Vec<(Side, Fault)>,
    pub stop: Option<Phase>,
    /// The next pair waits until it is decided which lanes are partners.
    pub waits: bool,
}

/// How pairs are weighed.
#[derive(Clone, Copy, Debug)]
pub struct Weighing {
    /// Every line is read.
    pub strict: bool,
    /// Malformed lines are stepped over.
    pub skip_faults: bool,
    /// What ordinals of the candidate are ahead by.
    pub step: Step,
}

/// Weighs so many pairs in order, until one differs or, unless faults are stepped over, is malformed.
pub fn weigh_pairs(
    comparer: &Comparer<'_>,
    [mut reference, mut candidate]: [LaneCursor<'_>; 2],
    mut count: u64,
    Weighing { strict, skip_faults, step }: Weighing,
    scratch: &mut Scratch,
) -> WeighedPairs {
    let mut found = WeighedPairs::default();
    while count > 0
        && let (Some(left), Some(right)) = (reference.run(), candidate.run())
    {
        let run = left.count.min(right.count).min(count.min(u64::from(u32::MAX)) as u32);
        // Ordinals that are ahead are never the same bytes, nor are those behind events that one side alone had.
        let as_numbered = step == Step::default() && left.first.gone == right.first.gone;
        let sees = !strict && comparer.compares_all() && as_numbered;
        let mut at = 0;
        while at < run {
            let sight = if sees { found.take_equal(&left, &right, &mut at, run) } else { Sight::Unseen };
            if at == run {
                break;
            }
            if sight == Sight::SameHead
                && let Some(rules) = comparer.equal_at_once(&left.event(at), &right.event(at), scratch)
            {
                found.take_read(rules.iter());
                at += 1;
                continue;
            }
            let weighed = match sight {
                Sight::SameHead => comparer.weigh_tails(&left.event(at), &right.event(at), scratch),
                _ => {
                    let reference = left.event(at);
                    comparer.weigh(&reference, &step.renumbered(&reference, right.event(at)), scratch)
                }
            };
            if found.take(weighed, [left.at(at), right.at(at)], strict, skip_faults).is_break() {
                return found;
            }
            at += 1;
        }
        reference.pass(run);
        candidate.pass(run);
        count -= u64::from(run);
    }
    found
}

/// Pairs whose bytes are asked for ahead: a window was mostly scanned by another processor, and its
/// bytes are in a cache further away.
const AHEAD: u32 = 12;

impl WeighedPairs {
    /// Takes the pairs from `at` on that have the same kind, ordinal and tail, byte for byte, and
    /// goes past them; says what is seen of the one that has not.
    #[inline(always)]
    fn take_equal(&mut self, left: &Run<'_>, right: &Run<'_>, at: &mut u32, end: u32) -> Sight {
        let (from, mut sight) = (*at, Sight::Same);
        while *at < end {
            left.prefetch(*at + AHEAD);
            right.prefetch(*at + AHEAD);
            sight = left.sight(right, *at);
            if sight != Sight::Same {
                break;
            }
            *at += 1;
        }
        self.equal_by_bytes += u64::from(*at - from);
        self.took(*at - from);
        sight
    }

    /// So many equal pairs.
    fn took(&mut self, pairs: u32) {
        self.taken += u64::from(pairs);
        self.equal += u64::from(pairs);
        self.compared += u64::from(pairs);
    }

    /// Takes what weighing a pair said; breaks where weighing stops.
    fn take(&mut self, weighed: Weighed, pair: [Met<'_>; 2], strict: bool, skip_faults: bool) -> ControlFlow<()> {
        match weighed {
            Weighed::EqualByBytes => {
                self.equal_by_bytes += 1;
                self.read += u64::from(strict);
            }
            // Looked at where it lies: it was written a moment ago, and a move would wait for that.
            Weighed::EqualRead(ref overlooked) => {
                self.take_read(overlooked.iter().copied());
                return ControlFlow::Continue(());
            }
            Weighed::EqualUnsure(overlooked) => {
                self.unverified += 1;
                self.take_read(overlooked.into_iter());
                return ControlFlow::Continue(());
            }
            Weighed::Waits => {
                self.waits = true;
                return ControlFlow::Break(());
            }
            Weighed::EqualUnread => {
                self.skipped_nondeterministic += 1;
                self.read += u64::from(strict);
            }
            Weighed::Differ { read } => {
                self.compared += 1;
                self.read += u64::from(read || strict);
                self.differ_elsewhere += u64::from(!read);
                self.stop = Some(Phase::Parted(Parted::Differs));
                return ControlFlow::Break(());
            }
            Weighed::Malformed { reference: left, candidate: right } => {
                let left = left.map(|fault| (Side::Reference, fault_at(&pair[0], &fault)));
                let right = right.map(|fault| (Side::Candidate, fault_at(&pair[1], &fault)));
                self.faults.extend(left.into_iter().chain(right));
                if !skip_faults {
                    self.stop = Some(Phase::Faulty);
                    return ControlFlow::Break(());
                }
                self.unverified += 1;
                self.taken += 1;
                return ControlFlow::Continue(());
            }
        }
        self.took(1);
        ControlFlow::Continue(())
    }

    /// Takes a pair that was read and is equal, as rules overlooked something or nothing.
    #[inline(always)]
    fn take_read(&mut self, overlooked: impl Iterator<Item = u16>) {
        self.read += 1;
        overlooked.for_each(|rule| self.overlook(rule));
        self.took(1);
    }

    #[inline]
    fn overlook(&mut self, rule: u16) {
        match self.overlooked.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, count)) => *count += 1,
            None => self.overlooked.push((rule, 1)),
        }
    }
}

/// Checks an event that no partner is compared with: read strictly if it must be, or if its own
/// first bytes, from the brace to the colon after its first key, occur in it a second time.
pub fn check_lone(met: &Met<'_>, comparer: &Comparer<'_>, scratch: &mut Scratch) -> Option<Fault> {
    let event = met.event();
    if !event.must_read && !looks_glued(event.line) {
        return None;
    }
    comparer.read(event.line, scratch).err().map(|fault| fault_at(met, &fault))
}

fn looks_glued(line: &[u8]) -> bool {
    let Ok(key_end) = first_key_end(line) else { return false };
    let colon = crate::json::grammar::skip_space(line, key_end);
    let Some(head) = line.get(..=colon) else { return false };
    memchr::memmem::find(&line[colon + 1..], head).is_some()
}

fn first_key_end(line: &[u8]) -> Result<usize, ()> {
    let key = crate::json::grammar::skip_space(line, 1);
    if line.get(key) != Some(&b'"') {
        return Err(());
    }
    crate::json::grammar::string_end_loose(line, key).map_err(|_| ())
}

/// One of the last equal events of a lane: where it stands; on a stream also its text.
#[derive(Clone, Debug)]
pub struct Recent {
    place: Place,
    /// Offset and bytes of the trimmed line.
    offset: u64,
    len: u32,
    text: Option<Box<[u8]>>,
}

/// Bytes of an event that a report shows before or after a divergence.
pub const CONTEXT_BYTES_MAX: usize = 4 << 10;

impl Recent {
    /// How many pairs are kept.
    pub const PAIRS: u64 = 5;

    /// Remembers an event.
    pub fn new(met: &Met<'_>, keep_text: bool) -> Recent {
        let span = met.span();
        // What was joined stands in no log.
        let text = (keep_text || met.held.parts > 1).then(|| span.line_of(&met.held.bytes).into());
        Recent { place: met.place(), offset: met.offset_of(0), len: span.len, text }
    }

    /// Physical line of the event.
    pub fn line(&self) -> u64 {
        self.place.line
    }

    /// The event's line, cut for a report, and what strict reading says of it.
    ///
    /// # Errors
    /// The log cannot be read again.
    pub fn load(&self, log: &Log, comparer: &Comparer<'_>) -> Result<(ContextLine, Option<Fault>), SourceError> {
        let reread;
        let text: &[u8] = match &self.text {
            Some(text) => text,
            None => {
                reread = log.reread(self.offset, self.len as usize)?;
                &reread
            }
        };
        let mut scratch = Scratch::default();
        let fault = comparer.read(text, &mut scratch).err().map(|fault: ReadFault| Fault {
            line: self.place.line,
            offset: self.offset + fault.at as u64,
            reason: fault.reason.to_string(),
        });
        Ok((cut(self.place, text, CONTEXT_BYTES_MAX), fault))
    }
}

/// A line as context, cut at `limit` bytes.
pub fn cut(place: Place, text: &[u8], limit: usize) -> ContextLine {
    let kept = text.len().min(limit);
    ContextLine { place, text: text[..kept].to_vec(), cut_bytes: (text.len() - kept) as u64 }
}
