//! A whole log: its lines, events, lanes and faults (BEHAVIOUR 8 to 11).

use super::json::{Refused, Value};
use super::opened::{open, read};
use super::rules::{Choices, Rules};
use std::collections::HashMap;
use std::ops::Range;

/// One event; its place in [`Log::events`] is its log time.
#[derive(Clone, Debug)]
pub struct Event {
    /// Physical line, from 1.
    pub line: usize,
    /// Of the line's first byte.
    pub offset: usize,
    /// The trimmed line in the log's bytes.
    pub text: Range<usize>,
    pub tail: Range<usize>,
    pub kind: Value,
    /// As if what was taken out had never been there.
    pub ordinal: Option<u64>,
    /// As the line has it.
    pub written: Option<u64>,
    pub nondeterministic: bool,
    /// Lines of the log stepped over before this one.
    pub skipped_before: usize,
    /// Its log's last line: read strictly in any case.
    pub last: bool,
    /// Log time at which it came to its lane.
    pub time: usize,
    /// Of how many events it was made, and the line they make, if of more than one.
    pub parts: usize,
    pub joined: Option<(Vec<u8>, Range<usize>)>,
}

/// One thread's events (one generation of it).
#[derive(Clone, Debug)]
pub struct Lane {
    pub thread: Vec<Value>,
    pub generation: usize,
    /// Places in [`Log::events`].
    pub events: Vec<usize>,
    /// Log time just after the event that ended it.
    pub ended: Option<usize>,
    /// The first of its events, also where that was taken out.
    pub first: usize,
    /// Those that say something of objects, parts of others included; known once events were taken out.
    pub said: Vec<usize>,
    by_end_event: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub line: usize,
    pub offset: usize,
    pub why: &'static str,
}

/// A log read to its end.
#[derive(Debug)]
pub struct Log<'a> {
    pub bytes: &'a [u8],
    pub events: Vec<Event>,
    /// In order of their first lines.
    pub lanes: Vec<Lane>,
    pub faults: Vec<Fault>,
    pub torn: bool,
    pub ended_by_fault: bool,
    pub lines_skipped: usize,
}

impl Log<'_> {
    pub fn text<'e>(&'e self, event: &'e Event) -> &'e [u8] {
        event.joined.as_ref().map_or(self.written(event), |(text, _)| text)
    }

    pub fn tail<'e>(&'e self, event: &'e Event) -> &'e [u8] {
        event.joined.as_ref().map_or(self.written_tail(event), |(text, tail)| &text[tail.clone()])
    }

    /// The line as the log has it.
    pub fn written(&self, event: &Event) -> &[u8] {
        &self.bytes[event.text.clone()]
    }

    pub fn written_tail(&self, event: &Event) -> &[u8] {
        &self.bytes[event.tail.clone()]
    }

    pub fn threads(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.generation == 0).count()
    }

    pub fn lane_event(&self, lane: &Lane, position: usize) -> Option<&Event> {
        lane.events.get(position).map(|&at| &self.events[at])
    }
}

/// The physical lines that are not blank: number, offset, trimmed range, whether a line feed ends it.
fn lines(bytes: &[u8]) -> Vec<(usize, usize, Range<usize>, bool)> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let terminated = line.ends_with(b"\n");
        let mut from = start;
        let mut to = start + line.len() - usize::from(terminated);
        if at == 0 && line.starts_with(b"\xef\xbb\xbf") {
            from += 3;
        }
        while from < to && matches!(bytes[from], b' ' | b'\t' | b'\r') {
            from += 1;
        }
        while from < to && matches!(bytes[to - 1], b' ' | b'\t' | b'\r') {
            to -= 1;
        }
        if from < to {
            out.push((at + 1, start, from..to, terminated));
        }
        start += line.len();
    }
    out
}

/// Reads a log; the error is a missing or wrong header.
pub fn read_log<'a>(bytes: &'a [u8], rules: &Rules, choices: &Choices) -> Result<Log<'a>, &'static str> {
    let mut log = Log {
        bytes,
        events: Vec::new(),
        lanes: Vec::new(),
        faults: Vec::new(),
        torn: false,
        ended_by_fault: false,
        lines_skipped: 0,
    };
    let mut lines = lines(bytes);
    if let Some((_, _, text, terminated)) = lines.last()
        && !terminated
        && !is_whole(&bytes[text.clone()])
    {
        log.torn = true;
        lines.pop();
    }
    let last_line = lines.last().map(|line| line.0);
    let mut rest = lines.into_iter();
    if rules.header.is_some() {
        let (_, _, text, _) = rest.next().ok_or("no header")?;
        check_header(&bytes[text], rules)?;
    }
    let mut threads: HashMap<String, usize> = HashMap::new();
    for (line, offset, text, _) in rest {
        let opened = open(&bytes[text.clone()], rules, choices.skip_nondeterministic).and_then(|opened| {
            lane_of(&mut log, &mut threads, &opened.thread, opened.ordinal).map(|lane| (opened, lane))
        });
        match opened {
            Ok((opened, lane)) => {
                let at = log.events.len();
                let lane = &mut log.lanes[lane];
                lane.events.push(at);
                if rules.end.as_ref().is_some_and(|end| opened.kind.as_str() == Some(end)) {
                    lane.ended = Some(at + 1);
                    lane.by_end_event = true;
                }
                log.events.push(Event {
                    line,
                    offset,
                    tail: text.start + opened.tail.start..text.start + opened.tail.end,
                    text,
                    kind: opened.kind,
                    ordinal: opened.ordinal,
                    written: opened.ordinal,
                    nondeterministic: opened.nondeterministic,
                    skipped_before: log.lines_skipped,
                    last: Some(line) == last_line && !log.torn,
                    time: at,
                    parts: 1,
                    joined: None,
                });
            }
            Err(Refused { at, why }) => {
                log.faults.push(Fault { line, offset: text.start + at, why });
                if !choices.skip_malformed {
                    log.ended_by_fault = true;
                    break;
                }
                log.lines_skipped += 1;
            }
        }
    }
    Ok(log)
}

fn check_header(text: &[u8], rules: &Rules) -> Result<(), &'static str> {
    let Some((kind, version_path, version)) = &rules.header else { return Ok(()) };
    let header = read(text, rules).map_err(|_| "a damaged header")?;
    let kind_path = rules.kind.as_ref().expect("a header has a kind");
    if header.at(kind_path).and_then(Value::as_str) != Some(kind) {
        return Err("no header");
    }
    match header.at(version_path).and_then(Value::as_integer) {
        Some(found) if found == i128::from(*version) => Ok(()),
        _ => Err("a foreign version"),
    }
}

/// The lane an event with this thread and ordinal belongs to; a new one where it begins one.
fn lane_of(
    log: &mut Log,
    threads: &mut HashMap<String, usize>,
    thread: &[Value],
    ordinal: Option<u64>,
) -> Result<usize, Refused> {
    let key = format!("{thread:?}");
    let next = log.lanes.len();
    let generation = match threads.get(&key) {
        None => 0,
        Some(&current) => {
            let now = log.events.len();
            let lane = &mut log.lanes[current];
            let before = lane.events.last().and_then(|&at| log.events[at].ordinal);
            match (before, ordinal) {
                _ if lane.by_end_event => {}
                (Some(before), Some(ordinal)) if ordinal > before => return Ok(current),
                (Some(before), Some(0)) if before > 0 => lane.ended = Some(now + 1),
                (Some(_), Some(_)) => return Err(Refused { at: 0, why: "the ordinal does not grow" }),
                _ => return Ok(current),
            }
            lane.generation + 1
        }
    };
    threads.insert(key, next);
    let first = log.events.len();
    let (thread, events) = (thread.to_vec(), Vec::new());
    log.lanes.push(Lane { thread, generation, events, ended: None, first, said: Vec::new(), by_end_event: false });
    Ok(next)
}

/// True where a line's own beginning, up to the colon after its first key, stands in it twice.
pub fn looks_glued(line: &[u8]) -> bool {
    let mut at = 1;
    while line.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        at += 1;
    }
    if line.get(at) != Some(&b'"') {
        return false;
    }
    at += 1;
    while line.get(at).is_some_and(|&byte| byte != b'"') {
        at += if line[at] == b'\\' { 2 } else { 1 };
    }
    let Some(colon) = line.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b':')) else { return false };
    let head = &line[..at + colon + 1];
    line[1..].windows(head.len()).any(|window| window == head)
}

/// Torn is what a crash leaves: a line that is no whole value.
fn is_whole(line: &[u8]) -> bool {
    super::json::parse_line(line).is_ok()
}
