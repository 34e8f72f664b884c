//! What the fuzz targets share: the slow twin of the tests, and how an input is taken apart.
//!
//! Inputs are texts as they stand in `corpus/`, so that those are seeds as they are. Where a
//! target wants more than one text, byte 0xFF (in no UTF-8) stands between them; what chooses among
//! flags is told by the last byte, so that any text is an input.

#[path = "../../tests/twin/mod.rs"]
#[allow(clippy::should_implement_trait)] // written for tests, where nothing is public
pub mod twin;

use forkpoint::json::Pointer;
use forkpoint::profile::{Profile, builtin};

/// Between the texts of one input.
pub const BETWEEN: u8 = 0xFF;

/// The texts of an input, and a number to choose by.
pub fn apart(data: &[u8]) -> (Vec<&[u8]>, usize) {
    let choice = data.last().map_or(0, |last| usize::from(*last));
    (data.split(|byte| *byte == BETWEEN).collect(), choice)
}

/// Flags of `diff`: profiles, reading and pairing of every kind.
pub const FLAGS: [&[&str]; 8] = [
    &[],
    &["--malformed", "skip"],
    &["--strict"],
    &["--map", "same", "--prefix"],
    &["--skip-nondeterministic", "--ignore-unmatched"],
    &["--profile", "generic", "--thread", "tid", "--ordinal", "tid_event_idx", "--kind", "kind", "--malformed", "skip"],
    &["--profile", "generic", "--thread", "cpu,task", "--ordinal", "seq", "--payload", "data"],
    &["--profile", "generic", "--ordinal", "seq", "--kind", "op", "--ignore", "cycles", "--mask", "flags=0x30"],
];

/// Profiles with roles at several places.
pub fn profile(choice: usize) -> Profile {
    let path = |text: &str| Pointer::parse(text).expect("a path");
    let kind = choice % 4;
    let mut profile = builtin(if kind == 0 { "schema-v1" } else { "generic" }).expect("it is built in");
    match kind {
        1 => profile.roles.thread = vec![path("/tid")],
        2 => profile.roles.thread = vec![path("/cpu"), path("/at/task")],
        3 => (profile.roles.ordinal, profile.roles.kind) = (Some(path("/seq")), Some(path("/op"))),
        _ => {}
    }
    profile
}
