# Every target does its own set-up: git, make, python3 and pip are all that must be there.
SHELL := /bin/bash
UV := $(shell command -v uv 2>/dev/null || echo "python3 -m uv")
RUN := $(UV) run --frozen

.PHONY: demo run test check acceptance bench setup servers format pictures
.DEFAULT_GOAL := demo
unexport VIRTUAL_ENV
# Compiled once and kept: what starts the command hundreds of times would compile every module again and again.
unexport PYTHONDONTWRITEBYTECODE

demo: setup        ## play the scenario and leave a page at http://127.0.0.1:9180/
	@$(RUN) responder demo

run: setup         ## serve the configuration in CONFIG (default: responder.yml)
	@$(RUN) responder serve --config $(or $(CONFIG),responder.yml)

test: setup servers   ## all tests, on SQLite and PostgreSQL, with real servers where they are installed
	@$(RUN) pytest -n 4 --dist loadgroup tests

check: setup       ## style, types, direction of imports
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports --no-cache

acceptance: setup servers  ## the whole way on real Prometheus, Alertmanager, sshd, SQLite and PostgreSQL
	@$(RUN) python -m tests.acceptance

bench: setup       ## the rows of benchmarks/RESULTS.md, limit and ours in turn, as JSON lines
	@$(RUN) python -m benchmarks

pictures: setup servers  ## the pictures in docs/pictures: what reporters see, and every page of the console
	@$(RUN) python -m tests.browser.pictures
	@$(RUN) python -m tests.browser.console_pictures

format: setup
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

setup:
	@scripts/setup.sh

servers:
	@scripts/servers.sh
