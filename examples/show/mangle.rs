//! Logs damaged by `mangle`, checked by forkpoint: both as a user runs them. What is named must be what was said.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::pairs::make;
use super::program::watched;
use super::{Hindered, Program, Room, Shown, Table};
use crate::generate::{Options, Shape, Size};

/// Longer lines are faults, so that lines over the limit need not be long.
const MAX_LINE: &str = "32K";

/// What stands in the list of one kind of damage.
#[derive(Default)]
struct Count {
    /// Places at which a fault must be named, noted, or nothing said.
    named: u64,
    noted: u64,
    allowed: u64,
}

/// The logs that are damaged in turn: schema-v1, its keys sorted, an instruction trace.
fn logs(room: &Room) -> Result<Vec<(PathBuf, Vec<&'static str>)>, Hindered> {
    let shapes = [("schema", Shape::Schema, true), ("sorted", Shape::Sorted, true), ("flat", Shape::Flat, false)];
    let log = |(name, shape, generations)| {
        let options =
            Options { size: Size::Events(200), shape, threads: 3, generations, slice: 4, ..Options::default() };
        let made = make(room, name, options)?;
        Ok((made.reference, made.flags))
    };
    shapes.into_iter().map(log).collect()
}

pub fn show(program: &Program, room: &Room, seeds: u64, first: u64, faults: u64) -> Shown {
    let mangle = std::env::current_exe()?.with_file_name("mangle");
    let logs = logs(room)?;
    let (bad, must, list) = (room.path("bad.jsonl"), room.path("must.txt"), room.path("list.jsonl"));
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let (mut wrong, mut equal) = (Vec::new(), 0);
    for seed in first..first + seeds {
        let (log, flags) = &logs[seed as usize % logs.len()];
        let mut command = Command::new(&mangle);
        command
            .arg(log)
            .arg(seed.to_string())
            .args(["--faults", &faults.to_string(), "--max-line", MAX_LINE])
            .args(flags);
        let made = watched(command.arg("-o").arg(&bad).arg("--expect").arg(&must).arg("--list").arg(&list))?;
        if made.code != Some(0) {
            return Err(format!("mangle, seed {seed}: exit {}: {}", made.ended(), made.stderr).into());
        }
        let mut check = program.command(["check", "--quiet", "--limit", "all", "--max-line", MAX_LINE]);
        let run = watched(check.args(flags).arg(&bad))?;
        let must = std::fs::read_to_string(&must)?;
        let is_named =
            must.lines().any(|line| line.ends_with(": no log of profile schema-v1") || line.contains(" malformed: "));
        let code = if is_named { 2 } else { 0 };
        match run.stdout == must.as_bytes() && run.code == Some(code) {
            true => equal += 1,
            false => wrong.push(told(seed, log, &must, &String::from_utf8_lossy(&run.stdout), &run.ended())),
        }
        for line in std::fs::read_to_string(&list)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            let count = counts.entry(line["damage"].as_str().unwrap_or_default().to_owned()).or_default();
            match (line["reason"].is_null(), line["note"].is_null()) {
                (true, _) => count.allowed += 1,
                (false, true) => count.named += 1,
                (false, false) => count.noted += 1,
            }
        }
    }
    print(&counts);
    println!("{equal} of {seeds} logs, seeds from {first}: check printed what it must, and ended as it must");
    // Chance needs some room.
    if seeds >= 1000 {
        wrong.extend(never_met(&mangle, &counts)?);
    }
    Ok(wrong)
}

fn print(counts: &BTreeMap<String, Count>) {
    let mut table = Table::new(&["damage", "to be named", "to be noted", "not to be named"]);
    let shown = |count: u64| if count == 0 { String::new() } else { count.to_string() };
    let mut all = Count::default();
    for (kind, count) in counts {
        table.row([kind.clone(), shown(count.named), shown(count.noted), shown(count.allowed)]);
        all.named += count.named;
        all.noted += count.noted;
        all.allowed += count.allowed;
    }
    table.row(["all".to_owned(), shown(all.named), shown(all.noted), shown(all.allowed)]);
    table.print();
}

/// Kinds of damage that stand in no list, although `mangle --kinds` names them. A log that is empty or a line that is
/// lost leaves nothing that could stand there.
fn never_met(mangle: &std::path::Path, counts: &BTreeMap<String, Count>) -> Shown {
    let kinds = watched(Command::new(mangle).arg("--kinds"))?;
    let kinds = String::from_utf8(kinds.stdout)?;
    let names = kinds.lines().filter_map(|line| line.split_whitespace().next());
    let met = |name: &str| counts.contains_key(name) || name == "line-lost";
    Ok(names.filter(|name| !met(name)).map(|name| format!("{name} was never planted")).collect())
}

/// The first lines in which two lists differ.
fn told(seed: u64, log: &std::path::Path, must: &str, printed: &str, ended: &str) -> String {
    let lacking = must.lines().find(|line| !printed.lines().any(|other| other == *line));
    let strange = printed.lines().find(|line| !must.lines().any(|other| other == *line));
    format!("{}, seed {seed}: must print {lacking:?}, prints {strange:?}, exit {ended}", log.display())
}
