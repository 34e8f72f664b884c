# DuckDB's answer: each event's compared fields, joined on thread and ordinal; the threads' mapping is given.
# stdin: a line "REFERENCE CANDIDATE MAP SCRATCH" a pair, tabs between; stdout: a JSON line each, {} where nothing differs.
import json
import sys

import duckdb

ALLOCATORS = ("MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory", "NtAllocateVirtualMemory", "RtlAllocateHeap",
              "MmCreateKernelStack")
db = duckdb.connect(config={"threads": 1})


def sorted_keys(text):
    return json.dumps(json.loads(text), sort_keys=True)


db.create_function("sorted_keys", sorted_keys, ["VARCHAR"], "VARCHAR")


def events(path, table):
    db.execute(f"""
    CREATE OR REPLACE TABLE {table} AS
    SELECT line, kind, tid, ordinal, CASE
        WHEN kind IN ('handle.create', 'handle.destroy')
            THEN sorted_keys(json_merge_patch(payload, '{{"raw_handle_id":null}}')::VARCHAR)
        WHEN kind = 'wait.end' THEN sorted_keys(json_merge_patch(payload, '{{"wait_duration_cycles":null}}')::VARCHAR)
        WHEN kind = 'kernel.return' AND (payload->>'name') IN {ALLOCATORS}
            THEN (payload->>'name') || ((payload->>'return_value') = '0')::VARCHAR
        ELSE sorted_keys(payload::VARCHAR) END AS compared
    FROM (SELECT row_number() OVER () AS line, kind, tid::VARCHAR AS tid, tid_event_idx AS ordinal, payload
          FROM read_json('{path}', format = 'newline_delimited', maximum_object_size = 67108864,
              columns = {{kind: 'VARCHAR', tid: 'JSON', tid_event_idx: 'BIGINT', payload: 'JSON'}}))
    WHERE kind <> 'schema_version'""")


# A lane that lacks its last events has ended; one that lacks all of them has no partner.
FIRST = """
    WITH lane AS (SELECT r.tid, c.tid AS other, r.last AS last, c.last AS other_last
                  FROM (SELECT tid, max(ordinal) AS last FROM r GROUP BY 1) r
                  JOIN mapping m ON m.r = r.tid JOIN (SELECT tid, max(ordinal) AS last FROM c GROUP BY 1) c ON c.tid = m.c),
    both_sides AS (
        SELECT r.line AS reference, c.line AS candidate, r.kind AS k, c.kind AS ck, r.compared AS p, c.compared AS cp,
               coalesce(r.tid, m.r) AS tid, coalesce(c.tid, n.c) AS other, coalesce(r.ordinal, c.ordinal) AS ordinal
        FROM (r LEFT JOIN mapping n ON n.r = r.tid) FULL JOIN (c LEFT JOIN mapping m ON m.c = c.tid)
          ON m.r = r.tid AND r.ordinal = c.ordinal)
    SELECT reference, candidate, CASE
        WHEN lane.tid IS NULL THEN 'unmatched'
        WHEN candidate IS NULL AND b.ordinal > lane.other_last THEN 'ended-early'
        WHEN reference IS NULL AND b.ordinal > lane.last THEN 'ended-early'
        WHEN candidate IS NULL OR reference IS NULL THEN 'ordinal'
        WHEN k <> ck THEN 'kind' ELSE 'value' END
    FROM both_sides b LEFT JOIN lane ON lane.tid = b.tid AND lane.other = b.other
    WHERE (k, p) IS DISTINCT FROM (ck, cp) ORDER BY reference NULLS LAST, candidate LIMIT 1"""

for task in sys.stdin:
    reference, candidate, mapping, _scratch = task.rstrip("\n").split("\t")
    events(reference, "r")
    events(candidate, "c")
    db.execute("CREATE OR REPLACE TABLE mapping (r VARCHAR, c VARCHAR)")
    pairs = [pair.split("=") for pair in mapping.split(",") if pair]
    if pairs:
        db.executemany("INSERT INTO mapping VALUES (?, ?)", pairs)
    found = db.execute(FIRST).fetchone()
    keys = ("reference", "candidate", "kind")
    print(json.dumps({key: value for key, value in zip(keys, found or ()) if value is not None}), flush=True)
