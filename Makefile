# What a person types; CI runs the same.  Everything is set up on first use, in .venv, from the hash-locked file.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETTINGS ?= trialwatch.toml

.PHONY: demo test run setup lock bench clean

demo: $(VENV)/.installed  ## Play some days of a small invented registry through the real service
	$(BIN)/trialwatch demo

test: $(VENV)/.installed  ## The whole check: format, lint, types, imports, tests on both databases, README
	$(BIN)/python tests/check.py

run: $(VENV)/.installed  ## Start the service on trialwatch.toml
	$(BIN)/trialwatch run --settings $(SETTINGS)

bench: $(VENV)/.installed  ## What things cost; prints docs/performance.md's figures
	$(BIN)/python -m tests.bench

setup: $(VENV)/.installed  ## Install everything into .venv

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("trialwatch needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## Rewrite requirements.lock; needs uv
	uv pip compile --quiet pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock

clean:
	rm -rf $(VENV) demo-state
