//! Room `source`: windows of a log, by where it comes from; every line feed is found once.

use std::fs::File;
use std::path::Path;

use super::pairs::generate::Size;
use super::pairs::generate::catalogue::plain;
use super::pairs::{make, packed};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use forkpoint::source::{Log, OpenOptions};

/// Bytes of the log: many windows, and more than any cache holds.
const SIZE: u64 = 64_000_000;

/// Bytes and line feeds of a whole log; none if it cannot be read.
fn read_all(log: Option<Log>) -> Option<[u64; 2]> {
    let mut log = log?;
    let mut counts = [0; 2];
    while let Some(window) = log.next_window().ok()? {
        counts[0] += window.bytes.len() as u64;
        counts[1] += memchr::memchr_iter(b'\n', &window.bytes).count() as u64;
    }
    Some(counts)
}

/// A name and what opens the log.
type Way<'a> = (&'static str, Box<dyn Fn() -> Option<Log> + 'a>);

fn ways<'a>(path: &'a Path) -> Vec<Way<'a>> {
    let open = |path: &Path, mapped| Log::open(path, &OpenOptions { mapped, ..OpenOptions::default() }).ok();
    let mut ways: Vec<Way<'a>> = vec![
        ("mapped", Box::new(move || open(path, true))),
        ("plain reads", Box::new(move || open(path, false))),
        (
            "stream",
            Box::new(move || {
                let file = Box::new(File::open(path).ok()?);
                Log::open_reader("stream", file, &OpenOptions::default()).ok()
            }),
        ),
    ];
    for tool in ["gzip", "zstd"] {
        if let Some(packed) = packed(tool, path) {
            ways.push((tool, Box::new(move || open(&packed, true))));
        }
    }
    ways
}

fn windows(criterion: &mut Criterion) {
    forkpoint::source::install_guard().expect("a guard");
    let made = make(plain(Size::Bytes(SIZE)));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, &made.reference).expect("written");
    let truth = [made.reference.len() as u64, made.truth["reference"]["lines"].as_u64().expect("a number")];
    let mut group = criterion.benchmark_group("source");
    group.throughput(Throughput::Bytes(truth[0]));
    for (name, open) in ways(&path) {
        let read = read_all(open());
        if ["gzip", "zstd"].contains(&name) && read != Some(truth) {
            println!("skipped: what {name} packed is not read yet");
            continue;
        }
        assert_eq!(read, Some(truth), "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| assert_eq!(read_all(open()), Some(truth)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = windows
}
