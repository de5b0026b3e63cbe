# Two commands for a fresh Debian machine: `make demo` and `make test`. Both set up what they need.
BIN := .venv/bin
READY := .venv/.ready
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
# The tests that hold the pure core to 100 % of its branches; measuring makes the others take twice as long.
CORE := tests/unit tests/contract tests/messages tests/web
PURE := dialer/domain/*,dialer/scheduling/*,dialer/routing/*,dialer/engine/capacity.py,dialer/engine/caps.py,dialer/engine/choices.py,dialer/engine/decision.py,dialer/engine/put_away.py,dialer/engine/reconcile.py,dialer/engine/rings.py,dialer/engine/roster.py,dialer/http/addresses.py,dialer/http/patience.py,dialer/intake/limits.py,dialer/intake/piecemeal.py,dialer/notify/events.py,dialer/notify/outbox.py,dialer/ami/answers.py,dialer/ami/codec.py,dialer/ami/encode.py,dialer/ami/filters.py,dialer/ami/inbound.py,dialer/ami/journal.py,dialer/ami/messages.py,dialer/ami/tracker.py,dialer/intake/feed.py,dialer/notify/messages.py,dialer/notify/planner.py,dialer/notify/texts.py,dialer/notify/wording.py,dialer/notify/links.py,dialer/web/visitor/english.py,dialer/web/visitor/moments.py,dialer/web/visitor/preferred.py,dialer/web/visitor/texts.py,dialer/web/visitor/throttle.py,dialer/web/visitor/view.py,dialer/web/visitor/welsh.py,dialer/intake/objects.py,dialer/intake/slots.py,dialer/web/pace.py,dialer/intake/widget.py,dialer/reports/*

.PHONY: demo test check bench zombies chaos model recovery year races backlog wires format lock docs clean feeds fuzz-api load


demo: $(READY)
	$(BIN)/dialer demo

test: check
	$(BIN)/python -m tests.lab build
	$(PYTEST) --cov --cov-report= $(CORE)
	$(BIN)/coverage report --skip-covered --include='$(PURE)' --fail-under=100
	$(PYTEST) $(patsubst %,--ignore %,$(CORE)) tests

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/python -m pip check
	$(BIN)/python scripts/audit.py
	$(BIN)/python -m scripts.pages --check

# BENCH="--wires": with the API, a feed and a webhook of the daemon under load; CHAOS takes it, too. Last line JSON.
bench: $(READY)
	$(BIN)/python -m tests.bench $(BENCH)

# Late Originates of killed daemons, COUNT of them, and as many replays; last line JSON.
COUNT ?= 1000
zombies: $(READY)
	$(BIN)/python -m tests.chaos.zombies --count $(COUNT)

# KILLS of daemons at random moments and at every named point, beside cut links and a dying Asterisk; last line JSON.
# SEED repeats a run; CHAOS takes more options, such as "--faults cut --cuts 200" (see python -m tests.chaos --help).
KILLS ?= 100
chaos: $(READY)
	$(BIN)/python -m tests.chaos --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(CHAOS)

# The once-only protocol, explored exhaustively; last line JSON.
model: $(READY)
	$(BIN)/python -m tests.model

# Kill -9 with CALLS up, twice: adopted while they live, settled from the journal when they ended; last line JSON.
CALLS ?= 250
recovery: $(READY)
	$(BIN)/python -m tests.chaos.recovery --calls $(CALLS)

# A simulated year of CALLBACKS through the real rules of when and who, judged by an independent audit; last line JSON.
CALLBACKS ?= 1000000
year: $(READY)
	$(BIN)/python -m tests.year --callbacks $(CALLBACKS)

# RACES of cancelling, moving and objecting with dialling: whoever was told that it is over is not rung; last line JSON.
# BY=feed has all of it come by a feed, and go back by it.
RACES ?= 500
BY ?= store
races: $(READY)
	$(BIN)/python -m tests.races --count $(RACES) --by $(BY)

# Kill -9 while a feed of ITEMS is read and told of its outcomes: each item once, each outcome in order; last line JSON.
ITEMS ?= 2000
FEED_KILLS ?= 20
feeds: $(READY)
	$(BIN)/python -m tests.feeds --items $(ITEMS) --kills $(FEED_KILLS)

# BACKLOG callbacks that are due all at once after a stop: how fast, in which order and in whose turn; last line JSON.
BACKLOG ?= 5000
backlog: $(READY)
	$(BIN)/python -m tests.backlog --count $(BACKLOG)

# EVENTS told by webhook and SUBMISSIONS by HTTP, sent again by their keys, through kills of the daemon; last line JSON.
EVENTS ?= 2000
SUBMISSIONS ?= 2000
wires: $(READY)
	$(BIN)/python -m tests.wires --events $(EVENTS) --submissions $(SUBMISSIONS)

# CASES requests by schemathesis over the whole API, the real daemon and store, then on a failing store; last line JSON.
CASES ?= 10000
fuzz-api: $(READY)
	$(BIN)/python -m tests.fuzz --cases $(CASES)

# 20 calls a second without and with submissions by HTTP: how many, and what that does to punctuality; last line JSON.
load: $(READY)
	$(BIN)/python -m tests.load

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)
	$(BIN)/python -m scripts.pages

# After a change of the dependencies in pyproject.toml.
lock: $(READY)
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --no-header \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

$(READY): requirements.lock pyproject.toml scripts/setup
	scripts/setup
