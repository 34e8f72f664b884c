//! Every shape of pair by every way of reading: rate, memory, and one report whatever the way.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pairs::{Made, make};
use super::program::{watched, watched_while};
use super::table::{machine, median};
use super::windows::{FILES_ONLY, pour, without_paths};
use super::{Hindered, Program, Room, Run, Shown, Table};
use crate::generate::catalogue::shapes;

const MIB: f64 = 1024.0 * 1024.0;
/// Logs without an engine would be called by their file names, which differ from way to way.
const LABELS: [&str; 2] = ["--label", "reference,candidate"];

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Mapped,
    Plain,
    Stdin,
    Fifos,
    Packed(&'static str),
}

const WAYS: [(&str, Way); 6] = [
    ("mapped", Way::Mapped),
    ("--no-mmap", Way::Plain),
    ("stdin, file", Way::Stdin),
    ("two FIFOs", Way::Fifos),
    ("gz", Way::Packed("gzip")),
    ("zst", Way::Packed("zstd")),
];

pub fn show(program: &Program, room: &Room, size: u64, rounds: usize) -> Shown {
    room.demand(size * 4)?;
    println!(
        "{} MB a log; each cell: MB/s of both logs, MiB of no file; medians of {rounds}; {}\n",
        size / 1_000_000,
        machine()
    );
    let mut skipped = Vec::new();
    let mut ways = Vec::new();
    for (name, way) in WAYS {
        match unreadable(program, room, way)? {
            Some(why) => skipped.push(format!("skipped: {name}: {why}")),
            None => ways.push((name, way)),
        }
    }
    let mut head = vec!["shape", "lines", "answer"];
    head.extend(ways.iter().map(|(name, _)| *name));
    let mut table = Table::new(&head);
    let mut wrong = Vec::new();
    for (name, options) in shapes(size) {
        let made = make(room, "shape", options)?;
        let (cells, why) = row(program, room, &made, &ways, rounds)?;
        let answer = if why.is_empty() { "right" } else { "WRONG" };
        let mut line = vec![name.to_owned(), made.truth.events().to_string(), answer.to_owned()];
        line.extend(cells);
        table.cells(line);
        wrong.extend(why.into_iter().take(10).map(|why| format!("{name}: {why}")));
        made.remove()?;
    }
    table.print();
    skipped.iter().for_each(|line| println!("{line}"));
    println!("{}", machine());
    Ok(wrong)
}

/// One shape by all ways.
fn row(
    program: &Program,
    room: &Room,
    made: &Made,
    ways: &[(&str, Way)],
    rounds: usize,
) -> Result<(Vec<String>, Vec<String>), Hindered> {
    let bytes = (std::fs::metadata(&made.reference)?.len() + std::fs::metadata(&made.candidate)?.len()) as f64;
    let (mut cells, mut wrong) = (Vec::new(), Vec::new());
    let mut plain: Option<(Option<i32>, String)> = None;
    for (name, way) in ways {
        let logs = packed(room, made, *way)?;
        let (mut seconds, mut anonymous) = (Vec::new(), 0.0_f64);
        let mut equal = true;
        for _ in 0..rounds.max(1) {
            let (run, paths) = read(program, room, made, &logs, *way)?;
            seconds.push(run.seconds);
            anonymous = anonymous.max(run.anonymous * 1e6 / MIB);
            let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
            let report = (run.code, without_paths(&run, &paths));
            match &plain {
                None => {
                    wrong.extend(made.judge(run.code, &run.stdout, &run.stderr));
                    plain = Some(report);
                }
                Some(plain) if *plain != report => {
                    equal = false;
                    wrong.push(format!("{name}: another report (exit {}; {})", run.ended(), run.stderr.trim()));
                }
                Some(_) => {}
            }
        }
        let rate = bytes / 1e6 / median(&seconds);
        cells.push(format!("{rate:.0} {anonymous:.0}{}", if equal { "" } else { " OTHER" }));
        if let Way::Packed(_) = way {
            for log in logs {
                std::fs::remove_file(log)?;
            }
        }
    }
    Ok((cells, wrong))
}

/// The two logs as this way wants them.
fn packed(room: &Room, made: &Made, way: Way) -> Result<[PathBuf; 2], Hindered> {
    let logs = [made.reference.clone(), made.candidate.clone()];
    let Way::Packed(tool) = way else { return Ok(logs) };
    let mut packed = Vec::new();
    for log in &logs {
        let name = log.file_name().and_then(|name| name.to_str()).ok_or("a log without a name")?;
        let to = room.path(&format!("{name}.{tool}"));
        let status = Command::new(tool).args(["-1", "-q", "-c"]).arg(log).stdout(File::create(&to)?).status();
        if !status.map_err(|error| format!("{tool}: {error}"))?.success() {
            return Err(format!("{tool} failed").into());
        }
        packed.push(to);
    }
    <[PathBuf; 2]>::try_from(packed).map_err(|_| "two logs".into())
}

/// Why a way cannot be gone, tried on a log of one line.
fn unreadable(program: &Program, room: &Room, way: Way) -> Result<Option<String>, Hindered> {
    let Way::Packed(tool) = way else { return Ok(None) };
    let line = b"{\"n\":1}\n";
    let plain = room.write("one.jsonl", line)?;
    let to = room.path("one.packed");
    let mut pack = Command::new(tool);
    pack.args(["-q", "-c"]).arg(&plain).stdout(File::create(&to)?);
    if !pack.status().is_ok_and(|status| status.success()) {
        return Ok(Some(format!("{tool} is missing")));
    }
    let run = program.diff(&["--profile", "generic"], &plain, &to)?;
    Ok((run.code != Some(0)).then(|| "this forkpoint does not read it".to_owned()))
}

/// One run; and what its report calls the two logs.
fn read(
    program: &Program,
    room: &Room,
    made: &Made,
    logs: &[PathBuf; 2],
    way: Way,
) -> Result<(Run, [PathBuf; 2]), Hindered> {
    let flags: Vec<&str> = made.flags.iter().copied().chain(LABELS).chain(FILES_ONLY).collect();
    let mut paths = logs.clone();
    let run = match way {
        Way::Mapped | Way::Packed(_) => program.diff(&flags, &paths[0], &paths[1])?,
        Way::Plain => watched(program.diff_command(&flags, &paths[0], &paths[1]).arg("--no-mmap"))?,
        Way::Stdin => {
            paths[0] = PathBuf::from("-");
            watched(program.diff_command(&flags, &paths[0], &paths[1]).stdin(Stdio::from(File::open(&logs[0])?)))?
        }
        Way::Fifos => {
            paths = [room.fifo("reference.jsonl")?, room.fifo("candidate.jsonl")?];
            let mut writers = Vec::new();
            let run = watched_while(&mut program.diff_command(&flags, &paths[0], &paths[1]), |_| {
                writers = logs.iter().zip(&paths).map(|(log, fifo)| pour(log, fifo)).collect();
            })?;
            for writer in writers {
                writer?.wait()?;
            }
            run
        }
    };
    Ok((run, paths))
}
