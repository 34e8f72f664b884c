//! Room `audit`: what a call costs an engine, with the table off and on. A call is an element.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use forkpoint::audit::{HandleAudit, HandleAuditEntry};

/// Handles that calls go round, as many as an engine has at work at a time.
const HANDLES: u32 = 64;
const CALLS: u32 = 4_096;

type Record = fn(&mut HandleAudit, u32, HandleAuditEntry);

fn at(cycle: u32) -> HandleAuditEntry {
    HandleAuditEntry { cycle: cycle.into(), tid: 6, lr: 0x8230_4418, source: "NtSetEvent", aux: 0 }
}

fn created(enabled: bool) -> HandleAudit {
    let mut audit = HandleAudit { enabled: true, ..HandleAudit::default() };
    (0..HANDLES).for_each(|handle| audit.record_create(4 * handle, "Event/Auto", at(0)));
    audit.enabled = enabled;
    audit
}

/// Calls on handle after handle. What the table is must be asked at each, as in an engine between two of them.
#[inline(always)]
fn go_round(audit: &mut HandleAudit, record: impl Fn(&mut HandleAudit, u32, HandleAuditEntry)) {
    for call in 0..CALLS {
        record(black_box(&mut *audit), black_box(4 * (call % HANDLES)), at(call));
    }
}

fn handle_audit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handle-audit");
    group.throughput(Throughput::Elements(CALLS.into()));

    let mut off = created(false);
    go_round(&mut off, HandleAudit::record_signal);
    assert_eq!((off.recorded(), off.counts(0)), (u64::from(HANDLES), Some((0, 0, 0))));
    group.bench_function("signal, off", |bencher| bencher.iter(|| go_round(&mut off, HandleAudit::record_signal)));
    assert_eq!(off.recorded(), u64::from(HANDLES));

    for (name, record) in [("signal", HandleAudit::record_signal as Record), ("wait", HandleAudit::record_wait)] {
        let mut on = created(true);
        go_round(&mut on, record);
        assert_eq!((on.recorded(), on.trails[&0].recorded()), (u64::from(HANDLES + CALLS), 1 + 64));
        group.bench_function(name, |bencher| bencher.iter(|| go_round(&mut on, record)));
        assert_eq!((on.recorded() - u64::from(HANDLES)) % u64::from(CALLS), 0);
    }

    let mut ghosts =
        HandleAudit { enabled: true, focus: (0..HANDLES).map(|handle| 4 * handle).collect(), ..HandleAudit::default() };
    go_round(&mut ghosts, HandleAudit::record_signal);
    assert_eq!((ghosts.ghost_trails.len() as u32, ghosts.ghost_trails[&4].signals.total()), (HANDLES, 64));
    group.bench_function("signal of a ghost", |bencher| {
        bencher.iter(|| go_round(&mut ghosts, HandleAudit::record_signal));
    });

    let mut unknown = HandleAudit { enabled: true, ..HandleAudit::default() };
    go_round(&mut unknown, HandleAudit::record_signal);
    assert_eq!((unknown.losses.unknown_calls, unknown.recorded()), (u64::from(CALLS), 0));
    group.bench_function("signal of no one", |bencher| {
        bencher.iter(|| go_round(&mut unknown, HandleAudit::record_signal));
    });

    let mut reused = created(true);
    let make = |audit: &mut HandleAudit, handle: u32, entry| audit.record_create(handle, "Event/Auto", entry);
    go_round(&mut reused, make);
    assert_eq!((reused.trails[&8].generation, reused.past.len() as u32), (64, 4 * HANDLES));
    group.bench_function("create, handles used again", |bencher| bencher.iter(|| go_round(&mut reused, make)));
    group.finish();
}

criterion_group!(benches, handle_audit);
