//! How punctual the collector of `/proc` is, and what it costs itself and its target.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use wait4::Wait4;

use super::{Guarded, actor, number, rows};
use crate::show::table::{machine, median};
use crate::show::{Hindered, Program, Room, Shown, Table};

/// Milliseconds from one reading to the next.
const INTERVALS: [u64; 2] = [100, 10];

pub fn show(program: &Program, room: &Room, seconds: u64) -> Shown {
    println!("/proc for {seconds} s at each interval, of a target that computes and maps memory; {}", machine());
    let words = actor(&["spin"])?;
    let mut spinner = Guarded::start(Command::new(&words[0]).args(&words[1..]).stdout(Stdio::piped()))?;
    let rates = heard(&mut spinner)?;
    let alone = |rates: &Receiver<f64>| rate_of(rates, seconds.div_ceil(3));
    let (mut wrong, mut before) = (Vec::new(), alone(&rates)?);
    let head = [
        "every ms",
        "rows",
        "missed",
        "late, median ms",
        "99 %",
        "most",
        "drift ms",
        "recorder, % of a core",
        "target, rounds/s",
        "unwatched",
        "change %",
    ];
    let mut table = Table::new(&head);
    for interval in INTERVALS {
        let folder = room.folder(&format!("every-{interval}"))?;
        while rates.try_recv().is_ok() {}
        let spent = record(program, &folder, spinner.0.id(), interval, seconds)?;
        let watched = median(&rates.try_iter().collect::<Vec<_>>());
        let behind = alone(&rates)?;
        let unwatched = f64::midpoint(before, behind);
        before = behind;
        let ticks = Ticks::of(&rows(&telemetry(&folder)?)?, interval)?;
        table.row([
            interval.to_string(),
            ticks.rows.to_string(),
            ticks.missed.to_string(),
            format!("{:.3}", ticks.late(0.5)),
            format!("{:.3}", ticks.late(0.99)),
            format!("{:.3}", ticks.late(1.0)),
            format!("{:.3}", ticks.drift),
            format!("{:.2}", spent / seconds as f64 * 100.0),
            format!("{watched:.0}"),
            format!("{unwatched:.0}"),
            format!("{:+.1}", (watched / unwatched - 1.0) * 100.0),
        ]);
        wrong.extend(ticks.wrong.into_iter().map(|line| format!("every {interval} ms: {line}")));
    }
    table.print();
    println!();
    Ok(wrong)
}

/// The rounds a second that the target tells, each tenth of a second.
fn heard(spinner: &mut Guarded) -> Result<Receiver<f64>, Hindered> {
    let (to, from) = channel();
    let lines = BufReader::new(spinner.0.stdout.take().ok_or("piped")?).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let told = line
                .split_once(' ')
                .and_then(|(times, ns)| Some((times.parse::<f64>().ok()?, ns.parse::<f64>().ok()?)));
            let Some((times, nanoseconds)) = told else { return };
            if to.send(times / nanoseconds * 1e9).is_err() {
                return;
            }
        }
    });
    Ok(from)
}

fn rate_of(rates: &Receiver<f64>, seconds: u64) -> Result<f64, Hindered> {
    while rates.try_recv().is_ok() {}
    std::thread::sleep(Duration::from_secs(seconds));
    let found: Vec<f64> = rates.try_iter().collect();
    if found.is_empty() { Err("the target says nothing".into()) } else { Ok(median(&found)) }
}

/// Records a process; how many seconds of processors the recorder took.
fn record(program: &Program, folder: &Path, pid: u32, interval: u64, seconds: u64) -> Result<f64, Hindered> {
    let mut command = program.command(["record"]);
    command.args(["--interval", &format!("{interval}ms"), "--duration", &format!("{seconds}s")]);
    command.args(["--pid", &pid.to_string()]).arg("--out").arg(folder);
    let mut recorder = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let used = recorder.wait4()?;
    if !used.status.success() {
        return Err(format!("record: {}", used.status).into());
    }
    Ok((used.rusage.utime + used.rusage.stime).as_secs_f64())
}

fn telemetry(folder: &Path) -> Result<PathBuf, Hindered> {
    let episode = std::fs::read_dir(folder.join("episodes"))?.next().ok_or("no episode")??;
    Ok(episode.path().join("telemetry-proc.jsonl"))
}

/// When rows came, beside when they were due.
struct Ticks {
    rows: usize,
    missed: u64,
    /// In milliseconds, sorted; the earliest row of all counts as punctual.
    late: Vec<f64>,
    /// How much later, in the middle, the last third of the rows came than the first.
    drift: f64,
    wrong: Vec<String>,
}

impl Ticks {
    fn of(rows: &[Value], interval: u64) -> Result<Ticks, Hindered> {
        let mut at = Vec::new();
        for row in rows {
            at.push((number(&row["tick"])?, number(&row["t_mono_ns"])? as f64 / 1e6));
        }
        let last = rows.last().ok_or("no rows")?;
        let (tick, missed) = (number(&last["tick"])?, number(&last["missed"])?);
        let mut wrong = Vec::new();
        if !at.is_sorted_by(|one, other| one.0 < other.0) || tick + 1 != rows.len() as u64 + missed {
            wrong.push(format!("{} rows, the last is tick {tick}, {missed} missed", rows.len()));
        }
        let due = |tick: u64| (tick * interval) as f64;
        let first = at.iter().map(|(tick, time)| time - due(*tick)).fold(f64::INFINITY, f64::min);
        let mut late: Vec<f64> = at.iter().map(|(tick, time)| time - due(*tick) - first).collect();
        let third = late.len().div_ceil(3);
        let drift = median(&late[late.len() - third..]) - median(&late[..third]);
        if drift.abs() > interval as f64 {
            wrong.push(format!("rows drift by {drift} ms"));
        }
        late.sort_by(f64::total_cmp);
        Ok(Ticks { rows: rows.len(), missed, late, drift, wrong })
    }

    fn late(&self, part: f64) -> f64 {
        self.late[((self.late.len() - 1) as f64 * part) as usize]
    }
}
