# Quietline. Each command works as the only one after cloning, on a Debian or Ubuntu machine with
# python3 (3.11 or newer, with venv), make and git.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check --require-hashes

# What is installed is named by the digest of the files that list it: a second start installs
# nothing, a changed list installs again.
RUNTIME := $(VENV)/.runtime-$(shell cat requirements.txt | sha256sum | cut -c1-16)
DEVELOPMENT := $(VENV)/.development-$(shell cat requirements.txt requirements-dev.txt | sha256sum | cut -c1-16)

.PHONY: help run test check bench faults docs requirements

help: ## Say what each command does
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUNTIME) ## Start Quietline: phone, console and engine, in the foreground (Ctrl-C stops all)
	@exec $(BIN)/python run.py

test: $(DEVELOPMENT) ## Run every test, with a real PostgreSQL and a real browser
	@mkdir -p build
	@chromium="$$($(BIN)/python -m tests.chromium)" && \
	  QUIETLINE_CHROMIUM="$$chromium" $(BIN)/python -m pytest --junitxml=build/tests.xml $(ARGS)

check: $(DEVELOPMENT) ## Check format, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEVELOPMENT) ## Measure, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench $(ARGS)

faults: $(DEVELOPMENT) ## Run the fault tests whole (100 kills, 20,000 events; takes minutes)
	$(BIN)/python -m pytest tests/faults --whole $(ARGS)

docs: $(DEVELOPMENT) ## Draw docs/callflow.svg from the rule table, and photograph docs/board.png
	$(BIN)/python -m callflow.drawing
	@chromium="$$($(BIN)/python -m tests.chromium)" && \
	  QUIETLINE_CHROMIUM="$$chromium" QUIETLINE_PICTURE=1 $(BIN)/python -m pytest -q tests/browser/test_picture.py

requirements: $(DEVELOPMENT) ## Pin requirements.txt and requirements-dev.txt again, with hashes
	$(BIN)/python -m piptools compile --quiet --no-header --strip-extras --allow-unsafe \
	  --generate-hashes --no-emit-options \
	  --output-file=requirements.txt requirements.in $(ARGS)
	$(BIN)/python -m piptools compile --quiet --no-header --strip-extras --allow-unsafe \
	  --generate-hashes --no-emit-options \
	  --output-file=requirements-dev.txt requirements-dev.in $(ARGS)

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Quietline needs Python 3.11 or newer: sudo apt-get install -y python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Quietline needs Python 3.11 or newer, and this is $$($(PYTHON) --version): make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv is missing: sudo apt-get install -y python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUNTIME): $(VENV)/.made
	@echo "Installing what Quietline needs into $(VENV) (once; about a minute) …"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(DEVELOPMENT): $(RUNTIME)
	@echo "Installing what the tests and checks need into $(VENV) (once; about a minute) …"
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@
