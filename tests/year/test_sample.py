"""A short run of `make year`, with a fresh seed: two houses for a few weeks, around the clock changes of spring and of
autumn."""

import secrets
from datetime import date

from tests.year.figures import Figures
from tests.year.simulation import Plan, Simulation
from tests.year.world import SMALL


def run(seed: str, callbacks: int, start: date, days: int) -> Figures:
    return Simulation(Plan(callbacks, seed, start, days, SMALL)).run()


def test_a_sample_of_a_year_keeps_every_rule() -> None:
    seed = secrets.randbelow(1 << 31)
    figures = run(f"{seed}-spring", 3_000, date(2026, 2, 27), 36)  # New York on 8 March, London on 29 March
    figures.add(run(f"{seed}-autumn", 2_000, date(2026, 10, 15), 24))  # London on 25 October, New York on 1 November
    summary = figures.summary()
    assert figures.kept, f"seed {seed}: {figures.examples} {summary}"
    assert summary["callbacks"] == 5_000
    assert sum(summary[status] for status in ("completed", "failed", "cancelled", "expired", "rejected")) == 5_000
    assert summary["worst_small_account_delay_slots"] <= 1
    assert summary["lateness_p99_s"] < 60
    for happened in ("small_account_passed", "restarts", "doubles", "expired", "rejected", "cancelled", "move"):
        assert summary[happened] > 0, f"seed {seed}: never saw {happened}"


def test_a_seed_repeats_a_run() -> None:
    once, again = (run("again", 150, date(2026, 3, 26), 6) for _ in range(2))
    assert once.summary() == again.summary()
