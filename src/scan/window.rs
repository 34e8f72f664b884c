//! Scanning a window: its lines opened, by a layout or the exact way, and sorted by thread.

use super::events::Events;
use super::fault::{OpenFault, OpenReason};
use super::layout::Fit;
use super::learned::Known;
use super::line::Opener;
use super::span::{ScannedWindow, WindowFault};
use super::table::LineFeeds;
use crate::json::Width;
use crate::json::simd::{self, Task, Vectors};
use crate::profile::Reading;
use crate::source::Window;

/// How a window is scanned.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScanOptions {
    /// Go on after a malformed line instead of stopping there.
    pub step_over_faults: bool,
    /// Read every line strictly, not only as far as its roles.
    pub strict: bool,
    /// Which vectors are used; all say the same.
    pub width: Width,
}

/// Opens the lines of a window from byte `from` on (lines before it are only counted) and
/// groups them by thread. But for `by_layout` the answer depends on nothing but the bytes.
pub fn scan_window(opener: &Opener, window: &Window, from: usize, options: ScanOptions) -> ScannedWindow {
    if let Some(overlong) = window.overlong {
        let fault = OpenReason::TooLong(overlong.len).at(0);
        return ScannedWindow {
            lines: 1,
            faults: vec![WindowFault { line: 0, at: 0, fault }],
            ..ScannedWindow::default()
        };
    }
    let known = opener.learned.as_ref().map(|learned| learned.known()).unwrap_or_default();
    let events = Events::new(opener, &window.bytes, window.bytes.len() / known.line_bytes * 9 / 8 + 1);
    let mut scan = Scan {
        opener,
        bytes: &window.bytes,
        options,
        events,
        known,
        faults: Vec::new(),
        torn: None,
        reading: Reading::default(),
    };
    simd::run(Lines { scan: &mut scan, from, first_of_log: window.offset == 0 }, options.width);
    let (mut known, scanned) = scan.end();
    if let Some(learned) = &opener.learned {
        known.line_bytes = (window.bytes.len() / scanned.lines.max(1) as usize).max(1);
        learned.give_back(known);
    }
    scanned
}

struct Scan<'w> {
    opener: &'w Opener,
    bytes: &'w [u8],
    options: ScanOptions,
    events: Events<'w>,
    known: Known,
    faults: Vec<WindowFault>,
    torn: Option<WindowFault>,
    reading: Reading,
}

/// All lines of a window, from a byte on.
struct Lines<'s, 'w> {
    scan: &'s mut Scan<'w>,
    from: usize,
    first_of_log: bool,
}

impl Task for Lines<'_, '_> {
    type Answer = ();

    #[inline(always)]
    fn run(self, vectors: impl Vectors) {
        self.scan.lines(vectors, self.from, self.first_of_log);
    }
}

impl<'w> Scan<'w> {
    #[inline(always)]
    fn lines(&mut self, vectors: impl Vectors, from: usize, first_of_log: bool) {
        let bytes = self.bytes;
        let is_fast = !self.options.strict && self.opener.learned.is_some();
        let fast_from = if is_fast { from } else { usize::MAX };
        let (mut row, mut feeds) = (0, LineFeeds::new());
        while self.events.table.find_lines(vectors, bytes, &mut feeds) {
            for next in row..self.events.table.lines() {
                let (start, end) = self.events.table.line(next);
                if start >= fast_from && self.cast(next, start, end) {
                    continue;
                }
                if !self.slowly(next, (start, end), (from, first_of_log)) {
                    self.events.table.cut(next + 1);
                    return;
                }
            }
            row = self.events.table.lines();
        }
    }

    /// Takes a line that is not of the likeliest mould, if it begins at or behind `from`; `false` where
    /// the scan stops.
    #[inline(never)]
    fn slowly(&mut self, row: u32, (mut start, end): (usize, usize), (from, first_of_log): (usize, bool)) -> bool {
        if start < from {
            self.events.table.pass(row);
            return true;
        }
        if first_of_log && start == 0 && self.bytes.starts_with(BYTE_ORDER_MARK) {
            start += BYTE_ORDER_MARK.len();
        }
        self.opener.learned.is_some() && self.by_layout(row, start, end) || self.exactly(row, start, end)
    }

    /// Takes a line by the likeliest mould; `false` where it is not of that.
    #[inline(always)]
    fn cast(&mut self, row: u32, start: usize, end: usize) -> bool {
        let Some(mould) = self.known.likeliest(self.bytes, start) else { return false };
        if mould.goes_on() {
            return self.cast_behind(row, start, end);
        }
        let Some(cast) = mould.cast_head(self.bytes, start) else { return false };
        self.events.cast(row, (start, end), mould, cast)
    }

    /// The same where more is judged behind the payload. Apart, so that logs whose payload is last
    /// pay nothing for it.
    #[inline(never)]
    fn cast_behind(&mut self, row: u32, start: usize, end: usize) -> bool {
        let Some(mould) = self.known.likeliest(self.bytes, start) else { return false };
        let Some(cast) = mould.cast(self.bytes, start) else { return false };
        self.events.cast(row, (start, end), mould, cast)
    }

    /// Takes a line by any mould or layout; `false` where it fits none, or must be read and is not surely sound.
    #[inline(never)]
    fn by_layout(&mut self, row: u32, start: usize, line_end: usize) -> bool {
        let (bytes, opener) = (self.bytes, self.opener);
        // A line feed stands behind it, so the line is no last one.
        let is_first = start != self.events.table.line(row).0;
        if line_end >= bytes.len() || start >= line_end || bytes[start] != b'{' || is_first {
            return false;
        }
        let returns = bytes[line_end - 1] == b'\r';
        let end = line_end - usize::from(returns);
        if bytes[end - 1] != b'}' {
            return false;
        }
        let flags = |fit: &Fit| opener.flags_of(fit, &bytes[start..end]);
        let Some((fit, flags)) = self.known.fit(bytes, (start, end), flags) else { return false };
        if self.options.strict && !fit.sound && !opener.is_surely_sound(&bytes[start..end], flags, fit.tail) {
            return false;
        }
        self.events.fit(row, (start, end), &fit, flags, returns)
    }

    /// Takes a line the exact way; false where the scan stops.
    #[inline(never)]
    fn exactly(&mut self, row: u32, line_start: usize, line_end: usize) -> bool {
        let (start, end) = trim(self.bytes, line_start, line_end);
        if start >= end {
            self.events.table.pass(row);
            return true;
        }
        let text = &self.bytes[start..end];
        let terminated = line_end < self.bytes.len();
        if !terminated && !is_whole(text) {
            let fault = self.opener.read_line(text, &mut self.reading).err();
            let fault = fault.unwrap_or_else(|| OpenReason::NoEnd.at(text.len() - 1));
            self.torn = Some(fault_at(row, start, fault));
            self.events.table.pass(row);
            return false;
        }
        let opened = match self.options.strict {
            true => self.opener.read_line(text, &mut self.reading),
            false => self.opener.open_line(text),
        };
        match opened {
            Ok(opened) => {
                if let Some(learned) = &self.opener.learned {
                    let strict = self.options.strict;
                    self.known.learn(learned, |is_early| match strict && is_early {
                        true => self.opener.learn_whole(text),
                        false => self.opener.learn(text),
                    });
                }
                self.events.opened(row, text, &opened, start);
                true
            }
            Err(fault) => {
                self.faults.push(fault_at(row, start, fault));
                self.events.table.pass(row);
                self.options.step_over_faults
            }
        }
    }

    /// What was found, and what was known at the end.
    fn end(self) -> (Known, ScannedWindow) {
        let (spans, groups, by_layout) = self.events.sorted();
        let scanned = ScannedWindow {
            lines: spans.lines(),
            events: spans.len(),
            by_layout,
            spans,
            groups,
            faults: self.faults,
            torn: self.torn,
        };
        (self.known, scanned)
    }
}

fn fault_at(row: u32, start: usize, fault: OpenFault) -> WindowFault {
    WindowFault { line: row, at: (start + fault.at) as u32, fault }
}

/// What may stand at a log's start.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

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
    use crate::scan::events::Events;
    use crate::scan::{Opened, Part, Sight, Span, ThreadKey};

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
                checkpoint: None,
            },
            header: Some(Header { kind: "head".into(), version_path: path("/v"), version: 1 }),
            null_equals_missing: true,
            skip_start: 0,
            ignore: vec![],
            mask: vec![],
            allocator: vec![],
            tolerance: vec![],
            unordered: vec![],
            spelling: vec![],
            offset: vec![],
            identity: vec![],
            drop: vec![],
            fold: vec![],
            edge: Vec::new(),
            audit: Vec::new(),
            join: vec![],
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
        assert!(!opened.nondeterministic && opened.ordinal == Some(1));
        let looking = Opener::new(&profile(), true).open_line(line.as_bytes());
        assert!(looking.is_ok_and(|opened| opened.nondeterministic), "it is marked, where one asks");
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

    /// Lines of one shape and of odd ones, with numbers that grow wider.
    fn mixed_lines(seed: usize) -> String {
        let odd = ["\n", "  \r\n", "{}\n", "x\n", "{\"tid\":1,\"idx\":1e9,\"kind\":\"a\",\"payload\":0}\r\n"];
        (0..400)
            .map(|at| match (at * 7 + seed) % 31 {
                0 => odd[at % odd.len()].to_owned(),
                turn => format!(
                    "{{\"kind\":\"kind.{}\",\"tid\":{},\"idx\":{},\"x\":[{turn}],\"payload\":{{\"p\":\"{}\"}}}}\n",
                    turn % 3,
                    turn % 12,
                    at * at * (seed + 1),
                    "p".repeat(turn * 5),
                ),
            })
            .collect()
    }

    #[test]
    fn a_byte_order_mark_is_stepped_over_only_where_the_log_begins() {
        let text = "\u{feff}{\"tid\":1,\"idx\":0,\"kind\":\"a\",\"payload\":{}}\n";
        let opener = Opener::new(&profile(), false);
        let scan = |offset| {
            let window = Window { offset, bytes: text.as_bytes().to_vec().into(), overlong: None };
            scan_window(&opener, &window, 0, ScanOptions::default())
        };
        assert_eq!((scan(0).events, scan(0).faults.len()), (1, 0));
        let later = scan(4096);
        assert_eq!(later.events, 0);
        assert_eq!(later.faults[0].fault.reason, OpenReason::ByteOrderMark);
    }

    #[test]
    fn all_widths_and_the_exact_way_say_the_same() {
        for seed in 0..40 {
            let window = Window { offset: 0, bytes: mixed_lines(seed).into_bytes().into(), overlong: None };
            let opener = Opener::new(&profile(), false);
            let scan = |opener: &Opener, width, strict| {
                let options = ScanOptions { step_over_faults: true, width, strict };
                ScannedWindow { by_layout: 0, ..scan_window(opener, &window, 0, options) }
            };
            let exactly = opener.clone().without_layouts();
            let exact = scan(&exactly, Width::Best, false);
            for width in [Width::Plain, Width::Best, Width::Plain, Width::Best] {
                assert_eq!(scan(&opener, width, false), exact, "{width:?}");
                assert_eq!(scan(&opener, width, true), scan(&exactly, width, true), "{width:?}");
            }
            let options = ScanOptions { step_over_faults: true, ..ScanOptions::default() };
            assert!(scan_window(&opener, &window, 0, options).by_layout > exact.events / 2, "layouts are taken");
        }
    }

    /// What is found of a line that stands in front of many blanks, and how many events were opened by a layout.
    fn seen(opener: &Opener, line: &[u8], strict: bool) -> (Option<Span>, Vec<WindowFault>, u32) {
        // Moulds look at whole blocks, also behind a line.
        let bytes = [line, b"\n", &[b' '; 128], b"\n"].concat();
        let window = Window { offset: 1, bytes: bytes.into(), overlong: None };
        let options = ScanOptions { step_over_faults: true, strict, ..ScanOptions::default() };
        let found = scan_window(opener, &window, 0, options);
        let span = (found.events > 0).then(|| found.spans.span(0));
        (span.map(|span| Span { flags: span.flags & !Span::HEAD_STRICT, ..span }), found.faults, found.by_layout)
    }

    /// Each byte of some lines is changed, and what is found must be what the exact way finds.
    fn whatever_byte_is_changed(strict: bool) {
        let lines = [
            r#"{"at":"0x12ab","kind":"read","tid":7,"idx":1234,"f":-12.50,"payload":{"p":"q"}}"#,
            r#"{"idx":1234,"kind":"read","payload":{"p":[1]},"tid":7,"name":"some text","n":70}"#,
            r#"{"idx":1234,"kind":"read","tid":7,"payload":0,"name":"some text","n":70,"det":true}"#,
        ];
        for line in lines {
            let learned = Opener::new(&profile(), false);
            let other = line.replace("0x12ab", "0x93cd").replace("some text", "other one").replace("1234", "1299");
            // Where many layouts are known, each gets its turn.
            let warm = || (0..20).any(|_| seen(&learned, other.as_bytes(), strict).2 == 1);
            let exact = Opener::new(&profile(), false).without_layouts();
            for at in 0..line.len() {
                for byte in *b"019\"\\,:.-e }x\x00\x1F\x7F\x80" {
                    // What the line before was taught does not matter.
                    assert!(warm(), "{line}");
                    let mut changed = line.as_bytes().to_vec();
                    changed[at] = byte;
                    let text = String::from_utf8_lossy(&changed);
                    let [found, must] = [&learned, &exact].map(|opener| seen(opener, &changed, strict));
                    assert_eq!((found.0, found.1), (must.0, must.1), "{text}");
                }
            }
        }
    }

    #[test]
    fn whatever_byte_is_changed_moulds_open_what_the_exact_way_opens() {
        whatever_byte_is_changed(false);
    }

    #[test]
    fn whatever_byte_is_changed_layouts_read_what_the_exact_way_reads() {
        whatever_byte_is_changed(true);
    }

    #[test]
    fn roles_twice_are_seen_on_lines_that_fit() {
        let opener = Opener::new(&profile(), false);
        let sound = r#"{"kind":"a","tid":7,"idx":1,"x":1,"payload":{"p":1}}"#;
        let seen_of = |line: &str| {
            let by_layout = [0; 3].map(|_| seen(&opener, sound.as_bytes(), true).2)[2];
            assert_eq!(by_layout, 1);
            seen(&opener, line.as_bytes(), true)
        };
        for twin in ["\"tid\":7", "\"\\u0074id\":7", "\"payload\":1", "\"det\":true,\"det\":true"] {
            let line = format!("{},{twin}}}", &sound[..sound.len() - 1]);
            assert!(
                matches!(&seen_of(&line).1[..], [fault] if fault.fault.reason.to_string().contains("twice")),
                "{line}"
            );
        }
        assert_eq!(seen_of(&format!("{},\"x\":2}}", &sound[..sound.len() - 1])).1, []);
    }

    #[test]
    fn moulds_reach_behind_a_payload_that_is_not_last() {
        let line = |at: usize| {
            format!("{{\"det\":true,\"idx\":{},\"kind\":\"a\",\"payload\":{{\"p\":[{at}]}},\"tid\":7}}\n", 1000 + at)
        };
        let text: String = (0..100).map(line).collect();
        let opener = Opener::new(&profile(), false);
        let window = Window { offset: 0, bytes: text.clone().into_bytes().into(), overlong: None };
        scan_window(&opener, &window, 0, ScanOptions::default());
        let known = opener.learned.as_ref().expect("layouts are on").known();
        let cast = known.likeliest(text.as_bytes(), 0).and_then(|mould| mould.cast(text.as_bytes(), 0));
        let cast = cast.map(|cast| (cast.ordinal, cast.tail_end, cast.end));
        // All roles are met before the closing brace.
        let end = line(0).len() - 2;
        assert_eq!(cast, Some((1000, Some(end - ",\"tid\":7".len()), end)));
        let mould = known.likeliest(text.as_bytes(), 0).unwrap();
        let cast = mould.cast(text.as_bytes(), 0).unwrap();
        let mut events = Events::new(&opener, text.as_bytes(), 1);
        assert!(events.cast(0, (0, end + 1), mould, cast), "a mould's line is taken by it");
        let tails = |opener: &Opener| -> Vec<Part> {
            let found = scan_window(opener, &window, 0, ScanOptions::default());
            found.spans_of(&found.groups[0]).map(|span| span.tail).collect()
        };
        assert_eq!(tails(&opener), tails(&opener.clone().without_layouts()));
    }

    #[test]
    fn roles_may_stand_anywhere_around_containers() {
        let window = |members: &[&str], det: bool| {
            let line = |at: usize| {
                let line = format!("{{{}}}{}\n", members.join(","), if at % 8 == 3 { "  " } else { "" });
                let line = line
                    .replace("WIDE", &"w".repeat(at % 5))
                    .replace("LONG", &"x".repeat(at % 3))
                    .replace("TID", &(at / 3 % 2).to_string());
                line.replace("AT", &(100 + at).to_string()).replace("DET", if det { "true" } else { "false" })
            };
            let text: String = (0..24).map(line).collect();
            Window { offset: 0, bytes: text.into_bytes().into(), overlong: None }
        };
        let spans = |scanned: &ScannedWindow| -> Vec<Span> {
            let all = (0..scanned.spans.len()).map(|index| scanned.spans.span(index));
            all.map(|span| Span { flags: span.flags & !Span::HEAD_STRICT, ..span }).collect()
        };
        let payloads = [r#""payload":{"p":"WIDE"}"#, r#""payload":AT"#, r#""other":{"p":"WIDE"}"#];
        for (payload, x) in
            payloads.into_iter().flat_map(|payload| [(payload, r#""x":[1]"#), (payload, r#""x":"LONG""#)])
        {
            let members = [payload, r#""kind":"a""#, r#""tid":TID"#, r#""idx":AT"#, r#""det":DET"#, x];
            for turn in 0..40 {
                // Of their 720 orders every eighteenth.
                let (mut members, mut order) = (members, turn * 18 + 7);
                for at in 0..5 {
                    members[at..].rotate_left(order % (6 - at));
                    order /= 6 - at;
                }
                for (det, looked_for) in [(false, false), (false, true), (true, false), (true, true)] {
                    let (opener, window) = (Opener::new(&profile(), looked_for), window(&members, det));
                    let scan = |opener: &Opener| scan_window(opener, &window, 0, ScanOptions::default());
                    let exact = scan(&opener.clone().without_layouts());
                    for _ in 0..3 {
                        let found = scan(&opener);
                        assert_eq!(spans(&found), spans(&exact), "{members:?} {det} {looked_for}");
                        assert_eq!(found.groups, exact.groups, "{members:?} {det} {looked_for}");
                        assert!(found.by_layout > 16, "{members:?} {}", found.by_layout);
                    }
                }
            }
        }
    }

    #[test]
    fn roles_deep_in_objects_are_met_by_layouts() {
        let mut profile = profile();
        profile.roles.thread = vec![Pointer::new(["at", "on", "tid"])];
        let line = |at: usize| {
            format!(
                "{{\"at\":{{\"n\":{at}, \"on\" : {{\"tid\":{},\"x\":0}}}},\"idx\":{at},\"payload\":{at}}}\n",
                at % 3
            )
        };
        let text: String = (100..300).map(line).collect();
        let window = Window { offset: 0, bytes: text.into_bytes().into(), overlong: None };
        let opener = Opener::new(&profile, false);
        let scan = |opener: &Opener| scan_window(opener, &window, 0, ScanOptions::default());
        let (exact, found) = (scan(&opener.clone().without_layouts()), scan(&opener));
        assert_eq!((exact.by_layout, exact.groups.len()), (0, 3));
        assert!(found.by_layout > 150, "{}", found.by_layout);
        assert_eq!(ScannedWindow { by_layout: 0, ..found }, exact);
    }

    #[test]
    fn ordinals_of_more_than_32_bits_are_kept_whatever_opens_them() {
        let line = |at: u64| format!("{{\"det\":true,\"idx\":{at},\"kind\":\"a\",\"tid\":7,\"payload\":{{}}}}\n");
        for from in [(1u64 << 32) - 100, 1 << 32, (5 << 32) - 1] {
            let text: String = (from..from + 300).map(line).collect();
            let window = Window { offset: 0, bytes: text.into_bytes().into(), overlong: None };
            let opener = Opener::new(&profile(), false);
            let scan = |opener: &Opener| scan_window(opener, &window, 0, ScanOptions::default());
            let spans = |found: &ScannedWindow| -> Vec<Span> {
                let blurred = |span: Span| Span { flags: span.flags & !Span::HEAD_STRICT, ..span };
                found.spans_of(&found.groups[0]).map(blurred).collect()
            };
            let exact = spans(&scan(&opener.clone().without_layouts()));
            for _ in 0..3 {
                let found = scan(&opener);
                assert!(spans(&found) == exact, "{from}");
                // All that have the same upper half stay packed.
                assert!(from != 1 << 32 || found.by_layout > 290, "{from}: {}", found.by_layout);
            }
            let ordinals: Vec<_> = exact.iter().map(Span::ordinal).collect();
            assert!(ordinals == (from..from + 300).map(Some).collect::<Vec<_>>());
        }
    }

    #[test]
    fn pairs_are_seen_without_reading_their_lines() {
        let table = |line: &str, profile: &Profile| {
            let bytes = format!("{line}\n").into_bytes();
            let window = Window { offset: 0, bytes: bytes.clone().into(), overlong: None };
            (scan_window(&Opener::new(profile, false), &window, 0, ScanOptions::default()).spans, bytes)
        };
        let line = r#"{"tid":1,"idx":4,"kind":"ab","payload":{"p":1}}"#;
        for (other, seen) in [
            (line.to_owned(), Sight::Same),
            (line.replace("\"p\":1", "\"p\":2"), Sight::SameHead),
            (line.replace("\"tid\":1", "\"tid\":123"), Sight::Same),
            (line.replace("\"idx\":4", "\"idx\":5"), Sight::Unseen),
            (line.replace("\"ab\"", "\"ac\""), Sight::Unseen),
            (line.replace("\"ab\"", "\"abc\""), Sight::Unseen),
            (line.replace(",\"payload\":{\"p\":1}", ""), Sight::Unseen),
        ] {
            let [(left, x), (right, y)] = [line, &other].map(|line| table(line, &profile()));
            assert_eq!(left.sight(&x, 0, (&right, &y, 0)), seen, "{other}");
            assert_eq!(right.sight(&y, 0, (&left, &x, 0)), seen, "{other}");
        }
        let mut unnumbered = profile();
        unnumbered.roles.ordinal = None;
        let [(numbered, x), (bare, y)] = [profile(), unnumbered].map(|profile| table(line, &profile));
        assert_eq!((numbered.ordinal(0), bare.ordinal(0)), (Some(4), None));
        assert_eq!(numbered.sight(&x, 0, (&bare, &y, 0)), Sight::Unseen);
    }

    #[test]
    fn a_line_over_the_limit_is_one_fault_of_its_window() {
        let overlong = crate::source::Overlong { len: 1 << 30, terminated: true };
        let window = Window { offset: 7, bytes: crate::source::Bytes::default(), overlong: Some(overlong) };
        let found = scan_window(&Opener::new(&profile(), false), &window, 0, ScanOptions::default());
        assert_eq!((found.lines, found.events, found.faults.len()), (1, 0, 1));
        assert_eq!(found.faults[0].fault.reason, OpenReason::TooLong(1 << 30));
    }

    #[test]
    fn blanks_are_trimmed_inside_the_bounds_only() {
        for (text, from, to, trimmed) in
            [("  a b\r", 0, 6, (2, 5)), ("    ", 1, 3, (3, 3)), ("    ", 2, 2, (2, 2)), ("ab", 0, 1, (0, 1))]
        {
            assert_eq!(trim(text.as_bytes(), from, to), trimmed, "{text:?}");
        }
    }

    #[test]
    fn long_texts_and_broken_ones_are_not_learned() {
        let long = format!("\"{}\":1", "k".repeat(5000));
        for key in [long.as_bytes(), b"\"\xFF\":1", b"\"x\":1"] {
            let line = [&b"{"[..], key, b",\"tid\":7,\"idx\":1,\"kind\":\"a\",\"payload\":{}}"].concat();
            let opener = Opener::new(&profile(), false);
            let by_layout = (0..20).map(|_| seen(&opener, &line, false).2).sum::<u32>();
            assert_eq!(by_layout > 0, key == b"\"x\":1", "{}", key.len());
        }
    }

    #[test]
    fn windows_group_lines_by_thread() {
        let text = "\u{feff}{\"tid\":1,\"idx\":0,\"kind\":\"a\",\"payload\":{}}\r\n\n  \n{\"tid\":\"1\",\"idx\":0,\"kind\":\"a\"}\n\
                    {\"tid\":1.0,\"idx\":1,\"kind\":\"end\",\"payload\":{}}\n{\"tid\":1,\"idx\":2,\"kin";
        let window = Window { offset: 0, bytes: text.as_bytes().to_vec().into(), overlong: None };
        let found = scan_window(&Opener::new(&profile(), false), &window, 0, ScanOptions::default());
        assert_eq!((found.lines, found.events), (6, 3));
        let threads: Vec<_> = found.groups.iter().map(|g| (g.thread.clone(), g.to - g.from, g.irregular)).collect();
        assert_eq!(threads, [(ThreadKey::Integer(1), 2, true), (ThreadKey::Text(b"1"[..].into()), 1, false)]);
        assert_eq!(found.spans_of(&found.groups[0]).nth(1).map(|span| span.row), Some(4));
        assert!(found.torn.is_some() && found.faults.is_empty());
    }
}
