//! The commands on archives: one report however a log is packed and wherever it comes from, and a plain word where an
//! archive is cut short or damaged.

mod common;
#[path = "common/packed.rs"]
mod packed;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use common::cases::read_report;
use common::{Folder, event, forkpoint, header, text};

/// A schema-v1 log of two threads; thread 7 parts from the plain one where `changed` says so.
fn log(events: u64, changed: Option<u64>) -> String {
    let payload =
        |at: u64| format!("{{\"n\":{},\"pad\":\"{}\"}}", at + 1000 * u64::from(changed == Some(at)), at * 7919);
    let line = |at: u64| event(&(6 + at % 2).to_string(), at / 2, "call", &payload(at));
    header("test") + &(0..events).map(line).collect::<String>()
}

const EVENTS: u64 = 4000;
const PARTS_AT: u64 = 3201;

/// Exit code, stdout, stderr of a run in a folder.
fn run(folder: &Path, words: &[&str], stdin: Option<&Path>) -> (i32, String, String) {
    let mut command = forkpoint(words);
    command.current_dir(folder).stdin(Stdio::null());
    if let Some(path) = stdin {
        command.stdin(File::open(path).unwrap());
    }
    let output = command.output().unwrap();
    let told = text(&output.stderr);
    assert!(!told.contains("panicked"), "{words:?}: {told}");
    (output.status.code().expect("no signal"), text(&output.stdout), told)
}

/// A folder with `a.jsonl` and `b.jsonl`; the name never tells what they are.
fn pair(folder: &Folder, name: &str, reference: &[u8], candidate: &[u8]) -> PathBuf {
    let place = folder.path(name);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("a.jsonl"), reference).unwrap();
    fs::write(place.join("b.jsonl"), candidate).unwrap();
    place
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn one_report_however_the_logs_are_packed() {
    let folder = Folder::new();
    let [reference, candidate] = [log(EVENTS, None), log(EVENTS, Some(PARTS_AT))];
    let plain = pair(&folder, "plain", reference.as_bytes(), candidate.as_bytes());
    for format in ["json", "terminal", "markdown"] {
        // Where a value came from is looked for in plain files only.
        let words = ["diff", "a.jsonl", "b.jsonl", "--format", format, "--origin-limit", "0"];
        let wanted = run(&plain, &words, None);
        assert_eq!(wanted.0, 1, "{}", wanted.2);
        for (at, (what, packed)) in packed::all(candidate.as_bytes()).into_iter().enumerate() {
            let other = packed::all(reference.as_bytes()).swap_remove((at * 3 + 1) % 8).1;
            let mixed = pair(&folder, &format!("mixed {at}"), reference.as_bytes(), &packed);
            assert_eq!(run(&mixed, &words, None), wanted, "plain and {what}");
            let both = pair(&folder, &format!("both {at}"), &other, &packed);
            assert_eq!(run(&both, &words, None), wanted, "both packed, {what}");
            assert_eq!(run(&both, &[&words[..], &["-j1", "--window", "500"]].concat(), None), wanted, "{what}");
        }
    }
}

#[test]
fn one_report_through_stdin_and_fifos() {
    let folder = Folder::new();
    let [reference, candidate] = [log(EVENTS, None), log(EVENTS, Some(PARTS_AT))];
    let plain = pair(&folder, "plain", reference.as_bytes(), candidate.as_bytes());
    let files = ["diff", "a.jsonl", "b.jsonl", "--format", "json", "--origin-limit", "0"];
    let (_, wanted, _) = run(&plain, &files, None);
    let mut sources = packed::all(candidate.as_bytes());
    sources.push(("plain", candidate.clone().into_bytes()));
    for (at, (what, packed)) in sources.into_iter().enumerate() {
        let piped = folder.file("piped", &packed);
        let words =
            ["diff", "a.jsonl", "-", "--format", "json", "--label", "reference,candidate", "--origin-limit", "0"];
        let unlabelled = run(&plain, &[&words[..2], &["b.jsonl"], &words[3..]].concat(), None).1;
        let report = run(&plain, &words, Some(&piped)).1;
        assert_eq!(report, unlabelled.replace("b.jsonl", "-"), "{what} on standard input");
        // The candidate, and the reference too, through FIFOs of the same names.
        let both = folder.path(&format!("fifos {at}"));
        fs::create_dir(&both).unwrap();
        let writers = [("a.jsonl", reference.clone().into_bytes()), ("b.jsonl", packed)].map(|(name, bytes)| {
            let path = both.join(name);
            fifo(&path);
            thread::spawn(move || fs::OpenOptions::new().write(true).open(path).unwrap().write_all(&bytes).unwrap())
        });
        assert_eq!(run(&both, &files, None).1, wanted, "{what} in FIFOs");
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    }
}

/// The lines of a text that are whole.
fn whole_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[test]
fn a_truncated_archive_is_compared_as_far_as_it_goes_and_is_trouble() {
    let folder = Folder::new();
    let plain = log(EVENTS, None);
    for (format, archive) in [("gzip", packed::gzip(plain.as_bytes())), ("zstd", packed::zstd(plain.as_bytes()))] {
        let cut = archive.len() * 9 / 10;
        let place = pair(&folder, format, plain.as_bytes(), &archive[..cut]);
        for (words, side, stdin) in [
            (&["diff", "a.jsonl", "b.jsonl", "--format", "json"][..], "candidate", false),
            (&["diff", "b.jsonl", "a.jsonl", "--format", "json", "--window", "300"], "reference", false),
            (&["diff", "a.jsonl", "-", "--format", "json"], "candidate", true),
        ] {
            let (code, report, told) = run(&place, words, stdin.then(|| place.join("b.jsonl")).as_deref());
            assert_eq!(code, 2, "{words:?}: {told}");
            let name = if stdin { "standard input" } else { "b.jsonl" };
            let sentence =
                format!("{name}: the {format} archive is truncated: it ends at byte {cut} of the archive (byte ");
            assert!(told.contains(&format!("forkpoint: {sentence}")), "{told}");
            let report = read_report(&report).unwrap();
            assert_eq!(report["verdict"], "trouble");
            assert!(report["trouble"][0].as_str().unwrap().starts_with(&sentence), "{}", report["trouble"]);
            assert_eq!(report[side]["cut"], true);
            assert_eq!(report[if side == "candidate" { "reference" } else { "candidate" }]["cut"], false);
            let bytes = report[side]["bytes"].as_u64().unwrap() as usize;
            assert!(bytes > plain.len() / 4 && bytes < plain.len(), "{format}: {bytes}");
            // The header is no event; a torn line belongs to no lane.
            assert_eq!(report[side]["events"], whole_lines(&plain.as_bytes()[..bytes]) - 1, "{format}");
            assert_eq!(report["faults_total"], 0, "a torn line is no fault");
            let kinds: Vec<_> = report["pairings"].as_array().unwrap().iter().collect();
            assert_eq!(kinds.len(), 2);
            for pairing in kinds {
                assert_eq!(pairing["divergence"]["kind"], "ended-early", "{pairing}");
            }
        }
        let (_, report, _) = run(&place, &["diff", "a.jsonl", "b.jsonl"], None);
        assert!(report.starts_with("trouble: "), "{report}");
        assert!(report.contains("archive is truncated") && report.contains("no event differs before"), "{report}");
    }
}

#[test]
fn a_difference_before_the_damage_is_told() {
    let folder = Folder::new();
    let [reference, candidate] = [log(EVENTS, None), log(EVENTS, Some(101))];
    let mut archive = packed::gzip(candidate.as_bytes());
    let at = archive.len() - 8;
    archive[at] ^= 1;
    let place = pair(&folder, "x", reference.as_bytes(), &archive);
    let (code, report, told) = run(&place, &["diff", "a.jsonl", "b.jsonl", "--format", "json"], None);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("b.jsonl: the gzip archive is damaged behind byte"), "{told}");
    let report = read_report(&report).unwrap();
    assert_eq!((&report["verdict"], &report["first"]), (&"trouble".into(), &1.into()));
    assert_eq!(report["pairings"][1]["divergence"]["position"], 50);
    let (code, nothing, told) = run(&place, &["diff", "a.jsonl", "b.jsonl", "--validate-identical"], None);
    assert_eq!((code, nothing.as_str()), (2, ""));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("is damaged"), "{told}");
}

#[test]
fn a_malformed_line_that_damage_made_is_explained_by_it() {
    let folder = Folder::new();
    let plain = log(EVENTS, None);
    let archive = packed::gzip(plain.as_bytes());
    let (mut malformed, mut flips) = (0, 0);
    for at in (archive.len() / 4..archive.len()).step_by(archive.len() / 30) {
        let mut flipped = archive.clone();
        flipped[at] ^= 4;
        let place = pair(&folder, "x", plain.as_bytes(), &flipped);
        let (code, report, told) = run(&place, &["diff", "a.jsonl", "b.jsonl", "--format", "json"], None);
        if code == 0 {
            continue;
        }
        flips += 1;
        assert_eq!(code, 2, "{at}: {told}");
        assert!(told.contains("b.jsonl: the gzip archive is damaged behind byte"), "{at}: {told}");
        let report = read_report(&report).unwrap();
        assert_eq!(report["candidate"]["cut"], true);
        malformed += u64::from(report["faults_total"].as_u64().unwrap() > 0);
    }
    assert!(flips > 10 && malformed > 0, "{flips}, {malformed}");
}

#[test]
fn an_archive_without_a_first_line_says_why() {
    let folder = Folder::new();
    let plain = log(10, None);
    let long = packed::zstd_long(plain.as_bytes(), 28);
    for (archive, reason) in [
        (packed::gzip(plain.as_bytes())[..15].to_vec(), "is truncated: it ends at byte 15 of the archive"),
        (long.clone(), "needs a window of more than 2^27 bytes behind byte 0 of the archive"),
    ] {
        let place = pair(&folder, "x", plain.as_bytes(), &archive);
        for words in [&["diff", "a.jsonl", "b.jsonl"][..], &["check", "b.jsonl"], &["show", "b.jsonl", "--line", "2"]] {
            let (code, _, told) = run(&place, words, None);
            assert_eq!(code, 2, "{words:?}: {told}");
            assert!(told.contains(reason) && !told.contains("is empty"), "{words:?}: {told}");
        }
    }
    let place = pair(&folder, "x", plain.as_bytes(), &long);
    let (_, _, told) = run(&place, &["diff", "a.jsonl", "b.jsonl"], None);
    assert!(told.contains("allow it with --zstd-window-log-max 31"), "{told}");
    for words in [
        &["diff", "a.jsonl", "b.jsonl", "--zstd-window-log-max", "31"][..],
        &["check", "b.jsonl", "--zstd-window-log-max", "28"],
        &["show", "b.jsonl", "--line", "2", "--zstd-window-log-max", "31"],
    ] {
        let (code, _, told) = run(&place, words, None);
        assert_eq!(code, 0, "{words:?}: {told}");
    }
    let (code, _, told) = run(&place, &["diff", "a.jsonl", "b.jsonl", "--zstd-window-log-max", "32"], None);
    assert!(code == 2 && told.contains("10..=31"), "{told}");
}

#[test]
fn bytes_behind_an_archive_are_a_note() {
    let folder = Folder::new();
    let plain = log(100, None);
    for (behind, what) in [(&[0; 512][..], "512 zero bytes"), (b"garbage", "7 bytes that are none of it")] {
        let archive = [&packed::gzip(plain.as_bytes()), behind].concat();
        let place = pair(&folder, "x", plain.as_bytes(), &archive);
        let (code, report, told) = run(&place, &["diff", "a.jsonl", "b.jsonl"], None);
        assert_eq!(code, 0, "{told}");
        let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(report.contains(&format!("{what} behind the gzip archive are left out")), "{report}");
        let (code, _, told) = run(&place, &["check", "b.jsonl"], None);
        assert!(code == 0 && told.contains(what), "{told}");
    }
}

#[test]
fn check_reads_archives() {
    let folder = Folder::new();
    let plain = log(100, None);
    let bad = plain.clone() + "not json\n";
    for ((what, good), (_, bad)) in packed::all(plain.as_bytes()).into_iter().zip(packed::all(bad.as_bytes())) {
        let place = pair(&folder, "x", &good, &bad);
        let (code, page, told) = run(&place, &["check", "a.jsonl", "b.jsonl"], None);
        assert_eq!(code, 2, "{what}: {told}");
        assert!(page.contains("a.jsonl: valid: 101 lines, 100 events, 2 threads"), "{what}: {page}");
        assert!(page.contains(&format!("b.jsonl:102: byte {}: ", plain.len())), "{what}: {page}");
    }
    let archive = packed::gzip(plain.as_bytes());
    let place = pair(&folder, "x", &archive[..archive.len() - 20], plain.as_bytes());
    let (code, page, told) = run(&place, &["check", "a.jsonl", "b.jsonl"], None);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("a.jsonl: the gzip archive is truncated"), "{told}");
    assert!(!page.contains("a.jsonl: valid:"), "{page}");
    assert!(page.contains("b.jsonl: valid: 101 lines"), "the other log is not checked: {page}");
}

#[test]
fn show_reads_archives() {
    let folder = Folder::new();
    let plain = log(1000, None);
    let lines: Vec<&str> = plain.lines().collect();
    let offset: usize = lines[..500].iter().map(|line| line.len() + 1).sum();
    let wanted: String = (496..=504).step_by(2).map(|line| format!("{}\n", lines[line])).collect();
    for (what, archive) in packed::all(plain.as_bytes()) {
        let place = pair(&folder, "x", &archive, b"");
        for spot in [format!("--offset {offset}"), "--line 501".to_owned(), "--thread 7 --at 249".to_owned()] {
            let mut words = vec!["show", "a.jsonl", "--raw", "-C", "2"];
            words.extend(spot.split(' '));
            let (code, shown, told) = run(&place, &words, None);
            assert_eq!((code, &shown), (0, &wanted), "{what}: {spot}: {told}");
        }
        let (code, _, told) = run(&place, &["show", "a.jsonl", "--line", "99999"], None);
        assert!(code == 2 && told.contains("no event stands in line 99999"), "{told}");
    }
    let archive = packed::gzip(plain.as_bytes());
    let place = pair(&folder, "x", &archive[..archive.len() / 2], b"");
    let (code, shown, told) = run(&place, &["show", "a.jsonl", "--raw", "-C", "0", "--line", "5"], None);
    assert_eq!((code, shown.trim_end()), (0, lines[4]), "{told}");
    let (code, _, told) = run(&place, &["show", "a.jsonl", "--line", "999"], None);
    assert!(code == 2 && told.contains("is truncated") && told.contains("no event stands in line 999"), "{told}");
}

#[test]
fn commands_printed_for_archives_run() {
    let folder = Folder::new();
    let [reference, candidate] = [log(EVENTS, None), log(EVENTS, Some(PARTS_AT))];
    let place = pair(&folder, "x", &packed::zstd(reference.as_bytes()), &packed::gzip(candidate.as_bytes()));
    let (_, report, _) = run(&place, &["diff", "a.jsonl", "b.jsonl"], None);
    let command = report.lines().find_map(|line| line.trim().strip_prefix("forkpoint show ")).expect("show it again");
    let words: Vec<&str> = ["show"].into_iter().chain(command.split(' ')).collect();
    let (code, page, told) = run(&place, &words, None);
    assert_eq!(code, 0, "{command}: {told}");
    let parted = candidate.lines().nth(PARTS_AT as usize + 1).unwrap();
    assert!(page.contains(parted), "{page}");
    // A log of other rules: the hint is made from what was unpacked.
    let headless = (0..20).map(|at| format!("{{\"tid\":1,\"seq\":{at},\"op\":\"x\"}}\n")).collect::<String>();
    let place = pair(&folder, "y", &packed::gzip(headless.as_bytes()), &packed::zstd(headless.as_bytes()));
    let (code, _, told) = run(&place, &["diff", "a.jsonl", "b.jsonl"], None);
    assert_eq!(code, 2);
    let hint = told.lines().find_map(|line| line.split("forkpoint diff ").nth(1)).expect("a hint");
    let words: Vec<&str> = ["diff"].into_iter().chain(hint.split(' ')).collect();
    assert_eq!(run(&place, &words, None).0, 0, "{hint}");
}

#[test]
fn a_spool_over_its_limit_is_trouble_and_says_what_to_do() {
    let folder = Folder::new();
    // More than pipe and queue hold, packed too, before the other log has a line.
    let mut random = 1_u64;
    let mut pad = || -> String {
        let mut digits = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:08x}", random >> 32)
        };
        (0..500).map(|_| digits()).collect()
    };
    let mut large = header("x");
    for at in 0..6000 {
        large += &event("6", at, "call", &format!("{{\"n\":{at},\"pad\":\"{}\"}}", pad()));
    }
    for (name, packed) in [("plain", large.clone().into_bytes()), ("packed", packed::gzip(large.as_bytes()))] {
        assert!(packed.len() > 8 << 20);
        let place = folder.path(name);
        fs::create_dir(&place).unwrap();
        let fifos = ["a.jsonl", "b.jsonl"].map(|name| place.join(name));
        fifos.iter().for_each(|path| fifo(path));
        // One program writes both logs in turn, so all of the first must be kept before the second begins.
        let write = || {
            let (fifos, packed) = (fifos.clone(), packed.clone());
            thread::spawn(move || {
                let [mut first, mut second] = fifos.map(|path| fs::OpenOptions::new().write(true).open(path).unwrap());
                // A run that gave up no longer reads.
                let _ = first.write_all(&packed);
                drop(first);
                let _ = second.write_all(&packed);
            })
        };
        let writer = write();
        let words = ["diff", "a.jsonl", "b.jsonl", "--format", "json", "--spool-limit"];
        let (code, report, told) = run(&place, &[&words[..], &["2MiB"]].concat(), None);
        writer.join().unwrap();
        assert_eq!(code, 2, "{name}: {told}");
        let sentence = "failed to spool a.jsonl: more than the limit of 2097152 bytes would have to be kept in ";
        assert!(told.contains(sentence) && told.contains("raise it with --spool-limit SIZE"), "{name}: {told}");
        let report = read_report(&report).unwrap();
        assert!(report["verdict"] == "trouble" && report["trouble"][0].as_str().unwrap().starts_with(sentence));
        let writer = write();
        let (code, _, told) = run(&place, &[&words[..], &["100M"]].concat(), None);
        writer.join().unwrap();
        assert_eq!(code, 0, "{name}: {told}");
    }
}
