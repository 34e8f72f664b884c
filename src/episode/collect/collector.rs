//! A collector: a thread that writes rows of telemetry until the episode ends, and whose life is told by events.
//!
//! `NAME_started`, `NAME_first_row`, then `NAME_finished`; or `NAME_unavailable` where it cannot begin, `NAME_failed` where it ends
//! too soon, panics, or does not end at all. What is none of these is not degraded.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::episode::clock::{Clock, wall_ns};
use crate::episode::events::Events;
use crate::episode::rows::{Fields, RowFile, fields};
use crate::episode::stop::Stop;

/// How long an end may lag behind what it closes.
const ENDS: Duration = Duration::from_millis(500);

/// Something that collects rows.
pub trait Collector: Send {
    /// What its events begin with.
    fn name(&self) -> &'static str;

    /// The file of its rows.
    fn file(&self) -> String {
        format!("telemetry-{}.jsonl", self.name())
    }

    /// The events at its first row and at its end, and what a failure's reason is called.
    fn words(&self) -> Words {
        Words::of(self.name())
    }

    /// Collects until [`Desk::stop`] is raised; what its last event tells beside the number of rows.
    ///
    /// # Errors
    /// It could not begin, or could not go on.
    fn run(&mut self, desk: &mut Desk) -> Result<Fields, Failure>;
}

/// How a collector's events are called.
#[derive(Clone, Debug)]
pub struct Words {
    /// The event of its first row; none where rows tell nothing of when it began to see something.
    pub first_row: Option<String>,
    /// The event that ends it; none where it says that itself.
    pub finished: Option<String>,
    /// The member of its `_unavailable` event that says why.
    pub reason: &'static str,
}

impl Words {
    /// The words of most.
    pub fn of(name: &str) -> Words {
        Words {
            first_row: Some(format!("{name}_first_row")),
            finished: Some(format!("{name}_finished")),
            reason: "error",
        }
    }
}

/// Why a collector has no more rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It never began.
    Unavailable(String),
    /// It ended before the episode did.
    Failed(String),
}

/// What a collector works with.
#[derive(Debug)]
pub struct Desk {
    name: &'static str,
    words: Words,
    folder: PathBuf,
    file: PathBuf,
    rows: Option<RowFile>,
    shared: Arc<Shared>,
    events: Arc<Events>,
    stop: Arc<Stop>,
    /// What the event of the first row tells.
    first: Fields,
    /// What `_unavailable` and `_failed` tell beside the reason.
    about: Fields,
}

#[derive(Debug, Default)]
struct Shared {
    rows: AtomicU64,
    /// No one waits for it any more.
    is_given_up: AtomicBool,
    /// Why what came is less than what was asked for, though nothing failed.
    lacks: Mutex<Option<String>>,
    /// What it brought beside rows.
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Desk {
    /// The episode's clock.
    pub fn clock(&self) -> Clock {
        self.events.clock()
    }

    /// Where a file of its own lies in the episode's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether and when to end.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Whether what was listened to went away because all ends: a target that ends takes its sockets along, and the recorder hears of it
    /// a moment later.
    pub fn ends_now(&self) -> bool {
        self.stop.wait(ENDS)
    }

    /// Says something of its own.
    pub fn event(&self, event: &str, fields: Fields) {
        self.events.emit(event, fields);
    }

    /// Says that it has begun.
    pub fn started(&self, fields: Fields) {
        self.event(&format!("{}_started", self.name), fields);
    }

    /// What is told with the first row.
    pub fn with_first_row(&mut self, fields: Fields) {
        self.first = fields;
    }

    /// What is told beside the reason where it fails.
    pub fn with_failure(&mut self, fields: Fields) {
        self.about = fields;
    }

    /// Says why what was collected is less than what was asked for.
    pub fn lacks(&self, why: &str) {
        self.shared.lacks.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
    }

    /// Hands back how much of something there is beside its rows.
    pub fn count(&self, what: &'static str, amount: u64) {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).insert(what, amount);
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.shared.rows.load(Ordering::Relaxed)
    }

    /// Writes a row that is of now.
    ///
    /// # Errors
    /// It could not be written.
    pub fn row(&mut self, row: Fields) -> Result<(), Failure> {
        let (at, wall) = (self.clock().now(), wall_ns());
        self.row_at(at, wall, row)
    }

    /// Writes a row of a time of the episode's clock and of the host's.
    ///
    /// # Errors
    /// It could not be written.
    pub fn row_at(&mut self, at: u64, wall: u64, mut row: Fields) -> Result<(), Failure> {
        if self.shared.is_given_up.load(Ordering::Acquire) {
            return Err(Failure::Failed("it went on after it was given up".to_owned()));
        }
        let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", self.file.display()));
        row.insert("t_mono_ns".to_owned(), json!(at));
        row.insert("t_wall_ns".to_owned(), json!(wall));
        let rows = match &mut self.rows {
            Some(rows) => rows,
            none => none.insert(RowFile::create(&self.file).map_err(failed)?),
        };
        rows.append(&row).map_err(failed)?;
        if self.shared.rows.fetch_add(1, Ordering::Relaxed) == 0
            && let Some(first_row) = &self.words.first_row
        {
            self.event(first_row, self.first.clone());
        }
        Ok(())
    }
}

/// A collector that runs.
#[derive(Debug)]
pub struct Running {
    name: &'static str,
    shared: Arc<Shared>,
    events: Arc<Events>,
    ended: Receiver<Option<String>>,
}

/// What a collector brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Which one.
    pub name: &'static str,
    /// How many rows.
    pub rows: u64,
    /// Why it is not all that was asked for.
    pub lacks: Option<String>,
    /// How much there is beside rows, as `pcap_bytes`.
    pub counts: BTreeMap<&'static str, u64>,
}

/// Starts a collector in a thread of its own.
///
/// # Errors
/// There are no more threads to be had.
pub fn start(
    mut collector: Box<dyn Collector>,
    folder: &std::path::Path,
    events: &Arc<Events>,
    stop: &Arc<Stop>,
) -> std::io::Result<Running> {
    let name = collector.name();
    let shared = Arc::new(Shared::default());
    let (over, ended) = sync_channel(1);
    let mut desk = Desk {
        name,
        words: collector.words(),
        folder: folder.to_owned(),
        file: folder.join(collector.file()),
        rows: None,
        shared: Arc::clone(&shared),
        events: Arc::clone(events),
        stop: Arc::clone(stop),
        first: Fields::new(),
        about: Fields::new(),
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let done = catch_unwind(AssertUnwindSafe(|| collector.run(&mut desk)));
        let lacks = close(&desk, done);
        // Nobody listens once it was given up.
        let _ = over.send(lacks);
    })?;
    Ok(Running { name, shared, events: Arc::clone(events), ended })
}

/// The events at a collector's end, and why what it brought is less than what was asked for.
fn close(desk: &Desk, done: Result<Result<Fields, Failure>, Box<dyn std::any::Any + Send>>) -> Option<String> {
    let name = desk.name;
    if desk.shared.is_given_up.load(Ordering::Acquire) {
        return None;
    }
    let synced = desk.rows.as_ref().map_or(Ok(()), RowFile::sync);
    let done = match (done, synced) {
        (Ok(Ok(_)), Err(error)) => Ok(Err(Failure::Failed(format!("{}: {error}", desk.file.display())))),
        (done, _) => done,
    };
    let mut about = desk.about.clone();
    match done {
        Ok(Ok(told)) => {
            about = fields! { "rows" => desk.rows() };
            about.extend(told);
            if let Some(finished) = &desk.words.finished {
                desk.event(finished, about);
            }
            let lacks = desk.shared.lacks.lock().unwrap_or_else(PoisonError::into_inner).clone();
            lacks.or_else(|| (desk.rows() == 0).then(|| "no rows".to_owned()))
        }
        Ok(Err(Failure::Unavailable(why))) => {
            about.insert(desk.words.reason.to_owned(), json!(why));
            desk.event(&format!("{name}_unavailable"), about);
            Some(format!("unavailable: {why}"))
        }
        Ok(Err(Failure::Failed(why))) => {
            about.extend(fields! { "error" => why, "rows" => desk.rows() });
            desk.event(&format!("{name}_failed"), about);
            Some(format!("failed: {why}"))
        }
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let why = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned());
            about.extend(fields! { "error" => why, "rows" => desk.rows() });
            desk.event(&format!("{name}_failed"), about);
            Some(format!("failed: {why}"))
        }
    }
}

impl Running {
    /// Waits for its end until then at most, and gives it up if it does not come.
    pub fn join(self, until: Instant) -> Collected {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let lacks = match self.ended.recv_timeout(left) {
            Ok(lacks) => lacks,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.shared.is_given_up.store(true, Ordering::Release);
                let rows = self.shared.rows.load(Ordering::Relaxed);
                let why = "it did not end when it was asked to";
                self.events.emit(&format!("{}_failed", self.name), fields! { "error" => why, "rows" => rows });
                Some(format!("failed: {why}"))
            }
        };
        let counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Collected { name: self.name, rows: self.shared.rows.load(Ordering::Relaxed), lacks, counts }
    }
}
