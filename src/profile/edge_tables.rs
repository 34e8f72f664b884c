//! The tables of a profile that say what follows from what: `[[edge]]` and what is below it.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::conditions::When;
use super::document::Wrong;
use super::edges::{About, EdgeEnd, EdgeRule};
use super::rule_tables::RuleCheck;
use super::values::{Filled, Paths};

/// One way in which what a thread does makes another thread go on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    reason: Filled,
    /// The events that make another thread go on.
    #[serde(default)]
    from: Vec<FromTable>,
    /// The events that follow from them. Left out where those name the thread they make.
    #[serde(default)]
    to: Vec<ToTable>,
}

/// Events that make another thread go on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FromTable {
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// Where they name the object that both events are about: a path, or several.
    object: Option<Paths>,
    /// Where they name the thread that they make: a path, or several for a composite key.
    thread: Option<Paths>,
}

/// Events that follow from them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToTable {
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// Where they name the object: a path, or several.
    object: Paths,
}

impl EdgeTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<EdgeRule, Wrong> {
        let span = self.name.span();
        let wrong = |what: &str| (span.clone(), what.to_owned());
        let name = check.name(self.name)?;
        let about = |object: Option<Paths>, thread: Option<Paths>| match (object, thread) {
            (Some(Paths(paths)), None) if !paths.is_empty() => Ok(About::Object(paths)),
            (None, Some(Paths(paths))) if !paths.is_empty() => Ok(About::Thread(paths)),
            _ => Err(wrong("each [[edge.from]] names an `object` or the `thread` that it makes, and not both")),
        };
        let from = self
            .from
            .into_iter()
            .map(|end| Ok(EdgeEnd { kinds: end.kinds, when: end.when.0, about: about(end.object, end.thread)? }));
        let from = from.collect::<Result<Vec<_>, Wrong>>()?;
        let to = self.to.into_iter();
        let to: Vec<EdgeEnd> =
            to.map(|end| EdgeEnd { kinds: end.kinds, when: end.when.0, about: About::Object(end.object.0) }).collect();
        if from.is_empty() {
            return Err(wrong("an edge needs [[edge.from]]: the events that make another thread go on"));
        }
        let names_objects = from.iter().any(|end| matches!(end.about, About::Object(_)));
        match (names_objects, to.is_empty()) {
            (true, true) => Err(wrong("an edge by objects needs [[edge.to]]: the events that follow")),
            (false, false) => Err(wrong("what a new thread does follows by itself; leave [[edge.to]] out")),
            _ => Ok(EdgeRule { name, from, to, reason: self.reason.0 }),
        }
    }
}
