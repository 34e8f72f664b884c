//! The tables of a profile that say what happens to objects that threads wait for: `[[audit]]`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::audit::{AuditPlaces, AuditRule, AuditStep};
use super::conditions::When;
use super::document::Wrong;
use super::rule_tables::RuleCheck;
use super::values::{Filled, Paths};

/// Events that do one and the same to an object that threads wait for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditTable {
    #[schemars(with = "String")]
    name: Spanned<Filled>,
    reason: Filled,
    /// What they do to it.
    step: Step,
    /// Left out: every kind.
    #[serde(default)]
    kinds: Vec<String>,
    /// Left out: always.
    #[serde(default)]
    when: When,
    /// The types of the objects that they may be about; of a step that makes one, its type. Left out: any.
    #[serde(default)]
    of: Vec<String>,
    /// Where they name the object: a path, or several. The first with a value counts; all of them name what is made.
    #[serde(default)]
    object: Paths,
    /// Where they give it another name.
    #[serde(default)]
    becomes: Paths,
    /// Where they name the thread that is made with it.
    #[serde(default)]
    thread: Paths,
    /// Where they name the function that does it. Left out: the event's kind is told.
    #[serde(default)]
    source: Paths,
    /// Where they tell its type.
    #[serde(default, rename = "type")]
    object_type: Paths,
    /// Where they tell its state when made.
    #[serde(default)]
    initial: Paths,
    /// Where they tell how much is released.
    #[serde(default)]
    count: Paths,
    /// Where they tell how long a wait may last.
    #[serde(default)]
    timeout: Paths,
    #[serde(default)]
    alertable: Paths,
    /// Where they tell its state before.
    #[serde(default)]
    previous: Paths,
    /// Where they tell how a wait ended.
    #[serde(default)]
    result: Paths,
    /// Where they tell the host's time.
    #[serde(default)]
    time: Paths,
    /// Where the caller goes on.
    #[serde(default)]
    lr: Paths,
    /// The callers.
    #[serde(default)]
    stack: Paths,
    /// It is a manual-reset one where one of these holds, and not where one of their places has another value.
    #[serde(default)]
    manual: When,
    /// The wait is for all its objects where one of these holds.
    #[serde(default)]
    all: When,
    /// The wait ended without its object where one of these holds.
    #[serde(default)]
    unmet: When,
}

/// The name of a step.
struct Step(AuditStep);

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Step, D::Error> {
        let name = String::deserialize(deserializer)?;
        let step = AuditStep::ALL.iter().find(|(_, known)| *known == name);
        step.map(|(step, _)| Step(*step)).ok_or_else(|| {
            let all = AuditStep::ALL.map(|(_, name)| name).join(", ");
            de::Error::custom(format!("there is no step {name:?}; the steps are {all}"))
        })
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "enum": AuditStep::ALL.map(|(_, name)| name) })
    }
}

impl AuditTable {
    pub fn into_rule(self, check: &mut RuleCheck) -> Result<AuditRule, Wrong> {
        let span = self.name.span();
        let name = check.name(self.name)?;
        let step = self.step.0;
        let places = AuditPlaces {
            object: self.object.0,
            becomes: self.becomes.0,
            thread: self.thread.0,
            source: self.source.0,
            object_type: self.object_type.0,
            initial: self.initial.0,
            count: self.count.0,
            timeout: self.timeout.0,
            alertable: self.alertable.0,
            previous: self.previous.0,
            result: self.result.0,
            time: self.time.0,
            lr: self.lr.0,
            stack: self.stack.0,
        };
        let wrong = match step {
            _ if self.kinds.is_empty() && self.when.0.is_empty() => {
                Some("every event would be this step; name `kinds`, or `when`")
            }
            // These are about the thread that does them.
            AuditStep::Call | AuditStep::Wake | AuditStep::Exit => None,
            AuditStep::Create if !places.thread.is_empty() => None,
            _ if places.object.is_empty() => Some("`object` must say where the object is named"),
            AuditStep::Duplicate if places.becomes.is_empty() => Some("`becomes` must say where the new name stands"),
            _ => None,
        };
        match wrong {
            Some(wrong) => Err((span, wrong.to_owned())),
            None => Ok(AuditRule {
                name,
                reason: self.reason.0,
                step,
                kinds: self.kinds,
                when: self.when.0,
                of: self.of,
                places,
                manual: self.manual.0,
                all: self.all.0,
                unmet: self.unmet.0,
            }),
        }
    }
}
