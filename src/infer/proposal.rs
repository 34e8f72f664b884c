//! The narrowest rule that overlooks what was seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::census::{Counted, Telling, telling};
use super::extra::{Extra, whole};
use super::family::{Differing, Example, Family};
use super::order::Orders;
use super::place::Place;
use crate::json::{Pointer, text};
use crate::profile::{
    Amount, Condition, DropRule, FoldRule, IgnoreRule, MaskRule, Offset, OffsetRule, Pattern, PayloadRole, Profile,
    Scalar, Segment, Spelling, SpellingRule, Tolerance, ToleranceRule, UnorderedRule,
};

/// What a proposed rule overlooks.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    Unordered(Option<Pointer>),
    Spelling(Spelling),
    Offset(i128),
    Tolerance(Tolerance),
    Mask(u64),
    Ignore,
    /// Repetitions of events.
    Fold,
    /// Events as such.
    Drop,
}

/// A proposed rule, and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub name: String,
    pub kinds: Vec<String>,
    pub path: Pattern,
    pub telling: Option<Telling>,
    pub class: Class,
    /// Pairs that differ there, and pairs that have the place and meet the condition.
    pub pairs: u64,
    pub of: u64,
    pub example: Option<Example>,
}

/// How narrow a rule of a place may still be: what was tried and did not do is not tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    #[default]
    Narrowest,
    /// Neither spelling, offset nor pages.
    Near,
    /// No tolerance either.
    Bits,
    /// The field never counts, where another tells so.
    Field,
    /// It never counts.
    Everywhere,
    /// No rule will do.
    Nothing,
}

impl Breadth {
    /// The next wider one.
    #[must_use]
    pub fn wider(self) -> Breadth {
        match self {
            Breadth::Narrowest => Breadth::Near,
            Breadth::Near => Breadth::Bits,
            Breadth::Bits => Breadth::Field,
            Breadth::Field => Breadth::Everywhere,
            Breadth::Everywhere | Breadth::Nothing => Breadth::Nothing,
        }
    }
}

/// Positions that differ before an array's elements are taken for alike.
const POSITIONS_MIN: usize = 8;
/// Keys of one object that come and go before any key may.
const KEYS_MIN: usize = 4;
/// Values further apart than this part of themselves are not near each other.
const PART_MAX: f64 = 0.1;

/// Puts together places that differ only in a position, or in a key that comes and goes.
pub fn gather(mut families: BTreeMap<Place, Family>) -> BTreeMap<Place, Family> {
    loop {
        let mut groups: BTreeMap<(usize, Place), Vec<Place>> = BTreeMap::new();
        for place in families.keys() {
            let segments = place.path.segments();
            for (at, segment) in segments.iter().enumerate() {
                let is_key = at + 1 == segments.len() && matches!(segment, Segment::Key(_));
                if segment.is_position() || is_key {
                    groups.entry((at, place.any_at(at))).or_default().push(place.clone());
                }
            }
        }
        let found = groups.into_iter().find_map(|((at, any), members)| {
            let comes_and_goes = |place: &&Place| families[*place].all.absent > 0;
            let are_positions = members.iter().all(|place| place.path.segments()[at].is_position());
            let chosen: Vec<Place> = match are_positions {
                true if members.len() >= POSITIONS_MIN => members,
                true if members.len() > 1 && members.iter().any(|place| comes_and_goes(&place)) => members,
                true => return None,
                false => members.iter().filter(comes_and_goes).cloned().collect(),
            };
            (are_positions || chosen.len() >= KEYS_MIN).then_some((any, chosen))
        });
        let Some((any, members)) = found else { return families };
        let mut whole = families.remove(&any).unwrap_or_default();
        for member in members {
            whole.merge(&families.remove(&member).expect("it was just seen"));
        }
        families.insert(any, whole);
    }
}

/// The narrowest class that overlooks all that differed; `turns` is how many runs were compared with the first.
fn classify(differing: &Differing, breadth: Breadth, turns: u64) -> Class {
    if differing.absent > 0 || differing.others > 0 {
        return Class::Ignore;
    }
    let apart = &differing.apart;
    let narrow = || {
        // Between two runs every address lies a constant apart; whether that stays takes a third one to tell.
        let pages = || apart.pages().map(Class::Mask);
        let offset = || apart.offset().map(Class::Offset);
        let moved = || if turns > 1 { offset().or_else(pages) } else { pages().or_else(offset) };
        apart.spelling().map(Class::Spelling).or_else(moved)
    };
    let near = || {
        let (distance, are_integers, part) = apart.distance()?;
        let tolerance = match are_integers {
            _ if part > PART_MAX => return None,
            true => Tolerance { absolute: Some(round_up(distance * 2.0)?), ..Tolerance::default() },
            false => Tolerance { relative: Some(round_up(part * 2.0)?), ..Tolerance::default() },
        };
        Some(Class::Tolerance(tolerance))
    };
    let bits = || apart.flags().map(Class::Mask);
    let found = match breadth {
        Breadth::Narrowest => narrow().or_else(near).or_else(bits),
        Breadth::Near => near().or_else(bits),
        Breadth::Bits => bits(),
        _ => None,
    };
    found.unwrap_or(Class::Ignore)
}

/// What never counts as a whole cannot be the whole payload.
fn is_payload(path: &Pattern, payload: &PayloadRole) -> bool {
    match payload {
        PayloadRole::At(payload) => *path == Pattern::from(payload),
        PayloadRole::Whole => path.is_root(),
    }
}

/// The next of 1, 2, 5, 10, 20, 50, … times a power of ten.
fn round_up(amount: f64) -> Option<Amount> {
    let power = amount.log10().floor();
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * 10f64.powf(power) >= amount * (1.0 - 1e-9))?;
    Amount::parse(&format!("{step}e{power}"))
}

/// The proposals for places and arrays; `turns` is how often each event was compared.
pub fn proposals(
    families: &BTreeMap<Place, Family>,
    (orders, extra): (&BTreeMap<Place, Option<Orders>>, &BTreeMap<String, Extra>),
    counted: &BTreeMap<Place, Counted>,
    breadths: &BTreeMap<Place, Breadth>,
    (turns, base): (u64, &Profile),
) -> Vec<Proposal> {
    let mut found: Vec<Proposal> = Vec::new();
    for (place, orders) in orders {
        if let Some(orders) = orders {
            let class = Class::Unordered(orders.by().cloned());
            found.push(Proposal::new(place, class, None, (orders.pairs, 0), Some(orders.example.clone())));
        }
    }
    let nothing = Counted::default();
    for (kind, extra) in extra {
        let place = whole(kind);
        let breadth = breadths.get(&place).copied().unwrap_or_default();
        if breadth == Breadth::Nothing {
            continue;
        }
        let counted = counted.get(&place).unwrap_or(&nothing);
        let telling = if breadth < Breadth::Everywhere { telling(&extra.family, counted, turns) } else { None };
        let is_repeated = breadth == Breadth::Narrowest && extra.repeated == extra.family.all.pairs;
        let class = if is_repeated { Class::Fold } else { Class::Drop };
        let events = telling.as_ref().map_or(counted.events, |telling| counted.events_with(&extra.family, telling));
        let of = events.saturating_mul(turns);
        let (pairs, example) = (extra.family.all.pairs, extra.family.all.example.clone());
        found.push(Proposal::new(&place, class, telling, (pairs, of), example));
    }
    for (place, family) in families {
        let breadth = breadths.get(place).copied().unwrap_or_default();
        if breadth == Breadth::Nothing || is_payload(&place.path, &base.roles.payload) {
            continue;
        }
        let counted = counted.get(place).unwrap_or(&nothing);
        let telling = if breadth < Breadth::Everywhere { telling(family, counted, turns) } else { None };
        for (class, telling, differing) in split(family, telling, breadth, turns) {
            let events = telling.as_ref().map_or(counted.events, |telling| counted.events_with(family, telling));
            let of = events.saturating_mul(turns);
            found.push(Proposal::new(place, class, telling, (differing.pairs, of), differing.example));
        }
    }
    named(joined(found), base)
}

/// Whether a class is not much wider than another one.
fn is_about(narrow: &Class, wide: &Class) -> bool {
    let amount = |amount: &Option<Amount>| amount.as_ref().and_then(|amount| amount.double());
    let is_near = |narrow: Option<f64>, wide: Option<f64>| match (narrow, wide) {
        (Some(narrow), Some(wide)) => wide <= narrow * 10.0,
        (narrow, wide) => narrow.is_none() && wide.is_none(),
    };
    match (narrow, wide) {
        (Class::Tolerance(one), Class::Tolerance(other)) => {
            is_near(amount(&one.absolute), amount(&other.absolute))
                && is_near(amount(&one.relative), amount(&other.relative))
        }
        _ => narrow == wide,
    }
}

/// The values of a telling field that differ in one way have a rule of their own.
fn split(
    family: &Family,
    telling: Option<Telling>,
    breadth: Breadth,
    turns: u64,
) -> Vec<(Class, Option<Telling>, Differing)> {
    let Some((field, values)) = telling else {
        return vec![(classify(&family.all, breadth, turns), None, family.all.clone())];
    };
    let mut groups: Vec<(Class, Differing, Vec<String>)> = Vec::new();
    for value in values {
        let Some(own) = family.beside.by(&field).and_then(|by| by.get(&value)) else { continue };
        let alone = classify(own, breadth, turns);
        let fitting = groups.iter_mut().find_map(|(class, held, values)| {
            let mut both = held.clone();
            both.merge(own);
            // What is ignored on both counts has nothing else in common.
            let are_ignored = *class == Class::Ignore && alone == Class::Ignore;
            let wider = if are_ignored { Class::Ignore } else { classify(&both, breadth, turns) };
            (is_about(class, &wider) && is_about(&alone, &wider)).then_some((class, held, values, wider, both))
        });
        match fitting {
            Some((class, held, values, wider, both)) => {
                (*class, *held) = (wider, both);
                values.push(value);
            }
            None => groups.push((alone, own.clone(), vec![value])),
        }
    }
    groups.into_iter().map(|(class, held, values)| (class, Some((field.clone(), values)), held)).collect()
}

/// Rules that say the same of several kinds are one.
pub(super) fn joined(proposals: Vec<Proposal>) -> Vec<Proposal> {
    let mut joined: Vec<Proposal> = Vec::new();
    for proposal in proposals {
        let same = |held: &&mut Proposal| {
            (&held.path, &held.telling, &held.class) == (&proposal.path, &proposal.telling, &proposal.class)
                && !held.kinds.is_empty()
                && !proposal.kinds.is_empty()
        };
        match joined.iter_mut().find(same) {
            Some(held) => {
                held.kinds.extend(proposal.kinds);
                held.pairs += proposal.pairs;
                held.of += proposal.of;
                held.example = held.example.take().into_iter().chain(proposal.example).min();
            }
            None => joined.push(proposal),
        }
    }
    joined
}

/// Names are given once, in the profile below too.
pub(super) fn named(mut proposals: Vec<Proposal>, base: &Profile) -> Vec<Proposal> {
    let mut taken: Vec<String> = base.all_names().into_iter().map(str::to_owned).collect();
    for proposal in &mut proposals {
        let stem = proposal.stem();
        let mut numbered = (2..).map(|number: u32| format!("{stem}-{number}"));
        let mut name = stem.clone();
        while taken.contains(&name) {
            name = numbered.next().expect("numbers do not end");
        }
        taken.push(name.clone());
        proposal.name = name;
    }
    proposals
}

impl Proposal {
    fn new(
        place: &Place,
        class: Class,
        telling: Option<Telling>,
        (pairs, of): (u64, u64),
        example: Option<Example>,
    ) -> Proposal {
        let kinds = place.kind.iter().cloned().collect();
        Proposal { name: String::new(), kinds, path: place.path.clone(), telling, class, pairs, of, example }
    }

    /// The path for people: `payload.args[0]`.
    pub fn dotted(&self) -> String {
        Place { kind: None, path: self.path.clone() }.dotted()
    }

    /// What the rule is called, but for a number.
    fn stem(&self) -> String {
        let last = self.path.segments().iter().rev().find_map(|segment| match segment {
            Segment::Key(key) if !segment.is_position() => Some(key.as_str()),
            _ => None,
        });
        let whole = if matches!(self.class, Class::Fold | Class::Drop) { "events" } else { "value" };
        let words = [last.unwrap_or(whole), self.kinds.first().map_or("any", String::as_str)].join("-of-");
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
        words.chars().map(plain).collect()
    }

    /// Why the rule is proposed.
    pub fn reason(&self) -> String {
        let mut out = match &self.class {
            Class::Fold | Class::Drop if self.example.is_none() => {
                format!("{} more or fewer of {} in all runs", self.pairs, self.of)
            }
            Class::Fold | Class::Drop => {
                format!("{} events of {} stand in one run only", self.pairs, self.of.max(self.pairs))
            }
            Class::Unordered(_) => format!("the order differs in {} pairs", self.pairs),
            _ if self.of > 0 && self.pairs >= self.of => format!("differs in all {} pairs", self.pairs),
            _ if self.of > 0 => format!("differs in {} of {} pairs", self.pairs, self.of),
            _ => format!("differs in {} pairs", self.pairs),
        };
        if let Some(Example { line, values, .. }) = &self.example {
            let value = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
            write!(out, ", as in line {line}: {} and {}", value(&values[0]), value(&values[1]))
                .expect("strings take all");
        }
        out
    }

    fn when(&self) -> Vec<Condition> {
        let scalar = |token: &String| match token.parse() {
            Ok(number) => Scalar::Integer(number),
            Err(_) if token.starts_with('"') => {
                Scalar::Text(String::from_utf8_lossy(&text::unescape(token.as_bytes())).into_owned())
            }
            Err(_) => Scalar::Boolean(token == "true"),
        };
        let condition =
            |(path, values): &Telling| Condition { path: path.clone(), equals: values.iter().map(scalar).collect() };
        self.telling.iter().map(condition).collect()
    }

    /// Adds the rule to a profile, before all others of its class.
    fn add_to(&self, profile: &mut Profile) {
        let (name, kinds, path) = (self.name.clone(), self.kinds.clone(), self.path.clone());
        let (when, reason) = (self.when(), self.reason());
        match &self.class {
            Class::Drop => profile.drop.push(DropRule { name, kinds, when, reason }),
            Class::Fold => profile.fold.push(FoldRule { name, kinds, when, same: Vec::new(), reason }),
            Class::Ignore => profile.ignore.push(IgnoreRule { name, kinds, path, when, reason }),
            Class::Mask(bits) => profile.mask.push(MaskRule { name, kinds, path, when, bits: *bits, reason }),
            Class::Tolerance(tolerance) => {
                let tolerance = tolerance.clone();
                profile.tolerance.push(ToleranceRule { name, kinds, path, when, tolerance, reason });
            }
            Class::Spelling(spelling) => {
                profile.spelling.push(SpellingRule { name, kinds, path, when, spelling: *spelling, reason });
            }
            Class::Offset(by) => {
                let offset = Offset { by: *by, from: 0, to: u64::MAX };
                profile.offset.push(OffsetRule { name, kinds, path, when, offset, reason });
            }
            Class::Unordered(by) => {
                profile.unordered.push(UnorderedRule { name, kinds, path, when, by: by.clone(), reason });
            }
        }
    }
}

/// The proposals alone, as the only rules of the profile.
pub fn alone(proposals: &[Proposal], base: &Profile) -> Profile {
    let mut own = base.without_rules();
    proposals.iter().for_each(|proposal| proposal.add_to(&mut own));
    own
}

/// The profile with the proposals on top.
pub fn laid_on(proposals: &[Proposal], base: &Profile) -> Profile {
    alone(proposals, base).above(base.clone())
}
