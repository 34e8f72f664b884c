//! The engine's table is one that keeps every call, a log's audit has the world as the kernel that logged it, and an audit of anything
//! at all, or of two of it, is the same for all windows and fits its schema.
#![no_main]

use std::sync::LazyLock;

use forkpoint::profile::{Profile, builtin};
use forkpoint::report::audit::{schema, schema_of_both};
use forkpoint_fuzz::both;
use forkpoint_fuzz::generate::kernel::play;
use forkpoint_fuzz::scenes::{STYLES, agrees, anything, audited, changed};
use forkpoint_fuzz::table::{hold, steps};
use forkpoint_fuzz::twin::json::parse;
use forkpoint_fuzz::windows::{report, same};
use forkpoint_fuzz::{apart, drawn};
use libfuzzer_sys::fuzz_target;

static PROFILE: LazyLock<Profile> = LazyLock::new(|| builtin("schema-v1").expect("it is built in"));
static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| validator(&schema()));
static OF_BOTH: LazyLock<jsonschema::Validator> = LazyLock::new(|| validator(&schema_of_both()));

fn validator(schema: &str) -> jsonschema::Validator {
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is one")
}

/// A scene that bytes decide, and the order of its threads.
fn scene(bytes: &[u8]) {
    let draw = &mut drawn(bytes);
    let (style, seed) = (STYLES[draw(3) as usize], draw(256));
    let scene = anything(draw);
    let played = play(&scene, style, seed);
    for window_bytes in [700, 1 << 20] {
        let audit = audited(played.log.as_bytes(), &PROFILE, window_bytes);
        agrees(&scene, &played, &audit).unwrap_or_else(|wrong| panic!("{wrong}\n{}", played.log));
    }
}

/// A scene that bytes decide, and one that differs a little, in two orders of threads.
fn two(bytes: &[u8]) {
    let draw = &mut drawn(bytes);
    let (style, seed) = (STYLES[draw(3) as usize], draw(256));
    let scene = anything(draw);
    let other = changed(&scene, draw);
    let [one, other] = [(scene, seed), (other, seed + 1)].map(|(scene, seed)| play(&scene, style, seed).log);
    both::same([one.as_bytes(), other.as_bytes()], &PROFILE).expect("both have headers");
}

/// Anything at all, as a log, or as two.
fn log(bytes: &[u8]) {
    let (logs, _) = apart(bytes);
    let told = match logs[..] {
        [one, two] => both::same([one, two], &PROFILE).map(|report| (report, &OF_BOTH)),
        _ => same(bytes, &PROFILE).map(|audit| (report(&audit, &PROFILE), &SCHEMA)),
    };
    let Some((report, schema)) = told else { return };
    parse(report.as_bytes()).unwrap_or_else(|refused| panic!("no JSON: {refused:?}\n{report}"));
    // Thread keys that serde_json cannot hold (`1e400`, lone surrogates) are shown as they stand.
    let Ok(report) = serde_json::from_str(&report) else { return };
    schema.validate(&report).unwrap_or_else(|error| panic!("{}: {error}\n{report}", error.instance_path()));
}

// A log begins with `{`, whose two lowest bits are set.
fuzz_target!(|data: &[u8]| match data.first().map(|first| first % 4) {
    Some(0) => drop(hold(&steps((data.len() / 4).min(80), drawn(&data[1..])))),
    Some(1) => scene(&data[1..]),
    Some(2) => two(&data[1..]),
    _ => log(data),
});
