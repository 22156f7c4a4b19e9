# The verbs of the project; CI calls the same ones.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install run worker simulator test test-fast nightly mutants accuracy check check-js lint-js bench lighthouse fuzz fmt lock screenshots clean

help:
	@echo "make run     the whole product on this machine (PORT=8000)"
	@echo "make test    every test that can run here"
	@echo "make test-fast   what needs no browser and no other process, on SQLite"
	@echo "make nightly     wider tests, small faults that tests must see, the model of the sync, fuzzing"
	@echo "make check   lint, types, templates, deployment checks, dependency audit"
	@echo "make accuracy    every metric against known truth (docs/accuracy.md)"
	@echo "make bench   the benchmarks (docs/benchmarks.md)"
	@echo "make lighthouse   Lighthouse on six pages (needs Node and Chromium)"
	@echo "make fmt     format the code"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

# The stamps hold what was installed, so that a second start installs nothing.
.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/run.stamp

install: .venv/dev.stamp

run: .venv/run.stamp
	@exec $(BIN)/python scripts/run.py

worker: .venv/run.stamp
	@exec $(BIN)/python manage.py supervise_qcluster

simulator: .venv/run.stamp
	@exec $(BIN)/python -m simulator --port 8100

test: .venv/dev.stamp
	@$(BIN)/python scripts/test.py $(ARGS)

test-fast: .venv/dev.stamp
	@$(BIN)/python scripts/test.py --fast $(ARGS)

check: .venv/dev.stamp check-js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/dead_code.py
	DEBUG=1 $(BIN)/mypy .
	$(BIN)/python -m accuracy check
	DEBUG=1 $(BIN)/python scripts/check_openapi.py
	$(BIN)/djlint --lint --quiet templates
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run
	SECRET_KEY=only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF \
	  ALLOWED_HOSTS=dashboard.example $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python scripts/audit_dependencies.py

# Linter and type check of static/js. Node is a tool here; nothing of it is served.
tools/js/node_modules: tools/js/package-lock.json
	cd tools/js && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

check-js:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-js; \
	  else echo "Skipped: the check of static/js (npm is missing: apt-get install nodejs npm)"; \
	  test "$$CI" != true; fi

lint-js: tools/js/node_modules
	tools/js/node_modules/.bin/eslint --config tools/js/eslint.config.mjs --max-warnings 0 static/js tests/js tools/js
	tools/js/node_modules/.bin/tsc --project tools/js

# Under three minutes. Real swings count in where ../shared/data holds them.
accuracy: .venv/dev.stamp
	$(BIN)/python -m accuracy

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks $(ARGS)

# Needs Node 20 and Chromium; nothing of it is part of the product.
benchmarks/lighthouse/node_modules: benchmarks/lighthouse/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed: apt-get install nodejs npm"; exit 1; }
	cd benchmarks/lighthouse && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

lighthouse: .venv/dev.stamp benchmarks/lighthouse/node_modules
	@command -v $${CHROMIUM:-chromium} >/dev/null || { echo "Chromium is needed: apt-get install chromium, or CHROMIUM=/path/of/it"; exit 1; }
	$(BIN)/python -m benchmarks bench_lighthouse $(ARGS)

# At least 5 000 generated requests against the running JSON API.
fuzz: .venv/dev.stamp
	$(BIN)/python -m benchmarks.fuzz_api $(ARGS)

screenshots: .venv/dev.stamp
	$(BIN)/python scripts/screenshots.py $(ARGS)

fmt: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Hours, not for CI: wider variants of tests, small faults that the tests must see, the
# model of the sync, generated requests and damaged files. Results stay in var/.
nightly: .venv/dev.stamp
	@mkdir -p var
	$(BIN)/python scripts/test.py --nightly
	$(BIN)/python scripts/mutants.py run tests/mutants/drawn.json --results var/mutants.json \
	  --before tests/mutants/drawn-results.json
	$(BIN)/python scripts/mutants.py run tests/mutants/formulas.json --results var/formulas.json \
	  --before tests/mutants/formulas-results.json
	MODEL_TRANSITIONS=400 $(BIN)/python scripts/mutants.py run tests/mutants/engine.json --results var/engine-mutants.json \
	  --tests tests/syncing/model
	$(BIN)/python -m tests.syncing.model --transitions 100000
	$(BIN)/python -m benchmarks.faults --seeds 3
	$(BIN)/python -m benchmarks.faults --corrections --seeds 20
	$(BIN)/python -m benchmarks.fuzz_api
	$(BIN)/python -m accuracy hostile --files 2000

# Draw other small faults: make mutants SEED=7
mutants: .venv/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mutants.txt
	$(BIN)/python scripts/mutants.py draw --seed $(SEED) tests/mutants/drawn.json \
	  $(addprefix --group=,statistics metrics permissions engine reader selectors)
	$(BIN)/python scripts/mutants.py draw --seed $(SEED) --each 90 --group formulas tests/mutants/formulas.json

# Resolve requirements*.in again, with hashes, for every supported Python.
lock: .venv/bin/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header requirements-mutants.in -o requirements-mutants.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header requirements-mcp.in -o requirements-mcp.txt

clean:
	rm -rf .venv var
