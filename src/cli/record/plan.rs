//! From what was typed to what is recorded.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::args::{AboutArgs, PhaseArgs, RecordArgs, When};
use crate::episode::{About, OnPhase, Plan, Schedule, Stop, TargetPlan, collect};

/// How long a callback may go on when the phases are over.
const GRACE: Duration = Duration::from_secs(1);
/// How often a callback is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What the arguments mean.
///
/// # Errors
/// A file cannot be read, or is none of its kind.
pub fn plan(args: RecordArgs, stop: &Arc<Stop>) -> anyhow::Result<Plan> {
    let collect = collect::Plan {
        proc_interval: (!args.collect.no_proc).then_some(args.collect.interval),
        qmp: args.collect.qmp,
        guest: args.collect.guest,
        perf: args.collect.perf,
        capture: args.collect.iface,
    };
    Ok(Plan {
        schedule: schedule(&args.phases)?,
        on_phase: args.phases.on_phase.map(|command| on_phase(command, Arc::clone(stop))),
        about: about(&args.about)?,
        out: args.out,
        target: args.pid.map_or(TargetPlan::Command(args.command), TargetPlan::Pid),
        collect,
        snapshot: args.about.snapshot,
        revert_at_start: args.about.revert.contains(&When::Start),
        revert_at_end: args.about.revert.contains(&When::End),
        grace: args.grace,
    })
}

fn schedule(args: &PhaseArgs) -> anyhow::Result<Schedule> {
    if let Some(file) = &args.schedule {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
        return Schedule::from_json(&text).with_context(|| file.display().to_string());
    }
    match args.phase.as_slice() {
        [] => Ok(Schedule::Clean(args.duration)),
        phases => Ok(Schedule::phases(phases.to_vec())?),
    }
}

fn about(args: &AboutArgs) -> anyhow::Result<About> {
    let mut about = About { code: args.code.clone(), ..About::default() };
    if let Some(file) = &args.meta_file {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
        let value: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
        about.take(value).map_err(anyhow::Error::msg).with_context(|| file.display().to_string())?;
    }
    for (key, value) in &args.meta {
        about.metadata.insert(key.clone(), Value::String(value.clone()));
    }
    Ok(about)
}

/// Runs a shell command for each phase. One that still runs when the phases are over is ended.
fn on_phase(command: String, stop: Arc<Stop>) -> OnPhase {
    OnPhase(Arc::new(move |phase| {
        use std::os::unix::process::CommandExt;
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).env("FORKPOINT_PHASE", phase).stdin(Stdio::null()).process_group(0);
        // Standard output is ours: the folder's path.
        shell.stdout(std::io::stderr());
        let mut child = shell.spawn().map_err(|error| error.to_string())?;
        let mut ends: Option<Instant> = None;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                break status;
            }
            if stop.is_raised() && Instant::now() > *ends.get_or_insert(Instant::now() + GRACE) {
                if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = child.wait();
                return Err("it still ran when the phases were over".to_owned());
            }
            std::thread::sleep(LOOK);
        };
        if status.success() { Ok(()) } else { Err(status.to_string()) }
    }))
}
