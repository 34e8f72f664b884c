//! Room `state`: documents of sets and objects, by how alike the sides are; memory images, beside what reading alone takes.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use forkpoint::disk::PlainFile;
use forkpoint::state::walk::Walk;
use forkpoint::state::{Differences, Document, StateRules, builtin, image};

/// Members of a set.
const MEMBERS: u64 = 20_000;
/// Bytes of an image: more than any cache holds.
const SIZE: usize = 64 << 20;

/// How a candidate's objects differ from the reference's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Alike,
    /// Every hundredth is signalled.
    Some,
    /// They stand the other way round, and their keys do.
    Turned,
}

fn kernel(how: How) -> String {
    let member = |at: u64| {
        let (name, signalled) = (format!("\"event:{at}\""), how == How::Some && at % 100 == 7);
        match how {
            How::Turned => format!(
                "{{\"details\": {{\"signalled\": {signalled}, \"manual\": true}}, \"type\": \"Event\", \"handle_semantic_id\": {name}}}"
            ),
            _ => format!(
                "{{\"handle_semantic_id\": {name}, \"type\": \"Event\", \"details\": {{\"manual\": true, \"signalled\": {signalled}}}}}"
            ),
        }
    };
    let mut members: Vec<String> = (0..MEMBERS).map(member).collect();
    if how == How::Turned {
        members.reverse();
    }
    format!("{{\"objects\": [{}]}}", members.join(",\n"))
}

fn differences(rules: &StateRules, documents: [&Document; 2]) -> u64 {
    let mut differences = Differences::default();
    Walk::new(rules, (0, "kernel.json"), documents, &mut differences).run();
    differences.counts.iter().sum()
}

fn documents(criterion: &mut Criterion) {
    let rules = builtin("state-v1").expect("it is built in");
    let parse = |text: &str| Document::parse(text.as_bytes().to_vec()).expect("it is JSON");
    let reference = kernel(How::Alike);
    let mut group = criterion.benchmark_group("state");
    group.throughput(Throughput::Bytes(2 * reference.len() as u64));
    group.bench_function("documents parsed", |bencher| bencher.iter(|| [parse(&reference), parse(&reference)]));
    let one = parse(&reference);
    for (name, how, truth) in [("some differ", How::Some, MEMBERS / 100), ("in another order", How::Turned, 0)] {
        let other = parse(&kernel(how));
        assert_eq!(differences(&rules, [&one, &other]), truth);
        group.bench_function(BenchmarkId::new("a set", name), |bencher| {
            bencher.iter(|| differences(&rules, [&one, &other]));
        });
    }
    group.finish();
}

fn images(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..SIZE as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    let mut group = criterion.benchmark_group("state");
    group.throughput(Throughput::Bytes(2 * SIZE as u64));
    let path = |name: &str| folder.path().join(name);
    for name in ["one", "same", "other"] {
        std::fs::write(path(name), &bytes).expect("written");
    }
    // Ranges of 16 bytes, one every 64 KiB.
    let changed = File::options().write(true).open(path("other")).expect("opened");
    let ranges = SIZE / (64 << 10);
    for at in 0..ranges {
        let start = at * (64 << 10) + 100;
        let other: Vec<u8> = bytes[start..start + 16].iter().map(|byte| !byte).collect();
        changed.write_all_at(&other, start as u64).expect("written");
    }
    let open = |name: &str| PlainFile::open(&path(name)).expect("opened");
    let one = open("one");
    for (name, truth) in [("same", 0), ("other", ranges)] {
        let other = open(name);
        let found = || image::compare([&one, &other]).expect("read");
        assert_eq!((found().runs.len(), found().bytes), (truth, 16 * truth as u64));
        group.bench_function(BenchmarkId::new("images", format!("{truth} ranges")), |bencher| {
            bencher.iter(|| black_box(found().bytes));
        });
    }
    group.finish();
}

criterion_group!(benches, documents, images);
