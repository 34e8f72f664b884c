//! The tables of a profile that say which values stand for objects: `[[identity]]` and what is below it.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::conditions::When;
use super::document::Wrong;
use super::identity::{DefineRule, IdentityRule, ReleaseRule, SizeRule, UseRule};
use super::rule_tables::{FailureTable, RuleCheck};
use super::values::*;

/// A profile has at most so many identity rules.
const RULES_MAX: usize = 64;

/// Values that stand for objects: equal if they mean the same object and the same place in it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    reason: Filled,
    /// The events that define objects.
    #[serde(default)]
    define: Vec<DefineTable>,
    /// The events that release them.
    #[serde(default)]
    release: Vec<ReleaseTable>,
    /// Where values mean objects. A place that defines one is compared as it stands unless it is named here too.
    #[serde(default)]
    uses: Vec<UseTable>,
}

/// An event that defines an object.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DefineTable {
    kind: String,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// Where the event keeps the object's first value.
    #[schemars(with = "String")]
    value: Spanned<RulePath>,
    /// Values that define nothing; left out: 0.
    except: Option<FailureTable>,
    /// Where the object's size is told; left out: it has one value.
    size: Option<SizeTable>,
}

/// Where the size of an object is told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SizeTable {
    /// The kind of the event that tells it: the latest on the thread before the definition.
    kind: String,
    path: Path,
    /// What must be the same in both events, such as the name of the function called.
    same: Option<Path>,
}

/// An event that releases an object.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseTable {
    kind: String,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// Where it keeps the object's first value; where several places fit, at any of them.
    #[schemars(with = "String")]
    value: RulePath,
}

/// Places whose values mean objects.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UseTable {
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    #[schemars(with = "String")]
    path: Spanned<RulePath>,
}

impl IdentityTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<IdentityRule, Wrong> {
        let span = self.name.span();
        if self.define.is_empty() {
            return Err((
                span,
                "an identity rule needs [[identity.define]]: the events that define its objects".into(),
            ));
        }
        if check.count_identity() > RULES_MAX {
            return Err((span, format!("a profile has at most {RULES_MAX} identity rules")));
        }
        let name = check.name(self.name)?;
        let define = self.define.into_iter().map(|table| table.into_rule(check)).collect::<Result<_, _>>()?;
        let uses = self.uses.into_iter().map(|table| table.into_rule(check)).collect::<Result<_, _>>()?;
        let release = self.release.into_iter().map(ReleaseTable::into_rule).collect();
        Ok(IdentityRule { name, define, release, uses, reason: self.reason.0 })
    }
}

impl DefineTable {
    fn into_rule(self, check: &mut RuleCheck) -> Result<DefineRule, Wrong> {
        let value = check.place(self.value, "a definition names one place")?;
        let except = match self.except {
            Some(except) => except.into_failure()?,
            None => super::rules::Failure { values: vec![0], ..Default::default() },
        };
        let size =
            self.size.map(|size| SizeRule { kind: size.kind, path: size.path.0, same: size.same.map(|same| same.0) });
        Ok(DefineRule { kind: self.kind, when: self.when.0, value, except, size })
    }
}

impl ReleaseTable {
    fn into_rule(self) -> ReleaseRule {
        ReleaseRule { kind: self.kind, when: self.when.0, value: self.value.0 }
    }
}

impl UseTable {
    fn into_rule(self, check: &mut RuleCheck) -> Result<UseRule, Wrong> {
        let path = check.inside(self.path)?;
        Ok(UseRule { kinds: self.kinds, when: self.when.0, path })
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::{parse, rules::Failure};

    #[test]
    fn a_definition_takes_zero_for_no_object_unless_it_says_otherwise() {
        let except = |said: &str| {
            let text = format!(
                "version = 1\n[roles]\nkind = '/kind'\n[[identity]]\nname = 'heap'\nreason = 'r'\n\
                 [[identity.define]]\nkind = 'made'\nvalue = '/at'\n{said}"
            );
            parse(&text, "my.toml").unwrap().identity[0].define[0].except.clone()
        };
        assert_eq!(except(""), Failure { values: vec![0], ..Failure::default() });
        assert_eq!(except("except = { null = true }"), Failure { null: true, ..Failure::default() });
    }
}
