//! Room `snapshot`: what a page that is written costs an engine, and saving, verifying and loading, as far as a disk does not count.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group};
use forkpoint::disk::Native;
use forkpoint::snapshot::body::Contents;
use forkpoint::snapshot::{
    AdaptiveBitmap, DirtyBitmap, SaveRequest, SnapshotKind, VecPageReader, load::open, save, verify,
};

/// Bytes of memory.
const RAM: u64 = 64 << 20;
const PAGE: u64 = 4096;

fn bitmaps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("snapshot");
    let bitmap = DirtyBitmap::new(0, RAM, PAGE).expect("it is sound");
    let mut at = 0;
    let mut next = || {
        at = (at + 0x9E37_79B9) % RAM;
        at
    };
    group.bench_function("a page set dirty", |bencher| bencher.iter(|| bitmap.set_dirty(black_box(next()))));
    bitmap.drain();
    assert_eq!((0..bitmap.pages()).filter(|page| bitmap.set_dirty_by_index(*page)).count() as u64, RAM / PAGE);
    let adaptive = AdaptiveBitmap::new(0, RAM, std::time::Instant::now()).expect("it is sound");
    group.bench_function("a page marked, adaptive", |bencher| bencher.iter(|| adaptive.mark_dirty(black_box(next()))));
    assert!(!adaptive.collect().drain().is_empty());
}

/// Where there is a disk of memory, its speed does not count.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be made")
}

fn save_into(folder: &Path, memory: &VecPageReader) -> PathBuf {
    let (state_path, memory_path) = (folder.join("vm.snap"), folder.join("vm.mem"));
    let request = SaveRequest {
        state_path: &state_path,
        memory_path: &memory_path,
        kind: SnapshotKind::Full,
        state: Contents::Document("{}".to_owned()),
        memory,
        ram_size: RAM,
        memory_page_size: PAGE,
        dirty: None,
    };
    let report = save(request).expect("it can be saved");
    assert_eq!(report.pages_written, RAM / PAGE / 2);
    state_path
}

fn pairs(criterion: &mut Criterion) {
    // Every other page is zero.
    let memory =
        VecPageReader::new((0..RAM).map(|at| if (at / PAGE).is_multiple_of(2) { at as u8 | 1 } else { 0 }).collect());
    let folder = scratch();
    let path = save_into(folder.path(), &memory);
    let mut group = criterion.benchmark_group("snapshot");
    group.sample_size(20).throughput(Throughput::Bytes(RAM));
    group.bench_function("save", |bencher| bencher.iter(|| save_into(folder.path(), &memory)));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| assert!(verify(&Native, &path, None).expect("it is there").damaged.is_empty()));
    });
    group.bench_function("open", |bencher| bencher.iter(|| open(&Native, &path, None).expect("it is there")));
}

criterion_group!(benches, bitmaps, pairs);
