//! The shapes of pairs that benches, the gate and the shows measure, each by its name.

use super::options::{Births, Diverge, EditKind, LineLength, Noisy, Options, Shape, Size, Skew, Tids};

/// Events of a thread where there are many.
const SHORT_LIFE: u64 = 500;
/// Bytes of a normal line, about.
const LINE: u64 = 235;

/// A pair of the plain kind: eight threads, renumbered, several of which part in their last twentieth; under one
/// pair in a hundred differs in bytes without being different.
pub fn plain(size: Size) -> Options {
    Options {
        seed: 7,
        size,
        tids: Tids::Shuffle,
        noise: 0.005,
        allocators: 0.003,
        diverge_late: 4,
        ..Options::default()
    }
}

/// Instruction traces of one lane that part near the end, one column of which differs in every line.
pub fn flat(size: Size, noisy: Noisy) -> Options {
    Options { shape: Shape::Flat, noisy, threads: 1, diverge_late: 1, ..plain(size) }
}

/// Every shape at about so many bytes a log.
pub fn shapes(bytes: u64) -> Vec<(&'static str, Options)> {
    let size = Size::Bytes(bytes);
    let base = || plain(size);
    let early = |thread| Diverge { thread, position: 40 + 7 * thread as u64, kind: EditKind::Value };
    let threads = (bytes / LINE / SHORT_LIFE).max(2) as usize;
    vec![
        ("same", Options { diverge_late: 0, ..base() }),
        ("early", Options { diverge_late: 0, diverge: (0..8).map(early).collect(), ..base() }),
        ("late", base()),
        ("one lane", Options { threads: 1, diverge_late: 1, ..base() }),
        ("many lanes", Options { threads, births: Births::Churn, ..base() }),
        ("60 bytes a line", Options { line: LineLength::Tiny, ..flat(size, Noisy::Cycles) }),
        ("2 KB a line", Options { line: LineLength::Huge, ..base() }),
        ("a quarter allocators", Options { allocators: 0.25, ..base() }),
        ("11 % noise", Options { noise: 0.1, allocators: 0.01, ..base() }),
        ("noisy, ignored", flat(size, Noisy::Cycles)),
        ("noisy, masked", flat(size, Noisy::Flags)),
        ("sorted keys", Options { shape: Shape::Sorted, ..base() }),
        ("reordered keys", Options { shape: Shape::Reordered, ..base() }),
        ("one log by thread", Options { skew: Skew::Candidate, ..base() }),
    ]
}
