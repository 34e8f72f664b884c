# The system calls of a program, as strace tells them, in schema-v1: a call an event; addresses and contents left out.
# usage: strace_trace.py OUT [STRACE OPTIONS] -- COMMAND
import json
import re
import subprocess
import sys
import tempfile

out, *words = sys.argv[1:]
raw = tempfile.NamedTemporaryFile()
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
subprocess.run(["strace", "-f", "-y", "-s", "0", "-o", raw.name, *words], check=False, **quiet)
CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\w+)(.*)")
threads = {}
with open(out, "w") as log:
    log.write('{"kind":"schema_version","schema_version":1,"engine":"strace"}\n')
    for line in open(raw.name, errors="replace"):
        parts = CALL.match(line)
        tid = int(line.split()[0])
        if parts:
            # What the kernel fills in (free memory, times) is left out too.
            name, args, value = parts[2], re.sub(r"0x[0-9a-f]+", "ADDRESS", re.sub(r"{.*}", "{}", parts[3])), parts[4]
            # Addresses and the process's own number are the kernel's choice.
            value = "ADDRESS" if value.startswith("0x") else "SELF" if value == parts[1] else value
            payload = {"name": name, "args": args, "return_value": value}
            beside = {"raw": parts[5].strip()}
            kind = "kernel.call"
        elif "+++ exited" in line or "+++ killed" in line:
            kind, payload, beside = "thread.exit", {"how": line.split(None, 1)[1].strip()}, {}
        else:
            continue
        ordinal = threads[tid] = threads.get(tid, -1) + 1
        log.write(json.dumps({"kind": kind, "tid": tid, "tid_event_idx": ordinal, **beside, "payload": payload}) + "\n")
