//! Commands worth trying next. Each runs as printed.

use super::context::ReportContext;
use super::nearest::NearestSnapshots;
use super::quote;
use super::story::Story;
use super::touched::audit_command;
use super::visible::{counted, visible};
use crate::diverge::{Divergence, DivergenceKind, EventCopy, LineFault, Outcome, Pairing};
use crate::json::Pointer;
use crate::profile::Pattern;
use crate::source::Side;

/// Every lane parting within its first so many events looks like a rule that is missing.
const EARLY_EVENTS: u64 = 8;

/// Said where only the first divergence is told; how to get the rest follows.
pub(crate) const REST_UNREAD: &str = "only the first divergence was looked for (--first); for the others and totals";

/// Advice on this outcome, one text each: a sentence, a colon, and a command.
pub fn hints(story: &Story) -> Vec<String> {
    let mut told = Vec::new();
    told.extend(only_ends(story));
    // One pairing says nothing of what all have in common.
    if !story.context.first_only {
        told.extend(constant_ordinals(story).or_else(|| same_fields_early(story)));
    }
    told.extend(malformed(story));
    told.extend(story.context.snapshots.as_ref().map(NearestSnapshots::hint));
    told
}

/// One line for each fault listed: `PATH:LINE: byte OFFSET: reason`.
pub fn fault_lines(story: &Story) -> Vec<String> {
    story.outcome.faults.iter().map(|fault| fault_line(story, fault)).collect()
}

pub(crate) fn fault_line(story: &Story, fault: &LineFault) -> String {
    format!("{}: byte {}: {}", story.file_line(fault.side, fault.line), fault.offset, visible(&fault.reason))
}

/// Where only lanes remain that end early or lack a partner: how to accept them.
fn only_ends(story: &Story) -> Option<String> {
    let (tally, context) = (&story.tally, story.context);
    if tally.diverged + tally.after_fault + tally.faulty > 0 || !tally.compared_any || context.trouble {
        return None;
    }
    let prefix = tally.ended_early > 0 && !context.prefix;
    let unmatched = tally.unmatched > 0 && !context.ignore_unmatched;
    let (what, flags): (_, &[&str]) = match (prefix, unmatched) {
        (true, true) => ("early ends and threads without a partner", &["--prefix", "--ignore-unmatched"]),
        (true, false) => ("lanes that end before their partners", &["--prefix"]),
        (false, true) => ("threads without a partner", &["--ignore-unmatched"]),
        (false, false) => return None,
    };
    diff_command(context, flags).map(|command| format!("to accept {what}: {command}"))
}

/// Every compared lane parts by its ordinal only, by one and the same distance.
fn constant_ordinals(story: &Story) -> Option<String> {
    let mut shift = None;
    for pairing in compared(story) {
        let found = pairing.divergence.as_ref().filter(|found| found.kind == DivergenceKind::Ordinal)?;
        let ordinal = |copy: &Option<EventCopy>| copy.as_ref().and_then(|copy| copy.ordinal).map(i128::from);
        let here = ordinal(&found.candidate)? - ordinal(&found.reference)?;
        if *shift.get_or_insert(here) != here || found.differences_total > 1 {
            return None;
        }
    }
    let shift = shift?;
    let command = diff_command(story.context, &["--ordinal", "none"])?;
    Some(format!("ordinals differ by a constant ({shift:+}); to compare without them: {command}"))
}

/// Every compared lane parts within its first events, in the same fields: they may be noise.
fn same_fields_early(story: &Story) -> Option<String> {
    let mut fields: Option<Vec<&Pointer>> = None;
    for pairing in compared(story) {
        let found = pairing.divergence.as_ref()?;
        if found.position >= EARLY_EVENTS || found.kind != DivergenceKind::Value || found.differences.is_empty() {
            return None;
        }
        let mut here: Vec<&Pointer> = found.differences.iter().map(|difference| &difference.path).collect();
        here.sort();
        if *fields.get_or_insert_with(|| here.clone()) != here {
            return None;
        }
    }
    let fields: Vec<String> = fields?.iter().map(|field| Pattern::from(*field).to_string()).collect();
    let flags: Vec<&str> = fields.iter().flat_map(|field| ["--ignore", field.as_str()]).collect();
    let command = diff_command(story.context, &flags)?;
    let these = if fields.len() == 1 { "the same field; if it is noise" } else { "the same fields; if they are noise" };
    Some(format!("every thread parts within its first {EARLY_EVENTS} events in {these}: {command}"))
}

fn malformed(story: &Story) -> Vec<String> {
    let (outcome, context) = (story.outcome, story.context);
    let mut told = Vec::new();
    if outcome.faults_total == 0 {
        return told;
    }
    for side in Side::BOTH {
        let count = outcome.faults.iter().filter(|fault| fault.side == side).count() as u64;
        if count > 0 && context.name(side).reopenable {
            let words = [
                vec!["forkpoint".into(), "check".into(), quote::path(&context.name(side).path)],
                flags(&context.role_flags),
            ];
            told.push(format!("to list every malformed line of {}: {}", story.label(side), words.concat().join(" ")));
        }
    }
    if !context.malformed_skip
        && let Some(command) = diff_command(context, &["--malformed", "skip"])
    {
        told.push(format!(
            "to step over {}: {command}",
            counted(outcome.faults_total, "malformed line", "malformed lines")
        ));
    }
    told
}

/// The pairings of two lanes that were held against each other.
fn compared<'a>(story: &Story<'a>) -> impl Iterator<Item = &'a Pairing> {
    let not = crate::diverge::Status::NotCompared;
    story
        .outcome
        .pairings
        .iter()
        .filter(move |one| one.reference.is_some() && one.candidate.is_some() && one.status != not)
}

pub(crate) fn flags(words: &[String]) -> Vec<String> {
    words.iter().map(|word| quote::word(word.as_bytes())).collect()
}

/// Flags that are given once: what is advised takes the place of what was given.
const SINGLE_FLAGS: [&str; 2] = ["--ordinal", "--malformed"];

/// The flags given, less those (with their values) that `more` gives anew.
fn without(given: &[String], more: &[&str]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = given.iter();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        if !(SINGLE_FLAGS.contains(&name) && more.contains(&name)) {
            kept.push(word.clone());
        } else if name == word {
            words.next();
        }
    }
    kept
}

/// This `diff` again with more flags; none if an input cannot be opened again.
pub(crate) fn diff_command(context: &ReportContext, more: &[&str]) -> Option<String> {
    if !context.reference.reopenable || !context.candidate.reopenable {
        return None;
    }
    let mut words = vec!["forkpoint".to_owned(), "diff".to_owned()];
    words.extend([&context.reference, &context.candidate].map(|name| quote::path(&name.path)));
    words.extend(flags(&without(&context.role_flags, more)));
    words.extend(flags(&without(&context.diff_flags, more)));
    words.extend(more.iter().map(|word| quote::word(word.as_bytes())));
    Some(words.join(" "))
}

/// This `diff` again to the end of both logs; none if an input cannot be opened again.
pub(crate) fn whole_command(context: &ReportContext) -> Option<String> {
    let mut whole = context.clone();
    whole.diff_flags.retain(|word| word != "--first");
    diff_command(&whole, &[])
}

/// Further divergences that going on is asked for.
const GO_ON_FOR: &str = "10";

/// What to do next about the divergence that is told first: each step in words, and its command.
pub(crate) fn next_steps(story: &Story) -> Vec<(&'static str, String)> {
    let context = story.context;
    let Some(found) = story.in_sections().next().and_then(|at| story.divergence(at)) else { return Vec::new() };
    let show = show_command(context, story.outcome, found).map(|command| ("show it again", command));
    let is_told = context.first_only || context.diff_flags.iter().any(|flag| flag.starts_with("--continue"));
    let onward = || diff_command(context, &["--continue", GO_ON_FOR]).map(|command| ("go on behind it", command));
    let is_over = found.resync.is_none() || found.healed_after.is_some();
    let onward = if is_told || is_over { None } else { onward() };
    let object = audit_command(story, found).map(|command| ("what becomes of its object in both runs", command));
    show.into_iter().chain(object).chain(onward).collect()
}

/// The command that shows a divergence again; none if no log of it can be opened again.
///
/// Positions in threads of which rules took events out (`outcome` tells it) are not those of the log, so they are not named.
pub(crate) fn show_command(context: &ReportContext, outcome: &Outcome, found: &Divergence) -> Option<String> {
    let counts = outcome.coverage.taken_out.is_empty();
    let usable = |side, event: &'_ Option<EventCopy>| event.clone().filter(|_| context.name(side).reopenable);
    let reference = usable(Side::Reference, &found.reference);
    let candidate = usable(Side::Candidate, &found.candidate);
    let path = |side| quote::path(&context.name(side).path);
    let mut words = vec!["forkpoint".to_owned(), "show".to_owned()];
    let flag = |words: &mut Vec<String>, name: &str, value: u64| words.extend([name.to_owned(), value.to_string()]);
    match (reference, candidate) {
        (Some(reference), Some(candidate)) => {
            words.extend([path(Side::Reference), path(Side::Candidate)]);
            flag(&mut words, "--offset", reference.offset);
            flag(&mut words, "--candidate-offset", candidate.offset);
            if counts {
                flag(&mut words, "--position", reference.position);
            }
            // Behind events of one side only, the two lanes count apart.
            if counts && candidate.position != reference.position {
                flag(&mut words, "--candidate-position", candidate.position);
            }
            flag(&mut words, "--line", reference.line);
            flag(&mut words, "--candidate-line", candidate.line);
        }
        (Some(event), None) | (None, Some(event)) => {
            let side = if found.reference.is_some() && context.reference.reopenable {
                Side::Reference
            } else {
                Side::Candidate
            };
            words.push(path(side));
            flag(&mut words, "--offset", event.offset);
            if counts {
                flag(&mut words, "--position", event.position);
            }
            flag(&mut words, "--line", event.line);
        }
        (None, None) => return None,
    }
    words.extend(flags(&context.role_flags));
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use crate::compare::Difference;

    fn told(outcome: &Outcome, context: &ReportContext) -> Vec<String> {
        let (keep, profile) = (crate::source::Keep::default(), profile());
        hints(&Story::new(outcome, &keep, &profile, context))
    }

    fn early(kind: DivergenceKind, path: &str, position: u64, shift: u64) -> Outcome {
        let mut sample = Sample::default();
        for (reference, candidate) in [(1, 4), (6, 9)] {
            let mut found = sample.around(position, kind);
            found.differences = vec![Difference::at(path, Some("1"), Some("2"))];
            found.differences_total = 1;
            found.candidate.as_mut().unwrap().ordinal = Some(position + shift);
            sample.diverged(reference, candidate, [400, 300], found);
        }
        sample.outcome(Some(0))
    }

    #[test]
    fn ends_alone_can_be_accepted() {
        let (outcome, _keep) = cut_short();
        assert_eq!(
            told(&outcome, &context()),
            [
                "to accept lanes that end before their partners: forkpoint diff runs/canary.jsonl runs/ours.jsonl --prefix"
            ]
        );
        assert!(told(&outcome, &ReportContext { prefix: true, ..context() }).is_empty());
        assert!(told(&typical().0, &context()).is_empty());
        assert!(told(&hollow().0, &context()).is_empty());
    }

    #[test]
    fn the_same_early_fields_may_be_noise() {
        let outcome = early(DivergenceKind::Value, "/payload/host ns", 7, 0);
        let flags = ReportContext { role_flags: vec!["--profile".into(), "my rules.toml".into()], ..context() };
        assert_eq!(
            told(&outcome, &flags),
            ["every thread parts within its first 8 events in the same field; if it is noise: forkpoint diff \
              runs/canary.jsonl runs/ours.jsonl --profile 'my rules.toml' --ignore '/payload/host ns'"]
        );
        assert!(told(&early(DivergenceKind::Value, "/payload/x", 8, 0), &context()).is_empty());
    }

    #[test]
    fn constant_ordinals_can_be_overlooked() {
        let given = ["--profile", "generic", "--ordinal", "seq", "--kind=op"].map(str::to_owned).to_vec();
        let outcome = early(DivergenceKind::Ordinal, "/seq", 0, 3);
        assert_eq!(
            told(&outcome, &ReportContext { role_flags: given, ..context() }),
            ["ordinals differ by a constant (+3); to compare without them: forkpoint diff runs/canary.jsonl \
              runs/ours.jsonl --profile generic --kind=op --ordinal none"]
        );
    }

    #[test]
    fn malformed_lines_can_be_listed_or_stepped_over() {
        let (outcome, _keep) = nasty();
        let mut odd = context();
        odd.candidate.path = "-my log.jsonl".into();
        assert_eq!(
            told(&outcome, &odd),
            [
                "to list every malformed line of ours: forkpoint check './-my log.jsonl'",
                "to step over 3 malformed lines: forkpoint diff runs/canary.jsonl './-my log.jsonl' --malformed skip"
            ]
        );
        odd.candidate.reopenable = false;
        assert!(told(&outcome, &odd).is_empty());
    }

    #[test]
    fn the_next_steps_are_about_what_is_told_first() {
        let ((mut outcome, keep), profile, context) = (typical(), profile(), context());
        let words = |outcome: &Outcome, context: &ReportContext| -> Vec<&str> {
            let steps = next_steps(&Story::new(outcome, &keep, &profile, context));
            steps.into_iter().map(|(words, _)| words).collect()
        };
        assert_eq!(words(&outcome, &context), ["show it again", "go on behind it"]);
        let told = ReportContext { diff_flags: vec!["--continue".into(), "2".into()], ..context.clone() };
        assert_eq!(words(&outcome, &told), ["show it again"]);
        let first = outcome.first.unwrap();
        outcome.pairings[first].divergence.as_mut().unwrap().resync = None;
        assert_eq!(words(&outcome, &context), ["show it again"]);
    }

    #[test]
    fn a_place_is_shown_again_from_what_can_be_opened_again() {
        let (outcome, _keep) = typical();
        let of = |at: usize, context: &ReportContext| {
            show_command(context, &outcome, outcome.pairings[at].divergence.as_ref().unwrap())
        };
        let mut piped = context();
        piped.role_flags = vec!["--thread".into(), "a b".into()];
        assert_eq!(
            of(1, &piped).unwrap(),
            "forkpoint show runs/canary.jsonl runs/ours.jsonl --offset 336889000 --candidate-offset 449185200 \
             --position 561481 --line 1684445 --candidate-line 2245926 --thread 'a b'"
        );
        assert_eq!(
            of(2, &context()).unwrap(),
            "forkpoint show runs/canary.jsonl --offset 24120400 --position 40200 --line 120602"
        );
        let mut ruled = typical().0;
        ruled.coverage.taken_out = vec![("ticks".into(), [0, 3])];
        let divergence = ruled.pairings[1].divergence.as_ref().unwrap();
        let told = show_command(&context(), &ruled, divergence).unwrap();
        assert!(told.contains("--line 1684445") && !told.contains("position"), "{told}");
        piped.reference.reopenable = false;
        assert!(
            of(1, &piped).unwrap().starts_with("forkpoint show runs/ours.jsonl --offset 449185200 --position 561481")
        );
        assert_eq!(of(2, &piped), None);
    }
}
