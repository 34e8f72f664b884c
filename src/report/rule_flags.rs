//! Rules that look wrong once a run has shown what they did: remarks, never a verdict.

use super::story::Story;
use super::verdict::Verdict;
use super::visible::{counted, grouped, visible};

/// What is suspicious of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// It overlooked nothing although there was something to overlook. Only rules of the user's own are told: the
    /// built-in ones are not the user's to mend.
    Unused,
    /// It hid differences in more than half of all compared pairs.
    Broad,
}

impl Suspicion {
    /// The word of the JSON report.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Suspicion::Unused => "unused",
            Suspicion::Broad => "broad",
        }
    }
}

/// A rule that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleFlag {
    pub rule: String,
    pub suspicion: Suspicion,
    /// Pairs in which it overlooked a difference.
    pub overlooked: u64,
}

/// The rules that look wrong, in the profile's order. Under `--first` nothing is counted, so nothing is told.
pub(crate) fn rule_flags(story: &Story) -> Vec<RuleFlag> {
    if story.context.first_only {
        return Vec::new();
    }
    let (coverage, profile) = (&story.outcome.coverage, story.profile);
    // Where trouble ended the run, what a rule is for may stand behind it.
    let something_differed = coverage.differed_in_bytes > 0 && story.verdict != Verdict::Trouble;
    let names = profile.rule_names().into_iter().skip(usize::from(!profile.null_equals_missing));
    let flag = |rule: &str| {
        if coverage.taken_out.iter().any(|(name, _)| name == rule) {
            return None;
        }
        let count = coverage.overlooked.iter().find(|(name, _)| name == rule).map_or(0, |(_, count)| *count);
        let suspicion = match count {
            0 if something_differed && story.context.own_rules.contains(rule) => Suspicion::Unused,
            count if count > coverage.events_compared / 2 => Suspicion::Broad,
            _ => return None,
        };
        Some(RuleFlag { rule: rule.to_owned(), suspicion, overlooked: count })
    };
    names.filter_map(flag).collect()
}

/// So many remarks are told, unless all details are wanted.
const REMARKS_MAX: usize = 10;

/// The same as sentences for people, safe to show.
pub(crate) fn rule_remarks(story: &Story) -> Vec<String> {
    let coverage = &story.outcome.coverage;
    let flags = rule_flags(story);
    let shown = if story.context.details == super::Details::All { flags.len() } else { flags.len().min(REMARKS_MAX) };
    let mut told: Vec<String> = flags[..shown]
        .iter()
        .map(|flag| match flag.suspicion {
            Suspicion::Unused => format!(
                "rule {} overlooked nothing, though {} in bytes",
                visible(&flag.rule),
                counted(coverage.differed_in_bytes, "pair differs", "pairs differ")
            ),
            Suspicion::Broad => format!(
                "rule {} hid differences in {} of {}",
                visible(&flag.rule),
                grouped(flag.overlooked),
                counted(coverage.events_compared, "compared pair", "compared pairs")
            ),
        })
        .collect();
    if shown < flags.len() {
        told.push(format!(
            "… and {} (--details all)",
            counted((flags.len() - shown) as u64, "other rule", "other rules")
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::diverge::Outcome;
    use crate::profile::{IgnoreRule, Profile};
    use crate::report::ReportContext;
    use crate::source::Keep;

    fn with_rules(names: &[&str]) -> Profile {
        let rule = |name: &&str| IgnoreRule {
            name: (*name).to_owned(),
            kinds: Vec::new(),
            path: crate::profile::Pattern::parse("/payload/x").unwrap(),
            when: Vec::new(),
            reason: "r".into(),
        };
        Profile { null_equals_missing: false, ignore: names.iter().map(rule).collect(), ..profile() }
    }

    fn compared(pairs: u64, differed: u64, overlooked: &[(&str, u64)]) -> Outcome {
        let mut sample = Sample::default();
        sample.pairings.push(equal(1, 1, pairs));
        let mut outcome = sample.outcome(None);
        outcome.coverage.differed_in_bytes = differed;
        outcome.coverage.overlooked = overlooked.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        outcome
    }

    fn own(names: &[&str]) -> ReportContext {
        ReportContext { own_rules: names.iter().map(|&name| name.to_owned()).collect(), ..context() }
    }

    fn told(outcome: &Outcome, profile: &Profile, context: &ReportContext) -> Vec<(String, &'static str)> {
        let keep = Keep::default();
        let story = Story::new(outcome, &keep, profile, context);
        rule_flags(&story).into_iter().map(|flag| (flag.rule, flag.suspicion.word())).collect()
    }

    #[test]
    fn a_rule_is_broad_above_half_of_all_pairs() {
        let profile = with_rules(&["half", "more"]);
        let outcome = compared(7, 7, &[("half", 3), ("more", 4)]);
        assert_eq!(told(&outcome, &profile, &context()), [("more".to_owned(), "broad")]);
        let outcome = compared(8, 8, &[("half", 4), ("more", 5)]);
        assert_eq!(told(&outcome, &profile, &context()), [("more".to_owned(), "broad")]);
    }

    #[test]
    fn only_rules_of_the_users_own_are_called_unused_and_only_where_bytes_differed() {
        let profile = with_rules(&["built-in", "ours"]);
        let unused = [("ours".to_owned(), "unused")];
        assert_eq!(told(&compared(9, 1, &[]), &profile, &own(&["ours"])), unused);
        assert_eq!(told(&compared(9, 0, &[]), &profile, &own(&["ours"])), []);
        assert_eq!(told(&compared(9, 1, &[("ours", 1)]), &profile, &own(&["ours"])), []);
        // One that is not switched on cannot be used.
        assert_eq!(told(&compared(9, 1, &[]), &profile, &own(&["null-equals-missing"])), []);
        let on = Profile { null_equals_missing: true, ..profile.clone() };
        assert_eq!(told(&compared(9, 1, &[]), &on, &own(&["null-equals-missing"])).len(), 1);
        let trouble = ReportContext { trouble: true, ..own(&["ours"]) };
        assert_eq!(told(&compared(9, 1, &[]), &profile, &trouble), []);
    }

    #[test]
    fn under_first_nothing_is_told() {
        let profile = with_rules(&["broad", "ours"]);
        let first = ReportContext { first_only: true, ..own(&["ours"]) };
        assert_eq!(told(&compared(9, 9, &[("broad", 9)]), &profile, &first), []);
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let names: Vec<String> = (0..13).map(|at| format!("rule{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (profile, outcome, keep) = (with_rules(&names), compared(2000, 1, &[]), Keep::default());
        let remarks = |context: &ReportContext| rule_remarks(&Story::new(&outcome, &keep, &profile, context));
        let some = remarks(&own(&names));
        assert_eq!((some.len(), some[10].as_str()), (11, "… and 3 other rules (--details all)"));
        assert_eq!(some[0], "rule rule0 overlooked nothing, though 1 pair differs in bytes");
        assert_eq!(remarks(&ReportContext { details: crate::report::Details::All, ..own(&names) }).len(), 13);
    }
}
