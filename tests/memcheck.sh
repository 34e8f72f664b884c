#!/usr/bin/env bash
# Runs under valgrind's memcheck what holds unsafe code: the unit tests of its rooms and of those that lean on them, files
# cut short under their maps, and the program as it is released. `make valgrind` builds it first.
set -euo pipefail
cd "$(dirname "$0")/.."
# The guard's handler returns to the read that faulted. Valgrind goes on there with stale registers unless it keeps all of
# them up to date at each access and follows no calls into one block.
memcheck="valgrind --quiet --error-exitcode=99 --vex-guest-chase=no --vex-iropt-register-updates=allregs-at-mem-access"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# `under` CARGO-ARGUMENTS: tests run by memcheck.
under() {
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="$memcheck" PROPTEST_CASES=4 FORKPOINT_CASES=20 cargo test --locked --quiet "$@"
}
# One test alone would take as long as all others.
under --lib -- json:: source:: scan:: compare:: --skip whatever_byte_is_changed
under --test source_changes --test source_many_maps --test source_same_lines --test shared_learning --test layouts --test moulds

# `program` EXIT ARGUMENTS: a diff, and the exit code that it must have.
program() {
    local wanted=$1 code=0
    shift
    $memcheck target/release/forkpoint diff --format json "$@" > "$folder/report.json" 2> "$folder/told" || code=$?
    if [ "$code" != "$wanted" ]; then
        cat "$folder/told"
        echo "WRONG  exit $code, not $wanted: diff $*"
        exit 1
    fi
    echo "exit $code as it must: diff ${*//$folder\//}"
}
target/release/examples/generate --out "$folder" --bytes 2M > "$folder/told" 2>&1
target/release/examples/generate --out "$folder/flat" --shape flat --bytes 2M > "$folder/told" 2>&1
head -c 1000000 "$folder/candidate.jsonl" > "$folder/cut.jsonl"
gzip -k "$folder/candidate.jsonl"
for way in "" --no-mmap --strict "--jobs 1 --window 1" --no-layouts; do
    # shellcheck disable=SC2086
    {
        program 0 $way "$folder/reference.jsonl" "$folder/candidate.jsonl"
        program 1 $way "$folder/reference.jsonl" "$folder/cut.jsonl"
        program 1 $way corpus/demo/reference.jsonl corpus/demo/candidate.jsonl
        program 0 $way --profile generic --ordinal seq --kind op --ignore cycles "$folder/flat/reference.jsonl" "$folder/flat/candidate.jsonl"
    }
done
program 0 "$folder/reference.jsonl" "$folder/candidate.jsonl.gz"
