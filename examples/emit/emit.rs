//! How a program writes a schema-v1 event log: about thirty lines to copy, and a use of them.
//!
//! Rust programs rather record with `forkpoint::emit`, which is many times as fast (`make show-emit`) and loses nothing in a
//! crash. This is for those who want no dependency, and to be translated.
//!
//! `cargo run --example emit -- OUT` writes a small log from two threads.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::sync::Mutex;
use std::time::Instant;

/// The log: one for the whole program.
struct Log {
    out: Mutex<BufWriter<File>>,
    start: Instant,
}

/// What a thread must remember: its id and its next ordinal.
struct Thread {
    tid: u64,
    next: u64,
}

impl Log {
    fn create(path: &str, engine: &str) -> Result<Self> {
        let mut out = BufWriter::new(File::create(path)?);
        writeln!(out, r#"{{"kind":"schema_version","schema_version":1,"engine":{}}}"#, quoted(engine))?;
        Ok(Self { out: Mutex::new(out), start: Instant::now() })
    }

    /// Writes one event; `payload` is the text of a JSON object.
    fn event(&self, thread: &mut Thread, kind: &str, cycle: u64, payload: &str) -> Result<()> {
        let (tid, ordinal, ns) = (thread.tid, thread.next, self.start.elapsed().as_nanos());
        thread.next += 1;
        let line = format!(
            "{{\"kind\":{},\"tid\":{tid},\"tid_event_idx\":{ordinal},\"host_ns\":{ns},\"guest_cycle\":{cycle},\"deterministic\":true,\"payload\":{payload}}}\n",
            quoted(kind)
        );
        // A whole line at once, so that threads cannot write into each other's.
        self.out.lock().unwrap().write_all(line.as_bytes())
    }

    /// To be called before the program ends, and wherever a crash is likely.
    fn flush(&self) -> Result<()> {
        self.out.lock().unwrap().flush()
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", c as u32)),
            _ => out.push(c),
        }
    }
    out + "\""
}

fn main() -> Result<()> {
    demo(&std::env::args().nth(1).unwrap_or_else(|| "emit.jsonl".to_owned()))
}

/// A log of two threads, tids 4 and 8.
pub fn demo(path: &str) -> Result<()> {
    let log = &Log::create(path, "emit \"rs\"")?;
    std::thread::scope(|scope| {
        let guests = [4, 8].map(|tid| scope.spawn(move || guest(log, Thread { tid, next: 0 })));
        guests.into_iter().try_for_each(|guest| guest.join().unwrap())
    })?;
    log.flush()
}

/// A guest thread that opens three files and ends.
fn guest(log: &Log, mut thread: Thread) -> Result<()> {
    let mut cycle = 0;
    for path in ["game:\\a.pak", "caf\u{e9} \"b\"\n", "\u{1}\u{1f980}"] {
        cycle += 40;
        let call = format!(r#"{{"name":"NtOpenFile","args":{{"path":{}}}}}"#, quoted(path));
        log.event(&mut thread, "kernel.call", cycle, &call)?;
        log.event(&mut thread, "kernel.return", cycle + 9, r#"{"name":"NtOpenFile","return_value":0}"#)?;
    }
    log.event(&mut thread, "thread.exit", cycle + 20, r#"{"exit_code":0}"#)
}
