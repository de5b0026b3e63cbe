"""Opening hours by the wall clock, both clock changes included."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer.domain.directory import Interval, OpeningHours
from dialer.scheduling.hours import is_open, next_opening

LONDON = ZoneInfo("Europe/London")

Week = tuple[tuple[Interval, ...], ...]

WORK = (Interval(time(9), time(12, 30)), Interval(time(13, 30), time(17, 30)))
EVENING = (Interval(time(20), None),)
CLOSED: tuple[Interval, ...] = ()
OFFICE = OpeningHours(LONDON, (WORK, WORK, WORK, WORK, EVENING, CLOSED, CLOSED))


def every_day(*intervals: Interval) -> OpeningHours:
    return OpeningHours(LONDON, (intervals,) * 7)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        "2030-05-13T09:00",  # a Monday, in summer time
        "2030-05-13T12:29:59.999999",
        "2030-05-13T13:30",
        "2030-01-14T09:00",  # a Monday, in winter time
        "2030-05-17T20:00",  # a Friday
        "2030-05-17T23:59:59.999999",
    ],
)
def test_open_by_the_wall_clock(moment: str) -> None:
    assert is_open(OFFICE, local(moment))


@pytest.mark.parametrize(
    "moment",
    [
        "2030-05-13T08:59:59.999999",
        "2030-05-13T12:30",
        "2030-05-13T17:30",
        "2030-05-17T19:59",
        "2030-05-18T00:00",
    ],
)
def test_closed_by_the_wall_clock(moment: str) -> None:
    assert not is_open(OFFICE, local(moment))


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2030-05-13T08:00", "2030-05-13T09:00"),
        ("2030-05-13T10:15", "2030-05-13T10:15"),  # open: at once
        ("2030-05-13T12:30", "2030-05-13T13:30"),
        ("2030-05-13T17:30", "2030-05-14T09:00"),
        ("2030-05-16T18:00", "2030-05-17T20:00"),
        ("2030-05-18T00:00", "2030-05-20T09:00"),  # the weekend
    ],
)
def test_the_next_opening(at: str, opening: str) -> None:
    found = next_opening(OFFICE, local(at))
    assert found == local(opening)
    assert found is not None
    assert found.tzinfo is UTC


def test_a_single_weekly_interval_just_missed_comes_again_in_a_week() -> None:
    monday = OpeningHours(LONDON, ((Interval(time(9), time(10)),), *[CLOSED] * 6))
    assert next_opening(monday, local("2030-05-13T10:00")) == local("2030-05-20T09:00")


def test_hours_that_never_open() -> None:
    assert next_opening(every_day(), local("2030-05-13T10:00")) is None


# In 2030 the clocks of London go forward on 31 March (01:00 GMT becomes 02:00 BST) and back on 27 October.


def test_hours_that_begin_in_the_gap_open_when_the_clocks_have_moved() -> None:
    early = every_day(Interval(time(1, 30), time(9)))
    assert next_opening(early, utc("2030-03-31T00:10")) == utc("2030-03-31T01:00")


def test_hours_that_lie_wholly_in_the_gap_do_not_open_that_day() -> None:
    night = every_day(Interval(time(1, 15), time(1, 45)))
    assert next_opening(night, utc("2030-03-31T00:10")) == utc("2030-04-01T00:15")


def test_a_weekly_opening_that_the_gap_swallows_comes_in_the_week_after() -> None:
    sunday = OpeningHours(LONDON, (*[CLOSED] * 6, (Interval(time(1, 15), time(1, 45)),)))
    assert next_opening(sunday, utc("2030-03-30T12:00")) == utc("2030-04-07T00:15")


def test_hours_that_happen_twice_open_twice() -> None:
    night = every_day(Interval(time(1, 15), time(1, 45)))
    assert next_opening(night, utc("2030-10-26T23:00")) == utc("2030-10-27T00:15")
    assert next_opening(night, utc("2030-10-27T00:45")) == utc("2030-10-27T01:15")
    assert next_opening(night, utc("2030-10-27T01:45")) == utc("2030-10-28T01:15")


def test_a_day_that_begins_in_the_gap() -> None:
    """Beirut's clocks go forward at midnight."""
    beirut = OpeningHours(ZoneInfo("Asia/Beirut"), ((Interval(time(0), time(2)),),) * 7)
    found = next_opening(beirut, utc("2030-03-30T21:30"))
    assert found == utc("2030-03-30T22:00")
    assert is_open(beirut, found)


MINUTES = st.integers(0, 24 * 60 - 1)


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    def a_day() -> tuple[Interval, ...]:
        bounds = sorted(draw(st.sets(st.integers(0, 24 * 4), max_size=4)))
        pairs = zip(bounds[::2], bounds[1::2], strict=False)
        return tuple(Interval(quarter(start), None if end == 24 * 4 else quarter(end)) for start, end in pairs)

    def quarter(count: int) -> time:
        return time(count // 4, count % 4 * 15)

    return tuple(a_day() for _ in range(7))


@settings(deadline=None)  # a busy machine is no failure
@given(
    week=weeks(),
    zone=st.sampled_from(["Europe/London", "Asia/Beirut", "Australia/Lord_Howe", "America/St_Johns", "UTC"]),
    at=st.datetimes(datetime(2030, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 -- bounds are naive
)
@example(
    week=((), (), (), (), (), (), (Interval(time(1, 30), time(1, 45)),)),
    zone="Europe/London",
    at=datetime(2030, 10, 27, 0, 50, tzinfo=UTC),
)
def test_the_next_opening_is_the_first_open_instant(week: Week, zone: str, at: datetime) -> None:
    hours = OpeningHours(ZoneInfo(zone), week)
    found = next_opening(hours, at)
    if found is None:
        assert not any(week)
        return
    assert found >= at
    assert is_open(hours, found)
    quarter = timedelta(minutes=15)
    closed = at
    while closed < found:
        assert not is_open(hours, closed)
        # On to the next quarter of an hour: hours, and every zone's changes, begin at one.
        closed = datetime.fromtimestamp((closed.timestamp() // 900 + 1) * 900, UTC)
    assert found == at or (found.timestamp() % quarter.total_seconds()) == 0
