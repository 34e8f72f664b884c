//! The walk through two payloads under the rules: which places differ, which rules overlooked one.

use smallvec::SmallVec;

use super::alike::word;
use super::allocator::{self, Call, Decision};
use super::event::Event;
use super::paths::{Action, Meaning, PathNode, RulePaths, Ruled};
use crate::identity::{Identities, Likeness, Meant, Values, number_of};
use crate::json::{self, Kind, Pointer, Tape};

/// Differing places past this number are counted, not listed.
pub const DIFFERENCES_LISTED_MAX: usize = 64;

/// One differing place; an absent side is `None`, values are the raw tokens of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub path: Pointer,
    pub reference: Option<Vec<u8>>,
    pub candidate: Option<Vec<u8>>,
    /// The objects that the values mean, if they differ in that.
    pub meant: Option<Box<[Option<Meant>; 2]>>,
}

#[cfg(test)]
impl Difference {
    /// A difference of these tokens at a JSON Pointer.
    pub(crate) fn at(path: &str, reference: Option<&str>, candidate: Option<&str>) -> Difference {
        let token = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        let path = Pointer::parse(path).expect("a test's path is one");
        Difference { path, reference: token(reference), candidate: token(candidate), meant: None }
    }
}

/// The objects of both logs, and the lines that a pair stands on.
#[derive(Clone, Copy)]
pub struct Objects<'a> {
    pub identities: &'a Identities,
    pub lines: [u64; 2],
}

/// The numbers of the rules that overlooked a difference in one pair, each once.
pub type Overlooked = SmallVec<[u16; 4]>;

/// An allocator rule that holds in a pair: its index and number, and what the sides say.
pub type PairedCall = (u16, u16, Call, Call);

impl<'a> Objects<'a> {
    /// What the values of a pair mean.
    pub fn of(identities: &'a Identities, reference: &Event<'_>, candidate: &Event<'_>) -> Objects<'a> {
        Objects { identities, lines: [reference.number, candidate.number] }
    }
}

/// One side of a walk.
#[derive(Clone, Copy)]
pub struct SideText<'a> {
    pub tape: &'a Tape,
    pub line: &'a [u8],
    /// The payload; `None` where it is missing.
    pub payload: Option<usize>,
}

impl<'a> SideText<'a> {
    pub(super) fn kind(&self, node: usize) -> Kind {
        self.tape.kind(node)
    }

    pub(super) fn bytes(&self, node: usize) -> &'a [u8] {
        self.tape.bytes(self.line, node)
    }

    /// The payload as an object: `Some(None)` is the empty object of a missing or null payload.
    fn as_object(&self) -> Option<Option<usize>> {
        match self.payload {
            None => Some(None),
            Some(node) => match self.kind(node) {
                Kind::Null => Some(None),
                Kind::ObjectStart => Some(Some(node)),
                _ => None,
            },
        }
    }
}

/// A walk in progress, and what it found.
pub struct Walk<'a> {
    pub reference: SideText<'a>,
    pub candidate: SideText<'a>,
    pub paths: &'a RulePaths,
    pub null_equals_missing: bool,
    /// For each allocator rule of the profile that holds on both sides, what the sides say.
    pub calls: &'a [PairedCall],
    /// For each set of conditions of the kind's rules, whether it holds on both sides.
    pub held: &'a [bool],
    /// What values mean; where that is not asked for, numbers that may mean objects are equal.
    pub objects: Option<Objects<'a>>,
    /// Stop at the first difference and name none.
    pub verdict_only: bool,
    /// Whether two values are the same is not decided yet.
    pub waits: bool,
    /// Values were met of which it cannot be told whether they mean the same.
    pub untold: bool,
    pub differences: Vec<Difference>,
    pub total: u64,
    pub overlooked: Overlooked,
    path: Vec<String>,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun; `base` is the payload's own path.
    pub fn new(
        reference: SideText<'a>,
        candidate: SideText<'a>,
        paths: &'a RulePaths,
        calls: &'a [PairedCall],
        base: &Pointer,
    ) -> Walk<'a> {
        Walk {
            reference,
            candidate,
            paths,
            null_equals_missing: false,
            calls,
            held: &[],
            objects: None,
            verdict_only: false,
            waits: false,
            untold: false,
            differences: Vec::new(),
            total: 0,
            overlooked: Overlooked::new(),
            path: base.tokens().to_vec(),
        }
    }

    /// Walks both payloads.
    pub fn run(&mut self) {
        let root = Some(RulePaths::ROOT);
        match (self.reference.as_object(), self.candidate.as_object()) {
            (Some(x), Some(y)) => self.objects(root, x, y, true),
            _ => self.place(root, self.reference.payload, self.candidate.payload),
        }
    }

    pub(super) fn done(&self) -> bool {
        // Whether a pair must wait does not depend on where else it differs.
        self.verdict_only && self.total > 0 && !self.paths.have_meanings()
    }

    pub(super) fn overlook(&mut self, rule: u16) {
        if !self.overlooked.contains(&rule) {
            self.overlooked.push(rule);
        }
    }

    fn equal(&self, x: Option<usize>, y: Option<usize>) -> bool {
        match (x, y) {
            (Some(x), Some(y)) => json::tape::equal(
                (self.reference.tape, self.reference.line, x),
                (self.candidate.tape, self.candidate.line, y),
            ),
            (None, None) => true,
            _ => false,
        }
    }

    fn differ(&mut self, x: Option<usize>, y: Option<usize>) {
        self.differ_as(x, y, None);
    }

    fn differ_as(&mut self, x: Option<usize>, y: Option<usize>, meant: Option<Box<[Option<Meant>; 2]>>) {
        self.total += 1;
        if self.verdict_only || self.differences.len() >= DIFFERENCES_LISTED_MAX {
            return;
        }
        self.differences.push(Difference {
            path: Pointer::new(self.path.iter().cloned()),
            reference: x.map(|node| self.reference.bytes(node).to_vec()),
            candidate: y.map(|node| self.candidate.bytes(node).to_vec()),
            meant,
        });
    }

    /// One place: the rules first, in their order, then the values.
    pub(super) fn place(&mut self, rules: Option<PathNode>, x: Option<usize>, y: Option<usize>) {
        let ruled = self.paths.rules(rules);
        if ruled.is_empty() {
            return self.values(rules, x, y);
        }
        if let (Some(x), Some(y)) = (x, y)
            && self.reference.bytes(x) == self.candidate.bytes(y)
        {
            return;
        }
        let (mut differs_whole, mut meaning) = (false, None::<Meaning>);
        for ruled in ruled.iter().filter(|ruled| self.holds(ruled)) {
            let overlooked_by = match ruled.action {
                Action::Exclude => return,
                Action::Ignore(rule) => Some(rule),
                Action::Mask(rule, bits) => self.equal_masked(bits, x, y).then_some(rule),
                Action::Alike(rule, alike) => self.are_alike(alike, x, y).then_some(rule),
                Action::AllocatorValue(rule) | Action::AllocatorStatus(rule) => {
                    let is_status = matches!(ruled.action, Action::AllocatorStatus(_));
                    match self.allocators_say(rule, is_status) {
                        Some((number, Decision::Overlook)) => Some(number),
                        Some((_, Decision::Differ)) => {
                            differs_whole = true;
                            None
                        }
                        _ => None,
                    }
                }
                Action::Identity(at) => {
                    let at = self.paths.meanings[usize::from(at)];
                    meaning = Some(meaning.map_or(at, |meaning| meaning.or(at)));
                    None
                }
                Action::Unordered(..) => None,
            };
            if let Some(rule) = overlooked_by {
                if !self.equal(x, y) {
                    self.overlook(rule);
                }
                return;
            }
        }
        match (differs_whole && !self.equal(x, y), meaning) {
            (true, _) => self.differ(x, y),
            (false, Some(meaning)) if self.mean_objects(meaning, x, y) => {}
            (false, _) => self.values(rules, x, y),
        }
    }

    /// Compares two values by the objects they mean; false where they mean none, or are equal by themselves.
    fn mean_objects(&mut self, meaning: Meaning, x: Option<usize>, y: Option<usize>) -> bool {
        let number = |side: SideText<'_>, node: Option<usize>| number_of(side.bytes(node?));
        let (Some(left), Some(right)) = (number(self.reference, x), number(self.candidate, y)) else { return false };
        if left == right && self.equal(x, y) {
            return false;
        }
        let Some(Objects { identities, lines }) = self.objects else { return true };
        let asked = Values { values: [left, right], lines, own: meaning.own, rules: meaning.rules };
        match identities.likeness(&asked) {
            Likeness::Nothing => return false,
            Likeness::Same { rule } => self.overlook(self.paths.identity_base + rule),
            Likeness::Differ => self.differ_as(x, y, Some(Box::new(identities.meant(&asked)))),
            Likeness::Undecided => self.waits = true,
            Likeness::Untold => self.untold = true,
        }
        true
    }

    /// Whether a rule holds in this pair.
    pub(super) fn holds(&self, ruled: &Ruled) -> bool {
        ruled.when.is_none_or(|when| self.held[usize::from(when)])
    }

    fn values(&mut self, rules: Option<PathNode>, x: Option<usize>, y: Option<usize>) {
        let (Some(left), Some(right)) = (x, y) else { return self.differ(x, y) };
        match (self.reference.kind(left), self.candidate.kind(right)) {
            _ if self.reference.bytes(left) == self.candidate.bytes(right) => {}
            (Kind::ObjectStart, Kind::ObjectStart) => self.objects(rules, x, y, false),
            (Kind::ArrayStart, Kind::ArrayStart) => match self.without_order(rules) {
                Some((rule, by)) => self.unordered(rules, rule, by, [left, right]),
                None => self.arrays(rules, left, right),
            },
            _ if self.equal(x, y) => {}
            _ => self.differ(x, y),
        }
    }

    /// The rule by which the order of an array does not count, and the key of its elements. Where there are
    /// several rules they are matched as wholes, which overlooks whatever either overlooks.
    fn without_order(&self, rules: Option<PathNode>) -> Option<(u16, Option<&'a Pointer>)> {
        let mut all =
            self.paths.rules(rules).iter().filter(|ruled| self.holds(ruled)).filter_map(|ruled| match ruled.action {
                Action::Unordered(rule, key) => Some((rule, self.paths.keys[usize::from(key)].as_ref())),
                _ => None,
            });
        let (rule, by) = all.next()?;
        Some((rule, by.filter(|_| all.next().is_none())))
    }

    /// Members in the reference's key order, then those only the candidate has.
    fn objects(&mut self, rules: Option<PathNode>, x: Option<usize>, y: Option<usize>, top: bool) {
        let (reference, candidate) = (self.reference, self.candidate);
        let members = |side: SideText<'a>, node: Option<usize>| {
            node.map(|node| side.tape.distinct_members(side.line, node)).unwrap_or_default()
        };
        let (left, right) = (members(reference, x), members(candidate, y));
        let partners =
            json::tape::pair_members((reference.tape, reference.line), &left, (candidate.tape, candidate.line), &right);
        let mut met: SmallVec<[bool; 16]> = SmallVec::from_elem(false, right.len());
        for ((key, value), partner) in left.iter().zip(&partners) {
            if let Some(partner) = partner {
                met[*partner] = true;
            }
            let other = partner.map(|partner| right[partner].1);
            self.member(rules, reference.bytes(*key), Some(*value), other, top);
        }
        for ((key, value), met) in right.iter().zip(met) {
            if !met {
                self.member(rules, candidate.bytes(*key), None, Some(*value), top);
            }
        }
    }

    fn member(&mut self, rules: Option<PathNode>, key: &[u8], x: Option<usize>, y: Option<usize>, top: bool) {
        if self.done() {
            return;
        }
        let is_null = |side: SideText<'_>, node: Option<usize>| node.is_some_and(|node| side.kind(node) == Kind::Null);
        let below = self.paths.member(rules, key);
        if top
            && self.null_equals_missing
            && ((y.is_none() && is_null(self.reference, x)) || (x.is_none() && is_null(self.candidate, y)))
            && !self.paths.rules(below).iter().any(|ruled| ruled.action == Action::Exclude)
        {
            return self.overlook(0);
        }
        self.step(|| String::from_utf8_lossy(&json::text::unescape(key)).into_owned(), below, x, y);
    }

    /// Goes one place deeper; the path is spelled only where places are named.
    pub(super) fn step(
        &mut self,
        token: impl Fn() -> String,
        below: Option<PathNode>,
        x: Option<usize>,
        y: Option<usize>,
    ) {
        if self.verdict_only {
            return self.place(below, x, y);
        }
        self.path.push(token());
        self.place(below, x, y);
        self.path.pop();
    }

    pub(super) fn arrays(&mut self, rules: Option<PathNode>, left: usize, right: usize) {
        let (reference, candidate) = (self.reference, self.candidate);
        let (mut xs, mut ys) = (reference.tape.elements(left), candidate.tape.elements(right));
        for index in 0.. {
            let (x, y) = (xs.next(), ys.next());
            if (x.is_none() && y.is_none()) || self.done() {
                return;
            }
            self.step(|| index.to_string(), self.paths.element(rules, index), x, y);
        }
    }

    fn equal_masked(&self, bits: u64, x: Option<usize>, y: Option<usize>) -> bool {
        let (Some(x), Some(y)) = (x, y) else { return false };
        let left = masked(self.reference.kind(x), self.reference.bytes(x), bits);
        left.is_some() && left == masked(self.candidate.kind(y), self.candidate.bytes(y), bits)
    }

    fn are_alike(&self, alike: u16, x: Option<usize>, y: Option<usize>) -> bool {
        let (Some(x), Some(y)) = (x, y) else { return false };
        let (reference, candidate) = (self.reference, self.candidate);
        self.paths.alikes[usize::from(alike)]
            .holds((reference.kind(x), reference.bytes(x)), (candidate.kind(y), candidate.bytes(y)))
    }

    /// What an allocator rule makes of a place, with its number; `None` where it does not hold.
    fn allocators_say(&self, rule: u16, is_status: bool) -> Option<(u16, Decision)> {
        let (_, number, left, right) = *self.calls.iter().find(|(index, ..)| *index == rule)?;
        Some((number, allocator::decide(left, right, is_status)))
    }
}

/// An integer from 0 to 2^64-1 or a hex string without the masked bits; the tag keeps the two apart.
pub fn masked(kind: Kind, token: &[u8], bits: u64) -> Option<(bool, u64)> {
    let (is_text, value) = word((kind, token))?;
    Some((is_text, value & !bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::{differing, differing_in_digest};
    use crate::profile::{IgnoreRule, MaskRule, Pattern, Profile, builtin};

    #[track_caller]
    fn assert_places(profile: &Profile, a: &str, b: &str, places: &[&str]) {
        let of = |a, b| differing_in_digest(profile, a, b).0;
        assert_eq!(of(a, b), places, "{a} {b}");
        let (mut back, mut sorted) = (of(b, a), places.to_vec());
        back.sort();
        sorted.sort_unstable();
        assert_eq!(back, sorted, "{b} {a}");
    }

    #[test]
    fn the_deepest_places_are_named_in_the_references_order() {
        let generic = builtin("generic").unwrap();
        for (a, b, places) in [
            (r#"{"a":1,"b":[1,2]}"#, r#"{"b":[1.0,2e0],"a":1}"#, &[][..]),
            (r#"{"a":1,"b":2}"#, r#"{"c":1,"b":3}"#, &["/a", "/b", "/c"]),
            (r#"{"v":[1,2,3]}"#, r#"{"v":[1,2]}"#, &["/v/2"]),
            (r#"{"v":[1,{"x":[]},3]}"#, r#"{"v":[1,{"x":[0]}]}"#, &["/v/1/x/0", "/v/2"]),
            (r#"{"v":{"a":1}}"#, r#"{"v":{"a":1,"c":null}}"#, &["/v/c"]),
            (r#"{"v":{"a":1}}"#, r#"{"v":[1]}"#, &["/v"]),
            (r#"{"v":{}}"#, r#"{"v":null}"#, &["/v"]),
            (r#"{"v":1}"#, r#"{"v":"1"}"#, &["/v"]),
            (r#"{"v":true}"#, r#"{"v":1}"#, &["/v"]),
            (r#"{"v":9007199254740993}"#, r#"{"v":9007199254740992}"#, &["/v"]),
            (r#"{"\u0061/b":1}"#, r#"{"a/b":2}"#, &["/a~1b"]),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, &[]),
            (r#"{"a":2,"a":1}"#, r#"{"a":2}"#, &["/a"]),
        ] {
            assert_places(&generic, a, b, places);
        }
    }

    #[test]
    fn a_null_equals_a_missing_key_at_the_top_only_and_only_if_asked() {
        let mut profile = builtin("generic").unwrap();
        assert_places(&profile, r#"{"a":1,"n":null}"#, r#"{"a":1}"#, &["/n"]);
        profile.null_equals_missing = true;
        assert_places(&profile, r#"{"a":1,"n":null}"#, r#"{"a":1}"#, &[]);
        assert_places(&profile, r#"{"a":1,"n":0}"#, r#"{"a":1}"#, &["/n"]);
        assert_places(&profile, r#"{"v":{"n":null}}"#, r#"{"v":{}}"#, &["/v/n"]);
        assert_places(&profile, r#"{"v":[null]}"#, r#"{"v":[]}"#, &["/v/0"]);
    }

    #[test]
    fn rules_look_away_where_they_say_and_nowhere_else() {
        let mut profile = builtin("generic").unwrap();
        let path = |text: &str| Pattern::parse(text).unwrap();
        let (text, kinds) = (String::new, vec![]);
        let ignore = IgnoreRule { name: "i".into(), kinds, path: path("/v/t"), when: vec![], reason: text() };
        let (kinds, when) = (vec![], vec![]);
        profile.ignore = vec![ignore];
        profile.mask = vec![MaskRule { name: "m".into(), kinds, path: path("/f"), when, bits: 0x30, reason: text() }];
        for (a, b, places) in [
            (r#"{"v":{"t":1,"u":1}}"#, r#"{"v":{"t":2,"u":1}}"#, &[][..]),
            (r#"{"v":{"t":1,"u":1}}"#, r#"{"v":{"u":1}}"#, &[]),
            (r#"{"v":{"t":1,"u":1}}"#, r#"{"v":{"t":2,"u":2}}"#, &["/v/u"]),
            (r#"{"t":1}"#, r#"{"t":2}"#, &["/t"]),
            (r#"{"f":18}"#, r#"{"f":50}"#, &[]),
            (r#"{"f":"0x12"}"#, r#"{"f":"0X32"}"#, &[]),
            (r#"{"f":18}"#, r#"{"f":82}"#, &["/f"]),
            (r#"{"f":18}"#, r#"{"f":26}"#, &["/f"]),
            (r#"{"f":18}"#, r#"{"f":"0x12"}"#, &["/f"]),
            (r#"{"f":18}"#, r#"{}"#, &["/f"]),
        ] {
            assert_places(&profile, a, b, places);
        }
    }

    #[test]
    fn a_payload_that_a_rule_names_is_compared_by_its_members_where_both_are_objects() {
        let mut profile = builtin("schema-v1").unwrap();
        let path = Pattern::parse("/payload").unwrap();
        let reason = String::new();
        profile.ignore = vec![IgnoreRule { name: "i".into(), kinds: vec![], path, when: vec![], reason }];
        let line = |payload: &str| format!(r#"{{"kind":"a","payload":{payload}}}"#);
        for (a, b, places) in [
            (r#"{"v":1}"#, r#"{"v":2}"#, &["/payload/v"][..]),
            ("{}", r#"{"v":2}"#, &["/payload/v"]),
            ("{}", "null", &[]),
            ("[1]", "[2]", &[]),
            ("[1]", "{}", &[]),
            ("1", r#""1""#, &[]),
        ] {
            // Which of two events are equal depends on both here, so digests can not tell.
            let (a, b) = (line(a), line(b));
            assert_eq!([differing(&profile, &a, &b).0, differing(&profile, &b, &a).0], [places, places], "{a} {b}");
        }
        profile.ignore.clear();
        assert_places(&profile, &line("{}"), "{\"kind\":\"a\"}", &[]);
        assert_places(&profile, &line("null"), "{\"kind\":\"a\"}", &[]);
        assert_places(&profile, &line("[1]"), &line("[1.0]"), &[]);
        assert_places(&profile, &line("[1]"), &line("[2]"), &["/payload/0"]);
        assert_places(&profile, &line("[]"), &line("{}"), &["/payload"]);
    }

    #[test]
    fn kinds_are_scalars_compared_by_value() {
        let profile = builtin("schema-v1").unwrap();
        let line = |kind: &str| format!("{{{kind}\"payload\":{{}}}}");
        for (a, b, places) in [
            ("\"kind\":\"a\",", "\"kind\":\"\\u0061\",", &[][..]),
            ("\"kind\":null,", "", &[]),
            ("\"kind\":1,", "\"kind\":1.0,", &[]),
            ("\"kind\":\"a\",", "\"kind\":\"b\",", &["/kind"]),
            ("\"kind\":\"a\",", "\"kind\":null,", &["/kind"]),
            ("\"kind\":1,", "\"kind\":\"1\",", &["/kind"]),
            ("\"kind\":true,", "\"kind\":false,", &["/kind"]),
        ] {
            assert_places(&profile, &line(a), &line(b), places);
        }
    }

    #[test]
    fn no_more_places_are_listed_than_the_limit() {
        let line = |value: u32| {
            let members: Vec<String> = (0..DIFFERENCES_LISTED_MAX + 6).map(|at| format!("\"k{at}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let (listed, total) = differing(&builtin("generic").unwrap(), &line(1), &line(2));
        assert_eq!((listed.len(), total), (DIFFERENCES_LISTED_MAX, DIFFERENCES_LISTED_MAX as u64 + 6));
    }
}
