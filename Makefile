# Two commands matter: `make run` and `make test`. `make help` lists the others.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
FAULTS = test_f0 or test_f1 or test_f2 or test_f3 or test_f4 or test_f5 or test_f6 or test_f7 or test_f8 or test_f9

# dkimpy has no wheel; without --use-pep517 pip builds it in a way that it warns about.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-script-location --use-pep517 --require-hashes

.PHONY: help setup setup-dev run test quick core pythons replay bench evaluate fuzz chaos powercut faults storm lint format lock clean

help:  ## what can be made here
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Offprint needs Python 3.11 or newer; set PYTHON=python3.11 (or newer)."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "python3-venv is missing; on Debian: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: config/requirements.lock | $(BIN)/python
	@echo "Installing what Offprint needs into $(VENV) (half a minute, once) ..."
	@$(PIP) -r config/requirements.lock
	@touch $@

$(VENV)/.ready-dev: config/requirements-dev.lock | $(VENV)/.ready
	@echo "Installing what tests and linters need into $(VENV) (a minute or two, once) ..."
	@$(PIP) -r config/requirements-dev.lock
	@touch $@

setup: $(VENV)/.ready  ## make .venv with the locked libraries

setup-dev: $(VENV)/.ready-dev  ## the same, with what tests and linters need

run: setup  ## set up, run a day, serve the site on http://localhost:8000 (ONCE=1 ends after the day)
	@$(BIN)/python manage.py up --port $(PORT) $(if $(ONCE),--once)

test: setup-dev  ## set up and pass the tests
	@$(BIN)/python tests/everything.py

# Another Python gets a folder of libraries of its own inside .venv.
quick:  ## the core suite in two minutes, on SQLite (PYTHON=python3.12 for another Python)
	@$(MAKE) --no-print-directory core $(if $(filter command line,$(origin PYTHON)),VENV=.venv/$(notdir $(PYTHON)))

core: setup-dev  ## what `make quick` runs
	@$(BIN)/python -m pytest -n $(or $(JOBS),auto) -m "not slow and not thorough and not browser"

pythons:  ## the core suite on every Python from 3.11 up that this machine has (ONLY=newest)
	@$(PYTHON) tests/pythons.py $(ONLY) | while read -r version python; do \
		echo "== Python $$version"; \
		$(MAKE) --no-print-directory core PYTHON="$$python" VENV=".venv/$$version" </dev/null || exit 1; \
	done

replay: setup-dev  ## replay every captured day (../shared/data) and hold the books against the files
	@$(BIN)/python tests/replay.py --write docs/replay.md

bench: setup-dev  ## time a stage on made-up data (STAGE=match|preview|refit|render|send|day SUBSCRIBERS=N PAPERS=N FILTERS=N SEED=S SINK=url JSON=path)
	@$(BIN)/python -m tests.bench $(or $(STAGE),match) --subscribers $(or $(SUBSCRIBERS),10000) --papers $(or $(PAPERS),1000) --filters $(or $(FILTERS),20000) --seed $(or $(SEED),1) $(if $(SINK),--sink $(SINK)) $(if $(JSON),--json $(JSON))

evaluate: setup-dev  ## matching beside the usual recipes, on judged collections (DATA=folder PART=report|tune ENCODER=folder)
	@$(BIN)/python -m tests.evaluation --data $(DATA) --part $(or $(PART),report) $(if $(ENCODER),--encoder $(ENCODER))

chaos: setup-dev  ## kill workers at every failpoint, both databases, all kinds of channel (KILLS=300 SEED=1 JOBS=1)
	@$(BIN)/python -m tests.chaos --kills $(or $(KILLS),300) --seed $(or $(SEED),1) --jobs $(or $(JOBS),1)

powercut: setup-dev  ## cut SQLite's log at random bytes, open what is left, go on from it (IMAGES=30 SEED=1)
	@$(BIN)/python -m tests.chaos powercut --images $(or $(IMAGES),30) --recoveries $(or $(RECOVERIES),5) --seed $(or $(SEED),1)

faults: setup-dev  ## the tests of the fault list (test_f08_...), on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest tests -k "$(FAULTS)"
	@TEST_DATABASE_URL=$(or $(TEST_POSTGRES_URL),postgresql://postgres@127.0.0.1:5432/postgres) $(BIN)/python -m pytest tests -k "$(FAULTS)"

storm: setup-dev  ## Celery workers on Redis: restarts, kills and flushed queues under load
	@$(BIN)/python -m tests.chaos storm --rounds $(or $(ROUNDS),10)

fuzz: setup-dev  ## read hostile answers in the killable child (COUNT=5000 SEED=… to repeat one)
	@$(BIN)/python -m tests.digest.sources.hostile --count $(or $(COUNT),5000) $(if $(SEED),--seed $(SEED))

lint: setup-dev  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: setup-dev  ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock:  ## lock requirements anew (needs uv)
	@uv pip compile -q --universal --python-version 3.11.0 --generate-hashes --no-header -o config/requirements.lock requirements.txt
	@uv pip compile -q --universal --python-version 3.11.0 --generate-hashes --no-header -c config/requirements.lock -o config/requirements-dev.lock config/requirements-dev.txt

clean:  ## forget the data of the embedded default (var/), keep .venv
	@rm -rf var
