//! Two state folders as JSON: `forkpoint.state/1`.

use super::super::doc::Doc;
use super::super::tree;
use super::story::StateStory;
use super::words;
use crate::state::image::hex;
use crate::state::skipping::Entry;
use crate::state::{Class, Difference, FileOutcome, Invariant, MemoryRange};

/// The form's name and version.
pub(super) const SCHEMA_NAME: &str = "forkpoint.state/1";

/// Longer values are told by their beginning.
const VALUE_BYTES_MAX: usize = 16 << 10;

/// Paints both folders as JSON: one document, two-space indent, a newline at its end.
pub fn json(story: &StateStory) -> String {
    let outcome = story.outcome;
    let invariants = outcome.invariants.iter().map(invariant);
    let differences = Class::ALL.iter().flat_map(|class| story.of_class(*class)).map(|one| difference(story, one));
    let side = |side: usize| Doc::object([("path", Doc::text(&story.context.paths[side].to_string_lossy()))]);
    let texts = |texts: &[String]| Doc::Array(texts.iter().map(|text| Doc::text(text)).collect());
    let doc = Doc::object([
        ("schema", Doc::text(SCHEMA_NAME)),
        ("verdict", Doc::text(story.verdict.word())),
        ("profile", Doc::text(&story.rules.name)),
        ("reference", side(0)),
        ("candidate", side(1)),
        ("stop", Doc::boolean(outcome.has_failed())),
        ("invariants", Doc::Array(invariants.collect())),
        ("files", Doc::Array(outcome.files.iter().map(file).collect())),
        ("divergences", Doc::Array(differences.collect())),
        ("divergences_total", Doc::number(Class::ALL.iter().map(|class| story.count_of(*class)).sum::<u64>())),
        ("memory", Doc::Array(outcome.memory.iter().map(|range| memory(story, range)).collect())),
        ("memory_total", Doc::number(outcome.memory.len() as u64 + outcome.memory_more)),
        ("memory_bytes", Doc::number(outcome.memory_bytes)),
        ("remarks", texts(&outcome.remarks)),
        ("faults", texts(&outcome.faults)),
        ("message", Doc::text(&format!("{}: {}", story.verdict.word(), words::headline(story)))),
    ]);
    let mut out = String::new();
    doc.write_pretty(&mut out, 0);
    out.push('\n');
    out
}

/// What must hold, and what either side has.
pub(super) fn invariant(one: &Invariant) -> Doc {
    let value = |value: &Option<String>| Doc::or_null(value.as_ref().map(|value| Doc::text(value)));
    let [reference, candidate] = one.values.each_ref().map(value);
    let result = Doc::text(one.verdict.word());
    Doc::object([
        ("name", Doc::text(&one.name)),
        ("reference", reference),
        ("candidate", candidate),
        ("result", result),
    ])
}

fn file(file: &FileOutcome) -> Doc {
    let counts = Class::ALL.iter().filter(|class| file.counts[class.index()] > 0);
    let counts = counts.map(|class| (format!("\"{class}\""), Doc::number(file.counts[class.index()])));
    Doc::object([
        ("file", Doc::text(&file.name)),
        ("status", Doc::text(file.status.word())),
        ("counts", Doc::Object(counts.collect())),
        ("skipped", Doc::Array(file.skipped.iter().map(skipped).collect())),
    ])
}

fn skipped(entry: &Entry) -> Doc {
    Doc::object([
        ("entry", Doc::text(&entry.text)),
        ("reference", Doc::boolean(entry.asked[0])),
        ("candidate", Doc::boolean(entry.asked[1])),
        ("hidden", Doc::number(entry.hidden)),
        ("first", Doc::or_null(entry.first.as_ref().map(|first| Doc::text(first)))),
        ("refused", Doc::or_null(entry.refused.as_ref().map(|why| Doc::text(why)))),
    ])
}

fn difference(story: &StateStory, one: &Difference) -> Doc {
    let value = |value: &Option<Vec<u8>>| Doc::or_null(value.as_ref().map(|text| value_doc(text)));
    let [reference, candidate] = one.values.each_ref().map(value);
    let mut doc = Doc::object([
        ("file", Doc::text(story.file(one.file))),
        ("path", Doc::text(&one.path)),
        ("kind", Doc::text(one.kind.name())),
        ("class", Doc::text(one.class.name())),
        ("reference", reference),
        ("candidate", candidate),
    ]);
    if one.is_informational {
        doc.add("informational", Doc::boolean(true));
    }
    doc
}

/// A value as it stands; of a long one its beginning.
fn value_doc(text: &[u8]) -> Doc {
    if text.len() > VALUE_BYTES_MAX {
        let shown = String::from_utf8_lossy(super::super::doc::whole_characters(&text[..VALUE_BYTES_MAX])).into_owned();
        return Doc::object([("text", Doc::text(&shown)), ("cut_bytes", Doc::number(text.len() - VALUE_BYTES_MAX))]);
    }
    tree::loose(text).unwrap_or_else(|| Doc::text(&String::from_utf8_lossy(text)))
}

fn memory(story: &StateStory, range: &MemoryRange) -> Doc {
    let [reference, candidate] = range.first.each_ref().map(|bytes| Doc::text(&hex(bytes)));
    Doc::object([
        ("image", Doc::text(story.file(range.file))),
        ("address", Doc::number(range.address)),
        ("length", Doc::number(range.length)),
        ("owner", Doc::or_null(range.owner.as_ref().map(|owner| Doc::text(owner)))),
        ("import_patch", Doc::boolean(range.is_import_patch)),
        ("reference", reference),
        ("candidate", candidate),
    ])
}
