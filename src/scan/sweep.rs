//! One log scanned from front to end, many windows at a time, told in file order.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::line::Opener;
use super::span::ScannedWindow;
use super::window::{ScanOptions, scan_window};
use crate::source::{Log, SourceError, Window};

/// A window and what stands in it.
pub struct Swept<'w> {
    pub window: &'w Window,
    pub scanned: ScannedWindow,
    /// Physical lines before this window.
    pub lines_before: u64,
}

/// Where a sweep starts: at the log's beginning, or in a window that was taken from it for its header.
#[derive(Default)]
pub struct Start {
    /// The window, and the byte from which its lines are events.
    pub window: Option<(Window, usize)>,
    /// Physical lines before that window.
    pub lines_before: u64,
}

/// Scans a whole log. Windows go to `consume` in file order, until it breaks.
///
/// # Errors
/// The log cannot be read.
pub fn sweep(
    log: &mut Log,
    opener: &Opener,
    options: ScanOptions,
    start: Start,
    mut consume: impl FnMut(Swept<'_>) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    sweep_with(log, opener, options, start, |_, _| (), |swept, ()| consume(swept))
}

/// The same; what `look` makes of each window, on any thread, is handed on with it.
///
/// # Errors
/// The log cannot be read.
pub fn sweep_with<T: Send>(
    log: &mut Log,
    opener: &Opener,
    options: ScanOptions,
    start: Start,
    look: impl Fn(&Window, &ScannedWindow) -> T + Sync,
    mut consume: impl FnMut(Swept<'_>, T) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    let mut sweep = Sweep::new(log, opener, options, start);
    while sweep.some(&look, &mut consume)?.is_continue() {}
    Ok(())
}

/// A log on its way, for who reads several.
pub struct Sweep<'l> {
    log: &'l mut Log,
    opener: &'l Opener,
    options: ScanOptions,
    windows: Vec<(Window, usize)>,
    lines_before: u64,
}

impl<'l> Sweep<'l> {
    pub fn new(log: &'l mut Log, opener: &'l Opener, options: ScanOptions, start: Start) -> Sweep<'l> {
        let windows = start.window.into_iter().collect();
        Sweep { log, opener, options, windows, lines_before: start.lines_before }
    }

    /// Scans the next windows, as many as keep the workers busy. Breaks where `consume` does, and at the log's end.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn some<T: Send>(
        &mut self,
        look: impl Fn(&Window, &ScannedWindow) -> T + Sync,
        mut consume: impl FnMut(Swept<'_>, T) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, SourceError> {
        // A stream's windows are taken one by one: to wait for the next would hold back what is known already.
        let batch = if self.log.is_stream() { 1 } else { rayon::current_num_threads() * WINDOWS_A_WORKER };
        self.log.demand_memory(BATCH_MEMORY)?;
        while self.windows.len() < batch
            && let Some(window) = self.log.next_window()?
        {
            self.windows.push((window, 0));
        }
        if self.windows.is_empty() {
            return Ok(ControlFlow::Break(()));
        }
        let scanned: Vec<(ScannedWindow, T)> = (self.windows.par_iter())
            .map(|(window, from)| {
                let scanned = scan_window(self.opener, window, *from, self.options);
                let seen = look(window, &scanned);
                (scanned, seen)
            })
            .collect();
        for ((window, _), (scanned, seen)) in self.windows.iter().zip(scanned) {
            let lines = u64::from(scanned.lines);
            if consume(Swept { window, scanned, lines_before: self.lines_before }, seen).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.lines_before += lines;
        }
        self.windows.clear();
        Ok(ControlFlow::Continue(()))
    }
}

/// Memory that the next windows may take, in bytes, beside themselves.
const BATCH_MEMORY: usize = 16 << 20;

/// Windows in flight for each worker, so that none waits for a slow neighbour.
const WINDOWS_A_WORKER: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::source::OpenOptions;

    #[test]
    fn windows_come_in_file_order_with_their_lines_counted() {
        let text: String = (0..1000).map(|at| format!("{{\"tid\":{},\"n\":{at}}}\n\n", at % 7)).collect();
        let profile: Profile = crate::profile::builtin("generic").unwrap();
        let opener = Opener::new(&profile, false);
        for window_bytes in [1, 100, 1 << 20] {
            let options = OpenOptions { window_bytes, ..OpenOptions::default() };
            let mut log = Log::from_bytes("test", text.clone().into_bytes(), &options);
            let mut lines = Vec::new();
            sweep(&mut log, &opener, ScanOptions::default(), Start::default(), |swept| {
                let spans = swept.scanned.groups.iter().flat_map(|group| swept.scanned.spans_of(group));
                lines.extend(spans.map(|span| swept.lines_before + u64::from(span.row)));
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(lines, (0..1000).map(|at| at * 2).collect::<Vec<_>>(), "{window_bytes}");
        }
    }
}
