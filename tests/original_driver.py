# Makes pairs of logs with the original generator and diffs them with the original tool, all in
# one process. usage: driver.py GENERATOR ORIGINAL FOLDER SEED ROUNDS; one JSON object a round on stdout.
import contextlib, importlib.util, io, json, os, random, sys


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LINES = ("garbage truncated no-tid null-tid str-tid list-tid dup-idx no-idx blank space array number no-payload "
         "null-payload no-kind bad-utf8 nan big-int dup-key deep bad-version no-header bom lone-cr").split()
FILES = ["crlf", "empty", "no-final-newline"]


def mend(how, path, at):
    """The file as our rules read it, where the original refuses it; None where there is no such rule."""
    with open(path, "rb") as f:
        lines = f.read().split(b"\n")
    line = lines[at - 1]
    if how == "space":
        line = b""
    elif how == "bom" and at == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    elif how == "lone-cr":
        line = line.replace(b"\r", b" ")
    elif how in ("null-payload", "no-payload") and at > 1:
        line = json.dumps({**json.loads(line), "payload": {}}).encode()
    else:
        return False
    lines[at - 1] = line
    with open(path + ".mended", "wb") as f:
        f.write(b"\n".join(lines))
    return True


def original(tool, canary, ours):
    from pathlib import Path
    try:
        sides = [tool.load_events(Path(p)) for p in (canary, ours)]
        for side in sides:
            tool.canonicalize_allocator_returns(side)
        tids = tool.auto_tid_map(*sides)
        pairs = []
        for c, o in sorted(tids.items(), key=str):
            r = tool.diff_one_tid(sides[0][c], sides[1][o], c, o)
            pairs.append([c, o, r["matched"], r["canary_total"], r["ours_total"], r["diverged_at"], r["diff_descr"]])
        return {"error": None, "pairs": pairs}
    except (Exception, SystemExit) as e:
        return {"error": f"{type(e).__name__}: {str(e)[:200]}", "pairs": []}


def main():
    gen, tool = load("gen_events", sys.argv[1]), load("diff_events", sys.argv[2])
    folder, seed, rounds = sys.argv[3], sys.argv[4], int(sys.argv[5])
    rng = random.Random(f"against/{seed}")
    whats = ["none"] + list(gen.HOWS) * 2 + LINES + FILES
    for n in range(rounds):
        out = os.path.join(folder, f"r{n}")
        threads, events = rng.randrange(1, 7), rng.randrange(40, 400)
        what = whats[n % len(whats)]
        argv = ["gen", "--out", out, "--seed", f"{rng.randrange(10**9)}", "--threads", str(threads), "--events", str(events),
                "--tids", rng.choice(("offset", "same", "shuffle")), "--slice", str(rng.choice((1, 5, 20)))]
        if rng.random() < 0.3:
            argv += ["--same-first-call", str(rng.randrange(threads))]
        file, line = rng.choice(gen.ENGINES), rng.choice((1, 2, rng.randrange(2, events // 2)))
        quota = gen.quotas(events, threads)
        thread = rng.randrange(threads)
        if what in gen.HOWS:
            argv += ["--diverge", f"{thread}:{rng.randrange(quota[thread] + 2)}:{what}"]
        elif what != "none":
            argv += ["--malform", f"{file}:{line}:{what}"]
        said, sys.argv = io.StringIO(), argv
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                gen.main()
        except Exception as e:  # an edit or damage that cannot be made where it was asked for
            print(json.dumps({"round": n, "what": what, "unmade": str(e)[:100]}))
            continue
        with open(os.path.join(out, "truth.json")) as f:
            truth = json.load(f)["tid_map"]
        paths = {e: os.path.join(out, e + ".jsonl") for e in gen.ENGINES}
        row = {"round": n, "what": what, "folder": out, "line": line, "file": file, "truth": truth, "argv": " ".join(argv[1:])}
        row.update(original(tool, paths["canary"], paths["ours"]))
        if row["error"] and what in LINES and mend(what, paths[file], line):
            mended = {**paths, file: paths[file] + ".mended"}
            row.update(original(tool, mended["canary"], mended["ours"]), refused=row["error"])
        print(json.dumps(row))


main()
