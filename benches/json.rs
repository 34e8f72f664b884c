//! Strict validation of one line: our cursor and our walk of regular lines against simd-json's tape, by the length of the line.
//!
//! The record of this bench decides from which length on `json::check` asks simd-json first.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forkpoint::json;

/// A line of about `bytes` bytes in the style of a kernel call with a long argument list.
fn line(bytes: usize) -> Vec<u8> {
    let mut text =
        String::from(r#"{"kind":"kernel.call","tid":6,"tid_event_idx":41,"payload":{"name":"NtReadFile","args":["#);
    let mut n = 0u64;
    while text.len() + 40 < bytes {
        n += 1;
        text.push_str(&format!("{{\"offset\":{},\"path\":\"game:\\\\data\\\\{n}\"}},", n * 2048));
    }
    text.push_str("null]}}");
    text.into_bytes()
}

/// A line of about `bytes` bytes that carries a memory dump as one long string.
fn dump(bytes: usize) -> Vec<u8> {
    let hex: String = (0..bytes / 2).map(|n| format!("{:02x}", n * 37 % 256)).collect();
    format!(r#"{{"kind":"memory.write","tid":6,"tid_event_idx":41,"payload":{{"address":4096,"bytes":"{hex}"}}}}"#)
        .into_bytes()
}

/// A named maker of lines of a wanted length.
type Shape = (&'static str, fn(usize) -> Vec<u8>);

fn check(criterion: &mut Criterion) {
    let shapes: [Shape; 2] = [("members", line), ("dump", dump)];
    for (shape, make) in shapes {
        check_shape(criterion, shape, make);
    }
}

fn check_shape(criterion: &mut Criterion, shape: &str, make: fn(usize) -> Vec<u8>) {
    let mut group = criterion.benchmark_group(format!("check/{shape}"));
    for bytes in [120, 300, 1 << 10, 4 << 10, 64 << 10] {
        let line = make(bytes);
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(BenchmarkId::new("cursor", bytes), |bencher| {
            bencher.iter(|| assert!(json::cursor::check_by_cursor(&line, 0).is_ok()));
        });
        group.bench_function(BenchmarkId::new("regular", bytes), |bencher| {
            bencher.iter(|| assert_eq!(json::regular::value_end(&line, 0, 0, |_, _| {}), Some(line.len())));
        });
        group.bench_function(BenchmarkId::new("simd-json", bytes), |bencher| {
            let mut copy = Vec::new();
            let mut buffers = simd_json::Buffers::new(line.len());
            bencher.iter(|| {
                copy.clear();
                copy.extend_from_slice(&line);
                assert!(simd_json::to_tape_with_buffers(&mut copy, &mut buffers).is_ok());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
