//! Opening a line the exact way: the only definition of what a line's roles are (BEHAVIOUR 9).
//!
//! The line's top level is walked strictly from the left until every role the profile names
//! has been met. Values that no role names are skipped: scalars by their grammar, strings by
//! quotes and backslashes, containers by brackets. A payload met last is not entered.

use std::sync::Arc;

use smallvec::SmallVec;

use super::fault::{OpenFault, OpenReason};
use super::key::ThreadKey;
use super::layout::Fit;
use super::learned::Learned;
use crate::json::{self, Cursor, Kind, grammar, regular};
use crate::profile::{PayloadRole, Profile, ReadFault, Reading, StrictReader};

/// A byte range inside a trimmed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Part {
    pub start: u32,
    pub end: u32,
}

impl Part {
    fn new(start: usize, end: usize) -> Part {
        Part { start: start as u32, end: end as u32 }
    }

    /// The bytes of this part.
    #[inline]
    pub fn of<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        &line[self.start as usize..self.end as usize]
    }

    /// True where nothing was found.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// What opening a line found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// One token for each path of the thread role.
    pub thread: SmallVec<[Part; 2]>,
    pub ordinal: Option<u64>,
    /// The kind's token; empty where absent.
    pub kind: Part,
    /// The payload's text; meaningless where `payload_missing`.
    pub payload: Part,
    pub payload_missing: bool,
    /// What is compared byte by byte first (BEHAVIOUR 9, the tail).
    pub tail: Part,
    /// Marked by the nondeterministic role, if that is looked for.
    pub nondeterministic: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Thread(usize),
    Ordinal,
    Kind,
    Payload,
    Nondeterministic,
}

#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) role: Role,
    pub(super) key: Vec<u8>,
    /// The tokens of the role's path below its first key.
    pub(super) below: Vec<String>,
}

/// Opens lines under one profile's roles.
#[derive(Clone, Debug)]
pub struct Opener {
    pub(super) wanted: Vec<Wanted>,
    /// Bits of `wanted` that must be met before the walk may stop.
    pub(super) needed: u32,
    pub(super) threads: usize,
    pub(super) whole: bool,
    pub(super) nondeterministic_when: bool,
    /// The nondeterministic role is looked for in every line; else nobody asks what it says.
    find_nondeterministic: bool,
    pub(super) has_ordinal: bool,
    header_kind: Option<Vec<u8>>,
    end_kind: Option<Vec<u8>>,
    thread_names: String,
    ordinal_name: String,
    strict: StrictReader,
    /// The layouts learned from lines opened so far; `None`: every line is opened the exact way.
    pub(super) learned: Option<Arc<Learned>>,
}

impl Opener {
    /// An opener for the profile. With `find_nondeterministic` every line is walked until its
    /// nondeterministic role is met.
    pub fn new(profile: &Profile, find_nondeterministic: bool) -> Opener {
        let roles = &profile.roles;
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut add = |role, path: &json::Pointer| {
            let (first, below) = path.tokens().split_first().expect("roles name a key");
            wanted.push(Wanted { role, key: first.clone().into_bytes(), below: below.to_vec() });
        };
        roles.thread.iter().enumerate().for_each(|(at, path)| add(Role::Thread(at), path));
        roles.ordinal.iter().for_each(|path| add(Role::Ordinal, path));
        roles.kind.iter().for_each(|path| add(Role::Kind, path));
        if let PayloadRole::At(path) = &roles.payload {
            add(Role::Payload, path);
        }
        let named = wanted.len();
        if let Some(role) = &roles.nondeterministic {
            let (first, below) = role.path.tokens().split_first().expect("roles name a key");
            wanted.push(Wanted {
                role: Role::Nondeterministic,
                key: first.clone().into_bytes(),
                below: below.to_vec(),
            });
        }
        let needed = if find_nondeterministic { wanted.len() } else { named };
        Opener {
            needed: (1u32 << needed) - 1,
            wanted,
            threads: roles.thread.len(),
            whole: roles.payload == PayloadRole::Whole,
            find_nondeterministic,
            nondeterministic_when: roles.nondeterministic.as_ref().is_some_and(|role| role.equals),
            has_ordinal: roles.ordinal.is_some(),
            header_kind: profile.header.as_ref().map(|header| header.kind.clone().into_bytes()),
            end_kind: roles.end.clone().map(String::into_bytes),
            thread_names: roles.thread.iter().map(|path| path.dotted()).collect::<Vec<_>>().join(" or "),
            ordinal_name: roles.ordinal.as_ref().map(|path| path.dotted()).unwrap_or_default(),
            strict: StrictReader::new(profile),
            learned: Some(Arc::default()),
        }
    }

    /// The same opener, one that never takes lines apart by layouts.
    #[must_use]
    pub fn without_layouts(self) -> Opener {
        Opener { learned: None, ..self }
    }

    /// Opens a trimmed, non-blank line.
    ///
    /// # Errors
    /// The first offence against the contract; its offset is inside the line.
    pub fn open_line(&self, line: &[u8]) -> Result<Opened, OpenFault> {
        if line.first() != Some(&b'{') {
            return Err(OpenFault::of_start(line));
        }
        if line.last() != Some(&b'}') || line.len() < 2 {
            return Err(OpenFault::of_end(line));
        }
        let mut opened = Opened { payload_missing: !self.whole, ..Opened::default() };
        opened.thread.resize(self.threads, Part::default());
        self.walk(line, &mut opened)?;
        self.complete(line, opened)
    }

    /// Opens a trimmed line and reads the whole of it strictly.
    ///
    /// # Errors
    /// As [`Opener::open_line`]; then the first offence against strict reading.
    pub fn read_line(&self, line: &[u8], reading: &mut Reading) -> Result<Opened, OpenFault> {
        let opened = self.open_line(line)?;
        self.strict.check(line, reading)?;
        Ok(opened)
    }

    /// Whether a line that fits a layout is strictly valid as a whole; `false` too where it is only odd. Of one whose
    /// head is known to be, only the tail is walked if it is one value: no role's key can stand there then.
    pub(super) fn is_surely_sound(&self, line: &[u8], flags: u8, tail: (u32, u32)) -> bool {
        let head_is_strict = flags & super::Span::HEAD_STRICT != 0;
        head_is_strict && ends_with_value(line, tail.0 as usize) || self.strict.is_surely_sound(line)
    }

    /// Walks the members of the line's object until every needed role is met.
    fn walk(&self, line: &[u8], opened: &mut Opened) -> Result<(), OpenFault> {
        let mut met = 0u32;
        let mut at = grammar::skip_space(line, 1);
        if self.needed != 0 && line[at] == b'}' {
            return Self::walked_to(line, at);
        }
        while met & self.needed != self.needed {
            if line.get(at) != Some(&b'"') {
                return Err(json::Reason::KeyMissing.at(at).into());
            }
            let key_end = grammar::string_end(line, at)?;
            let key = &line[at..key_end];
            check_token_utf8(line, at, key_end)?;
            at = grammar::skip_space(line, key_end);
            if line.get(at) != Some(&b':') {
                return Err(json::Reason::ColonMissing.at(at).into());
            }
            at = grammar::skip_space(line, at + 1);
            match self.member(line, key, at, &mut met, opened)? {
                Some(end) => at = grammar::skip_space(line, end),
                None => return Ok(()),
            }
            if met & self.needed == self.needed {
                return Ok(());
            }
            match line.get(at) {
                Some(b',') => at = grammar::skip_space(line, at + 1),
                Some(b'}') => return Self::walked_to(line, at),
                Some(_) => return Err(json::Reason::CommaMissing.at(at).into()),
                None => return Err(json::Reason::EndsEarly.at(at).into()),
            }
        }
        Ok(())
    }

    /// The object closed at `at`: that must be the line's end.
    fn walked_to(line: &[u8], at: usize) -> Result<(), OpenFault> {
        if at + 1 == line.len() { Ok(()) } else { Err(json::Reason::Trailing.at(at + 1).into()) }
    }

    /// Takes one member; returns the end of its value, or `None` where the walk may stop here.
    fn member(
        &self,
        line: &[u8],
        key: &[u8],
        at: usize,
        met: &mut u32,
        opened: &mut Opened,
    ) -> Result<Option<usize>, OpenFault> {
        let mut roles: SmallVec<[usize; 4]> = SmallVec::new();
        let inner = &key[1..key.len() - 1];
        let escaped = inner.contains(&b'\\');
        for (index, wanted) in self.wanted.iter().enumerate() {
            let same = if escaped { json::tape::key_is(key, &wanted.key) } else { inner == wanted.key };
            if same && *met >> index & 1 == 0 {
                roles.push(index);
            }
        }
        if let [only] = roles.as_slice()
            && self.wanted[*only].role == Role::Payload
            && self.wanted[*only].below.is_empty()
            && (*met | 1 << only) & self.needed == self.needed
        {
            *met |= 1 << only;
            let end = line.len() - 1;
            opened.payload = Part::new(at, trim_end(line, at, end));
            opened.tail = Part::new(at.min(end), end);
            opened.payload_missing = false;
            return Ok(None);
        }
        let end = value_end(line, at)?;
        for index in roles {
            let wanted = &self.wanted[index];
            // The first such key counts even if the path ends before its value.
            *met |= 1 << index;
            if let Some(found) = find_below(line, at, end, &wanted.below)? {
                self.take(line, wanted.role, found, opened)?;
            }
        }
        Ok(Some(end))
    }

    fn take(&self, line: &[u8], role: Role, found: Part, opened: &mut Opened) -> Result<(), OpenFault> {
        let token = found.of(line);
        let at = found.start as usize;
        match role {
            Role::Thread(index) => {
                check_thread(line, found, &self.thread_names)?;
                opened.thread[index] = found;
            }
            Role::Ordinal => {
                let number = token.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
                let value = if number { json::number::to_u64(token) } else { None };
                let fault = || OpenReason::BadOrdinal(self.ordinal_name.clone()).at(at);
                opened.ordinal = Some(value.ok_or_else(fault)?);
            }
            Role::Kind => match token[0] {
                b'{' | b'[' => return Err(OpenReason::BadKind.at(at)),
                b'"' => {
                    grammar::string_end(line, at)?;
                    check_token_utf8(line, at, found.end as usize)?;
                    opened.kind = found;
                }
                _ => opened.kind = found,
            },
            Role::Payload => {
                opened.payload = found;
                opened.tail = found;
                opened.payload_missing = false;
            }
            Role::Nondeterministic => {
                let word: &[u8] = if self.nondeterministic_when { b"true" } else { b"false" };
                opened.nondeterministic = self.find_nondeterministic && token == word;
            }
        }
        Ok(())
    }

    /// Checks that what must be there was met.
    fn complete(&self, line: &[u8], mut opened: Opened) -> Result<Opened, OpenFault> {
        if self.is_header_kind(opened.kind.of(line)) {
            return Err(OpenReason::SecondHeader.at(0));
        }
        if opened.thread.iter().any(Part::is_empty) {
            return Err(OpenReason::MissingThread(self.thread_names.clone()).at(0));
        }
        if self.has_ordinal && opened.ordinal.is_none() {
            return Err(OpenReason::MissingOrdinal(self.ordinal_name.clone()).at(0));
        }
        if self.whole {
            opened.payload = Part::new(0, line.len());
            opened.tail = opened.payload;
        }
        Ok(opened)
    }

    /// The thread key whose tokens were found in a line.
    pub fn thread_key(&self, line: &[u8], thread: &[Part]) -> ThreadKey {
        match thread {
            [] => ThreadKey::Single,
            [only] => key_of(only.of(line)),
            parts => ThreadKey::Composite(parts.iter().map(|part| key_of(part.of(line))).collect()),
        }
    }
}

impl From<ReadFault> for OpenFault {
    fn from(fault: ReadFault) -> OpenFault {
        OpenReason::Strict(fault.reason).at(fault.at)
    }
}

/// A strict thread token as a key.
fn key_of(token: &[u8]) -> ThreadKey {
    ThreadKey::of_token(token).expect("opening lets only integers and strings through")
}

fn check_thread(line: &[u8], found: Part, names: &str) -> Result<(), OpenFault> {
    let at = found.start as usize;
    let token = found.of(line);
    match token[0] {
        b'"' => {
            grammar::string_end(line, at)?;
            check_token_utf8(line, at, found.end as usize)
        }
        b'0'..=b'9' | b'-' if json::number::is_integer(token) => Ok(()),
        _ => Err(OpenReason::BadThread(names.to_owned()).at(at)),
    }
}

fn check_token_utf8(line: &[u8], start: usize, end: usize) -> Result<(), OpenFault> {
    let token = &line[start..end];
    if token.is_ascii() {
        return Ok(());
    }
    json::check_utf8(token).map_err(|fault| fault.reason.at(start + fault.at).into())
}

/// The end of the value at `at`, a member of the line's own object.
#[inline]
fn value_end(line: &[u8], at: usize) -> Result<usize, OpenFault> {
    Ok(match line.get(at) {
        Some(b'"') => grammar::string_end_loose(line, at)?,
        Some(b'{' | b'[') => grammar::container_end_loose(line, at, 1)?,
        _ => grammar::scalar_end(line, at)?,
    })
}

/// The value at the path `below` inside the value from `at` to `end`; the first of twin keys.
fn find_below(line: &[u8], at: usize, end: usize, below: &[String]) -> Result<Option<Part>, OpenFault> {
    let Some((first, rest)) = below.split_first() else { return Ok(Some(Part::new(at, end))) };
    if line[at] != b'{' {
        return Ok(None);
    }
    let mut cursor = Cursor::new(&line[at..end], 1);
    let shift = |fault: json::Fault| OpenFault::from(fault.reason.at(at + fault.at));
    cursor.next_token().map_err(shift)?;
    while let Some(token) = cursor.next_token().map_err(shift)? {
        if token.kind != Kind::Key {
            return Ok(None);
        }
        let value = cursor.next_token().map_err(shift)?.expect("a value follows its key");
        let value_end = match value.kind {
            Kind::ObjectStart | Kind::ArrayStart => cursor.skip_container().map_err(shift)?,
            _ => value.end,
        };
        if json::tape::key_is(&line[at + token.start..at + token.end], first.as_bytes()) {
            return find_below(line, at + value.start, at + value_end, rest);
        }
    }
    Ok(None)
}

/// Whether one value stands at `at`, and nothing but the closing brace behind it.
fn ends_with_value(line: &[u8], at: usize) -> bool {
    let end = regular::value_end(line, at, 1, |_, _| {});
    end.is_some_and(|end| grammar::skip_space(line, end) + 1 == line.len())
}

fn trim_end(line: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && matches!(line[end - 1], b' ' | b'\t' | b'\r' | b'\n') {
        end -= 1;
    }
    end.max(start)
}

impl Opener {
    /// [`super::Span::ENDS_THREAD`] where the event's kind is the profile's end kind.
    #[inline]
    pub(super) fn end_flag(&self, line: &[u8], opened: &Opened) -> u8 {
        self.end_flag_of(opened.kind.of(line))
    }

    /// The same for the kind's token; empty where absent.
    #[inline]
    pub(super) fn end_flag_of(&self, kind: &[u8]) -> u8 {
        match &self.end_kind {
            Some(end) if kind.first() == Some(&b'"') && json::tape::key_is(kind, end) => super::Span::ENDS_THREAD,
            _ => 0,
        }
    }

    /// What a line that fits a layout is flagged with; `None` for a header's line, which must take
    /// the exact way.
    pub(super) fn flags_of(&self, fit: &Fit, line: &[u8]) -> Option<u8> {
        let kind = &line[usize::from(fit.kind.0)..usize::from(fit.kind.1)];
        let when = |is: bool, flag: u8| if is { flag } else { 0 };
        let flags = when(self.has_ordinal, super::Span::HAS_ORDINAL)
            | when(fit.tail == (0, 0), super::Span::PAYLOAD_MISSING)
            | when(self.find_nondeterministic && fit.nondeterministic, super::Span::NONDETERMINISTIC)
            | when(fit.strict, super::Span::HEAD_STRICT)
            | self.end_flag_of(kind);
        (!self.is_header_kind(kind)).then_some(flags)
    }

    /// Whether a kind's token (empty where absent) is the header's.
    #[inline]
    pub(super) fn is_header_kind(&self, kind: &[u8]) -> bool {
        let Some(header) = &self.header_kind else { return false };
        kind.first() == Some(&b'"') && json::tape::key_is(kind, header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_end_its_line() {
        for (line, at, is) in [
            (&b"{\"a\":[1] }"[..], 5, true),
            (b"{\"a\":7}", 5, true),
            (b"{\"a\":7,\"b\":1}", 5, false),
            (b"{\"a\":[1}", 5, false),
        ] {
            assert_eq!(ends_with_value(line, at), is, "{}", String::from_utf8_lossy(line));
        }
        for (line, from, end) in [(&b"a \t\r\n"[..], 0, 1), (b"   ", 0, 0), (b" a ", 3, 3), (b"a  ", 2, 2), (b"", 0, 0)]
        {
            assert_eq!(trim_end(line, from, line.len()), end, "{line:?}");
        }
    }
}
