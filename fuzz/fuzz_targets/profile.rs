//! A profile is refused or read, and what is shown of one is that profile again.
#![no_main]

use forkpoint::profile::{parse, remarks, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(profile) = parse(text, "fuzz.toml") else { return };
    let _ = remarks(&profile);
    let shown = show(&profile);
    let again = parse(&shown, "fuzz.toml").unwrap_or_else(|error| panic!("{error}\n{shown}"));
    assert_eq!(again, profile, "{shown}");
});
