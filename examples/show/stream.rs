//! Two logs that are never stored: two generators write into two FIFOs while forkpoint reads them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;

use super::rounds::reaped;
use super::table::machine;
use super::{Hindered, Program, Room, Shown, Table, Truth};
use crate::generate::Pair;
use crate::generate::arguments::Arguments;

const MIB: f64 = 1024.0 * 1024.0;
/// Lines printed of a long run; the seconds between them are looked at too.
const TOLD: usize = 20;

/// One second of the run.
struct Second {
    at: f64,
    anonymous: f64,
    resident: f64,
    /// Part of the time that all processors together were busy.
    busy: f64,
    /// Cores that forkpoint used.
    ours: f64,
}

/// The one lane, and the place near its end where it parts.
fn story(events: u64) -> Vec<String> {
    let position = events - events / 1000 - 1;
    let words = format!("generate --shape flat --seed 7 --events {events} --diverge 0:{position}:value");
    words.split(' ').map(str::to_owned).collect()
}

pub fn show(program: &Program, room: &Room, events: u64) -> Shown {
    let words = story(events.max(1000));
    let options = Arguments::try_parse_from(&words)?.options()?;
    let flags = options.flags();
    let pair = Pair::new(options)?;
    let fifos = [room.fifo("reference.fifo")?, room.fifo("candidate.fifo")?];
    let tellings = [room.path("reference.written"), room.path("candidate.written")];
    println!("{events} events a side through two FIFOs, one lane; {}", machine());
    println!("forkpoint diff --format json {} REFERENCE.fifo CANDIDATE.fifo\n", flags.join(" "));
    let report = room.path("report.json");
    let start = Instant::now();
    let before = reaped()?;
    let mut writers = Vec::new();
    for (side, (fifo, telling)) in ["reference", "candidate"].iter().zip(fifos.iter().zip(&tellings)) {
        writers.push(write(&words, side, fifo, telling)?);
    }
    let mut command = program.diff_command(&flags, &fifos[0], &fifos[1]);
    let mut child = command.stdout(File::create(&report)?).stderr(Stdio::inherit()).spawn()?;
    let (seconds, code) = watch(&mut child, start)?;
    let wall = start.elapsed().as_secs_f64();
    let ours = reaped()? - before;
    for writer in &mut writers {
        // Whoever reads no more leaves a writer waiting, perhaps for a reader that never came.
        if !matches!(code, Some(0 | 1)) {
            writer.kill()?;
        }
        writer.wait()?;
    }
    let theirs = reaped()? - before - ours;
    if !matches!(code, Some(0 | 1)) {
        return Ok(vec![format!("exit {code:?}, must be 1: the stream was not read to its end")]);
    }
    let told = |path: &PathBuf| -> Result<_, Hindered> {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let value = serde_json::from_slice(&text)?;
        pair.written_from_json(&value).ok_or_else(|| format!("{}: of another plan", path.display()).into())
    };
    let written = (told(&tellings[0])?, told(&tellings[1])?);
    let truth = Truth::generated(&pair.truth(&written.0, &written.1))?;
    let report = serde_json::from_slice(&std::fs::read(&report)?)?;
    let mut wrong = truth.hold(&report);
    if code != Some(1) {
        wrong.push(format!("exit {code:?}, must be 1"));
    }
    truth.print(&report);
    tell(&seconds);
    let bytes = (written.0.bytes + written.1.bytes) as f64;
    figures(truth.events(), bytes, wall, ours, theirs, &seconds);
    Ok(wrong)
}

/// A process that writes one log into its FIFO, and then what it wrote into a file.
fn write(words: &[String], side: &str, fifo: &Path, telling: &Path) -> Result<Child, Hindered> {
    let generate = std::env::current_exe()?.with_file_name("generate");
    let mut command = Command::new(&generate);
    command.args(&words[1..]).args(["--only", side]).arg(format!("--{side}-to")).arg(fifo);
    command.arg("--written").arg(telling).stderr(Stdio::null());
    command.spawn().map_err(|error| format!("{}: {error}; build the example", generate.display()).into())
}

/// Looks at the process once a second until it ends.
fn watch(child: &mut Child, start: Instant) -> Result<(Vec<Second>, Option<i32>), Hindered> {
    let mut seconds = Vec::new();
    let mut last = (start.elapsed().as_secs_f64(), busy(), cpu_of(child.id()));
    loop {
        // Short sleeps, so that the end is seen when it comes.
        for _ in 0..100 {
            if let Some(status) = child.try_wait()? {
                return Ok((seconds, status.code()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let now = (start.elapsed().as_secs_f64(), busy(), cpu_of(child.id()));
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        // A process that has just ended has no memory any more; its end is seen in the next round.
        if !status.contains("RssAnon:") {
            continue;
        }
        let mebibytes = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key));
            let number = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|word| word.parse::<f64>().ok());
            number.unwrap_or(0.0) * 1024.0 / MIB
        };
        let jiffies = (now.1.1 - last.1.1).max(1.0);
        seconds.push(Second {
            at: now.0,
            anonymous: mebibytes("RssAnon:") + mebibytes("RssShmem:"),
            resident: mebibytes("VmHWM:"),
            busy: (now.1.0 - last.1.0) / jiffies,
            ours: (now.2 - last.2) / (now.0 - last.0),
        });
        last = now;
    }
}

/// Of all processors: busy and all jiffies so far.
fn busy() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let jiffies: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|word| word.parse().ok()).collect();
    let all: f64 = jiffies.iter().sum();
    // Idle, and waiting for a disk.
    (all - jiffies.iter().skip(3).take(2).sum::<f64>(), all)
}

/// CPU seconds of a living process.
fn cpu_of(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    behind.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn tell(seconds: &[Second]) {
    let mut table = Table::new(&["second", "anon MiB", "all MiB, so far", "our cores", "all processors busy"]);
    for second in seconds.iter().step_by(seconds.len().div_ceil(TOLD).max(1)) {
        table.row([
            format!("{:.0}", second.at),
            format!("{:.1}", second.anonymous),
            format!("{:.1}", second.resident),
            format!("{:.2}", second.ours),
            format!("{:.0} %", second.busy * 100.0),
        ]);
    }
    table.print();
}

fn figures(events: u64, bytes: f64, wall: f64, ours: f64, theirs: f64, seconds: &[Second]) {
    let most = |pick: fn(&Second) -> f64| seconds.iter().map(pick).fold(0.0, f64::max);
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let mean = seconds.iter().map(|second| second.busy).sum::<f64>() / seconds.len().max(1) as f64;
    println!(
        "{:.1} GB in {wall:.1} s: {:.2} million events a side a second, {:.2} GB/s",
        bytes / 1e9,
        events as f64 / 1e6 / wall,
        bytes / 1e9 / wall
    );
    println!(
        "forkpoint {ours:.1} CPU s, {:.3} CPU s a GB; generators {theirs:.1} CPU s, {:.3} a GB",
        ours / (bytes / 1e9),
        theirs / (bytes / 1e9)
    );
    println!(
        "memory of no file at most {:.1} MiB, in all {:.1} MiB, sampled each second",
        most(|s| s.anonymous),
        most(|s| s.resident)
    );
    println!("{cores} processors, busy {:.0} % on average", mean * 100.0);
    // Whoever used more of the processors decided how long it took.
    let limit = if mean < 0.85 {
        "neither filled the processors: the pipes, or waiting for one another, were the limit"
    } else if theirs > ours {
        "the generators took most of the processors and were the limit; forkpoint's CPU seconds a GB say what it needs"
    } else {
        "forkpoint took most of the processors and was the limit"
    };
    println!("{limit}; {}", machine());
}
