# Every habit of this project by name; CI calls nothing else.

CARGO ?= cargo
LOCKED := --locked
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

.PHONY: help build check test man lint docs bench-build show-answer show-original show-windows show-truncation

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 20

build: ## The release binary: target/release/forkpoint
	$(CARGO) build $(LOCKED) --release

test: ## All tests
	$(CARGO) test $(LOCKED) --quiet --no-fail-fast

check: lint docs bench-build ## Formatting, clippy, documentation, benches compile: warnings denied

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings
	$(CARGO) check $(LOCKED) --lib --no-default-features

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --no-deps --quiet

bench-build:
	$(CARGO) bench $(LOCKED) --no-run --quiet

man: build ## The man page and shell completions, under target/share
	mkdir -p target/share
	target/release/forkpoint generate man > target/share/forkpoint.1
	for shell in bash zsh fish; do target/release/forkpoint generate completions $$shell > target/share/forkpoint.$$shell; done
	@ls target/share

show-answer: ## A large pair with known truth: every divergence at its place; time, memory, ratio to cmp (SIZE=100M, PAIR=dir)
	tools/show-answer.sh "$(or $(SIZE),100M)" "$(PAIR)"

show-original: ## Held against the original tool (ORIGINAL=diff_events.py GENERATOR=gen_events.py ROUNDS=1000)
	tools/show-original.sh "$(ORIGINAL)" "$(GENERATOR)" "$(or $(ROUNDS),1000)"

show-windows: ## Late-born, reversed and equal lanes: one report for every window, worker count and kind of source
	tools/show-windows.sh

show-truncation: ## A mapped log truncated during the run: exit 2 and a sentence, 20 times (SIZE=1G)
	tools/show-truncation.sh "$(or $(SIZE),1G)"
