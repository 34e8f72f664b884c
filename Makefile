# Every habit of this project by name; CI calls nothing else.

CARGO ?= cargo
LOCKED := --locked
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

.PHONY: help build check test test-real man lint docs bench-build bench bench-peers gate gate-accept fuzz fuzz-build fuzz-min planted mutants coverage \
  valgrind races accuracy show show-build \
  show-answer show-speed show-large show-peers show-stream show-shapes show-layouts show-windows show-fifos show-first show-archives show-rules show-judgement show-reports show-origin show-audit show-state show-snapshot show-two-disks show-infer show-mangle show-check \
  show-emit show-record show-truncation show-world show-ends show-json show-6502 show-demo show-clone show-original

help: ## This list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  \1\t\2/' | expand -t 20

build: ## The release binary: target/release/forkpoint
	$(CARGO) build $(LOCKED) --release

test: ## All tests
	$(CARGO) test $(LOCKED) --quiet --no-fail-fast

test-real: ## Collectors against the real QEMU, a Linux guest, tcpdump, perf, ip: apt-get installs what it can, the rest is skipped by name
	@bash tests/real_collectors.sh

check: lint docs bench-build ## Formatting, clippy, documentation, benches compile: warnings denied

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	$(CARGO) check $(LOCKED) --lib --no-default-features
	@if command -v git > /dev/null; then for patch in fuzz/planted/*.patch; do \
	  git apply --check "$$patch" || { echo "$$patch does not fit the sources any more"; exit 1; }; done; \
	else echo "skipped: git"; fi

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --no-deps --quiet

# Without optimising: that they compile and link is what counts here.
bench-build:
	$(CARGO) build $(LOCKED) --benches --quiet

bench: ## Criterion benches by room, bytes a second, each checking its answer (FILTER=diff/late; BENCH=json for another)
	$(CARGO) bench $(LOCKED) --bench "$(or $(BENCH),rooms)" -- $(FILTER)

bench-peers: show-build ## cmp, wc, diff, jq, DuckDB, Polars, plain Python on one pair (SIZE=100M, ROUNDS=3, PYTHON=python3, RECORD=file)
	$(SHOW) peers --size "$(or $(SIZE),100M)" --rounds "$(or $(ROUNDS),3)" --python "$(or $(PYTHON),python3)"

gate: ## Instructions an event of every shape against benches/records/instructions.txt (skipped without valgrind)
	@if command -v valgrind > /dev/null; then \
	  $(CARGO) build $(LOCKED) --release --quiet --bin forkpoint --example show && $(SHOW) gate; else echo "skipped: valgrind"; fi

gate-accept: show-build ## Write benches/records/instructions.txt anew
	$(SHOW) gate --accept

valgrind: show-build ## Memcheck on what holds unsafe code, mapped and cut files, the released program (skipped without valgrind)
	@if command -v valgrind > /dev/null; then bash tests/memcheck.sh; else echo "skipped: valgrind"; fi

races: ## What threads share: loom, and ThreadSanitizer with nightly and its rust-src (skipped by name without; PREEMPTIONS=6)
	@PREEMPTIONS="$(PREEMPTIONS)" bash tests/races.sh

man: build ## The man page and shell completions, under target/share
	mkdir -p target/share
	target/release/forkpoint generate man > target/share/forkpoint.1
	for shell in bash zsh fish; do target/release/forkpoint generate completions $$shell > target/share/forkpoint.$$shell; done
	@ls target/share

# Fuzzing: with nightly and AddressSanitizer where nightly is there, else on stable without a sanitizer. Seeds are made
# of corpus/; what is found lies under fuzz/artifacts. TARGET=scan runs one of them alone.
FUZZ_TARGETS := scan json diff profile source show rules audit state state_file dirty_bitmap telemetry emit
# Asked of rustup: `cargo +nightly` might install one.
NIGHTLY = $(shell rustup toolchain list 2> /dev/null | grep -m 1 -o '^nightly')
FUZZ = $(CARGO) $(if $(NIGHTLY),+nightly) fuzz
FUZZ_BUILD = $(if $(NIGHTLY),,--sanitizer none)
FUZZ_THERE := command -v cargo-fuzz > /dev/null || $(CARGO) install --locked --quiet cargo-fuzz > /dev/null 2>&1

# Threads that read a stream are not waited for: to the leak checker of `source` one that is just ending looks like a leak.
fuzz: ## Every fuzz target over its corpus (TIME=60 seconds each, TARGET=scan for one, SEED=0 for chance; skipped without cargo-fuzz)
	@if $(FUZZ_THERE); then bash fuzz/seeds.sh && for target in $(or $(TARGET),$(FUZZ_TARGETS)); do \
	  echo "fuzz $$target" && env $$(test $$target = source && echo ASAN_OPTIONS=detect_leaks=0) $(FUZZ) run $(FUZZ_BUILD) $$target -- -max_total_time=$(or $(TIME),60) -seed=$(or $(SEED),0) -timeout=30 \
	    -rss_limit_mb=4096 -dict=$$(ls fuzz/dictionaries/$$target.dict 2> /dev/null || echo fuzz/dictionaries/json.dict) -verbosity=0 -print_final_stats=1 || exit 1; done; \
	else echo "skipped: cargo-fuzz"; fi

fuzz-build: ## All fuzz targets compile (skipped without cargo-fuzz)
	@if $(FUZZ_THERE); then $(FUZZ) build $(FUZZ_BUILD); else echo "skipped: cargo-fuzz"; fi

fuzz-min: ## The grown corpora under fuzz/corpus made small again
	@for target in $(or $(TARGET),$(FUZZ_TARGETS)); do $(FUZZ) cmin $(FUZZ_BUILD) $$target || exit 1; done

planted: ## Faults planted one by one: tests fail on each, its fuzz target finds it (FAULT="name …", SHARD=1/3; skipped without cargo-fuzz)
	@if $(FUZZ_THERE); then bash fuzz/planted.sh; else echo "skipped: cargo-fuzz"; fi

mutants: ## A seeded sample of a room's mutants against its tests (ROOM=json, COUNT=60, SEED=1, SHARD=1/2, AGAIN=1 for the survivors; skipped without cargo-mutants)
	@if command -v cargo-mutants > /dev/null; then bash fuzz/mutants.sh; else echo "skipped: cargo-mutants"; fi

coverage: ## Lines covered by the tests, room by room (TESTS="lib corpus" adds to an earlier count; 20 GB of disk; skipped without cargo-tarpaulin)
	@if command -v cargo-tarpaulin > /dev/null; then bash fuzz/coverage.sh; else echo "skipped: cargo-tarpaulin"; fi

# The shows run the program on inputs whose true answer is known, print figures, and fail on a wrong answer only.
# Options: SIZE=100M, ROUNDS=3, PAIR=folder, SCRATCH=folder for the temporary files, RECORD=file to write down
# what is printed, under a head with date, machine and versions (benches/records/DATE-NAME.txt).
SHOW := target/release/examples/show $(if $(SCRATCH),--scratch "$(SCRATCH)") $(if $(RECORD),--record "$(RECORD)")

show: show-demo show-ends show-json show-windows show-fifos show-archives show-6502 ## All shows but the large ones and the original
	$(SHOW) answer --size 100M

show-build: build
	$(CARGO) build $(LOCKED) --release --quiet --example show --example generate --example trace6502 --example eventshim

show-answer: show-build ## A large pair: every divergence at its place; time, memory, ratio to cmp (SIZE=1G, PAIR=folder, ROUNDS=3)
	$(SHOW) answer --size "$(or $(SIZE),1G)" $(if $(PAIR),--pair "$(PAIR)") --rounds "$(or $(ROUNDS),3)"

accuracy: show-build ## Who names the event where two runs really part: forkpoint, cmp, diff, a script, jq + diff, DuckDB (PAIRS=1000, FIRST=1, SHIFTED=1, KEEP=folder)
	python=$$(bash examples/show/accuracy/install.sh target/accuracy "$(or $(PYTHON),python3)") && \
	$(SHOW) accuracy --pairs "$(or $(PAIRS),1000)" --first "$(or $(FIRST),1)" --python "$$python" \
	  $(if $(SHIFTED),--shifted) $(if $(KEEP),--keep "$(KEEP)")

show-speed: show-build ## The budgets of the design, line by line (SIZE=1G, ROUNDS=5, GENERATOR=gen_events.py, RECORD=file)
	$(SHOW) speed --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),5)" $(if $(GENERATOR),--generator "$(GENERATOR)")

show-large: show-build ## Five times the size: the same memory, five times the time; and a hard limit (SIZE=5G, ROUNDS=3)
	$(SHOW) large --size "$(or $(SIZE),5G)" --rounds "$(or $(ROUNDS),3)"

show-peers: show-build ## DuckDB on a pair, the original on one of 100 MB (SIZE=1G, ORIGINAL=diff_events.py, PYTHON=python3)
	$(SHOW) peers --budgets --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),3)" --python "$(or $(PYTHON),python3)" \
	  $(if $(ORIGINAL),--original "$(ORIGINAL)")

show-stream: show-build ## Two generators live into two FIFOs, nothing stored (EVENTS=500000000)
	$(SHOW) stream --events "$(or $(EVENTS),500000000)"

show-shapes: show-build ## Every shape of pair by every way of reading: rate, memory, one report (SIZE=100M, ROUNDS=3)
	$(SHOW) shapes --size "$(or $(SIZE),100M)" --rounds "$(or $(ROUNDS),3)"

show-layouts: ## With and without learned layouts: the same bytes (CASES=10000, SEED=1)
	FORKPOINT_CASES="$(or $(CASES),10000)" FORKPOINT_SEED="$(or $(SEED),1)" \
	  $(CARGO) test $(LOCKED) --release --quiet --test layout_switch -- --nocapture

show-windows: show-build ## Late-born, reversed, equal, reused threads: one report however the logs are read
	$(SHOW) windows

show-fifos: show-build ## Both logs through FIFOs, written in turn by one program, and by two (SIZE=100M)
	$(SHOW) fifos --size "$(or $(SIZE),100M)"

show-first: show-build ## --first on a large pair: the full run's first divergence; time and bytes read beside the full run (SIZE=1G, ROUNDS=5)
	$(SHOW) first --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),5)"

show-archives: show-build ## One pair plain, .gz and .zst, from files, stdin and FIFOs: one report; MB/s, memory (SIZE=100M)
	$(SHOW) archives --size "$(or $(SIZE),100M)"

show-rules: show-build ## Every class of rule and a step beside it; a heap elsewhere, freed and used again; what it costs (SIZE=1G, ALLOCATIONS=10000000, ROUNDS=5, BEFORE=program)
	$(SHOW) rules --size "$(or $(SIZE),1G)" --allocations "$(or $(ALLOCATIONS),10000000)" --rounds "$(or $(ROUNDS),5)" \
	  $(if $(BEFORE),--before "$(BEFORE)")

show-judgement: show-build ## What kind, how far, whose fault: no false resync in loops (TRACES=200), the culprit leads (PLAYS=200), pools of workers are no certainty (POOLS=50)
	$(SHOW) judgement --traces "$(or $(TRACES),200)" --plays "$(or $(PLAYS),200)" --pools "$(or $(POOLS),50)"

show-reports: show-build ## Reports of six real divergences, as a user would paste them (INTO=docs/reports; needs what PyPI has, strace)
	python=$$(bash examples/show/accuracy/install.sh target/accuracy "$(or $(PYTHON),python3)") && \
	$(SHOW) reports --python "$$python" --into "$(or $(INTO),docs/reports)"

show-origin: show-build ## Where a value came from: 100 planted cases; one mention in a log of 1 GB, seconds and GB/s (CASES=100, SIZE=1G, ROUNDS=5)
	$(SHOW) origin --cases "$(or $(CASES),100)" --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),5)"

show-audit: show-build ## The life of handles: scenes, anything threads do, blind spots, a missing signal in two runs (CASES=200); a real program that forgets a call (RUNS=50); OBJECTS=10000000; SIZE=1G, ROUNDS=3
	FORKPOINT_CASES="$(or $(CASES),200)" $(CARGO) test $(LOCKED) --quiet --test audit --test audit_both -- --nocapture
	$(SHOW) audit --runs "$(or $(RUNS),50)" --objects "$(or $(OBJECTS),10000000)" --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),3)"

show-state: show-build ## Two state folders: large images and planted ranges beside cmp -l, large documents (SIZE=1G, RANGES=1000, SLOTS=500, DOCUMENT=256M, ROUNDS=3); against the original (STATE_ORIGINAL=diff_state.py, PAIRS=1000, SEED=1)
	$(SHOW) state --size "$(or $(SIZE),1G)" --ranges "$(or $(RANGES),1000)" --slots "$(or $(SLOTS),500)" \
	  --document "$(or $(DOCUMENT),256M)" --rounds "$(or $(ROUNDS),3)"
	@if test -f "$(STATE_ORIGINAL)"; then \
	  FORKPOINT_STATE_ORIGINAL="$(abspath $(STATE_ORIGINAL))" SEED="$(or $(SEED),1)" ROUNDS="$(or $(PAIRS),1000)" \
	    $(CARGO) test $(LOCKED) --release --quiet --test state_original -- --nocapture; \
	else echo "skipped: the original (STATE_ORIGINAL=diff_state.py)"; fi

show-snapshot: show-build ## Pairs of state and memory: crashes at every step, killed saves, pages dirtied meanwhile; rates beside cp + sync (SIZE=4G, DIRTY=1, ROUNDS=3, KILLS=500, SECONDS=60; SNAPSHOT_ORIGINAL=snapshot_integration.rs)
	@if test -f "$(SNAPSHOT_ORIGINAL)"; then \
	  sed 's/squib_snapshot/forkpoint::snapshot/g' "$(SNAPSHOT_ORIGINAL)" > tests/original_snapshot.rs; \
	  $(CARGO) test $(LOCKED) --release --quiet --test original_snapshot; passed=$$?; rm -f tests/original_snapshot.rs; exit $$passed; \
	else echo "skipped: the original's tests (SNAPSHOT_ORIGINAL=snapshot_integration.rs)"; fi
	$(CARGO) test $(LOCKED) --release --quiet --test snapshot_crash -- --nocapture
	FORKPOINT_KILLS="$(or $(KILLS),500)" $(CARGO) test $(LOCKED) --release --quiet --test snapshot_kills -- --nocapture
	FORKPOINT_STRESS_SECONDS="$(or $(SECONDS),60)" $(CARGO) test $(LOCKED) --release --quiet --test snapshot nothing_that -- --nocapture
	$(MAKE) --no-print-directory show-two-disks
	$(SHOW) snapshot --size "$(or $(SIZE),4G)" --dirty "$(or $(DIRTY),1)" --rounds "$(or $(ROUNDS),3)"

show-two-disks: ## A pair whose files lie on two file systems, a disk that is full (skipped where no tmpfs can be mounted)
	@if unshare -Urm true 2> /dev/null; then $(CARGO) build $(LOCKED) --release && unshare -Urm bash tests/two_disks.sh target/release/forkpoint; \
	else echo "skipped: unshare"; fi

show-infer: show-build ## Rules learned from runs: 50 seeded noisy programs, a real one; what is planted beside noise is found (CASES=50, PLANTED=20)
	FORKPOINT_CASES="$(or $(CASES),50)" $(CARGO) test $(LOCKED) --release --quiet --test infer -- --nocapture
	$(SHOW) infer --python "$(or $(PYTHON),python3)" --planted "$(or $(PLANTED),20)"

show-mangle: show-build ## Damaged logs: check names what mangle says it must, through both programs (SEEDS=1000, FIRST=1, FAULTS=8)
	$(CARGO) build $(LOCKED) --release --quiet --example mangle
	$(SHOW) mangle --seeds "$(or $(SEEDS),1000)" --first "$(or $(FIRST),1)" --faults "$(or $(FAULTS),8)"

show-emit: show-build ## The recorder beside a lock and a buffer: events/s, 16 threads at once, a slow disk, every end of a process (EVENTS=5000000, ROUNDS=3)
	$(SHOW) emit --events "$(or $(EVENTS),5000000)" --rounds "$(or $(ROUNDS),3)"

show-record: show-build ## Recorders killed at any moment, collectors that fail, episodes beside other readings, ticks and their cost, a planted slowdown (KILLS=200, SECONDS=30, RUNS=3)
	FORKPOINT_KILLS="$(or $(KILLS),200)" $(CARGO) test $(LOCKED) --release --quiet --test episode_record -- --nocapture
	$(CARGO) test $(LOCKED) --release --quiet --test episode_collect -- --nocapture
	$(SHOW) episode --seconds "$(or $(SECONDS),30)" --runs "$(or $(RUNS),3)"

show-check: show-build ## check on large sound logs: GB/s, ratio to cmp (SIZE=1G, ROUNDS=5)
	$(SHOW) check --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),5)"

show-truncation: show-build ## A mapped log truncated during the run: exit 2 and a sentence (SIZE=1G, ROUNDS=20)
	$(SHOW) truncation --size "$(or $(SIZE),1G)" --rounds "$(or $(ROUNDS),20)"

show-world: show-build ## Runs with one fault of the world each, and what became of them (RUNS=1000, SEED=1; skipped without a C compiler)
	$(SHOW) world --runs "$(or $(RUNS),1000)" --seed "$(or $(SEED),1)"

show-ends: show-build ## Every way a run can end: exit codes and what is said
	$(SHOW) ends

show-json: show-build ## RFC 8259, production by production: accepting and refusing cases, decided by check
	$(SHOW) json

show-6502: show-build ## Two real instruction traces and where they part
	$(SHOW) trace6502

show-demo: show-build ## The report on corpus/demo
	$(SHOW) demo

show-clone: show-build ## A fresh clone: the README's first two commands, and how long they take (REPO=.)
	$(SHOW) clone "$(or $(REPO),.)"

show-original: ## Held against the original tool (ORIGINAL=diff_events.py GENERATOR=gen_events.py ROUNDS=400, three seeds)
	@test -f "$(ORIGINAL)" -a -f "$(GENERATOR)" || { echo "say where the originals lie: ORIGINAL=… GENERATOR=…"; exit 2; }
	for turn in 1 2 3; do \
	  seed=$$(date +%s%N); echo "seed $$seed, $(or $(ROUNDS),400) rounds"; \
	  FORKPOINT_ORIGINAL="$(abspath $(ORIGINAL))" FORKPOINT_GENERATOR="$(abspath $(GENERATOR))" \
	  SEED=$$seed ROUNDS="$(or $(ROUNDS),400)" \
	    $(CARGO) test $(LOCKED) --release --quiet --test against_original -- --nocapture; \
	done
