# Where two Lua engines part: each coroutine's lines executed, with what the locals hold, one after the other.
import json
import sys


def coroutines(path):
    lanes = {}
    for number, line in enumerate(open(path), 1):
        event = json.loads(line)
        if event["kind"] != "schema_version":
            lanes.setdefault(event["tid"], []).append((number, json.dumps([event["kind"], event["payload"]])))
    return lanes


# Both number the coroutines in the order in which the program makes them.
reference, candidate = coroutines(sys.argv[1]), coroutines(sys.argv[2])
found = []
for tid, lane in reference.items():
    one, other = [text for _, text in lane], [text for _, text in candidate[tid]]
    at = next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), None)
    if at is None:
        continue
    kind = "value"
    if one[at:at + 8] == other[at + 1:at + 9]:
        kind = "extra"
    elif one[at + 1:at + 9] == other[at:at + 8]:
        kind = "missing"
    found.append((lane[at][0], candidate[tid][at][0], kind))
line, other, kind = min(found)
pairs = ",".join(f"{tid}={tid}" for tid in reference)
print(json.dumps({"reference": line, "candidate": other, "kind": kind, "map": pairs}))
