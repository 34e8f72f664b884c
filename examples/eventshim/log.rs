//! The log of a run: one line an event, written by whichever thread it happens on.

use std::fmt::Write as _;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub struct Log {
    started: Instant,
    written: Mutex<Written>,
}

struct Written {
    text: String,
    lines: u64,
}

impl Log {
    pub fn new() -> Log {
        let text = "{\"kind\":\"schema_version\",\"schema_version\":1,\"engine\":\"eventshim\"}\n".to_owned();
        Log { started: Instant::now(), written: Mutex::new(Written { text, lines: 1 }) }
    }

    /// Writes a thread's next event; the line that it is. Calls say from which line of the program they come.
    pub fn event(&self, tid: u64, index: u64, kind: &str, from: Option<&Location<'_>>, payload: &str) -> u64 {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.lines += 1;
        // Under the lock, so that times grow as lines do.
        let time = self.started.elapsed().as_nanos();
        let place = from.map_or_else(String::new, |from| {
            let file = from.file().rsplit(['/', '\\']).next().unwrap_or_default();
            format!("\"lr\":{0},\"stack\":[\"{file}:{0}\"],", from.line())
        });
        writeln!(
            written.text,
            "{{\"kind\":\"{kind}\",\"tid\":{tid},\"tid_event_idx\":{index},\"host_ns\":{time},{place}\"payload\":{payload}}}"
        )
        .expect("strings take all");
        written.lines
    }

    pub fn lines(&self) -> u64 {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).lines
    }

    pub fn take(&self) -> String {
        std::mem::take(&mut self.written.lock().unwrap_or_else(PoisonError::into_inner).text)
    }
}
