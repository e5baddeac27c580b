# Everything a newcomer needs: `make review` and `make test`. Only Python 3.11+ and make have to be there.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(shell cksum requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
SCALE ?= 100
SEEDS ?= 20
export PYTHONHASHSEED := 0

.DEFAULT_GOAL := help
.PHONY: help setup review lab test test-engines lint pytest notebooks bench truth docs lock picture clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## make .venv from the hash-locked dependencies (again only when the lock changes)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0])'
	@rm -f $(VENV)/.installed-*
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

review: setup  ## review the sample company and print where index.html is
	@$(BIN)/revops review data/sample

lab: setup  ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks

test: setup lint pytest notebooks  ## everything that CI runs

test-engines: setup  ## PostgreSQL and Spark give DuckDB's numbers; reviews go to PostgreSQL and Tableau (installs what it needs)
	@tests/engines/run.sh

lint: setup  ## ruff over code and notebooks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check revops_helpers tests benchmarks

pytest: setup
	@$(BIN)/python -m pytest tests -m "not truth and not engines" -n 2 --dist loadfile --no-loadscope-reorder

notebooks: setup  ## every notebook runs on the sample, that of the roles once a role: nbval over all, one by plain papermill
	@roles="$$(mktemp -d)"; $(BIN)/python -c "import sys; from papermill import execute_notebook as run; from revops_helpers.words.roles import roles; \
	  [run('notebooks/role_dashboard.ipynb', f'{sys.argv[1]}/role_{one}.ipynb', {'role': one}, kernel_name='python3', prepare_only=True) for one in roles()]" \
	  "$$roles" || exit 1; \
	  $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=300 -p no:cacheprovider -n 2 --dist loadfile \
	    --ignore notebooks/role_dashboard.ipynb notebooks "$$roles" ; status=$$?; rm -rf "$$roles"; exit $$status
	@here="$$PWD"; there="$$(mktemp -d)"; cd "$$there" && \
	  "$$here/$(BIN)/papermill" "$$here/notebooks/01_foundation_audit.ipynb" "$$there/out.ipynb" -k python3 --no-progress-bar --log-level WARNING && \
	  echo "plain papermill from another folder: 1 passed" ; status=$$?; rm -rf "$$there"; exit $$status

bench: setup  ## ratios against hand-written SQL, pandas, plain papermill (SCALE=100)
	@$(BIN)/python -m benchmarks --scale $(SCALE)

truth: setup  ## planted truth over SEEDS=20 companies, written to docs/truth.md
	@$(BIN)/python -m tests.truth --seeds $(SEEDS) --out docs/truth.md

docs: setup  ## write docs/data_model.md, docs/metrics.md and the catalogues of messages anew
	@$(BIN)/python -m revops_helpers.cli docs
	@$(BIN)/python -m revops_helpers.words.extract

lock:  ## resolve the dependencies again (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 --no-header -q -U -o requirements.lock
	@$(PYTHON) -c 'import tomllib; e = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; print(*e["postgres"], *e["spark"], *e["tableau"], sep="\n")' | \
	  uv pip compile - -c requirements.lock --universal --generate-hashes --python-version 3.11 --no-header -q -U -o engines.lock
	@echo 'fakesnow>=0.12.1,<0.13 snowflake-connector-python>=4.8,<5 pandas' | tr ' ' '\n' | \
	  uv pip compile - --universal --generate-hashes --python-version 3.11 --no-header -q -U -o fakesnow.lock

picture: setup  ## take the README's picture of the newest review (needs chromium)
	@$(BIN)/python docs/picture.py

clean:  ## remove what was built (the environment, caches, reports)
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find reports -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
