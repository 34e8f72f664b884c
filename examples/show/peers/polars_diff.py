# Polars' answer: the compared fields of each event as text, joined on thread and ordinal, the threads' mapping given.
# usage: polars_diff.py REFERENCE CANDIDATE 6=1,7=2 SCRATCH; one line "TID POSITION" or "TID -" for each thread.
import sys

import polars as pl

reference, candidate, mapping, _scratch = sys.argv[1:5]
pairs = [tuple(map(int, pair.split("="))) for pair in mapping.split(",")]
ALLOCATORS = ["MmAllocatePhysicalMemoryEx", "MmAllocatePhysicalMemory", "NtAllocateVirtualMemory", "RtlAllocateHeap",
              "MmCreateKernelStack"]


def events(path, threads):
    lines = pl.scan_csv(path, has_header=False, separator="\x01", quote_char=None, new_columns=["line"])
    number = lambda key: pl.col("line").str.extract(rf'"{key}":(\d+)').cast(pl.Int64)
    text = lambda key: pl.col("line").str.extract(rf'"{key}":"([^"]*)"')
    # Blanks after the brace are spelling; the rest of a payload is written alike by both engines.
    payload = pl.col("line").str.extract(r'"payload":\{ *(.*)$')
    kind, name = text("kind"), text("name")
    compared = (
        pl.when(kind.is_in(["handle.create", "handle.destroy"]))
        .then(payload.str.replace(r'"raw_handle_id":\d+', ""))
        .when(kind == "wait.end")
        .then(payload.str.replace(r'"wait_duration_cycles":\d+', ""))
        .when((kind == "kernel.return") & name.is_in(ALLOCATORS))
        .then(name + (number("return_value") == 0).cast(pl.String))
        .otherwise(payload)
    )
    return lines.filter(kind != "schema_version").select(
        number("tid").replace_strict(threads).alias("tid"), number("tid_event_idx").alias("at"),
        pl.concat_str([kind, pl.lit("|"), compared]).hash().alias("digest"))


r = events(reference, {a: a for a, _ in pairs})
c = events(candidate, {b: a for a, b in pairs})
parted = (
    r.join(c, on=["tid", "at"], how="full", coalesce=True, suffix="_c")
    .filter(pl.col("digest").ne_missing(pl.col("digest_c")))
    .group_by("tid").agg(pl.col("at").min())
    .collect(engine="streaming")
)
found = dict(parted.iter_rows())
for tid, _ in pairs:
    print(tid, found.get(tid, "-"))
