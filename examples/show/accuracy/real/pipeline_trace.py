# A real program with nine threads: three pipelines wrap, split and check texts with the standard library, queues between.
# Each thread's calls into the library are an event each, in schema-v1. `bug`: a cache goes by the wrong key.
# usage: pipeline_trace.py OUT [bug]
import json
import queue
import shlex
import sys
import textwrap
import threading
import time
import zlib

log, lock = open(sys.argv[1], "w"), threading.Lock()
has_bug = sys.argv[2:] == ["bug"]
TRACED = {textwrap.__file__, shlex.__file__}
ordinals = {}


def event(kind, payload):
    with lock:
        tid = threading.get_native_id()
        ordinal = ordinals[tid] = ordinals.get(tid, -1) + 1
        log.write(json.dumps({"kind": kind, "tid": tid, "tid_event_idx": ordinal, "host_ns": time.monotonic_ns(),
                              "payload": payload}) + "\n")


def plain(value):
    return value if isinstance(value, (int, str, bool, type(None))) else type(value).__name__


def trace(frame, what, value):
    code = frame.f_code
    if code.co_filename not in TRACED:
        return None
    if what == "call":
        names = code.co_varnames[:code.co_argcount]
        event("kernel.call", {"name": code.co_name, "args": {name: plain(frame.f_locals[name]) for name in names}})
    elif what == "return":
        event("kernel.return", {"name": code.co_name, "return_value": plain(value)})
    return trace


def take(work):
    event("wait.begin", {"handle_semantic_id": work.name})
    start = time.monotonic_ns()
    job = work.get()
    event("wait.end", {"handle_semantic_id": work.name, "wait_duration_cycles": time.monotonic_ns() - start})
    return job


def check(words, cache):
    key = len(words) if has_bug else tuple(words)
    if key not in cache:
        cache[key] = zlib.crc32(" ".join(words).encode())
        event("kernel.call", {"name": "crc32", "args": {"words": len(words)}})
        event("kernel.return", {"name": "crc32", "return_value": cache[key]})
    return cache[key]


def stage(name, work, after, do):
    event("kernel.call", {"name": name})
    sys.settrace(trace)
    while (job := take(work)) is not None:
        after.put(do(job))
    sys.settrace(None)
    after.put(None)
    event("thread.exit", {"exit_code": 0})


def pipeline(number):
    queues = [queue.SimpleQueue() for _ in range(4)]
    names = [f"{name}-{number}" for name in ("wrap", "split", "check", "done")]
    works = [type("Work", (), {"name": name, "get": q.get, "put": q.put})() for name, q in zip(names, queues)]
    cache = {}
    does = [lambda text: textwrap.fill(text, 30 + number), lambda text: shlex.split(text), lambda words: check(words, cache)]
    threads = [threading.Thread(target=stage, args=(names[at], works[at], works[at + 1], does[at])) for at in range(3)]
    return threads, queues[0]


log.write('{"kind":"schema_version","schema_version":1,"engine":"%s"}\n' % ("pipeline+bug" if has_bug else "pipeline"))
pipelines = [pipeline(number) for number in range(3)]
# All live before any of them can end: no thread id serves twice.
for threads, _ in pipelines:
    for thread in threads:
        thread.start()
for number, (_, texts) in enumerate(pipelines):
    for turn in range(30):
        # No two texts of a pipeline have the same words; from turn 20 on some have as many.
        texts.put(" ".join(f"word{turn}-{at}" for at in range(4 + number + (turn if turn < 20 else turn - 13))))
    texts.put(None)
for threads, _ in pipelines:
    for thread in threads:
        thread.join()
log.close()
