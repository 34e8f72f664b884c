# Where the run with the bug parts: a checking thread of it lacks the two events of a crc32 that the sound run has.
# Threads know their names: it is the first thing they say.
import json
import sys


def threads(path):
    lanes, names = {}, {}
    for number, line in enumerate(open(path), 1):
        event = json.loads(line)
        if event["kind"] != "schema_version":
            name = names.setdefault(event["tid"], event["payload"].get("name"))
            lanes.setdefault(name, []).append((number, event["kind"], event["payload"].get("return_value")))
    return lanes, {name: tid for tid, name in names.items()}


(reference, ours), (candidate, theirs) = threads(sys.argv[1]), threads(sys.argv[2])
found = []
for name in (name for name in reference if name.startswith("check-")):
    # The cache answers where it should not: no call stands between two waits.
    kinds = [kind for _, kind, _ in candidate[name]]
    pairs = enumerate(zip(reference[name], kinds))
    at = next((at for at, ((_, kind, _), other) in pairs if kind != other), None)
    if at is not None:
        assert (reference[name][at][1], kinds[at]) == ("kernel.call", "wait.begin"), name
        found.append(reference[name][at][0])
pairs = ",".join(f"{ours[name]}={theirs[name]}" for name in reference)
print(json.dumps({"reference": min(found), "kind": "missing", "map": pairs}))
