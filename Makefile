# The two commands that a newcomer needs: make demo, make test.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
SOURCES := src tests bench demo docs

.PHONY: help setup demo test chaos bench bench-clients check format tools lock

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

setup: $(STAMP) ## .venv with lakebed in it
$(STAMP): requirements.lock pyproject.toml
	@echo "setting up $(VENV) from the package index: a minute or two, once"
	@test -x $(BIN)/python || $$(command -v $(PYTHON) || command -v python3) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## Move a generated archive between two stores, proved
	@$(BIN)/python demo/run.py

test: setup tools check ## Everything: checks, then all tests with branch coverage
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term:skip-covered

check: setup ## Format, lint, types, layers, docs (under a minute)
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --no-header -p no:cacheprovider tests/docs

format: setup ## Put the sources in shape
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

chaos: setup tools ## Rounds of kill -9, stalls, outages: ROUNDS=200 ROUNDS_EXECUTOR=100 SEED=N
	@$(BIN)/python -m tests.chaos.run
	@$(BIN)/python -m tests.chaos.replicas.run

bench: setup tools ## Lakebed beside its rivals, an hour: CASES=… RIVALS=… REPEAT=3 SCALE=1 OUT=docs
	@test -x .bench/rivals/bin/python || $(BIN)/python -m venv .bench/rivals
	@.bench/rivals/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@$(BIN)/python -m bench.programs
	$(BIN)/python -m bench --repeat $(or $(REPEAT),3) --scale $(or $(SCALE),1) \
	  $(if $(CASES),--cases $(CASES)) $(if $(RIVALS),--rivals $(RIVALS)) $(if $(OUT),--out $(OUT))

bench-clients: setup tools ## Compare S3 clients, ten minutes; docs/adr/0001 has our figures
	@test -x .bench/clients/bin/python || $(BIN)/python -m venv .bench/clients
	@.bench/clients/bin/python -m pip install --quiet --disable-pip-version-check --editable . -r bench/clients/requirements.txt
	.bench/clients/bin/python bench/clients/run.py clients

tools: setup ## Build the pinned MinIO once, where Go is present; fetch Keycloak, where Maven is
	@$(BIN)/python -m lakebed.local.tools minio
	@$(BIN)/python -m tests.access.keycloak

lock: ## Renew requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --generate-hashes --universal \
	  --python-version 3.11 --no-annotate --no-header --no-emit-index-url --upgrade \
	  -o requirements.lock
