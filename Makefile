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

# A small version of everything in a quarter of an hour: the table within a budget, experiments on DATASET, their page.
# What cannot run here, for want of data, is left out of the page.
DATASET ?= digits
REPORT := results/report
report: .venv/installed-test
	-$(BIN)/python -m simulate.verify --budget 4m --out $(REPORT)
	-$(BIN)/python -m simulate.ladder --samples 16 --out $(REPORT)
	-$(BIN)/python -m empirical.linear_compression --epochs 128 --out $(REPORT)
	-$(BIN)/python -m empirical.relu_compression --samples 16 --out $(REPORT)
	-$(BIN)/python -m empirical.mnist_compression --dataset $(DATASET) --samples 64 --out $(REPORT)
	-$(BIN)/python -m empirical.conditioning --dataset $(DATASET) --images 300 --samples 2 --out $(REPORT)
	-$(BIN)/python -m empirical.joint_robustness --dataset $(DATASET) --training 1000 --images 50 --samples 2 --out $(REPORT)
	-$(BIN)/python -m empirical.latent_defence --dataset $(DATASET) --training 1000 --tested 200 --images 3 \
		--projection-steps 100 --samples 1 --out $(REPORT)
	-$(BIN)/python -m empirical.svd_defence --dataset $(DATASET) --training 1000 --images 100 --attacked 10 --samples 2 \
		--out $(REPORT)
	-$(BIN)/python -m empirical.convnorm_width --dataset digits --widths 1 --training 200 --epochs 2 --samples 2 \
		--out $(REPORT)
	$(BIN)/python -m figures.report --out $(REPORT)

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

.PHONY: main test lint bench report docs clean
