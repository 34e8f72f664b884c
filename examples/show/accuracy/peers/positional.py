# The script that everyone writes: events by thread id, the n-th against the n-th, known noise dropped.
# stdin: a line "REFERENCE CANDIDATE MAP SCRATCH" a pair, tabs between; stdout: a JSON line each, {} where nothing differs.
# The map is not looked at: lanes of one tid belong together, or else those that begin in the same turn.
import json
import sys

ALLOCATORS = {"MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory", "NtAllocateVirtualMemory", "RtlAllocateHeap",
              "MmCreateKernelStack"}


def lanes(path):
    threads = {}
    for number, line in enumerate(open(path), 1):
        event = json.loads(line)
        kind, payload = event["kind"], event.get("payload", {})
        payload.pop("raw_handle_id", None)
        payload.pop("wait_duration_cycles", None)
        if kind == "kernel.return" and payload.get("name") in ALLOCATORS:
            payload = {"name": payload["name"], "success": payload["return_value"] != 0}
        if kind != "schema_version":
            threads.setdefault(event["tid"], []).append((number, kind, event["tid_event_idx"], payload))
    return threads


def first(ours, theirs):
    same = ours.keys() == theirs.keys()
    found = []
    for turn, (tid, lane) in enumerate(ours.items()):
        other = theirs[tid] if same else list(theirs.values())[turn] if turn < len(theirs) else []
        for (line, *a), (_, *b) in zip(lane, other):
            if a != b:
                kind = "kind" if a[0] != b[0] else "value" if a[2] != b[2] else "ordinal"
                found.append({"reference": line, "kind": kind})
                break
        else:
            if len(lane) > len(other):
                found.append({"reference": lane[len(other)][0], "kind": "ended-early" if other else "unmatched"})
            elif len(lane) < len(other):
                found.append({"candidate": other[len(lane)][0], "kind": "ended-early"})
    return min(found, key=lambda at: at.get("reference", float("inf")), default={})


for task in sys.stdin:
    reference, candidate, *_ = task.rstrip("\n").split("\t")
    print(json.dumps(first(lanes(reference), lanes(candidate))), flush=True)
