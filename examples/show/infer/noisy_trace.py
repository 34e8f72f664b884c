# A real program, noisy on purpose: four threads call the standard library, whose answers hold random names, clocks, process ids,
# addresses, and sets that come in any order. Each call and its answer are an event, in schema-v1. With a number, the answer
# of that job is wrong by one; its line in the log is printed. Jobs whose answers differ from run to run cannot be wrong so.
# usage: noisy_trace.py OUT [JOB]
import email.utils
import hashlib
import json
import os
import statistics
import sys
import tempfile
import textwrap
import threading
import time
import uuid
import zlib

JOBS, THREADS = 400, 4
wrong = int(sys.argv[2]) if len(sys.argv) > 2 else None
log, lock, lines = open(sys.argv[1], "w"), threading.Lock(), 0


def write(event):
    global lines
    with lock:
        log.write(json.dumps(event) + "\n")
        lines += 1
        return lines


def jobs(number):
    for at in range(JOBS):
        words = [f"w{(at * step + number) % 97}" for step in (3, 5, 7, 11)]
        text = " ".join(words)
        yield [
            ("hash", lambda: hashlib.sha256(text.encode()).hexdigest()[:12], True),
            ("mktemp", lambda: tempfile.gettempdir() + "/" + next(tempfile._get_candidate_names()), False),
            ("crc", lambda: zlib.crc32(text.encode()), True),
            ("clock", lambda: time.monotonic_ns(), False),
            ("wrap", lambda: textwrap.fill(text, 9), True),
            ("pid", lambda: os.getpid() + 0 * at, False),
            ("words", lambda: list({*words, "w98", "w99"}), False),
            ("mean", lambda: statistics.mean([at, number, 4]), True),
            ("uuid", lambda: str(uuid.uuid4()), False),
            ("address", lambda: id(words), False),
            ("date", lambda: email.utils.formatdate(at * 1000, usegmt=True), True),
        ][(at * 7 + number) % 11]


def run(number):
    # The thread is known by its first call.
    ordinal, tid = 0, threading.get_native_id()

    def event(kind, payload):
        nonlocal ordinal
        ordinal += 1
        stamp = time.monotonic_ns()
        return write({"kind": kind, "tid": tid, "tid_event_idx": ordinal - 1, "host_ns": stamp, "payload": payload})

    event("kernel.call", {"name": f"begin-{number}"})
    for at, (name, do, is_certain) in enumerate(jobs(number)):
        event("kernel.call", {"name": name, "args": {"job": at}})
        value = do()
        is_wrong = wrong == at * THREADS + number and is_certain
        if is_wrong:
            value = value + 1 if isinstance(value, (int, float)) else value + "x"
        line = event("kernel.return", {"name": name, "return_value": value})
        if is_wrong:
            print(line)
    event("thread.exit", {"exit_code": 0})


write({"kind": "schema_version", "schema_version": 1, "engine": "noisy"})
threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
log.close()
