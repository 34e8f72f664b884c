//! The recorder of `forkpoint::emit`: how fast it is beside a lock and a buffer; that sixteen threads at once, a slow disk and every
//! end of a process leave a log that can be trusted.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use forkpoint::emit::{Options, Recorder, Summary, ThreadLog, WhenFull};
use rustix::process::{Pid, Signal, kill_process};

use super::program::watched;
use super::table::{machine, median};
use super::{Hindered, Program, Room, Shown, Table};

#[path = "../../tests/emitted/mod.rs"]
mod emitted;

const THREADS: u64 = 16;
/// Events of each thread of a process that ends.
const BEFORE_THE_END: u64 = 20_000;

#[derive(clap::Args)]
pub struct Asked {
    #[arg(long, default_value_t = 5_000_000)]
    pub events: u64,
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Record into this log and end: what the demonstration starts
    #[arg(long, hide = true, value_name = "FILE")]
    pub end: Option<PathBuf>,
    /// How
    #[arg(long, hide = true, default_value = "")]
    pub way: String,
}

pub fn show(program: &Program, room: &Room, asked: &Asked) -> Shown {
    room.demand(asked.events * 300)?;
    let mut wrong = throughput(room, asked)?;
    wrong.extend(at_once(program, room, asked)?);
    wrong.extend(slow_disk(room)?);
    wrong.extend(ends(program, room)?);
    Ok(wrong)
}

/// A call as engines log it: a name and three arguments.
fn call(thread: &mut ThreadLog, event: u64) {
    thread.event("kernel.call").cycle(event * 17).payload(|payload| {
        payload.text("name", "NtSetEvent").object("args", |args| {
            args.text("handle", "event:level-ready").number("count", event & 1023).boolean("alertable", false);
        });
    });
}

/// What it took to record, and until all was written.
struct Took {
    seconds: f64,
    cpu: f64,
    to_the_end: f64,
    summary: Summary,
}

fn record(path: &Path, events: u64, options: Options) -> Result<Took, Hindered> {
    let recorder = Recorder::create(path, options)?;
    let mut thread = recorder.thread(6)?;
    let (start, cpu) = (Instant::now(), own_cpu()?);
    (0..events).for_each(|event| call(&mut thread, event));
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), own_cpu()? - cpu);
    drop(thread);
    let summary = recorder.finish()?;
    Ok(Took { seconds, cpu, to_the_end: start.elapsed().as_secs_f64(), summary })
}

/// The way of `examples/emit/emit.rs`: a line made by `format!`, a lock, a buffer.
fn record_plainly(path: &Path, events: u64) -> Result<Took, Hindered> {
    let out = Mutex::new(BufWriter::new(File::create(path)?));
    let (start, cpu) = (Instant::now(), own_cpu()?);
    let mut bytes = 0;
    for event in 0..events {
        let mut payload = String::new();
        write!(
            payload,
            "{{\"name\":\"NtSetEvent\",\"args\":{{\"handle\":\"event:level-ready\",\"count\":{},\"alertable\":false}}}}",
            event & 1023
        )?;
        let line = format!(
            "{{\"kind\":\"kernel.call\",\"tid\":6,\"tid_event_idx\":{event},\"host_ns\":{},\"guest_cycle\":{},\"deterministic\":true,\"payload\":{payload}}}\n",
            start.elapsed().as_nanos(),
            event * 17
        );
        bytes += line.len() as u64;
        out.lock().map_err(|_| "poisoned")?.write_all(line.as_bytes())?;
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), own_cpu()? - cpu);
    out.into_inner()?.flush()?;
    let summary = Summary { events, dropped: 0, bytes };
    Ok(Took { seconds, cpu, to_the_end: start.elapsed().as_secs_f64(), summary })
}

/// Seconds that this thread was on a processor.
fn own_cpu() -> Result<f64, Hindered> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().ok_or("/proc/thread-self/schedstat: empty")?.parse()?;
    Ok(nanoseconds / 1e9)
}

fn throughput(room: &Room, asked: &Asked) -> Shown {
    let plain = || Options::new("show");
    type Way<'a> = (&'a str, Box<dyn Fn(&Path) -> Result<Took, Hindered> + 'a>);
    let file = room.path("log.jsonl");
    let nowhere = PathBuf::from("/dev/null");
    let ways: [(Way<'_>, &Path); 5] = [
        (("a lock, a buffer, format!", Box::new(|path| record_plainly(path, asked.events))), &file),
        (("recorder", Box::new(|path| record(path, asked.events, plain()))), &file),
        (
            (
                "recorder, waits",
                Box::new(|path| record(path, asked.events, Options { when_full: WhenFull::Wait, ..plain() })),
            ),
            &file,
        ),
        (("recorder, to /dev/null", Box::new(|path| record(path, asked.events, plain()))), &nowhere),
        (
            ("the same, no clock", Box::new(|path| record(path, asked.events, Options { host_ns: false, ..plain() }))),
            &nowhere,
        ),
    ];
    println!("{} events of one thread, medians of {} rounds in turn; {}", asked.events, asked.rounds, machine());
    let mut rounds: Vec<Vec<Took>> = ways.iter().map(|_| Vec::new()).collect();
    let mut wrong = Vec::new();
    for _ in 0..asked.rounds.max(1) {
        for (((name, way), path), rounds) in ways.iter().zip(&mut rounds) {
            let took = way(path)?;
            if took.summary.events + took.summary.dropped != asked.events {
                wrong.push(format!("{name}: {:?} of {} events", took.summary, asked.events));
            }
            rounds.push(took);
        }
    }
    let head = ["how", "million/s", "CPU ns an event", "to the end, million/s", "MB/s", "bytes an event", "dropped, %"];
    let mut table = Table::new(&head);
    for (((name, _), _), rounds) in ways.iter().zip(&rounds) {
        let of = |what: fn(&Took) -> f64| median(&rounds.iter().map(what).collect::<Vec<_>>());
        let events = asked.events as f64;
        let written = of(|took| took.summary.bytes as f64);
        table.row([
            (*name).to_owned(),
            format!("{:.2}", events / of(|took| took.seconds) / 1e6),
            format!("{:.0}", of(|took| took.cpu) / events * 1e9),
            format!("{:.2}", of(|took| took.summary.events as f64) / of(|took| took.to_the_end) / 1e6),
            format!("{:.0}", written / of(|took| took.to_the_end) / 1e6),
            format!("{:.0}", of(|took| took.summary.bytes as f64 / took.summary.events as f64)),
            format!("{:.2}", of(|took| took.summary.dropped as f64) / events * 100.0),
        ]);
    }
    table.print();
    Ok(wrong)
}

/// What is wrong with a log, of which the recorder told this much.
fn judged(name: &str, log: impl Read, summary: Option<Summary>) -> Vec<String> {
    let reading = match emitted::read(BufReader::new(log)) {
        Ok(reading) => reading,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let found = Summary { events: reading.events, dropped: reading.dropped, bytes: reading.bytes };
    println!(
        "{name}: {} events in {} threads, {} dropped in {} places, {} MB",
        found.events,
        reading.threads.len(),
        found.dropped,
        reading.markers,
        found.bytes / 1_000_000
    );
    match summary {
        Some(summary) if summary != found => vec![format!("{name}: {summary:?} is told, {found:?} is there")],
        _ => Vec::new(),
    }
}

fn crowd(recorder: &Recorder, events: u64) -> Result<(), Hindered> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|tid| {
                scope.spawn(move || {
                    let mut thread = recorder.thread(tid)?;
                    (0..events).for_each(|event| call(&mut thread, event));
                    Ok::<(), forkpoint::emit::InUse>(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| Ok(thread.join().map_err(|_| "a thread panicked")??))
    })
}

fn at_once(program: &Program, room: &Room, asked: &Asked) -> Shown {
    println!("{THREADS} threads at once; {}", machine());
    let mut wrong = Vec::new();
    for (name, when_full) in [("drops", WhenFull::Drop), ("waits", WhenFull::Wait)] {
        let path = room.path("log.jsonl");
        let events = (asked.events / 5 / THREADS).max(1);
        let recorder = Recorder::create(&path, Options { when_full, ring_bytes: 256 << 10, ..Options::new("show") })?;
        let start = Instant::now();
        crowd(&recorder, events)?;
        let summary = recorder.finish()?;
        println!("{:.2} million events/s in all", (events * THREADS) as f64 / start.elapsed().as_secs_f64() / 1e6);
        wrong.extend(judged(name, File::open(&path)?, Some(summary)));
        if summary.events + summary.dropped != events * THREADS || when_full == WhenFull::Wait && summary.dropped > 0 {
            wrong.push(format!("{name}: {summary:?}"));
        }
        let check = watched(program.command(["check"]).arg(&path))?;
        if check.code != Some(0) {
            wrong.push(format!("{name}: check says {}", String::from_utf8_lossy(&check.stdout)));
        }
    }
    println!();
    Ok(wrong)
}

/// A FIFO whose reader takes 64 KiB, and then a nap.
fn slow_disk(room: &Room) -> Shown {
    let fifo = room.fifo("slow")?;
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || -> std::io::Result<Vec<u8>> {
            let (mut pipe, mut all, mut block) = (File::open(fifo)?, Vec::new(), vec![0; 64 << 10]);
            loop {
                match pipe.read(&mut block)? {
                    0 => return Ok(all),
                    some => all.extend_from_slice(&block[..some]),
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let pipe = File::options().write(true).open(&fifo)?;
    let recorder = Recorder::to(pipe, Options { ring_bytes: 64 << 10, ..Options::new("show") })?;
    let (events, start) = (50_000, Instant::now());
    crowd(&recorder, events)?;
    let seconds = start.elapsed().as_secs_f64();
    let summary = recorder.finish()?;
    drop(recorder);
    let log = reader.join().map_err(|_| "the reader panicked")??;
    println!("a disk of 13 MB/s at most: {:.2} million events/s recorded", (events * THREADS) as f64 / seconds / 1e6);
    let mut wrong = judged("slow disk", &*log, Some(summary));
    if summary.events + summary.dropped != events * THREADS || summary.dropped == 0 {
        wrong.push(format!("slow disk: {summary:?}"));
    }
    println!();
    Ok(wrong)
}

/// The ends that are played: what to do, the signal that must end the process, and whether threads go on recording meanwhile.
const ENDS: [(&str, Option<i32>, bool); 21] = [
    ("HUP", Some(libc::SIGHUP), false),
    ("HUP", Some(libc::SIGHUP), true),
    ("INT", Some(libc::SIGINT), false),
    ("INT", Some(libc::SIGINT), true),
    ("QUIT", Some(libc::SIGQUIT), false),
    ("QUIT", Some(libc::SIGQUIT), true),
    ("TERM", Some(libc::SIGTERM), false),
    ("TERM", Some(libc::SIGTERM), true),
    ("ABRT", Some(libc::SIGABRT), false),
    ("BUS", Some(libc::SIGBUS), false),
    ("FPE", Some(libc::SIGFPE), false),
    ("ILL", Some(libc::SIGILL), false),
    ("SEGV", Some(libc::SIGSEGV), false),
    ("SEGV", Some(libc::SIGSEGV), true),
    ("abort", Some(libc::SIGABRT), false),
    ("abort", Some(libc::SIGABRT), true),
    ("overflow", Some(libc::SIGABRT), false),
    ("overflow", Some(libc::SIGABRT), true),
    ("panic", Some(libc::SIGABRT), false),
    ("exit", None, false),
    ("exit", None, true),
];

fn ends(program: &Program, room: &Room) -> Shown {
    println!("{} ends of a process that records in 4 threads", ENDS.len());
    let mut wrong = Vec::new();
    for (way, signal, is_busy) in ENDS {
        let name = format!("{way}{}", if is_busy { ", while it records" } else { "" });
        let log = room.path("end.jsonl");
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("emit").arg("--end").arg(&log).arg("--way").arg(if is_busy {
            format!("{way} busy")
        } else {
            way.to_owned()
        });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        // It says when it is ready, and then ends by itself or is ended.
        child.stdout.take().ok_or("piped")?.read_exact(&mut [0])?;
        if let Some(sent) = sent(way) {
            // A signal from outside takes the process as it is, a moment later.
            std::thread::sleep(Duration::from_millis(20));
            kill_process(Pid::from_child(&child), sent)?;
        }
        let ended = child.wait()?;
        if ended.signal() != signal || ended.code().unwrap_or(3) != 3 {
            wrong.push(format!("{name}: {ended}"));
        }
        wrong.extend(judged(&name, File::open(&log)?, None));
        let reading = emitted::read(BufReader::new(File::open(&log)?)).unwrap_or_default();
        let whole = (0..4).all(|tid| reading.threads.get(&tid.to_string()) == Some(&BEFORE_THE_END));
        if !whole || is_busy != reading.threads.contains_key("10") {
            wrong.push(format!("{name}: what had been recorded is not there: {:?}", reading.threads));
        }
        if watched(program.command(["check"]).arg(&log))?.code != Some(0) {
            wrong.push(format!("{name}: check finds the log wrong"));
        }
    }
    Ok(wrong)
}

fn sent(way: &str) -> Option<Signal> {
    Some(match way {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "TERM" => Signal::TERM,
        "ABRT" => Signal::ABORT,
        "BUS" => Signal::BUS,
        "FPE" => Signal::FPE,
        "ILL" => Signal::ILL,
        "SEGV" => Signal::SEGV,
        _ => return None,
    })
}

/// What a process does that is to end: records, says so, and ends.
pub fn end(log: &Path, way: &str) -> Result<(), Hindered> {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none)?;
    let (way, is_busy) = way.split_once(' ').map_or((way, false), |(way, _)| (way, true));
    // Nothing is written before the end but for want of room.
    let recorder = Recorder::create(
        log,
        Options { ring_bytes: 16 << 20, write_every: Duration::from_secs(3600), ..Options::new("show") },
    )?;
    match way {
        "panic" => recorder.flush_on_panic(),
        "exit" => recorder.flush_on_exit()?,
        _ => recorder.flush_on_signals()?,
    }
    let mut threads = (0..4).map(|tid| recorder.thread(tid)).collect::<Result<Vec<_>, _>>()?;
    std::thread::scope(|scope| {
        for thread in &mut threads {
            scope.spawn(|| (0..BEFORE_THE_END).for_each(|event| call(thread, event)));
        }
    });
    if is_busy {
        for tid in 10..12 {
            let mut thread = recorder.thread(tid)?;
            call(&mut thread, 0);
            std::thread::spawn(move || (1..=u64::MAX).for_each(|event| call(&mut thread, event)));
        }
    }
    print!(".");
    std::io::stdout().flush()?;
    match way {
        "abort" => std::process::abort(),
        "overflow" => println!("{}", overflow(0)),
        "exit" => std::process::exit(3),
        "panic" => {
            // What a program does that was built with `panic = "abort"`.
            let _ = std::thread::spawn(|| panic!("on purpose")).join();
            std::process::abort();
        }
        _ => std::thread::sleep(Duration::from_secs(60)),
    }
    Ok(())
}

/// Uses up the stack.
fn overflow(depth: u64) -> u64 {
    let block = std::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + block[3] }
}
