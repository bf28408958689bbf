# Two commands on a fresh machine: `make` runs the main job, `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
# Kernels are compiled once, so that no run has to wait for them.
COMPILE := $(BIN)/python -m fragility.backends.numba_backend
# One thread per BLAS call: draws run side by side, and spinning threads would fight over the cores.
export OMP_NUM_THREADS = 1

main: .venv/installed
	$(BIN)/python -m simulate.qr_product --n 1000
	@echo
	@echo "picture:" $$($(BIN)/python -m figures.qr_product)

test: .venv/installed-test
	$(BIN)/python -m pytest -n auto

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/installed-test
	$(BIN)/python -m benchmarks.bench_qr_product
	$(BIN)/python -m benchmarks.bench_direct
	$(BIN)/python -m benchmarks.bench_margins
	$(BIN)/python -m benchmarks.bench_many_networks
	$(BIN)/python -m benchmarks.bench_convnorm

docs: .venv/installed-test
	$(BIN)/python -m sphinx -q -W -E -b html docs results/docs
	@echo "pages: results/docs/index.html"

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, got $$($(PYTHON) -V): make PYTHON=python3.12"; exit 3; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	$(COMPILE)
	@touch $@

.venv/installed-test: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	$(COMPILE)
	@touch $@ .venv/installed

clean:
	rm -rf .venv results

.PHONY: main test lint bench docs clean
