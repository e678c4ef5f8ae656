# `make demo` and `make test` set up everything they need; the rest is for people who work on this.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is Python 3.11 or newer and can make virtual environments.
PYTHON ?= $(shell for each in python3.11 python3 python3.12 python3.13 python; do \
	if $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$each; break; fi; done)

.DEFAULT_GOAL := help
.PHONY: help demo local build test test-cluster kueue-agreement lint format bench docs clean

help: ## show this help
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/installed ## deploy to a local AWS and play the workshop's policy through its bucket
	@$(BIN)/python -m local.demo

local: $(VENV)/installed ## a local AWS with the product deployed, until Ctrl-C; prints its environment
	@$(BIN)/python -m local.serve

build: $(VENV)/installed ## sam build for GOVERNOR_RUNTIME and GOVERNOR_ARCHITECTURE (default python3.13, arm64)
	@$(BIN)/python -m local.aws.tools
	build/tools/sam/bin/sam build

test: lint ## everything that must hold: lint, types, layers, tests
	@# Files in their order: the long ones are few tests each, and by number of tests they would come last and alone.
	@# Three on two cores: many wait for a stack, a queue or a clock.
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-cluster: $(VENV)/installed ## hold a real cluster, that of GOVERNOR_TEST_KUBECONFIG, against what the local one does
	@test -n "$(GOVERNOR_TEST_KUBECONFIG)" || { \
		echo "Set GOVERNOR_TEST_KUBECONFIG to the kubeconfig file of a cluster with Kueue's CRDs, for an administrator"; \
		exit 1; }
	GOVERNOR_TEST_KUBECONFIG="$(GOVERNOR_TEST_KUBECONFIG)" $(BIN)/python -m pytest tests/conformance tests/aws/test_walk_through.py

kueue-agreement: $(VENV)/installed ## how far the model of Kueue's admission agrees with the real one [SCENARIOS=FILE]
	@$(BIN)/python -m tests.agreement $(if $(SCENARIOS),"$(SCENARIOS)")

lint: $(VENV)/installed ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed ## rewrite the code as ruff likes it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed ## figures: medians and ratios within one run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks

docs: $(VENV)/installed ## write the generated parts of docs/ again
	$(BIN)/python -m local.reference

clean: ## remove what make has made
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
