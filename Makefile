# Everything a person or a machine does with this repository has a target here.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

.venv/.ready: requirements-dev.txt pyproject.toml tools/setup.sh
	@PYTHON="$(PYTHON)" sh tools/setup.sh

setup: .venv/.ready  ## make .venv with the locked dependencies

demo: .venv/.ready  ## start everything, stop the agents of three hosts over SSH, prove it, stop everything
	@$(BIN)/python -m demo.main demo

up: .venv/.ready  ## start everything and stay; Ctrl-C stops it
	@$(BIN)/python -m demo.main up

start: .venv/.ready  ## run the Procfile (api, worker, flower) against the Redis at OCPFLEET_REDIS_URL
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start

test: .venv/.ready  ## all tests, against real servers started by the tests: unit tests, the others, what must run alone
	@sh tools/openssh.sh
	@sh tools/faketime.sh
	@BIN=$(BIN) sh tools/test.sh

unit: .venv/.ready  ## the unit tests alone: no sockets, less than a minute
	@$(BIN)/pytest tests/unit --numprocesses auto --dist worksteal

test-long: .venv/.ready  ## longer proofs: TIMES= as many examples of what draws them (10), then make chaos with SEEDS= seeds (10)
	@TEST_TIMES=$(or $(TIMES),10) $(BIN)/pytest tests -m "hypothesis or longer" --numprocesses auto --dist loadgroup --timeout 3600
	@for run in $$(seq $(or $(SEEDS),10)); do $(BIN)/python -m tests.chaos.main --minutes $(or $(MINUTES),2) || exit; done

check: .venv/.ready  ## format, lint, types, imports: all that CI checks beside the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_names.py

format: .venv/.ready  ## rewrite the sources in the one format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: .venv/.ready  ## what orchestration costs, row by row; ROWS=accept,orchestrate for some, TINY=1 to see that it works
	@sh tools/openssh.sh
	@$(BIN)/python -m bench.main --rows "$(ROWS)" $(if $(TINY),--tiny)

chaos: .venv/.ready  ## kill everything, again and again, under load; SEED= draws the same again, MINUTES= says how long (2)
	@$(BIN)/python -m tests.chaos.main $(if $(SEED),--seed $(SEED)) --minutes $(or $(MINUTES),2)

examples: .venv/.ready  ## write the examples of the OpenAPI document anew, from replies of the API
	@$(BIN)/python -m tests.support.examples
	@git --no-pager diff --stat app/openapi/examples

lock:  ## pin the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --extra dev pyproject.toml -o requirements-dev.txt

clean:  ## remove what the targets made, the virtual environment and var/ included
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.PHONY: help setup demo up start test unit test-long check format bench chaos examples lock clean
