//! A whole run through the library, by the shape of the pair: both logs in memory, all workers; and packed, from files.

use super::pairs::generate::catalogue::shapes;
use super::pairs::{Made, make, packed};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group};
use forkpoint::align::{RunOptions, Unobserved};
use forkpoint::diverge::run;
use forkpoint::report::{ReportContext, json};
use forkpoint::source::{Log, OpenOptions};

/// Bytes of each log.
const SIZE: u64 = 4_000_000;

/// One run; the report is held against the truth where `held` says so, else only the number of pairings.
fn diff(made: &Made, mut logs: [Log; 2], held: bool) {
    let [reference, candidate] = &mut logs;
    let run = run(reference, candidate, &made.profile, &RunOptions::default(), &Unobserved);
    let (outcome, keep) = run.expect("an outcome");
    assert_eq!(outcome.pairings.len(), made.truth["threads"].as_array().map_or(0, Vec::len));
    if held {
        made.hold(&json(&outcome, &keep, &made.profile, &ReportContext::default()).expect("a report"));
    }
}

fn in_memory(made: &Made) -> [Log; 2] {
    let log = |name: &str, bytes: &[u8]| Log::from_bytes(name, bytes.to_vec(), &OpenOptions::default());
    [log("reference", &made.reference), log("candidate", &made.candidate)]
}

fn by_shape(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    for (name, options) in shapes(SIZE) {
        let made = make(options);
        diff(&made, in_memory(&made), true);
        group.throughput(Throughput::Bytes(made.bytes()));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_batched(|| in_memory(&made), |logs| diff(&made, logs, false), BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// The plain pair from files, mapped, and packed by gzip and zstd.
fn from_files(criterion: &mut Criterion) {
    forkpoint::source::install_guard().expect("a guard");
    let mut group = criterion.benchmark_group("diff from files");
    let (_, options) = shapes(SIZE).into_iter().find(|(name, _)| *name == "late").expect("the plain shape");
    let made = make(options);
    let folder = tempfile::tempdir().expect("a folder");
    let plain = ["reference", "candidate"].map(|name| folder.path().join(name));
    std::fs::write(&plain[0], &made.reference).expect("written");
    std::fs::write(&plain[1], &made.candidate).expect("written");
    group.throughput(Throughput::Bytes(made.bytes()));
    for tool in ["", "gzip", "zstd"] {
        let paths: Vec<_> = plain
            .iter()
            .filter_map(|log| if tool.is_empty() { Some(log.clone()) } else { packed(tool, log) })
            .collect();
        let [reference, candidate] = paths.as_slice() else { continue };
        let open = || [reference, candidate].map(|path| Log::open(path, &OpenOptions::default()).expect("a log"));
        if !tool.is_empty() && !reads(reference, &made.reference) {
            println!("skipped: what {tool} packed is not read yet");
            continue;
        }
        diff(&made, open(), true);
        let name = if tool.is_empty() { "mapped" } else { tool };
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| diff(&made, open(), false));
        });
    }
    group.finish();
}

/// Whether a packed log is read as what was packed.
fn reads(path: &std::path::Path, whole: &[u8]) -> bool {
    let Ok(mut log) = Log::open(path, &OpenOptions::default()) else { return false };
    matches!(log.next_window(), Ok(Some(window)) if whole.starts_with(&window.bytes))
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = by_shape, from_files
}
