//! Bad lines and bad beginnings, one by one: `diff` on either side, mapped and piped, and `check` tell the same place
//! and reason, exit with 2, and lose nothing of what stood before.

mod common;

use std::fs::File;

use common::cases::read_report;
use common::{Folder, event, forkpoint, header, text};

/// Events in front of the bad line.
const BEFORE: u64 = 3;

fn good(at: u64) -> String {
    event("6", at, "call", &format!("{{\"n\":{at}}}"))
}

/// A sound log of so many events.
fn sound(events: u64) -> String {
    header("x") + &(0..events).map(good).collect::<String>()
}

/// Runs a `diff` and returns exit code, report and stderr. Whatever happens, nothing may panic.
fn diff(folder: &Folder, words: &[&str], stdin: Option<&str>) -> (i32, String, String) {
    let mut command = forkpoint(["diff"]);
    command.args(words).current_dir(folder.path(""));
    if let Some(name) = stdin {
        command.stdin(File::open(folder.path(name)).unwrap());
    }
    let output = command.output().unwrap();
    let told = text(&output.stderr);
    assert!(!told.contains("panicked"), "{words:?}: {told}");
    (output.status.code().expect("no signal"), text(&output.stdout), told)
}

/// A line that ends its log on opening: three events stand before it, three behind.
fn refused(name: &str, line: impl AsRef<[u8]>, at: usize, reason: &str) {
    let folder = Folder::new();
    let before = sound(BEFORE);
    let behind: String = (BEFORE..2 * BEFORE).map(good).collect();
    let bad = [before.as_bytes(), line.as_ref(), b"\n", behind.as_bytes()].concat();
    folder.file("bad.jsonl", &bad);
    folder.file("good.jsonl", sound(2 * BEFORE));
    let place = format!("bad.jsonl:{}: byte {}: {reason}", BEFORE + 2, before.len() + at);
    for (words, stdin) in [
        (&["good.jsonl", "bad.jsonl", "--format", "json"][..], None),
        (&["bad.jsonl", "good.jsonl", "--format", "json"], None),
        (&["good.jsonl", "bad.jsonl", "--format", "json", "--window", "1", "--no-mmap"], None),
        (&["good.jsonl", "-", "--format", "json"], Some("bad.jsonl")),
    ] {
        let place = if stdin.is_some() { place.replace("bad.jsonl", "-") } else { place.clone() };
        let (code, report, told) = diff(&folder, words, stdin);
        assert_eq!(code, 2, "{name}: {words:?}: {told}");
        let located = told.lines().any(|line| line == format!("forkpoint: {place}"));
        assert!(located || stdin.is_some() && told.contains(&place[1..]), "{name}: {words:?}: {place}: {told}");
        let report = read_report(&report).unwrap();
        assert_eq!(report["verdict"], "trouble", "{name}");
        assert_eq!(report["pairings"][0]["compared"], BEFORE, "{name}: what stood before is lost");
        assert_eq!(report["pairings"][0]["divergence"]["kind"], "ended-early", "{name}");
        assert_eq!(report["faults"][0]["reason"], reason, "{name}");
        assert_eq!(told.contains("hint: to list every malformed line"), stdin.is_none(), "{name}: {told}");
        assert_eq!(told.contains("--malformed skip"), stdin.is_none(), "{name}: {told}");
    }
    let output = forkpoint(["check", "bad.jsonl"]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{name}");
    assert!(text(&output.stdout).lines().any(|line| line == place), "{name}: {place}: {}", text(&output.stdout));
    let (code, report, told) =
        diff(&folder, &["good.jsonl", "bad.jsonl", "--malformed", "skip", "--format", "json"], None);
    assert!(code == 1 || code == 3, "{name}: {code}: {told}");
    let report = read_report(&report).unwrap();
    assert_eq!(report["candidate"]["lines_skipped"], 1, "{name}");
    assert_eq!(report["candidate"]["events"], 2 * BEFORE, "{name}: events behind the line are lost");
}

#[test]
fn lines_that_are_no_events() {
    refused("garbage", "garbage", 0, "no JSON object begins here");
    refused("number", "42", 0, "no JSON object begins here");
    refused("string", "\"x\"", 0, "no JSON object begins here");
    let array = "an array, not an object: a log holds one object a line (mend it with: jq -c '.[]')";
    refused("array", "[1,2]", 0, array);
    refused("torn in the middle", "{\"kind\":\"a\",\"tid\":6,\"tid_e", 25, "the line's object does not end");
    refused("nul bytes", "{\"kind\":\"a\0\",\"tid\":6}", 10, "a control character stands in a string");
    refused("nul bytes alone", "x\0\0\0", 0, "UTF-16 text (mend it with: iconv -f UTF-16 -t UTF-8)");
    let mark = "a byte order mark in the middle of the log (mend it with: sed 's/^\\xEF\\xBB\\xBF//')";
    refused("byte order mark", format!("\u{feff}{}", good(3).trim()), 0, mark);
    refused("invalid UTF-8", b"{\"kind\":\"\xff\",\"tid\":6}", 9, "invalid UTF-8");
    refused("second header", header("y").trim(), 0, "a second run starts here");
}

#[test]
fn threads_and_ordinals_that_are_none() {
    let line = |thread: &str, ordinal: &str| format!("{{\"kind\":\"a\",{thread}{ordinal}\"payload\":{{}}}}");
    refused("no thread", line("", "\"tid_event_idx\":3,"), 0, "the thread key tid is missing");
    for value in ["null", "6.5", "true", "[6]", "{}"] {
        let line = line(&format!("\"tid\":{value},"), "\"tid_event_idx\":3,");
        refused(value, line, 18, "the thread key tid is neither integer nor string");
    }
    refused("no ordinal", line("\"tid\":6,", ""), 0, "the ordinal tid_event_idx is missing");
    for value in ["\"3\"", "1180591620717411303424", "1e400", "-1", "0.5", "null", "[]"] {
        let line = line("\"tid\":6,", &format!("\"tid_event_idx\":{value},"));
        refused(value, line, 36, "the ordinal tid_event_idx is no integer from 0 to 2^64-1");
    }
    let forty = "1234567890123456789012345678901234567890";
    let big = line("\"tid\":6,", &format!("\"tid_event_idx\":{forty},"));
    refused("forty digits", big, 36, "the ordinal tid_event_idx is no integer from 0 to 2^64-1");
    refused("repeated", good(2).trim(), 0, "the ordinal 2 does not grow: the event before has 2");
    refused("falling", good(1).trim(), 0, "the ordinal 1 does not grow: the event before has 2");
    refused("odd kind", "{\"kind\":{},\"tid\":6,\"tid_event_idx\":3}", 8, "the kind is an object or array");
}

#[test]
fn nesting_of_a_hundred_thousand_is_a_fault_and_no_crash() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let line = format!("{{\"x\":{deep},\"kind\":\"a\",\"tid\":6,\"tid_event_idx\":3}}");
    refused("in front of the roles", line, 5 + 1023, "nesting deeper than 1024");
    let folder = Folder::new();
    let log = |payload: &str| sound(3) + &event("6", 3, "a", payload) + &good(4);
    folder.file("a.jsonl", log(&deep));
    folder.file("b.jsonl", log("1"));
    folder.file("c.jsonl", log(&deep).replace("[]", "[ ]"));
    for other in ["b.jsonl", "c.jsonl"] {
        let (code, _, told) = diff(&folder, &["a.jsonl", other], None);
        assert!(code == 2 && told.contains("a.jsonl:5: byte ") && told.contains("nesting deeper than 1024"), "{told}");
    }
    // Nobody needs to look into what is the same byte for byte.
    folder.file("same.jsonl", log(&deep));
    assert_eq!(diff(&folder, &["a.jsonl", "same.jsonl"], None).0, 0);
    let (code, _, told) = diff(&folder, &["a.jsonl", "b.jsonl", "--profile", "generic", "--format", "markdown"], None);
    assert!(code == 2 && told.contains("nesting deeper than 1024"), "{told}");
    assert_eq!(forkpoint(["check"]).arg(folder.path("a.jsonl")).output().unwrap().status.code(), Some(2));
}

/// A log whose beginning is refused: no header, or another one.
fn no_log(name: &str, bytes: &[u8], line: u64, at: u64, reason: &str) {
    let folder = Folder::new();
    folder.file("bad.jsonl", bytes);
    folder.file("good.jsonl", sound(5));
    let place = format!("bad.jsonl:{line}: byte {at}: {reason}");
    for words in [["good.jsonl", "bad.jsonl"], ["bad.jsonl", "good.jsonl"], ["bad.jsonl", "bad.jsonl"]] {
        let (code, _, told) = diff(&folder, &words, None);
        assert!(code == 2 && told.contains(&place), "{name}: {words:?}: {place}: {told}");
    }
    let output = forkpoint(["check", "bad.jsonl"]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{name}");
    assert!(text(&output.stdout).contains(&place), "{name}: {}", text(&output.stdout));
}

#[test]
fn beginnings_that_are_no_header() {
    no_log("empty", b"", 1, 0, "the log is empty: it has no \"schema_version\" header");
    no_log("blank", b"\n \r\n\t\n", 1, 0, "the log is empty: it has no \"schema_version\" header");
    no_log("missing", good(0).as_bytes(), 1, 0, "the first line is no \"schema_version\" header");
    no_log("foreign", b"{\"version\":3,\"tool\":\"qemu\"}\n", 1, 0, "the first line is no \"schema_version\" header");
    no_log(
        "garbage",
        b"\nhello\n",
        2,
        1,
        "the first line is no \"schema_version\" header: no JSON value begins like this",
    );
    let wrong = header("x").replace("version\":1", "version\":2");
    no_log("wrong version", wrong.as_bytes(), 1, 42, "the header's schema_version is 2, not 1");
    let text = header("x").replace("version\":1", "version\":\"1\"");
    no_log("version in quotes", text.as_bytes(), 1, 42, "the header's schema_version is \"1\", not 1");
    let utf16 = "UTF-16 text (mend it with: iconv -f UTF-16 -t UTF-8)";
    let little: Vec<u8> = sound(2).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = sound(2).encode_utf16().flat_map(u16::to_be_bytes).collect();
    no_log("UTF-16", &[b"\xFF\xFE", &little[..]].concat(), 1, 0, utf16);
    no_log("UTF-16, big end first", &[b"\xFE\xFF", &big[..]].concat(), 1, 0, utf16);
    no_log("UTF-16 without mark", &little, 1, 0, utf16);
    no_log("NUL bytes", &[0; 4096], 1, 0, utf16);
}

#[test]
fn a_header_alone_compares_nothing() {
    let folder = Folder::new();
    folder.file("a.jsonl", header("x"));
    folder.file("b.jsonl", sound(3));
    let (code, report, _) = diff(&folder, &["a.jsonl", "a.jsonl"], None);
    assert!(code == 3 && report.contains("nothing was compared"), "{report}");
    assert_eq!(diff(&folder, &["a.jsonl", "b.jsonl"], None).0, 3);
    let output = forkpoint(["check", "a.jsonl"]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn harmless_bytes_change_nothing() {
    let folder = Folder::new();
    folder.file("a.jsonl", sound(5));
    for (name, bytes) in [
        ("BOM at the start", format!("\u{feff}{}", sound(5))),
        ("CRLF", sound(5).replace('\n', "\r\n")),
        ("blank lines", sound(5).replace('\n', "\n \t\r\n\n")),
        ("no last newline", sound(5).trim_end().to_owned()),
        ("blank end", sound(5) + "\n\n  "),
    ] {
        folder.file("b.jsonl", bytes);
        for words in [&["a.jsonl", "b.jsonl"][..], &["b.jsonl", "a.jsonl", "--strict", "--window", "1"]] {
            let (code, _, told) = diff(&folder, words, None);
            assert_eq!((code, told.as_str()), (0, ""), "{name}");
        }
        let output = forkpoint(["check", "b.jsonl"]).current_dir(folder.path("")).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stdout));
    }
}

#[test]
fn a_torn_last_line_is_a_note_and_costs_what_it_held() {
    let folder = Folder::new();
    folder.file("a.jsonl", sound(5));
    let whole = sound(5);
    let last = sound(4).len();
    for torn in [last + 1, last + 20, whole.len() - 2] {
        folder.file("b.jsonl", &whole[..torn]);
        for (words, code) in [(&["a.jsonl", "b.jsonl"][..], 1), (&["a.jsonl", "b.jsonl", "--prefix"], 0)] {
            let (found, report, told) = diff(&folder, words, None);
            assert_eq!(found, code, "{torn}: {report}");
            assert!((report.clone() + &told).contains("line 6 is torn"), "{torn}: {report}{told}");
            assert!(report.contains("log ends at line 5; no event differs before"), "{torn}: {report}");
        }
    }
    // With its newline it is a fault like any other.
    folder.file("b.jsonl", format!("{}\n", &whole[..last + 20]));
    assert_eq!(diff(&folder, &["a.jsonl", "b.jsonl"], None).0, 2);
}

#[test]
fn faults_that_only_reading_sees_end_their_pairing_alone() {
    let folder = Folder::new();
    let log = |payload: &[u8]| {
        let broken = [b"{\"kind\":\"a\",\"tid\":6,\"tid_event_idx\":3,\"payload\":", payload, b"}\n"].concat();
        let other: String = (0..4).map(|at| event("7", at, "other", "{}")).collect();
        [sound(3).as_bytes(), &broken, good(4).as_bytes(), other.as_bytes()].concat()
    };
    folder.file("a.jsonl", log(b"{\"x\":1}"));
    let at = sound(3).len() + 48;
    for (payload, byte, reason) in [
        (&b"{\"x\":01}"[..], 5, "a number is malformed"),
        (b"{\"x\":\"\xff\"}", 6, "invalid UTF-8"),
        (b"{\"x\":\"\xed\xa0\x80\"}", 6, "invalid UTF-8"),
        (b"{\"x\":\"a\0\"}", 7, "a control character stands in a string"),
        (b"{\"x\":tru}", 5, "no JSON value begins like this"),
        (b"{}}{\"kind\":\"a\",\"tid\":6,\"tid_event_idx\":3,\"payload\":{}", 3, "something follows the value"),
        (b"{},\"tid\":7", 3, "the key \"tid\" is given twice"),
    ] {
        folder.file("b.jsonl", log(payload));
        let (code, report, told) = diff(&folder, &["a.jsonl", "b.jsonl", "--format", "json"], None);
        let place = format!("forkpoint: b.jsonl:5: byte {}: {reason}\n", at + byte);
        assert!(code == 2 && told.matches(&place).count() == 1, "{place}: {told}");
        let report = read_report(&report).unwrap();
        let status = |at: usize| {
            (report["pairings"][at]["status"].as_str().unwrap().to_owned(), report["pairings"][at]["compared"].as_u64())
        };
        assert_eq!(status(0), ("faulty".into(), Some(3)), "{reason}");
        assert_eq!(status(1), ("identical".into(), Some(4)), "{reason}");
    }
}

#[test]
fn odd_but_sound_payloads_and_kinds_are_compared() {
    let folder = Folder::new();
    let line = |kind: &str, payload: &str| format!("{{{kind}\"tid\":6,\"tid_event_idx\":3{payload}}}\n");
    let forty = "1234567890123456789012345678901234567890";
    let number = format!(",\"payload\":{{\"x\":{forty}}}");
    let lines = [
        line("", ""),
        line("\"kind\":null,", ",\"payload\":null"),
        line("\"kind\":3,", ",\"payload\":[1]"),
        line("\"kind\":true,", ",\"payload\":\"\\ud800\""),
        line("\"kind\":\"a\",", &number),
        line("\"kind\":\"a\",", &number.replace("890}", "891}")),
        line("\"kind\":\"a\",", ",\"payload\":\"\\udfff\""),
    ];
    for (left, a) in lines.iter().enumerate() {
        for (right, b) in lines.iter().enumerate() {
            folder.file("a.jsonl", sound(3) + a + &good(4));
            folder.file("b.jsonl", sound(3) + b + &good(4));
            let (code, report, told) = diff(&folder, &["a.jsonl", "b.jsonl"], None);
            let equal = left == right || left < 2 && right < 2;
            assert_eq!((code, told.contains("malformed")), (i32::from(!equal), false), "{a}{b}{report}{told}");
        }
    }
}
