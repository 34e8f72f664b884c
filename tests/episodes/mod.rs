//! Episodes made up, as recorders write them: what was measured follows a seed.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Numbers that look random, the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// From 0 to 1.
    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Around 1, normally, so far apart.
    pub fn around(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.roll()).sum();
        1.0 + (sum - 6.0) * deviation
    }
}

/// What an episode is like.
#[derive(Clone)]
pub struct Plan {
    pub id: String,
    pub seed: u64,
    pub phases: Vec<(&'static str, f64)>,
    /// How far ticks are from the run's own rate, and runs from each other: standard deviations.
    pub tick_noise: f64,
    pub run_noise: f64,
    /// A phase that takes so many times as long, for the same work.
    pub slower: Option<(&'static str, f64)>,
    /// A phase in which one rate is so many times as high.
    pub more: Option<(&'static str, &'static str, f64)>,
    pub standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Complete,
    Degraded,
    /// Killed: no result, no marker, no end, the last rows torn.
    Killed,
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        Plan {
            id: format!("01KAQ{seed:05}XYZABCDEFGHJKMNP"),
            seed,
            phases: vec![("clean", 1.0), ("load", 2.0), ("drain", 1.0)],
            tick_noise: 0.05,
            run_noise: 0.01,
            slower: None,
            more: None,
            standing: Standing::Complete,
        }
    }
}

/// Between two rows of telemetry, in nanoseconds.
const TICK: u64 = 20_000_000;
const START: u64 = 1_795_394_187_000_000_000;

/// What happens in a second of each phase.
const RATES: [(&str, [f64; 3]); 8] = [
    ("cpu_user_ns", [5e7, 9e8, 3e8]),
    ("cpu_system_ns", [2e7, 8e7, 4e7]),
    ("run_ns", [7e7, 9.8e8, 3.4e8]),
    ("read_chars", [0.0, 5e7, 1e6]),
    ("write_bytes", [0.0, 8e6, 6e6]),
    ("voluntary_switches", [100.0, 2000.0, 800.0]),
    ("minor_faults", [50.0, 4000.0, 10.0]),
    ("major_faults", [0.0, 0.0, 0.0]),
];
const RSS: [f64; 3] = [2e7, 9e7, 6e7];

/// Writes an episode below a folder: where it is.
pub fn write(out: &Path, plan: &Plan) -> PathBuf {
    let folder = out.join("episodes").join(&plan.id);
    fs::create_dir_all(&folder).unwrap();
    let mut dice = Dice::new(plan.seed);
    let (mut labels, mut events, mut rows, mut perf) = (String::new(), String::new(), String::new(), String::new());
    let event = |events: &mut String, time: u64, name: &str, more: Value| {
        let mut row = json!({ "t_mono_ns": time, "t_wall_ns": START + time, "event": name });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        events.push_str(&format!("{row}\n"));
    };
    event(&mut events, 0, "snapshot_load", json!({ "snapshot": null }));
    event(&mut events, 40_000 + plan.seed % 7, "proc_started", json!({ "pid": 4000 + plan.seed, "interval_ms": 20 }));
    let runs: Vec<f64> = RATES.iter().map(|_| dice.around(plan.run_noise)).collect();
    let lengths: Vec<f64> = plan.phases.iter().map(|_| dice.around(plan.run_noise)).collect();
    let mut counters = RATES.map(|_| 1e9);
    let (mut now, mut prev) = (100_000u64, Value::Null);
    let mut next = now;
    for (at, (phase, seconds)) in plan.phases.iter().enumerate() {
        let slower = plan.slower.filter(|(name, _)| name == phase).map_or(1.0, |(_, times)| times);
        let label =
            json!({ "t_mono_ns": now, "t_wall_ns": START + now, "phase": phase, "prev": prev, "reason": "scheduled" });
        labels.push_str(&format!("{label}\n"));
        event(&mut events, now + 9_000, "phase_transition", json!({ "to": phase, "prev": prev }));
        prev = json!(phase);
        let end = now + (seconds * 1e9 * slower * lengths[at]) as u64;
        while next < end {
            let tick = TICK as f64 / 1e9;
            let mut row = json!({
                "t_mono_ns": next, "t_wall_ns": START + next, "pid": 4000 + plan.seed, "state": "R", "threads": 4, "processes": 1,
                "rss_bytes": (RSS[at % 3] * dice.around(plan.tick_noise / 10.0)) as u64, "swap_bytes": 0, "tick": next / TICK, "missed": 0,
            });
            for (which, (name, rates)) in RATES.iter().enumerate() {
                let more =
                    plan.more.filter(|(of, rate, _)| of == phase && rate == name).map_or(1.0, |(.., times)| times);
                counters[which] +=
                    rates[at % 3] * tick / slower * more * runs[which] * dice.around(plan.tick_noise).max(0.0);
                row[*name] = json!(counters[which] as u64);
            }
            rows.push_str(&format!("{row}\n"));
            let instructions = 2e9 * tick / slower * dice.around(plan.tick_noise);
            let told = json!({
                "t_mono_ns": next, "t_wall_ns": START + next, "interval_s": tick,
                "counters": {
                    "instructions": { "value": instructions as u64, "unit": "", "running_pct": 100.0 },
                    "task-clock": { "value": 20.0 * dice.around(plan.tick_noise / 5.0), "unit": "msec", "running_pct": 100.0 },
                    "cycles": { "value": null, "unit": "", "running_pct": 0.0, "why": "not supported" },
                },
            });
            perf.push_str(&format!("{told}\n"));
            next += TICK;
        }
        now = end;
    }
    let is_killed = plan.standing == Standing::Killed;
    let count = rows.lines().count();
    if is_killed {
        for file in [&mut events, &mut rows, &mut perf] {
            file.truncate(file.len() - 9);
        }
    } else {
        if plan.standing == Standing::Degraded {
            event(
                &mut events,
                now + 1_000,
                "qmp_unavailable",
                json!({ "error": format!("/tmp/{}/qmp.sock: no such file", plan.id) }),
            );
        }
        event(&mut events, now + 2_000, "proc_finished", json!({ "rows": count }));
        event(&mut events, now + 90_000, "episode_end", json!({ "target_pid_alive": false }));
        fs::write(folder.join("done.marker"), "").unwrap();
    }
    let phases: Vec<&str> = plan.phases.iter().map(|(phase, _)| *phase).collect();
    let outcome = if plan.standing == Standing::Degraded { "degraded" } else { "complete" };
    let reasons: &[&str] = if plan.standing == Standing::Degraded { &["qmp: unavailable: no such file"] } else { &[] };
    let result = json!({
        "phases_observed": phases, "rows_proc": count, "rows_qmp": 0, "rows_guest": 0, "rows_perf": count, "rows_netflow": 0,
        "pcap_bytes": 0, "pid_alive_at_end": false, "duration_observed_s": now as f64 / 1e9,
        "outcome": outcome, "reasons": reasons, "ended_by": "target",
    });
    let meta = json!({
        "episode_id": plan.id, "schema_version": 1, "recorder": "forkpoint 0.1.0",
        "code_version": { "commit": "0123456789abcdef0123456789abcdef01234567", "branch": "main", "dirty": true, "source": "git" },
        "started_at_wall": format!("2026-11-23T00:36:{:02}.5Z", plan.seed % 60),
        "ended_at_wall": if is_killed { Value::Null } else { json!("2026-11-23T00:36:59.5Z") },
        "host_fingerprint": { "kernel": "6.12.1", "qemu_version": null, "cpu": "A processor", "cores": 2, "memory_mib": 4096 },
        "vm": { "image_name": null, "image_sha256": null, "snapshot_name": null, "vcpus": null, "ram_mib": null, "target_pid": 4000 + plan.seed },
        "exploit": null, "sample": null, "metadata": { "variant": "a b" },
        "schedule": { "baseline_seconds": null, "interval_ms": 20.0, "phase_schedule": null },
        "target": { "command": ["./bench", "--size", "10 M"], "pid": 4000 + plan.seed, "exit_code": if is_killed { Value::Null } else { json!(0) }, "signal": null },
        "result": if is_killed { Value::Null } else { result },
    });
    fs::write(folder.join("meta.json"), format!("{meta:#}\n")).unwrap();
    fs::write(folder.join("labels.jsonl"), labels).unwrap();
    fs::write(folder.join("events.jsonl"), events).unwrap();
    fs::write(folder.join("telemetry-proc.jsonl"), rows).unwrap();
    fs::write(folder.join("telemetry-perf.jsonl"), perf).unwrap();
    fs::write(folder.join("stdout.log"), "done\n").unwrap();
    folder
}

/// An episode as the first recorder wrote it, in Python: fewer members, keys in order, blanks behind colons, one phase.
pub fn original(out: &Path, id: &str) -> PathBuf {
    let folder = out.join("episodes").join(id);
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write(
        "meta.json",
        &r#"{
  "code_version": {
    "branch": null,
    "commit": "unknown",
    "dirty": null,
    "source": "unknown"
  },
  "ended_at_wall": "2026-05-01T10:00:02.700000+00:00",
  "episode_id": "ID",
  "exploit": null,
  "host_fingerprint": {
    "kernel": "6.1.0",
    "qemu_version": null
  },
  "result": {
    "duration_observed_s": 0.412345678,
    "pcap_bytes": 0,
    "phases_observed": [
      "clean"
    ],
    "pid_alive_at_end": true,
    "rows_guest": 1,
    "rows_netflow": 2,
    "rows_perf": 0,
    "rows_proc": 4,
    "rows_qmp": 2
  },
  "sample": null,
  "schedule": {
    "baseline_seconds": 0.4,
    "interval_ms": 100,
    "phase_schedule": null
  },
  "schema_version": 1,
  "started_at_wall": "2026-05-01T10:00:02.287655+00:00",
  "vm": {
    "image_name": "(stub)",
    "image_sha256": null,
    "ram_mib": null,
    "snapshot_name": "(none-stub)",
    "target_pid": 4242,
    "vcpus": null
  }
}
"#
        .replace("ID", id),
    );
    write(
        "events.jsonl",
        "{\"event\": \"snapshot_load\", \"snapshot\": \"(none-stub)\", \"t_mono_ns\": 3210, \"t_wall_ns\": 1777629602287655000}\n\
         {\"event\": \"episode_end\", \"t_mono_ns\": 412300000, \"t_wall_ns\": 1777629602700000000, \"target_pid_alive\": true}\n",
    );
    write(
        "labels.jsonl",
        "{\"phase\": \"clean\", \"prev\": null, \"reason\": \"snapshot_loaded\", \"t_mono_ns\": 0, \"t_wall_ns\": 1777629602287700000}\n",
    );
    let rows = (0..4u64).map(|at| {
        format!(
            "{{\"cpu_system_ns\": {}, \"cpu_user_ns\": {}, \"rss_bytes\": 1048576, \"state\": \"S\", \"t_mono_ns\": {}, \"t_wall_ns\": {}}}\n",
            10_000_000 * at,
            50_000_000 * at,
            100_000_000 * at + 1_000_000,
            1_777_629_602_287_655_000 + 100_000_000 * at
        )
    });
    write("telemetry-proc.jsonl", &rows.collect::<String>());
    write(
        "telemetry-qmp.jsonl",
        "{\"blocks\": {\"virtio0\": {\"rd_bytes\": 1000, \"wr_bytes\": 0}}, \"running\": true, \"status\": \"running\", \"t_mono_ns\": 1000000, \"t_wall_ns\": 5}\n\
         {\"blocks\": {\"virtio0\": {\"rd_bytes\": 201000, \"wr_bytes\": 0}}, \"running\": true, \"status\": \"running\", \"t_mono_ns\": 201000000, \"t_wall_ns\": 6}\n",
    );
    write(
        "telemetry-guest.jsonl",
        "{\"guest\": {\"load\": [0.5, NaN], \"mem\": {\"free_kb\": 1234}, \"name\": \"x\"}, \"t_mono_ns\": 5000000, \"t_wall_ns\": 7}\n",
    );
    write(
        "netflow.jsonl",
        "{\"bytes\": 600, \"packets\": 4, \"t_mono_ns\": 100000000, \"t_wall_ns\": 8}\n{\"bytes\": 60, \"packets\": 1, \"t_mono_ns\": 200000000, \"t_wall_ns\": 9}\n",
    );
    write("done.marker", "");
    folder
}
