//! The whole comparison says what the slow twin says, whatever the logs hold.
#![no_main]

use forkpoint_fuzz::twin::check::{mismatches, told};
use forkpoint_fuzz::twin::library::run_library;
use forkpoint_fuzz::twin::pairs::Case;
use forkpoint_fuzz::{FLAGS, apart};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (texts, choice) = apart(data);
    // One text is a log compared with itself.
    let texts = [texts[0], texts.get(1).copied().unwrap_or(texts[0])];
    let lines = texts.map(|text| text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect());
    let flags = FLAGS[choice % FLAGS.len()].iter().map(|word| (*word).to_owned()).collect();
    let case = Case { lines, flags };
    let wrong: Vec<String> = mismatches(&case, run_library).into_iter().filter(|m| !m.starts_with("it said")).collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), told(&case));
});
