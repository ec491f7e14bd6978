# Everything a fresh machine needs: Python 3.11 or later, make, and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Tests start hundreds of Pythons: without bytecode each compiles polylock anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint format fuzz slow bench docs docs-output reference clean

demo: $(READY)
	$(BIN)/python fixtures/demo/demo.py

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Change the input of every parser at random for a time: make fuzz SECONDS=3600
SECONDS ?= 300
fuzz: $(READY)
	PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(SECONDS)

slow: $(READY)
	$(BIN)/python -m pytest -n 2 -m "property or slow"

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python benchmarks/lock.py
	$(BIN)/python benchmarks/sync.py

# What of docs/reference is made from the source; a test compares.
reference: $(READY)
	PYTHONPATH=docs $(BIN)/python -m pages_from_source

# All pages, or some: make docs-output PAGES=docs/tutorial.md
docs-output: $(READY)
	PYTHONPATH=tests $(BIN)/python -m pages $(PAGES)

# -E reads every page anew: Sphinx tells a fault only when it reads the page. An older
# site goes first: words that only it had would stay in the index of the search.
docs: $(VENV)/.ready-docs
	rm -rf build/docs
	$(BIN)/sphinx-build -q -E -n -W --keep-going -d build/doctrees docs build/docs

$(VENV)/.ready-docs: $(READY)
	$(BIN)/python -m pip install --quiet --group docs
	touch $@

# A change of the dependencies makes the environment anew.
$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "polylock needs Python 3.11 or later: make PYTHON=python3.12 ..."'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $(READY)

clean:
	rm -rf $(VENV) .demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
