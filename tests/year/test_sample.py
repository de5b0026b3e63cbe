"""A short run of `make year`, with a fresh seed: one house, a whole year with both clock changes, few callbacks."""

import secrets

from tests.year.simulation import Plan, Simulation


def test_a_sample_of_a_year_keeps_every_rule() -> None:
    seed = secrets.randbelow(1 << 31)
    figures = Simulation(Plan(3_000, f"{seed}", days=365)).run()
    summary = figures.summary()
    assert figures.kept, f"seed {seed}: {figures.examples} {summary}"
    assert summary["callbacks"] == 3_000
    assert summary["worst_small_account_delay_slots"] <= 1
    assert summary["small_account_calls"] > 0
    assert summary["completed"] > 1_000
    assert summary["restarts"] > 0
