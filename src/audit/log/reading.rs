//! The steps in the events of a window, read as far as the profile asks for.

use std::cell::RefCell;

use ahash::AHashMap;
use smallvec::SmallVec;

use super::step::{Name, Told, integer_of};
use crate::align::event_of;
use crate::json::tape::fixed_state;
use crate::json::{Kind, Pointer, Tape, text};
use crate::profile::{AuditRule, AuditStep, Condition, Glance, Profile, StrictReader};
use crate::scan::{ScannedWindow, ThreadKey};

/// What stands on one line of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Of the window, from 0.
    pub row: u32,
    /// Its thread's group in the window, and its number in that.
    pub group: u32,
    pub index: u32,
    /// Bytes before the line in the window.
    pub start: u32,
    pub what: What,
}

/// What an event is to objects.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A step by the rule of this number.
    Step(u16, Box<Told>),
    /// None; but it shows that its thread no longer waits.
    GoesOn,
}

/// Reads steps by a profile's rules.
pub struct Reader<'p> {
    rules: &'p [AuditRule],
    by_kind: AHashMap<&'p [u8], Serving>,
    of_any: Serving,
    strict: StrictReader,
    /// Where an event's kind stands.
    kind: Option<&'p Pointer>,
}

/// The rules that may serve events of a kind.
struct Serving {
    rules: Vec<u16>,
    glance: Option<Glance>,
}

impl<'p> Reader<'p> {
    pub fn new(profile: &'p Profile) -> Reader<'p> {
        let rules = &profile.audit[..];
        let serving = |kind: Option<&str>| -> Serving {
            let serves = |rule: &AuditRule| {
                rule.kinds.is_empty() || kind.is_some_and(|kind| rule.kinds.iter().any(|own| own == kind))
            };
            let own: Vec<u16> = (0..rules.len() as u16).filter(|at| serves(&rules[usize::from(*at)])).collect();
            let glance = Glance::new(own.iter().map(|at| &rules[usize::from(*at)].when[..]));
            Serving { rules: own, glance }
        };
        let mut by_kind = AHashMap::with_hasher(fixed_state());
        for kind in rules.iter().flat_map(|rule| &rule.kinds) {
            by_kind.entry(kind.as_bytes()).or_insert_with(|| serving(Some(kind)));
        }
        Reader {
            rules,
            by_kind,
            of_any: serving(None),
            strict: StrictReader::new(profile),
            kind: profile.roles.kind.as_ref(),
        }
    }

    /// All steps of a window in the order of lines, and the events that show that a thread goes on: its first in the window, and
    /// each that stands behind a step.
    pub fn read(&self, scanned: &ScannedWindow, window: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut tape = Tape::default();
        for (group, at) in scanned.groups.iter().zip(0..) {
            let mut shows = true;
            for (span, index) in scanned.spans_of(group).zip(0..) {
                let line = span.line_of(window);
                let step = self.step(event_of(&span, line, 0).scalar_kind(), line, &mut tape);
                let is_step = step.is_some();
                let what = step.map(|(rule, told)| What::Step(rule, Box::new(told))).or(shows.then_some(What::GoesOn));
                found.extend(what.map(|what| Found { row: span.row, group: at, index, start: span.start, what }));
                shows = is_step;
            }
        }
        found.sort_by_key(|found| found.row);
        found
    }

    /// The objects that the event of a line does something to, if it is a step.
    pub fn names_in(&self, line: &[u8]) -> Option<SmallVec<[Name; 2]>> {
        let mut tape = Tape::default();
        self.strict.read(line, &mut tape).ok()?;
        let kind = tape.at(line, Tape::ROOT, self.kind?).map_or(&b""[..], |node| tape.bytes(line, node));
        let (_, told) = self.step(kind, line, &mut Tape::default())?;
        Some(told.names)
    }

    /// What an event is a step of, by the first rule that it meets. A malformed line is none.
    fn step(&self, kind: &[u8], line: &[u8], tape: &mut Tape) -> Option<(u16, Told)> {
        let name = (kind.first() == Some(&b'"')).then(|| text::unescape(kind));
        let serving = name.as_ref().and_then(|name| self.by_kind.get(&**name)).unwrap_or(&self.of_any);
        let may_be = !serving.rules.is_empty() && serving.glance.as_ref().is_none_or(|glance| glance.may_hold(line));
        if !may_be || self.strict.read(line, tape).is_err() {
            return None;
        }
        let event = Event { line, tape, above: RefCell::default() };
        // Most rules ask one and the same place.
        let mut asked_last: Option<(&Pointer, Option<&[u8]>)> = None;
        let mut holds = |asked: &'p Condition| {
            let known = asked_last.filter(|(path, _)| *path == &asked.path);
            let token = known.map_or_else(|| event.token(&asked.path), |(_, token)| token);
            asked_last = Some((&asked.path, token));
            token.is_some_and(|token| asked.is_met_by(token))
        };
        let at = serving.rules.iter().find(|at| self.rules[usize::from(**at)].when.iter().all(&mut holds))?;
        Some((*at, event.told(&self.rules[usize::from(*at)])))
    }
}

/// A place that was looked for, and its node.
type Looked<'l> = (&'l [String], Option<usize>);

/// A line that was read.
struct Event<'l> {
    line: &'l [u8],
    tape: &'l Tape,
    /// The containers that places lie in, as far as they were looked for.
    above: RefCell<SmallVec<[Looked<'l>; 6]>>,
}

impl<'l> Event<'l> {
    /// The node at a place.
    fn node(&self, tokens: &'l [String]) -> Option<usize> {
        let (last, above) = tokens.split_last()?;
        let container = if above.is_empty() { Some(Tape::ROOT) } else { self.container(above) };
        self.tape.step(self.line, container?, last)
    }

    fn container(&self, tokens: &'l [String]) -> Option<usize> {
        let known = self.above.borrow().iter().find(|(known, _)| *known == tokens).map(|(_, node)| *node);
        known.unwrap_or_else(|| {
            let node = self.node(tokens);
            self.above.borrow_mut().push((tokens, node));
            node
        })
    }

    /// What stands at a place; nothing where it is null.
    fn token(&self, path: &'l Pointer) -> Option<&'l [u8]> {
        let node = self.node(path.tokens())?;
        Some(self.tape.bytes(self.line, node)).filter(|token| *token != b"null")
    }

    fn first<T>(&self, paths: &'l [Pointer], of: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        paths.iter().filter_map(|path| self.token(path)).find_map(of)
    }

    /// Whether a condition holds; none where its place has no value.
    fn holds(&self, asked: &'l Condition) -> Option<bool> {
        self.token(&asked.path).map(|token| asked.is_met_by(token))
    }

    /// Whether one of some conditions holds; none where none of their places has a value.
    fn any_holds(&self, asked: &'l [Condition]) -> Option<bool> {
        asked.iter().filter_map(|asked| self.holds(asked)).reduce(|one, other| one || other)
    }

    /// The names at the first place that has any; or at all of them.
    fn names(&self, paths: &'l [Pointer], all: bool) -> SmallVec<[Name; 2]> {
        let mut names = SmallVec::new();
        for node in paths.iter().filter_map(|path| self.node(path.tokens())) {
            let name = |node: usize| Name::of_token(self.tape.bytes(self.line, node));
            match self.tape.kind(node) {
                Kind::ArrayStart => names.extend(self.tape.elements(node).filter_map(name)),
                _ => names.extend(name(node)),
            }
            if !all && !names.is_empty() {
                break;
            }
        }
        names
    }

    fn thread(&self, paths: &'l [Pointer]) -> Option<ThreadKey> {
        let mut parts: Vec<ThreadKey> =
            paths.iter().map(|path| ThreadKey::of_token(self.token(path)?)).collect::<Option<_>>()?;
        match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(ThreadKey::Composite(parts.into())),
        }
    }

    fn told(&self, rule: &'l AuditRule) -> Told {
        let places = &rule.places;
        let word = |token: &[u8]| match token.first() {
            Some(b'"') => Some(String::from_utf8_lossy(&text::unescape(token)).into()),
            _ => Some(String::from_utf8_lossy(token).into()),
        };
        Told {
            names: self.names(&places.object, rule.step == AuditStep::Create),
            becomes: self.first(&places.becomes, Name::of_token),
            thread: self.thread(&places.thread),
            source: self.first(&places.source, word),
            object_type: self.first(&places.object_type, word),
            manual: self.any_holds(&rule.manual),
            initial: self.first(&places.initial, integer_of),
            count: self.first(&places.count, integer_of),
            is_for_all: self.any_holds(&rule.all) == Some(true),
            timeout: self.first(&places.timeout, integer_of).filter(|timeout| !ENDLESS.contains(timeout)),
            alertable: self.first(&places.alertable, integer_of).map(|alertable| alertable != 0),
            previous: self.first(&places.previous, integer_of),
            result: self.first(&places.result, integer_of),
            unmet: self.any_holds(&rule.unmet) == Some(true),
            time: self.first(&places.time, integer_of),
            lr: self.first(&places.lr, integer_of),
            stack: self.first(&places.stack, |token| Some(String::from_utf8_lossy(token).into())),
        }
    }
}

/// Timeouts that never come: -1 and the largest of 32 bits.
const ENDLESS: [i64; 2] = [-1, 0xFFFF_FFFF];
