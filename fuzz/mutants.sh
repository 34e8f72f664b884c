#!/usr/bin/env bash
# Mutants of a room, a seeded sample of them, held against the room's tests: ROOM=json, COUNT=60, SEED=1, SHARD=k/n for
# a part of the sample, AGAIN=1 for what survived the last time. What survives is listed at the end. Works on a clone of
# the last commit.
set -euo pipefail
cd "$(dirname "$0")/.."
room=${ROOM:?which room? ROOM=json|scan|compare|align|diverge|profile}
part=${SHARD:-1/1}
work=$PWD/target/mutants
out=$work/$room-${part/\//-of-}
# A room's tests, at most 10 s of them.
case $room in
    json) binaries=(--lib --test=corpus_texts) names=(json:: json_texts) ;;
    scan)
        binaries=(--lib --test=corpus_texts --test=property_diff --test=cli_show)
        names=(scan:: lines_are sound_logs damaged_logs every_way_to_a_place the_page_shows)
        ;;
    compare) binaries=(--lib --test=layouts --test=moulds --test=identity) names=(compare:: short_way mould another_heap another_object) ;;
    align)
        binaries=(--lib --test=property_diff --test=first --test=identity --test=events --test=corpus --test=cli_first --test=cli_diff)
        names=(align:: every_case a_writer counts_as_read sound_logs damaged_logs logs_of_which another_ what_ an_earlier a_parting)
        names+=(a_thread under_a_map a_malformed dropped_events repeated_polls threads_ windows_jobs)
        ;;
    diverge)
        binaries=(--lib --test=property_diff --test=first --test=origin --test=cli_accept --test=cli_diff --test=corpus)
        names=(diverge:: sound_logs damaged_logs what_is what_stands what_only an_earlier a_parting a_thread under_a_map a_malformed)
        names+=(partners_ the_search generations_and explains_it values_that until_nothing stepped_over every_case long_events)
        ;;
    profile) binaries=(--lib --test=corpus_texts) names=(profile:: profiles_are) ;;
    *) echo "no room to mutate: $room" >&2 && exit 2 ;;
esac
mkdir -p "$work"
if [ -n "${AGAIN:-}" ]; then cp "$out/mutants.out/missed.txt" "$work/survivors"; fi
rm -rf "$work/tree" "$out"
git clone --quiet --shared . "$work/tree"
cd "$work/tree"
export CARGO_TARGET_DIR=$work/target FORKPOINT_CASES=${FORKPOINT_CASES:-40}
# Every mutant is built and run once: little optimising takes less time than none, and none across units of
# code, so that one mutant has one of them made anew.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_LTO=off
# The order is by hash, so that a mutant's lot does not change with its neighbours.
cargo mutants --list --file "src/$room/**" | sort -R --random-source=<(yes "${SEED:-1}") \
    | awk -v count="${COUNT:-60}" -v k="${part%/*}" -v n="${part#*/}" 'NR <= count && NR % n == k % n' > "$work/sample"
if [ -n "${AGAIN:-}" ]; then mv "$work/survivors" "$work/sample"; fi
[ -s "$work/sample" ] || { echo "$room $part: nothing to try"; exit 0; }
chosen=()
while read -r mutant; do
    chosen+=(--re "^$(sed 's/[][\.*^$+?(){}|]/\\&/g' <<< "$mutant")\$")
done < "$work/sample"
cargo mutants --in-place --no-shuffle --colors never --timeout 60 --output "$out" --file "src/$room/**" "${chosen[@]}" \
    --cargo-arg=--locked "${binaries[@]/#/--cargo-arg=}" -- -- "${names[@]}" > "$out.log" 2>&1 || true
count() { wc -l < "$out/mutants.out/$1.txt"; }
caught=$(($(count caught) + $(count timeout)))
viable=$((caught + $(count missed)))
cat "$out/mutants.out/missed.txt"
echo "$room $part: $(wc -l < "$work/sample") mutants, $(count unviable) do not compile, $caught of $viable killed ($(count timeout) by time)"
[ $viable -gt 0 ] && [ $((caught * 10)) -ge $((viable * 9)) ]
