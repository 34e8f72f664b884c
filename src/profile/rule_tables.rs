//! The tables of a profile that hold rules, and what rules must keep.

use std::collections::BTreeSet;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::conditions::When;
use super::document::Wrong;
use super::pattern::Pattern;
use super::pattern_tree::{NODES_MAX, PatternTree};
use super::reach::{below_payload, inside_payload, position_in_unordered};
use super::rules::*;
use super::values::*;
use crate::json::Pointer;

/// What an allocator's path must be.
const ONE_PLACE: &str = "an allocator rule names one place";
/// Why patterns are refused together.
pub(super) const TOO_MANY_STARS: &str =
    "with this path the rules' * overlap in too many places; write out the keys of one of them";

/// A field that never counts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IgnoreTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    reason: Filled,
}

/// Bits of an integer or hex string that never count.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MaskTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    #[schemars(with = "Number")]
    bits: Spanned<Number>,
    reason: Filled,
}

/// Calls whose returned addresses may differ.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AllocatorTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    kind: String,
    /// Where the event names the called function.
    #[schemars(with = "String")]
    function: Spanned<RulePath>,
    /// Where the returned address stands.
    #[schemars(with = "String")]
    value: Spanned<RulePath>,
    /// Where it may stand again, in hex.
    #[schemars(with = "Option<String>")]
    status: Option<Spanned<RulePath>>,
    #[schemars(with = "Vec<FunctionsTable>")]
    functions: Spanned<Vec<FunctionsTable>>,
    reason: Filled,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FunctionsTable {
    #[schemars(with = "Vec<String>")]
    names: Spanned<Vec<String>>,
    #[serde(default)]
    failure: FailureTable,
}

/// What a failed allocation returns.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FailureTable {
    /// Null and missing are failures.
    null: bool,
    /// Every negative integer is a failure.
    negative: bool,
    values: Vec<Number>,
    ranges: Vec<RangeTable>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangeTable {
    #[schemars(with = "Number")]
    from: Spanned<Number>,
    /// Inclusive.
    to: Number,
    #[serde(default)]
    except_multiples_of: Number,
}

/// Numbers that may lie a little apart: near enough by one of the three is near enough.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ToleranceTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// The distance itself, from 0 on, exact: what a double cannot hold is written as a string.
    absolute: Option<Distance>,
    /// The distance as a part of the larger magnitude, exact.
    relative: Option<Distance>,
    /// Steps between neighbouring doubles.
    ulps: Option<Number>,
    reason: Filled,
}

/// An array whose order does not count.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnorderedTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// Where an element keeps the key it is matched by; left out: elements are matched as wholes.
    by: Option<Path>,
    reason: Filled,
}

/// A value that is equal in more than one spelling.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpellingTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// A string of hex digits is the integer it spells.
    #[serde(default)]
    hex: bool,
    /// A negative integer is its two's complement of so many bits, with its sign extended or not.
    width: Option<Bits>,
    /// The case of ASCII letters does not count.
    #[serde(default)]
    case: bool,
    reason: Filled,
}

/// An address that lies a constant apart on the two sides.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OffsetTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// The candidate's value less the reference's.
    #[schemars(with = "SignedNumber")]
    by: Spanned<SignedNumber>,
    /// The first of the reference's values that lie apart.
    #[schemars(with = "Option<Number>")]
    from: Option<Spanned<Number>>,
    /// The last of them.
    to: Option<Number>,
    reason: Filled,
}
/// What all rules of a profile must keep: names of their own, paths inside the payload.
pub(super) struct RuleCheck {
    payload: PayloadRole,
    names: BTreeSet<String>,
    /// The paths of rules on values as they come: where they stand, and the rule's name.
    paths: Vec<(Range<usize>, String)>,
    /// Identity rules so far.
    identities: usize,
}

impl RuleCheck {
    /// Nothing met yet; these names are taken.
    pub fn new(payload: &PayloadRole, names: BTreeSet<String>) -> RuleCheck {
        RuleCheck { payload: payload.clone(), names, paths: Vec::new(), identities: 0 }
    }

    pub fn name(&mut self, name: Spanned<Filled>) -> Result<String, Wrong> {
        let (span, name) = (name.span(), name.into_inner().0);
        if name == NULL_EQUALS_MISSING {
            return Err((span, format!("the name {name:?} is taken by [equality] null_equals_missing")));
        }
        if !self.names.insert(name.clone()) {
            return Err((
                span,
                format!("another rule is named {name:?} already; `--without` needs names of their own"),
            ));
        }
        Ok(name)
    }

    /// The name and path of a rule on values.
    fn rule(&mut self, name: Spanned<Filled>, path: Spanned<RulePath>) -> Result<(String, Pattern), Wrong> {
        let name = self.name(name)?;
        let span = path.span();
        let path = self.inside(path)?;
        self.paths.push((span, name.clone()));
        Ok((name, path))
    }

    /// A path inside the payload.
    pub fn inside(&self, path: Spanned<RulePath>) -> Result<Pattern, Wrong> {
        let (span, path) = (path.span(), path.into_inner().0);
        inside_payload(&path, &self.payload).map_err(|why| (span, why))?;
        Ok(path)
    }

    /// A path of a rule that names one place inside the payload, as `who` says.
    pub fn place(&self, path: Spanned<RulePath>, who: &str) -> Result<Pointer, Wrong> {
        let span = path.span();
        let path = self.inside(path)?;
        path.pointer().ok_or_else(|| (span, format!("{who}; a key that is named * is quoted, as in payload[\"*\"]")))
    }

    /// One more identity rule; how many there are.
    pub fn count_identity(&mut self) -> usize {
        self.identities += 1;
        self.identities
    }

    /// What rules must keep together.
    pub fn together(&self, profile: &Profile) -> Result<(), Wrong> {
        let place = |name: &str| self.paths.iter().find(|(_, own)| own == name).map_or(0..0, |(span, _)| span.clone());
        if let Some((name, why)) = position_in_unordered(profile) {
            return Err((place(name), why));
        }
        let rules: Vec<ValueRule<'_>> = profile.value_rules().map(|(_, rule)| rule).collect();
        let fits = |count: usize| PatternTree::grow(rules[..count].iter().map(|rule| rule.path), NODES_MAX).is_some();
        if fits(rules.len()) {
            return Ok(());
        }
        let first = (1..=rules.len()).find(|count| !fits(*count)).unwrap_or(rules.len());
        Err((place(rules[first - 1].name), TOO_MANY_STARS.to_owned()))
    }
}

impl IgnoreTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<IgnoreRule, Wrong> {
        let span = self.path.span();
        let (name, path) = check.rule(self.name, self.path)?;
        below_payload(&path, &check.payload).map_err(|why| (span, why))?;
        Ok(IgnoreRule { name, kinds: self.kinds, path, when: self.when.0, reason: self.reason.0 })
    }
}

impl MaskTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<MaskRule, Wrong> {
        if self.bits.get_ref().0 == 0 {
            return Err((self.bits.span(), "a mask of no bits overlooks nothing".to_owned()));
        }
        let (name, path) = check.rule(self.name, self.path)?;
        let (bits, when) = (self.bits.into_inner().0, self.when.0);
        Ok(MaskRule { name, kinds: self.kinds, path, when, bits, reason: self.reason.0 })
    }
}

impl AllocatorTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<AllocatorRule, Wrong> {
        if self.functions.get_ref().is_empty() {
            return Err((self.functions.span(), "an allocator rule names at least one function".to_owned()));
        }
        let functions = self.functions.into_inner().into_iter().map(FunctionsTable::into_functions);
        Ok(AllocatorRule {
            name: check.name(self.name)?,
            kind: self.kind,
            function: check.place(self.function, ONE_PLACE)?,
            value: check.place(self.value, ONE_PLACE)?,
            status: self.status.map(|path| check.place(path, ONE_PLACE)).transpose()?,
            functions: functions.collect::<Result<_, _>>()?,
            reason: self.reason.0,
        })
    }
}

impl FunctionsTable {
    fn into_functions(self) -> Result<AllocatorFunctions, Wrong> {
        if self.names.get_ref().is_empty() {
            return Err((self.names.span(), "at least one function is named".to_owned()));
        }
        Ok(AllocatorFunctions { names: self.names.into_inner(), failure: self.failure.into_failure()? })
    }
}

impl FailureTable {
    pub fn into_failure(self) -> Result<Failure, Wrong> {
        let FailureTable { null, negative, values, ranges } = self;
        let ranges = ranges.into_iter().map(RangeTable::into_range).collect::<Result<_, _>>()?;
        let values = values.into_iter().map(|value| value.0).collect();
        Ok(Failure { null, negative, values, ranges })
    }
}

impl RangeTable {
    fn into_range(self) -> Result<FailureRange, Wrong> {
        let (span, from) = (self.from.span(), self.from.into_inner().0);
        if from > self.to.0 {
            return Err((span, format!("the range begins at {from:#x}, behind its end {:#x}", self.to.0)));
        }
        Ok(FailureRange { from, to: self.to.0, except_multiples_of: self.except_multiples_of.0 })
    }
}

impl ToleranceTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<ToleranceRule, Wrong> {
        let span = self.name.span();
        let [absolute, relative] = [self.absolute, self.relative].map(|distance| distance.map(|distance| distance.0));
        let ulps = self.ulps.map(|ulps| ulps.0);
        let is_nothing = [&absolute, &relative].into_iter().flatten().all(|amount| amount.is_zero());
        if is_nothing && ulps.is_none() {
            return Err((span, "a tolerance needs `absolute`, `relative` or `ulps`, above 0".to_owned()));
        }
        let (name, path) = check.rule(self.name, self.path)?;
        let tolerance = Tolerance { absolute, relative, ulps };
        Ok(ToleranceRule { name, kinds: self.kinds, path, when: self.when.0, tolerance, reason: self.reason.0 })
    }
}

impl UnorderedTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<UnorderedRule, Wrong> {
        let (name, path) = check.rule(self.name, self.path)?;
        let by = self.by.map(|by| by.0);
        Ok(UnorderedRule { name, kinds: self.kinds, path, when: self.when.0, by, reason: self.reason.0 })
    }
}

impl SpellingTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<SpellingRule, Wrong> {
        let spelling = Spelling { hex: self.hex, width: self.width.map(|bits| bits.0), case: self.case };
        if spelling == Spelling::default() {
            return Err((self.name.span(), "a spelling needs `hex`, `width` or `case`".to_owned()));
        }
        let (name, path) = check.rule(self.name, self.path)?;
        Ok(SpellingRule { name, kinds: self.kinds, path, when: self.when.0, spelling, reason: self.reason.0 })
    }
}

impl OffsetTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<OffsetRule, Wrong> {
        let by = self.by.get_ref().0;
        if by == 0 {
            return Err((self.by.span(), "an offset of 0 overlooks nothing".to_owned()));
        }
        let to = self.to.map_or(u64::MAX, |to| to.0);
        let from = match self.from {
            Some(from) if from.get_ref().0 > to => {
                let why = format!("the range begins at {:#x}, behind its end {to:#x}", from.get_ref().0);
                return Err((from.span(), why));
            }
            from => from.map_or(0, |from| from.into_inner().0),
        };
        let (name, path) = check.rule(self.name, self.path)?;
        let offset = Offset { by, from, to };
        Ok(OffsetRule { name, kinds: self.kinds, path, when: self.when.0, offset, reason: self.reason.0 })
    }
}
