//! The rules for one kind of log, as the other rooms use them.
//!
//! Everything the TOML of a profile can say ends up here, checked and with its paths taken
//! apart; no rule lives in code. [`super::document`] is the stored form.

use super::amount::Amount;
use super::audit::AuditRule;
use super::edges::EdgeRule;
use super::events::{DropRule, FoldRule, JoinRule};
use super::identity::IdentityRule;
use super::pattern::Pattern;
pub use super::roles::*;
use crate::json::{self, Pointer};

/// The rules for one kind of log.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// `schema-v1`, `generic`, or the name a profile file gives itself.
    pub name: String,
    /// One sentence for `profile list`.
    pub description: String,
    /// Where a line keeps what aligning needs.
    pub roles: Roles,
    /// The first line a log must have, if the profile demands one.
    pub header: Option<Header>,
    /// Null equals a missing key, at the payload's top level only.
    pub null_equals_missing: bool,
    /// The events of every lane's beginning that are dropped on both sides (`--skip-start`).
    pub skip_start: u64,
    /// Fields that never count, in the profile's order.
    pub ignore: Vec<IgnoreRule>,
    /// Bits that never count.
    pub mask: Vec<MaskRule>,
    /// Calls whose returned addresses may differ.
    pub allocator: Vec<AllocatorRule>,
    /// Numbers that may lie a little apart.
    pub tolerance: Vec<ToleranceRule>,
    /// Arrays whose order does not count.
    pub unordered: Vec<UnorderedRule>,
    /// Values that are equal in more than one spelling.
    pub spelling: Vec<SpellingRule>,
    /// Addresses that lie a constant apart.
    pub offset: Vec<OffsetRule>,
    /// Values that stand for objects.
    pub identity: Vec<IdentityRule>,
    /// Events that are taken out.
    pub drop: Vec<DropRule>,
    /// Events whose repetitions are taken out.
    pub fold: Vec<FoldRule>,
    /// Events joined with the next of their lane; the first rule that an event meets counts, after those before.
    pub join: Vec<JoinRule>,
    /// What follows from what.
    pub edge: Vec<EdgeRule>,
    pub audit: Vec<AuditRule>,
    /// One-line summaries of events, by kind; see [`super::summary`].
    pub summaries: Vec<SummaryRule>,
}

/// The header line: its kind, and the version number it must carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The header's kind, read where the kind role says. If a flag took that role away, only the
    /// version is looked at.
    pub kind: String,
    /// Where the header keeps its version.
    pub version_path: Pointer,
    /// The version it must carry.
    pub version: u64,
}

/// Something that must be so on both sides where a rule shall hold: one of these values stands at this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Where, from the line's root; it need not lie inside the payload.
    pub path: Pointer,
    /// Which values.
    pub equals: Vec<Scalar>,
}

/// A value that a condition asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A string, by its code points.
    Text(String),
    /// An integer, whatever its spelling.
    Integer(i64),
    /// True or false.
    Boolean(bool),
}

/// A field that never counts. `path` is from the line's root and lies inside the payload.
#[derive(Clone, Debug, PartialEq)]
pub struct IgnoreRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pattern,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Bits of an integer (0 to 2^64-1) or hex string that do not count.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pattern,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// The bits that do not count.
    pub bits: u64,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Numbers that are equal if they lie no further apart than this.
#[derive(Clone, Debug, PartialEq)]
pub struct ToleranceRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pattern,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// How far apart.
    pub tolerance: Tolerance,
    /// Why this may differ, for people.
    pub reason: String,
}

/// How far apart two numbers may lie; near enough by one of these is near enough. Absolute and
/// relative distances are decided in exact decimals. A number whose exponent takes more than 64 bits, `NaN` and
/// the infinities equal themselves alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// The distance itself.
    pub absolute: Option<Amount>,
    /// The distance as a part of the larger magnitude.
    pub relative: Option<Amount>,
    /// Steps between neighbouring doubles, both numbers rounded to the nearest double; one that
    /// rounds to an infinity is near to none.
    pub ulps: Option<u64>,
}

/// An array whose elements are matched one to one in whatever order.
#[derive(Clone, Debug, PartialEq)]
pub struct UnorderedRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pattern,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// Where an element keeps the key it is matched by, from the element. Where a side has an element without
    /// it or two with the same, and where another rule reaches it, elements are matched as if there were none.
    pub by: Option<Pointer>,
    /// Why this may differ, for people.
    pub reason: String,
}

/// A value that is equal in more than one spelling.
#[derive(Clone, Debug, PartialEq)]
pub struct SpellingRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pattern,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// Which spellings.
    pub spelling: Spelling,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Which spellings are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    /// A string of hex digits (`0x` or not, any case, leading zeros) is the integer it spells.
    pub hex: bool,
    /// A negative integer is its two's complement of this width, and so is that one with its
    /// sign extended to twice the width; in numbers and in strings of hex digits.
    pub width: Option<Width>,
    /// Strings that differ only in the case of ASCII letters are equal.
    pub case: bool,
}

/// The width of an integer in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bits.
    W32,
    /// 64 bits.
    W64,
}

/// An address that lies a constant apart on the two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    /// Where it holds, from the line's root.
    pub path: Pattern,
    /// What must be so on both sides; empty: nothing.
    pub when: Vec<Condition>,
    /// How far, and which addresses.
    pub offset: Offset,
    /// Why this may differ, for people.
    pub reason: String,
}

/// The candidate's value is the reference's plus `by`, where the reference's lies in `from..=to`. Both are
/// integers from 0 to 2^64-1, or both hex strings of such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Added to the reference's value; less than 2^64 either way.
    pub by: i128,
    /// The first of the reference's values that lie apart.
    pub from: u64,
    /// The last of them.
    pub to: u64,
}

/// What all rules on values have in common, whatever their class.
#[derive(Clone, Copy, Debug)]
pub struct ValueRule<'p> {
    /// The rule's name.
    pub name: &'p str,
    /// Empty: every kind.
    pub kinds: &'p [String],
    /// Where it holds.
    pub path: &'p Pattern,
    /// What must be so on both sides.
    pub when: &'p [Condition],
    /// What it does there.
    pub does: Does<'p>,
}

/// What a rule on values does at its place.
#[derive(Clone, Copy, Debug)]
pub enum Does<'p> {
    /// `[[ignore]]`
    Ignore,
    /// `[[mask]]`
    Mask(u64),
    /// `[[tolerance]]`
    Tolerance(&'p Tolerance),
    /// `[[unordered]]`
    Unordered(Option<&'p Pointer>),
    /// `[[spelling]]`
    Spelling(Spelling),
    /// `[[offset]]`
    Offset(Offset),
}

/// Two successful allocations are equal whatever address they return (BEHAVIOUR 3.5).
#[derive(Clone, Debug, PartialEq)]
pub struct AllocatorRule {
    /// The rule's name, for `--without` and counters.
    pub name: String,
    /// The kind of the event that carries the returned value.
    pub kind: String,
    /// Where that event names the called function.
    pub function: Pointer,
    /// Where the returned address stands.
    pub value: Pointer,
    /// Where the same value may stand again, spelled in hex.
    pub status: Option<Pointer>,
    /// The functions and what is a failure of each.
    pub functions: Vec<AllocatorFunctions>,
    /// Why this may differ, for people.
    pub reason: String,
}

/// Functions that share one set of failures.
#[derive(Clone, Debug, PartialEq)]
pub struct AllocatorFunctions {
    /// The functions, as the event spells them.
    pub names: Vec<String>,
    /// What each of them returns when it fails.
    pub failure: Failure,
}

/// What a failed allocation returns. Integers may be written as numbers or hex strings.
/// A value that is neither integer, hex string, null nor missing is compared as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// Null and missing are failures. Where false, null and missing are compared raw.
    pub null: bool,
    /// Every negative integer is a failure.
    pub negative: bool,
    /// Failing integers.
    pub values: Vec<u64>,
    /// Inclusive ranges of failing integers.
    pub ranges: Vec<FailureRange>,
}

/// `from..=to`, less the multiples of `except_multiples_of` (0: no exception).
#[derive(Clone, Debug, PartialEq)]
pub struct FailureRange {
    /// The first failing integer.
    pub from: u64,
    /// The last failing integer.
    pub to: u64,
    /// 0: no exception.
    pub except_multiples_of: u64,
}

/// How an event of these kinds is told in one line, e.g. `{name|ord}`.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRule {
    /// Empty: every kind without a rule of its own. `handle.*` stands for all that begin so.
    pub kinds: Vec<String>,
    /// Well formed, as [`super::summary::Template`] reads it.
    pub template: String,
}

/// What the rules of each class have under the same names.
macro_rules! value_rule {
    ($rule:expr, $does:expr) => {
        ValueRule { name: &$rule.name, kinds: &$rule.kinds, path: &$rule.path, when: &$rule.when, does: $does }
    };
}

/// The name under which null standing for a missing key is counted and switched off.
pub const NULL_EQUALS_MISSING: &str = "null-equals-missing";

impl IgnoreRule {
    /// Whether this holds for every kind of event and under no condition.
    pub fn is_plain(&self) -> bool {
        self.kinds.is_empty() && self.when.is_empty()
    }
}

impl Width {
    /// How many bits.
    pub fn bits(self) -> u32 {
        match self {
            Width::W32 => 32,
            Width::W64 => 64,
        }
    }
}

impl Profile {
    /// The names of all rules that can overlook a difference, in a fixed order; the position
    /// in this list is the rule's number in counters. `null-equals-missing` comes first.
    pub fn rule_names(&self) -> Vec<&str> {
        std::iter::once(NULL_EQUALS_MISSING)
            .chain(self.value_rules_before_allocators().map(|rule| rule.name))
            .chain(self.allocator.iter().map(|rule| rule.name.as_str()))
            .chain(self.value_rules_behind_allocators().map(|rule| rule.name))
            .chain(self.identity.iter().map(|rule| rule.name.as_str()))
            .chain(self.drop.iter().map(|rule| rule.name.as_str()))
            .chain(self.fold.iter().map(|rule| rule.name.as_str()))
            .chain(self.join.iter().map(|rule| rule.name.as_str()))
            .collect()
    }

    /// The number of the first identity rule in [`Profile::rule_names`].
    pub fn identity_base(&self) -> u16 {
        self.event_base() - self.identity.len() as u16
    }

    /// All rules on values, in the order of [`Profile::rule_names`], with their numbers there.
    pub fn value_rules(&self) -> impl Iterator<Item = (u16, ValueRule<'_>)> {
        let behind = self.allocator_base() + self.allocator.len() as u16;
        (1..).zip(self.value_rules_before_allocators()).chain((behind..).zip(self.value_rules_behind_allocators()))
    }

    /// The number of the first allocator rule in [`Profile::rule_names`].
    pub fn allocator_base(&self) -> u16 {
        (1 + self.ignore.len() + self.mask.len()) as u16
    }

    fn value_rules_before_allocators(&self) -> impl Iterator<Item = ValueRule<'_>> {
        let ignore = self.ignore.iter().map(|rule| value_rule!(rule, Does::Ignore));
        ignore.chain(self.mask.iter().map(|rule| value_rule!(rule, Does::Mask(rule.bits))))
    }

    fn value_rules_behind_allocators(&self) -> impl Iterator<Item = ValueRule<'_>> {
        (self.tolerance.iter().map(|rule| value_rule!(rule, Does::Tolerance(&rule.tolerance))))
            .chain(self.unordered.iter().map(|rule| value_rule!(rule, Does::Unordered(rule.by.as_ref()))))
            .chain(self.spelling.iter().map(|rule| value_rule!(rule, Does::Spelling(rule.spelling))))
            .chain(self.offset.iter().map(|rule| value_rule!(rule, Does::Offset(rule.offset))))
    }

    /// Takes out the rules whose name is not to be kept.
    pub fn retain_rules(&mut self, keep: impl Fn(&str) -> bool) {
        self.ignore.retain(|rule| keep(&rule.name));
        self.mask.retain(|rule| keep(&rule.name));
        self.allocator.retain(|rule| keep(&rule.name));
        self.tolerance.retain(|rule| keep(&rule.name));
        self.unordered.retain(|rule| keep(&rule.name));
        self.spelling.retain(|rule| keep(&rule.name));
        self.offset.retain(|rule| keep(&rule.name));
        self.identity.retain(|rule| keep(&rule.name));
        self.drop.retain(|rule| keep(&rule.name));
        self.fold.retain(|rule| keep(&rule.name));
        self.join.retain(|rule| keep(&rule.name));
        self.edge.retain(|rule| keep(&rule.name));
        self.audit.retain(|rule| keep(&rule.name));
    }
}

impl Condition {
    /// Whether a valid token spells one of the values.
    pub fn is_met_by(&self, token: &[u8]) -> bool {
        self.equals.iter().any(|scalar| match (scalar, token.first()) {
            (Scalar::Text(text), Some(b'"')) => *json::text::unescape(token) == *text.as_bytes(),
            (Scalar::Integer(wanted), Some(b'0'..=b'9' | b'-')) => {
                let integer = json::Decimal::parse(token).and_then(|decimal| decimal.to_integer());
                integer == Some(json::Integer::Small(*wanted))
            }
            (Scalar::Boolean(wanted), _) => token == if *wanted { &b"true"[..] } else { b"false" },
            _ => false,
        })
    }
}

impl Failure {
    /// Whether an integer is a failing one.
    pub fn has(&self, value: u64) -> bool {
        let is_excepted = |step: u64| step != 0 && value.is_multiple_of(step);
        let holds =
            |range: &FailureRange| (range.from..=range.to).contains(&value) && !is_excepted(range.except_multiples_of);
        self.values.contains(&value) || self.ranges.iter().any(holds)
    }
}

impl ValueRule<'_> {
    /// Whether this holds for events of `kind` (`None`: of a kind that no rule names).
    pub fn serves(&self, kind: Option<&str>) -> bool {
        self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.iter().any(|own| own == kind))
    }

    /// Whether some kind of event has both rules.
    pub fn shares_a_kind_with(&self, other: &ValueRule<'_>) -> bool {
        self.kinds.is_empty() || other.kinds.is_empty() || self.kinds.iter().any(|kind| other.kinds.contains(kind))
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{builtin, parse};

    #[test]
    fn the_numbers_of_rules_are_their_places_among_the_names() {
        let rules = [
            ("tolerance", "path = '/payload/a'\nabsolute = '1'"),
            ("offset", "path = '/payload/b'\nby = 1"),
            ("drop", "kinds = ['c']"),
            ("fold", "kinds = ['d']"),
        ];
        let own = rules.map(|(class, keys)| format!("[[{class}]]\nname = '{class}'\nreason = 'r'\n{keys}\n")).concat();
        let added = parse(&format!("version = 1\nextends = 'schema-v1'\n{own}"), "my.toml").unwrap();
        for profile in [builtin("schema-v1").unwrap(), added] {
            let names = profile.rule_names();
            let from = |base: u16| names[usize::from(base)..].iter().copied();
            let allocators = profile.allocator.iter().map(|rule| rule.name.as_str());
            let identities = profile.identity.iter().map(|rule| rule.name.as_str());
            let events = profile.drop.iter().map(|rule| &rule.name).chain(profile.fold.iter().map(|rule| &rule.name));
            assert!(from(profile.allocator_base()).zip(allocators).all(|(there, its)| there == its));
            assert!(from(profile.identity_base()).zip(identities).all(|(there, its)| there == its));
            assert!(from(profile.event_base()).eq(events.map(String::as_str)), "{names:?}");
            assert!(profile.value_rules().all(|(number, rule)| names[usize::from(number)] == rule.name));
            assert!(!profile.allocator.is_empty() && profile.identity.len() > 1);
        }
    }
}
