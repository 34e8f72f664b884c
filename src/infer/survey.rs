//! Going through two logs past everything that differs, and keeping what that was.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;
use smallvec::SmallVec;

use super::extra::{self, Extra, Seen};
use super::family::{Example, Family};
use super::order::{self, Orders, Read};
use super::place::{Place, Unordered, kind_name};
use crate::align::{Accepted, Course, Judge, Judged, Met, Observer, Onward, Parted, Parting, RunOptions, Step};
use crate::compare::{Comparer, Scratch};
use crate::diverge::{self, RunError};
use crate::json::{Kind, Pointer, Tape, tape, text};
use crate::profile::Profile;
use crate::scan::ThreadKey;
use crate::source::{Log, Side};

/// Pairs of one thread that are looked at in one round; what lies behind is looked at under the rules found so far.
const PAIRS_A_LANE: u64 = 20_000;
/// Places that are told apart; the first in order are kept.
const PLACES_MAX: usize = 1_024;
/// Fields of an event that may tell noisy events from quiet ones, and the longest of their values in bytes.
pub(super) const FIELDS_MAX: usize = 48;
const FIELD_BYTES_MAX: usize = 64;
/// Bytes of a value that an example shows.
const SHOWN_BYTES_MAX: usize = 40;

/// What was seen to differ.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub families: BTreeMap<Place, Family>,
    pub orders: BTreeMap<Place, Option<Orders>>,
    /// By kind.
    pub extra: BTreeMap<String, Extra>,
}

impl Findings {
    /// Whether nothing differed that a rule could overlook.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty() && self.orders.is_empty() && self.extra.is_empty()
    }

    /// Takes what another round saw.
    pub fn merge(&mut self, other: Findings) {
        for (place, family) in other.families {
            self.families.entry(place).or_default().merge(&family);
        }
        for (kind, extra) in other.extra {
            self.extra.entry(kind).or_default().merge(&extra);
        }
        for (place, orders) in other.orders {
            let held = self.orders.entry(place).or_default();
            if let Some(orders) = orders {
                let pairs = held.as_ref().map_or(0, |held| held.pairs) + orders.pairs;
                let seen = order::Reordered { whole: orders.whole, keys: orders.keys };
                Orders::take(held, seen, orders.example);
                held.iter_mut().for_each(|held| held.pairs = pairs);
            }
        }
    }

    /// Which places are kept must not depend on which were seen first.
    fn keep_first(&mut self) {
        while self.families.len() > PLACES_MAX {
            self.families.pop_last();
        }
        while self.extra.len() > PLACES_MAX {
            self.extra.pop_last();
        }
        while self.orders.len() > PLACES_MAX {
            self.orders.pop_last();
        }
    }
}

/// A judge that accepts every pair of the same kind and ordinal, and keeps what differs in it; and events that only one
/// side has, where both agree again behind them.
struct Surveyor<'p> {
    run: usize,
    comparer: &'p Comparer<'p>,
    profile: &'p Profile,
    unordered: Unordered,
    /// Roles that name an event; they tell nothing of what it is like.
    names: Vec<Pointer>,
    findings: Mutex<Findings>,
    /// Pairs looked at, by pairing.
    looked: Mutex<BTreeMap<usize, u64>>,
}

/// How many events of each of the reference's threads were compared.
pub type Compared = AHashMap<ThreadKey, u64>;

/// Goes through two logs under a profile; `run` is which of the compared runs the candidate is. A thread is left where
/// something differs that no rule on values could overlook.
///
/// # Errors
/// A log cannot be read or lacks its header.
pub fn survey(
    run: usize,
    [reference, candidate]: [&mut Log; 2],
    profile: &Profile,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<(Findings, Compared), RunError> {
    let comparer = diverge::comparer(profile, options);
    let surveyor = Surveyor {
        run,
        comparer: &comparer,
        profile,
        unordered: Unordered::of(profile),
        names: profile.roles.thread.iter().chain(&profile.roles.ordinal).cloned().collect(),
        findings: Mutex::default(),
        looked: Mutex::default(),
    };
    let mut aligner = diverge::begin([reference, candidate], profile, &comparer, options, observer, &surveyor)?;
    let ends = aligner.run(|_| Ok(false))?;
    diverge::leave(&mut aligner, ends)?;
    let mut compared = Compared::with_hasher(tape::fixed_state());
    for pairing in &aligner.pairings {
        if let Some(lane) = pairing.lanes[Side::Reference.index()] {
            let thread = aligner.sides[Side::Reference.index()].lanes[lane].thread.clone();
            *compared.entry(thread).or_default() += pairing.compared;
        }
    }
    drop(aligner);
    Ok((surveyor.findings.into_inner().unwrap_or_else(PoisonError::into_inner), compared))
}

impl Judge for Surveyor<'_> {
    type Verdict = ();

    fn judge(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> Judged<()> {
        let onward = match parting.how == Parted::Differs && self.is_within(parting.pairing) {
            false => None,
            true => self.pass(parting, true, scratch).or_else(|| {
                // Pairs that are none would make noise of everything.
                match !extra::is_out_of_step(parting) && self.look(parting, scratch) {
                    true => Some(Onward::Pair(parting.step)),
                    false => self.pass(parting, false, scratch),
                }
            }),
        };
        let looked = parting.sides.each_ref().map(|events| usize::from(onward.is_some() && !events.is_empty()));
        let accepted = |onward| Course::Accepted(Accepted { by: SmallVec::new(), onward });
        Judged { verdict: (), faults: Vec::new(), looked, course: onward.map_or(Course::Over, accepted) }
    }
}

impl Surveyor<'_> {
    /// Counts one more pair of a thread; says whether it is one too many.
    fn is_within(&self, pairing: usize) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = looked.entry(pairing).or_default();
        *count += 1;
        *count <= PAIRS_A_LANE
    }

    /// Keeps what differs in a pair; false if no rule on values could overlook that.
    fn look(&self, parting: &Parting<'_>, scratch: &mut Scratch) -> bool {
        let [reference, candidate] = [&parting.sides[0][0], &parting.sides[1][0]];
        let left = reference.event();
        let right = parting.step.renumbered(&left, candidate.event());
        let Ok(found) = self.comparer.differences(&left, &right, scratch) else { return false };
        if found.kind || found.ordinal || !found.payload {
            return false;
        }
        let (mut tapes, lines) = ([Tape::default(), Tape::default()], [left.line, right.line]);
        if tapes.iter_mut().zip(lines).any(|(tape, line)| tape.parse(line, 0).is_err()) {
            return false;
        }
        let reads: [Read<'_>; 2] = [(&tapes[0], lines[0]), (&tapes[1], lines[1])];
        let kind = kind_name(left.scalar_kind());
        let paths: Vec<&Pointer> = found.listed.iter().map(|difference| &difference.path).collect();
        let reordered = self.reordered(kind.as_deref(), reads, &paths);
        let same = self.same_fields(reads);
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, seen, path) in &reordered {
            let orders = findings.orders.entry(place.clone()).or_default();
            Orders::take(orders, seen.clone(), self.example(reference, reads, path));
        }
        for difference in &found.listed {
            let path = &difference.path;
            if reordered.iter().any(|(_, _, array)| path.below(array).is_some()) {
                continue;
            }
            let place = self.unordered.place(kind.as_deref(), path);
            let tokens = [&difference.reference, &difference.candidate];
            let values = tokens.map(|token| token.as_deref().map(|token| (kind_of(token), token)));
            let example = Example {
                run: self.run,
                line: reference.place().line,
                values: values.map(|value| value.map_or_else(String::new, |value| shown(value.1))),
            };
            findings.families.entry(place).or_default().take(values, &same, &example);
        }
        findings.keep_first();
        true
    }

    /// Keeps the events that only one side has, if both agree again behind them.
    fn pass(&self, parting: &Parting<'_>, near: bool, scratch: &mut Scratch) -> Option<Onward> {
        let shift = extra::agrees_behind(parting, near, self.comparer, scratch)?;
        let seen = extra::look(parting, shift, self.profile, self.run)?;
        let ordinal = |side: usize, at: usize| parting.sides[side][at].ordinal().map(i128::from);
        let step = match (ordinal(0, shift.reference), ordinal(1, shift.candidate)) {
            (Some(reference), Some(candidate)) => Step(candidate - reference),
            _ => parting.step,
        };
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        for Seen { kind, fields, example, repeated } in seen {
            let extra = findings.extra.entry(kind).or_default();
            extra.family.take([None, None], &fields, &example);
            extra.repeated += u64::from(repeated);
        }
        findings.keep_first();
        Some(Onward::Past([shift.reference as u64, shift.candidate as u64], step))
    }

    /// The outermost arrays around differences that have their elements in another order.
    fn reordered(
        &self,
        kind: Option<&str>,
        [left, right]: [Read<'_>; 2],
        paths: &[&Pointer],
    ) -> Vec<(Place, order::Reordered, Pointer)> {
        let mut found: Vec<(Place, order::Reordered, Pointer)> = Vec::new();
        for path in paths {
            for depth in 1..path.tokens().len() {
                let array = Pointer::new(path.tokens()[..depth].iter().cloned());
                if found.iter().any(|(_, _, held)| array.below(held).is_some()) {
                    break;
                }
                let node = |(tape, line): Read<'_>| {
                    tape.at(line, Tape::ROOT, &array).filter(|node| tape.kind(*node) == Kind::ArrayStart)
                };
                let (Some(ours), Some(theirs)) = (node(left), node(right)) else { continue };
                if let Some(seen) = order::reordered((left, ours), (right, theirs)) {
                    found.push((self.unordered.place(kind, &array), seen, array));
                    break;
                }
            }
        }
        found
    }

    /// The scalars of a line that the partner has too, less the roles that only name an event.
    fn same_fields(&self, [(tape, line), (other, other_line)]: [Read<'_>; 2]) -> Vec<(Pointer, String)> {
        let mut same = Vec::new();
        leaves(tape, line, |path, token| {
            if self.names.iter().all(|name| name != path)
                && other.at(other_line, Tape::ROOT, path).is_some_and(|node| other.bytes(other_line, node) == token)
                && let Some(value) = condition_value(token)
            {
                same.push((path.clone(), value.to_owned()));
            }
            same.len() < FIELDS_MAX
        });
        same
    }

    fn example(&self, reference: &Met<'_>, reads: [Read<'_>; 2], path: &Pointer) -> Example {
        let value = |(tape, line): Read<'_>| {
            tape.at(line, Tape::ROOT, path).map_or_else(String::new, |node| shown(tape.bytes(line, node)))
        };
        Example { run: self.run, line: reference.place().line, values: reads.map(value) }
    }
}

/// The token of a scalar that a condition of a rule can ask for.
pub fn condition_value(token: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(token).ok().filter(|text| text.len() <= FIELD_BYTES_MAX)?;
    match token.first()? {
        b'"' => (!text::has_escape(token)).then_some(text),
        b't' | b'f' => Some(text),
        _ => text.parse::<i64>().is_ok().then_some(text),
    }
}

/// Every scalar of a line with its path, in text order, until told to stop.
pub(super) fn leaves(tape: &Tape, line: &[u8], mut told: impl FnMut(&Pointer, &[u8]) -> bool) {
    let mut open = vec![(Pointer::default(), Tape::ROOT)];
    while let Some((path, node)) = open.pop() {
        let below: Vec<(Pointer, usize)> = match tape.kind(node) {
            Kind::ObjectStart => {
                let name = |key: usize| String::from_utf8_lossy(&text::unescape(tape.bytes(line, key))).into_owned();
                tape.distinct_members(line, node).iter().map(|(key, value)| (path.child(name(*key)), *value)).collect()
            }
            Kind::ArrayStart => {
                let elements = tape.elements(node).take(FIELDS_MAX).enumerate();
                elements.map(|(at, element)| (path.child(at.to_string()), element)).collect()
            }
            _ if told(&path, tape.bytes(line, node)) => continue,
            _ => return,
        };
        open.extend(below.into_iter().rev());
    }
}

/// What kind of value a token is.
fn kind_of(token: &[u8]) -> Kind {
    match token.first() {
        Some(b'"') => Kind::String,
        Some(b'{') => Kind::ObjectStart,
        Some(b'[') => Kind::ArrayStart,
        Some(b't') => Kind::True,
        Some(b'f') => Kind::False,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// A token as an example shows it.
pub(super) fn shown(token: &[u8]) -> String {
    let text = String::from_utf8_lossy(token);
    match text.char_indices().nth(SHOWN_BYTES_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scalar_is_told_with_its_path() {
        let line = br#"{"a":1,"b":{"c/d":["x",{"e":true}]},"f":null}"#;
        let mut tape = Tape::default();
        tape.parse(line, 0).unwrap();
        let mut told = Vec::new();
        leaves(&tape, line, |path, token| {
            told.push(format!("{path} {}", String::from_utf8_lossy(token)));
            true
        });
        assert_eq!(told, ["/a 1", "/b/c~1d/0 \"x\"", "/b/c~1d/1/e true", "/f null"]);
        for (token, is) in [("\"a\"", true), ("7", true), ("1.5", false), ("null", false), ("\"\\n\"", false)] {
            assert_eq!(condition_value(token.as_bytes()).is_some(), is, "{token}");
        }
    }
}
