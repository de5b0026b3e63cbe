# Two commands for a fresh Debian machine: `make demo` and `make test`. Both set up what they need.
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest
PURE := dialer/domain/*,dialer/scheduling/*,dialer/routing/*,dialer/engine/reconcile.py,dialer/ami/codec.py,dialer/ami/encode.py,dialer/ami/filters.py,dialer/ami/journal.py,dialer/ami/messages.py,dialer/ami/tracker.py

.PHONY: demo test check bench zombies format lock docs clean

demo: $(READY)
	$(BIN)/dialer demo

test: check
	$(BIN)/python -m tests.lab build
	$(PYTEST) -n 3 --dist loadfile --cov --cov-report=
	$(BIN)/coverage report --skip-covered --include='$(PURE)' --fail-under=100

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/python -m pip check
	$(BIN)/python scripts/audit.py
	$(BIN)/python scripts/diagram.py --check

bench: $(READY)
	$(BIN)/python -m tests.bench

# Late Originates of killed daemons, COUNT of them, and as many replays; last line JSON.
COUNT ?= 1000
zombies: $(READY)
	$(BIN)/python -m tests.chaos.zombies --count $(COUNT)

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)
	$(BIN)/python scripts/diagram.py

# After a change of the dependencies in pyproject.toml.
lock: $(READY)
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-header \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

$(READY): requirements.lock pyproject.toml scripts/setup
	scripts/setup
