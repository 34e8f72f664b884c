//! One event told in one line: `[{ordinal}] {kind} {rest}`.

use super::tree::taken_apart;
use super::visible::visible;
use crate::json::{Kind, Pointer, Tape, text};
use crate::profile::{PayloadRole, Profile};

/// What a line says of itself, safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub kind: String,
    pub rest: String,
}

/// The longest rest told; a painter cuts further.
const REST_BYTES_MAX: usize = 4096;

/// Tells an event in one line. A text that cannot be read (cut, or malformed) is shown raw.
pub(crate) fn summary_of(line: &[u8], profile: &Profile) -> Summary {
    let Some(tape) = taken_apart(line) else {
        return Summary { kind: "?".to_owned(), rest: shown(line) };
    };
    let kind_node = profile.roles.kind.as_ref().and_then(|path| tape.at(line, Tape::ROOT, path));
    let kind = kind_node.map(|node| plain(&tape, line, node));
    let payload = match &profile.roles.payload {
        PayloadRole::At(path) => tape.at(line, Tape::ROOT, path),
        PayloadRole::Whole => Some(Tape::ROOT),
    };
    let template = rule_for(profile, kind.as_deref());
    let rest = match (payload, template) {
        (None, _) => String::new(),
        (Some(payload), None) => shown(tape.bytes(line, payload)),
        (Some(payload), Some(template)) => {
            let mut lookup = |path: &Pointer| tape.at(line, payload, path).map(|node| tape.bytes(line, node).to_vec());
            visible(&render(template, &mut lookup))
        }
    };
    Summary { kind: visible(&kind.unwrap_or_default()), rest }
}

/// The template for a kind: the rule that names it, else the one without kinds.
fn rule_for<'p>(profile: &'p Profile, kind: Option<&str>) -> Option<&'p str> {
    let named = profile.summaries.iter().find(|rule| rule.kinds.iter().any(|name| Some(name.as_str()) == kind));
    let any = || profile.summaries.iter().find(|rule| rule.kinds.is_empty());
    named.or_else(any).map(|rule| rule.template.as_str())
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

/// Stand-in for `profile::summary::Template`: text with `{path|path}` in it.
fn render(template: &str, lookup: &mut dyn FnMut(&Pointer) -> Option<Vec<u8>>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let Some((names, behind)) = behind.split_once('}') else { break };
        rest = behind;
        let value = names.split('|').find_map(|name| lookup(&Pointer::parse(name).ok()?));
        match value {
            Some(value) if value.starts_with(b"\"") => out.push_str(&String::from_utf8_lossy(&text::unescape(&value))),
            Some(value) => out.push_str(&String::from_utf8_lossy(&value)),
            None => out.push('?'),
        }
    }
    out.push_str(rest);
    out
}
