#!/usr/bin/env bash
# Plants each fault of fuzz/planted/ in a clone of the last commit, one after the other, and shows that its tests fail on
# it and that its fuzz target finds it within 60 s from the seeds. FAULT="name …" for some; SHARD=k/n for a part of them.
#
# A patch begins with its story, a line `tests:` with selections of `cargo test` (until one fails) and a line `target:`.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
here=$PWD
work=$here/target/planted
tree=$work/tree
nightly=$(rustup toolchain list 2> /dev/null | grep -m 1 -o '^nightly' || true)
mkdir -p "$work"
rm -rf "$tree"
git clone --quiet --shared . "$tree"
bash fuzz/seeds.sh
cd "$tree"

# The name of the first test that fails, if one does.
failing_test() {
    local selection
    while read -r selection; do
        # shellcheck disable=SC2086 # a selection is several words
        FORKPOINT_CASES=${FORKPOINT_CASES:-400} CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_TARGET_DIR=$work/tests \
            CARGO_PROFILE_DEV_LTO=off cargo test --locked --quiet $selection > "$work/tests.log" 2>&1 || true
        if grep -q '^test result: FAILED' "$work/tests.log"; then
            sed -n '/^failures:$/,$ s/^    \([a-z_0-9:]*\)$/\1/p' "$work/tests.log" | head -n 1
            return
        fi
        if grep -q '^error: could not compile' "$work/tests.log"; then echo "$1 does not compile" >&2 && return; fi
    done < <(sed -n 's/^tests: //p' "$1" | sed 's/ -- /\n/g')
}

# After how many seconds the fuzz target finds the fault, if it does. A wrong answer is seen without a sanitizer and
# with little optimising, which takes less time to build; without any across units of code, one fault has one of them made anew.
export CARGO_INCREMENTAL=1 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=false
fuzz_finds() {
    local target begun
    target=$(sed -n 's/^target: //p' "$1")
    # shellcheck disable=SC2086 # empty, or one word
    cargo ${nightly:++nightly} fuzz build --sanitizer none --codegen-units 256 --target-dir "$work/fuzz" "$target" > "$work/fuzz.log" 2>&1 || return 0
    rm -rf "$work/grown" "$work/found"
    mkdir -p "$work/grown" "$work/found"
    begun=$SECONDS
    local dictionary=fuzz/dictionaries/$target.dict
    if [ ! -f "$dictionary" ]; then dictionary=fuzz/dictionaries/json.dict; fi
    if ! "$work"/fuzz/*/release/"$target" -max_total_time=$seconds -timeout=30 -artifact_prefix="$work/found/" \
        -dict="$dictionary" "$work/grown" "$here/fuzz/corpus/$target" >> "$work/fuzz.log" 2>&1 \
        && [ -n "$(ls "$work/found")" ]; then
        echo $((SECONDS - begun))
    fi
}

part=${SHARD:-1/1}
missed=0
at=0
printf '%-24s  %-8s  %5s  %s\n' "planted fault" "target" "found" "failing test"
for patch in fuzz/planted/*.patch; do
    name=$(basename "$patch" .patch)
    at=$((at + 1))
    if [ -n "${FAULT:-}" ] && [[ " $FAULT " != *" $name "* ]]; then continue; fi
    if [ $((at % ${part#*/} + 1)) -ne $((${part%/*})) ]; then continue; fi
    if ! git apply "$patch"; then
        missed=$((missed + 1))
        continue
    fi
    failing=$(failing_test "$patch")
    found=$(fuzz_finds "$patch")
    git checkout --quiet -- src
    if [ -z "$failing" ] || [ -z "$found" ]; then missed=$((missed + 1)); fi
    printf '%-24s  %-8s  %5s  %s\n' "$name" "$(sed -n 's/^target: //p' "$patch")" "${found:+$found s}" "${failing:-MISSED}"
done
if [ $missed -gt 0 ]; then
    echo "$missed planted faults could not be planted, or were missed by tests or fuzz target"
    exit 1
fi
