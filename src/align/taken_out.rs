//! Events that rules take out, or join, before anything is compared.
//!
//! Which rule an event meets is seen while its window is scanned; whether it repeats another one only when it comes to
//! its lane. What is taken out still numbers its thread's events: those behind it are compared as if it had never been
//! there, so each batch of a lane knows how many are gone before it.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use ahash::AHashMap;

use super::intake::Intake;
use super::joining::Joining;
use super::lane::{Held, event_of};
use crate::json::tape::{self, fixed_state};
use crate::json::{self, Pointer, Tape};
use crate::profile::{Condition, EventDoes, Profile, StrictReader};
use crate::scan::{ScannedWindow, Span, SpanTable};
use crate::source::Window;

/// An event that meets a rule: its line's row, the rule, and what it repeats if that came before.
pub(super) type RowMeets = (u32, Meets);

/// How an event meets a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meets {
    /// The rule's place among those on events.
    rule: u16,
    how: How,
}

/// What a rule would do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Take it out.
    Dropped,
    /// Take it out if it repeats one that has this in common with it.
    Repeats(u64),
    /// Join it with the next one.
    Begins,
}

/// A lane's run of events that one rule folds.
#[derive(Clone, Debug, Default)]
pub(super) struct Folding {
    rule: u16,
    /// The different ones met in it.
    seen: Vec<u64>,
}

/// Different events of one run that are remembered; of more the oldest is forgotten.
const SEEN_MAX: usize = 1_024;

/// The rules of a profile that take events out or join them.
#[derive(Clone, Debug)]
pub struct EventRules {
    rules: Vec<Rule>,
    /// The rules that may be met by events of kinds that are named, in order.
    by_kind: AHashMap<Vec<u8>, Vec<u16>>,
    /// And those by all other events.
    of_any: Vec<u16>,
    strict: StrictReader,
}

#[derive(Clone, Debug)]
struct Rule {
    when: Vec<Condition>,
    does: Does,
}

#[derive(Clone, Debug)]
enum Does {
    Drop,
    Fold(Vec<Pointer>),
    Join(Joining),
}

impl EventRules {
    /// The rules of a profile.
    pub fn new(profile: &Profile) -> EventRules {
        let mut by_kind = AHashMap::with_hasher(fixed_state());
        let serving = |kind: Option<&String>| -> Vec<u16> {
            let serves = |kinds: &[String]| kinds.is_empty() || kind.is_some_and(|kind| kinds.contains(kind));
            (0..).zip(profile.event_rules()).filter(|(_, rule)| serves(rule.kinds)).map(|(at, _)| at).collect()
        };
        for kind in profile.event_rules().flat_map(|rule| rule.kinds) {
            by_kind.entry(kind.clone().into_bytes()).or_insert_with(|| serving(Some(kind)));
        }
        let digest_of_kind = |kind: &str| digest_of_kind(Some(kind.as_bytes()), b"");
        let does = |does: EventDoes<'_>| match does {
            EventDoes::Drop => Does::Drop,
            EventDoes::Fold(same) => Does::Fold(same.to_vec()),
            EventDoes::Join(rule) => Does::Join(Joining::new(rule, profile, digest_of_kind)),
        };
        let rules = profile.event_rules().map(|rule| Rule { when: rule.when.to_vec(), does: does(rule.does) });
        EventRules { rules: rules.collect(), by_kind, of_any: serving(None), strict: StrictReader::new(profile) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The events of a window that meet a rule, in no order.
    pub(super) fn met_in(&self, window: &Window, scanned: &ScannedWindow) -> Vec<RowMeets> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut tape = Tape::default();
        let spans = (0..scanned.spans.len()).map(|index| scanned.spans.span(index));
        spans.filter_map(|span| Some((span.row, self.meets(&span, span.line_of(&window.bytes), &mut tape)?))).collect()
    }

    /// The first rule that an event meets. A malformed one meets none that must read it: it is compared, and told.
    fn meets(&self, span: &Span, line: &[u8], tape: &mut Tape) -> Option<Meets> {
        let kind = event_of(span, line, 0).scalar_kind();
        let name = name_of(kind);
        let rules = name.as_ref().and_then(|name| self.by_kind.get(&**name)).unwrap_or(&self.of_any);
        let mut read = None;
        rules.iter().find_map(|at| {
            let Rule { when, does } = &self.rules[usize::from(*at)];
            let reads = !when.is_empty() || matches!(does, Does::Fold(same) if !same.is_empty());
            if reads && !*read.get_or_insert_with(|| self.strict.read(line, tape).is_ok()) {
                return None;
            }
            let node = |path: &Pointer| tape.at(line, Tape::ROOT, path);
            let holds =
                |asked: &Condition| node(&asked.path).is_some_and(|node| asked.is_met_by(tape.bytes(line, node)));
            if !when.iter().all(holds) {
                return None;
            }
            let how = match does {
                Does::Drop => How::Dropped,
                Does::Fold(same) => {
                    let mut state = fixed_state().build_hasher();
                    state.write_u64(digest_of_kind(name.as_deref(), kind));
                    same.iter().for_each(|path| {
                        state.write_u64(node(path).map_or(0, |node| tape::digest(tape, line, node)));
                    });
                    How::Repeats(state.finish())
                }
                Does::Join(_) => How::Begins,
            };
            Some(Meets { rule: *at, how })
        })
    }

    /// The rule of this number, which joins events.
    pub(super) fn joining(&self, rule: u16) -> &Joining {
        match &self.rules[usize::from(rule)].does {
            Does::Join(joining) => joining,
            Does::Drop | Does::Fold(_) => unreachable!("only rules that join have parts"),
        }
    }

    /// Takes a line apart, if it is valid.
    pub(super) fn read(&self, line: &[u8], tape: &mut Tape) -> Option<()> {
        self.strict.read(line, tape).ok()
    }

    /// What an event's kind has in common with equal ones.
    pub(super) fn digest_of_kind(&self, held: &Held, index: u32) -> u64 {
        let span = held.spans.span(index);
        let kind = event_of(&span, span.line_of(&held.bytes), 0).scalar_kind();
        digest_of_kind(name_of(kind).as_deref(), kind)
    }
}

/// The name that a kind is, if it is one.
fn name_of(kind: &[u8]) -> Option<Cow<'_, [u8]>> {
    (kind.first() == Some(&b'"')).then(|| json::text::unescape(kind))
}

/// Of a kind's name or, where it is none, its token.
fn digest_of_kind(name: Option<&[u8]>, token: &[u8]) -> u64 {
    let mut state = fixed_state().build_hasher();
    match (name, token.first()) {
        (Some(name), _) => state.write(name),
        (None, Some(b'0'..=b'9' | b'-')) => json::number::hash(token, &mut state),
        (None, _) => state.write(token),
    }
    state.finish()
}

/// For each event of a table, how it meets a rule; nothing at all where none does.
pub(super) fn by_event(mut met: Vec<RowMeets>, spans: &SpanTable) -> Vec<Option<Meets>> {
    if met.is_empty() {
        return Vec::new();
    }
    met.sort_unstable_by_key(|(row, _)| *row);
    let of = |row: u32| met.binary_search_by_key(&row, |(row, _)| *row).ok().map(|at| met[at].1);
    (0..spans.len()).map(|index| of(spans.row(index))).collect()
}

impl Folding {
    /// Whether a run goes on with an event, and has met one like it; else the event begins or widens a run.
    fn repeats(folding: &mut Option<Box<Folding>>, rule: u16, like: u64) -> bool {
        let run = folding.get_or_insert_with(Box::default);
        if run.rule != rule || run.seen.is_empty() {
            **run = Folding { rule, seen: Vec::new() };
        }
        if run.seen.contains(&like) {
            return true;
        }
        if run.seen.len() == SEEN_MAX {
            run.seen.remove(0);
        }
        run.seen.push(like);
        false
    }
}

impl Intake<'_> {
    /// Puts the events of a range into their lane, less those that rules take out, and joined where they join them.
    pub(super) fn push_ruled(&mut self, lane: usize, held: &Arc<Held>, from: u32, to: u32) {
        if self.meets.is_empty() && self.lanes[lane].parts.is_none() {
            self.lanes[lane].folding = None;
            return self.push_kept(lane, held, from, to);
        }
        let mut kept = from;
        for index in from..to {
            let meets = self.meets.get(index as usize).copied().flatten();
            let folding = &mut self.lanes[lane].folding;
            let (mut goes, mut begins) = (false, None);
            match meets {
                Some(Meets { how: How::Dropped, .. }) => goes = true,
                Some(Meets { rule, how: How::Repeats(like) }) => goes = Folding::repeats(folding, rule, like),
                Some(Meets { rule, how: How::Begins }) => {
                    *folding = None;
                    begins = Some(rule);
                }
                None => *folding = None,
            }
            if !goes && (begins.is_some() || self.lanes[lane].parts.is_some()) {
                self.push_kept(lane, held, kept, index);
                kept = index + 1;
                self.push_part(lane, held, index, begins);
            }
            if let Some(Meets { rule, .. }) = meets.filter(|_| goes) {
                self.push_kept(lane, held, kept, index);
                kept = index + 1;
                self.taken_out[usize::from(rule)] += 1;
                self.lanes[lane].gone += 1;
                self.dropped.push((Arc::clone(held), index, index + 1));
            }
        }
        self.push_kept(lane, held, kept, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_each_different_event_once() {
        let mut folding = None;
        let events = [(0, 1), (0, 1), (0, 2), (0, 1), (1, 1), (1, 1), (0, 1)];
        let repeats = events.map(|(rule, like)| Folding::repeats(&mut folding, rule, like));
        assert_eq!(repeats, [false, true, false, true, false, true, false]);
        folding = None;
        assert!((0..=SEEN_MAX as u64).all(|like| !Folding::repeats(&mut folding, 0, like)));
        assert!(!Folding::repeats(&mut folding, 0, 0), "the oldest is forgotten");
    }
}
