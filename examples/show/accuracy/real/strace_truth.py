# Where a run that strace injected a fault into parts from one without: strace itself marks the call.
import json
import sys

reference, candidate = ([json.loads(line) for line in open(path)] for path in sys.argv[1:3])
injected = next(number for number, event in enumerate(candidate) if "INJECTED" in event.get("raw", ""))
# One thread: the same number of calls came before it.
tids = [reference[1]["tid"], candidate[1]["tid"]]
print(json.dumps({"reference": injected + 1, "candidate": injected + 1, "kind": "value", "map": f"{tids[0]}={tids[1]}"}))
