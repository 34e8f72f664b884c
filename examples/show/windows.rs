//! One report, byte for byte, whatever the windows, workers and ways of reading.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pairs::{Made, diverge, make};
use super::program::{watched, watched_while};
use super::table::machine;
use super::{Hindered, Program, Room, Run, Shown, Table};
use crate::generate::{Births, EditKind, Options, Size, Tids};

const WINDOWS: [&str; 3] = ["4K", "64K", "8M"];
const JOBS: [&str; 2] = ["1", "8"];

/// How the two logs are handed over.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Mapped,
    Plain,
    Fifos,
    /// One log through stdin, the other as a file.
    Stdin(usize),
}

const WAYS: [(&str, Way); 5] = [
    ("mapped", Way::Mapped),
    ("--no-mmap", Way::Plain),
    ("FIFOs", Way::Fifos),
    ("stdin, file", Way::Stdin(0)),
    ("file, stdin", Way::Stdin(1)),
];

/// The pairs: name, options, and from which thread on all are alike.
fn cases(events: u64) -> Vec<(&'static str, Options, Option<usize>)> {
    let base = Options { seed: 11, size: Size::Events(events), tids: Tids::Shuffle, ..Options::default() };
    // Threads share the events evenly but for a fifth.
    let share = events / 8;
    let parted = |lanes: u64| {
        vec![
            diverge(1, share / 2 / lanes, EditKind::Value),
            diverge(3, share * 3 / 4 / lanes, EditKind::Missing),
            diverge(6, share / 8 / lanes, EditKind::Kind),
        ]
    };
    let born = |births| Options { births, diverge: parted(1), ..base.clone() };
    let workers = Options {
        workers: 200,
        diverge: vec![diverge(2, events / 208 / 2, EditKind::Extra), diverge(5, events / 208 / 3, EditKind::Nested)],
        ..base.clone()
    };
    let twice = Options { generations: true, diverge: parted(2), ..base.clone() };
    vec![
        ("born late", born(Births::Spread), None),
        ("born in reverse", born(Births::Reversed), None),
        ("200 equal workers", workers, Some(8)),
        ("2 generations", twice, None),
    ]
}

pub fn show(program: &Program, room: &Room, events: u64) -> Shown {
    room.demand(events * 2000)?;
    println!("{events} events a log; {}", machine());
    let mut wrong = Vec::new();
    for (name, options, workers) in cases(events) {
        let mut made = make(room, name, options)?;
        made.truth.workers_from = workers;
        wrong.extend(case(program, room, name, &made)?.into_iter().map(|why| format!("{name}: {why}")));
        std::fs::remove_dir_all(room.path(name))?;
    }
    Ok(wrong)
}

fn case(program: &Program, room: &Room, name: &str, made: &Made) -> Shown {
    let plain = program.diff(&FILES_ONLY, &made.reference, &made.candidate)?;
    let mut wrong = made.truth.hold(&plain.report()?);
    if plain.code != Some(1) {
        wrong.push(format!("exit {}, must be 1; {}", plain.ended(), plain.stderr.trim()));
    }
    let told = made.truth.paired_as_told(&plain.report()?);
    println!("{name}: {told} of {} threads paired as the story has them", made.truth.threads());
    let pathless = without_paths(&plain, &[&made.reference, &made.candidate]);
    let mut table = Table::new(&["read", "4K, 1 job", "4K, 8", "64K, 1", "64K, 8", "8M, 1", "8M, 8"]);
    for (way_name, way) in WAYS {
        let mut cells = vec![way_name.to_owned()];
        for window in WINDOWS {
            for jobs in JOBS {
                let (run, paths) = read(program, room, made, &["--window", window, "--jobs", jobs], way)?;
                let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
                let equal = run.code == plain.code && without_paths(&run, &paths) == pathless;
                let word = if equal { "equal" } else { "OTHER" };
                cells.push(format!("{word} {:.2} s {:.0} MB", run.seconds, run.resident));
                if !equal {
                    let kept = keep(name, way_name, window, jobs, &plain, &run)?;
                    wrong.push(format!(
                        "{way_name}, --window {window} --jobs {jobs}: another report (exit {}); {kept}",
                        run.ended()
                    ));
                }
            }
        }
        table.row(<[String; 7]>::try_from(cells).expect("six runs a row"));
    }
    table.print();
    Ok(wrong)
}

/// Where a value came from is looked for in plain files only.
pub const FILES_ONLY: [&str; 2] = ["--origin-limit", "0"];

/// One run; and what its report calls the two logs.
fn read(
    program: &Program,
    room: &Room,
    made: &Made,
    flags: &[&str],
    way: Way,
) -> Result<(Run, [PathBuf; 2]), Hindered> {
    let logs = [made.reference.clone(), made.candidate.clone()];
    let mut paths = logs.clone();
    let flags = &[flags, &FILES_ONLY[..]].concat();
    let run = match way {
        Way::Mapped => program.diff(flags, &paths[0], &paths[1])?,
        Way::Plain => watched(program.diff_command(flags, &paths[0], &paths[1]).arg("--no-mmap"))?,
        Way::Fifos => {
            paths = [room.fifo("reference.jsonl")?, room.fifo("candidate.jsonl")?];
            let mut writers = Vec::new();
            let mut command = program.diff_command(flags, &paths[0], &paths[1]);
            let run = watched_while(&mut command, |_| {
                writers = logs.iter().zip(&paths).map(|(log, fifo)| pour(log, fifo)).collect();
            })?;
            for writer in writers {
                writer?.wait()?;
            }
            run
        }
        Way::Stdin(side) => {
            paths[side] = PathBuf::from("-");
            watched(program.diff_command(flags, &paths[0], &paths[1]).stdin(Stdio::from(File::open(&logs[side])?)))?
        }
    };
    Ok((run, paths))
}

/// A process of its own that writes a file into a FIFO.
pub fn pour(log: &Path, fifo: &Path) -> std::io::Result<std::process::Child> {
    // The shell opens the FIFO, so that nobody here waits for its reader.
    Command::new("sh").args(["-c", "cat \"$0\" > \"$1\""]).args([log, fifo]).spawn()
}

/// The report with the two paths taken out.
pub fn without_paths(run: &Run, paths: &[&Path]) -> String {
    let mut text = String::from_utf8_lossy(&run.stdout).into_owned();
    for path in paths {
        let key = format!("\"path\": {}", serde_json::Value::from(path.display().to_string()));
        text = text.replace(&key, "\"path\": \"\"");
    }
    text
}

/// Both reports, where they can be looked at afterwards.
fn keep(name: &str, way: &str, window: &str, jobs: &str, plain: &Run, run: &Run) -> Result<String, Hindered> {
    let folder = std::env::temp_dir().join("forkpoint-show-wrong");
    std::fs::create_dir_all(&folder)?;
    let stem = format!("{name}-{way}-{window}-{jobs}").replace([' ', ','], "_");
    std::fs::write(folder.join(format!("{stem}.plain.json")), &plain.stdout)?;
    std::fs::write(folder.join(format!("{stem}.json")), &run.stdout)?;
    std::fs::write(folder.join(format!("{stem}.stderr")), &run.stderr)?;
    Ok(format!("kept as {}", folder.join(stem).display()))
}
