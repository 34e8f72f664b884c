//! The header line that some profiles demand.

use crate::json::{self, Kind, Pointer, Tape};
use crate::profile::{Header, Profile, StrictReader};
use crate::scan::window::trim;
use crate::scan::{OpenFault, Start};
use crate::source::{Bytes, Log, SourceError, Window};

/// Why a log's header is refused.
#[derive(Debug, thiserror::Error)]
pub enum HeaderFault {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{reason}")]
    Unfit {
        line: u64,
        offset: u64,
        reason: String,
        /// The window it stands in, for advice: a stream cannot be looked at again.
        seen: Bytes,
    },
}

/// A header that fits.
pub struct FoundHeader {
    /// The trimmed line.
    pub text: Vec<u8>,
    /// The window it stands in, and where the line after it begins.
    pub window: Window,
    pub rest: usize,
    /// Physical line of that window's first byte, from 1.
    pub window_line: u64,
}

/// Where a log's events begin: behind its header, if the profile demands one.
///
/// # Errors
/// As [`read`].
pub fn start(log: &mut Log, profile: &Profile) -> Result<Start, HeaderFault> {
    let Some(wanted) = &profile.header else { return Ok(Start::default()) };
    let found = read(log, wanted, profile)?;
    Ok(Start { window: Some((found.window, found.rest)), lines_before: found.window_line - 1 })
}

/// Reads a log's first non-blank line, strictly, and holds it against the header that the profile demands.
///
/// # Errors
/// The log cannot be read, is empty, or begins with another line.
pub fn read(log: &mut Log, wanted: &Header, profile: &Profile) -> Result<FoundHeader, HeaderFault> {
    let mut window_line = 1;
    while let Some(window) = log.next_window()? {
        let unfit = |line: u64, at: usize, reason: String| HeaderFault::Unfit {
            line: window_line + line,
            offset: window.offset + at as u64,
            reason,
            seen: window.bytes.clone(),
        };
        if window.overlong.is_some() {
            return Err(unfit(0, 0, "the first line is over the limit (--max-line)".into()));
        }
        let mut at = if window.offset == 0 && window.bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let mut lines = 0;
        while at < window.bytes.len() {
            let end = memchr::memchr(b'\n', &window.bytes[at..]).map_or(window.bytes.len(), |found| at + found);
            let (start, trimmed_end) = trim(&window.bytes, at, end);
            if start < trimmed_end {
                let text = window.bytes[start..trimmed_end].to_vec();
                check(&text, wanted, profile).map_err(|(offset, reason)| unfit(lines, start + offset, reason))?;
                let rest = (end + 1).min(window.bytes.len());
                return Ok(FoundHeader { text, window, rest, window_line });
            }
            lines += 1;
            at = end + 1;
        }
        window_line += lines;
    }
    let reason = format!("the log is empty: it has no {:?} header", wanted.kind);
    Err(HeaderFault::Unfit { line: 1, offset: 0, reason, seen: Vec::new().into() })
}

fn check(text: &[u8], wanted: &Header, profile: &Profile) -> Result<(), (usize, String)> {
    let mut tape = Tape::default();
    let no_header = || format!("the first line is no {:?} header", wanted.kind);
    if let Some(named) = OpenFault::named(text) {
        return Err((named.at, named.reason.to_string()));
    }
    let read = StrictReader::new(profile).read(text, &mut tape);
    read.map_err(|fault| (fault.at, format!("{}: {}", no_header(), fault.reason)))?;
    if let Some(path) = &profile.roles.kind {
        let kind = tape.at(text, Tape::ROOT, path);
        let kind = kind.filter(|node| tape.kind(*node) == Kind::String).map(|node| tape.bytes(text, node));
        if kind.is_none_or(|kind| *json::text::unescape(kind) != *wanted.kind.as_bytes()) {
            return Err((0, no_header()));
        }
    }
    let version = tape.at(text, Tape::ROOT, &wanted.version_path);
    let number = version.filter(|node| tape.kind(*node) == Kind::Number);
    match number.map(|node| json::number::to_u64(tape.bytes(text, node))) {
        Some(Some(version)) if version == wanted.version => Ok(()),
        _ => {
            let found =
                version.map_or("none".into(), |node| String::from_utf8_lossy(tape.bytes(text, node)).into_owned());
            let at = version.map_or(0, |node| tape.start(node));
            Err((at, format!("the header's {} is {found}, not {}", wanted.version_path.dotted(), wanted.version)))
        }
    }
}

/// The text at a label path of a line, if it is a string there.
pub fn label(text: &[u8], path: Option<&Pointer>) -> Option<String> {
    let mut tape = Tape::default();
    tape.parse(text, 0).ok()?;
    let node = tape.at(text, Tape::ROOT, path?)?;
    let token = Some(node).filter(|node| tape.kind(*node) == Kind::String).map(|node| tape.bytes(text, node))?;
    Some(String::from_utf8_lossy(&json::text::unescape(token)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_string_at_its_path() {
        let path = Pointer::parse("/run/engine").unwrap();
        for (line, found) in [
            (r#"{"run":{"engine":"old"}}"#, Some("old")),
            (r#"{"run":{"engine":"\u00e9\n"}}"#, Some("\u{e9}\n")),
            (r#"{"run":{"engine":""}}"#, Some("")),
            (r#"{"run":{"engine":7}}"#, None),
            (r#"{"run":"engine"}"#, None),
            (r#"{"engine":"old"}"#, None),
            ("garbage", None),
        ] {
            assert_eq!(label(line.as_bytes(), Some(&path)).as_deref(), found, "{line}");
        }
        assert_eq!(label(br#"{"run":{"engine":"old"}}"#, None), None);
    }
}
