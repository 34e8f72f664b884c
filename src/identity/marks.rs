//! Marks: what an event says of objects.
//!
//! An event that is malformed says nothing, nor does one that gives a key twice where it is looked at: in the payload, if
//! nothing else of its kind is looked at, else anywhere. Most events of a kind that may define
//! objects define none, which their name tells; and most names stand where the last one stood, behind the same bytes.
//! So that place is tried first, and only events with a name that matters are looked at whole: most of them fit the form
//! of one that was read before, and only the others are read.

use std::hash::{BuildHasher, Hasher};

use ahash::AHashMap;

use super::form::{self, Forms, Told};
use super::names::{Before, MASKS, Names, Path};
use crate::json::tape::{self, fixed_state, key_is};
use crate::json::{self, Kind, Pointer, Tape};
use crate::profile::{Condition, Failure, IdentityRule, Pattern, PayloadRole, Profile, Scalar, Segment, StrictReader};

/// What an event says of the objects of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Index among the profile's identity rules.
    pub rule: u16,
    pub says: Says,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// An object begins at a value. Its size is what was told last on its thread under this number.
    Defined { value: u64, told: u64 },
    /// The object that begins at a value is released.
    Released { value: u64 },
    /// Objects defined under this number on this thread are so large from here on.
    Size { told: u64, size: u64 },
}

/// The number under which no size is told.
pub const UNTOLD: u64 = 0;

/// An event as seen here.
#[derive(Clone, Copy, Debug)]
pub struct Marked<'l> {
    /// The trimmed line.
    pub line: &'l [u8],
    /// Where the kind's token lies in the line; nowhere (nothing between) if it is absent.
    pub kind: (usize, usize),
    /// The payload and what may stand behind it.
    pub tail: &'l [u8],
    /// All before the tail is strictly valid and gives no role's key twice, and nothing but the closing brace stands
    /// behind it; false where that is not known.
    pub head_is_strict: bool,
}

/// Looks for marks under one profile.
#[derive(Clone, Debug)]
pub struct MarkFinder {
    kinds: AHashMap<Vec<u8>, usize>,
    /// The tokens of those kinds that are no longer than a word, as words.
    short_kinds: Vec<(u128, usize)>,
    sought: Vec<OfKind>,
    payload: Option<Pointer>,
    strict: StrictReader,
}

/// What to look for in events of one kind.
#[derive(Clone, Debug, Default)]
struct OfKind {
    sought: Vec<Sought>,
    /// If nothing is to be found without one of some names.
    names: Option<Names>,
    /// Everything lies in the payload, and all paths are from there.
    inside: bool,
}

/// One thing to look for.
#[derive(Clone, Debug)]
struct Sought {
    rule: u16,
    when: Vec<Condition>,
    value: Pattern,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Define { except: Failure, told: Option<TellsSize> },
    Release,
    Size { told: TellsSize },
}

/// Under which number a size is told.
#[derive(Clone, Debug)]
struct TellsSize {
    seed: u64,
    same: Option<Pointer>,
}

/// What was learned of the events that were looked through: for each kind, what stood before the last name.
#[derive(Debug, Default)]
pub struct Guesses {
    before: Vec<Before>,
    /// For each kind, the forms of events that were read, and of payloads.
    forms: Vec<[Forms; 2]>,
    tape: Tape,
    /// What was found of the event that is read.
    fixed: Vec<usize>,
    told: Vec<Told>,
}

impl MarkFinder {
    /// A finder for the profile's identity rules.
    pub fn new(profile: &Profile) -> MarkFinder {
        let payload = match &profile.roles.payload {
            PayloadRole::At(path) => Some(path.clone()),
            PayloadRole::Whole => None,
        };
        let kinds = AHashMap::with_hasher(fixed_state());
        let mut finder = MarkFinder {
            kinds,
            short_kinds: Vec::new(),
            sought: Vec::new(),
            payload,
            strict: StrictReader::new(profile),
        };
        for (index, rule) in profile.identity.iter().enumerate() {
            finder.add_rule(index as u16, rule);
        }
        for at in 0..finder.sought.len() {
            finder.sought[at].names = finder.names(&finder.sought[at].sought);
            let inside: Option<Vec<Sought>> =
                finder.sought[at].sought.iter().map(|sought| sought.inside(finder.payload.as_ref()?)).collect();
            if let Some(sought) = inside {
                (finder.sought[at].sought, finder.sought[at].inside) = (sought, true);
            }
        }
        for (kind, at) in &finder.kinds {
            let token = [b"\"", &kind[..], b"\""].concat();
            if token.len() <= 16 {
                finder.short_kinds.push((Before::of(&token).word, *at));
            }
        }
        finder
    }

    /// Whether there is nothing to look for.
    pub fn is_idle(&self) -> bool {
        self.sought.is_empty()
    }

    fn add_rule(&mut self, index: u16, rule: &IdentityRule) {
        for (number, define) in rule.define.iter().enumerate() {
            let seed = (u64::from(index) << 16) + number as u64 + 1;
            let told = define.size.as_ref().map(|size| {
                let told = TellsSize { seed, same: size.same.clone() };
                // What tells a size and what defines have the same name, so the conditions on names hold for both.
                let when = define.when.iter().filter(|condition| Some(&condition.path) == size.same.as_ref());
                let when = when.cloned().collect::<Vec<_>>();
                self.add(&size.kind, index, &when, &Pattern::from(&size.path), What::Size { told: told.clone() });
                told
            });
            let what = What::Define { except: define.except.clone(), told };
            self.add(&define.kind, index, &define.when, &Pattern::from(&define.value), what);
        }
        for release in &rule.release {
            self.add(&release.kind, index, &release.when, &release.value, What::Release);
        }
    }

    fn add(&mut self, kind: &str, rule: u16, when: &[Condition], value: &Pattern, what: What) {
        let sought = Sought { rule, when: when.to_vec(), value: value.clone(), what };
        let next = self.sought.len();
        let at = *self.kinds.entry(kind.as_bytes().to_vec()).or_insert(next);
        if at == next {
            self.sought.push(OfKind::default());
        }
        self.sought[at].sought.push(sought);
    }

    /// Where all that is sought asks for strings at one and the same path, and which.
    fn names(&self, all: &[Sought]) -> Option<Names> {
        let path = &all.first()?.when.first()?.path;
        let mut names = Vec::new();
        for sought in all {
            let asked = sought.when.iter().find(|condition| condition.path == *path)?;
            for scalar in &asked.equals {
                let Scalar::Text(text) = scalar else { return None };
                names.push(text.clone().into_bytes());
            }
        }
        Some(Names::new(self.path(path), names))
    }

    fn path(&self, path: &Pointer) -> Path {
        let below = self.payload.as_ref().and_then(|payload| path.below(payload));
        let (inside, path) = (below.is_some(), below.unwrap_or_else(|| path.clone()));
        Path { inside, tokens: path.tokens().to_vec() }
    }

    /// What an event says, in the order of the profile's rules.
    #[inline(always)]
    pub fn find(&self, event: &Marked<'_>, guesses: &mut Guesses, found: impl FnMut(Mark)) {
        let Some(kind) = self.kind(event) else { return };
        let of_kind = &self.sought[kind];
        if let (Some(names), Some(before)) = (&of_kind.names, guesses.before.get(kind))
            && names.are_surely_missing(event, before)
        {
            return;
        }
        self.find_among(kind, event, guesses, found);
    }

    /// Where what is sought in events of its kind stands.
    #[inline(always)]
    fn kind(&self, event: &Marked<'_>) -> Option<usize> {
        let (from, to) = event.kind;
        if to - from <= 16
            && let Some(chunk) = event.line.get(from..).and_then(<[u8]>::first_chunk::<16>)
        {
            let word = u128::from_le_bytes(*chunk) & MASKS[to - from];
            if let Some((_, kind)) = self.short_kinds.iter().find(|(known, _)| *known == word) {
                return Some(*kind);
            }
        }
        self.other_kind(&event.line[from..to])
    }

    /// The same for a kind that is long, or spelled in another way.
    #[inline(never)]
    fn other_kind(&self, token: &[u8]) -> Option<usize> {
        let [b'"', name @ .., b'"'] = token else { return None };
        match name.contains(&b'\\') {
            false => self.kinds.get(name).copied(),
            true => self.kinds.get(&*json::text::unescape(token)).copied(),
        }
    }

    #[inline(never)]
    fn find_among(&self, kind: usize, event: &Marked<'_>, guesses: &mut Guesses, mut found: impl FnMut(Mark)) {
        if guesses.before.len() < self.sought.len() {
            guesses.before.resize(self.sought.len(), Before::default());
            guesses.forms.resize(self.sought.len(), Default::default());
        }
        let of_kind = &self.sought[kind];
        let Guesses { before, forms, tape, fixed, told } = guesses;
        if of_kind.names.as_ref().is_some_and(|names| !names.may_stand(event, &mut before[kind])) {
            return;
        }
        // Where all before the payload is known to be sound, it alone is looked at.
        let alone = of_kind.inside && event.head_is_strict;
        let forms = &mut forms[kind][usize::from(alone)];
        if forms.tell(if alone { event.tail } else { event.line }, &mut found) {
            return;
        }
        let depth = self.payload.as_ref().map_or(0, |payload| payload.tokens().len());
        let text = match alone && tape.parse(event.tail, depth).is_ok() {
            true => event.tail,
            false if self.strict.read(event.line, tape).is_ok() => event.line,
            false => return,
        };
        let is_line = text.len() == event.line.len();
        let base = match &self.payload {
            Some(payload) if of_kind.inside && is_line => tape.at(text, Tape::ROOT, payload),
            _ => Some(Tape::ROOT),
        };
        let Some(base) = base.filter(|base| !gives_a_key_twice(tape, text, *base)) else { return };
        let read = Read { tape, line: text, base };
        fixed.clear();
        told.clear();
        of_kind.sought.iter().for_each(|sought| sought.find(&read, fixed, told));
        for Told { node, rule, says } in told.iter() {
            let value = number_of(tape.bytes(text, *node));
            value.and_then(|value| says.mark(*rule, value)).into_iter().for_each(&mut found);
        }
        // A payload that something stands behind was read with its line, and has no form alone.
        if alone != is_line {
            forms.learn(tape, text, fixed, told);
        }
    }
}

/// Whether an object at or below a node gives a key twice.
fn gives_a_key_twice(tape: &Tape, text: &[u8], node: usize) -> bool {
    match tape.kind(node) {
        Kind::ObjectStart => {
            tape.distinct_members(text, node).len() != tape.members(node).count()
                || tape.members(node).any(|(_, value)| gives_a_key_twice(tape, text, value))
        }
        Kind::ArrayStart => tape.elements(node).any(|element| gives_a_key_twice(tape, text, element)),
        _ => false,
    }
}

impl Sought {
    /// The same with paths from the payload, if all of them lie in it.
    fn inside(&self, payload: &Pointer) -> Option<Sought> {
        let below = |path: &Pointer| path.below(payload);
        let named = Pattern::from(payload);
        let is_named = self.value.segments().get(..named.segments().len()) == Some(named.segments());
        let condition = |asked: &Condition| Some(Condition { path: below(&asked.path)?, ..asked.clone() });
        let told = |told: &TellsSize| {
            let same = match &told.same {
                Some(same) => Some(below(same)?),
                None => None,
            };
            Some(TellsSize { same, ..told.clone() })
        };
        let what = match &self.what {
            What::Define { except, told: Some(size) } => {
                What::Define { except: except.clone(), told: Some(told(size)?) }
            }
            What::Size { told: size } => What::Size { told: told(size)? },
            other => other.clone(),
        };
        let value = self.value.below(payload).filter(|_| is_named)?;
        let when = self.when.iter().map(condition).collect::<Option<_>>()?;
        Some(Sought { rule: self.rule, when, value, what })
    }

    /// The scalars that say something, and those which decide that they do.
    fn find(&self, read: &Read<'_>, fixed: &mut Vec<usize>, told: &mut Vec<Told>) {
        let mut holds = |condition: &Condition| {
            let node = read.at(&condition.path);
            fixed.extend(node);
            node.is_some_and(|node| condition.is_met_by(read.tape.bytes(read.line, node)))
        };
        // Each decides, also those behind one that does not hold.
        if self.when.iter().filter(|condition| !holds(condition)).count() > 0 {
            return;
        }
        let Some(says) = self.says(read, fixed) else { return };
        read.each(read.base, self.value.segments(), &mut |node| {
            told.push(Told { node, rule: self.rule, says: says.clone() });
        });
    }

    fn says(&self, read: &Read<'_>, fixed: &mut Vec<usize>) -> Option<form::What> {
        Some(match &self.what {
            What::Define { except, told } => {
                let told = told.as_ref().map_or(Some(UNTOLD), |told| told.number(read, fixed))?;
                form::What::Define { except: except.clone(), told }
            }
            What::Release => form::What::Release,
            What::Size { told } => form::What::Size { told: told.number(read, fixed)? },
        })
    }
}

impl TellsSize {
    /// The number of what is the same in the event that tells and in the one that defines.
    fn number(&self, read: &Read<'_>, fixed: &mut Vec<usize>) -> Option<u64> {
        let mut state = fixed_state().build_hasher();
        state.write_u64(self.seed);
        if let Some(path) = &self.same {
            let node = read.tape.at(read.line, read.base, path)?;
            read.scalars(node, fixed);
            state.write_u64(tape::digest(read.tape, read.line, node));
        }
        Some(state.finish().max(UNTOLD + 1))
    }
}

/// A text that was read, and the node from which paths go.
struct Read<'l> {
    tape: &'l Tape,
    line: &'l [u8],
    base: usize,
}

impl Read<'_> {
    /// The scalar at a path.
    fn at(&self, path: &Pointer) -> Option<usize> {
        self.tape.at(self.line, self.base, path).filter(|node| self.is_scalar(*node))
    }

    fn is_scalar(&self, node: usize) -> bool {
        !matches!(self.tape.kind(node), Kind::ObjectStart | Kind::ArrayStart)
    }

    /// Every scalar at and below a node.
    fn scalars(&self, node: usize, found: &mut Vec<usize>) {
        form::scalars(self.tape, node, found);
    }

    /// Calls for each scalar at the places that a pattern names below a node.
    fn each(&self, node: usize, pattern: &[Segment], found: &mut impl FnMut(usize)) {
        let Some((segment, rest)) = pattern.split_first() else {
            if self.is_scalar(node) {
                found(node);
            }
            return;
        };
        match self.tape.kind(node) {
            Kind::ObjectStart => {
                for (key, value) in self.tape.members(node) {
                    let token = self.tape.bytes(self.line, key);
                    if matches!(segment, Segment::Any)
                        || matches!(segment, Segment::Key(name) if key_is(token, name.as_bytes()))
                    {
                        self.each(value, rest, found);
                    }
                }
            }
            Kind::ArrayStart => {
                for (at, element) in self.tape.elements(node).enumerate() {
                    if matches!(segment, Segment::Any)
                        || matches!(segment, Segment::Key(name) if *name == at.to_string())
                    {
                        self.each(element, rest, found);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What a scalar token says as the value of an object: an integer from 0 to 2^64-1, or a string that
/// spells one in hex behind `0x`.
pub fn number_of(token: &[u8]) -> Option<u64> {
    match token.first()? {
        b'"' => {
            let text = json::text::unescape(token);
            let [b'0', b'x' | b'X', ..] = &*text else { return None };
            u64::try_from(json::number::hex_to_u128(&text)?).ok()
        }
        b'0'..=b'9' | b'-' => json::number::to_u64(token),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finder() -> MarkFinder {
        MarkFinder::new(&crate::profile::builtin("schema-v1").expect("it is built in"))
    }

    /// What an event says.
    fn said(finder: &MarkFinder, guesses: &mut Guesses, line: &str) -> Vec<(u16, Says)> {
        told(finder, guesses, line, false)
    }

    fn told(finder: &MarkFinder, guesses: &mut Guesses, line: &str, head_is_strict: bool) -> Vec<(u16, Says)> {
        let at = |key: &str| line.find(key).map(|at| at + key.len());
        let kind = at("\"kind\":").map_or((0, 0), |from| (from, from + line[from..].find(",\"").unwrap()));
        let tail = at("\"payload\":").map_or("", |from| &line[from..line.len() - 1]);
        let event = Marked { line: line.as_bytes(), kind, tail: tail.as_bytes(), head_is_strict };
        let mut found = Vec::new();
        finder.find(&event, guesses, |mark| found.push((mark.rule, mark.says)));
        found
    }

    /// What each of some events says, looked at one after the other.
    fn marks(lines: &[&str]) -> Vec<Vec<(u16, Says)>> {
        let (finder, mut guesses) = (finder(), Guesses::default());
        lines.iter().map(|line| said(&finder, &mut guesses, line)).collect()
    }

    fn event(kind: &str, payload: &str) -> String {
        format!("{{\"kind\":\"{kind}\",\"tid\":7,\"payload\":{payload}}}")
    }

    #[test]
    fn calls_tell_sizes_returns_define_and_frees_release() {
        let lines = [
            event("kernel.call", r#"{"name":"RtlAllocateHeap","args":{"size":64}}"#),
            event("kernel.return", r#"{"name":"RtlAllocateHeap","return_value":4096}"#),
            event("kernel.return", r#"{"name":"RtlAllocateHeap","return_value":0}"#),
            event("kernel.return", r#"{"name":"NtAllocateVirtualMemory","return_value":"0xC0000017"}"#),
            event("kernel.call", r#"{"name":"RtlFreeHeap","args":{"flags":1,"block":"0x1000","more":[4096]}}"#),
            event("handle.create", r#"{"raw_handle_id":4}"#),
            event("thread.exit", r#"{}"#),
            event("kernel.call", r#"{"name":"NtClose","args":{"size":64}}"#),
        ];
        let found = marks(&lines.each_ref().map(String::as_str));
        let [(0, Says::Size { told, size: 64 })] = found[0][..] else { panic!("{:?}", found[0]) };
        assert_eq!(found[1], [(0, Says::Defined { value: 4096, told })]);
        assert_eq!((&found[2], &found[3]), (&vec![], &vec![]), "what failed defines nothing");
        assert_eq!(found[4], [(0, Says::Released { value: 1 }), (0, Says::Released { value: 4096 })]);
        assert_eq!(found[5], [(1, Says::Defined { value: 4, told: UNTOLD })]);
        assert_eq!(found[6], [(2, Says::Released { value: 7 })]);
        assert_eq!(found[7], []);
    }

    #[test]
    fn names_are_found_wherever_and_however_they_stand() {
        let is_found = |payload: &str, before: &[&str]| {
            let mut lines: Vec<String> = before.iter().map(|payload| event("kernel.return", payload)).collect();
            lines.push(event("kernel.return", payload));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            marks(&lines).last().is_some_and(|found| !found.is_empty())
        };
        let usual = r#"{"name":"NtClose","return_value":8}"#;
        for payload in [
            r#"{"name":"RtlAllocateHeap","return_value":8}"#,
            r#"{"return_value":8,"name":"RtlAllocateHeap"}"#,
            r#"{"a":[{"name":1}],"name" : "RtlAllocateHeap","return_value":8}"#,
            r#"{"n\u0061me":"Rtl\u0041llocateHeap","return_value":"\u0030x8"}"#,
            r#"{"name":"Rtl\u0041llocateHeap","return_value":8}"#,
        ] {
            for before in [&[][..], &[usual], &[usual, payload]] {
                assert!(is_found(payload, before), "{payload} behind {before:?}");
            }
        }
        for payload in [
            r#"{"name":"RtlAllocateHeapX","return_value":8}"#,
            r#"{"name":"RtlAlloc","return_value":8}"#,
            r#"{"name":"Rt","return_value":8}"#,
            r#"{"name":["RtlAllocateHeap"],"return_value":8}"#,
            r#"{"names":"RtlAllocateHeap","return_value":8}"#,
            // Malformed, or a key twice.
            r#"{"name":"RtlAllocateHeap","return_value":08}"#,
            r#"{"name":"RtlAllocateHeap","return_value":8,"x":{"y":1,"y":1}}"#,
            r#"{"name":"RtlAllocateHeap","name":"RtlAllocateHeap","return_value":8}"#,
        ] {
            for before in [&[][..], &[usual], &[r#"{"name":"RtlAllocateHeap","return_value":8}"#]] {
                assert!(!is_found(payload, before), "{payload} behind {before:?}");
            }
        }
    }

    #[test]
    fn events_of_one_form_are_read_once() {
        let (finder, mut guesses) = (finder(), Guesses::default());
        for at in 0..20u64 {
            let call = event("kernel.call", &format!(r#"{{"name":"RtlAllocateHeap","args":{{"size":{}}}}}"#, at * 8));
            assert_eq!(said(&finder, &mut guesses, &call).len(), 1);
            let free = event("kernel.call", &format!(r#"{{"name":"RtlFreeHeap","args":["{at:#x}",{at}]}}"#));
            let freed = (0, Says::Released { value: at });
            assert_eq!(said(&finder, &mut guesses, &free), [freed, freed]);
        }
        assert_eq!(guesses.forms.iter().flatten().map(Forms::len).sum::<usize>(), 2);
    }

    /// Events of a few forms, some of them with a byte changed.
    fn events() -> impl Strategy<Value = Vec<String>> {
        let value = || {
            prop_oneof![
                "[0-9]{1,3}",
                "\"0x[0-9a-f]{1,3}\"",
                "\"[a-z]{0,3}\"",
                Just("null".to_owned()),
                "-?[0-9][.][0-9]"
            ]
        };
        let name =
            prop_oneof![Just("RtlAllocateHeap"), Just("NtAllocateVirtualMemory"), Just("RtlFreeHeap"), Just("NtClose")];
        let payload =
            (name, proptest::collection::vec(value(), 1..4), 0..5usize).prop_map(|(name, values, shape)| match shape {
                0 => format!(r#"{{"name":"{name}","args":{{"size":{},"x":{}}}}}"#, values[0], values[values.len() - 1]),
                1 => format!(r#"{{"args":[{}],"name":"{name}"}}"#, values.join(",")),
                2 => format!(r#"{{"name":"{name}","return_value":{}}}"#, values[0]),
                3 => format!(r#"{{"raw_handle_id":{},"tid":{}}}"#, values[0], values[values.len() - 1]),
                _ => format!(r#"{{"name": "{name}" ,"args":{{"a":{},"a":1}}}}"#, values[0]),
            });
        let kind =
            prop_oneof![Just("kernel.call"), Just("kernel.return"), Just("handle.create"), Just("handle.destroy")];
        let changed = proptest::option::weighted(0.2, (0..60usize, "[0-9a\"{},:\\\\. x\u{e9}\u{1}]"));
        let line = (kind, payload, changed).prop_map(|(kind, payload, changed)| {
            let mut line = event(kind, &payload);
            if let Some((at, with)) = changed {
                let from = line.find("\"payload\":").expect("it has one") + 10;
                let at = (from + at).min(line.len() - 2);
                line.replace_range(at..at + 1, &with);
            }
            line
        });
        proptest::collection::vec(line, 1..40)
    }

    proptest! {
        #[test]
        fn forms_say_what_reading_says(events in events()) {
            let (finder, mut guesses) = (finder(), Guesses::default());
            for line in &events {
                let read = said(&finder, &mut Guesses::default(), line);
                prop_assert_eq!(&said(&finder, &mut guesses, line), &read, "{}", line);
                // Nothing but the payload was changed.
                prop_assert_eq!(&told(&finder, &mut guesses, line, true), &read, "{}", line);
            }
        }
    }

    #[test]
    fn kinds_are_known_in_any_spelling_and_no_others_are() {
        let payload = r#"{"raw_handle_id":4}"#;
        for (kind, is_found) in [
            ("handle.create", true),
            ("handle.destroy", true),
            ("h\\u0061ndle.create", true),
            ("handle.creatf", false),
            ("handle.create.", false),
            ("handle", false),
        ] {
            assert_eq!(!marks(&[&event(kind, payload)])[0].is_empty(), is_found, "{kind}");
        }
    }
}
