//! What others say of the same things at the same moments, and the rule by which rows are held against it.
//!
//! All of it only grows. So whatever a row says that was taken before somebody else looked is at most what he saw, and what it says
//! later is at least that. A row is stamped just before or just behind its taking: the next one's stamp, or the one's before, is sure.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::machine::Talk;
use super::{installed, number};
use crate::show::Hindered;

/// What somebody else read between two times of the wall's clock.
pub struct Reading {
    pub file: &'static str,
    pub what: &'static str,
    pub before: u64,
    pub value: u64,
    pub after: u64,
}

/// Whom is asked.
pub struct Others {
    pub pid: u32,
    pub talk: Option<Talk>,
    /// Datagrams that were sent, and lines that the guest wrote.
    pub sent: Arc<AtomicU64>,
    pub told: Arc<AtomicU64>,
}

pub const PROC: &str = "telemetry-proc.jsonl";
pub const QMP: &str = "telemetry-qmp.jsonl";
pub const GUEST: &str = "telemetry-guest.jsonl";
pub const PERF: &str = "telemetry-perf.jsonl";
pub const NETFLOW: &str = "netflow.jsonl";

impl Others {
    pub fn read(&mut self) -> Result<Vec<Reading>, Hindered> {
        let mut found = Vec::new();
        let pid = self.pid;
        if let Some(ps) = installed("ps") {
            let before = now()?;
            let said =
                Command::new(ps).args(["-o", "min_flt=", "-o", "maj_flt=", "-p", &pid.to_string()]).output()?.stdout;
            let after = now()?;
            let said = String::from_utf8(said)?;
            for (what, word) in ["minor_faults", "major_faults"].into_iter().zip(said.split_whitespace()) {
                found.push(Reading { file: PROC, what, before, value: word.parse()?, after });
            }
        }
        let mut ask = |file, what, asked: &mut dyn FnMut() -> Result<u64, Hindered>| -> Result<(), Hindered> {
            let before = now()?;
            let value = asked()?;
            found.push(Reading { file, what, before, value, after: now()? });
            Ok(())
        };
        ask(PROC, "read_chars", &mut || figure(&format!("/proc/{pid}/io"), "rchar:"))?;
        ask(PROC, "write_chars", &mut || figure(&format!("/proc/{pid}/io"), "wchar:"))?;
        ask(PROC, "cpu_user_ns", &mut || user_time(pid))?;
        ask(PERF, "task-clock", &mut || time_on_processors(pid))?;
        ask(GUEST, "n", &mut || Ok(self.told.load(Ordering::SeqCst)))?;
        ask(NETFLOW, "packets_in", &mut || Ok(self.sent.load(Ordering::SeqCst)))?;
        if let Some(talk) = &mut self.talk {
            talk.read_disk()?;
            ask(QMP, "rd_bytes", &mut || talk.read_bytes())?;
        }
        Ok(found)
    }
}

fn now() -> Result<u64, Hindered> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().try_into()?)
}

fn figure(path: &str, key: &str) -> Result<u64, Hindered> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)).ok_or_else(|| format!("{path}: no {key}"))?;
    Ok(line.trim().parse()?)
}

fn user_time(pid: u32) -> Result<u64, Hindered> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = text.rsplit_once(") ").ok_or("/proc/PID/stat has no name")?.1;
    let ticks: u64 = fields.split(' ').nth(11).ok_or("/proc/PID/stat is cut")?.parse()?;
    Ok(ticks * 1_000_000_000 / rustix::param::clock_ticks_per_second())
}

/// Of all threads together, in nanoseconds.
fn time_on_processors(pid: u32) -> Result<u64, Hindered> {
    let mut sum = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // One that has ended meanwhile has none.
        let text = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        sum += text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// What a file's rows say of it, each with its time.
pub fn said_of(reading: &Reading, rows: &[Value]) -> Result<Vec<(u64, u64)>, Hindered> {
    let mut sum = 0;
    let of_row = |row: &Value| -> Result<(u64, u64), Hindered> {
        let value = match (reading.file, reading.what) {
            (QMP, what) => number(&row["blocks"]["disk0"][what])?,
            (GUEST, what) => number(&row["guest"][what])? + 1,
            (NETFLOW, what) => {
                sum += number(&row[what])?;
                sum
            }
            (_, what) => number(&row[what])?,
        };
        Ok((number(&row["t_wall_ns"])?, value))
    };
    rows.iter().map(of_row).collect()
}

/// How many rows were held against a reading before and behind it; or what is wrong.
pub fn held(reading: &Reading, said: &[(u64, u64)]) -> Result<(usize, usize), String> {
    let Reading { file, what, before, value, after } = *reading;
    let earlier = said.windows(2).filter(|pair| pair[1].0 <= before).map(|pair| pair[0].1);
    let later = said.windows(2).filter(|pair| pair[0].0 >= after).map(|pair| pair[1].1);
    // A guest's line may be read late.
    let late = u64::from(file == GUEST) * u64::MAX;
    let (counts, bounds) = ((earlier.clone().count(), later.clone().count()), (earlier.max(), later.min()));
    match bounds {
        (Some(most), Some(least)) if most <= value && value <= least.saturating_add(late) => Ok(counts),
        _ => Err(format!("{file}: {what} is {value}, rows before and behind say {bounds:?}")),
    }
}
