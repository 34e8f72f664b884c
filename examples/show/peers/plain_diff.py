# The script that everyone writes: read both logs, one list of events a thread, walk two lists until they differ.
# usage: plain_diff.py REFERENCE CANDIDATE 6=1,7=2 SCRATCH; one line "TID POSITION" or "TID -" for each thread.
import json
import sys

reference, candidate, mapping, _scratch = sys.argv[1:5]
ALLOCATORS = {"MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory", "NtAllocateVirtualMemory", "RtlAllocateHeap",
              "MmCreateKernelStack"}


def compared(event):
    kind, payload = event["kind"], event["payload"]
    if kind in ("handle.create", "handle.destroy"):
        payload.pop("raw_handle_id", None)
    elif kind == "wait.end":
        payload.pop("wait_duration_cycles", None)
    elif kind == "kernel.return" and payload.get("name") in ALLOCATORS:
        payload["return_value"] = payload["return_value"] != 0
        payload.pop("status", None)
    return hash((kind, event["tid_event_idx"], json.dumps(payload, sort_keys=True)))


def lanes(path):
    threads = {}
    with open(path, "rb") as log:
        for line in log:
            event = json.loads(line)
            if event["kind"] != "schema_version":
                threads.setdefault(event["tid"], []).append(compared(event))
    return threads


ours, theirs = lanes(reference), lanes(candidate)
for pair in mapping.split(","):
    a, b = map(int, pair.split("="))
    one, other = ours[a], theirs[b]
    both = min(len(one), len(other))
    at = next((at for at in range(both) if one[at] != other[at]), None if len(one) == len(other) else both)
    print(a, "-" if at is None else at)
