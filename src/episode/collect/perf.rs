//! The collector `perf`: counters of the processor and the kernel, as `perf stat` gives them for each interval.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::collector::{Collector, Desk, Failure, Words};
use super::intervals::{self, Interval, Intervals};
use super::lines::{Line, Lines};
use super::process;
use super::program::{Program, not_started};
use crate::episode::clock::wall_ns;
use crate::episode::rows::{Fields, fields};

/// How long is waited for what perf says at most before it is looked whether all is to end.
const LISTEN: Duration = Duration::from_millis(50);
/// perf says nothing when it begins: one that lives so long has begun.
const BEGUN: Duration = Duration::from_millis(300);
/// A longer line is no counter's.
const LINE: usize = 1 << 16;

/// Rows of counters.
#[derive(Clone, Debug)]
pub struct Perf {
    /// `perf`.
    pub program: PathBuf,
    /// The process; threads that it has are counted, and all that they start.
    pub pid: u32,
    /// How long an interval is.
    pub interval: Duration,
    /// Which events, as `perf list` names them.
    pub events: Vec<String>,
}

/// What the intervals so far had.
#[derive(Debug, Default)]
struct Seen {
    intervals: u64,
    with_values: u64,
    /// When the last one ended, since perf began.
    end_s: f64,
    /// Of each counter, why it had no value last.
    reasons: BTreeMap<String, String>,
}

/// What perf wrote and was not yet made a row of.
#[derive(Debug)]
struct Intake {
    lines: Lines,
    intervals: Intervals,
    /// When the open interval's first line came.
    came: (u64, u64),
    seen: Seen,
}

impl Collector for Perf {
    fn name(&self) -> &'static str {
        "perf"
    }

    fn words(&self) -> Words {
        Words { reason: "reason", ..Words::of(self.name()) }
    }

    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure> {
        let start_time = process::start_time(self.pid)
            .map_err(|error| Failure::Unavailable(format!("no process {}: {error}", self.pid)))?;
        let mut program =
            Program::start(self.command()).map_err(|error| Failure::Unavailable(not_started(&self.program, &error)))?;
        let mut intake = Intake {
            lines: Lines::of_at_most(LINE),
            intervals: Intervals::default(),
            came: (0, 0),
            seen: Seen::default(),
        };
        let ended = self.listen(desk, &mut program, &mut intake)?;
        let (seen, target) = (intake.seen, !process::runs(self.pid, start_time));
        if ended && !(target && program.code() == Some(0)) {
            return Err(Failure::Failed(format!("perf ended by itself, {}", program.end())));
        }
        if seen.intervals > 0 && seen.with_values == 0 {
            desk.event("perf_no_counters", fields! { "reason" => seen.reason() });
            desk.lacks(&format!("no counter had a value: {}", seen.reason()));
        }
        Ok(fields! {
            "ended" => if ended { "target" } else { "stop" },
            "intervals_seen" => seen.intervals,
            "intervals_with_values" => seen.with_values,
        })
    }
}

impl Perf {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let interval_ms = self.interval.as_millis().max(1).to_string();
        command.args(["stat", "-j", "-I", &interval_ms, "-e", &self.events.join(",")]);
        // Counters come by themselves on one side, complaints on the other; elsewhere numbers may have commas.
        command.args(["--log-fd", "1", "-p", &self.pid.to_string()]).env("LC_ALL", "C").stdout(Stdio::piped());
        command
    }

    /// Makes rows until all is to end or perf does; whether it did by itself.
    fn listen(&self, desk: &mut Desk, program: &mut Program, intake: &mut Intake) -> Result<bool, Failure> {
        let system = |error: std::io::Error| Failure::Failed(error.to_string());
        let (begun, mut is_told) = (Instant::now(), false);
        let mut written = Vec::new();
        loop {
            let ended = program.has_ended(&mut written).map_err(system)?;
            if !ended && !desk.stop().is_raised() && !program.listen(&mut written, LISTEN).map_err(system)? {
                // It has closed its outputs and is about to end.
                desk.stop().wait(LISTEN);
            }
            if ended && !is_told && written.is_empty() {
                return Err(Failure::Unavailable(program.end()));
            }
            if !is_told && (!written.is_empty() || begun.elapsed() >= BEGUN || desk.stop().is_raised()) {
                is_told = true;
                let interval_ms = self.interval.as_secs_f64() * 1e3;
                desk.started(fields! { "pid" => self.pid, "events" => self.events, "interval_ms" => interval_ms });
            }
            intake.take(desk, &written, self.events.len())?;
            written.clear();
            if ended {
                intake.finish(desk)?;
                return Ok(true);
            }
            if desk.stop().is_raised() {
                let stopped = program.stop(&mut written).map_err(system)?;
                if stopped.was_killed {
                    desk.lacks("perf had to be killed");
                }
                // The interval that was cut short by the end comes with it.
                intake.take(desk, &written, self.events.len())?;
                intake.finish(desk)?;
                return Ok(false);
            }
        }
    }
}

impl Intake {
    fn take(&mut self, desk: &mut Desk, written: &[u8], expected: usize) -> Result<(), Failure> {
        self.lines.push(written);
        while let Some(line) = self.lines.take() {
            let Line::Whole(text) = line else { continue };
            let Some((end_s, counter)) = intervals::line(&text) else { continue };
            if self.intervals.pending() == 0 {
                self.came = (desk.clock().now(), wall_ns());
            }
            if let Some(whole) = self.intervals.push(end_s, counter) {
                self.row(desk, &whole)?;
                self.came = (desk.clock().now(), wall_ns());
            }
        }
        // perf writes an interval at once: one that has all its counters needs not wait for the next.
        if self.intervals.pending() >= expected && self.lines.rest().is_empty() { self.finish(desk) } else { Ok(()) }
    }

    fn finish(&mut self, desk: &mut Desk) -> Result<(), Failure> {
        match self.intervals.close() {
            Some(last) => self.row(desk, &last),
            None => Ok(()),
        }
    }

    fn row(&mut self, desk: &mut Desk, interval: &Interval) -> Result<(), Failure> {
        let populated = interval.populated();
        self.seen.intervals += 1;
        self.seen.with_values += u64::from(populated > 0);
        for counter in &interval.counters {
            if let Some(why) = &counter.why {
                self.seen.reasons.insert(counter.name.clone(), why.clone());
            }
        }
        desk.with_first_row(fields! { "counters_populated" => populated });
        // The last one may be cut short, so each tells its length.
        let length_s = ((interval.end_s - self.seen.end_s) * 1e9).round() / 1e9;
        self.seen.end_s = interval.end_s;
        let row = fields! { "interval_s" => length_s, "end_s" => interval.end_s, "counters" => json!(interval.row()) };
        desk.row_at(self.came.0, self.came.1, row)
    }
}

impl Seen {
    fn reason(&self) -> String {
        let reasons: Vec<String> = self.reasons.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        reasons.join(", ")
    }
}
