//! The sentences of an audit.

use super::super::story::thread_name;
use super::super::visible::{clip, counted, grouped, visible};
use super::story::AuditStory;
use crate::audit::log::{Aux, Doubt, Entry, Loss, Lost, Moment, Object, Reason, Verdict};
use crate::profile::AuditStep;

/// Longer names of objects are cut for people.
const NAME_COLUMNS_MAX: usize = 48;

impl AuditStory<'_> {
    /// "thread 6", with its generation where that is not the first.
    pub(crate) fn thread(&self, thread: u32) -> String {
        let thread = &self.audit.world.threads[thread as usize];
        format!("thread {}", thread_name(&thread.key, thread.generation))
    }

    /// What an object is called, and its type.
    pub(crate) fn name(&self, object: &Object) -> String {
        let name = object.called().map_or_else(|| format!("#{}", object.number), ToString::to_string);
        clip(&visible(&name), NAME_COLUMNS_MAX)
    }

    /// Its name with its type.
    pub(crate) fn titled(&self, object: &Object) -> String {
        match object.created {
            Some(_) => format!("{} ({})", self.name(object), object.kind.label()),
            None => format!("{} (<UNCREATED>)", self.name(object)),
        }
    }

    pub(crate) fn file_line(&self, line: u64) -> String {
        format!("{}:{line}", visible(&self.context.path.to_string_lossy()))
    }

    /// "NtSetEvent by thread 6 at position 12 (run.jsonl:30)".
    pub(crate) fn deed(&self, at: &Moment) -> String {
        let (source, thread) = (visible(self.source(at)), self.thread(at.thread));
        format!("{source} by {thread} at position {} ({})", grouped(at.position), self.file_line(at.line))
    }

    /// Why a thread waits, as a sentence.
    pub(crate) fn why(&self, verdict: &Verdict) -> String {
        let deed = |at: &Moment| self.deed(at);
        let signal = |signal: &Option<Moment>| signal.as_ref().map_or_else(|| "its state when made".to_owned(), deed);
        match &verdict.reason {
            Reason::NeverSignalled => "nothing ever signals it".to_owned(),
            Reason::NeverCreated => "nobody made it, and nothing signals it".to_owned(),
            Reason::Destroyed { by } => format!("it was destroyed: {}", deed(by)),
            Reason::NotWoken { signal: by } => format!("it is signalled and the wait stands: {}", signal(by)),
            Reason::ParkedAgain { woken } => {
                format!(
                    "the thread went on by it at line {}, waits again, and nothing has signalled it since",
                    woken.line
                )
            }
            Reason::Held { by } => format!("{} has it since {}", self.thread(by.thread), deed(by)),
            Reason::Lost(Lost { signal: by, how: Loss::Pulsed }) => {
                format!("it was pulsed before this wait began: {}", signal(by))
            }
            Reason::Lost(Lost { signal: by, how: Loss::Reset { by: reset } }) => {
                format!("its signal ({}) was reset: {}", signal(by), deed(reset))
            }
            Reason::Lost(Lost { signal: by, how: Loss::Taken { by: taken } }) => {
                format!("its signal ({}) was taken: {}", signal(by), deed(taken))
            }
            Reason::Deadlock { cycle } => {
                let cycle: Vec<String> = cycle.iter().chain(cycle.first()).map(|thread| self.thread(*thread)).collect();
                format!("each waits for what the next one has: {}", cycle.join(" → "))
            }
        }
    }

    /// Where a wait began.
    pub(crate) fn since(&self, verdict: &Verdict) -> String {
        let at = &verdict.since;
        let behind = counted(verdict.lines_since, "line", "lines");
        let time = self.audit.seen.time.zip(at.time).map(|(end, begun)| end.saturating_sub(begun));
        let time = time
            .filter(|time| *time > 0)
            .map_or_else(String::new, |time| format!(", {} of host time", host_time(time)));
        format!("since {}, {behind}{time} before the end", self.deed(at))
    }

    pub(crate) fn doubt(&self, doubt: Doubt) -> String {
        match doubt {
            Doubt::NoWakes => "no wait that is logged so is ever ended by an event of the log".to_owned(),
            Doubt::UntoldWakes { count, first_line } => {
                let waits = counted(count, "such wait", "such waits");
                format!(
                    "{waits} ended without an event that says so, the first, of line {first_line}: some ends are not logged"
                )
            }
            Doubt::NoSignals(family) => format!("the log has no event that signals an object of type {family}"),
            Doubt::NoCreates => "the log has no event that makes an object".to_owned(),
            Doubt::UnseenSignals(family) => {
                let (count, first) =
                    self.audit.world.unexplained.get(family).map_or((0, 0), |(count, at)| (*count, at.line));
                let waits = counted(count, "wait", "waits");
                format!(
                    "{waits} for objects of type {family} ended without a signal in the log, the first in line {first}: some signals are not logged"
                )
            }
            Doubt::UnknownKind => "the log does not say what kind of object it is".to_owned(),
            Doubt::Timeout => "the wait has a timeout, and the log ends".to_owned(),
            Doubt::Armed => "the timer is set".to_owned(),
            Doubt::EndsThere => "the log ends right behind the signal".to_owned(),
            Doubt::Guessed => {
                "waits for several objects stood, and the log does not tell which of them took its signals".to_owned()
            }
            Doubt::OneOfSeveral => "others wait for it too".to_owned(),
            Doubt::Damage => "lines of the log are malformed".to_owned(),
        }
    }

    /// A step of a timeline: who, by what, and what the log says beside.
    pub(crate) fn step(&self, entry: &Entry) -> String {
        let aux = entry.aux.as_ref().map_or_else(String::new, |said| aux(entry.step, said));
        let aux = if aux.is_empty() { aux } else { format!("  {aux}") };
        format!(
            "{} by {} at {}{aux}",
            visible(self.source(&entry.at)),
            self.thread(entry.at.thread),
            grouped(entry.at.position)
        )
    }
}

/// Host times of logs are in nanoseconds.
fn host_time(time: i64) -> String {
    match time {
        0..1_000_000 => format!("{} ns", grouped(time.unsigned_abs())),
        1_000_000..10_000_000_000 => format!("{} ms", grouped(time.unsigned_abs() / 1_000_000)),
        _ => format!("{} s", grouped(time.unsigned_abs() / 1_000_000_000)),
    }
}

fn aux(step: AuditStep, aux: &Aux) -> String {
    let mut told = Vec::new();
    let mut tell = |name: &str, value: Option<i64>| told.extend(value.map(|value| format!("{name} {value}")));
    tell("previous state", aux.previous);
    tell("count", aux.count);
    tell("timeout", aux.timeout);
    tell("alertable", aux.alertable.map(i64::from));
    tell("result", aux.result);
    told.extend(aux.lr.map(|lr| format!("lr 0x{lr:X}")));
    told.extend(aux.stack.as_ref().map(|stack| format!("stack {}", clip(&visible(stack), 60))));
    if step == AuditStep::Wake && aux.unmet {
        told.push("without the object".to_owned());
    }
    told.join(", ")
}

/// The answer as a sentence.
pub(super) fn headline(story: &AuditStory) -> String {
    let total = story.waiting.len() as u64;
    let certain = story.waiting.iter().filter(|verdict| verdict.doubts.is_empty()).count() as u64;
    let waits = counted(total, "thread waits when the log ends", "threads wait when the log ends");
    match (total, certain) {
        (0, _) => "no thread waits when the log ends".to_owned(),
        (_, 0) => format!("{waits}; whether for ever, the log does not say"),
        (1, _) => format!("{waits}, and nothing wakes it"),
        _ if total == certain => format!("{waits}, and nothing wakes them"),
        _ => format!("{waits}, and nothing wakes {} of them", grouped(certain)),
    }
}

/// What was read.
pub(super) fn log(story: &AuditStory) -> String {
    let (seen, world) = (&story.audit.seen, &story.audit.world);
    let events = counted(seen.events, "event", "events");
    let threads = counted(world.threads.len() as u64, "thread", "threads");
    let made = counted(world.created, "object made", "objects made");
    let path = visible(&story.context.path.to_string_lossy());
    format!("{path}  {events} in {threads}, {made}, {} destroyed", grouped(world.destroyed))
}

/// "thread 8 waits for event:ready (Event/Auto)".
pub(super) fn waits(story: &AuditStory, verdict: &Verdict) -> String {
    format!("{} {}", story.thread(verdict.thread), waits_for(story, verdict))
}

/// "waits for event:ready (Event/Auto)".
pub(super) fn waits_for(story: &AuditStory, verdict: &Verdict) -> String {
    let names: Vec<String> =
        verdict.objects.iter().filter_map(|number| story.object(*number)).map(|object| story.titled(object)).collect();
    let (first, others) = (names.first().map_or("?", String::as_str), names.len().saturating_sub(1) as u64);
    let and = if verdict.is_for_all { "and" } else { "or" };
    match others {
        0 => format!("waits for {first}"),
        others => format!("waits for {first} {and} {}", counted(others, "other object", "other objects")),
    }
}

pub(super) fn kind(object: &Object) -> &'static str {
    if object.created.is_some() { object.kind.label() } else { "<UNCREATED>" }
}

/// How an object stands when the log ends.
pub(super) fn state(story: &AuditStory, object: &Object) -> String {
    let mut told = Vec::new();
    match (&object.destroyed, object.owner) {
        (Some(_), _) => told.push("destroyed".to_owned()),
        (None, Some((owner, _))) => told.push(format!("of {}", story.thread(owner.thread))),
        (None, None) if object.available > 0 => told.push("signalled".to_owned()),
        _ => {}
    }
    if !object.waiters.is_empty() {
        told.push(counted(object.waiters.len() as u64, "thread waits", "threads wait"));
    }
    told.join(", ")
}

/// The steps that signal and wake and so on that stand in the log, and the rules of which none does.
pub(super) fn paths(story: &AuditStory) -> (String, String) {
    let (mut seen, mut never) = (Vec::new(), Vec::new());
    for (rule, _, count, sources) in story.paths() {
        match count {
            0 => never.push(rule.to_owned()),
            _ => {
                let by: Vec<String> =
                    sources.iter().map(|(name, count)| format!("{name} {}", grouped(*count))).collect();
                seen.push(format!(
                    "{rule} {}",
                    if by.len() == 1 && by[0].starts_with(&format!("{rule} ")) {
                        grouped(count)
                    } else {
                        format!("({})", by.join(", "))
                    }
                ));
            }
        }
    }
    (if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") }, never.join(", "))
}
