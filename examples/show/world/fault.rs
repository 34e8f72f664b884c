//! One fault of the world, drawn from a seed, and what may become of a run that meets it.

use super::job::{Job, Rehearsed};
use super::shim::{Order, Shim};
use super::stage::Stage;
use crate::generate::numbers::Random;

/// A fault, and what a run may make of it. That it ends as if nothing had happened is always right.
#[derive(Default)]
pub struct Fault<'s> {
    pub order: Option<(&'s Shim, Order)>,
    pub outside: Outside,
    /// Older reports stand where the new ones are to be written.
    pub has_old_reports: bool,
    /// One of these words is in the sentence of a run that ends with trouble; without any it must not.
    pub names: Vec<String>,
    /// It may be ended by these signals.
    pub signals: Vec<i32>,
    /// Standard output itself fails: it may end anywhere.
    pub is_stdout_lost: bool,
    /// A JSON report may have notes that the undisturbed run's has not.
    pub is_remarked: bool,
    /// Whoever reads standard output goes away: nothing need be said.
    pub is_reader_gone: bool,
}

/// What comes from outside of the process.
#[derive(Clone, Copy, Default)]
pub enum Outside {
    #[default]
    Nothing,
    /// `ulimit` with a flag and a number.
    Limit(&'static str, u64),
    /// A signal so many seconds after the start, or two of them.
    Signal { signal: i32, after: f64, twice: bool },
    /// The same, and the process was started with the signal ignored.
    Deaf { signal: i32, after: f64 },
    /// Stopped after so many seconds, and let go on.
    Pause { after: f64 },
    /// Standard output is read so far and then closed.
    ReaderGone { bytes: usize },
    /// Standard output is a disk that is full.
    Full,
}

impl<'s> Fault<'s> {
    pub fn none() -> Fault<'s> {
        Fault::default()
    }

    /// No fault: every call is listed.
    pub fn listing(shim: &'s Shim) -> Fault<'s> {
        let order = Order { deed: "list", calls: ALL, ..Order::default() };
        Fault { order: Some((shim, order)), ..Fault::default() }
    }
}

const ALL: &str = "read,write,open,map,sync,rename";

/// What a draw may look at.
pub struct Deck<'a> {
    pub shim: &'a Shim,
    pub stage: &'a Stage,
    pub rehearsed: &'a Rehearsed,
    /// The least limits, in KiB, under which the program speaks: of address space, of data.
    pub least: [u64; 2],
}

/// A kind of fault: its name, and a fault of it where the job can meet one.
pub type Kind = (&'static str, for<'a> fn(&Deck<'a>, &mut Random) -> Option<Fault<'a>>);

pub const KINDS: [Kind; 28] = [
    ("a read fails", |deck, random| {
        let log = deck.log(random);
        let names = vec![log.clone(), "standard input".into()];
        Some(Fault { names, ..deck.error("read", &log, &[libc::EIO, libc::ESTALE], random)? })
    }),
    ("reads come up short", |deck, random| deck.every("short", "read", random)),
    ("calls are interrupted", |deck, random| deck.every("interrupt", "read,write,open,sync", random)),
    ("a log cannot be opened", |deck, random| {
        let log = deck.log(random);
        let errors = [libc::EACCES, libc::EMFILE, libc::EIO, libc::ENOENT];
        Some(Fault { names: vec![log.clone()], ..deck.error("open", &log, &errors, random)? })
    }),
    ("a log cannot be mapped", |deck, random| deck.error("map", "in/", &[libc::ENOMEM, libc::ENODEV], random)),
    ("what the system tells is not to be had", |deck, random| {
        let place = if random.chance(0.5) { "/proc/" } else { "/sys/" };
        deck.error(if random.chance(0.5) { "open" } else { "read" }, place, &[libc::EIO, libc::EMFILE], random)
    }),
    ("standard output fails", |deck, random| {
        let fault = deck.error("write", "fd1:", &[libc::ENOSPC, libc::EIO, libc::EDQUOT], random)?;
        Some(Fault { names: vec!["standard output".into()], is_stdout_lost: true, ..fault })
    }),
    ("standard output is full", |deck, _| {
        let prints = !deck.rehearsed.calm.stdout.is_empty();
        let fault = Fault { names: vec!["standard output".into()], is_stdout_lost: true, ..Fault::default() };
        prints.then_some(Fault { outside: Outside::Full, ..fault })
    }),
    ("writes come up short", |deck, random| deck.every("short", "write", random)),
    ("a report file cannot be written", |deck, random| {
        let call = ["open", "write", "sync", "rename"][random.below(4) as usize];
        let errors = [libc::ENOSPC, libc::EIO, libc::EDQUOT, libc::EROFS];
        Some(Fault { names: vec!["out/".into()], ..deck.error(call, "out", &errors, random)? })
    }),
    ("the spool fails", |deck, random| {
        let call = ["open", "write", "read"][random.below(3) as usize];
        Some(Fault { names: vec!["stage/tmp".into()], ..deck.error(call, SPOOL, &[libc::ENOSPC, libc::EIO], random)? })
    }),
    ("threads cannot be started", |deck, random| {
        let starts = deck.count("thread", "");
        let times = random.below(2);
        let order = Order { deed: "thread", nth: 1 + random.below(starts.max(1)), times, ..Order::default() };
        let names = ["thread", "worker"].map(str::to_owned).to_vec();
        (starts > 0).then(|| Fault { names, ..deck.order(order, random) })
    }),
    ("address space is limited", |deck, random| deck.memory("-v", deck.least[0], 400_000, random)),
    ("memory is limited", |deck, random| deck.memory("-d", deck.least[1], 60_000, random)),
    ("files may not grow", |deck, random| {
        let writes = deck.rehearsed.job.outputs().count() > 0 || deck.count("write", SPOOL) > 0;
        let outside = Outside::Limit("-f", random.below(40));
        let names = ["out/", "stage/tmp"].map(str::to_owned).to_vec();
        writes.then(|| Fault { outside, names, has_old_reports: random.chance(0.5), ..Fault::default() })
    }),
    ("few files may be open", |_, random| {
        let names = ["too many open files".to_owned(), "Too many open files".to_owned()].to_vec();
        Some(Fault { outside: Outside::Limit("-n", 4 + random.below(16)), names, ..Fault::default() })
    }),
    ("a log is cut short", |deck, random| deck.change("truncate", random)),
    ("a log is written into", |deck, random| deck.change("rewrite", random)),
    ("a log grows", |deck, random| deck.change("grow", random)),
    ("another file takes a log's name", |deck, random| deck.change("replace", random)),
    ("a log loses its name", |deck, random| deck.change("remove", random)),
    ("a signal at some call", |deck, random| {
        let signal = ENDING[random.below(3) as usize];
        Some(Fault { signals: vec![signal], ..deck.signal(signal, random) })
    }),
    ("a signal at some time", |deck, random| {
        let (signal, twice) = (ENDING[random.below(3) as usize], random.chance(0.3));
        let outside = Outside::Signal { signal, after: deck.moment(random), twice };
        Some(Fault { outside, signals: vec![signal], has_old_reports: random.chance(0.5), ..Fault::default() })
    }),
    ("a signal while reports are written", |deck, random| {
        let writes = deck.rehearsed.job.outputs().count() > 0;
        let signal = ENDING[random.below(3) as usize];
        let calls = "open,write,sync,rename";
        let nth = 1 + random.below(deck.count(calls, "out").max(1));
        let order = Order {
            deed: "signal",
            calls,
            path: "out".into(),
            nth,
            times: 1,
            value: signal as u64,
            ..Order::default()
        };
        writes.then(|| Fault { signals: vec![signal], ..deck.order(order, random) })
    }),
    ("a signal that is ignored", |deck, random| {
        let outside = Outside::Deaf { signal: ENDING[random.below(3) as usize], after: deck.moment(random) };
        Some(Fault { outside, ..Fault::default() })
    }),
    ("a harmless signal", |deck, random| Some(deck.signal(HARMLESS[random.below(5) as usize], random))),
    ("a pause", |deck, random| {
        Some(Fault { outside: Outside::Pause { after: deck.moment(random) }, ..Fault::default() })
    }),
    ("the reader goes away", |deck, random| {
        let most = deck.rehearsed.calm.stdout.len() as u64;
        let fault = Fault { is_stdout_lost: true, is_reader_gone: true, ..Fault::default() };
        (most > 0).then(|| Fault { outside: Outside::ReaderGone { bytes: random.below(most) as usize }, ..fault })
    }),
];

const ENDING: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];
const HARMLESS: [i32; 5] = [libc::SIGPIPE, libc::SIGWINCH, libc::SIGCHLD, libc::SIGURG, libc::SIGCONT];
const SPOOL: &str = "stage/tmp";

impl<'a> Deck<'a> {
    /// One of the job's logs, by what their names have in common however they are opened.
    fn log(&self, random: &mut Random) -> String {
        let Job { words, .. } = &self.rehearsed.job;
        let mut logs: Vec<&str> = self.rehearsed.job.logs().collect();
        logs.extend(words.iter().map(String::as_str).filter(|word| word.ends_with(".fifo")));
        logs[random.below(logs.len() as u64) as usize].to_owned()
    }

    /// How many calls of some kinds about a path the job makes undisturbed.
    fn count(&self, kinds: &str, path: &str) -> u64 {
        let matches =
            |(kind, about): &&(String, String)| kinds.split(',').any(|one| one == kind) && about.contains(path);
        self.rehearsed.calls.iter().filter(matches).count() as u64
    }

    fn order(&self, order: Order, random: &mut Random) -> Fault<'a> {
        let order = Order { seed: random.next(), ..order };
        Fault { order: Some((self.shim, order)), has_old_reports: random.chance(0.5), ..Fault::default() }
    }

    /// One call fails, or it and all that follow.
    fn error(&self, calls: &'static str, path: &str, errors: &[i32], random: &mut Random) -> Option<Fault<'a>> {
        let count = self.count(calls, path);
        if count == 0 {
            return None;
        }
        let value = errors[random.below(errors.len() as u64) as usize] as u64;
        let (nth, times, path) = (1 + random.below(count), random.below(2), path.to_owned());
        Some(self.order(Order { deed: "error", calls, path, nth, times, value, ..Order::default() }, random))
    }

    /// Whatever calls of some kinds there are.
    fn every(&self, deed: &'static str, calls: &'static str, random: &mut Random) -> Option<Fault<'a>> {
        Some(self.order(Order { deed, calls, nth: 1, ..Order::default() }, random))
    }

    fn memory(&self, flag: &'static str, least: u64, most: u64, random: &mut Random) -> Option<Fault<'a>> {
        // Most limits are tight ones.
        let most = if random.chance(0.7) { least + 40_000 } else { most.max(least + 40_000) };
        let outside = Outside::Limit(flag, least + random.below(most - least));
        let names = ["memory", "thread", "workers"].map(str::to_owned).to_vec();
        Some(Fault { outside, names, has_old_reports: random.chance(0.5), ..Fault::default() })
    }

    fn signal(&self, signal: i32, random: &mut Random) -> Fault<'a> {
        let nth = 1 + random.below(self.count(ALL, "").max(1));
        self.order(
            Order { deed: "signal", calls: ALL, nth, times: 1, value: signal as u64, ..Order::default() },
            random,
        )
    }

    /// Something happens to a log at some call after it was opened.
    fn change(&self, deed: &'static str, random: &mut Random) -> Option<Fault<'a>> {
        let Job { words, .. } = &self.rehearsed.job;
        // A remark on the change may stand in a report for people.
        let is_plain = !words.iter().any(|word| word == "diff") || self.rehearsed.job.is_json();
        let is_remarked = deed != "truncate" && deed != "rewrite";
        let logs: Vec<&str> = self.rehearsed.job.logs().collect();
        if logs.is_empty() || is_remarked && (!is_plain || self.rehearsed.job.outputs().count() > 0) {
            return None;
        }
        let log = logs[random.below(logs.len() as u64) as usize];
        let calls = &self.rehearsed.calls;
        let first_read = calls.iter().position(|(kind, path)| kind == "read" && path.contains(log))? as u64;
        let nth = 1 + random.below(calls.len() as u64 - first_read);
        let len = std::fs::metadata(self.stage.path(log)).ok()?.len();
        let spare = if deed == "replace" { self.stage.spare().ok()? } else { Default::default() };
        let order = Order {
            deed,
            calls: ALL,
            nth,
            times: 1,
            value: random.below(len),
            target: log.to_owned(),
            spare,
            ..Order::default()
        };
        Some(Fault { is_remarked, names: vec![log.to_owned(), "standard input".into()], ..self.order(order, random) })
    }

    /// Seconds after the start, mostly within the run.
    fn moment(&self, random: &mut Random) -> f64 {
        self.rehearsed.calm.seconds * 1.1 * random.below(1000) as f64 / 1000.0
    }
}
