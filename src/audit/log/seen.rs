//! Which steps stand in a log at all: what is never seen there may still have happened.

use std::collections::BTreeMap;

use super::object::Kind;
use crate::profile::{AuditRule, AuditStep};

/// How often each rule was met, and by which functions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// By the rule's number.
    rules: Vec<Class>,
    /// Lines of the log were malformed or torn.
    pub is_damaged: bool,
    /// Events of the log.
    pub events: u64,
    /// The latest of the host's times that steps tell.
    pub time: Option<i64>,
    /// Physical lines of the log.
    pub lines: u64,
}

/// The steps by one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Class {
    pub step: Option<AuditStep>,
    pub of: Vec<String>,
    pub count: u64,
    /// By the functions' numbers.
    pub sources: BTreeMap<u32, u64>,
}

impl Seen {
    pub fn new(rules: &[AuditRule]) -> Seen {
        let class = |rule: &AuditRule| Class { step: Some(rule.step), of: rule.of.clone(), ..Class::default() };
        Seen { rules: rules.iter().map(class).collect(), ..Seen::default() }
    }

    pub fn count(&mut self, rule: u16, source: u32) {
        let class = &mut self.rules[usize::from(rule)];
        class.count += 1;
        *class.sources.entry(source).or_default() += 1;
    }

    /// What was seen by each rule, in their order.
    pub fn classes(&self) -> &[Class] {
        &self.rules
    }

    fn has(&self, is: impl Fn(&Class) -> bool) -> bool {
        self.rules.iter().any(|class| class.count > 0 && is(class))
    }

    pub fn has_creates(&self) -> bool {
        self.has(|class| class.step == Some(AuditStep::Create))
    }

    /// Some step signals objects of that kind.
    pub fn has_signals(&self, kind: Kind) -> bool {
        let family = kind.family();
        self.has(|class| {
            let signals = matches!(class.step, Some(AuditStep::Signal | AuditStep::Pulse));
            signals && (class.of.is_empty() || kind == Kind::Unknown || class.of.iter().any(|of| of == family))
        })
    }

    /// Lines of the log behind one.
    pub fn lines_behind(&self, line: u64) -> u64 {
        self.lines.saturating_sub(line)
    }
}
