//! What is told while work goes on, and how long its stages took.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::size::{show_bytes, show_count};
use crate::align::{Observer, Stage};
use crate::source::Side;

/// Quicker runs show no progress.
const DELAY: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);
const LINE_TICK: Duration = Duration::from_secs(1);

/// The bar on the terminal, if one is drawn; held while it is drawn.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn bar_held() -> MutexGuard<'static, Option<ProgressBar>> {
    BAR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves a clean line on the terminal; nothing is drawn any more.
pub fn clear() {
    let bar = bar_held();
    if let Some(bar) = &*bar {
        bar.finish_and_clear();
    }
    std::mem::forget(bar);
}

/// Counts what a run takes in; draws a bar from the counts if asked to.
#[derive(Debug)]
pub struct Watch {
    counts: Arc<Counts>,
    stages: Mutex<HashMap<ThreadId, Stages>>,
    begun: Instant,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug, Default)]
struct Counts {
    bytes: [AtomicU64; 2],
    lines: [AtomicU64; 2],
    events: [AtomicU64; 2],
    by_layout: AtomicU64,
}

impl Counts {
    fn bytes(&self) -> u64 {
        self.bytes.iter().map(|side| side.load(Ordering::Relaxed)).sum()
    }
}

/// Times of one thread's stages; one that is entered inside another interrupts it.
#[derive(Debug, Default)]
struct Stages {
    open: Vec<(Stage, Instant)>,
    times: Vec<(Stage, Duration)>,
}

impl Stages {
    fn add(&mut self, stage: Stage, time: Duration) {
        match self.times.iter_mut().find(|known| known.0 == stage) {
            Some(known) => known.1 += time,
            None => self.times.push((stage, time)),
        }
    }

    fn enter(&mut self, stage: Stage, now: Instant) {
        if let Some(&(outer, since)) = self.open.last() {
            self.add(outer, now - since);
        }
        self.open.push((stage, now));
    }

    fn leave(&mut self, now: Instant) {
        if let Some((stage, since)) = self.open.pop() {
            self.add(stage, now - since);
        }
        if let Some(outer) = self.open.last_mut() {
            outer.1 = now;
        }
    }
}

impl Watch {
    /// Watches a run over so many bytes (0: unknown), drawing if `draw`.
    pub fn new(total_bytes: u64, draw: bool) -> Watch {
        let counts = Arc::new(Counts::default());
        let ticker = draw.then(|| {
            let (stop, stopped) = channel();
            let counts = Arc::clone(&counts);
            let ticks = move || {
                if stopped.recv_timeout(DELAY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                if std::io::stderr().is_terminal() {
                    draw_bar(&counts, total_bytes, &stopped);
                } else {
                    write_lines(&counts, total_bytes, &stopped);
                }
            };
            // A run without a bar is better than none.
            Some((stop, std::thread::Builder::new().spawn(ticks).ok()?))
        });
        let ticker = ticker.flatten();
        Watch { counts, stages: Mutex::default(), begun: Instant::now(), ticker }
    }

    /// Ends the drawing and leaves a clean line; call it before anything else is written.
    pub fn finish(&mut self) {
        if let Some((stop, ticker)) = self.ticker.take() {
            drop(stop);
            // A ticker that failed has drawn its last already.
            let _ = ticker.join();
        }
    }

    /// So many bytes were searched.
    pub fn searched(&self, bytes: u64) {
        self.counts.bytes[0].fetch_add(bytes, Ordering::Relaxed);
    }

    /// Times (of all workers together) and rates, one line each, for `-v`; `names` are those of
    /// the two sides.
    pub fn account(&self, names: [&str; 2]) -> Vec<String> {
        let whole = self.begun.elapsed();
        let mut told = Vec::new();
        for (at, name) in names.into_iter().enumerate() {
            let [bytes, lines, events] = [&self.counts.bytes, &self.counts.lines, &self.counts.events]
                .map(|kind| kind[at].load(Ordering::Relaxed));
            if bytes > 0 {
                let (lines, events) = (show_count(lines), show_count(events));
                told.push(format!("{name}: {}, {lines} lines, {events} events", show_bytes(bytes)));
            }
        }
        let events: u64 = self.counts.events.iter().map(|side| side.load(Ordering::Relaxed)).sum();
        let by_layout = self.counts.by_layout.load(Ordering::Relaxed);
        if by_layout > 0 {
            let share = by_layout as f64 / events as f64 * 100.0;
            told.push(format!("{share:.2} % of the events were opened by a layout"));
        }
        let mut sums = Stages::default();
        for stages in self.stages.lock().unwrap_or_else(PoisonError::into_inner).values() {
            stages.times.iter().for_each(|(stage, time)| sums.add(*stage, *time));
        }
        sums.times.sort_by_key(|(stage, _)| *stage as u8);
        for (stage, time) in &sums.times {
            let name = match stage {
                Stage::Read => "read",
                Stage::Scan => "scan",
                Stage::Align => "align",
                Stage::Compare => "compare",
                Stage::Judge => "judge",
            };
            told.push(format!("{name:8} {:8.3} s{}", time.as_secs_f64(), self.rate(*time)));
        }
        told.push(format!("{:8} {:8.3} s{}", "all", whole.as_secs_f64(), self.rate(whole)));
        told
    }

    fn rate(&self, time: Duration) -> String {
        let seconds = time.as_secs_f64();
        if seconds < 0.000_5 {
            return String::new();
        }
        format!("  {}/s", show_bytes((self.counts.bytes() as f64 / seconds) as u64))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Observer for Watch {
    fn progress(&self, side: Side, bytes: u64, lines: u64, events: u64, by_layout: u64) {
        let at = side.index();
        self.counts.bytes[at].fetch_add(bytes, Ordering::Relaxed);
        self.counts.lines[at].fetch_add(lines, Ordering::Relaxed);
        self.counts.events[at].fetch_add(events, Ordering::Relaxed);
        self.counts.by_layout.fetch_add(by_layout, Ordering::Relaxed);
    }

    fn enter(&self, stage: Stage) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.entry(std::thread::current().id()).or_default().enter(stage, Instant::now());
    }

    fn leave(&self, _stage: Stage) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages.entry(std::thread::current().id()).or_default().leave(Instant::now());
    }
}

fn draw_bar(counts: &Counts, total_bytes: u64, stopped: &Receiver<()>) {
    *bar_held() = Some(bar(total_bytes));
    while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        if let Some(bar) = &*bar_held() {
            bar.set_position(counts.bytes());
        }
    }
    if let Some(bar) = bar_held().take() {
        bar.finish_and_clear();
    }
}

/// Where a bar would be a mess, a line now and then (`--progress always` into a file or pipe).
fn write_lines(counts: &Counts, total_bytes: u64, stopped: &Receiver<()>) {
    loop {
        let of = if total_bytes > 0 { format!(" of {}", show_bytes(total_bytes)) } else { String::new() };
        super::tell(&format!("{}{of} read", show_bytes(counts.bytes())));
        if stopped.recv_timeout(LINE_TICK) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn bar(total_bytes: u64) -> ProgressBar {
    let (bar, template) = match total_bytes {
        0 => (ProgressBar::no_length(), "{spinner} {decimal_bytes} read, {decimal_bytes_per_sec}"),
        total => (
            ProgressBar::new(total),
            "{wide_bar} {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left",
        ),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(template).expect("a fixed template is sound"));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_inside_another_interrupts_it() {
        let (mut stages, start) = (Stages::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        stages.enter(Stage::Compare, at(0));
        stages.enter(Stage::Judge, at(10));
        stages.leave(at(15));
        stages.leave(at(40));
        assert_eq!(
            stages.times,
            [(Stage::Compare, Duration::from_millis(35)), (Stage::Judge, Duration::from_millis(5))]
        );
    }

    #[test]
    fn what_was_taken_in_is_told() {
        let watch = Watch::new(0, false);
        watch.progress(Side::Candidate, 2_000_000, 10_000, 9_999, 5_000);
        let told = watch.account(["reference", "candidate"]).join("\n");
        assert!(told.contains("candidate: 2.0 MB, 10,000 lines, 9,999 events"), "{told}");
        assert!(told.contains("50.01 % of the events were opened by a layout"), "{told}");
        assert!(!told.contains("reference"), "{told}");
    }
}
