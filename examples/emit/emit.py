"""How a Python program writes a schema-v1 event log: about thirty lines to copy, and a use of them.

    python3 emit.py OUT
"""

import json
import sys
import threading
import time


class Log:
    """The log: one for the whole program."""

    def __init__(self, path, engine):
        self.file = open(path, "w", encoding="utf-8", newline="\n")
        self.lock = threading.Lock()
        self.start = time.monotonic_ns()
        self.write({"kind": "schema_version", "schema_version": 1, "engine": engine})

    def write(self, record):
        # allow_nan: a NaN would be no JSON; better to fail here than in whoever reads it.
        line = json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"
        # A whole line at once, so that threads cannot write into each other's.
        with self.lock:
            self.file.write(line)

    def close(self):
        self.file.close()


class Thread:
    """What a thread must remember: its id and its next ordinal."""

    def __init__(self, log, tid):
        self.log, self.tid, self.next = log, tid, 0

    def event(self, kind, cycle, **payload):
        self.log.write({"kind": kind, "tid": self.tid, "tid_event_idx": self.next,
                        "host_ns": time.monotonic_ns() - self.log.start, "guest_cycle": cycle,
                        "deterministic": True, "payload": payload})
        self.next += 1


def guest(thread):
    """A guest thread that opens three files and ends."""
    cycle = 0
    for path in ("game:\\a.pak", 'caf\u00e9 "b"\n', "\x01\U0001f980"):
        cycle += 40
        thread.event("kernel.call", cycle, name="NtOpenFile", args={"path": path})
        thread.event("kernel.return", cycle + 9, name="NtOpenFile", return_value=0)
    thread.event("thread.exit", cycle + 20, exit_code=0)


if __name__ == "__main__":
    log = Log(sys.argv[1] if len(sys.argv) > 1 else "emit.jsonl", 'emit "py"')
    threads = [threading.Thread(target=guest, args=(Thread(log, tid),)) for tid in (4, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
