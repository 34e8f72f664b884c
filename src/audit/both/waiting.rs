//! Threads that wait at the end of one log only, and who signals them in the other.

use ahash::AHashMap;

use super::deed::Deed;
use super::paired::{Paired, ThreadPair};
use super::trails::Finished;
use crate::audit::log::{Audit, Verdict};
use crate::json::tape::fixed_state;
use crate::source::Side;

/// A thread that waits when its log ends, and whose partner does not wait for the same.
#[derive(Clone, Debug)]
pub struct OneSided {
    /// The log in which it waits.
    pub side: Side,
    /// By its number among that log's verdicts.
    pub verdict: usize,
    /// Its thread pair, if it has one.
    pub pair: Option<u32>,
    /// What its partner waits for instead, by its number among the verdicts of the other log.
    pub instead: Option<usize>,
    /// The objects of the wait have partners in the other log.
    pub has_partner: bool,
    /// The signals to those that only the other log has.
    pub missing: Vec<Missing>,
}

/// A signal of one log that the other one does not have.
#[derive(Clone, Copy, Debug)]
pub struct Missing {
    /// The thread pair that does it in one log.
    pub pair: u32,
    /// What it does there.
    pub deed: Deed,
    /// What the thread does that should do it in the log that lacks it.
    pub partner: Partner,
}

/// The thread that should signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partner {
    /// There is no such thread.
    Absent,
    /// It goes on without the signal.
    GoesOn {
        /// Its number.
        thread: u32,
        /// What it waits for when the log ends, by its number among the verdicts.
        waits: Option<usize>,
    },
    /// It does not come so far: it waits.
    Waits { thread: u32, waits: usize },
    /// It ends before.
    Ends { thread: u32 },
    /// Its events stop before, and the log does not say why.
    Stops { thread: u32 },
}

impl Partner {
    pub fn word(self) -> &'static str {
        match self {
            Partner::Absent => "absent",
            Partner::GoesOn { .. } => "goes-on",
            Partner::Waits { .. } => "waits",
            Partner::Ends { .. } => "ends",
            Partner::Stops { .. } => "stops",
        }
    }

    pub fn thread(self) -> Option<u32> {
        match self {
            Partner::Absent => None,
            Partner::GoesOn { thread, .. }
            | Partner::Waits { thread, .. }
            | Partner::Ends { thread }
            | Partner::Stops { thread } => Some(thread),
        }
    }

    /// What it waits for when the log ends, by its number among the verdicts.
    pub fn waits(self) -> Option<usize> {
        match self {
            Partner::GoesOn { waits, .. } => waits,
            Partner::Waits { waits, .. } => Some(waits),
            Partner::Absent | Partner::Ends { .. } | Partner::Stops { .. } => None,
        }
    }
}

/// The threads that wait on one side only: first those for whom a thread does not do what it does in the other log and is not itself
/// kept from it by waiting. And how many wait for the same on both sides.
pub fn waiting(logs: &[Audit; 2], pairs: &[ThreadPair], finished: &Finished) -> (Vec<OneSided>, u64) {
    let look = Look::new(logs, pairs, finished);
    let mut one_sided = Vec::new();
    let mut alike = 0;
    for side in Side::BOTH {
        for (at, verdict) in logs[side.index()].verdicts.iter().enumerate() {
            let pair = look.pair_of(side, verdict.thread);
            let instead = pair.and_then(|pair| look.verdict_of(side.other(), pair));
            let other = instead.map(|other| &logs[side.other().index()].verdicts[other]);
            if other.is_some_and(|other| look.is_same_wait(side, verdict, other)) {
                alike += 1;
                continue;
            }
            let objects = look.objects(side, verdict);
            let has_partner = objects.iter().any(|object| object.numbers[side.other().index()].is_some());
            let missing = objects.iter().flat_map(|object| look.missing(side, object)).collect();
            one_sided.push(OneSided { side, verdict: at, pair, instead, has_partner, missing });
        }
    }
    one_sided.sort_by_key(|one| {
        let is_root = one.missing.iter().any(|missing| !matches!(missing.partner, Partner::Waits { .. }));
        let verdict = &logs[one.side.index()].verdicts[one.verdict];
        (!is_root, one.missing.is_empty(), verdict.since.line)
    });
    // Each was met from both sides.
    (one_sided, alike / 2)
}

struct Look<'a> {
    logs: &'a [Audit; 2],
    finished: &'a Finished,
    by_number: [AHashMap<u64, &'a Paired>; 2],
    /// Threads of each side by their pairs.
    threads: [AHashMap<u32, u32>; 2],
    /// Verdicts of each side by their threads' pairs.
    verdicts: [AHashMap<u32, usize>; 2],
    pairs: &'a [ThreadPair],
}

impl<'a> Look<'a> {
    fn new(logs: &'a [Audit; 2], pairs: &'a [ThreadPair], finished: &'a Finished) -> Look<'a> {
        let by_number = [0, 1].map(|side: usize| {
            let all = finished.parted.iter().chain(&finished.living);
            let mut map = AHashMap::with_hasher(fixed_state());
            map.extend(all.filter_map(|object| Some((object.numbers[side]?, object))));
            map
        });
        let threads = [0, 1].map(|side: usize| {
            let mut map = AHashMap::with_hasher(fixed_state());
            map.extend(finished.of_thread[side].iter().zip(0..).map(|(pair, thread)| (*pair, thread)));
            map
        });
        let mut look = Look { logs, finished, by_number, threads, verdicts: [empty(), empty()], pairs };
        for side in Side::BOTH {
            for (at, verdict) in logs[side.index()].verdicts.iter().enumerate() {
                if let Some(pair) = look.pair_of(side, verdict.thread) {
                    look.verdicts[side.index()].insert(pair, at);
                }
            }
        }
        look
    }

    fn pair_of(&self, side: Side, thread: u32) -> Option<u32> {
        let pair = self.finished.of_thread[side.index()].get(thread as usize).copied()?;
        ((pair as usize) < self.pairs.len()).then_some(pair)
    }

    fn verdict_of(&self, side: Side, pair: u32) -> Option<usize> {
        self.verdicts[side.index()].get(&pair).copied()
    }

    fn objects(&self, side: Side, verdict: &Verdict) -> Vec<&'a Paired> {
        verdict.objects.iter().filter_map(|number| self.by_number[side.index()].get(number).copied()).collect()
    }

    /// Whether a wait and one of the other side are for the same objects.
    fn is_same_wait(&self, side: Side, own: &Verdict, other: &Verdict) -> bool {
        let partner = |number: &u64| self.by_number[side.index()].get(number)?.numbers[side.other().index()];
        let partners: Option<Vec<u64>> = own.objects.iter().map(partner).collect();
        partners.is_some_and(|mut partners| {
            let mut others = other.objects.clone();
            partners.sort_unstable();
            others.sort_unstable();
            partners == others && own.is_for_all == other.is_for_all
        })
    }

    /// What the thread of a side does that should do what the other side's does.
    fn partner(&self, side: Side, pair: u32, deed: Deed) -> Partner {
        let is_known = (pair as usize) < self.pairs.len();
        let thread = self.threads[side.index()].get(&pair).copied().filter(|_| is_known);
        let Some(thread) = thread else { return Partner::Absent };
        let waits = self.verdict_of(side, pair);
        let goes_on = self.finished.lanes[pair as usize].goes_on_behind(side.other(), deed.at.position);
        match (goes_on, waits) {
            (true, waits) => Partner::GoesOn { thread, waits },
            (false, Some(waits)) => Partner::Waits { thread, waits },
            _ if self.logs[side.index()].world.threads[thread as usize].has_ended => Partner::Ends { thread },
            _ => Partner::Stops { thread },
        }
    }

    /// Signals to an object that only the other side has, the first first.
    fn missing(&self, side: Side, object: &Paired) -> Vec<Missing> {
        let has = side.other();
        let mut missing: Vec<Missing> = (object.trails.iter())
            .filter_map(|(pair, trail)| {
                let deed = trail.missing(has)?;
                Some(Missing { pair: *pair, deed, partner: self.partner(side, *pair, deed) })
            })
            .collect();
        missing.sort_by_key(|one| one.deed.at.line);
        missing
    }
}

fn empty<K, V>() -> AHashMap<K, V> {
    AHashMap::with_hasher(fixed_state())
}

impl OneSided {
    /// What is said of it by its own log alone.
    pub fn verdict<'a>(&self, logs: &'a [Audit; 2]) -> &'a Verdict {
        &logs[self.side.index()].verdicts[self.verdict]
    }
}
