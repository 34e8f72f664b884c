#!/usr/bin/env bash
# Runs all that threads share: the guard's slots and the recorder's rings under loom, in every order; then, with nightly and its rust-src, rooms and
# whole runs under ThreadSanitizer, the standard library built with it too. Slowed down fiftyfold, runs whose writers never
# end (tests/cli_first.rs) would not end either.
set -euo pipefail
cd "$(dirname "$0")/.."
LOOM_MAX_PREEMPTIONS=${PREEMPTIONS:-6} cargo test --locked --quiet --test guard_slot --test emit_ring
# Asked of rustup: `cargo +nightly` might install one.
if ! rustup component list --toolchain nightly 2> /dev/null | grep -q '^rust-src.*(installed)'; then
    echo "skipped: ThreadSanitizer (rustup component add rust-src --toolchain nightly)"
    exit 0
fi
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=${RACES_TARGET:-target/races} PROPTEST_CASES=16
# Memory that cannot be had is refused, as it is without the sanitizer: tests ask for such.
export TSAN_OPTIONS="exitcode=66 allocator_may_return_null=1 suppressions=$PWD/tests/races.supp"
cargo +nightly test --locked --quiet -Zbuild-std --target "$host" --no-fail-fast --lib \
    --test shared_learning --test source_changes --test source_many_maps --test source_same_lines --test source_streams \
    --test cli_diff --test emit
