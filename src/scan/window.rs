//! Scanning a window: its lines opened the exact way and sorted by thread.

use ahash::AHashMap;

use super::fault::{OpenFault, OpenReason};
use super::key::ThreadKey;
use super::line::{Opened, Opener};
use super::span::{Group, ScannedWindow, Span, WindowFault};
use crate::profile::Reading;
use crate::source::Window;

/// How a window is scanned.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScanOptions {
    /// Go on after a malformed line instead of stopping there.
    pub step_over_faults: bool,
    /// Read every line strictly, not only as far as its roles.
    pub strict: bool,
}

/// Opens the lines of a window from byte `from` on (lines before it are only counted) and
/// groups them by thread. The answer depends on nothing but the bytes.
pub fn scan_window(opener: &Opener, window: &Window, from: usize, options: ScanOptions) -> ScannedWindow {
    if let Some(overlong) = window.overlong {
        let fault = OpenReason::TooLong(overlong.len).at(0);
        return ScannedWindow {
            lines: 1,
            faults: vec![WindowFault { line: 0, at: 0, sequence: 0, fault }],
            ..ScannedWindow::default()
        };
    }
    let mut scan = Scan {
        opener,
        bytes: &window.bytes,
        options,
        found: ScannedWindow::default(),
        by_token: AHashMap::with_hasher(crate::json::tape::fixed_state()),
        by_key: AHashMap::with_hasher(crate::json::tape::fixed_state()),
        last: None,
        reading: Reading::default(),
    };
    scan.found.lines = memchr::memchr_iter(b'\n', &scan.bytes[..from]).count() as u32;
    scan.lines(from, window.offset == 0);
    scan.found
}

struct Scan<'w> {
    opener: &'w Opener,
    bytes: &'w [u8],
    options: ScanOptions,
    found: ScannedWindow,
    /// Groups by the spelling of their key, and by the key.
    by_token: AHashMap<&'w [u8], usize>,
    by_key: AHashMap<ThreadKey, usize>,
    /// The group of the line before and the spelling of its key.
    last: Option<(&'w [u8], usize)>,
    reading: Reading,
}

impl<'w> Scan<'w> {
    fn lines(&mut self, from: usize, first_of_log: bool) {
        let mut at = from;
        if first_of_log && at == 0 && self.bytes.starts_with(b"\xEF\xBB\xBF") {
            at = 3;
        }
        while at < self.bytes.len() {
            let (end, terminated) = match memchr::memchr(b'\n', &self.bytes[at..]) {
                Some(found) => (at + found, true),
                None => (self.bytes.len(), false),
            };
            let line = self.found.lines;
            self.found.lines += 1;
            let (start, trimmed_end) = trim(self.bytes, at, end);
            if start < trimmed_end && !self.line(line, start, trimmed_end, start - at, terminated) {
                return;
            }
            at = end + 1;
        }
    }

    /// Takes one non-blank line; false where the scan stops.
    fn line(&mut self, line: u32, start: usize, end: usize, lead: usize, terminated: bool) -> bool {
        let text = &self.bytes[start..end];
        if !terminated && !is_whole(text) {
            let fault = self.opener.read_line(text, &mut self.reading).err();
            let fault = fault.unwrap_or_else(|| OpenReason::NoEnd.at(text.len() - 1));
            self.found.torn = Some(self.fault_at(line, start, fault));
            return false;
        }
        let opened = match self.options.strict {
            true => self.opener.read_line(text, &mut self.reading),
            false => self.opener.open_line(text),
        };
        match opened {
            Ok(opened) => {
                self.event(line, text, &opened, start, lead);
                true
            }
            Err(fault) => {
                let fault = self.fault_at(line, start, fault);
                self.found.faults.push(fault);
                self.options.step_over_faults
            }
        }
    }

    fn fault_at(&self, line: u32, start: usize, fault: OpenFault) -> WindowFault {
        WindowFault { line, at: (start + fault.at) as u32, sequence: self.found.events, fault }
    }

    fn event(&mut self, line: u32, text: &'w [u8], opened: &Opened, start: usize, lead: usize) {
        let group = self.group_of(text, opened);
        let mut span = Span::new(opened, start, text.len(), lead);
        span.line = line;
        span.sequence = self.found.events;
        span.flags |= self.opener.end_flag(text, opened);
        self.found.events += 1;
        let group = &mut self.found.groups[group];
        let grows = group.spans.last().is_none_or(|before| before.ordinal < span.ordinal || opened.ordinal.is_none());
        group.irregular |= !grows || span.has(Span::ENDS_THREAD);
        group.spans.push(span);
    }

    fn group_of(&mut self, text: &'w [u8], opened: &Opened) -> usize {
        // Composite keys are told apart by the bytes from their first part to their last.
        let token = match (opened.thread.first(), opened.thread.as_slice()) {
            (Some(first), [_]) => first.of(text),
            (Some(_), parts) => return self.group_of_key(self.opener.thread_key(text, parts)),
            (None, _) => b"",
        };
        if let Some((last, group)) = self.last
            && last == token
        {
            return group;
        }
        let group = match self.by_token.get(token) {
            Some(group) => *group,
            None => {
                let group = self.group_of_key(self.opener.thread_key(text, &opened.thread));
                self.by_token.insert(token, group);
                group
            }
        };
        self.last = Some((token, group));
        group
    }

    fn group_of_key(&mut self, thread: ThreadKey) -> usize {
        if let Some(group) = self.by_key.get(&thread) {
            return *group;
        }
        let group = self.found.groups.len();
        self.found.groups.push(Group { thread: thread.clone(), spans: Vec::new(), irregular: false });
        self.by_key.insert(thread, group);
        group
    }
}

/// A last line without a line feed is torn, as a crash leaves it, unless it is a whole value.
fn is_whole(text: &[u8]) -> bool {
    crate::json::check_by_cursor(text, 0).is_ok()
}

/// The part of `bytes[start..end]` without blanks (space, tab, CR) at its ends.
#[inline]
pub fn trim(bytes: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r');
    while start < end && blank(bytes[start]) {
        start += 1;
    }
    while end > start && blank(bytes[end - 1]) {
        end -= 1;
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Pointer;
    use crate::profile::{Header, NondeterministicRole, PayloadRole, Profile, Roles};

    fn profile() -> Profile {
        let path = |text: &str| Pointer::parse(text).unwrap();
        Profile {
            name: "test".into(),
            description: String::new(),
            roles: Roles {
                thread: vec![path("/tid")],
                ordinal: Some(path("/idx")),
                kind: Some(path("/kind")),
                payload: PayloadRole::At(path("/payload")),
                nondeterministic: Some(NondeterministicRole { path: path("/det"), equals: false }),
                label: None,
                end: Some("end".into()),
                pairing: None,
            },
            header: Some(Header { kind: "head".into(), version_path: path("/v"), version: 1 }),
            null_equals_missing: true,
            skip_start: 0,
            ignore: vec![],
            mask: vec![],
            allocator: vec![],
            summaries: vec![],
        }
    }

    fn open(line: &str) -> Result<Opened, String> {
        Opener::new(&profile(), false).open_line(line.as_bytes()).map_err(|fault| fault.reason.to_string())
    }

    #[test]
    fn roles_are_found_wherever_they_stand() {
        let line = r#"{"kind":"a","tid":7,"idx":3,"x":[1,{"tid":9}],"payload":{"p":1} }"#;
        let opened = open(line).unwrap();
        assert_eq!(opened.ordinal, Some(3));
        assert_eq!(opened.payload.of(line.as_bytes()), b"{\"p\":1}");
        assert_eq!(opened.tail.of(line.as_bytes()), b"{\"p\":1} ");
        let line = r#"{"payload":{"p":1},"\u0074id":"x","tid":8,"det":false,"idx":1.0,"kind":null,!!}"#;
        let opened = open(line).unwrap();
        assert_eq!(opened.thread[0].of(line.as_bytes()), b"\"x\"");
        assert!(opened.nondeterministic && opened.ordinal == Some(1));
        assert_eq!(opened.tail.of(line.as_bytes()), b"{\"p\":1}");
        assert!(open(r#"{"tid":1,"idx":0,"kind":2}"#).unwrap().payload_missing);
    }

    #[test]
    fn what_opening_refuses_is_named() {
        for (line, want) in [
            (r#"{"idx":0,"kind":"a","payload":{}}"#, "the thread key tid is missing"),
            (r#"{"tid":null,"idx":0,"kind":"a","payload":{}}"#, "neither integer nor string"),
            (r#"{"tid":1.5,"idx":0,"kind":"a","payload":{}}"#, "neither integer nor string"),
            (r#"{"tid":true,"idx":0,"kind":"a","payload":{}}"#, "neither integer nor string"),
            (r#"{"tid":[1],"idx":0,"kind":"a","payload":{}}"#, "neither integer nor string"),
            (r#"{"tid":1,"kind":"a","payload":{}}"#, "the ordinal idx is missing"),
            (r#"{"tid":1,"idx":"0","kind":"a","payload":{}}"#, "no integer"),
            (r#"{"tid":1,"idx":1180591620717411303424,"kind":"a"}"#, "no integer"),
            (r#"{"tid":1,"idx":0,"kind":[],"payload":{}}"#, "the kind is an object or array"),
            (r#"{"kind":"head","v":1}"#, "a second run starts here"),
            (r#"{"tid":1,"idx":007,"kind":"a","payload":{}}"#, "a number is malformed"),
            (r#"{"tid":1,"idx":0,"x":tru,"kind":"a","payload":{}}"#, "no JSON value"),
            (r#"[1,2]"#, "an array"),
            (r#"garbage"#, "no JSON object"),
            (r#"{"tid":1},"#, "a comma after the object"),
            (r#"{"tid":1"#, "does not end"),
        ] {
            let reason = open(line).unwrap_err();
            assert!(reason.contains(want), "{line}: {reason}");
        }
    }

    #[test]
    fn windows_group_lines_by_thread() {
        let text = "\u{feff}{\"tid\":1,\"idx\":0,\"kind\":\"a\",\"payload\":{}}\r\n\n  \n{\"tid\":\"1\",\"idx\":0,\"kind\":\"a\"}\n\
                    {\"tid\":1.0,\"idx\":1,\"kind\":\"end\",\"payload\":{}}\n{\"tid\":1,\"idx\":2,\"kin";
        let window = Window { offset: 0, bytes: text.as_bytes().to_vec().into(), overlong: None };
        let found = scan_window(&Opener::new(&profile(), false), &window, 0, ScanOptions::default());
        assert_eq!((found.lines, found.events), (6, 3));
        let threads: Vec<_> = found.groups.iter().map(|g| (g.thread.clone(), g.spans.len(), g.irregular)).collect();
        assert_eq!(threads, [(ThreadKey::Integer(1), 2, true), (ThreadKey::Text(b"1"[..].into()), 1, false)]);
        assert_eq!(found.groups[0].spans[1].line, 4);
        assert!(found.torn.is_some() && found.faults.is_empty());
    }
}
