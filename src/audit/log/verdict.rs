//! What is to be said of each thread that waits when the log ends.

use super::object::{Kind, Loss, Lost, Moment, Object};
use super::seen::Seen;
use super::world::{Wait, World};

/// A thread that waits at the end of the log, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The thread, by its number.
    pub thread: u32,
    /// Where its wait began.
    pub since: Moment,
    /// The objects it waits for, by their numbers; the first is the one that the reason is about.
    pub objects: Vec<u64>,
    pub is_for_all: bool,
    pub reason: Reason,
    /// Why it is only possible; empty: it is certain, as far as the log is.
    pub doubts: Vec<Doubt>,
    /// Lines of the log behind the one on which the wait began.
    pub lines_since: u64,
}

/// Why a thread waits.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Nothing ever signalled the object.
    NeverSignalled,
    /// Its last signal was gone: pulsed, reset or taken before this wait could have it.
    Lost(Lost),
    /// The object is signalled, by this, and the wait stands.
    NotWoken { signal: Option<Moment> },
    /// It went on by the object then, and waits for it again; nothing signalled it since.
    ParkedAgain { woken: Moment },
    /// The object was destroyed.
    Destroyed { by: Moment },
    /// Nobody made the object.
    NeverCreated,
    /// Another thread has it since then.
    Held { by: Moment },
    /// Threads that wait for each other: each for an object that the next one has, the last for one of the first.
    Deadlock { cycle: Vec<u32> },
}

impl Reason {
    /// Its word in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Reason::NeverSignalled => "never-signalled",
            Reason::Lost(Lost { how: Loss::Pulsed, .. }) => "lost-pulse",
            Reason::Lost(Lost { how: Loss::Reset { .. }, .. }) => "lost-reset",
            Reason::Lost(Lost { how: Loss::Taken { .. }, .. }) => "lost-taken",
            Reason::NotWoken { .. } => "not-woken",
            Reason::ParkedAgain { .. } => "parked-again",
            Reason::Destroyed { .. } => "destroyed",
            Reason::NeverCreated => "never-created",
            Reason::Held { .. } => "held",
            Reason::Deadlock { .. } => "deadlock",
        }
    }
}

/// Why a verdict is only possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// No wait that is told of as this one was ever ended by an event that says so.
    NoWakes,
    /// Such waits ended without an event that says so: so many, and the first began in that line.
    UntoldWakes { count: u64, first_line: u64 },
    /// No step that signals objects of this family stands in the log.
    NoSignals(&'static str),
    /// No step that makes objects stands in the log.
    NoCreates,
    /// Waits for objects of this family ended though nothing had signalled them: some signals are not in the log.
    UnseenSignals(&'static str),
    /// Nobody says what kind of object it is, or whether it is a manual-reset one.
    UnknownKind,
    /// The wait has a timeout, and the log ends.
    Timeout,
    /// The timer is set.
    Armed,
    /// The log ends right behind the signal.
    EndsThere,
    /// Waits for several objects stood, and the log does not tell which of them took its signals.
    Guessed,
    /// Other waits stand to which the signal may belong.
    OneOfSeveral,
    /// Lines of the log are malformed or torn.
    Damage,
}

/// So many lines of the log behind a signal a thread ought to be awake.
const AWAKE_WITHIN: u64 = 64;

/// A verdict for each thread that waits, in the order of threads.
pub fn verdicts(world: &World, seen: &Seen) -> Vec<Verdict> {
    let cycles = super::cycle::cycles(world);
    let waiting = world.threads.iter().enumerate().filter_map(|(at, thread)| Some((at, thread.wait.as_ref()?)));
    waiting
        .map(|(thread, wait)| {
            let cycle = cycles.iter().find(|cycle| cycle.contains(&(thread as u32)));
            verdict(world, seen, thread as u32, wait, cycle)
        })
        .collect()
}

fn verdict(world: &World, seen: &Seen, thread: u32, wait: &Wait, cycle: Option<&Vec<u32>>) -> Verdict {
    let object = |at: &usize| -> &Object { &world.objects.all[*at] };
    let mut candidates: Vec<(&Object, Reason)> = wait
        .objects
        .iter()
        .map(object)
        .filter(|object| !wait.is_for_all || wait.given.is_some() || !object.would_give(thread))
        .map(|object| (object, reason(world, thread, wait, object, cycle)))
        .collect();
    // Of several the one that says most.
    candidates.sort_by_key(|(_, reason)| std::cmp::Reverse(weight(reason)));
    let told = candidates.first();
    let reason = told.map_or(Reason::NeverCreated, |(_, reason)| reason.clone());
    let first = told.map(|(object, _)| object.number);
    let others = wait.objects.iter().map(|at| object(at).number).filter(|number| Some(*number) != first);
    let objects: Vec<u64> = first.into_iter().chain(others).collect();
    // Of a wait that names no object nothing is known.
    let mut doubts =
        told.map_or_else(|| vec![Doubt::UnknownKind], |(object, reason)| doubts(world, seen, wait, object, reason));
    doubts.sort_unstable();
    doubts.dedup();
    let lines_since = seen.lines_behind(wait.begun.line);
    Verdict { thread, since: wait.begun, objects, is_for_all: wait.is_for_all, reason, doubts, lines_since }
}

/// What counts more, and by the newest event among what counts the same.
fn weight(reason: &Reason) -> (u8, u64) {
    let line = |moment: Option<Moment>| moment.map_or(0, |moment| moment.line);
    match reason {
        Reason::NotWoken { signal } => (7, line(*signal)),
        Reason::Deadlock { .. } => (6, 0),
        Reason::Held { by } => (5, by.line),
        Reason::Lost(lost) => (4, line(lost.event())),
        Reason::Destroyed { by } => (3, by.line),
        Reason::ParkedAgain { woken } => (2, woken.line),
        Reason::NeverSignalled => (1, 0),
        Reason::NeverCreated => (0, 0),
    }
}

fn reason(world: &World, thread: u32, wait: &Wait, object: &Object, cycle: Option<&Vec<u32>>) -> Reason {
    if let Some((_, signal)) = wait.given {
        return Reason::NotWoken { signal };
    }
    if let Some(destroyed) = &object.destroyed {
        return Reason::Destroyed { by: destroyed.at };
    }
    if let Some(cycle) = cycle {
        return Reason::Deadlock { cycle: cycle.clone() };
    }
    if let Some((by, _)) = object.owner {
        return Reason::Held { by };
    }
    if object.created.is_none() && object.signalled == 0 {
        return Reason::NeverCreated;
    }
    let woken = world.threads[thread as usize].met(object.number);
    // A signal that the thread itself took is not lost to it.
    let is_lost = |lost: &&Lost| {
        lost.event().is_some_and(|event| {
            let since = woken.is_none_or(|woken| {
                event.line > woken.line || lost.signal.is_some_and(|signal| signal.line > woken.line)
            });
            since && !(event.thread == thread && matches!(lost.how, Loss::Taken { .. }))
        })
    };
    let lost = object.lost.iter().filter(is_lost).max_by_key(|lost| lost.event().map(|event| event.line));
    match (lost, woken) {
        (Some(lost), _) => Reason::Lost(*lost),
        (None, Some(woken)) => Reason::ParkedAgain { woken },
        (None, None) if object.created.is_none() => Reason::NeverCreated,
        (None, None) => Reason::NeverSignalled,
    }
}

fn doubts(world: &World, seen: &Seen, wait: &Wait, object: &Object, reason: &Reason) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let family = object.kind.family();
    let mut doubt = |is_so: bool, doubt: Doubt| doubts.extend(is_so.then_some(doubt));
    let endings = world.endings.get(&wait.told_by).copied().unwrap_or_default();
    doubt(endings.told == 0, Doubt::NoWakes);
    let first_line = endings.first_untold.map_or(0, |begun| begun.line);
    doubt(endings.untold > 0, Doubt::UntoldWakes { count: endings.untold, first_line });
    doubt(seen.is_damaged, Doubt::Damage);
    doubt(wait.timeout.is_some(), Doubt::Timeout);
    doubt(object.kind.is_vague(), Doubt::UnknownKind);
    doubt(object.is_guessed, Doubt::Guessed);
    if !matches!(reason, Reason::NotWoken { .. } | Reason::Destroyed { .. }) {
        doubt(!seen.has_signals(object.kind), Doubt::NoSignals(family));
        doubt(world.unexplained.contains_key(family), Doubt::UnseenSignals(family));
        doubt(object.armed.is_some(), Doubt::Armed);
    }
    if *reason == Reason::NeverCreated {
        doubt(!seen.has_creates(), Doubt::NoCreates);
    }
    if let Reason::NotWoken { signal } = reason {
        doubt(signal.is_none_or(|signal| seen.lines_behind(signal.line) < AWAKE_WITHIN), Doubt::EndsThere);
        let is_open =
            |other: &&u32| world.threads[**other as usize].wait.as_ref().is_some_and(|wait| wait.given.is_none());
        doubt(!object.kind.stays() && object.waiters.iter().any(|other| is_open(&other)), Doubt::OneOfSeveral);
    }
    // Joined by whoever waits for a thread: that it has not ended is in the log.
    if object.kind == Kind::Thread {
        doubts.retain(|doubt| !matches!(doubt, Doubt::NoSignals(_)));
    }
    doubts
}
