//! A mapped log is truncated while it is read: exit 2 and a sentence, never a crash, never silence.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use super::pairs::{make, parting};
use super::program::watched_while;
use super::table::machine;
use super::{Hindered, Program, Room, Run, Shown, Table};
use crate::generate::numbers::Random;

/// A moment that came after the run's end is drawn again, so often at most.
const TRIES: u32 = 8;

/// One truncation that found the run under way.
struct Cut {
    run: Run,
    /// Seconds after the log was first seen mapped.
    after: f64,
    to: u64,
    too_late: u32,
}

pub fn show(program: &Program, room: &Room, size: u64, rounds: u64, seed: u64) -> Shown {
    room.demand(size * 4)?;
    let made = make(room, "pair", parting(size))?;
    let logs = [&made.reference, &made.candidate];
    let spare = [room.path("reference.spare"), room.path("candidate.spare")];
    std::fs::copy(logs[0], &spare[0])?;
    std::fs::copy(logs[1], &spare[1])?;
    let calm = program.diff(&[], logs[0], logs[1])?;
    let mut wrong = made.truth.hold(&calm.report()?);
    println!("{} MB + {} MB, undisturbed {:.2} s; {}", size / 1_000_000, size / 1_000_000, calm.seconds, machine());
    let mut random = Random::new(seed, "truncation", 0);
    let mut table = Table::new(&["round", "truncated", "after, s", "to, MB", "late tries", "exit", "stderr says"]);
    let mut right = 0;
    for round in 0..rounds {
        let side = (round % 2) as usize;
        let cut = cut(program, &mut random, [logs[0], logs[1]], side, calm.seconds)?;
        restore(logs[side], &spare[side])?;
        let name = logs[side].display().to_string();
        let sentence = cut.run.stderr.lines().find(|line| line.contains(&name)).unwrap_or_default();
        if cut.run.code == Some(2) && !sentence.is_empty() {
            right += 1;
        } else {
            wrong.push(format!(
                "round {round}: exit {}, {:.3} s after the log was mapped, cut to {} bytes; stderr: {}",
                cut.run.ended(),
                cut.after,
                cut.to,
                cut.run.stderr.trim()
            ));
        }
        table.row([
            round.to_string(),
            ["reference", "candidate"][side].to_owned(),
            format!("{:.3}", cut.after),
            format!("{:.0}", cut.to as f64 / 1e6),
            cut.too_late.to_string(),
            cut.run.ended(),
            sentence.replace(&name, "LOG"),
        ]);
    }
    table.print();
    println!("{right} of {rounds}: exit 2 and a sentence that names the log");
    Ok(wrong)
}

/// Truncates at a random moment between the log's mapping and the run's end.
fn cut(program: &Program, random: &mut Random, logs: [&Path; 2], side: usize, calm: f64) -> Result<Cut, Hindered> {
    let length = std::fs::metadata(logs[side])?.len();
    let mut reach = calm * 0.85;
    for too_late in 0..TRIES {
        let after = reach * random.below(1000) as f64 / 1000.0;
        // Often to nothing: then whatever is mapped at that moment is gone.
        let to = if random.below(3) == 0 { 0 } else { random.below(length) };
        let mut under_way = Ok(false);
        let run = watched_while(&mut program.diff_command(&[], logs[0], logs[1]), |id| {
            under_way = truncate(id, logs[side], after, to);
        })?;
        if under_way? {
            return Ok(Cut { run, after, to, too_late });
        }
        if std::fs::metadata(logs[side])?.len() != length {
            return Err("a log was truncated and the run was already over: restore it by hand".into());
        }
        reach *= 0.7;
    }
    Err(format!("{TRIES} runs were over before the log could be truncated").into())
}

/// Waits until the log is mapped, then so many seconds; true if it was truncated while the process ran.
fn truncate(id: u32, log: &Path, after: f64, to: u64) -> std::io::Result<bool> {
    let name = log.display().to_string();
    let maps = format!("/proc/{id}/maps");
    let mapped = || std::fs::read_to_string(&maps).is_ok_and(|text| text.contains(&name));
    let start = Instant::now();
    while !mapped() {
        if start.elapsed() > Duration::from_secs(5) {
            return Ok(false);
        }
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_secs_f64(after));
    // Still mapped somewhere: the run has not put this log away yet.
    let file = File::options().write(true).open(log)?;
    if !mapped() {
        return Ok(false);
    }
    file.set_len(to)?;
    Ok(true)
}

/// Appends what was cut off.
fn restore(log: &Path, spare: &Path) -> Result<(), Hindered> {
    let mut log = File::options().append(true).open(log)?;
    let mut spare = File::open(spare)?;
    spare.seek(SeekFrom::Start(log.metadata()?.len()))?;
    std::io::copy(&mut spare, &mut log)?;
    Ok(())
}
