# Needs only Python 3.11 to 3.13, pip and make. `make PYTHON=/path/to/python3.12 run` chooses the interpreter.

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-input
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11 python; do \
	"$$candidate" $(IS_USABLE) 2>/dev/null && echo "$$candidate" && break; done)
IS_USABLE := -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'

# Those of the benchmarks take minutes each: `pytest -m slow tests/benchmarks`.
SLOW := -m slow --ignore=tests/turn --ignore=tests/benchmarks --timeout=300

# Two files at a time, as most tests wait. Those of the page have the machine to themselves: a browser that is to play and
# record in real time wants all of two cores. What failed is run once more, alone: models and audio in real time may be late
# on a busy machine. That forgives a race of our own as well: a first summary that is not green is to be looked into.
PARALLEL := -n 2 --dist loadfile
FAILED := --last-failed --last-failed-no-failures=none

.PHONY: help run demo test test-slow coverage check bench live-check clean

help:  ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

run: .venv/run.stamp  ## install, fetch the model weights, start the server
	$(BIN)/speakback weights
	$(BIN)/speakback serve

demo: .venv/run.stamp  ## a scripted caller talks with the server for six turns
	$(BIN)/speakback weights demo
	$(BIN)/speakback demo

test: .venv/dev.stamp  ## install what the tests need and run them
	$(BIN)/speakback weights tests
	$(BIN)/python -m pytest $(PARALLEL) --ignore=tests/web || $(BIN)/python -m pytest $(FAILED) --ignore=tests/web
	$(BIN)/python -m pytest tests/web || $(BIN)/python -m pytest $(FAILED) tests/web

test-slow: .venv/dev.stamp  ## run the tests that take long, but for those of turn-taking (`make coverage`) and of benchmarks
	$(BIN)/speakback weights tests
	$(BIN)/python -m pytest $(SLOW)

coverage: .venv/dev.stamp  ## hold that the tests of turn-taking run all its lines and branches
	$(BIN)/python -m pytest $(PARALLEL) tests/turn -m "slow or not slow" --cov=speakback.turn --cov-branch \
		--cov-report=term-missing:skip-covered --cov-fail-under=100 --timeout=120

check: .venv/dev.stamp  ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/run.stamp  ## measure latencies and print the tables
	$(BIN)/speakback weights tests
	$(BIN)/python -m benchmarks

live-check: .venv/run.stamp  ## try the contracts with the services of which there are keys, else with their emulators
	$(BIN)/speakback live-check

clean:  ## remove the environment and caches, but not the weights
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/run.stamp: requirements/run.txt pyproject.toml
	@"$(PYTHON)" $(IS_USABLE) 2>/dev/null || { \
		echo "No usable Python found$(if $(PYTHON), ($(PYTHON) is not)). Speakback needs Python 3.11 to 3.13 with its venv" \
			"module (Debian and Ubuntu: apt install python3-venv)." \
			"Name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	"$(PYTHON)" -m venv .venv
	$(PIP_INSTALL) --require-hashes --only-binary=:all: -r requirements/run.txt
	$(PIP_INSTALL) --no-deps --no-index --no-build-isolation --editable .
	touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(PIP_INSTALL) --require-hashes --no-build-isolation --use-pep517 -r requirements/dev.txt
	touch $@
