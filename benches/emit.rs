//! Room `emit`: what an event costs the thread that records it, text and clock included; nothing reaches a disk.

use std::fs::File;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use forkpoint::emit::{Options, Recorder, ThreadLog, WhenFull};
use serde::Serialize;

const EVENTS: u64 = 10_000;

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    args: Arguments<'a>,
}

#[derive(Serialize)]
struct Arguments<'a> {
    handle: &'a str,
    count: u64,
    is_alertable: bool,
}

fn call(thread: &mut ThreadLog, event: u64) {
    thread.event("kernel.call").cycle(event * 17).payload(|payload| {
        payload.text("name", black_box("NtSetEvent")).object("args", |args| {
            args.text("handle", black_box("event:level-ready")).number("count", event).boolean("is_alertable", false);
        });
    });
}

fn call_by_serde(thread: &mut ThreadLog, event: u64) {
    let args = Arguments { handle: black_box("event:level-ready"), count: event, is_alertable: false };
    let call = Call { name: black_box("NtSetEvent"), args };
    thread.event("kernel.call").cycle(event * 17).serialize(&call).expect("it is an object");
}

/// A name, whether there is a clock, and how an event is recorded.
type Way = (&'static str, bool, fn(&mut ThreadLog, u64));

fn recording(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("emit");
    let ways: [Way; 3] =
        [("a call", true, call), ("a call, without a clock", false, call), ("a call, by serde", true, call_by_serde)];
    for (name, host_ns, record) in ways {
        // Waits, so that each round writes as much.
        let options = Options { host_ns, when_full: WhenFull::Wait, ..Options::new("bench") };
        let nowhere = File::options().write(true).open("/dev/null").expect("it is there");
        let recorder = Recorder::to(nowhere, options).expect("it takes everything");
        let mut thread = recorder.thread(6).expect("it is the first");
        (0..EVENTS).for_each(|event| record(&mut thread, event));
        recorder.flush().expect("it takes everything");
        group.throughput(Throughput::Bytes(recorder.summary().bytes));
        group.bench_function(name, |bencher| {
            bencher.iter(|| (0..EVENTS).for_each(|event| record(&mut thread, event)));
        });
        let recorded = thread.recorded();
        drop(thread);
        let summary = recorder.finish().expect("it takes everything");
        assert_eq!((summary.events, summary.dropped), (recorded, 0));
    }
}

criterion_group!(benches, recording);
