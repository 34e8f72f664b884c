//! The tables of a profile that take events out: `[[drop]]` and `[[fold]]`.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::conditions::When;
use super::document::Wrong;
use super::events::{DropRule, FoldRule};
use super::rule_tables::RuleCheck;
use super::values::{Filled, Paths};

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

impl FoldTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<FoldRule, Wrong> {
        let says_which = !self.kinds.is_empty() || !self.when.0.is_empty();
        let name = named(check, self.name, says_which, "fold every event")?;
        let same = self.same.map_or_else(Vec::new, |paths| paths.0);
        Ok(FoldRule { name, kinds: self.kinds, when: self.when.0, same, reason: self.reason.0 })
    }
}
