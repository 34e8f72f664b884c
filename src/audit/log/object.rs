//! One object that threads wait for: what it is, and what it would give to whom.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::step::Name;
use crate::profile::AuditStep;

/// Steps of each class that are kept of an object, unless more are asked for.
pub const KEPT: usize = 32;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Kind {
    Event {
        /// Stays signalled until it is reset; none if nobody says so.
        manual: Option<bool>,
    },
    Semaphore,
    Timer {
        manual: Option<bool>,
    },
    Mutant,
    Thread,
    /// Nothing that is known to be waited for.
    Other,
    #[default]
    Unknown,
}

impl Kind {
    /// By the name of a type, as logs and profiles write it.
    pub fn of_type(word: &str, manual: Option<bool>) -> Kind {
        let (family, mode) = word.split_once('/').unwrap_or((word, ""));
        let manual = match mode {
            "Manual" => Some(true),
            "Auto" => Some(false),
            _ => manual,
        };
        let is = |name: &str| family.eq_ignore_ascii_case(name);
        match () {
            () if is("Event") => Kind::Event { manual },
            () if is("Semaphore") => Kind::Semaphore,
            () if is("Timer") => Kind::Timer { manual },
            () if is("Mutant") || is("Mutex") => Kind::Mutant,
            () if is("Thread") => Kind::Thread,
            () => Kind::Other,
        }
    }

    /// Without its mode: what a profile's `of` names.
    pub fn family(self) -> &'static str {
        match self {
            Kind::Event { .. } => "Event",
            Kind::Semaphore => "Semaphore",
            Kind::Timer { .. } => "Timer",
            Kind::Mutant => "Mutant",
            Kind::Thread => "Thread",
            Kind::Other => "other",
            Kind::Unknown => "unknown",
        }
    }

    /// `Event/Manual`, `Semaphore`.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Event { manual: Some(true) } => "Event/Manual",
            Kind::Event { manual: Some(false) } => "Event/Auto",
            Kind::Timer { manual: Some(true) } => "Timer/Manual",
            Kind::Timer { manual: Some(false) } => "Timer/Auto",
            kind => kind.family(),
        }
    }

    /// Nobody knows whether a wait takes its signal.
    pub fn is_vague(self) -> bool {
        matches!(self, Kind::Event { manual: None } | Kind::Timer { manual: None } | Kind::Other | Kind::Unknown)
    }

    /// A wait takes nothing of it.
    pub fn stays(self) -> bool {
        matches!(self, Kind::Event { manual: Some(true) } | Kind::Timer { manual: Some(true) } | Kind::Thread)
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Physical line, from 1.
    pub line: u64,
    /// Of the line's first byte.
    pub offset: u64,
    /// The thread, by its number in the outcome.
    pub thread: u32,
    /// Of the event on its thread, from 0.
    pub position: u64,
    /// The function that did it, by its number in the outcome.
    pub source: u32,
    /// The host's, in the log's own unit.
    pub time: Option<i64>,
}

/// A step in an object's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub step: AuditStep,
    pub at: Moment,
    /// What the log says of it.
    pub aux: Option<Box<Aux>>,
}

/// What a log says of a step beside who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aux {
    pub previous: Option<i64>,
    pub count: Option<i64>,
    pub timeout: Option<i64>,
    pub alertable: Option<bool>,
    pub result: Option<i64>,
    /// The wait ended without the object.
    pub unmet: bool,
    pub lr: Option<i64>,
    pub stack: Option<Box<str>>,
}

impl Entry {
    /// How much was released; 1 where the log does not say.
    pub fn count(&self) -> i64 {
        self.aux.as_ref().and_then(|aux| aux.count).unwrap_or(1)
    }
}

/// The newest entries of one class, and how many there were.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    entries: VecDeque<Entry>,
    pub total: u64,
}

impl Ring {
    fn push(&mut self, entry: Entry, kept: usize) {
        if self.entries.len() >= kept {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.total += 1;
    }

    /// Entries that are no longer kept.
    pub fn dropped(&self) -> u64 {
        self.total - self.entries.len() as u64
    }
}

/// Why a signal does not reach who waits now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It was a pulse, which reaches only who waits already.
    Pulsed,
    /// It was reset before anybody waited.
    Reset { by: Moment },
    /// Another wait took it.
    Taken { by: Moment },
}

/// A signal that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub signal: Option<Moment>,
    pub how: Loss,
}

impl Lost {
    /// The event by which it was lost.
    pub fn event(&self) -> Option<Moment> {
        match self.how {
            Loss::Pulsed => self.signal,
            Loss::Reset { by } | Loss::Taken { by } => Some(by),
        }
    }
}

/// An object and all that is kept of it.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Unlike that of any other object of the log, from 1, in the order in which they came up.
    pub number: u64,
    pub kind: Kind,
    /// Those of its first handle, then of each duplicate.
    pub names: SmallVec<[Name; 2]>,
    /// Handles that are not given up.
    pub handles: u32,
    pub created: Option<Box<Entry>>,
    pub destroyed: Option<Box<Entry>>,
    /// What made it signalled, and what no longer.
    pub signals: Ring,
    /// Steps that could end a wait.
    pub signalled: u64,
    pub waits: Ring,
    pub wakes: Ring,
    /// It is signalled, or can be taken so often.
    pub available: i64,
    /// Whether it was signalled when made is not known: one wait may take that.
    pub initial_unknown: bool,
    /// Of a mutant: who has it, since when, and how often.
    pub owner: Option<(Moment, u32)>,
    /// Of a timer: it is set.
    pub armed: Option<Moment>,
    pub last_signal: Option<Moment>,
    /// The last signal that changed nothing, because it was signalled.
    pub absorbed: Option<Moment>,
    pub last_reset: Option<Moment>,
    /// Whom its signals reached is not known for sure: waits for several objects stood.
    pub is_guessed: bool,
    /// Signals that are gone, the newest by each of two threads.
    pub lost: Vec<Lost>,
    /// The threads that wait for it, the first first.
    pub waiters: Vec<u32>,
    /// Waits that ended by something that no step explains.
    pub unexplained: u64,
    /// So many entries of a class are kept.
    pub kept: usize,
    /// All its handles are given up, or name others.
    pub is_gone: bool,
}

impl Object {
    /// Keeps a step, and counts it.
    pub fn note(&mut self, entry: Entry) {
        self.signalled += u64::from(matches!(entry.step, AuditStep::Signal | AuditStep::Pulse));
        let ring = match entry.step {
            AuditStep::Wait => &mut self.waits,
            AuditStep::Wake => &mut self.wakes,
            _ => &mut self.signals,
        };
        ring.push(entry, self.kept.max(1));
    }

    /// What people know it by: what both logs may call it, else its first handle.
    pub fn called(&self) -> Option<&Name> {
        self.names.iter().find(|name| matches!(name, Name::Text(_))).or(self.names.first())
    }

    /// All that is kept, in the order of lines.
    pub fn timeline(&self) -> Vec<&Entry> {
        let rings = [&self.signals, &self.waits, &self.wakes];
        let mut all: Vec<&Entry> = self.created.iter().chain(&self.destroyed).map(AsRef::as_ref).collect();
        all.extend(rings.into_iter().flat_map(|ring| &ring.entries));
        all.sort_by_key(|entry| entry.at.line);
        all
    }

    /// Whether a thread that waited for it now would go on.
    pub fn would_give(&self, thread: u32) -> bool {
        match self.kind {
            Kind::Mutant => self.owner.is_none_or(|(owner, _)| owner.thread == thread),
            _ => self.available > 0,
        }
    }

    /// A wait takes what it is given.
    pub fn take(&mut self, at: Moment) {
        match self.kind {
            Kind::Mutant => {
                let depth = self.owner.filter(|(owner, _)| owner.thread == at.thread).map_or(0, |(_, depth)| depth);
                self.owner = Some((self.owner.filter(|_| depth > 0).map_or(at, |(owner, _)| owner), depth + 1));
            }
            kind if kind.stays() => {}
            _ => self.available -= 1,
        }
    }

    /// What was taken is given back.
    pub fn give_back(&mut self) {
        match self.kind {
            Kind::Mutant => self.release(),
            kind if kind.stays() => {}
            _ => self.add(1),
        }
    }

    /// More to be taken: semaphores count, all else is signalled or not.
    pub fn add(&mut self, count: i64) {
        self.available = match self.kind {
            Kind::Semaphore => self.available.saturating_add(count.max(0)),
            _ => 1,
        };
    }

    /// A mutant's owner gives it up, once.
    pub fn release(&mut self) {
        self.owner = self.owner.and_then(|(owner, depth)| (depth > 1).then_some((owner, depth - 1)));
    }

    /// Keeps the newest loss by each of two threads: whose wait it was must not hide whose it was not.
    pub fn lose(&mut self, lost: Lost) {
        let thread = |lost: &Lost| lost.event().map(|event| event.thread);
        self.lost.retain(|known| thread(known) != thread(&lost));
        if self.lost.len() == 2 {
            self.lost.remove(0);
        }
        self.lost.push(lost);
    }
}
