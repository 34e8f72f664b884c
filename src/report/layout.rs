//! One divergence laid out: what stood before, the place itself, its fields, what follows.

use super::bits;
use super::doc::whole_characters;
use super::hints::show_command;
use super::meaning;
use super::origin;
use super::story::{Story, ended_side};
use super::summary::summary_of;
use super::visible::{counted, grouped, visible};
use crate::diverge::{Divergence, DivergenceKind, EventCopy, Pairing};
use crate::source::{Side, SourceError};

/// A divergence ready to paint. All texts are safe to show, `raw` excepted.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    /// The file and line of each side's event.
    pub places: [Option<String>; 2],
    /// Equal pairs before, oldest first.
    pub before: Vec<[EventLine; 2]>,
    /// The events of the place itself.
    pub here: [Option<EventLine>; 2],
    pub fields: Vec<Field>,
    /// Differing fields beyond those listed.
    pub fields_more: u64,
    /// Up to three events of each side that follow.
    pub after: [Vec<EventLine>; 2],
    /// Those of them that stand before the sides agree again (all, if they never do).
    pub apart: [Vec<EventLine>; 2],
    /// Those of them that are equal again.
    pub rejoined: Vec<[EventLine; 2]>,
    /// What parts behind it in the same threads, one line each, and where.
    pub further: Vec<(String, String)>,
    /// Sentences: where the sides agree again, what was overlooked.
    pub remarks: Vec<String>,
    /// The command that shows the place again.
    pub command: Option<String>,
}

/// An event in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventLine {
    pub line: u64,
    /// The ordinal or, without one, the position.
    pub number: u64,
    /// `{kind} {rest}`.
    pub text: String,
    /// The line as it stands in the log, or as a rule joined it (as far as kept).
    pub raw: Vec<u8>,
    pub cut_bytes: u64,
}

impl EventLine {
    /// `[{ordinal}] {kind} {rest}`.
    pub(crate) fn told(&self) -> String {
        format!("[{}] {}", self.number, self.text)
    }
}

/// A differing place with both values; an absent side is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub path: String,
    pub values: [Option<String>; 2],
}

/// Lays out one divergence.
pub(crate) fn detail(story: &Story, pairing: &Pairing, found: &Divergence) -> Result<Detail, SourceError> {
    let line = |copy: &EventCopy| event_line(story, copy);
    let here = [found.reference.as_ref().map(line).transpose()?, found.candidate.as_ref().map(line).transpose()?];
    let mut before = Vec::with_capacity(found.before.len());
    for (reference, candidate) in &found.before {
        before.push([line(reference)?, line(candidate)?]);
    }
    let after: [Vec<EventLine>; 2] = [
        found.after_reference.iter().map(line).collect::<Result<_, _>>()?,
        found.after_candidate.iter().map(line).collect::<Result<_, _>>()?,
    ];
    let (mut apart, mut rejoined) = parted(found, &after);
    if let Some(reordered) = &found.reordered {
        // What stands in another order is told as far as it is kept, in both orders.
        let others = |copies: &[EventCopy]| copies.iter().skip(1).map(line).collect::<Result<Vec<_>, _>>();
        apart = [others(&reordered.reference)?, others(&reordered.candidate)?];
        if reordered.order.len() > reordered.reference.len() {
            rejoined.clear();
        }
    }
    let place = |side, event: &Option<EventLine>| event.as_ref().map(|event| story.file_line(side, event.line));
    Ok(Detail {
        places: [place(Side::Reference, &here[0]), place(Side::Candidate, &here[1])],
        before,
        fields: found.differences.iter().map(field).collect(),
        fields_more: found.differences_total.saturating_sub(found.differences.len() as u64),
        after,
        apart,
        rejoined,
        further: pairing.further.iter().map(|found| further(story, found)).collect(),
        remarks: remarks(story, pairing, found),
        command: show_command(story.context, story.outcome, found),
        here,
    })
}

/// Parts what follows at the place where the sides agree again.
fn parted(found: &Divergence, after: &[Vec<EventLine>; 2]) -> ([Vec<EventLine>; 2], Vec<[EventLine; 2]>) {
    let Some(resync) = found.resync else { return (after.clone(), Vec::new()) };
    // Events are counted from the divergence; what follows begins behind the event shown there, if one is.
    let shown = [&found.reference, &found.candidate].map(|event| u64::from(event.is_some()));
    let skipped = [resync.after_reference.max(shown[0]) - shown[0], resync.after_candidate.max(shown[1]) - shown[1]];
    // A pair of which one event is already shown cannot be told as a pair.
    let uneven = resync.after_reference.saturating_sub(shown[0]) + shown[0] != resync.after_reference
        || resync.after_candidate.saturating_sub(shown[1]) + shown[1] != resync.after_candidate;
    if uneven {
        return (after.clone(), Vec::new());
    }
    let at = [0, 1].map(|side: usize| after[side].len().min(skipped[side] as usize));
    let apart = [0, 1].map(|side: usize| after[side][..at[side]].to_vec());
    let equal = usize::try_from(resync.equal_run).unwrap_or(usize::MAX);
    let pairs = after[0][at[0]..].iter().zip(&after[1][at[1]..]).take(equal);
    (apart, pairs.map(|(reference, candidate)| [reference.clone(), candidate.clone()]).collect())
}

fn event_line(story: &Story, copy: &EventCopy) -> Result<EventLine, SourceError> {
    let raw = story.keep.get(copy.text)?;
    let whole = if copy.cut_bytes > 0 { whole_characters(&raw) } else { &raw };
    let summary = summary_of(whole, story.profile, &story.templates);
    let joined = if copy.parts > 1 { format!("({} events joined)", copy.parts) } else { String::new() };
    let parts = [summary.kind, joined, summary.rest];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Ok(EventLine {
        line: copy.line,
        number: copy.ordinal.unwrap_or(copy.position),
        text,
        cut_bytes: copy.cut_bytes,
        raw,
    })
}

fn field(difference: &crate::diverge::Difference) -> Field {
    let value = |value: &Option<Vec<u8>>| value.as_ref().map(|value| visible(&String::from_utf8_lossy(value)));
    let path = visible(&difference.path.dotted());
    Field {
        path: if path.is_empty() { "(whole line)".to_owned() } else { path },
        values: [value(&difference.reference), value(&difference.candidate)],
    }
}

/// A further divergence in one line, and where it stands.
fn further(story: &Story, found: &Divergence) -> (String, String) {
    let places = [(&found.reference, Side::Reference), (&found.candidate, Side::Candidate)];
    let place = places.into_iter().find_map(|(event, side)| Some(story.file_line(side, event.as_ref()?.line)));
    (format!("at {}: {}", grouped(found.position), story.what(found)), place.unwrap_or_default())
}

/// How many events apart from their places of the reference events stand that were moved: as few as explain the order.
fn moved(order: &[usize]) -> Vec<(usize, i64)> {
    // The longest increasing run of places stays; best[at] is the longest that ends there, and what comes before.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(order.len());
    for (at, place) in order.iter().enumerate() {
        let before = (0..at).filter(|other| order[*other] < *place).max_by_key(|other| (best[*other].0, at - other));
        best.push((before.map_or(1, |before| best[before].0 + 1), before));
    }
    let mut stays = vec![false; order.len()];
    let mut at = (0..order.len()).max_by_key(|at| (best[*at].0, order.len() - at));
    while let Some(here) = at {
        stays[here] = true;
        at = best[here].1;
    }
    let moved = (0..order.len()).filter(|at| !stays[*at]);
    moved.map(|at| (order[at], at as i64 - order[at] as i64)).collect()
}

/// What came in another order: the events that were moved, where they are few.
fn reordering(story: &Story, found: &Divergence, order: &[usize]) -> String {
    let moved = moved(order);
    let candidate = story.label(Side::Candidate);
    let mut text =
        format!("The same {} on both sides, in another order", counted(order.len() as u64, "event", "events"));
    if moved.len() <= MOVED_MAX {
        let told = moved.iter().map(|(place, by)| {
            let position = grouped(found.position + *place as u64);
            let way = if *by > 0 { "later" } else { "earlier" };
            format!("that at position {position} comes {} {way}", counted(by.unsigned_abs(), "event", "events"))
        });
        text += &format!(": in {candidate} {}", told.collect::<Vec<_>>().join(", "));
    }
    text + "."
}

/// Of events in another order so many are told one by one.
const MOVED_MAX: usize = 3;

fn remarks(story: &Story, pairing: &Pairing, found: &Divergence) -> Vec<String> {
    let label = |side| story.label(side);
    let mut told: Vec<String> = found.meanings.iter().map(|meaning| meaning::sentence(story, meaning)).collect();
    if found.kind == DivergenceKind::EndedEarly {
        let ended = ended_side(found);
        told.push(format!("{} ends here; {} goes on.", label(ended), label(ended.other())));
    }
    told.extend(bits::sentences(story, &found.differences));
    told.extend(story.follows(found));
    if let Some(late) = pairing.late_start {
        told.push(format!("{}; what is told here is what parts behind that.", story.started_late(Some(late))));
    }
    told.extend(found.reordered.as_ref().map(|reordered| reordering(story, found, &reordered.order)));
    if let Some(resync) = found.resync {
        let passed = resync.after_reference.max(resync.after_candidate).max(1);
        // Nothing else differs behind this place.
        let is_healed = found.healed_after.is_some_and(|events| events <= passed);
        let skipped = |count: u64, side| format!("{} of {}", counted(count, "event", "events"), label(side));
        let over = match (resync.after_reference, resync.after_candidate) {
            (0, 0) | (1, 1) => "right after it".to_owned(),
            (0, candidate) => format!("after {}", skipped(candidate, Side::Candidate)),
            (reference, 0) => format!("after {}", skipped(reference, Side::Reference)),
            (reference, candidate) => {
                format!("after {} and {}", skipped(reference, Side::Reference), skipped(candidate, Side::Candidate))
            }
        };
        let how_long = match is_healed {
            true => "to the end".to_owned(),
            false => format!("for at least {}", counted(resync.equal_run, "event", "events")),
        };
        let mut text = format!("The two agree again {over}, {how_long}");
        match resync.ordinal_shift {
            Some(shift) if shift != 0 => {
                text += &format!("; ordinals of {} are then shifted by {shift:+}.", label(Side::Candidate))
            }
            _ => text.push('.'),
        }
        told.push(text);
        if let Some(events) = found.healed_after.filter(|_| !is_healed) {
            told.push(format!("{}; behind that they agree to the end.", last_difference(events)));
        }
    } else if let Some(events) = found.healed_after {
        let events = counted(events, "event", "events");
        told.push(format!("The two differ for {events} and then agree to the end."));
    } else if matches!(found.kind, DivergenceKind::Value | DivergenceKind::Kind | DivergenceKind::Ordinal) {
        told.push("The two do not agree again within the look-ahead.".to_owned());
    }
    if !found.overlooked.is_empty() {
        told.push(format!("Also different here, but overlooked by rule: {}.", visible(&found.overlooked.join(", "))));
    }
    if found.rank == 1 {
        told.extend(origin::remarks(story));
    }
    if found.after_fault {
        told.push("This stands behind skipped lines, so it may be an echo of them.".to_owned());
    }
    told
}

/// How far the last difference lies behind the one that is told.
fn last_difference(events: u64) -> String {
    format!("The last difference lies within the next {}", counted(events, "event", "events"))
}

/// Where a lane that ends early ended: "after 1,200 of 1,300 events".
pub(crate) fn ended_after(story: &Story, at: usize) -> String {
    let pairing = story.pairing(at);
    let Some(found) = pairing.divergence.as_ref() else { return String::new() };
    let side = ended_side(found);
    let lanes = [&pairing.reference, &pairing.candidate];
    let events = |side: Side| lanes[side.index()].as_ref().map_or(0, |lane| lane.events);
    let last = found.before.last().map(|pair| if side == Side::Reference { pair.0.line } else { pair.1.line });
    let ended = events(side);
    let mut text = match story.context.first_only {
        true => format!("{} ends after {}", story.label(side), counted(ended, "event", "events")),
        false => {
            let of = counted(events(side.other()), "event", "events");
            format!("{} ends after {} of {of}", story.label(side), grouped(ended))
        }
    };
    if let Some(line) = last {
        text += &format!(", {}", story.file_line(side, line));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::diverge::Resync;

    fn laid(kind: DivergenceKind, resync: Option<(u64, u64)>) -> Detail {
        let mut sample = Sample::default();
        let mut found = sample.around(10, kind);
        let resync = resync.map(|(after_reference, after_candidate)| Resync {
            after_reference,
            after_candidate,
            equal_run: 2,
            ordinal_shift: Some(i128::from(after_candidate) - i128::from(after_reference)),
        });
        found.resync = resync;
        match kind {
            DivergenceKind::Missing => found.candidate = None,
            DivergenceKind::Extra => found.reference = None,
            _ => {}
        }
        sample.diverged(1, 2, [20, 20], found);
        let outcome = sample.outcome(Some(0));
        let (profile, context) = (profile(), context());
        let story = Story::new(&outcome, &sample.keep, &profile, &context);
        detail(&story, story.pairing(0), story.divergence(0).unwrap()).unwrap()
    }

    fn shape(detail: &Detail) -> (usize, usize, usize) {
        (detail.apart[0].len(), detail.apart[1].len(), detail.rejoined.len())
    }

    #[test]
    fn what_follows_is_parted_where_the_sides_agree_again() {
        use DivergenceKind::{Extra, Missing, Value};
        assert_eq!(shape(&laid(Value, None)), (3, 3, 0));
        assert_eq!(shape(&laid(Value, Some((1, 1)))), (0, 0, 2));
        assert_eq!(shape(&laid(Missing, Some((1, 0)))), (0, 0, 2));
        assert_eq!(shape(&laid(Missing, Some((3, 0)))), (2, 0, 1));
        assert_eq!(shape(&laid(Extra, Some((0, 2)))), (0, 1, 2));
        assert_eq!(shape(&laid(Missing, Some((200, 0)))), (3, 0, 0));
        // One of the events shown has its partner further on: nothing can be told as a pair.
        assert_eq!(shape(&laid(Value, Some((2, 0)))), (3, 3, 0));
    }
}
