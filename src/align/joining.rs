//! Events that one engine logs in parts: a lane holds them back until its next event says whether they belong to it.
//!
//! A joined event is the line of its last part with the values that all parts tell together. That line stands in no log,
//! so it is kept as long as the event waits; it is scanned where the event is weighed.

use std::sync::Arc;

use smallvec::SmallVec;

use super::intake::Intake;
use super::lane::Held;
use super::taken_out::EventRules;
use crate::json::{Decimal, Kind, Pointer, Tape};
use crate::profile::{JoinRule, Profile};
use crate::scan::{Opener, ScanOptions, Span, scan_window};
use crate::source::{Log, SourceError, Window};

/// Bytes of the lines of one event's parts; what comes behind them begins another event.
const PARTS_BYTES_MAX: usize = 1 << 20;

/// What becomes of the values at one place of all parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// The first part's counts.
    First,
    /// Texts and lists stand one behind the other.
    Concat,
    /// Whole numbers are added.
    Sum,
}

/// A rule that joins events.
#[derive(Clone, Debug)]
pub(super) struct Joining {
    /// Digests of the kinds of what may follow; empty: the first part's own.
    then: Vec<u64>,
    places: Vec<(Pointer, Tells)>,
}

/// Where the values of a part lie in its line, in the order of the rule's places.
type Values = SmallVec<[(usize, usize); 4]>;

/// A part as it stands in its log.
#[derive(Clone, Debug)]
struct Part {
    text: Box<[u8]>,
    values: Values,
    /// Physical line, from 1, and the offset of its first byte.
    line: u64,
    offset: u64,
    /// Bytes of the physical line before the text.
    lead: u32,
    must_read: bool,
}

/// Parts that wait for what their lane's next event is.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    rule: u16,
    /// Of the first part.
    kind: u64,
    count: u32,
    /// Of all their lines.
    bytes: usize,
    /// What they tell together, in the order of the rule's places.
    told: Vec<Told>,
    last: Part,
    /// The lane's events that were taken out before the last of them, the others among them.
    gone: u64,
}

/// A lane's event whose line is kept: it was joined, or waited to be.
#[derive(Clone, Debug)]
pub struct Joined {
    text: Box<[u8]>,
    pub(super) line: u64,
    offset: u64,
    lead: u32,
    parts: u32,
    must_read: bool,
    /// The lane's events that were taken out before it, its own parts but one among them.
    pub(super) gone: u64,
}

impl Joining {
    /// The rule, less places where a lane's events are told from others: there the last part counts.
    pub(super) fn new(rule: &JoinRule, profile: &Profile, digest_of_kind: impl Fn(&str) -> u64) -> Joining {
        let all = [(&rule.first, Tells::First), (&rule.concat, Tells::Concat), (&rule.sum, Tells::Sum)];
        let places = all.into_iter().flat_map(|(paths, tells)| paths.iter().map(move |path| (path.clone(), tells)));
        Joining {
            then: rule.then.iter().map(|kind| digest_of_kind(kind)).collect(),
            places: places.filter(|(path, _)| profile.head_role_at(path).is_none()).collect(),
        }
    }

    /// Where a part's values lie, if it has them all, each at a place of its own: `/list/1` and `/list/01` are one.
    fn values(&self, text: &[u8], tape: &Tape) -> Option<Values> {
        let range = |(path, tells): &(Pointer, Tells)| {
            let node = tape.at(text, Tape::ROOT, path)?;
            let token = tape.bytes(text, node);
            let fits = match tells {
                Tells::First => true,
                Tells::Concat => matches!(tape.kind(node), Kind::String | Kind::ArrayStart),
                Tells::Sum => is_summand(token),
            };
            fits.then(|| (tape.start(node), tape.start(node) + token.len()))
        };
        let values: Values = self.places.iter().map(range).collect::<Option<_>>()?;
        let meet =
            |(at, (from, to)): (usize, &(usize, usize))| values[..at].iter().any(|one| one.0 < *to && *from < one.1);
        (!values.iter().enumerate().any(meet)).then_some(values)
    }
}

/// A whole number.
fn whole(token: &[u8]) -> Option<i128> {
    let number = Decimal::parse(token)?;
    let magnitude = if number.is_zero() { 0 } else { i128::try_from(number.magnitude()?).ok()? };
    Some(if number.is_negative() { -magnitude } else { magnitude })
}

/// A whole number of at most 64 bits and a sign.
fn is_summand(token: &[u8]) -> bool {
    whole(token).is_some_and(|value| value.unsigned_abs() <= u64::MAX.into())
}

/// What parts tell together at one place.
#[derive(Clone, Debug)]
struct Told {
    token: Vec<u8>,
    /// A string that is a hexadecimal number.
    is_hex: bool,
}

impl Told {
    fn new(token: &[u8]) -> Told {
        Told { token: token.to_vec(), is_hex: is_hex(token) }
    }

    /// Whether another value can be told together with these.
    fn goes_with(&self, tells: Tells, next: &[u8]) -> bool {
        match tells {
            Tells::First => true,
            Tells::Sum => {
                whole(&self.token).zip(whole(next)).is_some_and(|(sum, next)| sum.checked_add(next).is_some())
            }
            Tells::Concat => self.token.first() == next.first(),
        }
    }

    /// Adds a value that goes with these; takes as long as that value is long.
    fn add(&mut self, tells: Tells, next: &[u8]) {
        match tells {
            Tells::First => {}
            Tells::Sum => {
                let sum = whole(&self.token).zip(whole(next)).map_or(0, |(sum, next)| sum + next);
                self.token = sum.to_string().into_bytes();
            }
            Tells::Concat if next.first() == Some(&b'"') => {
                let both_hex = self.is_hex && is_hex(next);
                self.token.pop();
                self.token.extend_from_slice(&next[if both_hex { 3 } else { 1 }..]);
                self.is_hex = both_hex;
            }
            Tells::Concat => {
                self.token.pop();
                self.token.truncate(self.token.trim_ascii_end().len());
                let blanks = self.token[1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                self.token.drain(1..=blanks);
                let inside = next[1..next.len() - 1].trim_ascii();
                if self.token.len() > 1 && !inside.is_empty() {
                    self.token.push(b',');
                }
                self.token.extend_from_slice(inside);
                self.token.push(b']');
            }
        }
    }
}

/// Whether a string is a hexadecimal number: its `0x` is then no part of what is written one behind the other.
fn is_hex(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"\"0x").or_else(|| token.strip_prefix(b"\"0X"));
    digits.and_then(|digits| digits.strip_suffix(b"\"")).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

impl Parts {
    /// Parts with but one, behind so many events that were taken out.
    fn new(rule: u16, kind: u64, first: Part, gone: u64) -> Parts {
        let told = first.values.iter().map(|(from, to)| Told::new(&first.text[*from..*to])).collect();
        Parts { rule, kind, count: 1, bytes: first.text.len(), told, last: first, gone }
    }

    /// Takes one more part, if it is one.
    fn take(&mut self, joining: &Joining, kind: u64, next: Part) -> bool {
        let follows = if joining.then.is_empty() { kind == self.kind } else { joining.then.contains(&kind) };
        let bytes = self.bytes + next.text.len();
        if !follows || bytes > PARTS_BYTES_MAX {
            return false;
        }
        let token = |at: usize| &next.text[next.values[at].0..next.values[at].1];
        let tells = |at: usize| joining.places[at].1;
        if !self.told.iter().enumerate().all(|(at, told)| told.goes_with(tells(at), token(at))) {
            return false;
        }
        self.told.iter_mut().enumerate().for_each(|(at, told)| told.add(tells(at), token(at)));
        (self.last, self.bytes) = (next, bytes);
        self.count += 1;
        true
    }

    /// The line that the last of them began.
    pub(super) fn line(&self) -> u64 {
        self.last.line
    }

    /// The event they are.
    fn joined(self) -> Joined {
        let Parts { count, told, last, gone, .. } = self;
        let mut values: Vec<(&(usize, usize), Told)> = last.values.iter().zip(told).collect();
        values.sort_unstable_by_key(|((from, _), _)| *from);
        let (mut text, mut behind) = (Vec::with_capacity(last.text.len()), 0);
        for ((from, to), told) in values {
            text.extend_from_slice(&last.text[behind..*from]);
            text.extend_from_slice(&told.token);
            behind = *to;
        }
        text.extend_from_slice(&last.text[behind..]);
        let Part { line, offset, lead, must_read, .. } = last;
        Joined { text: text.into_boxed_slice(), line, offset, lead, parts: count, must_read, gone }
    }
}

impl Joined {
    /// The event's line, scanned as if it stood in the log.
    ///
    /// # Errors
    /// It does not open.
    pub(super) fn open(&self, log: &Log, opener: &Opener, strict: bool) -> Result<Held, SourceError> {
        let mut line = vec![b' '; self.lead as usize];
        line.extend_from_slice(&self.text);
        line.push(b'\n');
        // Not at the log's beginning, where a byte order mark may stand.
        let window = Window { offset: 1, bytes: line.into(), overlong: None };
        let mut scanned = scan_window(opener, &window, 0, ScanOptions::default());
        if scanned.spans.len() != 1 || !scanned.faults.is_empty() {
            return Err(log.changed());
        }
        if strict || self.must_read {
            scanned.spans.set_flag(0, Span::MUST_READ);
        }
        Ok(Held {
            bytes: window.bytes,
            spans: scanned.spans,
            offset: self.offset,
            first_line: self.line,
            gathered: Some(vec![(self.offset, self.line)]),
            parts: self.parts,
        })
    }
}

impl Intake<'_> {
    /// Puts an event into its lane that may belong to parts that wait there, or be the first of some.
    ///
    /// `begins` is the rule by which it would be.
    pub(super) fn push_part(&mut self, lane: usize, held: &Arc<Held>, index: u32, begins: Option<u16>) {
        let rules = Arc::clone(&self.rules);
        let state = &mut self.lanes[lane];
        let time = self.time + u64::from(held.spans.sequence(held.spans.row(index)));
        let kind = rules.digest_of_kind(held, index);
        if let Some(mut parts) = state.parts.take() {
            let joining = rules.joining(parts.rule);
            let is_one = part_of(&rules, joining, held, index).is_some_and(|next| parts.take(joining, kind, next));
            if is_one {
                self.taken_out[usize::from(parts.rule)] += 1;
                self.lanes[lane].gone += 1;
                parts.gone = self.lanes[lane].gone;
                self.hear(lane, index);
                match begins == Some(parts.rule) {
                    true => self.lanes[lane].parts = Some(parts),
                    false => self.push_parts(lane, *parts, time),
                }
                return;
            }
            self.push_parts(lane, *parts, time);
        }
        let first = begins.and_then(|rule| Some((rule, part_of(&rules, rules.joining(rule), held, index)?)));
        match first {
            Some((rule, first)) => {
                self.lanes[lane].parts = Some(Box::new(Parts::new(rule, kind, first, self.lanes[lane].gone)));
                self.hear(lane, index);
            }
            None => self.push_kept(lane, held, index, index + 1),
        }
    }

    /// What waits to be joined is all there is of it: its lane ends, or goes on otherwise, at this time.
    pub(super) fn release_parts(&mut self, lane: usize, time: u64) {
        if let Some(parts) = self.lanes[lane].parts.take() {
            self.push_parts(lane, *parts, time);
        }
    }

    fn push_parts(&mut self, lane: usize, parts: Parts, time: u64) {
        let joined = parts.joined();
        if self.wants_opening(lane)
            && let Ok(held) = joined.open(self.log, &self.opener, false)
        {
            self.collect_opening(lane, &Arc::new(held), (0, 1), |_| time);
        }
        let state = &mut self.lanes[lane];
        let is_dropped = state.events < self.skip_start;
        state.push_joined(joined);
        state.pop(u64::from(is_dropped));
        if state.active {
            self.waiting += u64::from(!is_dropped);
        }
    }

    /// What a part says of objects counts as if it stood alone.
    fn hear(&mut self, lane: usize, index: u32) {
        if self.lanes[lane].events >= self.skip_start {
            self.taken.push((index, index + 1, lane));
        }
    }
}

/// An event as a part, if it is valid and has what the rule joins.
fn part_of(rules: &EventRules, joining: &Joining, held: &Held, index: u32) -> Option<Part> {
    let span = held.spans.span(index);
    let text = span.line_of(&held.bytes);
    let mut tape = Tape::default();
    rules.read(text, &mut tape)?;
    let values = joining.values(text, &tape)?;
    let (line, offset) = (held.line(span.row), held.line_offset(span.row));
    Some(Part { text: text.into(), values, line, offset, lead: span.lead, must_read: span.has(Span::MUST_READ) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_together() {
        let cases: [(Tells, &str, &str, Option<&str>); 17] = [
            (Tells::First, "7", "\"x\"", Some("7")),
            (Tells::Sum, "7", "-9", Some("-2")),
            (Tells::Sum, "1e2", "3.0", Some("103")),
            (Tells::Sum, "18446744073709551615", "1", Some("18446744073709551616")),
            (Tells::Sum, "-0.0", "0e9", Some("0")),
            (Tells::Sum, "1.5", "1", None),
            (Tells::Sum, "NaN", "1", None),
            (Tells::Sum, "1", "\"1\"", None),
            (Tells::Concat, "\"f3\"", "\"a4\"", Some("\"f3a4\"")),
            (Tells::Concat, "\"0xf3\"", "\"0XA4\"", Some("\"0xf3A4\"")),
            (Tells::Concat, "\"0xf3\"", "\"0xag\"", Some("\"0xf30xag\"")),
            (Tells::Concat, "\"\"", "\"\\n\"", Some("\"\\n\"")),
            (Tells::Concat, "[1, 2 ]", "[ ]", Some("[1, 2]")),
            (Tells::Concat, "[]", "[]", Some("[]")),
            (Tells::Concat, "[[]]", "[{}]", Some("[[],{}]")),
            (Tells::Concat, "[1]", "\"a\"", None),
            (Tells::Concat, "[ 1 ]", "[2]", Some("[1,2]")),
        ];
        for (tells, one, next, both) in cases {
            let mut told = Told::new(one.as_bytes());
            let found = told.goes_with(tells, next.as_bytes()).then(|| {
                told.add(tells, next.as_bytes());
                String::from_utf8(told.token).unwrap()
            });
            assert_eq!(found.as_deref(), both, "{tells:?} {one} {next}");
        }
    }

    #[test]
    fn parts_are_joined_as_far_as_they_go_together() {
        let joining = Joining {
            then: vec![],
            places: vec![
                (Pointer::parse("/n").unwrap(), Tells::Sum),
                (Pointer::parse("/text").unwrap(), Tells::Concat),
                (Pointer::parse("/at").unwrap(), Tells::First),
            ],
        };
        let part = |text: &str, line: u64| {
            let mut tape = Tape::default();
            tape.parse(text.as_bytes(), 0).unwrap();
            let values = joining.values(text.as_bytes(), &tape)?;
            Some(Part { text: text.as_bytes().into(), values, line, offset: line * 100, lead: 2, must_read: line == 9 })
        };
        let mut parts = Parts::new(0, 1, part(r#"{"at":1,"text":"a","n":1}"#, 3).unwrap(), 5);
        assert!(parts.take(&joining, 1, part(r#"{"at":2,"n":2,"text":"b","o":0}"#, 7).unwrap()));
        assert!(parts.take(&joining, 1, part(r#"{"n":3,"more":[],"at":3,"text":"c"}"#, 9).unwrap()));
        // Another kind, texts that do not go together, lines that are too long, a value that is missing or is of another type.
        let next = part(r#"{"n":3,"at":3,"text":"c"}"#, 10).unwrap();
        assert!(!parts.take(&joining, 2, next.clone()));
        assert!(!parts.take(&joining, 1, part(r#"{"n":3,"at":3,"text":["c"]}"#, 10).unwrap()));
        let bytes = std::mem::replace(&mut parts.bytes, PARTS_BYTES_MAX - next.text.len() + 1);
        assert!(!parts.take(&joining, 1, next));
        parts.bytes = bytes;
        assert!(part(r#"{"n":3,"at":3}"#, 1).is_none());
        assert!(part(r#"{"n":"3","at":3,"text":"c"}"#, 1).is_none());
        let twice = ["/list/1", "/list/01"].map(|path| (Pointer::parse(path).unwrap(), Tells::Sum));
        let (twice, text) = (Joining { then: vec![], places: twice.to_vec() }, br#"{"list":[1,2]}"#);
        let mut tape = Tape::default();
        tape.parse(text, 0).unwrap();
        assert_eq!(twice.values(text, &tape), None, "one value at two places");
        let joined = parts.joined();
        assert_eq!(&*joined.text, br#"{"n":6,"more":[],"at":1,"text":"abc"}"#);
        assert_eq!((joined.line, joined.offset, joined.parts, joined.gone), (9, 900, 3, 5));
        assert!(joined.must_read);
    }
}
