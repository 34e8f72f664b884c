//! The whole comparison says what the slow twin says, whatever the logs hold, and its report fits the schema.
#![no_main]

use std::sync::LazyLock;

use forkpoint::report::schema;
use forkpoint_fuzz::twin::check::{mismatches, told};
use forkpoint_fuzz::twin::json::Value;
use forkpoint_fuzz::twin::library::run_library_and;
use forkpoint_fuzz::twin::pairs::Case;
use forkpoint_fuzz::{FLAGS, apart};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(&schema()).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is one")
});

/// The program's answer. Reports that quote what serde_json cannot hold (`1e400`, lone surrogates) are only parsed.
fn answer(reference: &[u8], candidate: &[u8], flags: &[&str]) -> Value {
    run_library_and(reference, candidate, flags, |report| {
        let Ok(report) = serde_json::from_str(report) else { return };
        SCHEMA.validate(&report).unwrap_or_else(|error| panic!("{}: {error}\n{report}", error.instance_path()));
    })
}

fuzz_target!(|data: &[u8]| {
    let (texts, choice) = apart(data);
    // One text is a log compared with itself.
    let texts = [texts[0], texts.get(1).copied().unwrap_or(texts[0])];
    let lines = texts.map(|text| text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect());
    let flags = FLAGS[choice % FLAGS.len()].iter().map(|word| (*word).to_owned()).collect();
    let case = Case { lines, flags };
    let wrong: Vec<String> = mismatches(&case, answer).into_iter().filter(|m| !m.starts_with("it said")).collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), told(&case));
});
