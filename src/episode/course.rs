//! The walk through the phases: labels, transitions, callbacks, deadlines that nothing stretches.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use super::clock::wall_ns;
use super::events::Events;
use super::rows::{Fields, RowFile, fields};
use super::schedule::{Length, Phase, Schedule};
use super::stop::Stop;

/// The label of an episode without phases.
pub const CLEAN: &str = "clean";

/// What is done when a phase of this name begins; a text says what went wrong.
pub type Act = dyn Fn(&str) -> Result<(), String> + Send + Sync;

/// Something that is done when a phase begins, in a thread of its own.
#[derive(Clone)]
pub struct OnPhase(pub Arc<Act>);

impl fmt::Debug for OnPhase {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("OnPhase")
    }
}

/// What was seen on the way.
#[derive(Debug, Default)]
pub struct Walked {
    /// The phases that began, in their order.
    pub phases: Vec<String>,
    /// What was not as it should be.
    pub lacks: Vec<String>,
}

/// A walk through the phases of a schedule.
#[derive(Debug)]
pub struct Course<'a> {
    /// Where labels go.
    pub labels: &'a mut RowFile,
    /// Where transitions go, and events that end a phase come from.
    pub events: &'a Arc<Events>,
    /// What ends it before its time.
    pub stop: &'a Stop,
    /// What is done when a phase begins.
    pub on_phase: Option<&'a OnPhase>,
}

impl Course<'_> {
    /// Walks. A label that cannot be written ends nothing, and is told.
    pub fn walk(mut self, schedule: &Schedule) -> Walked {
        let mut walked = Walked::default();
        match schedule {
            Schedule::Clean(time) => {
                self.label(CLEAN, None, "snapshot_loaded", &mut walked);
                walked.phases.push(CLEAN.to_owned());
                let callback = self.call(CLEAN);
                match time {
                    Some(time) => drop(self.stop.wait(*time)),
                    None => while !self.stop.wait(Duration::from_secs(3600)) {},
                }
                self.settle(callback.into_iter().collect(), &mut walked);
            }
            Schedule::Phases(phases) => self.walk_phases(phases, &mut walked),
        }
        walked
    }

    fn walk_phases(&mut self, phases: &[Phase], walked: &mut Walked) {
        let clock = self.events.clock();
        let mut callbacks = Vec::new();
        let mut deadline = clock.now();
        for (at, phase) in phases.iter().enumerate() {
            if self.stop.is_raised() {
                let left: Vec<&str> = phases[at..].iter().map(|phase| phase.name.as_str()).collect();
                walked.lacks.push(format!("not begun: {}", left.join(", ")));
                break;
            }
            let prev = at.checked_sub(1).map(|before| phases[before].name.as_str());
            let behind = self.events.count();
            self.label(&phase.name, prev, "scheduled", walked);
            self.events.emit("phase_transition", fields! { "to" => phase.name, "prev" => prev });
            walked.phases.push(phase.name.clone());
            callbacks.extend(self.call(&phase.name));
            match &phase.length {
                Length::For(time) => {
                    // Counted from where the phase before should have ended, so that lateness does not add up.
                    deadline = deadline.saturating_add(nanoseconds(*time));
                    if self.stop.wait(Duration::from_nanos(deadline.saturating_sub(clock.now()))) {
                        walked.lacks.push(format!("phase {} was cut short", phase.name));
                    }
                }
                Length::Until { event, max } => {
                    let until = max.map(|max| clock.now().saturating_add(nanoseconds(max)));
                    let came = self.events.wait_for(event, behind, until, self.stop);
                    if !came {
                        walked.lacks.push(format!("phase {} ended without {event}", phase.name));
                    }
                    if !came && !self.stop.is_raised() {
                        self.events.emit("phase_timeout", fields! { "phase" => phase.name, "until" => event });
                    }
                    deadline = clock.now();
                }
            }
        }
        self.settle(callbacks, walked);
    }

    fn label(&mut self, phase: &str, prev: Option<&str>, reason: &str, walked: &mut Walked) {
        let row = fields! {
            "t_mono_ns" => self.events.clock().now(),
            "t_wall_ns" => wall_ns(),
            "phase" => phase,
            "prev" => prev,
            "reason" => reason,
        };
        let written = self.labels.append(&row);
        walked.lacks.extend(written.err().map(|error| format!("label {phase}: {error}")));
    }

    fn call(&self, phase: &str) -> Option<Callback> {
        let OnPhase(act) = self.on_phase?.clone();
        let (name, events) = (phase.to_owned(), Arc::clone(self.events));
        let run = move || {
            let done = act(&name);
            let mut told: Fields = fields! { "phase" => name };
            match &done {
                Ok(()) => events.emit("on_phase_finished", told),
                Err(why) => {
                    told.insert("error".to_owned(), json!(why));
                    events.emit("on_phase_failed", told);
                }
            }
            done
        };
        let thread = std::thread::Builder::new().name("on-phase".to_owned()).spawn(run);
        Some(Callback { phase: phase.to_owned(), thread: thread.map_err(|error| error.to_string()) })
    }

    /// Waits for what was called, a little, and keeps what went wrong.
    fn settle(&self, callbacks: Vec<Callback>, walked: &mut Walked) {
        // They end with the phases.
        self.stop.raise("schedule");
        let until = Instant::now() + SETTLE;
        for Callback { phase, thread } in callbacks {
            let why = match thread {
                Err(why) => Some(why),
                Ok(thread) => {
                    while !thread.is_finished() && Instant::now() < until {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    if thread.is_finished() {
                        thread.join().unwrap_or_else(|_| Err("a panic".to_owned())).err()
                    } else {
                        Some("it did not end".to_owned())
                    }
                }
            };
            walked.lacks.extend(why.map(|why| format!("on-phase of {phase}: {why}")));
        }
    }
}

/// How long is waited in the end for what was called.
const SETTLE: Duration = Duration::from_secs(3);

type Called = JoinHandle<Result<(), String>>;

struct Callback {
    phase: String,
    thread: Result<Called, String>,
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
