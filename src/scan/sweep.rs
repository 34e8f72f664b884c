//! One log scanned from front to end, many windows at a time, told in file order.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::line::Opener;
use super::span::ScannedWindow;
use super::window::{ScanOptions, scan_window, trim};
use crate::source::{Log, SourceError, Window};

/// A window and what stands in it.
pub struct Swept<'w> {
    pub window: &'w Window,
    pub scanned: ScannedWindow,
    /// Physical lines before this window.
    pub lines_before: u64,
}

/// A log's first line that is not blank.
pub struct FirstLine<'w> {
    /// Trimmed, without byte order mark.
    pub text: &'w [u8],
    /// Physical line, from 1.
    pub line: u64,
    /// Of the first byte of `text`.
    pub offset: u64,
}

/// Scans a whole log. The first line that is not blank goes to `header`, if there is one; it is then no event.
/// Windows go to `consume` in file order, until it breaks.
///
/// # Errors
/// The log cannot be read.
pub fn sweep<'h>(
    log: &mut Log,
    opener: &Opener,
    options: ScanOptions,
    mut header: Option<&mut (dyn FnMut(FirstLine<'_>) -> ControlFlow<()> + 'h)>,
    mut consume: impl FnMut(Swept<'_>) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    let batch = rayon::current_num_threads() * WINDOWS_A_WORKER;
    let mut lines_before = 0;
    let mut windows: Vec<(Window, usize)> = Vec::with_capacity(batch);
    loop {
        windows.clear();
        while windows.len() < batch
            && let Some(window) = log.next_window()?
        {
            let mut from = 0;
            if let Some(take) = header.as_mut()
                && let Some((range, next)) = first_line(&window)
            {
                let before: u64 = windows.iter().map(|(window, _)| lines(window, window.bytes.len())).sum();
                let line = lines_before + before + lines(&window, range.start) + 1;
                let first =
                    FirstLine { text: &window.bytes[range.clone()], line, offset: window.offset + range.start as u64 };
                if take(first).is_break() {
                    return Ok(());
                }
                (header, from) = (None, next);
            }
            windows.push((window, from));
        }
        if windows.is_empty() {
            return Ok(());
        }
        let scanned: Vec<ScannedWindow> =
            windows.par_iter().map(|(window, from)| scan_window(opener, window, *from, options)).collect();
        for ((window, _), scanned) in windows.iter().zip(scanned) {
            let lines = u64::from(scanned.lines);
            if consume(Swept { window, scanned, lines_before }).is_break() {
                return Ok(());
            }
            lines_before += lines;
        }
    }
}

/// Windows in flight for each worker, so that none waits for a slow neighbour.
const WINDOWS_A_WORKER: usize = 4;

fn lines(window: &Window, end: usize) -> u64 {
    memchr::memchr_iter(b'\n', &window.bytes[..end]).count() as u64 + u64::from(window.overlong.is_some())
}

/// The first line of a window that is not blank, trimmed, and where the next one begins.
fn first_line(window: &Window) -> Option<(std::ops::Range<usize>, usize)> {
    let bytes: &[u8] = &window.bytes;
    let mut at = if window.offset == 0 && bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |feed| at + feed);
        let next = (end + 1).min(bytes.len());
        let (start, end) = trim(bytes, at, end);
        if start < end {
            return Some((start..end, next));
        }
        at = next;
    }
    None
}
