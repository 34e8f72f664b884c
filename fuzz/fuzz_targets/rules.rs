//! Two events under random rules of every class: the exact way, the short way and the slow twin say the same; a rule never
//! makes equal values differ, taking one out never hides a difference, and equal events have equal digests.
#![no_main]

use forkpoint_fuzz::twin::held::{hold, ruled};
use forkpoint_fuzz::twin::json::{Value, parse};
use forkpoint_fuzz::twin::ruled::lines;
use forkpoint_fuzz::twin::shapes::Rng;
use forkpoint_fuzz::{apart, respelled};
use libfuzzer_sys::fuzz_target;

/// A number made of bytes, for what is drawn by chance.
fn seed(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |seed, byte| (seed << 8 | seed >> 56) ^ u64::from(*byte))
}

fuzz_target!(|data: &[u8]| {
    let (texts, choice) = apart(data);
    let inside = choice % 2 == 1;
    let rng = &mut Rng::new(seed(texts[0]));
    let (profile, rules) = ruled(inside, rng);
    // Events that are not given are drawn, too.
    let drawn = lines(inside, rng).map(String::into_bytes);
    let given = |at: usize| texts.get(at + 1).filter(|text| !text.is_empty()).map_or(&drawn[at][..], |text| text);
    hold(&profile, &rules, [given(0), given(1)]);
    let Ok(value) = parse(given(0)) else { return };
    // Of a key given twice both spellings would have to be kept, and roles may not be.
    let Some(other) = respelled(&value).filter(|_| matches!(value, Value::Object(_))) else { return };
    if let Some(shown) = hold(&profile, &rules, [given(0), other.as_bytes()]) {
        assert!(shown.equal && shown.overlooked.is_empty(), "another spelling: {shown:?}\n{other}");
    }
});
