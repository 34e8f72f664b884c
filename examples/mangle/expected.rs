//! What `check` must say of a damaged log.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use forkpoint::cli::size::show_count;
use forkpoint::report::visible;

use super::json;
use super::kinds::is_allowed;
use super::line::trimmed;
use super::piece::{Event, Piece, Says};
use super::reasons;

/// How the events of each thread follow each other.
#[derive(Clone, Debug, Default)]
pub struct Lanes(BTreeMap<String, Lane>);

#[derive(Clone, Debug, Default)]
struct Lane {
    last: Option<u64>,
    ended: bool,
}

impl Lanes {
    /// The next event of the log.
    ///
    /// # Errors
    /// The ordinal of the event before it, above which its own does not lie; it then counts as not given.
    pub fn take(&mut self, event: &Event) -> Result<(), u64> {
        let lane = self.0.entry(event.thread.clone()).or_default();
        if let (false, Some(last), Some(ordinal)) = (lane.ended, lane.last, event.ordinal) {
            let begins_anew = ordinal == 0 && last > 0;
            if ordinal <= last && !begins_anew {
                return Err(last);
            }
        }
        if lane.ended {
            lane.last = None;
        }
        lane.last = event.ordinal.or(lane.last);
        lane.ended = event.ends;
        Ok(())
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.0.len()
    }
}

/// A physical line and what was done to it.
#[derive(Clone, Debug)]
pub struct Marked {
    pub piece: Piece,
    /// The kind of damage; `None` for a line of the sound log.
    pub kind: Option<&'static str>,
    /// The threads that a damage may have changed, and which one.
    pub touches: Vec<(&'static str, String)>,
}

/// A place in a damaged log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Physical line, from 1.
    pub line: u64,
    /// Byte of the log.
    pub offset: u64,
    /// What must be said; `None` where nothing may be.
    pub reason: Option<String>,
    /// The kind of damage that it follows from.
    pub kind: &'static str,
}

/// A damaged log.
#[derive(Clone, Debug, Default)]
pub struct Mangled {
    pub bytes: Vec<u8>,
    /// What must be named, in file order.
    pub faults: Vec<Expected>,
    /// The last line is torn: a note, no fault.
    pub torn: Option<Expected>,
    /// Damage that must not be named, where it begins.
    pub harmless: Vec<Expected>,
    /// Each damage planted, by kind.
    pub planted: Vec<&'static str>,
    /// It is no log of this profile; nothing behind the fault is read.
    pub no_log_of: Option<String>,
    pub lines: u64,
    pub events: u64,
    pub threads: u64,
}

impl Mangled {
    /// The log of these lines, and what must be said of it.
    pub fn of(mark: &[u8], lines: Vec<Marked>, max_line: u64) -> Mangled {
        let mut log = Mangled { bytes: mark.to_vec(), ..Mangled::default() };
        let mut lanes = Lanes::default();
        let mut blame: BTreeMap<String, &'static str> = BTreeMap::new();
        let last = lines.len().saturating_sub(1);
        for (at, Marked { piece, kind, touches }) in lines.into_iter().enumerate() {
            log.lines += 1;
            let offset = log.bytes.len() as u64;
            // A mark in front of the first line counts for its length.
            let len = piece.bytes.len() + if at == 0 { mark.len() } else { 0 };
            let expected = |offset: u64, reason: Option<String>, kind: &'static str| Expected {
                line: at as u64 + 1,
                offset,
                reason,
                kind,
            };
            let touches = touches.into_iter().filter(|(kind, _)| !is_allowed(kind));
            blame.extend(touches.map(|(kind, thread)| (thread, kind)));
            let is_torn = at == last && !piece.bytes.ends_with(b"\n") && !is_value(&piece.bytes);
            match &piece.says {
                _ if len as u64 > max_line => {
                    let start = offset - if at == 0 { mark.len() as u64 } else { 0 };
                    log.faults.push(expected(start, Some(reasons::too_long(len)), kind.unwrap_or(SOUND)));
                }
                Says::Blank => {}
                Says::Header => {}
                Says::Fault(fault) => {
                    let told = expected(offset + fault.at as u64, Some(fault.reason.clone()), kind.unwrap_or(SOUND));
                    if is_torn { log.torn = Some(told) } else { log.faults.push(told) }
                }
                Says::Event(event) => match lanes.take(event) {
                    Ok(()) => {
                        log.events += 1;
                        log.harmless.extend(kind.map(|kind| expected(offset, None, kind)));
                    }
                    Err(before) => {
                        let start = offset + trimmed(&piece.bytes).0 as u64;
                        let reason = reasons::not_growing(before, event.ordinal.unwrap_or_default());
                        let kind = kind.filter(|kind| !is_allowed(kind));
                        let kind = kind.or(blame.get(&event.thread).copied()).unwrap_or(SOUND);
                        log.faults.push(expected(start, Some(reason), kind));
                    }
                },
            }
            if piece.says == Says::Blank {
                log.harmless.extend(kind.map(|kind| expected(offset, None, kind)));
            }
            log.bytes.extend(piece.bytes);
        }
        log.threads = lanes.threads() as u64;
        log
    }

    /// What `forkpoint check --limit all` must print of the log under this name.
    pub fn report(&self, name: &str) -> String {
        let (mut text, name) = (String::new(), visible(name));
        let place = |told: &Expected| format!("{name}:{}: byte {}:", told.line, told.offset);
        let reason = |told: &Expected| visible(told.reason.as_deref().unwrap_or_default());
        for fault in &self.faults {
            writeln!(text, "{} {}", place(fault), reason(fault)).expect("strings take all");
        }
        if let Some(profile) = &self.no_log_of {
            return text + &format!("{name}: no log of profile {profile}\n");
        }
        let verdict = match self.faults.len() as u64 {
            0 => "valid".to_owned(),
            faults => format!("{} malformed", show_count(faults)),
        };
        let counted = |count: u64, noun| format!("{} {noun}{}", show_count(count), if count == 1 { "" } else { "s" });
        let (lines, events) = (counted(self.lines, "line"), counted(self.events, "event"));
        writeln!(text, "{name}: {verdict}: {lines}, {events}, {}", counted(self.threads, "thread"))
            .expect("strings take all");
        if let Some(torn) = &self.torn {
            writeln!(text, "{} note: the last line is torn: {}", place(torn), reason(torn)).expect("strings take all");
        }
        text
    }

    /// Every place, one JSON object a line: what must be named, and what must not.
    pub fn list(&self) -> String {
        let all = self.faults.iter().chain(&self.harmless).map(|told| (told, false));
        let mut all: Vec<_> = all.chain(self.torn.iter().map(|told| (told, true))).collect();
        all.sort_by_key(|(told, _)| (told.line, told.offset));
        let line = |(told, is_note): (&Expected, bool)| {
            let reason = serde_json::Value::from(told.reason.clone());
            let (line, offset, kind) = (told.line, told.offset, told.kind);
            let note = if is_note { ",\"note\":true" } else { "" };
            format!("{{\"line\":{line},\"offset\":{offset},\"reason\":{reason},\"damage\":\"{kind}\"{note}}}\n")
        };
        all.into_iter().map(line).collect()
    }
}

/// What a fault is put down to that no damage explains: a sound line over a limit given by a flag.
const SOUND: &str = "none";

/// Whether a line is one JSON value: if not, and nothing ends it, it is torn.
fn is_value(line: &[u8]) -> bool {
    let (start, end) = trimmed(line);
    json::parse(&line[start..end]).is_ok()
}
