#!/usr/bin/env bash
# Writes the seeds of all fuzz targets under fuzz/corpus/, made of corpus/. What stands there already stays.
set -euo pipefail
cd "$(dirname "$0")/.."
out=fuzz/corpus
mkdir -p $out/{scan,json,diff,profile,source,show,rules,audit,state,state_file,dirty_bitmap,telemetry,emit}
n=0
for log in corpus/diff/*/*/*.jsonl corpus/scan/*/*.jsonl corpus/demo/*.jsonl; do
    n=$((n + 1))
    # The last byte chooses the profile, and whether lines are read whole.
    for choice in 000 001 002 003 010; do
        { cat "$log"; printf "\\$choice"; } > $out/scan/"$n-$choice"
        cp $out/scan/"$n-$choice" $out/show/"$n-$choice"
    done
    cp "$log" $out/source/"$n"
    # Where it is damaged and how: cut in the middle, a bit flipped at a quarter and near the end; zstd and gzip.
    case $((n % 6)) in
        0) harm='\200\000' ;; 1) harm='\200\001' ;; 2) harm='\100\204' ;;
        3) harm='\100\205' ;; 4) harm='\370\206' ;; *) harm='\370\207' ;;
    esac
    { cat "$log"; printf "\\377$harm"; } > $out/source/"$n-damaged"
done
for case in corpus/diff/*/*/ corpus/demo/; do
    name=$(basename "$(dirname "$case")")-$(basename "$case")
    choices="000 001 002 013"
    # By their flags: a profile of their own is told by the word in case.toml.
    if grep -qs generic "$case/case.toml"; then choices="005 006 007 010"; fi
    if grep -qs skip-nondeterministic "$case/case.toml"; then choices="004"; fi
    # Byte 10 chooses the flags that take events out.
    if grep -qsE '^\[\[(drop|join)\]\]' "$case/profile.toml"; then choices="012"; fi
    for choice in $choices; do
        { cat "$case/reference.jsonl"; printf '\377'; cat "$case/candidate.jsonl"; printf "\\377\\$choice"; } \
            > $out/diff/"$name-$choice"
    done
done
for texts in corpus/json/valid/*.txt corpus/json/invalid/*.txt corpus/json/equal/*.tsv corpus/json/different/*.tsv; do
    name=$(basename "$(dirname "$texts")")-$(basename "$texts")
    n=0
    while IFS= read -r line || [ -n "$line" ]; do
        n=$((n + 1))
        printf '%s' "$line" | LC_ALL=C tr '\t' '\377' > $out/json/"$name-$n"
    done < "$texts"
done
n=0
for profile in corpus/profile/*/*.toml examples/*.toml; do
    n=$((n + 1))
    cp "$profile" $out/profile/"$n"
done
# A number that draws the rules, and two events; the last byte tells where the payload is.
n=0
for case in corpus/diff/*/*/profile.toml; do
    folder=$(dirname "$case")
    while IFS= read -r reference <&3 && IFS= read -r candidate <&4; do
        n=$((n + 1))
        printf '%s\377%s\377%s' "$n" "$reference" "$candidate" > "$out/rules/pair-$n"
    done 3< "$folder/reference.jsonl" 4< "$folder/candidate.jsonl"
done
for n in $(seq 1 200); do
    printf 'seed %s' "$n" > "$out/rules/drawn-$n"
done
# Values that only some rules take for equal, under rules drawn by chance: numbers one of which is near two others, so that a first choice of
# partners leaves one alone; the least integers of two widths.
at=0
for pair in '[0.9,0] [0,1.8]' '[90,0] [0,180]' '[15,10] [10,30]' '-2147483648 2147483648' '-9223372036854775808 "0x8000000000000000"'; do
    at=$((at + 1))
    for n in $(seq 1 100); do
        for value in $pair; do printf '{"op":"step","a":%s,"b":%s}\377' "$value" "$value"; done \
            | { printf '%s\377' "$n" && cat && printf '\000'; } > "$out/rules/alike-$at-$n"
    done
done
# Logs as they stand, and with the same less a line; then bytes that decide what is done with a table (first byte 0), and what threads do (1, in
# two orders 2).
for log in corpus/audit/*/*.jsonl corpus/demo/*.jsonl; do
    name=$(basename "$(dirname "$log")")-$(basename "$log" .jsonl)
    cp "$log" "$out/audit/log-$name"
    { cat "$log" && printf '\377' && sed 6d "$log"; } > "$out/audit/both-$name"
done
for n in $(seq 1 60); do
    drawn=$(for part in 1 2 3 4 5; do printf 'seed %s %s' "$n" $part | sha512sum | cut -c 1-128; done | sed 's/../\\x&/g' | tr -d '\n')
    printf '\000%b' "$drawn" > "$out/audit/table-$n"
    printf '\001%b' "$drawn" > "$out/audit/scene-$n"
    printf '\002%b' "$drawn" > "$out/audit/two-$n"
done
# State files as they stand; bytes that decide what is done with a bitmap.
cp corpus/snapshot/*.snap "$out/state_file/"
for n in $(seq 1 40); do
    printf 'bitmap %s' "$n" | sha512sum | cut -c 1-128 | sed 's/../\\x&/g' | xargs -0 printf '%b' > "$out/dirty_bitmap/drawn-$n"
done
# Bytes that decide what is recorded, through which rings.
for n in $(seq 1 60); do
    for part in 1 2 3 4 5; do printf 'emit %s %s' "$n" $part | sha512sum | cut -c 1-128; done | sed 's/../\\x&/g' | tr -d '\n' \
        | xargs -0 printf '%b' > "$out/emit/drawn-$n"
done
# Documents of two folders, the last byte tells which; lists of import slots as they stand; then bytes that decide two folders (first byte 0).
at=0
for file in cpu_state memory kernel vfs config; do
    for folder in corpus/state/*/; do
        { cat "$folder/reference/$file.json" && printf '\377' && cat "$folder/candidate/$file.json" && printf "\\377\\00$at"; } \
            > "$out/state/$(basename "$folder")-$file"
    done
    at=$((at + 1))
done
cp corpus/state/demo/xex.json "$out/state/imports"
n=0
for texts in corpus/json/equal/*.tsv corpus/json/different/*.tsv; do
    while IFS= read -r line || [ -n "$line" ]; do
        n=$((n + 1))
        { printf '%s' "$line" | LC_ALL=C tr '\t' '\377' && printf '\377\002'; } > "$out/state/text-$n"
    done < "$texts"
done
for n in $(seq 1 60); do
    drawn=$(for part in 1 2 3; do printf 'state %s %s' "$n" $part | sha512sum | cut -c 1-128; done | sed 's/../\\x&/g' | tr -d '\n')
    printf '\000%b' "$drawn" > "$out/state/drawn-$n"
    printf '\001%b' "$drawn" > "$out/state/images-$n"
done
# Texts of this host's /proc (first byte 0), lines of perf (1), captures (2): both orders of bytes, one packet of 40 bytes each.
for text in stat status io schedstat smaps_rollup; do
    if test -r "/proc/self/$text"; then { printf '\000' && cat "/proc/self/$text"; } > "$out/telemetry/$text"; fi
done
for value in 0.781648 '<not counted>' '<not supported>'; do
    printf '{"interval" : 0.1, "counter-value" : "%s", "unit" : "msec", "event" : "%s", "pcnt-running" : 100.00}\n' \
        "$value" task-clock "$value" cycles
done | { printf '\001' && cat; } > "$out/telemetry/perf"
packet='\105\000\000\050\000\000\000\000\100\006\000\000\012\000\000\001\012\000\000\002\000\120\000\121\000\000\000\001\000\000\000\000\120\002\000\000\000\000\000\000'
{ printf '\002\324\303\262\241\002\000\004\000\000\000\000\000\000\000\000\000\100\000\000\000\145\000\000\000'
  printf '\000\361\123\145\000\000\000\000\050\000\000\000\334\005\000\000%b' "$packet"; } > "$out/telemetry/little"
{ printf '\002\241\262\074\115\000\002\000\004\000\000\000\000\000\000\000\000\000\000\000\100\000\000\000\145'
  printf '\145\123\361\000\000\000\000\000\000\000\000\050\000\000\005\334%b' "$packet"; } > "$out/telemetry/big"
