//! Events by which one thread makes another go on, found in the part of a log that holds its divergences.

use std::sync::Arc;

use ahash::AHashMap;
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::align::{Intake, event_of};
use crate::json::tape::{self, fixed_state};
use crate::json::{Kind, Tape, text};
use crate::profile::{About, Condition, EdgeEnd, Glance, Profile, StrictReader};
use crate::scan::{Opener, ScanOptions, ThreadKey, lines_from, pieces, scan_window};
use crate::source::{SourceError, Window};

/// More of a log is not looked at.
pub const LOOKED_AT_MAX: u64 = 256 << 20;
/// Bytes held at a time, and of those so many by one worker.
const BATCH: usize = 16 << 20;
const PIECE: usize = 1 << 20;

/// The part of a log to be looked at: from the beginning of a line to the end of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    pub offset: u64,
    /// Physical lines, from 1.
    pub first_line: u64,
    pub last_line: u64,
}

/// An event at an end of an edge.
#[derive(Clone, Debug)]
pub struct EdgeEvent {
    /// Physical line, from 1.
    pub line: u64,
    pub lane: usize,
    /// The edge's number in the profile.
    pub rule: usize,
    pub end: End,
    /// What it is about, as text.
    pub told: Box<[u8]>,
}

/// What an event does at its end of an edge.
#[derive(Clone, Debug)]
pub enum End {
    /// It makes go on whoever waits for these, each by its digest.
    From(SmallVec<[u64; 1]>),
    /// It makes the thread of this key.
    Makes(ThreadKey),
    /// It follows from what makes one of these go on.
    To(SmallVec<[u64; 1]>),
}

/// The ends of a profile's edges, by kind of event.
struct Ends<'p> {
    by_kind: AHashMap<&'p [u8], Vec<Sought<'p>>>,
    of_any: Vec<Sought<'p>>,
    strict: StrictReader,
}

/// An end of an edge that is looked for.
#[derive(Clone)]
struct Sought<'p> {
    rule: usize,
    is_from: bool,
    end: &'p EdgeEnd,
    glance: Option<Arc<Glance>>,
}

impl<'p> Sought<'p> {
    fn of(rule: usize, is_from: bool, end: &'p EdgeEnd) -> Sought<'p> {
        Sought { rule, is_from, end, glance: Glance::new([&end.when[..]]).map(Arc::new) }
    }

    /// Whether a line may meet it, by its bytes alone.
    fn may_be(&self, line: &[u8]) -> bool {
        self.glance.as_ref().is_none_or(|glance| glance.may_hold(line))
    }
}

impl<'p> Ends<'p> {
    fn of(profile: &'p Profile) -> Ends<'p> {
        let ends = |(rule, edge): (usize, &'p crate::profile::EdgeRule)| {
            let from = edge.from.iter().map(move |end| Sought::of(rule, true, end));
            from.chain(edge.to.iter().map(move |end| Sought::of(rule, false, end)))
        };
        let all: Vec<_> = profile.edge.iter().enumerate().flat_map(ends).collect();
        let serves = |kind: &str| {
            let serves = |end: &EdgeEnd| end.kinds.is_empty() || end.kinds.iter().any(|own| own == kind);
            all.iter().filter(|sought| serves(sought.end)).cloned().collect::<Vec<_>>()
        };
        let mut by_kind = AHashMap::with_hasher(fixed_state());
        for kind in all.iter().flat_map(|sought| &sought.end.kinds) {
            by_kind.entry(kind.as_bytes()).or_insert_with(|| serves(kind));
        }
        let of_any = all.iter().filter(|sought| sought.end.kinds.is_empty()).cloned().collect();
        Ends { by_kind, of_any, strict: StrictReader::new(profile) }
    }

    /// Those that events of a kind, given by its token, may be at.
    fn of_kind(&self, kind: &[u8]) -> &[Sought<'p>] {
        let name = (kind.first() == Some(&b'"')).then(|| text::unescape(kind));
        name.as_ref().and_then(|name| self.by_kind.get(&**name)).unwrap_or(&self.of_any)
    }

    /// What an event is at the ends of edges that are wanted. A malformed line is nothing.
    fn met(
        &self,
        kind: &[u8],
        line: &[u8],
        wanted: Wanted,
        tape: &mut Tape,
        mut take: impl FnMut(usize, End, Box<[u8]>),
    ) {
        let ends = self.of_kind(kind);
        let is_wanted = |sought: &&Sought<'_>| if sought.is_from { wanted.from } else { wanted.to };
        let may_be = ends.iter().filter(is_wanted).any(|sought| sought.may_be(line));
        if !may_be || self.strict.read(line, tape).is_err() {
            return;
        }
        for Sought { rule, is_from, end, .. } in ends.iter().filter(is_wanted) {
            let holds = |asked: &Condition| {
                let node = tape.at(line, Tape::ROOT, &asked.path);
                node.is_some_and(|node| asked.is_met_by(tape.bytes(line, node)))
            };
            if end.when.iter().all(holds)
                && let Some((end, told)) = about(end, *is_from, line, tape)
            {
                take(*rule, end, told);
            }
        }
    }
}

/// What an event names at an end, if it names anything.
fn about(end: &EdgeEnd, is_from: bool, line: &[u8], tape: &Tape) -> Option<(End, Box<[u8]>)> {
    match &end.about {
        About::Thread(paths) => {
            let token = |path| Some(tape.bytes(line, tape.at(line, Tape::ROOT, path)?));
            let tokens: Vec<&[u8]> = paths.iter().map(token).collect::<Option<_>>()?;
            let mut parts: Vec<ThreadKey> =
                tokens.iter().map(|token| ThreadKey::of_token(token)).collect::<Option<_>>()?;
            let key = if parts.len() == 1 { parts.swap_remove(0) } else { ThreadKey::Composite(parts.into()) };
            Some((End::Makes(key), tokens.join(&b", "[..]).into()))
        }
        About::Object(paths) => {
            let mut digests = SmallVec::new();
            let mut told: Option<Box<[u8]>> = None;
            for node in paths.iter().filter_map(|path| tape.at(line, Tape::ROOT, path)) {
                let elements: Vec<usize> = match tape.kind(node) {
                    Kind::ArrayStart => tape.elements(node).collect(),
                    Kind::ObjectStart => Vec::new(),
                    _ => vec![node],
                };
                for element in elements {
                    let token = tape.bytes(line, element);
                    if matches!(token.first(), Some(b'"' | b'-' | b'0'..=b'9')) {
                        digests.push(tape::digest(tape, line, element));
                        told.get_or_insert_with(|| token.into());
                    }
                }
            }
            let told = told?;
            Some((if is_from { End::From(digests) } else { End::To(digests) }, told))
        }
    }
}

/// Whether a trimmed line's event may follow from another thread's.
pub fn may_follow(opener: &Opener, profile: &Profile, line: &[u8]) -> bool {
    let Ok(opened) = opener.open_line(line) else { return false };
    let ends = Ends::of(profile);
    ends.of_kind(opened.kind.of(line)).iter().any(|sought| !sought.is_from && sought.may_be(line))
}

/// Which ends of edges are looked for in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub from: bool,
    pub to: bool,
}

/// Looks through a part of a log that can be read again, and hands on what stands at ends of edges, in the order of
/// lines; says whether it saw all of it. `wanted` says what is looked for in a lane's event on a line.
///
/// # Errors
/// The log cannot be read again.
pub fn look_through(
    intake: &Intake<'_>,
    profile: &Profile,
    between: Between,
    wanted: impl Fn(usize, u64) -> Wanted + Sync,
    mut take: impl FnMut(EdgeEvent),
) -> Result<bool, SourceError> {
    let ends = Ends::of(profile);
    let lanes = Lanes::of(intake);
    let (mut offset, mut line) = (between.offset, between.first_line);
    while line <= between.last_line && offset < intake.log.bytes_read() {
        let room = LOOKED_AT_MAX.saturating_sub(offset - between.offset);
        let lines = if room > 0 { lines_from(intake.log, offset, BATCH, room as usize)? } else { None };
        let Some(lines) = lines else { return Ok(false) };
        let windows: Vec<(Window, u64)> = (pieces(&lines, PIECE).into_iter())
            .map(|window| {
                let first_line = line;
                line += memchr::memchr_iter(b'\n', &window.bytes).count() as u64;
                offset = window.offset + window.bytes.len() as u64;
                (window, first_line)
            })
            .collect();
        let wanted = |lane: usize, line: u64| match line <= between.last_line {
            true => wanted(lane, line),
            false => Wanted::default(),
        };
        let met: Vec<Vec<EdgeEvent>> = (windows.par_iter())
            .map(|(window, first_line)| look(&intake.opener, window, *first_line, &ends, &lanes, wanted))
            .collect();
        met.into_iter().flatten().for_each(&mut take);
    }
    Ok(true)
}

fn look(
    opener: &Opener,
    window: &Window,
    first_line: u64,
    ends: &Ends<'_>,
    lanes: &Lanes<'_>,
    wanted: impl Fn(usize, u64) -> Wanted,
) -> Vec<EdgeEvent> {
    let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
    let scanned = scan_window(opener, window, 0, options);
    let mut events = Vec::new();
    let mut tape = Tape::default();
    for group in &scanned.groups {
        let lanes = lanes.of_thread(&group.thread);
        for span in scanned.spans_of(group) {
            let line = first_line + u64::from(span.row);
            let Some((_, lane)) = lanes.iter().rfind(|(first, _)| *first <= line) else { continue };
            let wanted = wanted(*lane, line);
            if wanted != Wanted::default() {
                let text = span.line_of(&window.bytes);
                ends.met(event_of(&span, text, 0).scalar_kind(), text, wanted, &mut tape, |rule, end, told| {
                    events.push(EdgeEvent { line, lane: *lane, rule, end, told });
                });
            }
        }
    }
    // They were found thread by thread.
    events.sort_by_key(|event| event.line);
    events
}

/// Which lane an event of a thread belongs to, by its line.
struct Lanes<'i> {
    /// Of each thread the first line of each generation.
    by_thread: AHashMap<&'i ThreadKey, Vec<(u64, usize)>>,
}

impl<'i> Lanes<'i> {
    fn of(intake: &'i Intake<'_>) -> Lanes<'i> {
        let mut by_thread: AHashMap<_, Vec<_>> = AHashMap::with_hasher(fixed_state());
        for (at, lane) in intake.lanes.iter().enumerate() {
            by_thread.entry(&lane.thread).or_default().push((lane.first_line, at));
        }
        Lanes { by_thread }
    }

    /// The first line of each generation, and its lane.
    fn of_thread(&self, thread: &ThreadKey) -> &[(u64, usize)] {
        self.by_thread.get(thread).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    #[test]
    fn a_line_that_meets_an_end_is_never_passed_over() {
        let profile = builtin("schema-v1").unwrap();
        let sought = Sought::of(0, true, &profile.edge[0].from[0]);
        for (line, may_be) in [
            (r#"{"payload":{"name":"NtSetEvent"}}"#, true),
            (r#"{"payload":{"name" : "KePulseEvent"}}"#, true),
            (r#"{"payload":{"name":"Nt\u0053etEvent"}}"#, true),
            (r#"{"name":"x","payload":{"args":{"name":1},"name":"NtSetEvent"}}"#, true),
            (r#"{"payload":{"name":"NtSetEvents"}}"#, false),
            (r#"{"payload":{"name":"NtClose","other":"NtSetEvent"}}"#, false),
            (r#"{"payload":{"nam":"NtSetEvent"}}"#, false),
        ] {
            assert_eq!(sought.may_be(line.as_bytes()), may_be, "{line}");
        }
        // Without a condition on a text every line may.
        let waits = Sought::of(0, false, &profile.edge[0].to[0]);
        assert!(waits.may_be(b"{}"));
    }
}
