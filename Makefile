# Everything sets itself up from a bare machine with Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench clean

# The tour: a throw-away site under var/, a pilot's request answered, a ban, and the service left running.
run: .venv/ready
	$(BIN)/python -m demo $(if $(ONCE),--once)

test: lint
	./scripts/install-debian-packages.sh
	$(BIN)/python -m pytest --cov --cov-report=term $(PYTEST_ARGS)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,postgresql]'
	touch $@
