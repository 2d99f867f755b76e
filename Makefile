# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)/dagster_home

.PHONY: demo ui test slow screenshots long pandas2 postgres-events dbt compatibility conformance conformance-newest check docs format bench bench-peers dev lock clean

demo: $(VENV)/.demo
	$(BIN)/python -m demo

ui: $(VENV)/.demo
	$(BIN)/python -m demo.raw
	$(BIN)/dagster dev -f definitions.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal

# whole pipelines, a daemon, a browser, a wheel, the examples of the docs, a slice of Dagster's own tests
slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

# the browser test alone, which keeps its pictures of Dagster's pages in build/screenshots
screenshots: $(VENV)/.dev
	JAMMI_SCREENSHOTS=build/screenshots $(BIN)/python -m pytest -m slow tests/browser

# each fault on each store, and many random launches: half an hour
long: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist worksteal -m long

# the table of values under the last pandas 2: the environment has pandas 3
pandas2: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --upgrade --no-deps --target build/pandas2 'pandas<3'
	PYTHONPATH=build/pandas2:. $(BIN)/python -m pytest tests/adapters/handoff

# the event log on PostgreSQL, beside a server of its own: `dagster_postgres` goes with one Dagster and an older SQLAlchemy
postgres-events: EVENTS := build/postgres-events
postgres-events:
	test -d $(EVENTS) || $(PYTHON) -m venv $(EVENTS)
	$(EVENTS)/bin/python -m pip install --quiet --upgrade --editable '.[postgres,postgres-events]' hypothesis pgserver pytest
	$(EVENTS)/bin/python -m pytest tests/adapters/postgres_events.py

# tables below models of dbt, with dbt itself on duckdb: `dagster_dbt` goes with one Dagster, and dbt warns of its libraries
dbt: DBT := build/dbt
dbt:
	test -d $(DBT) || $(PYTHON) -m venv $(DBT)
	$(DBT)/bin/python -m pip install --quiet --upgrade --editable '.[dbt]' hypothesis pytest
	$(DBT)/bin/python -m pytest -W default tests/adapters/dbt_runs.py

# the versions of tools/compatibility.toml, each in an environment of its own; writes docs/reference/compatibility.md
compatibility: $(VENV)/.dev
	$(BIN)/python -m tools.compatibility $(ROWS)

# Dagster's own tests with @result_table in the place of @asset, of which `make slow` holds a few, and with our event log
conformance: $(VENV)/.dev
	$(BIN)/python -m tools.conformance
	$(BIN)/python -m tools.conformance --storage

# the same under the newest Dagster, which is only reported on
conformance-newest: NEWEST := build/conformance/newest
conformance-newest:
	test -d $(NEWEST) || $(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --upgrade --editable '.[pandas,polars]' dagster hatchling pytest pytest-xdist
	$(NEWEST)/bin/python -m tools.conformance

# import-linter is not made for Python 3.10: there the layers go unchecked
check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	if test -x $(BIN)/lint-imports; then $(BIN)/lint-imports; fi
	$(BIN)/python -m tools.language
	$(MAKE) --no-print-directory docs

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

# beside redun, DVC and Hamilton, which have an environment of their own
bench-peers: PEERS := build/peers
bench-peers: $(VENV)/.dev
	test -d $(PEERS) || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade --editable '.[peers]'
	$(BIN)/python -m benchmarks chain wide --peers $(PEERS)/bin/python

# the environment with the very versions of the lock file; `make test` and `make check` then use it
dev: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint requirements-dev.lock --editable '.[dev]'
	touch $(VENV)/.dev $(VENV)/.demo

# resolves anew for every supported Python
lock: | $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.10 --extra dev --upgrade pyproject.toml \
	  --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	  --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.demo
