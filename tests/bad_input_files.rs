//! Bad files, not bad lines: what cannot be opened, what is too long to hold, what cannot be written.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Folder, event, forkpoint, header, text};

/// Exit code, stdout, stderr of a run in a folder.
fn run(folder: &Folder, words: &[&str]) -> (i32, String, String) {
    let output = forkpoint(words).current_dir(folder.path("")).output().unwrap();
    let told = text(&output.stderr);
    assert!(!told.contains("panicked"), "{words:?}: {told}");
    (output.status.code().expect("no signal"), text(&output.stdout), told)
}

fn pair() -> Folder {
    let folder = Folder::new();
    folder.small_log("a.jsonl", 10);
    folder.file("b.jsonl", fs::read_to_string(folder.path("a.jsonl")).unwrap().replace("\"n\":7", "\"n\":77"));
    folder
}

#[test]
fn a_directory_or_a_missing_file_is_told_by_name() {
    let folder = pair();
    fs::create_dir(folder.path("d")).unwrap();
    for words in
        [&["diff", "a.jsonl", "d"][..], &["diff", "d", "a.jsonl"], &["check", "d"], &["show", "d", "--line", "1"]]
    {
        let (code, stdout, told) = run(&folder, words);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words:?}");
        assert!(told.contains('d') && told.contains("is a directory"), "{words:?}: {told}");
    }
    for words in [&["diff", "a.jsonl", "none"][..], &["diff", "none", "a.jsonl"], &["check", "none"]] {
        let (code, stdout, told) = run(&folder, words);
        assert_eq!((code, stdout.as_str()), (2, ""), "{words:?}");
        assert!(told.contains("failed to open none: no such file or directory"), "{words:?}: {told}");
    }
}

#[test]
fn a_file_without_permission_is_told() {
    let folder = pair();
    fs::set_permissions(folder.path("b.jsonl"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(folder.path("b.jsonl")).is_ok() {
        println!("skipped: this user (root?) may read files without permission");
        return;
    }
    let (code, stdout, told) = run(&folder, &["diff", "a.jsonl", "b.jsonl"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(told.contains("failed to open b.jsonl: permission denied"), "{told}");
}

#[test]
fn the_same_file_twice_is_a_note() {
    let folder = pair();
    symlink("a.jsonl", folder.path("link.jsonl")).unwrap();
    fs::hard_link(folder.path("a.jsonl"), folder.path("hard.jsonl")).unwrap();
    for other in ["a.jsonl", "./a.jsonl", "link.jsonl", "hard.jsonl"] {
        let (code, report, told) = run(&folder, &["diff", "a.jsonl", other]);
        assert_eq!(code, 0, "{other}: {told}");
        assert!(report.contains("no event differs") && told.contains("are one file"), "{other}: {told}");
    }
    assert!(!run(&folder, &["diff", "a.jsonl", "b.jsonl"]).2.contains("one file"));
}

/// The most memory a process has had so far, in MiB.
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

fn small(at: u64) -> String {
    event("6", at, "call", &format!("{{\"n\":{at}}}"))
}

/// A log with a line of 100 MiB behind its third event, and many events of some KiB behind that.
fn with_a_long_line(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    file.write_all((header("x") + &(0..3).map(small).collect::<String>()).as_bytes()).unwrap();
    file.write_all(b"{\"kind\":\"call\",\"x\":\"").unwrap();
    let mebibyte = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&mebibyte).unwrap();
    }
    file.write_all(b"\"}\n").unwrap();
    let large = |at: u64| event("6", at, "call", &format!("{{\"n\":{at},\"pad\":\"{}\"}}", "p".repeat(4000)));
    file.write_all((4..60).map(large).collect::<String>().as_bytes()).unwrap();
    // Faults, for a list that no pipe holds.
    file.write_all("{\"some\":\"line without a thread\"}\n".repeat(3000).as_bytes()).unwrap();
}

#[test]
fn a_line_of_a_hundred_mebibytes_is_stepped_over_without_being_held() {
    let folder = Folder::new();
    let log = folder.path("long.jsonl");
    with_a_long_line(&log);
    let place = format!(
        "long.jsonl:5: byte {}: a line of {} bytes is over the limit (--max-line)",
        header("x").len() + (0..3).map(|at| small(at).len()).sum::<usize>(),
        // With what stands around the x, line feed included.
        (100 << 20) + 23
    );
    for words in [
        &["check", "--limit", "all"][..],
        &["check", "--limit", "all", "--no-mmap"],
        &["check", "--limit", "all", "-j1"],
    ] {
        let mut child =
            forkpoint(words).arg("long.jsonl").current_dir(folder.path("")).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        // The list is longer than the pipe: the process waits, all but done.
        let peak = peak(child.id());
        let (mut lines, mut bytes) = (1, Vec::new());
        stdout.read_to_end(&mut bytes).unwrap();
        lines += bytes.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(child.wait().unwrap().code(), Some(2));
        assert_eq!((first.trim_end(), lines), (place.as_str(), 3002), "{words:?}");
        // What may be held, 64 MiB, and the program itself.
        assert!(peak < 100, "{words:?}: {peak} MiB");
    }
    for extra in [&[][..], &["--malformed", "skip"]] {
        let (code, report, told) = run(&folder, &[&["diff", "long.jsonl", "long.jsonl"], extra].concat());
        assert_eq!(code, if extra.is_empty() { 2 } else { 3 }, "{told}");
        // Where lines are stepped over the report lists them, wrapped.
        assert!((told + &report).contains(place.trim_end_matches(" (--max-line)")), "{report}");
        assert!(report.contains(if extra.is_empty() { " 3 " } else { " 59 " }), "{report}");
    }
}

#[test]
fn the_limit_of_a_line_can_be_moved() {
    let folder = pair();
    let (code, _, told) = run(&folder, &["diff", "a.jsonl", "a.jsonl", "--max-line", "70"]);
    assert!(code == 0, "{told}");
    let (code, _, told) = run(&folder, &["diff", "a.jsonl", "a.jsonl", "--max-line", "50", "--profile", "generic"]);
    assert!(code == 2 && told.contains("is over the limit (--max-line)"), "{told}");
}

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_stays() {
    let folder = pair();
    symlink("a.jsonl", folder.path("link.md")).unwrap();
    fs::hard_link(folder.path("b.jsonl"), folder.path("hard.json")).unwrap();
    let before = fs::read(folder.path("a.jsonl")).unwrap();
    for output in ["markdown:a.jsonl", "link.md", "json:./b.jsonl", "hard.json"] {
        let (code, stdout, told) = run(&folder, &["diff", "a.jsonl", "b.jsonl", "-o", output]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{output}");
        assert!(told.contains("is also an input"), "{output}: {told}");
    }
    let (code, _, told) = run(&folder, &["diff", "a.jsonl", "b.jsonl", "-o", "x.md", "-o", "json:./x.md"]);
    assert!(code == 2 && told.contains("are one file") && !folder.path("x.md").exists(), "{told}");
    let script = format!("{} diff a.jsonl b.jsonl >> a.jsonl", env!("CARGO_BIN_EXE_forkpoint"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(fs::read(folder.path("a.jsonl")).unwrap(), before);
}

#[test]
fn devices_and_symlinks_are_written_where_they_point() {
    let folder = pair();
    symlink("target.md", folder.path("link.md")).unwrap();
    fs::write(folder.path("target.md"), "old").unwrap();
    let (code, page, _) = run(&folder, &["diff", "a.jsonl", "b.jsonl", "--format", "markdown", "-o", "link.md"]);
    assert_eq!(code, 1);
    assert!(fs::symlink_metadata(folder.path("link.md")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(folder.path("target.md")).unwrap(), page);
    assert_eq!(run(&folder, &["diff", "a.jsonl", "b.jsonl", "-o", "json:/dev/null"]).0, 1);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let (code, report, told) = run(&folder, &["diff", "a.jsonl", "b.jsonl", "-o", "markdown:/dev/full"]);
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("failed to write /dev/full: no space left on device") || told.contains("No space left"),
        "{told}"
    );
    assert!(report.contains("1 thread diverges"), "the report on stdout is lost: {report}");
    let (code, _, told) = run(&folder, &["diff", "a.jsonl", "b.jsonl", "-o", "nowhere/x.md"]);
    assert!(code == 2 && told.contains("nowhere/x.md"), "{told}");
}

#[test]
fn a_full_disk_on_standard_output_is_trouble() {
    let folder = pair();
    for words in [
        &["diff", "a.jsonl", "b.jsonl"][..],
        &["diff", "a.jsonl", "a.jsonl"],
        &["check", "a.jsonl"],
        &["show", "a.jsonl", "--line", "2"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = forkpoint(words).current_dir(folder.path("")).stdout(full).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains("failed to write to standard output"), "{words:?}: {told}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly_with_the_answer() {
    let folder = Folder::new();
    let threads = |value: u64| {
        let line = |thread: u64| event(&thread.to_string(), 0, "call", &format!("{{\"v\":{value},\"t\":{thread}}}"));
        header("x") + &(0..400).map(line).collect::<String>()
    };
    folder.file("a.jsonl", threads(1));
    folder.file("b.jsonl", threads(2));
    for format in ["terminal", "markdown", "json"] {
        // More than a pipe holds, so the write really fails.
        let script = format!(
            "{{ {} diff a.jsonl b.jsonl --map same --details all --format {format} -q; echo $? > code; }} | head -1",
            env!("CARGO_BIN_EXE_forkpoint")
        );
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path("")).output().unwrap();
        assert_eq!(text(&output.stderr), "", "{format}");
        assert_eq!(text(&output.stdout).lines().count(), 1, "{format}");
        assert_eq!(fs::read_to_string(folder.path("code")).unwrap().trim(), "1", "{format}");
    }
}
