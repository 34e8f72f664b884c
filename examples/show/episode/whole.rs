//! An episode of each mode with all collectors at once.

use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use forkpoint::episode::{Episode, Fields};
use serde_json::Value;

use super::machine::Machine;
use super::readings::{GUEST, NETFLOW, Others, PERF, PROC, QMP, Reading, held, said_of};
use super::{Guarded, actor, installed, number, rows};
use crate::show::program::{Run, watched_while};
use crate::show::{Hindered, Program, Room, Shown};

/// Whom the datagrams are sent to: an address of this host that nobody else uses.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 77, 0, 1);
/// Moments at which others are asked, and how far they are apart.
const MOMENTS: usize = 3;
const APART: Duration = Duration::from_millis(800);
/// So much of a first row is shown.
const COLUMNS: usize = 150;

/// A way to say how long an episode is, and the phases that it must have then.
struct Mode {
    name: &'static str,
    options: &'static str,
    phases: &'static [&'static str],
    attaches: bool,
}

const MODES: [Mode; 4] = [
    Mode { name: "duration", options: "--duration 3500ms", phases: &["clean"], attaches: false },
    Mode {
        name: "phases",
        options: "--phase boot:1s --phase work:until=go,max=60s --phase rest:800ms --on-phase true",
        phases: &["boot", "work", "rest"],
        attaches: false,
    },
    Mode { name: "schedule", options: "--schedule schedule.json", phases: &["one", "two"], attaches: false },
    Mode { name: "pid", options: "--duration 3500ms", phases: &["clean"], attaches: true },
];
const SCHEDULE: &str = r#"[["one", 1.5], {"phase": "two", "seconds": 2}]"#;

pub fn show(program: &Program, room: &Room) -> Shown {
    let mut wrong = Vec::new();
    for mode in &MODES {
        println!("an episode by {}: {}", mode.name, mode.options);
        let told = one(program, room, mode)?;
        wrong.extend(told.into_iter().map(|line| format!("{}: {line}", mode.name)));
        println!();
    }
    Ok(wrong)
}

fn one(program: &Program, room: &Room, mode: &Mode) -> Shown {
    let folder = room.folder(mode.name)?;
    std::fs::write(folder.join("schedule.json"), SCHEDULE)?;
    let machine = Machine::within(&folder)?;
    let target = machine.as_ref().map_or_else(|| actor(&["spin"]), |machine| Ok(machine.command.clone()))?;
    let beside = Beside::start(&folder)?;
    let (mut options, files) = collectors(&folder, machine.as_ref());
    options.extend(mode.options.split(' ').map(str::to_owned));
    let attached = mode
        .attaches
        .then(|| Guarded::start(Command::new(&target[0]).args(&target[1..]).stdin(Stdio::null()).stdout(Stdio::null())))
        .transpose()?;
    match &attached {
        Some(running) => options.extend(["--pid".to_owned(), running.0.id().to_string()]),
        None => options.extend(["--".to_owned()].into_iter().chain(target)),
    }
    let mut command = program.command(["record"]);
    command.args(options).current_dir(&folder);
    let mut taken: Result<Vec<Reading>, Hindered> = Ok(Vec::new());
    let run = watched_while(&mut command, |_| {
        taken = moments(&folder, machine.as_ref(), &beside, mode, files.contains(&NETFLOW))
    });
    let (run, readings) = (run?, taken?);
    judge(program, &run, mode, &files, &readings)
}

/// What is asked for of that which is there, and the files that it must leave.
fn collectors(folder: &Path, machine: Option<&Machine>) -> (Vec<String>, Vec<&'static str>) {
    let mut options = vec!["--guest".to_owned(), folder.join("guest.sock").display().to_string()];
    let mut files = vec![PROC, GUEST];
    if let Some(machine) = machine {
        options.extend(["--qmp".to_owned(), format!("{},ms=50", machine.monitor.display())]);
        files.push(QMP);
    }
    if installed("perf").is_some() {
        options.push("--perf=100ms".to_owned());
        files.push(PERF);
    }
    if rustix::process::geteuid().is_root() && installed("tcpdump").is_some() {
        options.extend(["--iface".to_owned(), format!("lo,ip={ADDRESS}")]);
        files.push(NETFLOW);
    }
    (options, files)
}

/// What goes on beside: datagrams, and a guest that writes lines.
struct Beside {
    sent: Arc<AtomicU64>,
    told: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Beside {
    fn start(folder: &Path) -> Result<Beside, Hindered> {
        let beside = Beside { sent: Arc::default(), told: Arc::default(), is_over: Arc::default() };
        let listener = UnixListener::bind(folder.join("guest.sock"))?;
        let (told, is_over) = (Arc::clone(&beside.told), Arc::clone(&beside.is_over));
        std::thread::spawn(move || -> std::io::Result<()> {
            let (mut line, _) = listener.accept()?;
            while !is_over.load(Ordering::Relaxed) {
                let n = told.fetch_add(1, Ordering::SeqCst);
                writeln!(line, "{{\"n\": {n}, \"cpu\": {{\"user\": {}}}}}", n as f64 / 4.0)?;
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        });
        Ok(beside)
    }

    fn send(&self) -> Result<(), Hindered> {
        let receiver = UdpSocket::bind((ADDRESS, 0))?;
        let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let to = receiver.local_addr()?;
        let (sent, is_over) = (Arc::clone(&self.sent), Arc::clone(&self.is_over));
        std::thread::spawn(move || {
            let _open = receiver;
            while !is_over.load(Ordering::Relaxed) {
                sent.fetch_add(1, Ordering::SeqCst);
                let _ = sender.send_to(&[7; 100], to);
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Asks others three times while it is recorded.
fn moments(
    folder: &Path,
    machine: Option<&Machine>,
    beside: &Beside,
    mode: &Mode,
    captures: bool,
) -> Result<Vec<Reading>, Hindered> {
    let episode = at_last("label", || {
        let path = std::fs::read_dir(folder.join("episodes")).ok()?.next()?.ok()?.path();
        std::fs::read_to_string(path.join("labels.jsonl")).ok().filter(|text| text.ends_with('\n')).map(|_| path)
    })?;
    if captures {
        // What is sent earlier is not captured.
        let said = || std::fs::read_to_string(episode.join("events.jsonl")).ok();
        at_last("capture", || said().filter(|text| text.contains("pcap_started")))?;
        beside.send()?;
    }
    let meta: Value = serde_json::from_slice(&std::fs::read(episode.join("meta.json"))?)?;
    let pid = number(&meta["target"]["pid"])? as u32;
    let talk = machine.map(Machine::talk).transpose()?;
    let mut others = Others { pid, talk, sent: Arc::clone(&beside.sent), told: Arc::clone(&beside.told) };
    let mut readings = Vec::new();
    for _ in 0..MOMENTS {
        std::thread::sleep(APART);
        readings.extend(others.read()?);
    }
    if mode.options.contains("until=go") {
        std::thread::sleep(APART / 2);
        Episode::at(&episode)?.emit("go", Fields::new())?;
    }
    Ok(readings)
}

fn at_last<T>(what: &str, look: impl Fn() -> Option<T>) -> Result<T, Hindered> {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if let Some(found) = look() {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err(format!("no {what} was begun").into())
}

fn judge(program: &Program, run: &Run, mode: &Mode, files: &[&'static str], readings: &[Reading]) -> Shown {
    let mut wrong = Vec::new();
    if run.code != Some(0) {
        wrong.push(format!("exit {}: {}", run.ended(), run.stderr.trim()));
    }
    let path = PathBuf::from(String::from_utf8_lossy(&run.stdout).trim_end());
    list(&path)?;
    let phases: Vec<Value> = rows(&path.join("labels.jsonl"))?.into_iter().map(|mut row| row["phase"].take()).collect();
    if phases != mode.phases {
        wrong.push(format!("phases {phases:?}"));
    }
    let (mut before, mut behind) = (0, 0);
    for reading in readings.iter().filter(|reading| files.contains(&reading.file) && reading.file != PERF) {
        match held(reading, &said_of(reading, &rows(&path.join(reading.file))?)?) {
            Ok(counts) => (before, behind) = (before + counts.0, behind + counts.1),
            Err(line) => wrong.push(line),
        }
    }
    println!("{} readings of others at {MOMENTS} moments: {before} rows before, {behind} behind", readings.len());
    wrong.extend(guest(&rows(&path.join(GUEST))?));
    if files.contains(&PERF) {
        wrong.extend(clocks(readings, &rows(&path.join(PERF))?)?);
    }
    if files.contains(&NETFLOW) {
        wrong.extend(packets(&path)?);
    }
    let shown = program.command(["episode", "show"]).arg(&path).output()?;
    if shown.status.code() != Some(0) {
        wrong.push(format!("episode show: {}", String::from_utf8_lossy(&shown.stderr)));
    }
    Ok(wrong)
}

/// The files, each with its first row.
fn list(path: &Path) -> Result<(), Hindered> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|found| Ok(found?.path())).collect::<Result<_, Hindered>>()?;
    names.sort();
    for name in names {
        let bytes = std::fs::read(&name)?;
        let is_rows = name.extension().is_some_and(|extension| extension == "jsonl");
        let first = String::from_utf8_lossy(&bytes);
        let first: String =
            first.lines().next().filter(|_| is_rows).unwrap_or_default().chars().take(COLUMNS).collect();
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        println!("  {name:<22} {:>8} bytes  {first}", bytes.len());
    }
    Ok(())
}

/// Every line that the guest wrote, in its order.
fn guest(rows: &[Value]) -> Option<String> {
    let at = rows.iter().zip(0_u64..).position(|(row, n)| row["guest"]["n"] != n);
    at.map(|at| format!("{GUEST}: row {at} is {}", rows[at]))
}

/// What perf counted from one moment to the next, and what the scheduler says of the threads: they agree but for the intervals at both ends.
fn clocks(readings: &[Reading], rows: &[Value]) -> Shown {
    let moments: Vec<&Reading> = readings.iter().filter(|reading| reading.file == PERF).collect();
    let mut wrong = Vec::new();
    for pair in moments.windows(2) {
        let mut counted = 0.0;
        for row in rows {
            let time = number(&row["t_wall_ns"])?;
            if time > pair[0].after && time <= pair[1].before {
                counted += row["counters"]["task-clock"]["value"].as_f64().unwrap_or(0.0) / 1e3;
            }
        }
        let spent = (pair[1].value - pair[0].value) as f64 / 1e9;
        println!("perf counted {counted:.3} s on processors from one moment to the next, the scheduler {spent:.3} s");
        if (counted - spent).abs() > 0.25 + spent / 10.0 {
            wrong.push(format!("{PERF}: {counted:.3} s of {spent:.3} s"));
        }
    }
    Ok(wrong)
}

/// Each tenth of a second, as `tcpdump -r` counts it.
fn packets(path: &Path) -> Shown {
    let Some(tcpdump) = installed("tcpdump") else { return Ok(Vec::new()) };
    let said = Command::new(tcpdump).args(["-n", "-tt", "-r"]).arg(path.join("network.pcap")).output()?;
    let said = String::from_utf8(said.stdout)?;
    let mut times = Vec::new();
    for line in said.lines() {
        let (seconds, micros) = line.split(' ').next().and_then(|word| word.split_once('.')).ok_or("no time")?;
        times.push(seconds.parse::<u64>()? * 1_000_000_000 + micros.parse::<u64>()? * 1_000);
    }
    let rows = rows(&path.join(NETFLOW))?;
    let mut wrong = Vec::new();
    let mut counted = 0;
    for row in &rows {
        let (start, packets) = (number(&row["t_wall_ns"])?, number(&row["packets"])?);
        let seen = times.iter().filter(|time| (start..start + 100_000_000).contains(time)).count() as u64;
        counted += packets;
        if seen != packets {
            wrong.push(format!("{NETFLOW}: {packets} packets from {start} on, tcpdump -r counts {seen}"));
        }
    }
    println!("{} tenths of a second with {counted} packets, tcpdump -r tells {}", rows.len(), times.len());
    if counted != times.len() as u64 {
        wrong.push(format!("{NETFLOW}: {counted} of {} packets", times.len()));
    }
    Ok(wrong)
}
