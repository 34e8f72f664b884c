//! What the recorder had published is in the log however the process ends, and it ends as it would have without.

// To raise signals and to fault on purpose.
#![allow(unsafe_code)]

mod emitted;

use std::io::BufReader;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use emitted::read;
use forkpoint::emit::{Options, Recorder, ThreadLog};

const SCENE: &str = "FORKPOINT_EMIT_SCENE";
const LOG: &str = "FORKPOINT_EMIT_LOG";

/// Events of each thread of a scene.
const EVENTS: u64 = 2000;

/// Nothing is written before the end: the rings are large, and the writer sleeps.
fn recorder() -> Recorder {
    let options = Options { ring_bytes: 4 << 20, write_every: Duration::from_secs(3600), ..Options::new("scene") };
    Recorder::create(std::env::var(LOG).unwrap(), options).unwrap()
}

fn record(thread: &mut ThreadLog) {
    for event in 0..EVENTS {
        thread.event("work").payload(|payload| {
            payload.number("n", event);
        });
    }
}

fn raise(signal: libc::c_int) {
    // SAFETY: sends a signal to this thread, no more.
    unsafe { libc::raise(signal) };
}

fn handle(signal: libc::c_int, handler: usize, flags: libc::c_int) {
    // SAFETY: a valid action whose handler has the shape its flags say.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
    }
}

extern "C" fn leave(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(77) };
}

extern "C" fn leave_plainly(_: libc::c_int) {
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(78) };
}

extern "C" fn go_on(_: libc::c_int) {}

fn overflow(depth: u64) -> u64 {
    let block = std::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { overflow(depth + 1) + block[3] }
}

/// Plays one scene in a process of its own; without a scene it is no test.
#[test]
fn scene() {
    let Ok(scene) = std::env::var(SCENE) else { return };
    // No core files of what is meant to die.
    rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    )
    .unwrap();
    let (what, number) = scene.split_once(' ').unwrap_or((&scene, "0"));
    let number: libc::c_int = number.parse().unwrap();
    match what {
        "handler" => handle(number, leave as *const () as usize, libc::SA_SIGINFO),
        "plain" => handle(number, leave_plainly as *const () as usize, 0),
        "mended" => handle(number, go_on as *const () as usize, 0),
        "ignored" => handle(number, libc::SIG_IGN, 0),
        // Without the one of the standard library, which takes every fault for one that comes again.
        "default" => handle(number, libc::SIG_DFL, 0),
        _ => {}
    }
    let recorder = recorder();
    match what {
        "panic" => recorder.flush_on_panic(),
        "exit" | "busy" if number == 0 => (0..2).for_each(|_| recorder.flush_on_exit().unwrap()),
        _ => (0..2).for_each(|_| recorder.flush_on_signals().unwrap()),
    }
    let mut logs: Vec<ThreadLog> = (0..3)
        .map(|tid| {
            let recorder = recorder.clone();
            thread::spawn(move || {
                let mut thread = recorder.thread(tid).unwrap();
                record(&mut thread);
                thread
            })
        })
        .map(|thread| thread.join().unwrap())
        .collect();
    match what {
        "panic" => {
            let _ = thread::spawn(|| panic!("on purpose")).join();
            // As after an abort: nothing is dropped, nothing runs at exit.
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(76) };
        }
        "exit" => std::process::exit(75),
        "abort" => std::process::abort(),
        "overflow" => assert_eq!(overflow(0), 0),
        // SAFETY: there is nothing at this address, on purpose.
        "fault" => unsafe { std::ptr::without_provenance_mut::<u64>(16).write_volatile(1) },
        "asked" => {
            let hold = Mutex::new(());
            println!("ready");
            let _held = hold.lock();
            thread::sleep(Duration::from_secs(60));
        }
        "busy" => {
            // The others go on, until the process is gone.
            let begun = Arc::new(Barrier::new(4));
            for tid in 10..13 {
                let (recorder, begun) = (recorder.clone(), Arc::clone(&begun));
                thread::spawn(move || {
                    let mut thread = recorder.thread(tid).unwrap();
                    thread.event("work").empty();
                    begun.wait();
                    loop {
                        record(&mut thread);
                    }
                });
            }
            begun.wait();
            thread::sleep(Duration::from_millis(10));
            match number {
                0 => std::process::exit(75),
                // SAFETY: there is nothing at this address, on purpose.
                libc::SIGSEGV => unsafe { std::ptr::without_provenance_mut::<u64>(16).write_volatile(1) },
                _ => raise(number),
            }
        }
        "flushing" => {
            // Who is asked to end while it writes, again and again, writes that first.
            println!("ready");
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(60) {
                logs[0].event("work").empty();
                recorder.flush().unwrap();
            }
        }
        _ => raise(number),
    }
    drop(logs);
    // A signal that is none: the log goes on, and nothing that was written is written again.
    let mut thread = recorder.thread("behind").unwrap();
    record(&mut thread);
    drop(thread);
    drop(recorder);
    std::process::exit(79);
}

fn command(scene: &str, log: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "scene", "--nocapture"]).env(SCENE, scene).env(LOG, log).stderr(Stdio::null());
    command
}

/// Plays a scene; how it ended. The log must hold all that was recorded.
fn play(scene: &str) -> ExitStatus {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let ended = command(scene, &log).output().unwrap().status;
    assert_whole(scene, &log, if ended.code() == Some(79) { 4 } else { 3 });
    ended
}

fn assert_whole(scene: &str, log: &Path, threads: u64) {
    let reading = read(BufReader::new(std::fs::File::open(log).unwrap())).unwrap();
    assert_eq!((reading.events, reading.dropped), (threads * EVENTS, 0), "{scene}");
}

#[test]
fn a_signal_ends_the_process_as_without_and_the_log_is_whole() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM].into_iter().chain([
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGSEGV,
    ]) {
        assert_eq!(play(&format!("default {signal}")).signal(), Some(signal));
        assert_eq!(play(&format!("handler {signal}")).code(), Some(77));
        assert_eq!(play(&format!("plain {signal}")).code(), Some(78));
        assert_eq!(play(&format!("mended {signal}")).code(), Some(79));
    }
    for signal in [libc::SIGHUP, libc::SIGINT] {
        assert_eq!(play(&format!("ignored {signal}")).code(), Some(79));
    }
}

#[test]
fn a_fault_an_abort_and_a_stack_that_is_used_up_end_as_without() {
    assert_eq!(play("fault").signal(), Some(libc::SIGSEGV));
    assert_eq!(play("abort").signal(), Some(libc::SIGABRT));
    assert_eq!(play("overflow").signal(), Some(libc::SIGABRT));
}

#[test]
fn a_panic_and_an_exit_leave_a_whole_log() {
    assert_eq!(play("panic").code(), Some(76));
    assert_eq!(play("exit").code(), Some(75));
}

#[test]
fn while_others_record_the_last_line_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    for signal in [0, libc::SIGTERM, libc::SIGSEGV, libc::SIGABRT].repeat(5) {
        let ended = command(&format!("busy {signal}"), &log).output().unwrap().status;
        assert_eq!((ended.signal().unwrap_or(0), ended.code().unwrap_or(75)), (signal, 75));
        let reading = read(BufReader::new(std::fs::File::open(&log).unwrap())).unwrap();
        assert!(
            reading.threads["0"] == EVENTS && (10..13).all(|tid| reading.threads[&tid.to_string()] > 0),
            "{reading:?}"
        );
    }
}

/// Starts a scene, asks it to end, and waits for that.
fn asked(scene: &str, log: &Path, nap: Duration) -> ExitStatus {
    sent(rustix::process::Signal::TERM, scene, log, nap)
}

/// The same with any signal.
fn sent(signal: rustix::process::Signal, scene: &str, log: &Path, nap: Duration) -> ExitStatus {
    use std::io::{BufRead, BufReader};
    let mut child = command(scene, log).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The runner of tests has written something before it.
    assert!(lines.by_ref().any(|line| line.unwrap().ends_with("ready")));
    thread::sleep(nap);
    let start = Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
    let ended = child.wait().unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "{scene}");
    ended
}

#[test]
fn a_fault_that_is_sent_ends_the_process_though_it_does_not_come_again() {
    use rustix::process::Signal;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    // Of the first two the standard library has handlers.
    for signal in [Signal::SEGV, Signal::BUS, Signal::FPE, Signal::ILL, Signal::ABORT] {
        assert_eq!(sent(signal, "asked", &log, Duration::ZERO).signal(), Some(signal.as_raw()));
        assert_whole("asked", &log, 3);
    }
}

#[test]
fn who_is_asked_from_outside_to_end_does_so_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    assert_eq!(asked("asked", &log, Duration::ZERO).signal(), Some(libc::SIGTERM));
    assert_whole("asked", &log, 3);
    for millis in 0..12 {
        assert_eq!(asked("flushing", &log, Duration::from_millis(millis)).signal(), Some(libc::SIGTERM));
        let reading = read(BufReader::new(std::fs::File::open(&log).unwrap())).unwrap();
        assert!(reading.events >= 3 * EVENTS && reading.dropped == 0, "{reading:?}");
    }
}
