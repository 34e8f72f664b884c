//! What the fuzz targets share: the slow twin of the tests, and how an input is taken apart.
//!
//! Inputs are texts as they stand in `corpus/`, so that those are seeds as they are. Where a
//! target wants more than one text, byte 0xFF (in no UTF-8) stands between them; what chooses among
//! flags is told by the last byte, so that any text is an input.

#[path = "../../tests/twin/mod.rs"]
#[allow(clippy::should_implement_trait)] // written for tests, where nothing is public
pub mod twin;

#[path = "../../tests/life/both.rs"]
pub mod both;
#[path = "../../tests/folders/mod.rs"]
pub mod folders;
pub mod generate;
#[path = "../../tests/life/scenes.rs"]
pub mod scenes;
#[path = "../../tests/life/table.rs"]
pub mod table;
#[path = "../../tests/life/windows.rs"]
pub mod windows;

use std::fmt::Write;

use forkpoint::json::Pointer;
use forkpoint::profile::{Profile, builtin};
use twin::json::Value;

/// Between the texts of one input.
pub const BETWEEN: u8 = 0xFF;

/// The texts of an input, and a number to choose by.
pub fn apart(data: &[u8]) -> (Vec<&[u8]>, usize) {
    let choice = data.last().map_or(0, |last| usize::from(*last));
    (data.split(|byte| *byte == BETWEEN).collect(), choice)
}

/// Numbers below limits, drawn from bytes: each is a byte's, and 0 where none is left.
pub fn drawn(bytes: &[u8]) -> impl FnMut(u64) -> u64 {
    let mut bytes = bytes.iter();
    move |limit| u64::from(*bytes.next().unwrap_or(&0)) % limit
}

/// Flags of `diff`: profiles, reading and pairing of every kind.
pub const FLAGS: [&[&str]; 12] = [
    &[],
    &["--malformed", "skip"],
    &["--strict"],
    &["--map", "same", "--prefix"],
    &["--skip-nondeterministic", "--ignore-unmatched"],
    &["--profile", "generic", "--thread", "tid", "--ordinal", "tid_event_idx", "--kind", "kind", "--malformed", "skip"],
    &["--profile", "generic", "--thread", "cpu,task", "--ordinal", "seq", "--payload", "data"],
    &["--profile", "generic", "--ordinal", "seq", "--kind", "op", "--ignore", "cycles", "--mask", "flags=0x30"],
    &["--profile", "generic", "--ignore", "cycles", "--mask", "p=0x30"],
    &["--ignore", "payload.args.*", "--mask", "payload.*=0x30"],
    &["--profile", EVENTS, "--thread", "tid", "--ordinal", "seq", "--kind", "op", "--payload", "data"],
    &["--continue", "2"],
];

/// Rules that take events out, or join them.
const EVENTS: &str = "version = 1
[[drop]]
name = \"e0\"
kinds = [\"tick\"]
reason = \"noise\"
[[drop]]
name = \"e1\"
when = [{ path = \"/data/name\", equals = [\"Log\"] }]
reason = \"noise\"
[[fold]]
name = \"e2\"
kinds = [\"poll\", \"polled\"]
same = [\"/data/n\"]
reason = \"noise\"
[[join]]
name = \"e3\"
kinds = [\"part\"]
then = [\"part\", \"work\"]
sum = [\"/data/n\"]
reason = \"noise\"
";

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

/// A value in another spelling: every character an escape, keys in reverse, numbers with an exponent. `None` if a
/// number's exponent is so far that its own digits count.
pub fn respelled(value: &Value) -> Option<String> {
    let mut text = String::new();
    respell(value, &mut text)?;
    Some(text)
}

fn respell(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => write!(out, "{value}").ok()?,
        Value::Token(token) => out.push_str(token),
        Value::Number(number) => {
            let exponent = i64::try_from(number.exponent).ok().filter(|_| number.far.is_none())?;
            let (sign, digits) = (if number.negative { "-" } else { "" }, &number.digits);
            write!(out, "{sign}{}E{exponent:+}", if digits.is_empty() { "0" } else { digits }).ok()?;
        }
        Value::Text(text) => respell_text(text, out),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "[ " } else { " ,\t" });
                respell(item, out)?;
            }
            out.push_str(if items.is_empty() { "[]" } else { " ]" });
        }
        Value::Object(members) => {
            for (at, (key, value)) in members.iter().rev().enumerate() {
                out.push_str(if at == 0 { "{ " } else { " ,\r\n" });
                respell_text(key, out);
                out.push_str(" : ");
                respell(value, out)?;
            }
            out.push_str(if members.is_empty() { "{}" } else { " }" });
        }
    }
    Some(())
}

/// WTF-8 as escapes of UTF-16 units.
fn respell_text(text: &[u8], out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(lead) = rest.first() {
        let len = match lead {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        let (bytes, behind) = rest.split_at(len);
        rest = behind;
        let first = if len == 1 { u32::from(*lead) } else { u32::from(*lead) & (0x7F >> len) };
        let code = bytes[1..].iter().fold(first, |code, byte| code << 6 | u32::from(byte & 0x3F));
        let units = match code.checked_sub(0x10000) {
            None => vec![code],
            Some(above) => vec![0xD800 + (above >> 10), 0xDC00 + (above & 0x3FF)],
        };
        units.iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
    }
    out.push('"');
}
