//! A log of objects that are made, waited for, signalled and closed, some hundreds of them alive at a time.

use std::io::{self, Write};

use crate::generate::numbers::decimal;

/// Objects alive at a time; a handle is used again so many objects later.
const ALIVE: u64 = 300;
/// An object is signalled when so many younger ones are there.
const BEHIND: u64 = 100;
const FIRST_RAW: u64 = 0xF800_0010;

/// Threads: one makes, signals and closes, one waits for each object, two wait in vain when the log ends.
const MAKER: u64 = 4;
const TAKER: u64 = 5;
/// It waits for an object as old as the log, and for one as young.
const VAIN: [u64; 2] = [6, 7];

/// What was written, and what an audit must say of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    pub bytes: u64,
    pub lines: u64,
    pub created: u64,
    pub destroyed: u64,
}

pub struct Lives<W> {
    to: W,
    line: Vec<u8>,
    ordinals: [u64; 8],
    written: Written,
}

impl<W: Write> Lives<W> {
    /// Writes until there were so many objects, or so many bytes.
    pub fn write(to: W, objects: u64, bytes: u64) -> io::Result<Written> {
        let mut lives = Lives { to, line: Vec::new(), ordinals: [0; 8], written: Written::default() };
        lives.line.extend_from_slice(b"{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"lives\"}");
        lives.end_line()?;
        lives.create(u64::MAX, "old", false)?;
        lives.wait(VAIN[0], "old")?;
        let mut next = 0;
        while next < objects && lives.written.bytes < bytes {
            lives.life(next)?;
            next += 1;
        }
        for number in next.saturating_sub(BEHIND)..next {
            lives.signalled(number)?;
        }
        for number in next.saturating_sub(ALIVE)..next {
            lives.close(number)?;
        }
        lives.create(u64::MAX - 1, "young", false)?;
        lives.wait(VAIN[1], "young")?;
        lives.to.flush()?;
        Ok(lives.written)
    }

    /// A new object comes, an older one is signalled, the oldest goes.
    fn life(&mut self, number: u64) -> io::Result<()> {
        if let Some(gone) = number.checked_sub(ALIVE) {
            self.close(gone)?;
        }
        self.create(number, "", number % 4 == 3)?;
        number.checked_sub(BEHIND).map_or(Ok(()), |older| self.signalled(older))
    }

    fn begin(&mut self, kind: &str, thread: u64) {
        self.text("{\"kind\":\"");
        self.text(kind);
        self.text("\",\"tid\":");
        decimal(&mut self.line, thread);
        self.text(",\"tid_event_idx\":");
        decimal(&mut self.line, self.ordinals[thread as usize]);
        self.ordinals[thread as usize] += 1;
        self.text(",\"host_ns\":");
        decimal(&mut self.line, self.written.lines * 713);
        self.text(",\"payload\":{");
    }

    fn text(&mut self, text: &str) {
        self.line.extend_from_slice(text.as_bytes());
    }

    fn end_event(&mut self) -> io::Result<()> {
        self.text("}}");
        self.end_line()
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.push(b'\n');
        self.to.write_all(&self.line)?;
        self.written.bytes += self.line.len() as u64;
        self.written.lines += 1;
        self.line.clear();
        Ok(())
    }

    fn raw(&mut self, number: u64) {
        let slot = if number < u64::MAX - 1 { number % ALIVE } else { ALIVE + (u64::MAX - number) };
        decimal(&mut self.line, FIRST_RAW + slot * 4);
    }

    /// `"handle_semantic_id":"object:NUMBER"`, or a name of its own.
    fn id(&mut self, number: u64, name: &str) {
        self.text("\"handle_semantic_id\":\"object:");
        if name.is_empty() {
            decimal(&mut self.line, number);
        } else {
            self.text(name);
        }
        self.text("\"");
    }

    fn create(&mut self, number: u64, name: &str, is_semaphore: bool) -> io::Result<()> {
        self.begin("kernel.call", MAKER);
        self.text(if is_semaphore {
            "\"name\":\"NtCreateSemaphore\",\"args\":{\"initial_count\":0}"
        } else {
            "\"name\":\"NtCreateEvent\",\"args\":{\"event_type\":1,\"initial_state\":false}"
        });
        self.end_event()?;
        self.begin("handle.create", MAKER);
        self.id(number, name);
        self.text(",\"raw_handle_id\":");
        self.raw(number);
        self.text(if is_semaphore { ",\"object_type\":\"Semaphore\"" } else { ",\"object_type\":\"Event\"" });
        self.written.created += 1;
        self.end_event()
    }

    /// A thread begins to wait for one of the two that nobody signals.
    fn wait(&mut self, thread: u64, name: &str) -> io::Result<()> {
        self.begin("wait.begin", thread);
        self.id(0, name);
        self.text(",\"timeout_ms\":null");
        self.end_event()
    }

    /// Somebody waits, and goes on.
    fn signalled(&mut self, number: u64) -> io::Result<()> {
        self.begin("wait.begin", TAKER);
        self.id(number, "");
        self.end_event()?;
        self.begin("kernel.call", MAKER);
        let is_semaphore = number % 4 == 3;
        self.text(if is_semaphore { "\"name\":\"NtReleaseSemaphore\"" } else { "\"name\":\"NtSetEvent\"" });
        self.text(",\"args\":{\"handle\":");
        self.raw(number);
        self.text(if is_semaphore { ",\"release_count\":1}" } else { "}" });
        self.end_event()?;
        self.begin("wait.end", TAKER);
        self.id(number, "");
        self.text(",\"wait_result\":0");
        self.end_event()
    }

    fn close(&mut self, number: u64) -> io::Result<()> {
        self.begin("kernel.call", MAKER);
        self.text("\"name\":\"NtClose\",\"args\":{\"handle\":");
        self.raw(number);
        self.text("}");
        self.end_event()?;
        self.begin("handle.destroy", MAKER);
        self.id(number, "");
        self.text(",\"raw_handle_id\":");
        self.raw(number);
        self.written.destroyed += 1;
        self.end_event()
    }
}

/// Whatever a report does not say as it is.
pub fn hold(written: &Written, code: Option<i32>, report: &serde_json::Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |what: &str, must: serde_json::Value, is: &serde_json::Value| {
        if must != *is {
            wrong.push(format!("{what} must be {must}, is {is}"));
        }
    };
    must("exit", 1.into(), &code.into());
    must("verdict", "certain".into(), &report["verdict"]);
    must("events", (written.lines - 1).into(), &report["log"]["events"]);
    must("created", written.created.into(), &report["created"]);
    must("destroyed", written.destroyed.into(), &report["destroyed"]);
    must("unexplained", serde_json::json!([]), &report["unexplained"]);
    let waiting = report["waiting"].as_array().map_or(&[][..], Vec::as_slice);
    must("threads that wait", 2.into(), &waiting.len().into());
    for (one, (thread, name)) in waiting.iter().zip(VAIN.iter().zip(["object:old", "object:young"])) {
        must("who waits", (*thread).into(), &one["thread"]["tid"]);
        must("for what", name.into(), &one["names"][0]);
        must("why", "never-signalled".into(), &one["reason"]);
        must("for certain", true.into(), &one["certain"]);
    }
    wrong
}
