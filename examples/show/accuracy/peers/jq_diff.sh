#!/bin/bash
# jq, then diff thread by thread: each event's compared fields as text; the threads' mapping is given.
# stdin: a line "REFERENCE CANDIDATE MAP SCRATCH" a pair, tabs between; stdout: a JSON line each, {} where nothing differs.
# Ordinals are left out: with them every event behind a missing one would differ.
set -eu
export LC_ALL=C

events() { # LOG FOLDER: for each thread the events, and the lines they stand on
  mkdir "$2"
  jq -cS 'if .kind == "schema_version" then null else .kind as $kind | .payload as $p
    | [.tid, $kind,
       (if $kind == "handle.create" or $kind == "handle.destroy" then $p | del(.raw_handle_id)
        elif $kind == "wait.end" then $p | del(.wait_duration_cycles)
        elif $kind == "kernel.return" and ($p.name | IN("MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory",
             "NtAllocateVirtualMemory", "RtlAllocateHeap", "MmCreateKernelStack"))
          then $p | .return_value = (.return_value != 0) | del(.status)
        else $p end)] end' "$1" |
    awk -v folder="$2" '$0 != "null" {
      comma = index($0, ","); tid = substr($0, 2, comma - 2)
      print substr($0, comma + 1) > (folder "/" tid); print NR > (folder "/" tid ".lines") }'
}

line() { sed -n "$2p" "$1.lines"; }
kind() { sed -n "$2p" "$1" | cut -d, -f1; }

lane() { # REFERENCE CANDIDATE: "REFERENCE-LINE CANDIDATE-LINE KIND" of the first hunk, 0 for a line that is none
  hunk=$(diff "$1" "$2" | head -1) || true
  [ -n "$hunk" ] || return 0
  left=${hunk%%[acd]*} right=${hunk##*[acd]}
  case $hunk in
    *c*) word=value
      [ "$(kind "$1" "${left%,*}")" = "$(kind "$2" "${right%,*}")" ] || word=kind
      echo "$(line "$1" "${left%,*}") $(line "$2" "${right%,*}") $word" ;;
    *d*) word=missing
      [ "${left#*,}" != "$(wc -l < "$1")" ] || word=ended-early
      echo "$(line "$1" "${left%,*}") 0 $word" ;;
    *a*) word=extra
      [ "${right#*,}" != "$(wc -l < "$2")" ] || word=ended-early
      # What is only in the candidate stands before the reference's next event.
      next=$(line "$1" "$((left + 1))")
      echo "${next:-0} $(line "$2" "${right%,*}") $word" ;;
  esac
}

while IFS=$'\t' read -r reference candidate map scratch; do
  work=$(mktemp -d "$scratch/jq-XXXXXX")
  events "$reference" "$work/r"
  events "$candidate" "$work/c"
  {
    for pair in ${map//,/ }; do
      lane "$work/r/${pair%=*}" "$work/c/${pair#*=}"
      rm "$work/r/${pair%=*}.lines" "$work/c/${pair#*=}.lines"
    done
    # Whose lines are still there has no partner.
    for left in "$work"/r/*.lines; do [ ! -f "$left" ] || echo "$(head -1 "$left") 0 unmatched"; done
    for left in "$work"/c/*.lines; do [ ! -f "$left" ] || echo "0 $(head -1 "$left") unmatched"; done
  } | awk '
    { key = $1 ? $1 : 1e12 + $2 }
    !best || key < best { best = key; found = $0 }
    END {
      if (!best) { print "{}"; exit }
      split(found, at, " ")
      lines = (at[1] ? "\"reference\":" at[1] "," : "") (at[2] ? "\"candidate\":" at[2] "," : "")
      printf "{%s\"kind\":\"%s\"}\n", lines, at[3]
    }'
  rm -r "$work"
done
