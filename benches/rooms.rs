//! The rooms' benches in one program, bytes a second, each held against the truth before it is timed.
//!
//! `make bench`, or `make bench FILTER=diff/late`. Absolute figures belong to the machine and the hour; compare two
//! builds in turn on an idle one, or count instructions with `make gate`.

mod audit;
mod compare;
mod diff;
mod emit;
mod pairs;
mod scan;
mod slow_path;
mod snapshot;
mod source;
mod state;

criterion::criterion_main!(
    scan::benches,
    compare::benches,
    slow_path::benches,
    diff::benches,
    source::benches,
    audit::benches,
    state::benches,
    snapshot::benches,
    emit::benches
);
