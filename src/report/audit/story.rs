//! What is told of an audit, in which order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::align::LaneName;
use crate::audit::log::{Audit, Moment, Name, Object, Verdict};
use crate::profile::{AuditStep, Profile};

/// What the reader asked for, and how it is told.
#[derive(Clone, Debug, Default)]
pub struct AuditContext {
    pub path: PathBuf,
    pub wanted: Wanted,
    /// So many objects are listed.
    pub limit: usize,
    pub width: usize,
    pub colour: bool,
}

/// Which objects and waiting threads are told; nothing named: all.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// These objects, with their timelines.
    pub handles: Vec<Name>,
    /// What these threads did or wait for.
    pub threads: Vec<LaneName>,
    /// Objects of these types, by family or with their mode.
    pub kinds: Vec<String>,
    /// Only what threads wait for at the end.
    pub parked: bool,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// No thread waits at the end.
    Clear,
    /// Some wait; whether they always will, the log does not say.
    Possible,
    /// Some wait and nothing in the log wakes them.
    Certain,
}

impl Outlook {
    pub fn word(self) -> &'static str {
        match self {
            Outlook::Clear => "clear",
            Outlook::Possible => "possible",
            Outlook::Certain => "certain",
        }
    }

    /// Exit code: as far as anything is certain it is an answer, else it is none.
    pub fn exit_code(self) -> u8 {
        match self {
            Outlook::Clear => 0,
            Outlook::Certain => 1,
            Outlook::Possible => 3,
        }
    }
}

/// An audit with its answer and what of it is told.
pub struct AuditStory<'a> {
    pub(crate) audit: &'a Audit,
    pub(crate) profile: &'a Profile,
    pub(crate) context: &'a AuditContext,
    pub outlook: Outlook,
    /// The waiting threads that were asked for: the certain ones first.
    pub(crate) waiting: Vec<&'a Verdict>,
    /// The objects that were asked for: those that are waited for first, then the newest.
    pub(crate) objects: Vec<&'a Object>,
    by_number: BTreeMap<u64, &'a Object>,
}

impl<'a> AuditStory<'a> {
    pub fn new(audit: &'a Audit, profile: &'a Profile, context: &'a AuditContext) -> AuditStory<'a> {
        let objects = &audit.world.objects;
        let all: Vec<&Object> = objects.living().map(|(_, object)| object).chain(objects.buried()).collect();
        let by_number: BTreeMap<u64, &Object> = all.iter().map(|object| (object.number, *object)).collect();
        let mut story = AuditStory {
            audit,
            profile,
            context,
            outlook: Outlook::Clear,
            waiting: Vec::new(),
            objects: Vec::new(),
            by_number,
        };
        let mut waiting: Vec<&Verdict> = audit.verdicts.iter().filter(|verdict| story.wants_verdict(verdict)).collect();
        waiting.sort_by_key(|verdict| (!verdict.doubts.is_empty(), verdict.since.line));
        story.outlook = match waiting.first() {
            None => Outlook::Clear,
            Some(first) if first.doubts.is_empty() => Outlook::Certain,
            Some(_) => Outlook::Possible,
        };
        story.waiting = waiting;
        let mut told: Vec<&Object> = all.into_iter().filter(|object| story.wants(object)).collect();
        told.sort_by_key(|object| (object.waiters.is_empty(), std::cmp::Reverse(object.number)));
        story.objects = told;
        story
    }

    fn wants_verdict(&self, verdict: &Verdict) -> bool {
        let wanted = &self.context.wanted;
        let thread = wanted.threads.is_empty() || wanted.threads.iter().any(|lane| self.is_lane(verdict.thread, lane));
        let mut objects = verdict.objects.iter().filter_map(|number| self.object(*number));
        thread
            && ((wanted.handles.is_empty() && wanted.kinds.is_empty()) || objects.any(|object| self.is_named(object)))
    }

    fn is_lane(&self, thread: u32, lane: &LaneName) -> bool {
        let thread = &self.audit.world.threads[thread as usize];
        thread.key == lane.thread && thread.generation == lane.generation
    }

    fn is_named(&self, object: &Object) -> bool {
        self.is_named_by(&self.context.wanted, object)
    }

    /// Whether an object is one of those that are wanted by name and type.
    pub(crate) fn is_named_by(&self, wanted: &Wanted, object: &Object) -> bool {
        let named = wanted.handles.is_empty() || object.names.iter().any(|name| wanted.handles.contains(name));
        let is_kind = |kind: &String| {
            kind.eq_ignore_ascii_case(object.kind.family()) || kind.eq_ignore_ascii_case(object.kind.label())
        };
        named && (wanted.kinds.is_empty() || wanted.kinds.iter().any(is_kind))
    }

    fn wants(&self, object: &Object) -> bool {
        let wanted = &self.context.wanted;
        let by_thread = || {
            object.timeline().iter().any(|entry| wanted.threads.iter().any(|lane| self.is_lane(entry.at.thread, lane)))
        };
        self.is_named(object)
            && (wanted.threads.is_empty() || by_thread())
            && (!wanted.parked || !object.waiters.is_empty())
    }

    pub(crate) fn object(&self, number: u64) -> Option<&'a Object> {
        self.by_number.get(&number).copied()
    }

    /// The function that did something.
    pub(crate) fn source(&self, at: &Moment) -> &'a str {
        self.audit.world.sources.get(at.source as usize).map_or("?", |source| source)
    }

    /// How often rules for steps were met.
    pub(crate) fn paths_of(&self, is: impl Fn(AuditStep) -> bool) -> impl Iterator<Item = u64> {
        let classes = self.audit.seen.classes().iter().zip(&self.profile.audit);
        classes.filter(move |(_, rule)| is(rule.step)).map(|(class, _)| class.count)
    }

    /// Rules whose steps could change what is said of who waits, seen and never seen: name, step, count, functions.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&'a str, AuditStep, u64, Vec<(&'a str, u64)>)> + '_ {
        let classes = self.audit.seen.classes().iter().zip(&self.profile.audit);
        let telling = |step| !matches!(step, AuditStep::Call | AuditStep::Wait);
        classes.filter(move |(_, rule)| telling(rule.step)).map(|(class, rule)| {
            let name = |source: &u32| self.audit.world.sources.get(*source as usize).map_or("?", |source| &**source);
            let sources = class.sources.iter().map(|(source, count)| (name(source), *count)).collect();
            (rule.name.as_str(), rule.step, class.count, sources)
        })
    }
}
