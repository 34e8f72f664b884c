//! `profile infer` on a real program that is noisy: rules learned from three runs, held against fresh runs and against
//! runs in each of which one answer is wrong, of a kind and field that are noisy elsewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::watched;
use super::{Hindered, Program, Room, Shown, Table};

/// Runs that are learned from.
const LEARNED: usize = 3;
/// Fresh ones without anything wrong.
const FRESH: usize = 5;
/// Jobs of the program.
const JOBS: usize = 1600;

pub fn show(program: &Program, room: &Room, python: &str, script: &Path, planted: usize) -> Shown {
    if Command::new(python).arg("--version").output().is_err() {
        println!("skipped: {python}");
        return Ok(Vec::new());
    }
    let trace = |name: String, wrong: Option<usize>| -> Result<(PathBuf, String), Hindered> {
        let log = room.path(&name);
        let mut command = Command::new(python);
        command.arg(script).arg(&log).args(wrong.map(|job| job.to_string()));
        let run = watched(&mut command)?;
        if run.code != Some(0) {
            return Err(format!("{}: {}", script.display(), run.stderr).into());
        }
        Ok((log, String::from_utf8_lossy(&run.stdout).trim().to_owned()))
    };
    let logs: Vec<PathBuf> =
        (0..LEARNED).map(|at| Ok(trace(format!("run-{at}.jsonl"), None)?.0)).collect::<Result<_, Hindered>>()?;
    let profile = room.path("inferred.toml");
    let mut infer = program.command(["profile", "infer", "-o"]);
    infer.arg(&profile).args(&logs);
    let learned = watched(&mut infer)?;
    let mut wrong = Vec::new();
    if learned.code != Some(0) {
        wrong.push(format!("the runs learned from are not the same: exit {}", learned.ended()));
    }
    println!("{}\n{}", std::fs::read_to_string(&profile)?, learned.stderr);
    let flag = profile.display().to_string();
    let compare = |log: &Path| program.diff(&["--profile", &flag], &logs[0], log);
    let mut alarms = 0;
    for at in 0..FRESH {
        let (log, _) = trace(format!("fresh-{at}.jsonl"), None)?;
        alarms += usize::from(compare(&log)?.code != Some(0));
    }
    let (mut found, mut met, mut job) = (0, 0, 7);
    while met < planted {
        job = (job + 331) % JOBS;
        let (log, line) = trace("wrong.jsonl".to_owned(), Some(job))?;
        // A job whose answer is noise has no wrong one.
        let Ok(line) = line.parse::<u64>() else { continue };
        met += 1;
        let report = compare(&log)?.report()?;
        let first = report["first"].as_u64().and_then(|first| usize::try_from(first).ok());
        let said = first.and_then(|first| report["pairings"][first]["divergence"]["candidate"]["line"].as_u64());
        match said == Some(line) {
            true => found += 1,
            false => wrong.push(format!("job {job} is wrong in line {line}, and diff says {said:?}")),
        }
    }
    let mut table = Table::new(&["rules", "fresh runs", "false alarms", "planted", "found"]);
    table.row([
        learned.stderr.split(' ').next().unwrap_or_default().to_owned(),
        FRESH.to_string(),
        alarms.to_string(),
        planted.to_string(),
        found.to_string(),
    ]);
    table.print();
    if alarms > 0 {
        wrong.push(format!("{alarms} of {FRESH} fresh runs are told to differ"));
    }
    Ok(wrong)
}
