//! From what was asked for to the collectors that do it, and to the machine's monitor that they share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Capture, Collector, Guest, Monitor, Perf, Plan, Proc, Qmp};
use crate::episode::target::Target;

/// What `perf stat` is asked to count.
const COUNTERS: [&str; 8] = [
    "task-clock",
    "context-switches",
    "cpu-migrations",
    "page-faults",
    "cycles",
    "instructions",
    "branch-misses",
    "cache-misses",
];
/// How long a machine may take to have a monitor.
const BEGIN: Duration = Duration::from_secs(10);
/// How long it may take to go back to a snapshot.
const LOAD: Duration = Duration::from_secs(60);

/// The collectors of an episode.
#[derive(Debug)]
pub struct Kit {
    plan: Plan,
    monitor: Option<Arc<Monitor>>,
}

impl Kit {
    /// Those of a plan.
    pub fn new(plan: &Plan) -> Kit {
        let monitor = plan.qmp.as_ref().map(|(socket, _)| Arc::new(Monitor::new(socket.clone())));
        Kit { plan: plan.clone(), monitor }
    }

    /// Makes them.
    pub fn collectors(&self, target: &Target) -> Vec<Box<dyn Collector>> {
        let (pid, start_time) = (target.pid(), target.start_time());
        let mut made: Vec<Box<dyn Collector>> = Vec::new();
        if let Some(interval) = self.plan.proc_interval {
            made.push(Box::new(Proc { pid, start_time, interval }));
        }
        if let (Some(monitor), Some((_, interval))) = (&self.monitor, &self.plan.qmp) {
            made.push(Box::new(Qmp { monitor: Arc::clone(monitor), interval: *interval }));
        }
        if let Some(socket) = &self.plan.guest {
            made.push(Box::new(Guest { socket: socket.clone() }));
        }
        if let Some(interval) = self.plan.perf {
            let events = COUNTERS.map(str::to_owned).to_vec();
            made.push(Box::new(Perf { program: PathBuf::from("perf"), pid, interval, events }));
        }
        if let Some(capture) = &self.plan.capture {
            let (iface, ip, snaplen) = (capture.iface.clone(), capture.ip, capture.snaplen);
            made.push(Box::new(Capture { program: PathBuf::from("tcpdump"), iface, ip, snaplen }));
        }
        made
    }

    /// Puts the machine back to a snapshot; what its monitor said.
    ///
    /// # Errors
    /// There is no monitor, no snapshot, or it could not be done.
    pub fn revert(&self, snapshot: Option<&str>) -> Result<String, String> {
        let monitor = self.monitor.as_ref().ok_or("no monitor was given")?;
        let snapshot = snapshot.ok_or("no snapshot was named")?;
        monitor.version(BEGIN).and_then(|_| monitor.loadvm(snapshot, LOAD)).map_err(|error| error.to_string())
    }

    /// QEMU's version, if its monitor told it.
    pub fn version(&self) -> Option<String> {
        self.monitor.as_ref()?.told_version()
    }
}
