//! The sentences of an audit of two logs.

use super::super::super::story::thread_name;
use super::super::super::visible::{counted, grouped, visible};
use super::super::words::{kind, state, waits, waits_for};
use super::story::BothStory;
use crate::audit::both::{Deed, Missing, OneSided, Paired, Partner};
use crate::profile::AuditStep;
use crate::source::Side;

/// Signals that are missing, told one by one.
const MISSING_MAX: usize = 3;

pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Reference => "reference",
        Side::Candidate => "candidate",
    }
}

impl BothStory<'_> {
    /// "thread 6 → 8", "thread 6 of the reference".
    pub(super) fn threads(&self, pair: u32) -> String {
        let Some(pair) = self.pair(pair) else { return "a thread that was not compared".to_owned() };
        let name =
            |side: Side| pair.lanes[side.index()].as_ref().map(|lane| thread_name(&lane.thread, lane.generation));
        match (name(Side::Reference), name(Side::Candidate)) {
            (Some(reference), Some(candidate)) => format!("thread {reference} → {candidate}"),
            (Some(reference), None) => format!("thread {reference} of the reference"),
            (None, Some(candidate)) => format!("thread {candidate} of the candidate"),
            (None, None) => "no thread".to_owned(),
        }
    }

    /// What an object is called on both sides, and its type.
    pub(super) fn titled(&self, object: &Paired) -> String {
        let of = |side: Side| {
            let own = self.object(object, side).map(|own| self.sides[side.index()].name(own));
            own.or(object.names[side.index()].as_ref().map(|name| visible(&name.to_string())))
        };
        let name = match (of(Side::Reference), of(Side::Candidate)) {
            (Some(one), Some(other)) if one != other => format!("{one} → {other}"),
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => "an object that nobody names".to_owned(),
        };
        let kinds = object.kinds.map(|kind| kind.map(|kind| kind.label()));
        match kinds {
            [Some(one), Some(other)] if one != other => format!("{name} ({one} → {other})"),
            [Some(one), _] | [None, Some(one)] => format!("{name} ({one})"),
            [None, None] => name,
        }
    }

    /// What a side does where a trail parts.
    pub(super) fn deed(&self, side: Side, deed: Option<&Deed>) -> String {
        let Some(deed) = deed else { return "does nothing to it there".to_owned() };
        format!("{} ({})", step(deed), self.sides[side.index()].deed(&deed.at))
    }

    /// Who waits on which side only, and for what.
    pub(super) fn waits(&self, one: &OneSided) -> String {
        let side = &self.sides[one.side.index()];
        let verdict = one.verdict(&self.audit.logs);
        let (own, waits) = (side_word(one.side), waits_for(side, verdict));
        let is_of_both = |pair: &u32| self.pair(*pair).is_some_and(|pair| pair.lanes.iter().all(Option::is_some));
        match one.pair.filter(is_of_both) {
            Some(pair) => format!("{} {waits} in the {own} only", self.threads(pair)),
            None => format!("{}, which only the {own} has, {waits}", side.thread(verdict.thread)),
        }
    }

    /// What the other side does instead, and what is missing.
    pub(super) fn why(&self, one: &OneSided) -> Vec<String> {
        let (own, other) = (side_word(one.side), side_word(one.side.other()));
        let mut told = Vec::new();
        if let Some(instead) = one.instead {
            let log = &self.audit.logs[one.side.other().index()];
            let waits = waits(&self.sides[one.side.other().index()], &log.verdicts[instead]);
            told.push(format!("in the {other}, {waits}"));
        }
        told.extend(one.missing.iter().take(MISSING_MAX).map(|missing| self.missing(one, missing)));
        if one.missing.len() > MISSING_MAX {
            let more = (one.missing.len() - MISSING_MAX) as u64;
            told.push(format!("… and {} that the {own} lacks", counted(more, "other signal", "other signals")));
        }
        if one.missing.is_empty() && one.has_partner {
            told.push(format!(
                "every signal to it that the {other} has, the {own} has too: what differs is their order, or what took them"
            ));
        }
        if !one.has_partner {
            told.push(format!("the {other} has no such object"));
        }
        told
    }

    fn missing(&self, one: &OneSided, missing: &Missing) -> String {
        let has = &self.sides[one.side.other().index()];
        let at = &missing.deed.at;
        let (other, source) = (side_word(one.side.other()), visible(has.source(at)));
        let place = format!("at position {} ({})", grouped(at.position), has.file_line(at.line));
        let does = format!("the {other}'s {} signals it by {source} {place}", has.thread(at.thread));
        // Who waits parts because of that.
        let is_kept = matches!(missing.partner, Partner::Waits { .. });
        let parts = if is_kept { String::new() } else { self.parts(missing.pair) };
        format!("{does}; {}{}", self.lacking(one.side, missing), parts)
    }

    /// What the thread does that should signal.
    fn lacking(&self, own: Side, missing: &Missing) -> String {
        let Some(partner) = missing.partner.thread() else {
            return format!("the {} has no such thread", side_word(own));
        };
        let (log, side) = (&self.audit.logs[own.index()], &self.sides[own.index()]);
        let (thread, name) = (&log.world.threads[partner as usize], side.thread(partner));
        let last = grouped(thread.events.saturating_sub(1));
        let place = format!("position {last} ({})", side.file_line(thread.last_line));
        let waits = missing.partner.waits().map(|waits| waits_for(side, &log.verdicts[waits])).unwrap_or_default();
        let whose = format!("the {}'s {name}", side_word(own));
        match missing.partner {
            Partner::GoesOn { waits: Some(_), .. } => {
                format!("{whose} goes on without it, and in the end {waits}; its last event is at {place}")
            }
            Partner::Waits { .. } => format!("{whose} does not come so far: it {waits}; its last event is at {place}"),
            Partner::Ends { .. } => format!("{whose} ends without it, at {place}"),
            Partner::Stops { .. } => format!("{whose} stops before: its last event is at {place}"),
            _ => format!("{whose} goes on without it; its last event is at {place}"),
        }
    }

    /// Where the two threads of a pair first part.
    fn parts(&self, pair: u32) -> String {
        let Some([reference, candidate]) = self.pair(pair).and_then(|pair| pair.parts) else { return String::new() };
        let place = |side: Side, at: Option<(u64, u64)>| at.map(|(line, _)| self.sides[side.index()].file_line(line));
        let places: Vec<String> =
            [place(Side::Reference, reference), place(Side::Candidate, candidate)].into_iter().flatten().collect();
        let position = reference.or(candidate).map_or(0, |(_, position)| position);
        format!("; the two threads part at position {} ({})", grouped(position), places.join(", "))
    }
}

/// "signal", "wake, without it".
fn step(deed: &Deed) -> String {
    match (deed.step, deed.detail) {
        (AuditStep::Wake, 1) => "wake, without it".to_owned(),
        (AuditStep::Signal, count) if count != 1 => format!("signal, {count} times"),
        (step, _) => step.name().to_owned(),
    }
}

/// The answer as a sentence.
pub(super) fn headline(story: &BothStory) -> String {
    let (paired, _) = story.pair_counts();
    if paired == 0 {
        return "no thread of one log belongs to one of the other".to_owned();
    }
    if story.has_no_steps() {
        return "neither log has an event that does something to an object".to_owned();
    }
    let objects = story.audit.objects;
    let more = story.audit.parted_more;
    let parted = story.parted.len() as u64 + more;
    let mut parts = Vec::new();
    for side in Side::BOTH {
        let count = story.waiting.iter().filter(|one| one.side == side).count() as u64;
        if count > 0 {
            let waits = counted(count, "thread waits", "threads wait");
            parts.push(format!("{waits} in the {} only", side_word(side)));
        }
    }
    if parted > 0 {
        parts.push(format!("the trails of {} of {} part", grouped(parted), counted(objects, "object", "objects")));
    }
    if parts.is_empty() {
        let alike = match story.audit.waiting_alike {
            0 => "no thread waits in one log only".to_owned(),
            count => format!("{} at the end of both logs", counted(count, "thread waits", "threads wait")),
        };
        return format!(
            "{} the same trails on both sides, and {alike}",
            counted(objects, "object has", "objects have")
        );
    }
    parts.join("; ")
}

/// Which threads belong together.
pub(super) fn pairs(story: &BothStory) -> String {
    let (paired, alone) = story.pair_counts();
    let paired = counted(paired, "pair of threads", "pairs of threads");
    match alone {
        0 => paired,
        alone => format!("{paired}, {} on one side only", counted(alone, "thread", "threads")),
    }
}

/// The sections of an object whose trails part: who, and what either side does.
pub(super) fn partings(story: &BothStory, object: &Paired) -> Vec<(String, Vec<String>)> {
    let mut told = Vec::new();
    if object.differs_in_kind() {
        let kinds = Side::BOTH.map(|side| story.object(object, side).map_or("?", kind));
        told.push(("it is made otherwise".to_owned(), vec![format!("{} → {}", kinds[0], kinds[1])]));
    }
    for (pair, deeds) in story.partings(object) {
        let is_pool = story.pair(pair).is_some_and(|pair| pair.is_pool);
        let pool = if is_pool { " (of workers that take what comes: who does what says little)" } else { "" };
        let who = story.threads(pair);
        let lines = Side::BOTH.map(|side| {
            let does = match object.numbers[side.index()] {
                None => "has no such object".to_owned(),
                Some(_) => story.deed(side, deeds[side.index()].as_ref()),
            };
            format!("{}: {does}", side_word(side))
        });
        told.push((format!("{who}{pool}"), lines.to_vec()));
    }
    told
}

/// How an object stands at the end of both logs.
pub(super) fn states(story: &BothStory, object: &Paired) -> Vec<String> {
    Side::BOTH
        .iter()
        .filter_map(|side| {
            let own = story.object(object, *side)?;
            let state = state(&story.sides[side.index()], own);
            (!state.is_empty()).then(|| format!("at the end of the {}: {state}", side_word(*side)))
        })
        .collect()
}
