"""Calls a second and calls at once: of a trunk, a PBX, a department, an account."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.directory import UNBOUNDED, Pace
from dialer.scheduling.pacing import PaceKey, Pacing
from tests.unit.scheduling.samples import utc

NINE = utc("2030-05-13T09:00")
TRUNK, PBX, SALES, OTHER = ("trunk", "carrier"), ("pbx", "main"), ("department", "sales"), ("trunk", "other")


def after(milliseconds: float) -> datetime:
    return NINE + timedelta(milliseconds=milliseconds)


def ring(pacing: Pacing, keys: list[PaceKey], now: datetime, count: int) -> list[float]:
    """Calls that begin as early as they may, one after the other: their milliseconds after nine."""
    begun = []
    for _ in range(count):
        earliest = pacing.earliest(keys, now)
        assert earliest is not None
        now = earliest
        pacing.begin(keys, now)
        begun.append((now - NINE) / timedelta(milliseconds=1))
    return begun


@pytest.mark.parametrize(
    ("what", "paces", "keys", "begun"),
    [
        ("no pace", {}, [TRUNK], [0, 0, 0, 0]),
        ("a pace without bounds", {TRUNK: UNBOUNDED}, [TRUNK], [0, 0, 0, 0]),
        ("another trunk's pace", {OTHER: Pace(per_second=1)}, [TRUNK], [0, 0, 0, 0]),
        ("two a second, evenly spaced", {TRUNK: Pace(per_second=2)}, [TRUNK], [0, 500, 1000, 1500]),
        ("one in five seconds", {TRUNK: Pace(per_second=0.2)}, [TRUNK], [0, 5000, 10000, 15000]),
        ("three a second, not a microsecond more", {TRUNK: Pace(3)}, [TRUNK], [0, 333.334, 666.668, 1000.002]),
        ("the slower of two", {TRUNK: Pace(10), SALES: Pace(2)}, [TRUNK, SALES], [0, 500, 1000, 1500]),
        ("one of them not bounded", {TRUNK: Pace(10)}, [PBX, TRUNK, SALES], [0, 100, 200, 300]),
    ],
)
def test_calls_begin_evenly_spaced(
    what: str, paces: Mapping[PaceKey, Pace], keys: list[PaceKey], begun: list[float]
) -> None:
    assert ring(Pacing(paces), keys, NINE, 4) == begun


def test_what_was_not_used_is_not_made_up_for() -> None:
    pacing = Pacing({TRUNK: Pace(per_second=10)})
    assert ring(pacing, [TRUNK], NINE, 2) == [0, 100]
    assert ring(pacing, [TRUNK], after(60_000), 3) == [60_000, 60_100, 60_200]


def test_the_next_slot_is_reckoned_from_when_the_last_call_really_began() -> None:
    pacing = Pacing({TRUNK: Pace(per_second=10)})
    pacing.begin([TRUNK], NINE)
    pacing.begin([TRUNK], after(170))
    assert pacing.earliest([TRUNK], after(180)) == after(270)
    assert pacing.earliest([TRUNK], after(270)) == after(270)
    assert pacing.earliest([TRUNK], after(900)) == after(900)


def test_a_key_that_others_use_is_paced_for_all_of_them() -> None:
    pacing = Pacing({PBX: Pace(per_second=10), TRUNK: Pace(per_second=1)})
    assert ring(pacing, [PBX, TRUNK], NINE, 1) == [0]
    assert ring(pacing, [PBX, OTHER], NINE, 3) == [100, 200, 300]
    assert pacing.earliest([PBX, TRUNK], after(300)) == after(1000)


def test_asking_takes_nothing() -> None:
    pacing = Pacing({TRUNK: Pace(per_second=1, at_once=1)})
    assert [pacing.earliest([TRUNK], NINE) for _ in range(3)] == [NINE] * 3


def test_no_more_at_once_than_allowed() -> None:
    pacing = Pacing({TRUNK: Pace(at_once=2), PBX: Pace(at_once=3)})
    assert ring(pacing, [PBX, TRUNK], NINE, 2) == [0, 0]
    assert pacing.earliest([PBX, TRUNK], after(5000)) is None
    assert ring(pacing, [PBX, OTHER], NINE, 1) == [0]
    assert pacing.earliest([PBX, OTHER], after(5000)) is None
    pacing.end([PBX, OTHER])
    assert pacing.earliest([PBX, TRUNK], after(5000)) is None
    pacing.end([PBX, TRUNK])
    assert pacing.earliest([PBX, TRUNK], after(5000)) == after(5000)


def test_a_line_that_becomes_free_still_waits_for_its_slot() -> None:
    pacing = Pacing({TRUNK: Pace(per_second=1, at_once=1)})
    pacing.begin([TRUNK], NINE)
    pacing.end([TRUNK])
    assert pacing.earliest([TRUNK], after(10)) == after(1000)


def test_calls_taken_up_hold_their_lines_and_use_no_slot() -> None:
    pacing = Pacing({TRUNK: Pace(per_second=1, at_once=2)})
    for _ in range(3):  # a configuration that allows fewer than are in progress
        pacing.hold([PBX, TRUNK])
    assert pacing.earliest([TRUNK], NINE) is None
    pacing.end([PBX, TRUNK])
    assert pacing.earliest([TRUNK], NINE) is None
    pacing.end([PBX, TRUNK])
    assert pacing.earliest([TRUNK], NINE) == NINE


def test_a_clock_that_was_set_back_leaves_no_slot_in_the_future() -> None:
    pacing = Pacing({TRUNK: Pace(per_second=1, at_once=2), SALES: UNBOUNDED})
    pacing.begin([TRUNK, SALES], NINE)
    hour_ago = NINE - timedelta(hours=1)
    assert pacing.earliest([TRUNK, SALES], hour_ago) == after(1000)
    pacing.forget_slots()
    assert pacing.earliest([TRUNK, SALES], hour_ago) == hour_ago
    pacing.begin([TRUNK, SALES], hour_ago)
    assert pacing.earliest([TRUNK, SALES], hour_ago) is None, "what is in progress was not forgotten"


@given(
    rate=st.floats(0.1, 500),
    gaps=st.lists(st.integers(0, 3_000_000).map(lambda count: timedelta(microseconds=count)), min_size=2, max_size=50),
)
def test_however_calls_come_the_rate_is_never_exceeded(rate: float, gaps: list[timedelta]) -> None:
    pacing = Pacing({TRUNK: Pace(per_second=rate)})
    now = NINE
    begun: list[datetime] = []
    for gap in gaps:
        now += gap
        earliest = pacing.earliest([TRUNK], now)
        assert earliest is not None
        wanted = max(now, begun[-1] + timedelta(seconds=1 / rate)) if begun else now
        assert abs(earliest - wanted) <= timedelta(microseconds=1), "no later than needed"
        pacing.begin([TRUNK], earliest)
        begun.append(now := earliest)
    assert all((later - earlier).total_seconds() * rate >= 1 - 1e-9 for earlier, later in pairwise(begun))
