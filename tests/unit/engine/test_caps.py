"""What calls take up: numbers that are rung, and what an account may use in a day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialer.domain.directory import Account
from dialer.domain.phone import DEFAULT_POLICY
from dialer.engine.caps import Caps, day_of
from dialer.engine.ports import Usage
from dialer.engine.rings import Rings

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the day before the clocks change in London
MINUTE = timedelta(minutes=1)
NUMBER = "+442079460001"
ACME = Account("acme", "Acme", ZoneInfo("Europe/London"), DEFAULT_POLICY, max_attempts_a_day=2, max_minutes_a_day=10)


# --- a number's peace ------------------------------------------------------------------------------------------------


def test_a_number_is_not_rung_while_it_is_rung() -> None:
    rings = Rings(keep=MINUTE)
    free_from = rings.free_at(NUMBER, MINUTE)
    assert free_from is not None
    assert free_from < NOON
    rings.begin(NUMBER)
    assert rings.free_at(NUMBER, MINUTE) is None
    rings.end(NUMBER, NOON)
    assert rings.free_at(NUMBER, MINUTE) == NOON + MINUTE
    assert rings.free_at(NUMBER, 2 * MINUTE) == NOON + 2 * MINUTE


def test_an_attempt_that_did_not_ring_leaves_the_last_ring_as_it_was() -> None:
    rings = Rings(keep=MINUTE)
    rings.load({NUMBER: NOON})
    rings.begin(NUMBER)
    rings.end(NUMBER, None)
    assert rings.free_at(NUMBER, MINUTE) == NOON + MINUTE


@pytest.mark.parametrize(("at", "kept"), [(NOON - MINUTE, False), (NOON - MINUTE / 2, True), (NOON + MINUTE, False)])
def test_rings_are_forgotten_once_no_gap_reaches_them_or_when_they_lie_in_the_future(
    at: datetime,
    kept: bool,  # noqa: FBT001  # a column of the table
) -> None:
    rings = Rings(keep=MINUTE)
    rings.load({NUMBER: at})
    rings.forget_old(NOON)
    assert (rings.free_at(NUMBER, MINUTE) == at + MINUTE) is kept


# --- an account's day ------------------------------------------------------------------------------------------------


def test_attempts_are_counted_by_the_accounts_own_day() -> None:
    caps = Caps([ACME])
    tomorrow = datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert caps.open_at(ACME, NOON) == NOON
    caps.begin(ACME, NOON)
    assert caps.open_at(ACME, NOON) == NOON
    caps.begin(ACME, NOON)
    assert caps.open_at(ACME, NOON) == tomorrow
    assert caps.open_at(ACME, tomorrow) == tomorrow
    caps.begin(ACME, tomorrow)
    caps.begin(ACME, tomorrow)
    assert caps.open_at(ACME, tomorrow) == datetime(2026, 3, 29, 23, tzinfo=UTC), "a day of 23 hours"


def test_minutes_are_counted_when_they_were_talked() -> None:
    caps = Caps([ACME])
    caps.begin(ACME, NOON)
    caps.talked(ACME, 9 * MINUTE, NOON)
    assert caps.open_at(ACME, NOON) == NOON
    caps.talked(ACME, MINUTE, NOON)
    assert caps.open_at(ACME, NOON) > NOON


def test_what_today_has_seen_already_is_taken_up() -> None:
    caps = Caps([ACME])
    caps.load(ACME, Usage(2, timedelta(0)), NOON)
    assert caps.open_at(ACME, NOON) > NOON


@pytest.mark.parametrize(
    ("account", "counted"),
    [
        (replace(ACME, max_attempts_a_day=None, max_minutes_a_day=None), False),
        (replace(ACME, max_attempts_a_day=None), True),
        (replace(ACME, max_minutes_a_day=None), True),
    ],
)
def test_only_accounts_with_a_cap_are_counted(
    account: Account,
    counted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    caps = Caps([account])
    assert caps.counts(account) is counted
    for _ in range(3):
        caps.begin(account, NOON)
        caps.talked(account, 5 * MINUTE, NOON)
    assert (caps.open_at(account, NOON) > NOON) is counted


def test_an_accounts_day_begins_at_its_own_midnight() -> None:
    assert day_of(ACME, NOON) == NOON.replace(hour=0)
    assert day_of(ACME, datetime(2026, 3, 30, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_an_attempt_that_was_not_begun_after_all_does_not_count() -> None:
    caps = Caps([ACME])
    caps.begin(ACME, NOON)
    caps.begin(ACME, NOON)
    caps.undo(ACME, NOON)
    assert caps.open_at(ACME, NOON) == NOON
    caps.begin(ACME, NOON)
    tomorrow = caps.open_at(ACME, NOON)
    assert tomorrow > NOON
    caps.undo(ACME, tomorrow)  # of a day that is over
    caps.begin(ACME, tomorrow)
    assert caps.open_at(ACME, tomorrow) == tomorrow
