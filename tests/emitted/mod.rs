//! Reads a recorded log the plain way, line by line with serde_json: whole lines, ordinals that go on from event to event,
//! gaps only behind a marker and as long as it says.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

/// What a log holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Events, markers not counted.
    pub events: u64,
    pub markers: u64,
    /// What the markers tell in all.
    pub dropped: u64,
    pub bytes: u64,
    /// Each thread's next ordinal.
    pub threads: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    tid: Value,
    tid_event_idx: u64,
    payload: BTreeMap<String, Value>,
}

/// Reads a log to its end. Each thread has one generation.
pub fn read(mut log: impl BufRead) -> Result<Reading, String> {
    let mut reading = Reading::default();
    let mut line = Vec::new();
    for place in 1.. {
        line.clear();
        let length = log.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if length == 0 {
            break;
        }
        reading.bytes += length as u64;
        let wrong = |why: String| format!("line {place}: {why}: {}", String::from_utf8_lossy(&line));
        if line.last() != Some(&b'\n') {
            return Err(wrong("torn".to_owned()));
        }
        if place == 1 {
            let header: Value = serde_json::from_slice(&line).map_err(|error| wrong(error.to_string()))?;
            if header["kind"] != "schema_version" || header["schema_version"] != 1 {
                return Err(wrong("no header".to_owned()));
            }
            continue;
        }
        let event: Line<'_> = serde_json::from_slice(&line).map_err(|error| wrong(error.to_string()))?;
        let next = reading.threads.entry(event.tid.to_string()).or_default();
        if event.tid_event_idx != *next {
            return Err(wrong(format!("ordinal {}, not {next}", event.tid_event_idx)));
        }
        if event.kind == "forkpoint.dropped" {
            let dropped = event.payload.get("events").and_then(Value::as_u64).filter(|events| *events > 0);
            let Some(dropped) = dropped else { return Err(wrong("a marker without a number".to_owned())) };
            *next += dropped;
            reading.dropped += dropped;
            reading.markers += 1;
        } else {
            *next += 1;
            reading.events += 1;
        }
    }
    Ok(reading)
}
