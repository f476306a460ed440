# The two commands a newcomer needs are `make quickstart` and `make test`; each makes its own environment.
# Another interpreter: make PYTHON=python3.12 test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Tests start many processes, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: quickstart test fast check format bench clean help

help:          ## print this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

quickstart: $(READY)  ## the bundled corpus from raw text to an evaluation report, in runs/quickstart
	@echo "== quickstart: raw text to report, in runs/quickstart"
	@$(BIN)/zhbert run quickstart

test: $(READY) check  ## every check and every test
	@echo "== all tests"
	@$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

fast: $(READY)  ## the tests that take seconds
	@echo "== fast tests"
	@$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder -m "not slow and not browser"

check: $(READY)  ## format, lint, types
	@echo "== ruff format, ruff check, mypy --strict"
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy

format: $(READY)  ## put the code into shape
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(READY)  ## the benchmarks behind benchmarks/RESULTS.md
	@echo "== benchmarks (one that ends with 77 lacks what it needs, such as a GPU, and is passed over)"
	@for script in benchmarks/[!_]*.py; do \
	  [ -e "$$script" ] || { echo "-- there are none"; break; }; \
	  echo "-- $$script"; \
	  $(BIN)/python "$$script" || [ $$? = 77 ] || exit 1; \
	done

clean:         ## remove the environment, all runs and all caches
	@echo "== removing $(VENV), runs, build outputs and caches"
	@rm -rf $(VENV) runs dist build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "zhbert needs Python 3.11 or newer; this is " + sys.version.split()[0] + " (make PYTHON=... to choose another)")'
	@echo "== environment: $(VENV) with the exact versions of constraints.txt (about two minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)
