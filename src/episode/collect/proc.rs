//! The collector `proc`: what the kernel says of a process and its descendants, at every tick.

use std::io;
use std::time::Duration;

use serde_json::Value;

use super::budget::Budget;
use super::collector::{Collector, Desk, Failure};
use super::process::{self, Room, Text};
use super::procfs::{self, Io, Stat, Status};
use super::threads::Threads;
use super::ticks::{Tick, Ticks};
use super::tree::{Sums, Tree};
use crate::episode::rows::{Fields, fields};

/// Rows about a process: one line of figures a tick, all cumulative or of that moment.
#[derive(Clone, Debug)]
pub struct Proc {
    /// The process.
    pub pid: u32,
    /// When it started, as [`process::start_time`] says: another one that got the number is not it.
    pub start_time: u64,
    /// How far ticks are apart.
    pub interval: Duration,
}

/// How much of a processor's time may go into each of what costs much: one part in 500.
const SHARE: u32 = 500;
/// `smaps_rollup` walks through all of a process's memory and keeps it from mapping meanwhile: not more often than this.
const PSS_APART: Duration = Duration::from_millis(100);

/// The files of a process, and what is done seldom.
struct Watched {
    pid: u32,
    start_time: u64,
    room: Room,
    buffer: Vec<u8>,
    stat: Text,
    status: Text,
    io: io::Result<Text>,
    rollup: io::Result<Text>,
    threads: Threads,
    tree: Tree,
    looking: Budget,
    summing: Budget,
    switching: Budget,
    rolling: Budget,
}

impl Collector for Proc {
    fn name(&self) -> &'static str {
        "proc"
    }

    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure> {
        desk.with_failure(fields! { "pid" => self.pid });
        let mut watched =
            Watched::open(self.pid, self.start_time).map_err(|why| Failure::Unavailable(why.to_string()))?;
        let interval_ms = self.interval.as_secs_f64() * 1e3;
        desk.started(fields! { "pid" => self.pid, "start_time" => self.start_time, "interval_ms" => interval_ms });
        if let Some(refused) = watched.refused() {
            desk.event("proc_partial", refused);
        }
        let mut ticks = Ticks::every(self.interval);
        let (mut ended, mut last) = ("stop", Tick { number: 0, missed: 0 });
        while let Some(tick) = ticks.wait(desk.stop()) {
            last = tick;
            let Ok((stat, sums)) = watched.look() else {
                ended = "target";
                break;
            };
            let row = watched.row(tick, &stat, sums);
            desk.row(row)?;
            if process::is_over(&stat) {
                ended = "target";
                break;
            }
        }
        Ok(fields! { "ended" => ended, "ticks" => last.number + 1, "missed" => last.missed })
    }
}

impl Watched {
    fn open(pid: u32, start_time: u64) -> io::Result<Watched> {
        let mut room = Room::default();
        let mut open = |name: &str| Text::open(process::folder(pid).join(name), &mut room);
        let absent = |error: io::Error| io::Error::new(error.kind(), format!("no process {pid}: {error}"));
        let mut watched = Watched {
            pid,
            start_time,
            stat: open("stat").map_err(absent)?,
            status: open("status").map_err(absent)?,
            io: open("io"),
            rollup: open("smaps_rollup"),
            room,
            buffer: Vec::new(),
            threads: Threads::of(pid),
            tree: Tree::of(pid),
            looking: Budget::one_in(SHARE, Duration::ZERO),
            summing: Budget::one_in(SHARE, Duration::ZERO),
            switching: Budget::one_in(SHARE, Duration::ZERO),
            rolling: Budget::one_in(SHARE, PSS_APART),
        };
        let found = watched.stat.read(&mut watched.buffer).and_then(process::parse)?.start_time;
        if found != start_time {
            let why = format!("process {pid} is another one: it started at tick {found}, not at {start_time}");
            return Err(io::Error::other(why));
        }
        // Opening is allowed to some whom reading is not.
        watched.io = watched.io.and_then(|text| text.read(&mut watched.buffer).map(|_| ()).map(|()| text));
        watched.rollup = watched.rollup.and_then(|text| text.read(&mut watched.buffer).map(|_| ()).map(|()| text));
        Ok(watched)
    }

    /// What is null in all rows, and why.
    fn refused(&self) -> Option<Fields> {
        let io = ["read_bytes", "write_bytes", "read_chars", "write_chars"];
        let mut lacking: Vec<&str> = Vec::new();
        lacking.extend(self.io.as_ref().err().map(|_| io).into_iter().flatten());
        lacking.extend(self.rollup.as_ref().err().map(|_| "pss_bytes"));
        let why = [self.io.as_ref().err(), self.rollup.as_ref().err()].into_iter().flatten().next()?;
        Some(fields! { "pid" => self.pid, "lacking" => lacking, "error" => why.to_string() })
    }

    /// The process and its descendants as they are now.
    fn look(&mut self) -> io::Result<(Stat, Sums)> {
        let Watched { looking, threads, tree, room, buffer, stat, .. } = self;
        looking.spend(|| {
            tree.refresh(room);
            threads.refresh(room);
        });
        let start_time = self.start_time;
        tree.read(buffer, room, |buffer| {
            let own = stat.read(buffer).and_then(process::parse)?;
            // The file belongs to the process it was opened for; this is said once more where it had to be opened again.
            if own.start_time == start_time { Ok(own) } else { Err(io::Error::other("another process")) }
        })
    }

    fn row(&mut self, tick: Tick, stat: &Stat, sums: Sums) -> Fields {
        let Watched { threads, room, buffer, .. } = self;
        let schedule = self.summing.spend(|| threads.schedule(buffer, room)).flatten();
        let switches = self.switching.spend(|| threads.switches(buffer, room)).flatten();
        let status = self.status.read(buffer).map_or_else(|_| Status::default(), procfs::status);
        let io = self.io.as_ref().ok().and_then(|text| procfs::io(text.read(buffer).ok()?));
        let rollup = self.rollup.as_ref().ok();
        let pss = rollup.and_then(|text| self.rolling.spend(|| text.read(buffer).ok().and_then(procfs::pss))).flatten();
        let mut row = figures(tick, stat, sums);
        let mut put =
            |key: &str, value: Option<u64>| row.insert(key.to_owned(), value.map_or(Value::Null, Value::from));
        put("run_ns", schedule.map(|schedule| schedule.run_ns));
        put("wait_ns", schedule.map(|schedule| schedule.wait_ns));
        put("timeslices", schedule.map(|schedule| schedule.timeslices));
        put("voluntary_switches", switches.map(|switches| switches.voluntary));
        put("involuntary_switches", switches.map(|switches| switches.involuntary));
        put("rss_bytes", status.rss_bytes);
        put("peak_rss_bytes", status.peak_rss_bytes);
        put("swap_bytes", status.swap_bytes);
        put("pss_bytes", pss);
        put("read_bytes", io.map(|io: Io| io.read_bytes));
        put("write_bytes", io.map(|io| io.write_bytes));
        put("read_chars", io.map(|io| io.read_chars));
        put("write_chars", io.map(|io| io.write_chars));
        row
    }
}

/// What is in every row.
fn figures(tick: Tick, stat: &Stat, sums: Sums) -> Fields {
    let tick_ns = 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let page = rustix::param::page_size() as u64;
    fields! {
        "tick" => tick.number,
        "missed" => tick.missed,
        "pid" => stat.pid,
        "state" => stat.state,
        "threads" => stat.threads,
        "cpu_user_ns" => stat.user_ticks.saturating_mul(tick_ns),
        "cpu_system_ns" => stat.system_ticks.saturating_mul(tick_ns),
        "minor_faults" => stat.minor_faults,
        "major_faults" => stat.major_faults,
        "vm_bytes" => stat.vm_bytes,
        "processes" => sums.processes,
        "tree_cpu_ns" => sums.ticks.saturating_mul(tick_ns),
        "tree_rss_bytes" => sums.rss_pages.saturating_mul(page),
    }
}
