//! Accepted divergences as they are stored: TOML, version 1.
//!
//! | key of `[[accept]]` | meaning |
//! |---|---|
//! | `divergence` | its kind, as reports call it: `value`, `kind`, `ordinal`, `missing`, `extra`, `ended-early`, `unmatched` |
//! | `kind` | the kind of the event at which it is |
//! | `thread`, `generation` | the reference's lane (generation 0 if left out) |
//! | `candidate_thread`, `candidate_generation` | the candidate's lane |
//! | `position` | the place in the lane, from 0, as reports tell it |
//! | `path` | the field that differs, or one above it; for `value`, `kind` and `ordinal` |
//! | `reference`, `candidate` | the field's value on that side; `path` is then the field's own |
//! | `events` | so many events are missing or extra |
//! | `reason` | why this is tolerated: must be said |
//! | `expires` | the last day on which it accepts, as a TOML date |
//! | `link` | where more is told |
//!
//! What is left out is not asked for, but there must be a `position` or a `path` (for `ended-early` and `unmatched` a
//! lane will do). Values are TOML integers, strings and booleans; `{ absent = true }` where the field is not there, and
//! `{ json = "1.50" }` for all else. A thread is an integer, a string, an array of them (a composite key), or
//! `{ json = "…" }`. A key that is not listed here is an error.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::acceptance::{Acceptance, AcceptedLane, Value, What};
use super::judge::passes_events;
use super::outcome::DivergenceKind;
use crate::json::{Pointer, Tape};
use crate::profile::Fault;
use crate::profile::fault::nearest;
use crate::scan::ThreadKey;

/// The version of the stored form that this code reads.
pub const VERSION: i64 = 1;

/// Stands in every reason that is still to be written.
pub const UNSAID: &str = "TODO";

/// The words for kinds of divergences.
pub const KINDS: [(&str, DivergenceKind); 9] = [
    ("value", DivergenceKind::Value),
    ("kind", DivergenceKind::Kind),
    ("ordinal", DivergenceKind::Ordinal),
    ("missing", DivergenceKind::Missing),
    ("extra", DivergenceKind::Extra),
    ("reordered", DivergenceKind::Reordered),
    ("ended-early", DivergenceKind::EndedEarly),
    ("started-late", DivergenceKind::StartedLate),
    ("unmatched", DivergenceKind::Unmatched),
];

/// Reads a file's text to go by it.
///
/// # Errors
/// The first thing that is wrong with it; a reason that still begins with [`UNSAID`] is.
pub fn read(text: &str, file: &str) -> Result<Vec<Acceptance>, Fault> {
    parse(text, file, true)
}

/// Reads a file's text to add to it: reasons may be unsaid.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read_draft(text: &str, file: &str) -> Result<Vec<Acceptance>, Fault> {
    parse(text, file, false)
}

#[derive(Deserialize)]
struct Peek {
    version: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[allow(dead_code, reason = "looked at before all else, by `Peek`")]
    version: i64,
    #[serde(default)]
    accept: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    divergence: Spanned<String>,
    kind: Option<Spanned<toml::Value>>,
    thread: Option<Spanned<toml::Value>>,
    generation: Option<Spanned<u32>>,
    candidate_thread: Option<Spanned<toml::Value>>,
    candidate_generation: Option<Spanned<u32>>,
    position: Option<u64>,
    path: Option<Spanned<String>>,
    reference: Option<Spanned<toml::Value>>,
    candidate: Option<Spanned<toml::Value>>,
    events: Option<Spanned<u64>>,
    reason: Spanned<String>,
    expires: Option<Spanned<Datetime>>,
    link: Option<String>,
}

type Wrong = (Range<usize>, String);

fn parse(text: &str, file: &str, is_final: bool) -> Result<Vec<Acceptance>, Fault> {
    // Editors on Windows put a byte order mark first, which TOML does not know.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let toml_fault = |error: toml::de::Error| Fault::from_toml(file, text, &error);
    let fault = |(span, reason): Wrong| Fault::new(file, text, span, reason);
    let peek: Peek = toml::from_str(text).map_err(toml_fault)?;
    match peek.version {
        None => return Err(fault((0..0, format!("the key `version` is missing; write `version = {VERSION}`")))),
        Some(version) if version.get_ref().as_integer() != Some(VERSION) => {
            let reason =
                format!("version {} is unknown here; this forkpoint reads version {VERSION}", version.get_ref());
            return Err(fault((version.span(), reason)));
        }
        Some(_) => {}
    }
    let document: Document = toml::from_str(text).map_err(toml_fault)?;
    let read = |entry: Entry| {
        let line = text[..entry.divergence.span().start].matches('\n').count() + 1;
        entry.into_acceptance(format!("{file}:{line}"), is_final)
    };
    document.accept.into_iter().map(read).collect::<Result<_, Wrong>>().map_err(fault)
}

impl Entry {
    fn into_acceptance(self, place: String, is_final: bool) -> Result<Acceptance, Wrong> {
        let reason = self.reason.get_ref().trim();
        if reason.is_empty() {
            return Err((self.reason.span(), "say why this is tolerated".to_owned()));
        }
        if is_final && reason.starts_with(UNSAID) {
            return Err((self.reason.span(), "this is still to be said: write why it is tolerated".to_owned()));
        }
        let expires = self.expires.as_ref().map(date).transpose()?;
        let (reason, link) = (reason.to_owned(), self.link.clone());
        Ok(Acceptance { place, what: self.into_what()?, reason, link, expires })
    }

    fn into_what(self) -> Result<What, Wrong> {
        let (place, word) = (self.divergence.span(), self.divergence.get_ref());
        let Some((_, divergence)) = KINDS.iter().find(|(known, _)| known == word) else {
            let known = KINDS.map(|(known, _)| known);
            let similar = nearest(word, known).map_or_else(String::new, |word| format!(" (did you mean {word}?)"));
            return Err((place, format!("{word:?} is no kind of divergence{similar}; there are {}", known.join(", "))));
        };
        let has_fields = matches!(divergence, DivergenceKind::Value | DivergenceKind::Kind | DivergenceKind::Ordinal);
        let passes_events = passes_events(*divergence);
        if let Some(path) = self.path.as_ref().filter(|_| !has_fields) {
            return Err((path.span(), format!("where events are {word} no field differs; leave the path out")));
        }
        if let Some(events) = self.events.as_ref().filter(|_| !passes_events) {
            return Err((
                events.span(),
                format!(
                    "only missing, extra and reordered events, and those before a late start, are counted, not {word}"
                ),
            ));
        }
        if let Some(value) = self.reference.as_ref().or(self.candidate.as_ref()).filter(|_| self.path.is_none()) {
            return Err((value.span(), "of which field is this the value? name its path".to_owned()));
        }
        let lanes = [
            lane(self.thread, self.generation, "generation", "thread")?,
            lane(self.candidate_thread, self.candidate_generation, "candidate_generation", "candidate_thread")?,
        ];
        let is_of_a_lane = !has_fields && !passes_events && lanes.iter().any(Option::is_some);
        if self.position.is_none() && self.path.is_none() && !is_of_a_lane {
            let or = match (has_fields, passes_events) {
                (true, _) => " or a path",
                (_, true) => "",
                _ => " or a thread",
            };
            return Err((place, format!("this would accept every such divergence; say which by a position{or}")));
        }
        Ok(What {
            divergence: *divergence,
            kind: self.kind.as_ref().map(value).transpose()?,
            lanes,
            position: self.position,
            path: self.path.as_ref().map(path).transpose()?,
            values: [self.reference.as_ref().map(value).transpose()?, self.candidate.as_ref().map(value).transpose()?],
            events: self.events.map(Spanned::into_inner),
        })
    }
}

fn path(text: &Spanned<String>) -> Result<Pointer, Wrong> {
    Pointer::parse(text.get_ref()).map_err(|error| (text.span(), error.to_string()))
}

fn date(expires: &Spanned<Datetime>) -> Result<toml::value::Date, Wrong> {
    match expires.get_ref() {
        Datetime { date: Some(date), time: None, offset: None } => Ok(*date),
        _ => Err((expires.span(), "write a date without a time, as in 2027-01-31".to_owned())),
    }
}

fn lane(
    thread: Option<Spanned<toml::Value>>,
    generation: Option<Spanned<u32>>,
    key: &str,
    thread_key: &str,
) -> Result<Option<AcceptedLane>, Wrong> {
    match (thread, generation) {
        (Some(thread), generation) => {
            let wrong = || (thread.span(), "a thread is an integer, a string, or an array of them".to_owned());
            let key = thread_of(thread.get_ref()).ok_or_else(wrong)?;
            Ok(Some(AcceptedLane { thread: key, generation: generation.map_or(0, Spanned::into_inner) }))
        }
        (None, Some(generation)) => Err((generation.span(), format!("{key} needs {thread_key}"))),
        (None, None) => Ok(None),
    }
}

fn thread_of(value: &toml::Value) -> Option<ThreadKey> {
    match value {
        toml::Value::Integer(number) => Some(ThreadKey::Integer(*number)),
        toml::Value::String(text) => Some(ThreadKey::Text(text.as_bytes().into())),
        toml::Value::Array(parts) if !parts.is_empty() => {
            let part = |part: &toml::Value| thread_of(part).filter(|key| !matches!(key, ThreadKey::Composite(_)));
            Some(ThreadKey::Composite(parts.iter().map(part).collect::<Option<_>>()?))
        }
        toml::Value::Table(table) => {
            let token = json_of(table).and_then(|text| sound(text).ok())?;
            ThreadKey::of_token(&token)
        }
        _ => None,
    }
}

/// `{ json = "…" }`.
fn json_of(table: &toml::Table) -> Option<&str> {
    table.get("json").filter(|_| table.len() == 1)?.as_str()
}

fn value(value: &Spanned<toml::Value>) -> Result<Value, Wrong> {
    let wrong = |reason: String| (value.span(), reason);
    match value.get_ref() {
        toml::Value::Integer(number) => Ok(Value::Json(number.to_string().into_bytes())),
        toml::Value::Boolean(truth) => Ok(Value::Json(truth.to_string().into_bytes())),
        toml::Value::String(text) => Ok(Value::Json(serde_json::to_vec(text).expect("a string is always JSON"))),
        toml::Value::Table(table) if table.len() == 1 && table.get("absent") == Some(&toml::Value::Boolean(true)) => {
            Ok(Value::Absent)
        }
        toml::Value::Table(table) => match json_of(table) {
            Some(text) => sound(text).map(Value::Json).map_err(wrong),
            None => Err(wrong("write { json = \"…\" } or { absent = true }".to_owned())),
        },
        _ => Err(wrong("write it as { json = \"…\" }, so that nothing of it is lost".to_owned())),
    }
}

fn sound(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim().as_bytes();
    let mut tape = Tape::default();
    match tape.parse(text, 1) {
        Ok(()) => Ok(text.to_vec()),
        Err(fault) => Err(format!("this is no JSON: {} at byte {}", fault.reason, fault.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_entry(said: &str) -> Result<Acceptance, String> {
        let text = format!("version = 1\n[[accept]]\n{said}\nreason = 'r'\n");
        read(&text, "known.toml").map(|mut entries| entries.remove(0)).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let text = "# known\nversion = 1\n\n[[accept]]\ndivergence = 'value'\nkind = 'call'\nthread = [6, 'a']\n\
            generation = 2\ncandidate_thread = { json = '18446744073709551616' }\nposition = 41\npath = 'payload.x'\n\
            reference = { absent = true }\ncandidate = { json = ' [1.50, null] ' }\nreason = ' a bug '\n\
            expires = 2027-01-31\nlink = 'https://bugs/3'\n";
        let entry = &read(text, "known.toml").unwrap()[0];
        assert_eq!((entry.place.as_str(), entry.reason.as_str()), ("known.toml:5", "a bug"));
        assert_eq!(entry.link.as_deref(), Some("https://bugs/3"));
        assert_eq!(entry.expires.unwrap().to_string(), "2027-01-31");
        let parts = [ThreadKey::Integer(6), ThreadKey::Text(b"a".as_slice().into())];
        let big = ThreadKey::BigInteger("18446744073709551616".into());
        let json = |text: &str| Value::Json(text.as_bytes().to_vec());
        let what = What {
            divergence: DivergenceKind::Value,
            kind: Some(json("\"call\"")),
            lanes: [
                Some(AcceptedLane { thread: ThreadKey::Composite(parts.into()), generation: 2 }),
                Some(AcceptedLane { thread: big, generation: 0 }),
            ],
            position: Some(41),
            path: Some(Pointer::parse("/payload/x").unwrap()),
            values: [Some(Value::Absent), Some(json("[1.5,null]"))],
            events: None,
        };
        assert_eq!(entry.what, what);
        assert_eq!(read_entry("divergence = 'extra'\nposition = 3\nevents = 2").unwrap().what.events, Some(2));
        assert!(read("version = 1", "known.toml").unwrap().is_empty());
        for (said, token) in [("-7", "-7"), ("true", "true"), ("'a \"'", r#""a \"""#), ("{ json = ' null' }", "null")] {
            let entry = read_entry(&format!("divergence = 'value'\npath = '/x'\ncandidate = {said}")).unwrap();
            assert_eq!(entry.what.values, [None, Some(json(token))], "{said}");
        }
    }

    #[test]
    fn mistakes_are_told_at_their_place() {
        for (said, place, why) in [
            ("divergence = 'valeu'\nposition = 1", "3:14", "(did you mean value?); there are value, kind"),
            ("divergence = 'value'", "3:14", "say which by a position or a path"),
            ("divergence = 'missing'\nthread = 6", "3:14", "say which by a position"),
            ("divergence = 'unmatched'", "3:14", "say which by a position or a thread"),
            ("divergence = 'extra'\npath = '/x'\nposition = 1", "4:8", "no field differs"),
            ("divergence = 'value'\nevents = 1\nposition = 1", "4:10", "only missing, extra and reordered events"),
            ("divergence = 'value'\nposition = 1\nreference = 1", "5:13", "name its path"),
            ("divergence = 'value'\npath = '/x'\ncandidate = 1.5", "5:13", "{ json"),
            ("divergence = 'value'\npath = '/x'\ncandidate = { json = '1.' }", "5:13", "this is no JSON"),
            ("divergence = 'value'\npath = '/x'\ncandidate = { json = '' }", "5:13", "this is no JSON"),
            ("divergence = 'value'\npath = '/x'\ncandidate = { jsn = '1' }", "5:13", "{ absent = true }"),
            ("divergence = 'value'\npath = 'a..b'", "4:8", "a part is empty"),
            ("divergence = 'value'\nposition = 1\nthread = 1.5", "5:10", "an integer, a string"),
            ("divergence = 'value'\nposition = 1\nthread = []", "5:10", "an integer, a string"),
            ("divergence = 'value'\nposition = 1\ngeneration = 1", "5:14", "generation needs thread"),
            ("divergence = 'value'\nposition = 1\ncandidate_generation = 1", "5:24", "needs candidate_thread"),
            ("divergence = 'value'\nposition = -1", "4:12", "invalid value"),
            ("divergence = 'value'\nposition = 1\nexpires = 2027-01-31T00:00:00", "5:11", "a date without a time"),
            ("divergence = 'value'\nplace = 1", "4:1", "unknown field `place`"),
        ] {
            let text = read_entry(said).unwrap_err();
            assert!(text.starts_with(&format!("known.toml:{place}: ")) && text.contains(why), "{said}: {text}");
            assert_eq!(text.lines().count(), 4, "{text}");
        }
        let of = |text: &str| read(text, "known.toml").unwrap_err().to_string();
        assert!(of("[[accept]]\n").starts_with("known.toml:1:1: the key `version` is missing"));
        assert!(of("version = 2\nnews = 1").starts_with("known.toml:1:11: version 2 is unknown here"));
        assert!(of("version = 1\n[[accept]]\ndivergence = 'kind'").contains("missing field `reason`"));
    }

    #[test]
    fn a_reason_must_be_said_before_anything_is_accepted() {
        let text = |reason: &str| {
            format!("version = 1\n[[accept]]\ndivergence = 'value'\nposition = 1\nreason = '{reason}'\n")
        };
        for reason in ["TODO: why is this tolerated?", "  "] {
            let fault = read(&text(reason), "known.toml").unwrap_err();
            assert_eq!((fault.line, fault.column), (5, 10), "{fault}");
        }
        assert!(read_draft(&text("TODO: why is this tolerated?"), "known.toml").is_ok());
        assert!(read(&text("see TODO 4"), "known.toml").is_ok());
    }
}
