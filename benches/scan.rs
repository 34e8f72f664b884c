//! Room `scan`: windows to spans, by the shape of the lines.

use super::pairs::generate::catalogue::shapes;
use super::pairs::make;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use forkpoint::profile::Profile;
use forkpoint::scan::{Opener, ScanOptions, scan_window};
use forkpoint::source::{Log, OpenOptions, Window};

/// Bytes of the log.
const SIZE: u64 = 4_000_000;
/// Shapes whose lines look different; the others are the same lines in another order.
const SHAPES: [&str; 8] = [
    "late",
    "many lanes",
    "60 bytes a line",
    "2 KB a line",
    "noisy, ignored",
    "sorted keys",
    "a quarter allocators",
    "11 % noise",
];

fn windows(log: Vec<u8>) -> Vec<Window> {
    let mut log = Log::from_bytes("log", log, &OpenOptions::default());
    std::iter::from_fn(|| log.next_window().expect("memory can be read")).collect()
}

/// Events of all windows, the header's line counted too.
fn scan_all(profile: &Profile, windows: &[Window]) -> u64 {
    let opener = Opener::new(profile, false);
    let mut events = 0;
    for (at, window) in windows.iter().enumerate() {
        // The header is no event, and the room does not know one.
        let headed = at == 0 && profile.name == "schema-v1";
        let from = if headed { memchr::memchr(b'\n', &window.bytes).map_or(0, |end| end + 1) } else { 0 };
        let scanned = scan_window(&opener, window, from, ScanOptions::default());
        assert!(scanned.faults.is_empty() && scanned.torn.is_none());
        events += u64::from(scanned.events);
    }
    events
}

fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    for (name, options) in shapes(SIZE).into_iter().filter(|(name, _)| SHAPES.contains(name)) {
        let made = make(options);
        group.throughput(Throughput::Bytes(made.reference.len() as u64));
        let events = made.events();
        let windows = windows(made.reference);
        assert_eq!(scan_all(&made.profile, &windows), events, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| assert_eq!(scan_all(&made.profile, &windows), events));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = scan
}
