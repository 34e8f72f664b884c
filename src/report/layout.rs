//! One divergence laid out: what stood before, the place itself, its fields, what follows.

use super::doc::whole_characters;
use super::hints::show_command;
use super::meaning;
use super::story::{Story, ended_side};
use super::summary::summary_of;
use super::visible::{counted, grouped, visible};
use crate::diverge::{Divergence, DivergenceKind, EventCopy};
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
pub(crate) fn detail(story: &Story, found: &Divergence) -> Result<Detail, SourceError> {
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
    let (apart, rejoined) = parted(found, &after);
    let place = |side, event: &Option<EventLine>| event.as_ref().map(|event| story.file_line(side, event.line));
    Ok(Detail {
        places: [place(Side::Reference, &here[0]), place(Side::Candidate, &here[1])],
        before,
        fields: found.differences.iter().map(field).collect(),
        fields_more: found.differences_total.saturating_sub(found.differences.len() as u64),
        after,
        apart,
        rejoined,
        remarks: remarks(story, found),
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

fn remarks(story: &Story, found: &Divergence) -> Vec<String> {
    let label = |side| story.label(side);
    let mut told: Vec<String> = found.meanings.iter().map(|meaning| meaning::sentence(story, meaning)).collect();
    if found.kind == DivergenceKind::EndedEarly {
        let ended = ended_side(found);
        told.push(format!("{} ends here; {} goes on.", label(ended), label(ended.other())));
    }
    if let Some(resync) = found.resync {
        let skipped = |count: u64, side| format!("{} of {}", counted(count, "event", "events"), label(side));
        let over = match (resync.after_reference, resync.after_candidate) {
            (0, 0) | (1, 1) => "right after it".to_owned(),
            (0, candidate) => format!("after {}", skipped(candidate, Side::Candidate)),
            (reference, 0) => format!("after {}", skipped(reference, Side::Reference)),
            (reference, candidate) => {
                format!("after {} and {}", skipped(reference, Side::Reference), skipped(candidate, Side::Candidate))
            }
        };
        let mut text =
            format!("The two agree again {over}, for at least {}", counted(resync.equal_run, "event", "events"));
        match resync.ordinal_shift {
            Some(shift) if shift != 0 => {
                text += &format!("; ordinals of {} are then shifted by {shift:+}.", label(Side::Candidate))
            }
            _ => text.push('.'),
        }
        told.push(text);
    } else if matches!(found.kind, DivergenceKind::Value | DivergenceKind::Kind | DivergenceKind::Ordinal) {
        told.push("The two do not agree again within the look-ahead.".to_owned());
    }
    if !found.overlooked.is_empty() {
        told.push(format!("Also different here, but overlooked by rule: {}.", visible(&found.overlooked.join(", "))));
    }
    if found.after_fault {
        told.push("This stands behind skipped lines, so it may be an echo of them.".to_owned());
    }
    told
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
        detail(&story, story.divergence(0).unwrap()).unwrap()
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
