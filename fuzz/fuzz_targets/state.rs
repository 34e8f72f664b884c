//! Folders and memory images that bytes decide differ as the slow twin says; of any two documents none differs from itself, equal ones do not differ, the
//! other way round they differ the other way round, and what is told of them fits its schema.
#![no_main]

use std::sync::LazyLock;

use forkpoint::json::{Tape, tape};
use forkpoint::report::state::{StateContext, StateStory, json, markdown, schema, terminal};
use forkpoint::state::document::equal;
use forkpoint::state::walk::Walk;
use forkpoint::state::{
    Difference, Differences, Document, FileOutcome, Imports, Kind, StateOutcome, StateRules, Status, builtin,
};
use forkpoint_fuzz::folders::{Liberties, NAMES, drawn as folders, memory, naive, tree::Tree};
use forkpoint_fuzz::twin::json::parse_report;
use forkpoint_fuzz::{apart, drawn};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static RULES: LazyLock<StateRules> = LazyLock::new(|| builtin("state-v1").expect("it is built in"));
static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&schema()).expect("the schema is one"));

static WITHIN: LazyLock<TempDir> = LazyLock::new(|| {
    // Where there is a disk of memory, writing takes no time.
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be made")
});

fn walk(name: &str, documents: [&Document; 2]) -> Differences {
    let mut differences = Differences::default();
    Walk::new(&RULES, (0, name), documents, &mut differences).run();
    differences
}

/// Folders that bytes decide.
fn scene(bytes: &[u8]) {
    let draw = &mut drawn(bytes);
    let liberties = Liberties { odd: draw(2) == 1, moved_heaps: draw(2) == 1 };
    let sides = folders(draw, liberties);
    let spelled = |tree: &Tree| {
        let mut text = String::new();
        tree.spell(&mut text, None);
        Document::parse(text.into_bytes()).expect("it is JSON")
    };
    let mut found = Vec::new();
    for name in NAMES {
        let [Some(one), Some(other)] = sides.each_ref().map(|side| side.get(name)) else { continue };
        let differences = walk(name, [&spelled(one), &spelled(other)]);
        found.extend(differences.kept.iter().map(|one| {
            let path = naive::without_numbers(&one.path);
            (name.to_owned(), path, one.kind.name(), one.class.name())
        }));
    }
    found.sort();
    let mut expected = naive::compare([&sides[0], &sides[1]]);
    expected.retain(|one| one.2 != "missing-file");
    assert_eq!(found, expected);
}

/// Memory images that bytes decide.
fn images(bytes: &[u8]) {
    let memory = memory::drawn(&mut drawn(bytes));
    let told = memory::told(&memory, WITHIN.path(), &RULES);
    assert_eq!(told, (memory.ranges(), memory.are_alike()), "{memory:?}");
}

/// Any two documents.
fn documents(texts: [&[u8]; 2], choice: usize) {
    let name = NAMES[choice % NAMES.len()];
    let [Ok(one), Ok(other)] = texts.map(|text| Document::parse(text.to_vec())) else { return };
    let again = Document::parse(texts[0].to_vec()).expect("it was one before");
    assert!(walk(name, [&one, &again]).kept.is_empty(), "a document differs from itself");
    let found = walk(name, [&one, &other]);
    let is_equal = equal((&one, one.root()), (&other, other.root()));
    assert_eq!(is_equal, are_equal(texts), "documents are equal as events are");
    if is_equal {
        assert!(found.kept.is_empty(), "equal documents differ: {:?}", found.kept);
    }
    let mirrored = walk(name, [&other, &one]);
    let kinds = |found: &Differences, turn: fn(Kind) -> Kind| {
        let mut kinds: Vec<_> = found.kept.iter().map(|one| (turn(one.kind), one.class)).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&found, Kind::mirrored), kinds(&mirrored, |kind| kind));
    told(name, found);
}

/// Whether two documents are equal as values of events are.
fn are_equal(texts: [&[u8]; 2]) -> bool {
    // A byte order mark is no part of an event.
    let texts = texts.map(|text| text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text));
    let tapes = texts.map(|text| {
        let mut tape = Tape::default();
        tape.parse(text, 0).expect("it is JSON");
        tape
    });
    tape::equal((&tapes[0], texts[0], Tape::ROOT), (&tapes[1], texts[1], Tape::ROOT))
}

/// What is told fits its schema, whatever it says.
fn told(name: &str, differences: Differences) {
    let counts = differences.counts;
    let is_equal = differences.kept.iter().map(|one: &Difference| one.class).next().is_none();
    let status = if is_equal { Status::Equal } else { Status::Diverged };
    let file = FileOutcome { name: name.to_owned(), status, counts, skipped: Vec::new() };
    let outcome = StateOutcome { files: vec![file], differences, ..StateOutcome::default() };
    let context = StateContext { details: usize::MAX, width: 80, ..StateContext::default() };
    let story = StateStory::new(&outcome, &RULES, &context);
    assert!(!terminal(&story).is_empty() && !markdown(&story).is_empty());
    let report = json(&story);
    parse_report(report.as_bytes()).unwrap_or_else(|refused| panic!("no JSON: {refused:?}\n{report}"));
    // Numbers that serde_json cannot hold (`1e400`, lone surrogates) are shown as they stand.
    let Ok(report) = serde_json::from_str(&report) else { return };
    SCHEMA.validate(&report).unwrap_or_else(|error| panic!("{}: {error}\n{report}", error.instance_path()));
}

fuzz_target!(|data: &[u8]| {
    match data.first() {
        Some(0) => return scene(&data[1..]),
        Some(1) => return images(&data[1..]),
        _ => {}
    }
    let (texts, choice) = apart(data);
    match texts[..] {
        [one, two, ..] => documents([one, two], choice),
        _ => {
            if let Ok(document) = Document::parse(data.to_vec()) {
                // Slots lie inside the image, sorted, apart from each other.
                let Ok(imports) = Imports::read(&document) else { return };
                let (within, _) = imports.within(0x8200_0000..0x8300_0000);
                assert!(within.is_sorted_by(|one, other| one.end < other.start));
                assert!(within.iter().all(|slot| slot.start < slot.end && slot.end <= 0x0100_0000));
            }
        }
    }
});
