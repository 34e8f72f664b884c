//! The tables of a profile that take events out, or join them: `[[drop]]`, `[[fold]]` and `[[join]]`.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::conditions::When;
use super::document::Wrong;
use super::events::{DropRule, FoldRule, JoinRule};
use super::rule_tables::RuleCheck;
use super::values::{Filled, Paths};
use crate::json::Pointer;

/// Events that are not compared: they are taken out of both logs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DropTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    reason: Filled,
}

/// Events whose repetitions are not compared: of a thread's run of them the first of each kind counts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FoldTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// Events with other values there are others: a path, or several.
    same: Option<Paths>,
    reason: Filled,
}

/// Events that are joined with the next of their thread, since another engine logs them as one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    /// Kinds of what stands first. Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// What must be so in what stands first. Left out: nothing.
    #[serde(default)]
    when: When,
    /// Kinds of what it is joined with. Left out: its own.
    #[serde(default)]
    then: Vec<String>,
    /// Values that the first part tells for all: a path, or several.
    first: Option<Paths>,
    /// Texts and lists of which each part tells a piece: a path, or several.
    concat: Option<Paths>,
    /// Whole numbers of which each part tells its share: a path, or several.
    sum: Option<Paths>,
    reason: Filled,
}

/// The name of a rule that says which events it is for.
fn named(check: &mut RuleCheck, name: Spanned<Filled>, says_which: bool, else_it: &str) -> Result<String, Wrong> {
    let span = name.span();
    let name = check.name(name)?;
    says_which.then_some(name).ok_or_else(|| (span, format!("this would {else_it}; say which by `kinds` or `when`")))
}

impl DropTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<DropRule, Wrong> {
        let says_which = !self.kinds.is_empty() || !self.when.0.is_empty();
        let name = named(check, self.name, says_which, "take every event out")?;
        Ok(DropRule { name, kinds: self.kinds, when: self.when.0, reason: self.reason.0 })
    }
}

impl JoinTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<JoinRule, Wrong> {
        let says_which = !self.kinds.is_empty() || !self.when.0.is_empty();
        let span = self.name.span();
        let name = named(check, self.name, says_which, "join every event with the next")?;
        let [first, concat, sum] =
            [self.first, self.concat, self.sum].map(|paths| paths.map_or_else(Vec::new, |paths| paths.0));
        let (kinds, when, reason) = (self.kinds, self.when.0, self.reason.0);
        let rule = JoinRule { name, kinds, when, then: self.then, first, concat, sum, reason };
        let paths: Vec<_> = rule.paths().collect();
        if paths.is_empty() {
            let what = "this joins no value: say what all parts tell together by `first`, `concat` or `sum` \
                        (to take the first part out, use [[drop]])";
            return Err((span, what.to_owned()));
        }
        for (at, path) in paths.iter().enumerate() {
            let within = |other: &&&Pointer| path.below(other).is_some() || other.below(path).is_some();
            if let Some(other) = paths[..at].iter().find(within) {
                return Err((span, format!("{path} and {other} cannot both be joined: one is, or lies in, the other")));
            }
        }
        Ok(rule)
    }
}

impl FoldTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<FoldRule, Wrong> {
        let says_which = !self.kinds.is_empty() || !self.when.0.is_empty();
        let name = named(check, self.name, says_which, "fold every event")?;
        let same = self.same.map_or_else(Vec::new, |paths| paths.0);
        Ok(FoldRule { name, kinds: self.kinds, when: self.when.0, same, reason: self.reason.0 })
    }
}
