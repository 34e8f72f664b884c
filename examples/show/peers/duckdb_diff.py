# DuckDB's answer: a hash of each event's compared fields, joined on thread and ordinal, the threads' mapping given.
# usage: duckdb_diff.py REFERENCE CANDIDATE 6=1,7=2 SCRATCH; one line "TID POSITION" or "TID -" for each thread.
import sys

import duckdb

reference, candidate, mapping, scratch = sys.argv[1:5]
pairs = [tuple(map(int, pair.split("="))) for pair in mapping.split(",")]
ALLOCATORS = ("MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory", "NtAllocateVirtualMemory", "RtlAllocateHeap",
              "MmCreateKernelStack")

db = duckdb.connect()
db.execute(f"SET temp_directory = '{scratch}'")
db.execute("CREATE TABLE mapping (reference BIGINT, candidate BIGINT)")
db.executemany("INSERT INTO mapping VALUES (?, ?)", pairs)


def events(path):
    return f"""
    SELECT tid, tid_event_idx AS position, hash(kind, CASE
        WHEN kind IN ('handle.create', 'handle.destroy')
            THEN json_merge_patch(payload, '{{"raw_handle_id":null}}')::VARCHAR
        WHEN kind = 'wait.end' THEN json_merge_patch(payload, '{{"wait_duration_cycles":null}}')::VARCHAR
        WHEN kind = 'kernel.return' AND (payload->>'name') IN {ALLOCATORS}
            THEN (payload->>'name') || ((payload->>'return_value') = '0')::VARCHAR
        ELSE payload::VARCHAR END) AS digest
    FROM read_json('{path}', format = 'newline_delimited', maximum_object_size = 67108864,
        columns = {{kind: 'VARCHAR', tid: 'BIGINT', tid_event_idx: 'BIGINT', payload: 'JSON'}})
    WHERE kind <> 'schema_version'"""


found = dict(db.execute(f"""
    WITH r AS ({events(reference)}),
         c AS (SELECT mapping.reference AS tid, position, digest FROM ({events(candidate)}) e
               JOIN mapping ON mapping.candidate = e.tid)
    SELECT coalesce(r.tid, c.tid) AS tid, min(coalesce(r.position, c.position)) AS position
    FROM r FULL JOIN c ON r.tid = c.tid AND r.position = c.position
    WHERE r.digest IS DISTINCT FROM c.digest GROUP BY 1""").fetchall())
for tid, _ in pairs:
    print(tid, found.get(tid, "-"))
