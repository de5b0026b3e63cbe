"""How often a number and a visitor may ask: tables, and when they may again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.callback import Callback, Visitor
from dialer.domain.ids import CallbackId
from dialer.intake.admission import Seen
from dialer.intake.limits import Limit, LimitRule, Limits

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(hours=24)
USUAL = Limits(
    per_number=(Limit(7, QUARTER), Limit(9, HOUR), Limit(15, DAY)), per_visitor=(Limit(3, HOUR), Limit(4, DAY))
)
RULE = LimitRule(USUAL)
OWN = "+442079460000"
NEW = Callback(CallbackId("0"), "shop", "sales", Visitor(OWN), NOW, None, NOW)


def ago(*minutes: float) -> tuple[datetime, ...]:
    return tuple(sorted(NOW - timedelta(minutes=each) for each in minutes))


def others(*minutes: float) -> tuple[tuple[datetime, str], ...]:
    """As many different numbers, each asked for so many minutes ago."""
    return tuple((at, f"+4420794601{index:02}") for index, at in enumerate(ago(*minutes)))


def every(minutes: float, count: int) -> tuple[datetime, ...]:
    return ago(*(minutes * nth for nth in range(1, count + 1)))


@pytest.mark.parametrize(
    ("times", "again"),
    [
        ((), None),
        (every(1, 6), None),
        (every(1, 7), 8),  # the seventh last, 7 min ago, leaves the quarter in 8
        (ago(1, 2, 3, 4, 5, 6, 15), None),  # exactly a quarter ago: it has left
        (ago(1, 2, 3, 4, 5, 6, 14.5), 0.5),
        (every(1, 9), 51),  # over two limits at once: the hour lasts longer than the quarter
        (every(5, 8), None),
        (every(5, 9), 15),  # not the quarter: 2; the hour: 9
        (ago(*range(5, 45, 5), 60), None),
        (every(60, 14), None),
        (every(60, 15), 9 * 60),
        (every(96, 15), None),  # the fifteenth is a day old
        (every(95.9, 15), 1.5),
        (every(1, 20), 24 * 60 - 15),  # stored without a limit, so more than one has to leave
        (every(0, 7), 15),  # all of them this moment
        (ago(*[-1] * 7), 16),  # the clock was set back meanwhile
    ],
)
def test_requests_for_one_number(times: tuple[datetime, ...], again: float | None) -> None:
    refusal = RULE(NEW, Seen(number_times=times))
    if again is None:
        assert refusal is None
        return
    assert refusal is not None
    assert (refusal.code, refusal.field) == ("limit_number", "phone")
    assert refusal.retry_at is not None
    assert (refusal.retry_at - NOW) / timedelta(minutes=1) == pytest.approx(again)
    assert OWN not in str(refusal)


@pytest.mark.parametrize(
    ("requests", "again"),
    [
        ((), None),
        (others(1, 2), None),
        (others(1, 2, 3), 57),  # a fourth number within the hour
        (others(1, 2, 60), None),
        (others(1, 2, 59), 1),
        (others(61, 62, 63), None),
        (others(61, 62, 63, 64), 24 * 60 - 64),  # a fifth within the day
        (others(1, 2, 3, 70), 24 * 60 - 70),  # over both
        (others(1, 100, 200, 1440), None),
        ((*others(1, 2), (NOW - HOUR / 2, OWN)), None),  # the same number again is no new number
        ((*others(50, 55, 58), (NOW - HOUR / 2, OWN)), None),
        ((*others(30, 40, 50), (NOW - 2 * HOUR, OWN)), 10),  # within the hour it is new, within the day it is not
        ((*others(100, 200), *others(5, 10)), None),  # two numbers, each of them twice
        (tuple((NOW - QUARTER, f"+44207946{nth:04}") for nth in range(1, 101)), 24 * 60 - 15),
    ],
)
def test_different_numbers_of_one_visitor(requests: tuple[tuple[datetime, str], ...], again: float | None) -> None:
    refusal = RULE(NEW, Seen(visitor_numbers=tuple(sorted(requests))))
    if again is None:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.code == "limit_visitor"
    assert refusal.retry_at == NOW + timedelta(minutes=again)


def test_a_number_that_objected_is_refused_for_good_and_before_anything_else() -> None:
    refusal = RULE(NEW, Seen(every(1, 100), others(1, 2, 3), objected=True))
    assert refusal is not None
    assert (refusal.code, refusal.field, refusal.retry_at) == ("number_objected", "phone", None)
    assert OWN not in str(refusal)


def test_the_number_is_told_before_the_visitor() -> None:
    refusal = RULE(NEW, Seen(every(1, 7), others(1, 2, 3)))
    assert refusal is not None
    assert refusal.code == "limit_number"


def test_without_limits_only_an_objection_refuses() -> None:
    free = LimitRule(Limits())
    assert free.horizon == timedelta(0)
    assert free(NEW, Seen(every(1, 100), others(*range(100)))) is None
    assert free(NEW, Seen(objected=True)) is not None


@pytest.mark.parametrize(
    ("limits", "horizon"),
    [
        (USUAL, DAY),
        (Limits(per_number=(Limit(1, HOUR), Limit(1, QUARTER))), HOUR),
        (Limits(per_visitor=(Limit(1, QUARTER),)), QUARTER),
        (Limits((Limit(1, HOUR),), (Limit(1, DAY),)), DAY),
    ],
)
def test_it_looks_back_as_far_as_its_longest_limit(limits: Limits, horizon: timedelta) -> None:
    assert LimitRule(limits).horizon == horizon


MINUTES = st.lists(st.integers(0, 2 * 24 * 60), max_size=40)


@given(MINUTES, MINUTES)
def test_at_the_time_that_is_told_the_same_request_is_let_in(number: Sequence[int], visitor: Sequence[int]) -> None:
    for seen in (Seen(number_times=ago(*number)), Seen(visitor_numbers=others(*visitor))):
        refusal = RULE(NEW, seen)
        if refusal is None:
            continue
        assert refusal.retry_at is not None
        assert refusal.retry_at > NOW
        later = Callback(CallbackId("0"), "shop", "sales", Visitor(OWN), refusal.retry_at, None, NOW)
        assert RULE(later, seen) is None
        just_before = refusal.retry_at - timedelta(microseconds=1)
        sooner = Callback(CallbackId("0"), "shop", "sales", Visitor(OWN), just_before, None, NOW)
        assert RULE(sooner, seen) is not None
