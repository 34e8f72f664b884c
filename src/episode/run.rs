//! One run, recorded from its first event to its marker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::collect::{self, Collector, Kit, Running};
use super::course::{Course, OnPhase, Walked};
use super::emit::Doorway;
use super::error::EpisodeError;
use super::events::Events;
use super::folder::{EVENTS, Folder, LABELS, PCAP};
use super::meta::{About, Meta};
use super::rows::{RowFile, fields};
use super::schedule::Schedule;
use super::stop::Stop;
use super::target::{Ended, Target, TargetPlan};

/// How long a collector may take to end.
const HANG: Duration = Duration::from_secs(3);
/// How often the target is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What is to be recorded, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where `episodes/` is, or is to be.
    pub out: PathBuf,
    /// Of which process.
    pub target: TargetPlan,
    /// Its phases.
    pub schedule: Schedule,
    /// What is collected.
    pub collect: collect::Plan,
    /// The snapshot that the run began from.
    pub snapshot: Option<String>,
    /// Whether a machine is put back to that snapshot, through its monitor, before the first phase.
    pub revert_at_start: bool,
    /// Whether it is behind the last.
    pub revert_at_end: bool,
    /// How long a command of ours may take to end once it was asked to.
    pub grace: Duration,
    /// What is done when a phase begins.
    pub on_phase: Option<OnPhase>,
    /// What is known of it.
    pub about: About,
}

/// An episode that was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its folder.
    pub folder: PathBuf,
    /// Its id.
    pub id: String,
    /// The phases that began.
    pub phases: Vec<String>,
    /// How long it was observed.
    pub observed: Duration,
    /// How many rows of what.
    pub rows: BTreeMap<String, u64>,
    /// Why it is not all that was asked for; empty if it is.
    pub reasons: Vec<String>,
    /// What ended it: `schedule`, `target`, or the name of a signal.
    pub ended_by: String,
    /// How a command of ours ended.
    pub target: Option<Ended>,
}

/// Records a run. `stop` ends it before its time, with a reason.
///
/// # Errors
/// Nothing was recorded: no such process, a command that cannot be begun, a folder that cannot be made. Or what was recorded could not be written to
/// its end; its folder then has no marker.
pub fn record(plan: &Plan, stop: &Arc<Stop>) -> Result<Recorded, EpisodeError> {
    let attached = match &plan.target {
        TargetPlan::Pid(pid) => Some(Target::attach(*pid)?),
        TargetPlan::Command(_) => None,
    };
    let folder = Folder::create(&plan.out)?;
    let begun = Events::begin(&folder.file(EVENTS), "snapshot_load", fields! { "snapshot" => plan.snapshot });
    let events = match begun {
        Ok(events) => Arc::new(events),
        Err(error) => {
            let path = folder.file(EVENTS);
            folder.discard();
            return Err(EpisodeError::File { path, error });
        }
    };
    let recording = match Recording::begin(plan, &folder, &events, stop) {
        Ok(recording) => recording,
        Err(error) => {
            folder.discard();
            return Err(error);
        }
    };
    match attached.map_or_else(|| Target::spawn(plan.target.command(), &folder), Ok) {
        Ok(target) => recording.follow(target),
        Err(error) => {
            drop(recording);
            folder.discard();
            Err(error)
        }
    }
}

struct Recording<'a> {
    plan: &'a Plan,
    folder: &'a Folder,
    events: &'a Arc<Events>,
    stop: &'a Arc<Stop>,
    labels: RowFile,
    meta: Meta,
    kit: Kit,
    doorway: Doorway,
    reasons: Vec<String>,
}

impl<'a> Recording<'a> {
    fn begin(
        plan: &'a Plan,
        folder: &'a Folder,
        events: &'a Arc<Events>,
        stop: &'a Arc<Stop>,
    ) -> Result<Recording<'a>, EpisodeError> {
        let doorway = Doorway::open(folder, events)?;
        let path = folder.file(LABELS);
        let labels = RowFile::create(&path).map_err(EpisodeError::file(&path))?;
        let interval = plan.collect.proc_interval;
        let meta = Meta::begin(folder, &plan.about, &plan.schedule, plan.snapshot.as_deref(), interval);
        meta.write()?;
        Ok(Recording {
            plan,
            folder,
            events,
            stop,
            labels,
            meta,
            kit: Kit::new(&plan.collect),
            doorway,
            reasons: Vec::new(),
        })
    }

    /// Puts a machine back to its snapshot.
    fn revert(&mut self, when: &str, is_wanted: bool) {
        if !is_wanted {
            return;
        }
        let told = fields! { "when" => when, "snapshot" => self.plan.snapshot };
        match self.kit.revert(self.plan.snapshot.as_deref()) {
            Ok(output) => {
                let mut told = told;
                told.insert("output".to_owned(), json!(output.trim().chars().take(256).collect::<String>()));
                self.events.emit("snapshot_revert", told);
            }
            Err(why) => {
                let mut told = told;
                told.insert("error".to_owned(), json!(why));
                self.events.emit("snapshot_revert_failed", told);
                self.reasons.push(format!("revert at {when}: {why}"));
            }
        }
    }

    fn follow(mut self, target: Target) -> Result<Recorded, EpisodeError> {
        self.meta.set("vm.target_pid", json!(target.pid()));
        self.meta.set("target", self.told_of(&target));
        self.meta.write()?;
        // A machine of ours has its monitor only now.
        self.revert("start", self.plan.revert_at_start);
        let collectors_stop = Arc::new(Stop::default());
        let collectors = self.kit.collectors(&target);
        let running = self.start(collectors, &collectors_stop);
        let walked = std::thread::scope(|scope| {
            if let Ok(watcher) = target.watcher() {
                scope.spawn(move || {
                    while !self.stop.is_raised() {
                        if watcher.ends_within(LOOK) {
                            self.stop.raise("target");
                        }
                    }
                });
            }
            let course = Course {
                labels: &mut self.labels,
                events: self.events,
                stop: self.stop,
                on_phase: self.plan.on_phase.as_ref(),
            };
            let walked = course.walk(&self.plan.schedule);
            // The watcher ends too.
            self.stop.raise("schedule");
            walked
        });
        self.revert("end", self.plan.revert_at_end);
        let is_alive = target.is_alive();
        collectors_stop.raise("end");
        let rows = self.join(running);
        self.end(target, walked, rows, is_alive)
    }

    fn told_of(&self, target: &Target) -> Value {
        let words: Vec<_> = self.plan.target.command().iter().map(|word| word.to_string_lossy()).collect();
        json!({ "command": (!words.is_empty()).then_some(words), "pid": target.pid(), "start_time": target.start_time() })
    }

    fn start(&mut self, collectors: Vec<Box<dyn Collector>>, stop: &Arc<Stop>) -> Vec<Running> {
        let mut running = Vec::new();
        for collector in collectors {
            let name = collector.name();
            match collect::start(collector, self.folder.path(), self.events, stop) {
                Ok(started) => running.push(started),
                Err(error) => {
                    self.events.emit(&format!("{name}_unavailable"), fields! { "error" => error.to_string() });
                    self.reasons.push(format!("{name}: unavailable: {error}"));
                }
            }
        }
        running
    }

    fn join(&mut self, running: Vec<Running>) -> BTreeMap<String, u64> {
        let until = Instant::now() + HANG;
        let mut rows = BTreeMap::new();
        for collector in running {
            let collected = collector.join(until);
            self.reasons.extend(collected.lacks.map(|why| format!("{}: {why}", collected.name)));
            rows.insert(collected.name.to_owned(), collected.rows);
            rows.extend(collected.counts.into_iter().map(|(what, amount)| (what.to_owned(), amount)));
        }
        rows
    }

    fn end(
        mut self,
        mut target: Target,
        walked: Walked,
        rows: BTreeMap<String, u64>,
        is_alive: bool,
    ) -> Result<Recorded, EpisodeError> {
        let ended_by = self.stop.reason().unwrap_or_default();
        self.reasons.extend(walked.lacks);
        if !target.is_ours() && !is_alive {
            self.reasons.push("the target ended before the episode did".to_owned());
        }
        let ended = target.end(self.plan.grace).cloned();
        // A command of ours has ended, so nothing of its own takes the room.
        self.folder.release();
        if let Some(ended) = &ended {
            let mut told = self.told_of(&target);
            if let (Value::Object(told), Value::Object(more)) = (&mut told, ended.to_json()) {
                told.extend(more);
            }
            self.meta.set("target", told);
        }
        self.meta.set("host_fingerprint.qemu_version", json!(self.kit.version()));
        self.events.emit("episode_end", fields! { "target_pid_alive" => is_alive });
        let observed = Duration::from_nanos(self.events.clock().now());
        drop(self.doorway);
        let synced = self.events.end().and_then(|_| self.labels.sync());
        self.reasons.extend(synced.err().map(|error| format!("events: {error}")));
        let mut result = json!({
            "phases_observed": walked.phases,
            "pid_alive_at_end": is_alive,
            "duration_observed_s": observed.as_secs_f64(),
            "outcome": if self.reasons.is_empty() { "complete" } else { "degraded" },
            "reasons": self.reasons,
            "ended_by": ended_by,
        });
        for name in ["proc", "qmp", "guest", "perf", "netflow"] {
            result[format!("rows_{name}")] = json!(rows.get(name).copied().unwrap_or(0));
        }
        let pcap = std::fs::metadata(self.folder.file(PCAP)).map_or(0, |found| found.len());
        result["pcap_bytes"] = json!(pcap);
        self.meta.end(result);
        self.meta.write()?;
        self.folder.finish()?;
        Ok(Recorded {
            folder: self.folder.path().to_owned(),
            id: self.folder.id().to_owned(),
            phases: walked.phases,
            observed,
            rows,
            reasons: self.reasons,
            ended_by,
            target: ended,
        })
    }
}
