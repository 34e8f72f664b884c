//! Recorded runs of a benchmark, some with a phase that is slower by a fifth: `episode diff` says which phase, and of equal runs nothing.

use std::path::PathBuf;

use serde_json::Value;

use super::actor;
use crate::show::program::watched;
use crate::show::{Hindered, Program, Room, Shown};

/// Percent of the load's time.
const PLANTED: u32 = 20;
const PHASES: [(&str, &str); 3] = [("warm", "warmed"), ("load", "loaded"), ("drain", "drained")];

pub fn show(program: &Program, room: &Room, runs: usize) -> Shown {
    println!("{runs} runs of each side, the load of one side {PLANTED} % slower");
    let mut sides: [Vec<PathBuf>; 3] = Default::default();
    for _ in 0..runs.max(1) {
        for (side, slower) in sides.iter_mut().zip([0, 0, PLANTED]) {
            side.push(record(program, room, slower)?);
        }
    }
    let [reference, equal, slower] = &sides;
    let mut wrong = Vec::new();
    for (name, candidates, planted) in [("equal", equal, false), ("slower", slower, true)] {
        let told = Told::of(program, reference, candidates)?;
        println!("{name}: exit {:?}", told.code);
        for (phase, _) in PHASES {
            let (is_real, percent) = told.duration(phase)?;
            println!("  {phase}: duration_s {percent:+.1} %{}", if is_real { ", real" } else { "" });
            let is_planted = planted && phase == "load";
            let is_right = if is_planted { is_real && (10.0..30.0).contains(&percent) } else { !is_real };
            if !is_right {
                wrong.push(format!("{name}: duration of {phase} {percent:+.1} %, real: {is_real}"));
            }
        }
        told.others().for_each(|line| println!("  {line}"));
        if planted && told.code != Some(1) {
            wrong.push(format!("{name}: exit {:?}", told.code));
        }
    }
    println!();
    Ok(wrong)
}

fn record(program: &Program, room: &Room, slower: u32) -> Result<PathBuf, Hindered> {
    let mut command = program.command(["record", "--interval", "20ms", "--out"]);
    command.arg(room.folder("runs")?);
    for (phase, event) in PHASES {
        command.args(["--phase", &format!("{phase}:until={event},max=60s")]);
    }
    command.arg("--").args(actor(&[&format!("bench:{slower}")])?);
    let run = watched(&mut command)?;
    if run.code != Some(0) {
        return Err(format!("record: exit {}: {}", run.ended(), run.stderr).into());
    }
    Ok(PathBuf::from(String::from_utf8(run.stdout)?.trim_end()))
}

/// What `episode diff` says.
struct Told {
    code: Option<i32>,
    report: Value,
}

impl Told {
    fn of(program: &Program, reference: &[PathBuf], candidates: &[PathBuf]) -> Result<Told, Hindered> {
        let mut command = program.command(["episode", "diff", "--format", "json"]);
        for more in &reference[1..] {
            command.arg("--reference").arg(more);
        }
        command.arg(&reference[0]).args(candidates);
        let run = watched(&mut command)?;
        Ok(Told { code: run.code, report: run.report()? })
    }

    fn changes(&self) -> impl Iterator<Item = &Value> {
        self.report["metrics"].as_array().into_iter().flatten()
    }

    fn duration(&self, phase: &str) -> Result<(bool, f64), Hindered> {
        let found = self.changes().find(|change| change["phase"] == phase && change["metric"] == "duration_s");
        let change = found.ok_or_else(|| format!("nothing is said of how long {phase} was"))?;
        Ok((change["changed"].as_bool().ok_or("changed is no boolean")?, percent(change)))
    }

    /// What else is called real.
    fn others(&self) -> impl Iterator<Item = String> {
        let real = self.changes().filter(|change| change["changed"] == true && change["metric"] != "duration_s");
        real.map(|change| {
            let word = |key: &str| change[key].as_str().unwrap_or("?").to_owned();
            format!("{}: {} {:+.1} %, real", word("phase"), word("metric"), percent(change))
        })
    }
}

fn percent(change: &Value) -> f64 {
    change["change"].as_f64().unwrap_or(f64::NAN) * 100.0
}
