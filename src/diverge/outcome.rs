//! What a run found: the material of every report.

pub use crate::align::{Evidence, LaneName, MatchedBy};
pub use crate::compare::Difference;
use crate::json::Pointer;
use crate::scan::ThreadKey;
use crate::source::{KeptText, Side};

/// Everything a report tells. Texts of events are kept apart (`source::Keep`) and fetched when painted.
#[derive(Debug, Default)]
pub struct Outcome {
    pub reference: LogFacts,
    pub candidate: LogFacts,
    /// Index into `pairings` of the first divergence (BEHAVIOUR 3.6).
    pub first: Option<usize>,
    /// Index into `pairings` of the divergence to look at first: the first one, or what that may follow from. None under
    /// `first`, where nobody looks for causes.
    pub lead: Option<usize>,
    /// How far causes were looked for; none where there was nothing to look for.
    pub causes: Option<CauseFacts>,
    /// In order of the reference lane's first line, then lanes only the candidate has.
    pub pairings: Vec<Pairing>,
    pub coverage: Coverage,
    /// Malformed lines, the reference's first, each log's in file order; at most [`FAULTS_LISTED_MAX`].
    pub faults: Vec<LineFault>,
    pub faults_total: u64,
    /// Things worth saying that change no verdict (torn last line, a grown file, a generation begun by ordinal 0).
    pub notes: Vec<Note>,
    /// Lanes that `--map` names and the logs do not have.
    pub map_unknown: Vec<(Side, LaneName)>,
    /// Only the first divergence is told: for each log the line behind which nothing is, or none
    /// where the log's lane has ended. Whole-log facts are then not those of the logs.
    pub only_first: Option<[Option<u64>; 2]>,
    /// Pairings that are not told and yet count for the verdict, where the one that is does not
    /// decide it alone: it only ends, has no partner, or stands behind skipped lines.
    pub untold: Vec<Pairing>,
    /// Divergences that were accepted, in all pairings.
    pub accepted: u64,
    /// What the run was told to accept, and how often it did.
    pub acceptances: Vec<AcceptanceUse>,
}

impl Outcome {
    /// Whether what stands at a log's end is told.
    pub fn tells_end(&self, side: Side) -> bool {
        self.only_first.is_none_or(|lines| lines[side.index()].is_none())
    }
}

/// Faults past this number are counted, not listed.
pub const FAULTS_LISTED_MAX: usize = 100;

/// One accepted divergence, or family of them, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptanceUse {
    /// Where it stands, as `FILE:LINE`.
    pub place: String,
    pub divergence: DivergenceKind,
    pub reason: String,
    pub link: Option<String>,
    /// The last day on which it accepts, as `2027-01-31`.
    pub expires: Option<String>,
    /// That day is over: it accepts nothing any more.
    pub has_expired: bool,
    /// Divergences that it accepted, alone or with others.
    pub accepted: u64,
}

/// What is known of the events by which one thread makes another go on, where several threads part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseFacts {
    /// The profile says which events those are.
    pub has_rules: bool,
    /// Logs that could be looked through again.
    pub looked: [bool; 2],
    /// Such events between the divergences.
    pub met: u64,
    /// More lies between the divergences than is looked through.
    pub is_cut: bool,
}

/// What a divergence may follow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follows {
    /// Index into the pairings.
    pub pairing: usize,
    /// The profile's rule by which it does.
    pub edge: String,
    /// The log in which both events stand, and their physical lines, from 1.
    pub side: Side,
    pub cause_line: u64,
    pub effect_line: u64,
    /// What both are about, as a JSON token.
    pub about: Vec<u8>,
}

/// One log as a whole.
#[derive(Debug, Clone, Default)]
pub struct LogFacts {
    /// Decompressed bytes read.
    pub bytes: u64,
    pub events: u64,
    /// Distinct thread keys.
    pub threads: u64,
    /// Physical lines stepped over (`--malformed skip`).
    pub lines_skipped: u64,
    /// This log ends early: see BEHAVIOUR 3.6.
    pub cut: bool,
    /// The last physical line that was an event, from 1.
    pub last_line: u64,
    /// The last line was torn, a fault ended the log, or the archive it is was cut short or damaged.
    pub ended_by_damage: bool,
    /// The header line, if the profile demands one.
    pub header: Option<Vec<u8>>,
    /// What the label role names, if anything.
    pub engine: Option<String>,
}

/// Two lanes held against each other, or one without a partner.
#[derive(Debug, Clone)]
pub struct Pairing {
    pub reference: Option<LaneFacts>,
    pub candidate: Option<LaneFacts>,
    pub matched_by: MatchedBy,
    pub ambiguous: bool,
    pub evidence: Option<Evidence>,
    pub status: Status,
    /// Equal pairs before the divergence or the end.
    pub compared: u64,
    pub divergence: Option<Divergence>,
    /// Divergences before it that were accepted.
    pub accepted: u64,
    /// One lane began later than the other, and something else differs behind that.
    pub late_start: Option<LateStart>,
    /// What parts behind the divergence, as far as it was asked for (`--continue`).
    pub further: Vec<Divergence>,
    /// The pool of equal workers that both threads seem to belong to, whose work is distributed otherwise on the other side.
    pub pool: Option<Pool>,
}

/// Threads among which work is distributed otherwise on the other side: what differs in them may be scheduling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Which pool of the run, from 0.
    pub group: u64,
    /// Pairings that belong to it.
    pub members: u64,
}

/// A lane that began later than its partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateStart {
    /// The side that began later.
    pub side: Side,
    /// Events of the other side before that.
    pub events: u64,
}

/// One lane: a thread (and generation) on one side.
#[derive(Debug, Clone)]
pub struct LaneFacts {
    pub thread: ThreadKey,
    pub generation: u32,
    pub events: u64,
    /// Physical line of the lane's first event, from 1.
    pub first_line: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Identical,
    Diverged,
    Unmatched,
    /// A malformed line ended this pairing before any divergence.
    Faulty,
    NotCompared,
}

/// A pairing's first pair with differences, or the end of one of its lanes.
#[derive(Debug, Clone)]
pub struct Divergence {
    /// Place in the lane, from 0.
    pub position: u64,
    pub kind: DivergenceKind,
    /// The token of the divergent event's kind: the reference's, or where that has none there the candidate's.
    pub event_kind: Option<Vec<u8>>,
    /// 1 for the first divergence of the run, then on in the order of BEHAVIOUR 3.6.
    pub rank: u64,
    pub after_fault: bool,
    pub reference: Option<EventCopy>,
    pub candidate: Option<EventCopy>,
    pub differences: Vec<Difference>,
    pub differences_total: u64,
    /// Those of the differences whose values mean other objects.
    pub meanings: Vec<ValueMeaning>,
    pub resync: Option<Resync>,
    /// The sides have the same events up to the resync, in different orders.
    pub reordered: Option<Reordered>,
    /// How many events on, at most, the last difference of the two lanes lies, if enough equal pairs follow it and both
    /// lanes end with them.
    pub healed_after: Option<u64>,
    /// What it may follow from in another thread.
    pub follows: Option<Follows>,
    /// Up to five pairs before, oldest first.
    pub before: Vec<(EventCopy, EventCopy)>,
    /// Up to three events of each side after the one shown (or, where that is null, from the position on).
    pub after_reference: Vec<EventCopy>,
    pub after_candidate: Vec<EventCopy>,
    /// Rules that overlooked a difference in this very pair.
    pub overlooked: Vec<String>,
}

/// What the values of a differing place mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueMeaning {
    pub path: Pointer,
    /// The reference's and the candidate's object; none where a value means nothing alive.
    pub objects: [Option<ObjectName>; 2],
}

/// An object, as it is called in both logs, and a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// The identity rule that defined it.
    pub rule: String,
    /// The thread that defined it.
    pub thread: ThreadKey,
    pub generation: u32,
    /// How many objects of the rule the thread had defined before.
    pub number: u64,
    /// How far into it a value points.
    pub offset: u64,
}

/// What a divergence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DivergenceKind {
    Value,
    Kind,
    Ordinal,
    Missing,
    Extra,
    /// Both sides have the same events, in different orders.
    Reordered,
    EndedEarly,
    /// One side's lane begins later; nothing else differs.
    StartedLate,
    Unmatched,
}

/// The same events in two orders.
#[derive(Debug, Clone)]
pub struct Reordered {
    /// For each of the candidate's events the place of its partner among the reference's.
    pub order: Vec<usize>,
    /// The events of each side, in its order: the first [`super::judge::REORDERED_MAX`].
    pub reference: Vec<EventCopy>,
    pub candidate: Vec<EventCopy>,
}

/// An event as it stands in its log, or as a rule joined it.
#[derive(Debug, Clone)]
pub struct EventCopy {
    /// Physical line, from 1.
    pub line: u64,
    /// Byte offset of the line's first byte (of decompressed bytes).
    pub offset: u64,
    pub ordinal: Option<u64>,
    /// The event's position in its lane, from 0.
    pub position: u64,
    /// Of how many of the log's events a rule joined it; the last of them stands at the place that is told.
    pub parts: u32,
    /// The trimmed line, cut at `kept` bytes (16 KiB, in `before` and `after` 4 KiB).
    pub text: KeptText,
    /// Bytes of the trimmed line beyond what is kept.
    pub cut_bytes: u64,
}

/// Where the two sides agree again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resync {
    pub after_reference: u64,
    pub after_candidate: u64,
    /// Equal events seen from there, within the look-ahead.
    pub equal_run: u64,
    /// Candidate ordinal less reference ordinal at the resync, where both have one.
    pub ordinal_shift: Option<i128>,
}

/// How much was really compared.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    pub events_compared: u64,
    pub equal_by_bytes: u64,
    pub read: u64,
    pub unverified: u64,
    pub skipped_nondeterministic: u64,
    /// Pairs whose compared parts are not the same bytes: those in which a rule may have had a say.
    pub differed_in_bytes: u64,
    /// Pairs in which each named rule overlooked a difference, in the profile's order, only those above zero.
    pub overlooked: Vec<(String, u64)>,
    /// Events of each side that each named rule took out, in the profile's order, only those above zero.
    pub taken_out: Vec<(String, [u64; 2])>,
}

/// A malformed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    pub side: Side,
    /// Physical line, from 1.
    pub line: u64,
    /// Byte offset of the offending byte (of decompressed bytes).
    pub offset: u64,
    pub reason: String,
}

/// A remark about one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub side: Side,
    pub text: String,
}
