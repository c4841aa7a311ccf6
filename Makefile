# DeepDream for Blender. Begin with `make demo` or `make test`.

PYTHON ?= python3
SERVER := .venv/bin/python
BLENDER := .venv-blender/bin/python
export DEEPDREAM_PYTHON := $(CURDIR)/$(SERVER)

.PHONY: help setup test lint test-server test-blender soak demo extension clean

help:
	@echo "make setup      make the two environments; does nothing where they are up to date"
	@echo "make demo       render a small animation through the DeepDream node into out/demo/"
	@echo "make test       lint, type-check and run all tests"
	@echo "make soak       torment a dream server for HOURS=24 hours"
	@echo "make extension  build the extension's zip into dist/"
	@echo "make clean      remove what was built, environments and pictures included"

setup:
	@$(PYTHON) scripts/setup.py

test: lint test-server test-blender

lint: setup
	@$(SERVER) -m ruff check
	@$(SERVER) -m ruff format --check
	@$(SERVER) -m mypy

test-server: setup
	$(SERVER) -m pytest tests --ignore tests/addon --ignore tests/e2e -n auto --dist loadgroup

test-blender: setup
	$(BLENDER) -m pytest tests/addon tests/e2e

soak: setup
	@$(SERVER) scripts/soak.py --hours $(or $(HOURS),24)

demo:
	@$(PYTHON) scripts/setup.py --without-tests
	@$(SERVER) scripts/demo.py

extension: setup
	@$(BLENDER) scripts/build_extension.py

clean:
	rm -rf .venv .venv-blender .venv-blender-* build dist out *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find blender_deepdream scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
