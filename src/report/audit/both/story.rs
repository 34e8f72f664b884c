//! What is told of two logs, in which order.

use std::path::PathBuf;

use super::super::story::{AuditContext, AuditStory, Wanted};
use crate::audit::both::{BothAudit, Deed, OneSided, Paired, ThreadPair};
use crate::audit::log::Object;
use crate::profile::{AuditStep, Profile};
use crate::source::Side;

/// What the reader asked for, and how it is told.
#[derive(Clone, Debug, Default)]
pub struct BothContext {
    pub paths: [PathBuf; 2],
    pub wanted: Wanted,
    /// So many objects are listed.
    pub limit: usize,
    pub width: usize,
    pub colour: bool,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BothOutlook {
    /// Every trail is the same, and the same threads wait.
    Same,
    /// Some part.
    Differ,
    /// Nothing was compared, or only trails part that may.
    Inconclusive,
}

impl BothOutlook {
    pub fn word(self) -> &'static str {
        match self {
            BothOutlook::Same => "same",
            BothOutlook::Differ => "differ",
            BothOutlook::Inconclusive => "inconclusive",
        }
    }

    pub fn exit_code(self) -> u8 {
        match self {
            BothOutlook::Same => 0,
            BothOutlook::Differ => 1,
            BothOutlook::Inconclusive => 3,
        }
    }
}

/// Two audits with their answer and what of it is told.
pub struct BothStory<'a> {
    pub(crate) audit: &'a BothAudit,
    pub(crate) profile: &'a Profile,
    pub(crate) context: &'a BothContext,
    /// Each log's own story.
    pub(crate) sides: [AuditStory<'a>; 2],
    pub outlook: BothOutlook,
    /// The threads that were asked for and wait on one side only.
    pub(crate) waiting: Vec<&'a OneSided>,
    /// The objects that were asked for and whose trails part.
    pub(crate) parted: Vec<&'a Paired>,
}

/// What each log alone is told with: objects and threads are chosen by both.
pub fn side_contexts(context: &BothContext) -> [AuditContext; 2] {
    context.paths.clone().map(|path| AuditContext {
        path,
        wanted: Wanted { handles: context.wanted.handles.clone(), ..Wanted::default() },
        limit: context.limit,
        width: context.width,
        colour: context.colour,
    })
}

impl<'a> BothStory<'a> {
    /// `contexts` are [`side_contexts`].
    pub fn new(
        audit: &'a BothAudit,
        profile: &'a Profile,
        context: &'a BothContext,
        contexts: &'a [AuditContext; 2],
    ) -> BothStory<'a> {
        let side = |side: usize| AuditStory::new(&audit.logs[side], profile, &contexts[side]);
        let mut story = BothStory {
            audit,
            profile,
            context,
            sides: [side(0), side(1)],
            outlook: BothOutlook::Same,
            waiting: Vec::new(),
            parted: Vec::new(),
        };
        story.waiting = audit.waiting.iter().filter(|one| story.wants_waiting(one)).collect();
        story.parted = audit.parted.iter().filter(|object| story.wants(object)).collect();
        let certain = |object: &&Paired| story.parts_for_certain(object);
        let is_certain = !story.waiting.is_empty() || story.parted.iter().any(certain);
        story.outlook = match (is_certain, story.parted.is_empty()) {
            _ if story.has_no_steps() || story.pair_counts().0 == 0 => BothOutlook::Inconclusive,
            (true, _) => BothOutlook::Differ,
            (false, true) => BothOutlook::Same,
            (false, false) => BothOutlook::Inconclusive,
        };
        story
    }

    /// Whether an object parts in a trail that is not of workers who take what comes.
    fn parts_for_certain(&self, object: &Paired) -> bool {
        let is_pool = |pair: u32| self.pair(pair).is_some_and(|pair| pair.is_pool);
        object.differs_in_kind()
            || object.trails.iter().any(|(pair, trail)| trail.parting().is_some() && !is_pool(*pair))
    }

    pub(crate) fn pair(&self, pair: u32) -> Option<&'a ThreadPair> {
        self.audit.pairs.get(pair as usize)
    }

    fn wants_waiting(&self, one: &OneSided) -> bool {
        let verdict = one.verdict(&self.audit.logs);
        let mut objects = verdict.objects.iter().filter_map(|number| self.sides[one.side.index()].object(*number));
        let wanted = &self.context.wanted;
        let names_objects = !wanted.handles.is_empty() || !wanted.kinds.is_empty();
        let by_thread = wanted.threads.is_empty()
            || one.pair.is_some_and(|pair| self.is_wanted_pair(pair))
            || self.is_wanted_thread(one.side, verdict.thread);
        by_thread && (!names_objects || objects.any(|object| self.sides[one.side.index()].is_named_by(wanted, object)))
    }

    fn is_wanted_thread(&self, side: Side, thread: u32) -> bool {
        let thread = &self.audit.logs[side.index()].world.threads[thread as usize];
        let mut lanes = self.context.wanted.threads.iter();
        lanes.any(|lane| lane.thread == thread.key && lane.generation == thread.generation)
    }

    fn is_wanted_pair(&self, pair: u32) -> bool {
        let lanes = self.pair(pair).map(|pair| &pair.lanes);
        lanes.is_some_and(|lanes| lanes.iter().flatten().any(|lane| self.context.wanted.threads.contains(lane)))
    }

    fn wants(&self, object: &Paired) -> bool {
        let wanted = &self.context.wanted;
        let named = wanted.handles.is_empty()
            || object.names.iter().flatten().any(|name| wanted.handles.contains(name))
            || Side::BOTH.iter().any(|side| {
                let own = self.object(object, *side);
                own.is_some_and(|own| own.names.iter().any(|name| wanted.handles.contains(name)))
            });
        let kinds = || object.kinds.iter().flatten();
        let is_kind = |word: &String| {
            kinds().any(|kind| word.eq_ignore_ascii_case(kind.family()) || word.eq_ignore_ascii_case(kind.label()))
        };
        let by_thread = wanted.threads.is_empty()
            || object.trails.iter().any(|(pair, trail)| trail.parting().is_some() && self.is_wanted_pair(*pair));
        let is_waited_for =
            || Side::BOTH.iter().any(|side| self.object(object, *side).is_some_and(|own| !own.waiters.is_empty()));
        named
            && (wanted.kinds.is_empty() || wanted.kinds.iter().any(is_kind))
            && by_thread
            && (!wanted.parked || is_waited_for())
    }

    /// The object of a side, if it is still remembered.
    pub(crate) fn object(&self, object: &Paired, side: Side) -> Option<&'a Object> {
        object.numbers[side.index()].and_then(|number| self.sides[side.index()].object(number))
    }

    /// The trails of an object that part, the first first.
    pub(crate) fn partings(&self, object: &'a Paired) -> Vec<(u32, [Option<Deed>; 2])> {
        let mut all: Vec<_> =
            object.trails.iter().filter_map(|(pair, trail)| Some((*pair, trail.parting()?))).collect();
        all.sort_by_key(|(pair, deeds)| (deeds.iter().flatten().map(|deed| deed.at.line).min(), *pair));
        all
    }

    /// How many threads are paired, and how many only one side has.
    pub(crate) fn pair_counts(&self) -> (u64, u64) {
        let both = self.audit.pairs.iter().filter(|pair| pair.lanes.iter().all(Option::is_some)).count();
        (both as u64, (self.audit.pairs.len() - both) as u64)
    }

    /// Steps were seen in neither log.
    pub(crate) fn has_no_steps(&self) -> bool {
        let telling = |step| step != AuditStep::Call;
        self.sides.iter().all(|side| side.paths_of(telling).all(|count| count == 0))
    }
}
