# certvault: `make` alone prints this help.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
ARGS ?=
# Two workers help on two cores and more; the tests share one SoftHSM token and one PostgreSQL per worker.
WORKERS ?= 2
# How long `make fuzz` stays with each parser.
SECONDS ?= 60

.PHONY: help setup setup-test run test lint format acceptance bench bench-verify bench-sm2 bench-hsm bench-recognition bench-status fuzz lock clean

help: ## this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## the environment in .venv from the lock file, with fonts and SoftHSM
	@tools/setup run

setup-test:
	@tools/setup test

run: setup ## an example vault in ./var, served on port 8000; ARGS=--once stops after the first answer
	@.venv/bin/certvault demo $(ARGS)

test: setup-test ## every test; ARGS picks some, as in ARGS=tests/unit
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: setup ## ruff, strict types, import contracts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

format: setup ## put every file into the house's form
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

acceptance: setup-test ## the long measurements, of which `make test` runs a fixed sample
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --acceptance $(ARGS)

bench: setup ## licenses per second, beside reportlab + pyHanko on the same page
	@$(PY) -m bench.issue $(ARGS)

bench-verify: setup ## the judge's time, memory and right answers beside pyHanko, over the shared corpus
	@$(PY) -m bench.verify $(ARGS)

bench-hsm: setup ## signatures per second through SoftHSM, beside a bare python-pkcs11 loop
	@$(PY) -m bench.hsm $(ARGS)

bench-sm2: setup ## SM2 signatures and verifications beside openssl speed, on one core
	@$(PY) -m bench.sm2 $(ARGS)

bench-recognition: setup ## recognitions per second, warm and cold, beside plain verification
	@$(PY) -m bench.recognition $(ARGS)

bench-status: setup ## one change of status with 10 thousand and 1 million licenses, lists, what another process sees
	@$(PY) -m bench.status $(ARGS)

fuzz: setup ## fuzz every parser of foreign bytes, SECONDS each
	@$(PY) -m tests.fuzz --seconds $(SECONDS) $(ARGS)

lock: setup ## write requirements.lock anew from pyproject.toml
	@tools/lock

clean: ## remove the environment, caches and build output; the vault in ./var stays
	@rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
