//! `corpus/json`, `corpus/scan` and `corpus/profile`: single texts, lines and profiles, each through its room.

mod common;

use std::path::Path;

use common::cases::{corpus, entries};
use common::{Folder, forkpoint, text, without_origins};
use forkpoint::json::{Tape, Validator, check_by_cursor, tape};
use forkpoint::profile::{self, Overrides, Reading};
use forkpoint::scan::Opener;

/// The lines of all files of a folder, each with where it stands.
fn lines(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for path in entries(&corpus().join(folder)) {
        let bytes = std::fs::read(&path).unwrap();
        let body = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let name = path.strip_prefix(corpus()).unwrap().display().to_string();
        all.extend(body.split(|byte| *byte == b'\n').enumerate().map(|(at, line)| {
            let place = format!("{name}:{}: {}", at + 1, text(&line[..line.len().min(100)]));
            (place, line.to_vec())
        }));
    }
    assert!(all.len() >= 20, "{folder} has only {} lines", all.len());
    all
}

#[test]
fn json_texts_are_valid_or_not() {
    let pad = "p".repeat(2000);
    for (folder, valid) in [("json/valid", true), ("json/invalid", false)] {
        for (place, line) in lines(folder) {
            assert_eq!(check_by_cursor(&line, 0).is_ok(), valid, "{place}");
            assert_eq!(Tape::default().parse(&line, 0).is_ok(), valid, "{place}");
            assert_eq!(Validator::default().check(&line).is_ok(), valid, "{place}");
            if line.starts_with(b"[[[[[[") {
                continue;
            }
            // Long texts go another way; what the text itself holds must not matter.
            let long = [format!("[\"{pad}\",").as_bytes(), &line, b"]"].concat();
            let inside = check_by_cursor(&long, 0).is_ok();
            assert_eq!(Validator::default().check(&long).is_ok(), inside, "{place}, in a long text");
            assert!(inside || !valid, "{place}, in a long text");
        }
    }
}

#[test]
fn json_texts_are_equal_or_not_in_both_directions() {
    for (folder, equal) in [("json/equal", true), ("json/different", false)] {
        for (place, line) in lines(folder) {
            let sides: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
            let [left, right] = sides[..] else { panic!("{place}: two texts with a tab between them are wanted") };
            for (left, right) in [(left, right), (right, left)] {
                let parse = |text| {
                    let mut tape = Tape::default();
                    tape.parse(text, 0).unwrap_or_else(|fault| panic!("{place}: {fault}"));
                    tape
                };
                let tapes = [parse(left), parse(right)];
                let found = tape::equal((&tapes[0], left, Tape::ROOT), (&tapes[1], right, Tape::ROOT));
                assert_eq!(found, equal, "{place}");
                let digests = [tape::digest(&tapes[0], left, Tape::ROOT), tape::digest(&tapes[1], right, Tape::ROOT)];
                assert_eq!(digests[0] == digests[1], equal, "{place}: digests");
            }
        }
    }
}

#[test]
fn json_texts_differ_or_not_in_a_whole_comparison() {
    for (folder, equal) in [("json/equal", true), ("json/different", false)] {
        let mut logs = [String::new(), String::new()];
        let places = lines(folder);
        for (at, (_, line)) in places.iter().enumerate() {
            let line = text(line);
            let (left, right) = line.split_once('\t').unwrap();
            for (log, value) in logs.iter_mut().zip([left, right]) {
                log.push_str(&format!("{{\"t\":{at},\"x\":{value}}}\n"));
            }
        }
        let temporary = Folder::new();
        let paths = [temporary.file("a.jsonl", &logs[0]), temporary.file("b.jsonl", &logs[1])];
        let words = ["diff", "--profile", "generic", "--thread", "t", "--map", "same", "--format", "json"];
        let output = forkpoint(words).args(&paths).output().unwrap();
        let report = common::cases::read_report(&text(&output.stdout)).unwrap();
        let pairings = report["pairings"].as_array().unwrap();
        assert_eq!(pairings.len(), places.len());
        for (pairing, (place, _)) in pairings.iter().zip(&places) {
            assert_eq!(pairing["status"], if equal { "identical" } else { "diverged" }, "{place}");
        }
    }
}

/// What `corpus/scan/*/NAME.toml` tells of `NAME.jsonl`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    story: String,
    flags: Vec<String>,
    /// Lines that open but cannot be read strictly, from 1.
    #[serde(default)]
    unread: Vec<usize>,
    #[serde(default)]
    refused: Vec<Refused>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    at: usize,
    reason: String,
}

fn opener(flags: &[String]) -> Opener {
    let mut overrides = Overrides::default();
    let mut name = "schema-v1";
    for pair in flags.chunks(2) {
        let [flag, value] = pair else { panic!("{flags:?}") };
        match flag.as_str() {
            "--profile" => name = value,
            "--thread" => overrides.thread = vec![value.clone()],
            "--ordinal" => overrides.ordinal = Some(value.clone()),
            "--kind" => overrides.kind = Some(value.clone()),
            _ => panic!("{flag} is not known to this test"),
        }
    }
    Opener::new(&overrides.apply(profile::builtin(name).unwrap()).unwrap(), false)
}

#[test]
fn lines_are_opened_or_refused_with_their_reason() {
    for folder in ["opened", "refused"] {
        let files = entries(&corpus().join("scan").join(folder));
        for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
            scan(path, folder == "opened");
        }
    }
}

fn scan(path: &Path, opened: bool) {
    let about: Lines = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let bytes = std::fs::read(path.with_extension("jsonl")).unwrap();
    let lines: Vec<&[u8]> = bytes.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect();
    assert_eq!(about.refused.len(), if opened { 0 } else { lines.len() }, "{}", path.display());
    let (opener, mut reading) = (opener(&about.flags), Reading::default());
    for (at, line) in lines.iter().enumerate() {
        let place = format!("{}:{}: {}: {}", path.display(), at + 1, about.story, text(&line[..line.len().min(120)]));
        let found = opener.open_line(line).map(|_| ()).map_err(|fault| (fault.at, fault.reason.to_string()));
        let wanted = about.refused.get(at).map_or(Ok(()), |refused| Err((refused.at, refused.reason.clone())));
        assert_eq!(found, wanted, "{place}");
        let read = opener.read_line(line, &mut reading).is_ok();
        assert_eq!(read, opened && !about.unread.contains(&(at + 1)), "read strictly: {place}");
    }
}

#[test]
fn profiles_are_sound_and_shown_so_that_they_say_the_same() {
    let folder = Folder::new();
    for path in entries(&corpus().join("profile/valid")) {
        let source = std::fs::read_to_string(&path).unwrap();
        let output = forkpoint(["profile", "check"]).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}: {}", path.display(), text(&output.stderr));
        let notes = source.lines().filter_map(|line| line.strip_prefix("# note: "));
        let mut wanted: Vec<String> = notes.map(|note| format!("note: {note}")).collect();
        let mut told: Vec<String> = text(&output.stderr).lines().map(str::to_owned).collect();
        told.sort();
        wanted.sort();
        assert_eq!(told, wanted, "{}", path.display());
        let show = |path: &Path| forkpoint(["profile", "show"]).arg(path).output().unwrap().stdout;
        let shown = folder.file(&path.file_name().unwrap().to_string_lossy(), show(&path));
        let written = std::fs::read(&shown).unwrap();
        assert_eq!(without_origins(&show(&shown)), without_origins(&written), "{}", path.display());
    }
}

#[test]
fn profiles_are_refused_at_their_place() {
    for path in entries(&corpus().join("profile/invalid")) {
        let source = std::fs::read_to_string(&path).unwrap();
        let wanted = source.lines().next().and_then(|line| line.strip_prefix("# expects ")).expect("# expects …");
        for words in [&["profile", "check"][..], &["profile", "show"]] {
            let output = forkpoint(words).arg(&path).output().unwrap();
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{}: {told}", path.display());
            assert!(output.stdout.is_empty(), "{}", path.display());
            let place = format!("{}:{wanted}", path.display());
            assert!(told.contains(&place), "{words:?}: expected {place}: {told}");
            assert!(told.lines().any(|line| line.contains('|') && line.contains('^')), "no caret: {told}");
        }
    }
}
