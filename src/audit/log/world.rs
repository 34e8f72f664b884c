//! The objects and threads of a log as they stand after each of its steps.
//!
//! Whom a signal reaches is decided as kernels of this family do: who waits first is given it first; if the log shows that
//! another one went on, it was given to that one.

use std::collections::{BTreeMap, VecDeque};

use ahash::AHashMap;
use smallvec::SmallVec;

use super::journal::Step;
use super::naming::Objects;
use super::object::{Aux, Entry, Kind, Loss, Lost, Moment, Object};
use super::step::{Name, Told};
use crate::json::tape::fixed_state;
use crate::profile::{AuditRule, AuditStep};
use crate::scan::ThreadKey;

/// Objects whose waits a thread is remembered to have ended.
const MET_MAX: usize = 16;

/// A wait that is not over.
#[derive(Clone, Debug)]
pub struct Wait {
    pub begun: Moment,
    /// How long it may last, in the log's own unit; none where for ever.
    pub timeout: Option<i64>,
    /// By their places.
    pub objects: SmallVec<[usize; 2]>,
    pub is_for_all: bool,
    /// What it waits for was given to it: which object, and by what signal.
    pub given: Option<(usize, Option<Moment>)>,
    /// The line at which it was.
    pub(super) given_at: u64,
    /// The rules whose events told of it, in their order.
    pub told_by: SmallVec<[u16; 2]>,
}

/// How waits ended that were told of by the same rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    /// By an event that says so.
    pub told: u64,
    /// By an event of the thread that does not.
    pub untold: u64,
    /// Where the first of those began.
    pub first_untold: Option<Moment>,
}

/// A thread, or one of its generations.
#[derive(Debug)]
pub struct Thread {
    pub key: ThreadKey,
    pub generation: u32,
    pub events: u64,
    /// The line of the last of them.
    pub last_line: u64,
    pub has_ended: bool,
    pub wait: Option<Wait>,
    /// The function it is in, and what that says of the object it makes.
    call: Option<Told>,
    /// Objects that ended waits of it, by their numbers, and when; the newest last.
    met: VecDeque<(u64, Moment)>,
    /// The object that it is: its place, and its number, since another object may have taken the place.
    object: Option<(usize, u64)>,
    /// Places of mutants that it took; it may have given them up.
    pub(super) held: Vec<usize>,
}

impl Thread {
    /// When an object last ended a wait of it.
    pub fn met(&self, number: u64) -> Option<Moment> {
        self.met.iter().rfind(|(known, _)| *known == number).map(|(_, at)| *at)
    }
}

/// All objects and threads.
pub struct World {
    pub objects: Objects,
    pub threads: Vec<Thread>,
    pub sources: Vec<Box<str>>,
    source_numbers: AHashMap<Box<str>, u32>,
    pub created: u64,
    pub destroyed: u64,
    /// The line of the step that is taken.
    pub(super) now: u64,
    /// Waits that ended with an object that nothing had signalled, by the object's family, and the first of them.
    pub unexplained: BTreeMap<&'static str, (u64, Moment)>,
    /// By the rules whose events told of the waits.
    pub endings: BTreeMap<SmallVec<[u16; 2]>, Endings>,
    /// Steps that nobody has read yet; none where nobody will.
    pub(super) journal: Option<Vec<Step>>,
}

impl World {
    /// Of objects with the names in `focus` all steps are kept.
    pub fn new(focus: Vec<Name>) -> World {
        World {
            objects: Objects::new(focus),
            threads: Vec::new(),
            sources: Vec::new(),
            source_numbers: AHashMap::with_hasher(fixed_state()),
            created: 0,
            destroyed: 0,
            now: 0,
            unexplained: BTreeMap::new(),
            endings: BTreeMap::new(),
            journal: None,
        }
    }

    /// The number of a function's name.
    pub fn source(&mut self, word: &str) -> u32 {
        if let Some(number) = self.source_numbers.get(word) {
            return *number;
        }
        let number = self.sources.len() as u32;
        self.sources.push(word.into());
        self.source_numbers.insert(word.into(), number);
        number
    }

    /// A thread's first event; its number.
    pub fn begin_thread(&mut self, key: ThreadKey, generation: u32) -> u32 {
        let object = self.objects.find(&Name::Thread(Box::new(key.clone())));
        let object = object.map(|at| (at, self.objects.all[at].number));
        let (wait, call, met, held) = (None, None, VecDeque::new(), Vec::new());
        let (events, last_line, has_ended) = (0, 0, false);
        self.threads.push(Thread { key, generation, events, last_line, has_ended, wait, call, met, object, held });
        (self.threads.len() - 1) as u32
    }

    /// A thread's key begins anew: it has ended, whether or not that was told.
    pub fn end_thread(&mut self, thread: u32) {
        self.goes_on(thread);
        self.threads[thread as usize].has_ended = true;
    }

    /// The place of the object that a thread is, as long as a handle is left of it.
    pub fn object_of(&self, thread: u32) -> Option<usize> {
        let (at, number) = self.threads[thread as usize].object?;
        (self.objects.all[at].number == number).then_some(at)
    }

    /// The function that a thread is in.
    pub fn call_of(&self, thread: u32) -> Option<&str> {
        self.threads[thread as usize].call.as_ref()?.source.as_deref()
    }

    /// A thread does something else: it does not wait. How its wait ended, nobody told.
    pub fn goes_on(&mut self, thread: u32) {
        if let Some(wait) = self.leave(thread) {
            let endings = self.endings.entry(wait.told_by).or_default();
            endings.untold += 1;
            endings.first_untold.get_or_insert(wait.begun);
        }
    }

    /// Takes the log's next step.
    pub fn take(&mut self, rule: &AuditRule, number: u16, told: Told, at: Moment) {
        let aux = aux(&told);
        let entry = Entry { step: rule.step, at, aux };
        self.now = at.line;
        if !matches!(rule.step, AuditStep::Wait | AuditStep::Wake) {
            self.goes_on(at.thread);
        }
        match rule.step {
            AuditStep::Wait => self.wait(rule, number, &told, entry),
            AuditStep::Wake => self.wake(&told, entry),
            AuditStep::Call => self.threads[at.thread as usize].call = Some(told),
            AuditStep::Create => self.create(rule, told, entry),
            AuditStep::Duplicate => self.duplicate(told),
            AuditStep::Destroy => self.destroy(&told, entry),
            AuditStep::Exit => self.exit(entry),
            AuditStep::Signal | AuditStep::Arm | AuditStep::Reset | AuditStep::Pulse => {
                for name in &told.names {
                    let object = self.objects.resolve(name, kind_of(rule));
                    self.touch(object, rule.step, &entry);
                }
            }
        }
    }

    fn create(&mut self, rule: &AuditRule, told: Told, entry: Entry) {
        let call = self.threads[entry.at.thread as usize].call.take().unwrap_or_default();
        let manual = told.manual.or(call.manual);
        let of = told.object_type.as_deref().or(rule.of.first().map(String::as_str));
        let kind = of.map_or(Kind::Unknown, |of| Kind::of_type(of, manual));
        let initial = told.initial.or(call.initial);
        let mut object = Object { kind, names: told.names, handles: 1, ..Object::default() };
        object.names.extend(told.thread.clone().map(|key| Name::Thread(Box::new(key))));
        match (kind, initial) {
            (Kind::Mutant, Some(owned)) => object.owner = (owned != 0).then_some((entry.at, 1)),
            (Kind::Timer { .. } | Kind::Thread, _) => {}
            (_, None) => object.initial_unknown = true,
            (Kind::Semaphore, Some(count)) => object.available = count.max(0),
            (_, Some(state)) => object.available = i64::from(state != 0),
        }
        let moment = entry.at;
        object.created = Some(Box::new(entry));
        self.created += 1;
        let at = self.objects.add(object);
        self.write_down(at, AuditStep::Create, moment, 0);
        // Its first event may stand before the one that tells of its making.
        let Some(key) = told.thread else { return };
        let newest = self.threads.iter_mut().rev().find(|thread| thread.key == key);
        if let Some(thread) = newest.filter(|thread| thread.object.is_none() && !thread.has_ended) {
            thread.object = Some((at, self.objects.all[at].number));
        }
    }

    fn duplicate(&mut self, told: Told) {
        let known = told.names.iter().find_map(|name| self.objects.find(name));
        if let (Some(at), Some(new)) = (known, told.becomes) {
            self.objects.rename(at, new);
        }
    }

    fn destroy(&mut self, told: &Told, entry: Entry) {
        // A close may be told twice, by the call and by what it does: the second one finds nothing.
        let known = told.names.iter().find_map(|name| Some((name, self.objects.find(name)?)));
        let Some((name, at)) = known else { return };
        let object = &mut self.objects.all[at];
        object.handles = object.handles.saturating_sub(1);
        if object.handles > 0 {
            object.names.retain(|other| other != name);
            return self.objects.forget(name);
        }
        let moment = entry.at;
        object.destroyed = Some(Box::new(entry));
        self.destroyed += 1;
        self.write_down(at, AuditStep::Destroy, moment, 0);
        self.objects.bury(at);
    }

    fn exit(&mut self, entry: Entry) {
        let thread = entry.at.thread;
        self.threads[thread as usize].has_ended = true;
        self.threads[thread as usize].call = None;
        // Mutants that it has are given up with it.
        for at in std::mem::take(&mut self.threads[thread as usize].held) {
            if self.objects.all[at].owner.is_none_or(|(owner, _)| owner.thread != thread) {
                continue;
            }
            self.objects.all[at].owner = None;
            self.objects.all[at].last_signal = Some(entry.at);
            self.serve(at);
        }
        if let Some(object) = self.object_of(thread) {
            self.touch(object, AuditStep::Signal, &entry);
        }
    }

    /// A step that changes whether an object is signalled.
    fn touch(&mut self, at: usize, step: AuditStep, entry: &Entry) {
        let moment = entry.at;
        self.write_down(at, step, moment, entry.count());
        let object = &mut self.objects.all[at];
        object.note(Entry { step, ..entry.clone() });
        match step {
            AuditStep::Arm => object.armed = Some(moment),
            AuditStep::Reset => {
                object.armed = None;
                if object.available > 0 {
                    object.lose(Lost { signal: object.last_signal, how: Loss::Reset { by: moment } });
                }
                object.available = 0;
                object.initial_unknown = false;
                object.is_guessed = false;
                object.last_reset = Some(moment);
            }
            AuditStep::Pulse => {
                object.last_signal = Some(moment);
                object.available = 1;
                let served = self.serve(at);
                let object = &mut self.objects.all[at];
                // Whom it reached is not told apart from whom it did not, where it reached all who waited.
                if served == 0 || object.kind.stays() {
                    object.lose(Lost { signal: Some(moment), how: Loss::Pulsed });
                }
                object.available = 0;
                object.last_reset = Some(moment);
            }
            _ => {
                object.last_signal = Some(moment);
                match object.kind {
                    kind if object.available > 0 && kind != Kind::Semaphore => object.absorbed = Some(moment),
                    Kind::Mutant => object.release(),
                    _ => object.add(entry.count()),
                }
                self.serve(at);
            }
        }
    }

    fn wait(&mut self, rule: &AuditRule, number: u16, told: &Told, entry: Entry) {
        let thread = entry.at.thread;
        let before = self.threads[thread as usize].wait.as_ref().is_some_and(|wait| !wait.told_by.contains(&number));
        let objects: SmallVec<[usize; 2]> =
            told.names.iter().map(|name| self.objects.resolve(name, kind_of(rule))).collect();
        let is_made = |at: &usize| self.objects.all[*at].created.is_some();
        // A wait may be told twice, by the call and where it begins; one of the two may name the object by what nobody knows.
        if before {
            let old = self.threads[thread as usize].wait.as_mut().map(|wait| (wait.objects.clone(), wait.timeout));
            let Some((known, timeout)) = old else { return };
            let same = known == objects || objects.is_empty();
            if same || (known.iter().all(is_made) && !objects.iter().all(is_made)) {
                if let Some(wait) = &mut self.threads[thread as usize].wait {
                    wait.timeout = timeout.or(told.timeout);
                    wait.told_by.push(number);
                }
                return;
            }
        }
        let mut told_by: SmallVec<[u16; 2]> = SmallVec::new();
        let mut begun = entry.at;
        let mut freed = SmallVec::new();
        match before {
            // The same wait, told better.
            true => {
                freed = self.take_back(thread);
                let old = self.leave(thread);
                begun = old.as_ref().map_or(begun, |old| old.begun);
                told_by = old.map(|old| old.told_by).unwrap_or_default();
            }
            false => self.goes_on(thread),
        }
        told_by.push(number);
        for at in &objects {
            let object = &mut self.objects.all[*at];
            object.note(entry.clone());
            object.waiters.push(thread);
            self.write_down(*at, AuditStep::Wait, begun, 0);
        }
        let first = objects.clone();
        let is_for_all = told.is_for_all && objects.len() > 1;
        let wait = Wait { begun, timeout: told.timeout, objects, is_for_all, given: None, given_at: 0, told_by };
        self.threads[thread as usize].wait = Some(wait);
        for at in freed {
            self.serve(at);
        }
        self.spread(thread, false);
        for at in first {
            if self.offer(thread, at) {
                break;
            }
        }
    }

    /// Takes a thread out of those that wait; what it was waiting for, if it was.
    fn leave(&mut self, thread: u32) -> Option<Wait> {
        let wait = self.threads[thread as usize].wait.take()?;
        self.unlist(thread, &wait);
        Some(wait)
    }

    /// The objects of a wait that is over are waited for by one thread less.
    fn unlist(&mut self, thread: u32, wait: &Wait) {
        for at in &wait.objects {
            self.objects.all[*at].waiters.retain(|other| *other != thread);
        }
        for at in &wait.objects {
            self.objects.clear(*at);
        }
    }

    fn wake(&mut self, told: &Told, entry: Entry) {
        let thread = entry.at.thread;
        // The end of a wait may be told twice too.
        let Some(wait) = self.threads[thread as usize].wait.clone() else { return };
        self.endings.entry(wait.told_by.clone()).or_default().told += 1;
        for at in &wait.objects {
            self.objects.all[*at].note(entry.clone());
            self.write_down(*at, AuditStep::Wake, entry.at, i64::from(told.unmet));
        }
        if told.unmet {
            let freed = self.take_back(thread);
            self.leave(thread);
            for at in freed {
                self.serve(at);
            }
            return;
        }
        let ended_by: SmallVec<[usize; 2]> = match (wait.is_for_all, ended_by(&wait, told.result)) {
            (true, _) => wait.objects.clone(),
            (false, Some(at)) => std::iter::once(at).collect(),
            (false, None) => wait.given.map(|(at, _)| at).or(wait.objects.first().copied()).into_iter().collect(),
        };
        // What is given from here on is not given to this wait.
        self.threads[thread as usize].wait = None;
        self.settle(&wait, &ended_by, entry.at);
        for at in ended_by {
            let object = &mut self.objects.all[at];
            let given = wait.given.filter(|(given, _)| *given == at);
            let signal = given.map_or(object.last_signal, |(_, signal)| signal);
            if !object.kind.stays() {
                object.lose(Lost { signal, how: Loss::Taken { by: wait.begun } });
            }
            let number = object.number;
            let met = &mut self.threads[thread as usize].met;
            met.retain(|(known, _)| *known != number);
            if met.len() == MET_MAX {
                met.pop_front();
            }
            met.push_back((number, entry.at));
        }
        self.unlist(thread, &wait);
    }
}

/// The object by which a wait for one of several ended: results number them, those of abandoned mutants from 128 on.
fn ended_by(wait: &Wait, result: Option<i64>) -> Option<usize> {
    let result = usize::try_from(result?).ok()?;
    wait.objects.get(result).or_else(|| wait.objects.get(result.checked_sub(128)?)).copied()
}

/// What an event says of a step beside who did it, if anything.
fn aux(told: &Told) -> Option<Box<Aux>> {
    let aux = Aux {
        previous: told.previous,
        count: told.count,
        timeout: told.timeout,
        alertable: told.alertable,
        result: told.result,
        unmet: told.unmet,
        lr: told.lr,
        stack: told.stack.clone(),
    };
    (aux != Aux::default()).then(|| Box::new(aux))
}

/// What a rule takes an object for that nobody made.
fn kind_of(rule: &AuditRule) -> Kind {
    match &rule.of[..] {
        [only] => Kind::of_type(only, None),
        _ => Kind::Unknown,
    }
}
