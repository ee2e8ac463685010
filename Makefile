# Two commands matter: `make run` and `make test`. Everything else is named in docs/architecture.md.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000

.PHONY: fuzz help setup run test replay lint format lock clean

help:  ## what can be made here
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/.ready: config/requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Offprint needs Python 3.11 or newer; set PYTHON=python3.11 (or newer)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "python3-venv is missing; on Debian: apt install python3-venv"; exit 1; }
	@echo "Installing into .venv (a minute or two, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r config/requirements-dev.lock
	@touch $@

setup: .venv/.ready  ## make .venv with the locked libraries

run: setup  ## set up, run a day, serve the site on http://localhost:8000 (ONCE=1 ends after the day)
	@$(BIN)/python manage.py up --port $(PORT) $(if $(ONCE),--once)

test: setup  ## set up and pass the tests
	@$(BIN)/python tests/everything.py

replay: setup  ## replay every captured day (../shared/data) and hold the books against the files
	@$(BIN)/python tests/replay.py --write docs/replay.md

fuzz: setup  ## read hostile answers in the killable child (COUNT=5000 SEED=… to repeat one)
	@$(BIN)/python -m tests.digest.sources.hostile --count $(or $(COUNT),5000) $(if $(SEED),--seed $(SEED))

lint: setup  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup  ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:  ## lock requirements anew (needs uv)
	@uv pip compile -q --universal --python-version 3.11.0 --generate-hashes --no-header -o config/requirements.lock requirements.txt
	@uv pip compile -q --universal --python-version 3.11.0 --generate-hashes --no-header -o config/requirements-dev.lock config/requirements-dev.txt

clean:  ## forget the data of the embedded default (var/), keep .venv
	@rm -rf var
