//! Room `compare`: pairs weighed, by how often and in what they differ in bytes.

use super::pairs::generate::catalogue::{flat, plain};
use super::pairs::generate::{LineLength, Noisy, Options, Shape, Size};
use super::pairs::make;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use forkpoint::align::event_of;
use forkpoint::compare::{Comparer, Event, Scratch, Weighed};
use forkpoint::scan::{Opener, reopen};

/// One lane, so that the n-th lines of both logs are a pair; nothing differs but in spelling and where rules say so.
fn alone(options: Options) -> Options {
    Options { threads: 1, diverge_late: 0, ..options }
}

/// Name, options, and the least share of the pairs that differ in bytes.
fn kinds() -> Vec<(&'static str, Options, f64)> {
    let base = || plain(Size::Events(10_000));
    let events = Size::Events(20_000);
    vec![
        ("equal bytes", Options { noise: 0.0, allocators: 0.0, ..base() }, 0.0),
        ("11 % noise", Options { noise: 0.1, allocators: 0.01, ..base() }, 0.08),
        ("a quarter allocators", Options { noise: 0.0, allocators: 0.25, ..base() }, 0.2),
        ("all respelled", Options { noise: 1.0, ..base() }, 0.9),
        ("reordered keys", Options { shape: Shape::Reordered, ..base() }, 0.9),
        ("sorted keys, respelled", Options { shape: Shape::Sorted, noise: 1.0, ..base() }, 0.9),
        ("2 KB, respelled", Options { line: LineLength::Huge, noise: 1.0, ..base() }, 0.9),
        ("ignored column", flat(events, Noisy::Cycles), 1.0),
        ("masked column", flat(events, Noisy::Flags), 1.0),
    ]
}

/// A line as the comparer wants it.
pub fn event<'l>(opener: &Opener, line: &'l [u8]) -> Event<'l> {
    event_of(&reopen(opener, line, 0).expect("a line that opens"), line, 1)
}

/// Pairs whose bytes were equal, and pairs that were read and are equal.
fn weigh_all(comparer: &Comparer<'_>, pairs: &[(Event<'_>, Event<'_>)], scratch: &mut Scratch) -> [usize; 2] {
    let mut counts = [0; 2];
    for (reference, candidate) in pairs {
        match comparer.weigh(reference, candidate, scratch) {
            Weighed::EqualByBytes => counts[0] += 1,
            Weighed::EqualRead(_) => counts[1] += 1,
            other => panic!("the two are equal: {other:?}"),
        }
    }
    counts
}

fn weigh(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compare");
    for (name, options, read) in kinds() {
        let made = make(alone(options));
        let opener = Opener::new(&made.profile, false);
        let lines = |log| -> Vec<&[u8]> {
            let lines = <[u8]>::split(log, |byte| *byte == b'\n');
            lines.filter(|line| !line.is_empty() && memchr::memmem::find(line, b"schema_version").is_none()).collect()
        };
        let (ours, theirs) = (lines(&made.reference), lines(&made.candidate));
        assert_eq!((ours.len(), theirs.len()), (made.events() as usize, made.events() as usize));
        let event = |line| event(&opener, line);
        let pairs: Vec<_> = ours.iter().zip(&theirs).map(|(ours, theirs)| (event(ours), event(theirs))).collect();
        let comparer = Comparer::new(&made.profile, false);
        let mut scratch = Scratch::default();
        let counts = weigh_all(&comparer, &pairs, &mut scratch);
        assert!(counts[1] as f64 >= read * pairs.len() as f64 && (read > 0.0 || counts[1] == 0), "{name}: {counts:?}");
        group.throughput(Throughput::Bytes(made.bytes()));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| assert_eq!(weigh_all(&comparer, &pairs, &mut scratch), counts));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = weigh
}
