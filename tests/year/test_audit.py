"""The audit can fail: with a rule taken out of the program, it tells which one is broken."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from dialer.domain.directory import Pace
from dialer.domain.phone import NumberPolicy
from dialer.engine import decision, ending, put_away
from dialer.engine.rings import Rings
from dialer.engine.roster import Roster
from dialer.intake import promises
from dialer.scheduling import pacing
from dialer.scheduling.turns import Turns
from tests.year.simulation import Plan, Simulation
from tests.year.world import SMALL

EVER = datetime.min.replace(tzinfo=UTC)
Break = Callable[[pytest.MonkeyPatch], None]


def always_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "is_open", lambda *_: True)
    patch.setattr(put_away, "open_in_all", lambda *_: True)
    patch.setattr(decision, "closes_in_all", lambda *_: None)


def only_the_departments_hours(patch: pytest.MonkeyPatch) -> None:
    for place in (decision, ending, promises):
        patch.setattr(place, "called_windows", lambda *_: ())


def twice_as_fast(patch: pytest.MonkeyPatch) -> None:
    def half(pace: Pace) -> timedelta | None:
        return None if pace.per_second is None else timedelta(seconds=0.5 / pace.per_second)

    patch.setattr(pacing, "_spacing", half)


def no_peace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Rings, "free_at", lambda *_: EVER)


def anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(NumberPolicy, "check", lambda *_: None)


def giants_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Turns, "order", lambda _, accounts: sorted(accounts))


def no_alarm(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Roster, "next_rested", lambda _: None)
    patch.setattr("tests.year.simulation._PROBES", 0.1)


@pytest.mark.parametrize(
    ("broken", "told", "most"),
    [
        (always_open, "outside_hours", 0),
        (only_the_departments_hours, "quiet_hours", 0),
        (twice_as_fast, "over_cap", 0),
        (no_peace, "over_budget", 0),
        (anybody, "refused_dialled", 0),
        (giants_first, "worst_small_account_delay_slots", 1),
        (no_alarm, "overslept", 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_that_is_gone_is_missed(monkeypatch: pytest.MonkeyPatch, broken: Break, told: str, most: int) -> None:
    broken(monkeypatch)
    figures = Simulation(Plan(1_000, "a fixed seed", date(2026, 3, 20), 14, SMALL)).run()
    assert figures.summary()[told] > most
    assert not figures.kept


def test_that_nobody_is_kept_for_a_callback_whose_trunk_failed_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Roster, "promise", lambda *_: None)
    # So many that others wait for the same agent.
    figures = Simulation(Plan(4_000, "a fixed seed", date(2026, 3, 20), 14, SMALL)).run()
    assert figures.summary()["wrong_way"] > 0
