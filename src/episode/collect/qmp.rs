//! The collector `qmp`: what QEMU says of its machine and of its disks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::collector::{Collector, Desk, Failure};
use super::monitor::{ANSWER, Monitor, MonitorError};
use super::socket::Patience;
use super::ticks::Ticks;
use crate::episode::rows::{Fields, fields};

/// Rows about a machine. Other questions to the same QEMU must go through the same monitor, for it serves one client alone.
#[derive(Clone, Debug)]
pub struct Qmp {
    /// Whom to ask.
    pub monitor: Arc<Monitor>,
    /// How far questions are apart.
    pub interval: Duration,
}

impl Collector for Qmp {
    fn name(&self) -> &'static str {
        "qmp"
    }

    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure> {
        let socket = self.monitor.socket().display().to_string();
        desk.with_failure(fields! { "socket" => socket });
        let patience = Patience::with(ANSWER, desk.stop());
        let version = self.monitor.version_within(patience);
        let version = version.map_err(|error| Failure::Unavailable(error.to_string()))?;
        desk.started(fields! { "socket" => socket, "version" => version });
        let (mut ticks, mut silent) = (Ticks::every(self.interval), 0_u64);
        while let Some(tick) = ticks.wait(desk.stop()) {
            match self.look(desk) {
                Ok(mut row) => {
                    row.extend(fields! { "tick" => tick.number, "missed" => tick.missed });
                    desk.row(row)?;
                }
                Err(_) if desk.stop().is_raised() => break,
                // A machine that is being saved or loaded elsewhere answers late, and goes on.
                Err(error) if error.is_passing() => {
                    silent += 1;
                    desk.lacks(&error.to_string());
                    if silent == 1 {
                        desk.event("qmp_silent", fields! { "error" => error.to_string() });
                    }
                }
                Err(_) if desk.ends_now() => break,
                Err(error) => return Err(Failure::Failed(error.to_string())),
            }
        }
        Ok(fields! { "silent" => silent })
    }
}

impl Qmp {
    /// One row; events that came meanwhile are told.
    fn look(&self, desk: &Desk) -> Result<Fields, MonitorError> {
        let patience = Patience::with(ANSWER, desk.stop());
        self.monitor.ask(patience, |client| {
            let answers = client
                .execute("query-status", Value::Null, patience)
                .and_then(|status| Ok((status, client.execute("query-blockstats", Value::Null, patience)?)));
            while let Some(event) = client.event() {
                desk.event("qmp_event", told(&event));
            }
            let (status, blocks) = answers?;
            Ok(row(&status, &blocks))
        })
    }
}

/// An event of QEMU as a row of the episode's.
fn told(event: &Map<String, Value>) -> Fields {
    let stamp = |part: &str| event.get("timestamp").and_then(|stamp| stamp.get(part)).and_then(Value::as_u64);
    let time = stamp("seconds").zip(stamp("microseconds")).and_then(|(seconds, microseconds)| {
        seconds.checked_mul(1_000_000_000)?.checked_add(microseconds.checked_mul(1000)?)
    });
    fields! { "name" => event.get("event"), "data" => event.get("data"), "qemu_wall_ns" => time }
}

/// The figures of all disks, each by its device's name, else by that of its node.
fn row(status: &Value, blocks: &Value) -> Fields {
    let mut devices = Map::new();
    for (number, block) in blocks.as_array().into_iter().flatten().enumerate() {
        let named = |key: &str| block.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = ["device", "node-name", "qdev"].into_iter().find_map(named);
        let name = name.map_or_else(|| format!("#{number}"), str::to_owned);
        let stats = block.get("stats").and_then(Value::as_object).into_iter().flatten();
        let figures: Map<String, Value> =
            stats.filter(|(_, value)| value.is_number()).map(|(key, value)| (key.clone(), value.clone())).collect();
        devices.insert(name, Value::Object(figures));
    }
    fields! {
        "status" => status.get("status"),
        "running" => status.get("running"),
        "blocks" => json!(devices),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_told_by_name_and_by_figures_only() {
        let stats = json!({ "rd_bytes": 5, "wr_bytes": 7, "timed_stats": [], "invalid": true });
        let blocks = json!([
            { "device": "disk0", "node-name": "#block1", "stats": stats },
            { "device": "", "node-name": "spare", "stats": stats },
            { "device": "", "stats": {} },
        ]);
        let row = row(&json!({ "status": "running", "running": true }), &blocks);
        let figures = json!({ "rd_bytes": 5, "wr_bytes": 7 });
        assert_eq!(
            Value::Object(row),
            json!({
                "status": "running", "running": true, "blocks": { "disk0": figures, "spare": figures, "#2": {} },
            })
        );
    }
}
