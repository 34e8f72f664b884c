//! One event told in one line: `[{ordinal}] {kind} {rest}`.

use super::tree::taken_apart;
use super::visible::visible;
use crate::json::{Kind, Pointer, Tape, text};
use crate::profile::{PayloadRole, Profile, Templates};

/// What a line says of itself, safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub kind: String,
    pub rest: String,
}

/// The longest rest told; a painter cuts further.
const REST_BYTES_MAX: usize = 4096;

/// Tells an event in one line. A text that cannot be read (cut, or malformed) is shown raw.
pub(crate) fn summary_of(line: &[u8], profile: &Profile, templates: &Templates) -> Summary {
    let Some(tape) = taken_apart(line) else {
        return Summary { kind: "?".to_owned(), rest: shown(line) };
    };
    let kind_node = profile.roles.kind.as_ref().and_then(|path| tape.at(line, Tape::ROOT, path));
    let kind = kind_node.map(|node| plain(&tape, line, node));
    let payload = match &profile.roles.payload {
        PayloadRole::At(path) => tape.at(line, Tape::ROOT, path),
        PayloadRole::Whole => Some(Tape::ROOT),
    };
    let rest = match payload {
        None => String::new(),
        Some(payload) => {
            let mut lookup = |path: &Pointer| tape.at(line, payload, path).map(|node| tape.bytes(line, node).to_vec());
            visible(&templates.for_kind(kind.as_deref()).render(&mut lookup))
        }
    };
    Summary { kind: visible(&kind.unwrap_or_default()), rest }
}

fn plain(tape: &Tape, line: &[u8], node: usize) -> String {
    let bytes = tape.bytes(line, node);
    match tape.kind(node) {
        Kind::String => String::from_utf8_lossy(&text::unescape(bytes)).into_owned(),
        Kind::Null => String::new(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn shown(bytes: &[u8]) -> String {
    visible(&String::from_utf8_lossy(&bytes[..bytes.len().min(REST_BYTES_MAX)]))
}
