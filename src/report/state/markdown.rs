//! Two state folders as Markdown: invariants, files, then the classes in the order in which they are looked at.

use super::super::markdown::{code, prose};
use super::super::visible::{clip, counted, visible};
use super::story::StateStory;
use super::words;
use crate::state::Class;

/// Longer values are cut.
const CELL_COLUMNS_MAX: usize = 160;
/// So many differences of a class, unless all are wanted.
const LISTED_MAX: usize = 200;

/// Paints both folders as Markdown.
pub fn markdown(story: &StateStory) -> String {
    let outcome = story.outcome;
    let mut out = String::from("# forkpoint: two states\n\n");
    out.push_str(&format!("**{}**: {}\n\n", story.verdict.word(), prose(&words::headline(story))));
    for (word, path) in ["reference", "candidate"].iter().zip(&story.context.paths) {
        out.push_str(&format!("- {word}: {}\n", code(&path.to_string_lossy())));
    }
    if !outcome.invariants.is_empty() {
        out.push_str("\n## Invariants\n\n| invariant | reference | candidate | result |\n|---|---|---|---|\n");
    }
    for one in &outcome.invariants {
        let cell = |value: &Option<String>| {
            value.as_ref().map_or_else(|| "absent".to_owned(), |value| prose(&clip(&visible(value), CELL_COLUMNS_MAX)))
        };
        let [reference, candidate] = one.values.each_ref().map(cell);
        out.push_str(&format!("| {} | {reference} | {candidate} | {} |\n", prose(&one.name), one.verdict.word()));
    }
    if outcome.is_stopped() {
        out.push_str("\n> **STOP**: what must be equal is not, or is unknown. What follows cannot be interpreted until that is mended.\n");
    }
    out.push_str("\n## Files\n\n| file | status | differences by class |\n|---|---|---|\n");
    for file in &outcome.files {
        let counts = words::counts(file);
        let counts = if counts.is_empty() { "—" } else { &counts };
        out.push_str(&format!("| {} | {} | {counts} |\n", prose(&file.name), file.status.word()));
    }
    let limit = if story.context.details == usize::MAX { usize::MAX } else { LISTED_MAX };
    for class in Class::ALL {
        let (all, count) = (story.of_class(class), story.count_of(class));
        if count == 0 {
            continue;
        }
        out.push_str(&format!("\n## {}\n\n", prose(words::title(class))));
        for difference in all.iter().take(limit) {
            let value = |value: &Option<Vec<u8>>| code(&clip(&words::value(value.as_ref()), CELL_COLUMNS_MAX));
            let [reference, candidate] = difference.values.each_ref().map(value);
            let path = if difference.path.is_empty() { String::new() } else { format!(" {}", code(&difference.path)) };
            let informational = if difference.is_informational { ", informational" } else { "" };
            let file = prose(story.file(difference.file));
            out.push_str(&format!(
                "- **{file}**{path} {}{informational}: {reference} → {candidate}\n",
                difference.kind
            ));
        }
        let left = count - all.len().min(limit) as u64;
        if left > 0 {
            out.push_str(&format!("- … and {} of this class\n", counted(left, "other", "others")));
        }
    }
    if !outcome.memory.is_empty() {
        out.push_str("\n## Memory\n\n| image | where | reference | candidate |\n|---|---|---|---|\n");
        for range in outcome.memory.iter().take(limit) {
            let [one, other] = range.first.each_ref().map(|bytes| code(&words::hex(bytes)));
            out.push_str(&format!(
                "| {} | {} | {one} | {other} |\n",
                prose(story.file(range.file)),
                prose(&words::range(range))
            ));
        }
        let left = (outcome.memory.len() as u64 + outcome.memory_more).saturating_sub(limit as u64);
        if left > 0 {
            out.push_str(&format!("\n… and {}\n", counted(left, "other range", "other ranges")));
        }
    }
    let notes: Vec<String> =
        words::skipped(story).into_iter().chain(outcome.remarks.clone()).chain(outcome.faults.clone()).collect();
    if !notes.is_empty() {
        out.push_str("\n## Remarks\n\n");
        notes.iter().for_each(|note| out.push_str(&format!("- {}\n", prose(note))));
    }
    if story.counting > 0 {
        out.push_str(&format!("\n## Where to begin\n\n{}\n", words::HANDOFF));
    }
    out
}
