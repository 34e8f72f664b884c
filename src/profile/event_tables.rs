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

const TAKES_ALL: &str = "this would take every event out; say which by `kinds` or `when`";

impl DropTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<DropRule, Wrong> {
        let span = self.name.span();
        let name = check.name(self.name)?;
        if self.kinds.is_empty() && self.when.0.is_empty() {
            return Err((span, TAKES_ALL.to_owned()));
        }
        Ok(DropRule { name, kinds: self.kinds, when: self.when.0, reason: self.reason.0 })
    }
}

impl FoldTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<FoldRule, Wrong> {
        let span = self.name.span();
        let name = check.name(self.name)?;
        if self.kinds.is_empty() && self.when.0.is_empty() {
            return Err((span, "this would fold every event; say which by `kinds` or `when`".to_owned()));
        }
        let same = self.same.map_or_else(Vec::new, |paths| paths.0);
        Ok(FoldRule { name, kinds: self.kinds, when: self.when.0, same, reason: self.reason.0 })
    }
}
