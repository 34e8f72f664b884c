//! Where a differing value came from, and between which checkpoints the state parted: found outside, told here.

use super::doc::{Doc, whole_characters};
use super::focus::focus;
use super::json::{thread, value as value_doc};
use super::story::{Story, thread_name};
use super::summary::summary_of;
use super::visible::{bytes, clip, counted, grouped, visible};
use crate::json::Pointer;
use crate::scan::ThreadKey;
use crate::source::Side;

/// The last earlier mentions of the two values of a differing field.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The differing field.
    pub path: Pointer,
    /// Its values' tokens; none where a side has none.
    pub values: [Option<Vec<u8>>; 2],
    /// The last event of each log, before the divergence, that mentions the value.
    pub found: [Option<Mentioned>; 2],
    /// The two were held against each other; none where that is not known.
    pub paired: Option<bool>,
    /// And agreed.
    pub agreed: Option<bool>,
    /// Bytes of each log before the divergence that were searched.
    pub searched_bytes: [u64; 2],
    /// The search ended there and not at the log's beginning.
    pub limited: [bool; 2],
    /// Why a value was not looked for.
    pub why_not: [Option<String>; 2],
}

/// An event that mentions a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Mentioned {
    pub at: EventPlace,
    pub thread: ThreadKey,
    pub generation: u32,
    /// The trimmed line.
    pub text: Vec<u8>,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPlace {
    /// Physical line, from 1.
    pub line: u64,
    /// Of the line's first byte.
    pub offset: u64,
    /// In its lane as the log has it, from 0; none where rules take events out.
    pub position: Option<u64>,
    pub ordinal: Option<u64>,
}

/// The checkpoints of one thread between which the state parted.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointWindow {
    /// The last at which both sides agree.
    pub good: Option<[EventPlace; 2]>,
    /// The first at which they differ.
    pub bad: [EventPlace; 2],
    /// None of the events between tells why; else one of them is the divergence.
    pub is_unexplained: bool,
    /// Events of the thread between the two.
    pub events_between: Option<u64>,
    /// What of the state differs, by the names of the checkpoint's own fields.
    pub record_next: Vec<String>,
    /// Why no earlier checkpoint is told.
    pub why_not: Option<String>,
}

/// Bytes of a line that are shown.
const TEXT_BYTES_MAX: usize = 4 << 10;
/// Longer values and events are cut for people.
const VALUE_COLUMNS_MAX: usize = 32;
const EVENT_COLUMNS_MAX: usize = 48;

/// What people are told of both, one text each.
pub(crate) fn remarks(story: &Story) -> Vec<String> {
    let origin = story.context.origin.as_ref().map(|origin| origin_text(story, origin));
    let window = story.context.checkpoint.as_ref().map(|window| window_text(story, window));
    origin.into_iter().chain(window).collect()
}

fn origin_text(story: &Story, origin: &Origin) -> String {
    if let ([Some(why), Some(other)], [Some(reference), Some(candidate)]) = (&origin.why_not, &origin.values)
        && why == other
    {
        let [reference, candidate] = both_texts(reference, candidate);
        let [left, right] = Side::BOTH.map(|side| story.label(side));
        return format!(
            "Where {} {reference} and {} {candidate} come from was not looked for: {}.",
            of(&left),
            of(&right),
            visible(why)
        );
    }
    if let [Some(reference), Some(candidate)] = &origin.values
        && origin.found.iter().all(Option::is_none)
        && origin.why_not.iter().all(Option::is_none)
        && origin.limited[0] == origin.limited[1]
    {
        let [reference, candidate] = both_texts(reference, candidate);
        let searched = bytes(origin.searched_bytes[0].max(origin.searched_bytes[1]));
        let extent = match origin.limited[0] {
            true => format!("in the {searched} before (--origin-limit)"),
            false => format!("before ({searched} searched)"),
        };
        return format!("Where the value comes from: neither {reference} nor {candidate} is mentioned {extent}.");
    }
    let [reference, candidate] = Side::BOTH.map(|side| side_text(story, origin, side));
    let mut text = format!("Where the value comes from: {reference}; {candidate}.");
    if origin.found.iter().all(Option::is_some) {
        text += match (origin.paired, origin.agreed) {
            (Some(true), Some(true)) => " The two events are partners and agree.",
            (Some(true), Some(false)) => " The two events are partners and differ.",
            (Some(true), None) => " The two events are partners.",
            (Some(false), _) => " The two events are not partners.",
            (None, _) => " Whether the two events are partners is not known.",
        };
    }
    text
}

/// "canary's", "ours'".
fn of(label: &str) -> String {
    format!("{label}'{}", if label.ends_with('s') { "" } else { "s" })
}

/// Of long ones the part in which they differ.
fn both_texts(reference: &[u8], candidate: &[u8]) -> [String; 2] {
    let [reference, candidate] = [reference, candidate].map(|token| visible(&String::from_utf8_lossy(token)));
    focus(&reference, &candidate, VALUE_COLUMNS_MAX).map(|value| value.text())
}

fn value_text(token: &[u8]) -> String {
    clip(&visible(&String::from_utf8_lossy(token)), VALUE_COLUMNS_MAX)
}

fn side_text(story: &Story, origin: &Origin, side: Side) -> String {
    let at = side.index();
    let label = story.label(side);
    let Some(value) = &origin.values[at] else { return format!("{label} has no value there") };
    let value = value_text(value);
    if let Some(why) = &origin.why_not[at] {
        return format!("{} {value} was not looked for: {}", of(&label), visible(why));
    }
    let Some(found) = &origin.found[at] else {
        let searched = bytes(origin.searched_bytes[at]);
        return match origin.limited[at] {
            true => format!("{label} mentions {value} nowhere in the {searched} before (--origin-limit)"),
            false => format!("{label} mentions {value} nowhere before ({searched} searched)"),
        };
    };
    let name = match &found.thread {
        ThreadKey::Single => String::new(),
        thread => format!(" in thread {}", thread_name(thread, found.generation)),
    };
    let position = found.at.position.map_or_else(String::new, |at| format!(" at position {}", grouped(at)));
    let told = summary_of(&found.text, story.profile, &story.templates);
    let event = clip(format!("{} {}", told.kind, told.rest).trim(), EVENT_COLUMNS_MAX);
    let place = story.file_line(side, found.at.line);
    format!("{} {value} was last seen{name}{position} ({place}, {event})", of(&label))
}

fn window_text(story: &Story, window: &CheckpointWindow) -> String {
    let lines =
        |places: &[EventPlace; 2]| Side::BOTH.map(|side| story.file_line(side, places[side.index()].line)).join(", ");
    let told = |places: &[EventPlace; 2]| match places[0].position {
        Some(position) => format!("position {} ({})", grouped(position), lines(places)),
        None => lines(places),
    };
    let bad = told(&window.bad);
    let mut text = match (&window.good, &window.why_not) {
        (Some(good), _) => {
            format!("The state agrees at the checkpoint at {} and differs at the one at {bad}", told(good))
        }
        (None, Some(why)) => format!("The state differs at the checkpoint at {bad}; the one before: {}", visible(why)),
        (None, None) => format!("The state differs at the checkpoint at {bad}, the first of this thread"),
    };
    if !window.is_unexplained {
        return text + "; this divergence lies between.";
    }
    text += &match window.events_between {
        None if window.good.is_none() => "; none of the events before it differs. Record more of them".to_owned(),
        Some(0) => "; no event lies between. Record what happens there".to_owned(),
        Some(events) => {
            let (events, those) = (counted(events, "event", "events"), if events == 1 { "it" } else { "them" });
            format!("; of the {events} between none differs. Record more between {those}")
        }
        None => "; none of the events between differs. Record more between them".to_owned(),
    };
    if !window.record_next.is_empty() {
        text += &format!(", {} first", visible(&window.record_next.join(", ")));
    }
    text + "."
}

/// The key `origin` of the JSON report.
pub(crate) fn origin_doc(origin: &Origin) -> Doc {
    let side = |side: Side| {
        let value = origin.values[side.index()].as_ref().map_or_else(Doc::null, |token| value_doc(token));
        Doc::or_null(origin.found[side.index()].as_ref().map(|found| mentioned_doc(found, value)))
    };
    let truth = |known: Option<bool>| Doc::or_null(known.map(Doc::boolean));
    let why = Side::BOTH.into_iter().filter_map(|side| {
        let name = if side == Side::Reference { "reference" } else { "candidate" };
        Some(format!("{name}: {}", origin.why_not[side.index()].as_ref()?))
    });
    let why = why.collect::<Vec<_>>().join("; ");
    Doc::object([
        ("path", Doc::text(&origin.path.to_string())),
        ("reference", side(Side::Reference)),
        ("candidate", side(Side::Candidate)),
        ("paired", truth(origin.paired)),
        ("agreed", truth(origin.agreed)),
        ("searched_bytes", Doc::Array(origin.searched_bytes.iter().map(Doc::number).collect())),
        ("why_not", Doc::or_null((!why.is_empty()).then(|| Doc::text(&why)))),
    ])
}

fn mentioned_doc(found: &Mentioned, value: Doc) -> Doc {
    let kept = match found.text.len() > TEXT_BYTES_MAX {
        true => whole_characters(&found.text[..TEXT_BYTES_MAX]),
        false => &found.text,
    };
    let mut doc = Doc::object([
        ("value", value),
        ("line", Doc::number(found.at.line)),
        ("offset", Doc::number(found.at.offset)),
        ("tid", thread(&found.thread)),
        ("generation", Doc::number(found.generation)),
        ("position", Doc::or_null(found.at.position.map(Doc::number))),
        ("ordinal", Doc::or_null(found.at.ordinal.map(Doc::number))),
        ("text", Doc::text(&String::from_utf8_lossy(kept))),
    ]);
    if kept.len() < found.text.len() {
        doc.add("cut_bytes", Doc::number(found.text.len() - kept.len()));
    }
    doc
}

/// The key `checkpoint` of the JSON report.
pub(crate) fn checkpoint_doc(window: &CheckpointWindow) -> Doc {
    let place = |place: &EventPlace| {
        Doc::object([
            ("line", Doc::number(place.line)),
            ("offset", Doc::number(place.offset)),
            ("position", Doc::or_null(place.position.map(Doc::number))),
            ("ordinal", Doc::or_null(place.ordinal.map(Doc::number))),
        ])
    };
    let both =
        |places: &[EventPlace; 2]| Doc::object([("reference", place(&places[0])), ("candidate", place(&places[1]))]);
    Doc::object([
        ("good", Doc::or_null(window.good.as_ref().map(both))),
        ("bad", both(&window.bad)),
        ("events_between", Doc::or_null(window.events_between.map(Doc::number))),
        ("unexplained", Doc::boolean(window.is_unexplained)),
        ("record_next", Doc::Array(window.record_next.iter().map(|name| Doc::text(name)).collect())),
        ("why_not", Doc::or_null(window.why_not.as_ref().map(|why| Doc::text(why)))),
    ])
}
