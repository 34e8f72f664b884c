//! The sentences of a comparison of state folders.

use super::super::tree;
use super::super::verdict::Verdict;
use super::super::visible::{bytes, counted, grouped, visible};
use super::story::StateStory;
use crate::state::{Class, Difference, FileOutcome, MemoryRange, Verdict as Held};

/// The answer as a sentence.
pub(super) fn headline(story: &StateStory) -> String {
    let outcome = story.outcome;
    let mut told = Vec::new();
    if story.verdict == Verdict::Trouble {
        told.push(outcome.faults.first().map_or_else(String::new, |fault| visible(fault)));
    }
    let of = |verdict: Held| {
        let names = outcome.invariants.iter().filter(move |one| one.verdict == verdict).map(|one| visible(&one.name));
        names.collect::<Vec<_>>().join(", ")
    };
    let (failed, unknown) = (of(Held::Fail), of(Held::Unknown));
    if !failed.is_empty() {
        told.push(format!("STOP: {failed} must be equal and is not; what follows cannot be interpreted"));
    }
    if !unknown.is_empty() {
        told.push(format!("whether {unknown} is equal is unknown"));
    }
    let differ = counted(story.counting, "difference", "differences");
    let files = outcome.files.iter().filter(|file| counting(story, file) > 0).count() as u64;
    let places = counted(files, "file", "files");
    match (story.counting, told.is_empty()) {
        (0, true) => told.push(match informational(story) {
            0 => "both folders hold the same state".to_owned(),
            some => format!(
                "both folders hold the same state ({} of the host's own)",
                counted(some, "difference", "differences")
            ),
        }),
        (0, false) => told.push("nothing else differs".to_owned()),
        _ => told.push(format!("{differ} in {places}")),
    }
    told.join("; ")
}

/// How many differences change no verdict.
fn informational(story: &StateStory) -> u64 {
    story.outcome.differences.counts.iter().sum::<u64>() - story.counting
}

/// How many differences of a file may change the verdict.
fn counting(story: &StateStory, file: &FileOutcome) -> u64 {
    let counts = Class::ALL.iter().filter(|class| story.context.strict || class.counts());
    counts.map(|class| file.counts[class.index()]).sum()
}

/// "sigma-structural 2, delta-content 1".
pub(super) fn counts(file: &FileOutcome) -> String {
    let some = Class::ALL.iter().filter(|class| file.counts[class.index()] > 0);
    some.map(|class| format!("{class} {}", grouped(file.counts[class.index()]))).collect::<Vec<_>>().join(", ")
}

/// A class as the title of what is of it.
pub(super) fn title(class: Class) -> &'static str {
    match class {
        Class::Sigma => "σ structure: something is there on one side only",
        Class::DeltaStop => "δ what must be equal before anything else",
        Class::Delta => "δ contents, known by their hashes",
        Class::Gamma => "γ contents: the kernel's objects, registers, all else",
        Class::Kappa => "κ caches: clean them and run again",
        Class::Epsilon => "ε where the host's allocator put something (changes no verdict)",
        Class::Tau => "τ the host's clock (changes no verdict)",
    }
}

/// A value on one line, as its document spells it but for blanks.
pub(super) fn value(value: Option<&Vec<u8>>) -> String {
    let Some(text) = value else { return "—".to_owned() };
    match tree::loose(text) {
        Some(doc) => visible(&doc.compact()),
        None => visible(&String::from_utf8_lossy(text)),
    }
}

/// "cpu_state.json gpr[3]".
pub(super) fn place(story: &StateStory, difference: &Difference) -> String {
    let file = visible(story.file(difference.file));
    if difference.path.is_empty() { file } else { format!("{file} {}", visible(&difference.path)) }
}

/// "0x82010000, 16 bytes in section .text".
pub(super) fn range(range: &MemoryRange) -> String {
    let owner = range.owner.as_ref().map_or_else(String::new, |owner| format!(" in {}", visible(owner)));
    let patch = if range.is_import_patch { ", an import patch" } else { "" };
    format!("0x{:08X}, {}{owner}{patch}", range.address, bytes(range.length))
}

/// Bytes in hex, apart from each other.
pub(super) fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        "—".to_owned()
    } else {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
    }
}

/// What documents asked to skip, told with what that hid.
pub(super) fn skipped(story: &StateStory) -> Vec<String> {
    let mut told = Vec::new();
    for file in &story.outcome.files {
        for entry in &file.skipped {
            let who = match entry.asked {
                [true, true] => "both sides ask",
                [true, false] => "the reference asks",
                _ => "the candidate asks",
            };
            let (file, text) = (visible(&file.name), visible(&format!("{:?}", entry.text)));
            if let Some(why) = &entry.refused {
                told.push(format!("{file}: {who} to skip {text}, which is refused: {}", visible(why)));
            } else if entry.hidden > 0 {
                let hidden = counted(entry.hidden, "difference", "differences");
                let first = entry.first.as_deref().unwrap_or("");
                told.push(format!(
                    "{file}: {who} to skip {text}: that hides {hidden}, the first at {}",
                    visible(first)
                ));
            }
        }
    }
    told
}

/// Which differences to look at first.
pub(super) const HANDOFF: &str = "Look at σ first: what is missing changes all else. Then γ by the type of the object (threads, events, \
    semaphores, mutexes, timers, files, others), then δ. ε and τ are told for completeness.";
