#!/bin/sh
# jq, sort and comm: every event as its compared fields, sorted, and what only one side has.
# usage: jq_diff.sh REFERENCE CANDIDATE 6=1,7=2 SCRATCH; one line "TID POSITION" or "TID -" for each thread.
set -eu
scratch=$(mktemp -d "$4/jq-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C

events() { # LOG, and the mapping as a JSON object from its tids to the reference's
  jq -c --argjson map "$2" '
    select(.kind != "schema_version") | .kind as $kind | .payload as $p
    | [$map[.tid | tostring], .tid_event_idx, $kind,
       (if $kind == "handle.create" or $kind == "handle.destroy" then $p | del(.raw_handle_id)
        elif $kind == "wait.end" then $p | del(.wait_duration_cycles)
        elif $kind == "kernel.return" and ($p.name | IN("MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory",
             "NtAllocateVirtualMemory", "RtlAllocateHeap", "MmCreateKernelStack"))
          then $p | .return_value = (.return_value != 0) | del(.status)
        else $p end)]' "$1" | sort -S 25% -T "$scratch"
}
from() { # which part of each pair is the key
  printf '{'
  printf '%s' "$3" | tr , '\n' | awk -F= -v key="$1" -v value="$2" '{ printf "%s\"%s\":%s", sep, $key, $value; sep = "," }'
  printf '}'
}
events "$1" "$(from 1 1 "$3")" > "$scratch/reference"
events "$2" "$(from 2 1 "$3")" > "$scratch/candidate"
comm -3 "$scratch/reference" "$scratch/candidate" | tr -d '\t[' |
  awk -F, -v pairs="$3" '
    !($1 in least) || $2 + 0 < least[$1] { least[$1] = $2 + 0 }
    END {
      count = split(pairs, both, ",")
      for (i = 1; i <= count; i++) { split(both[i], ends, "="); print ends[1], ends[1] in least ? least[ends[1]] : "-" }
    }'
