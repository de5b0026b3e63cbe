"""Opening hours: spans and their ends, opening time that passes, several windows at once, and all of it against the
definition, minute by minute. Whether it is open at an instant has a table of its own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialer.domain.directory import Interval, OpeningHours
from dialer.scheduling.hours import (
    after_opening_time,
    closes_at,
    closes_in_all,
    is_open,
    next_open_in_all,
    next_opening,
    open_in_all,
    opened_at,
)
from tests.unit.scheduling.samples import LONDON, hours, utc

OFFICE = hours(LONDON, mon_fri="09:00-12:30 13:30-17:30", fri="20:00-24:00")
NIGHT = hours(LONDON, "22:00-06:00")
ALWAYS = hours(LONDON, "00:00-24:00")
NEVER = hours(LONDON)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


# --- to the microsecond ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2030-05-13T08:59:59.999999", False),  # a Monday
        ("2030-05-13T09:00", True),
        ("2030-05-13T12:29:59.999999", True),
        ("2030-05-13T12:30", False),
        ("2030-05-17T23:59:59.999999", True),  # a Friday
        ("2030-05-18T00:00", False),
    ],
)
def test_open_from_the_first_instant_up_to_the_last(moment: str, opened: bool) -> None:  # noqa: FBT001  # a column
    assert is_open(OFFICE, local(moment)) == opened


def test_hours_may_say_seconds() -> None:
    exact = OpeningHours(LONDON, ((Interval(time(9, 0, 1, 5), time(9, 0, 2)),),) * 7)
    assert next_opening(exact, local("2030-05-13T09:00")) == local("2030-05-13T09:00:01.000005")
    assert closes_at(exact, local("2030-05-13T09:00:01.5")) == local("2030-05-13T09:00:02")


def test_intervals_that_overlap_or_touch_are_one_span() -> None:
    messy = hours(LONDON, "13:00-15:00 09:00-13:00 10:00-11:00")
    assert opened_at(messy, local("2030-05-13T14:00")) == local("2030-05-13T09:00")
    assert closes_at(messy, local("2030-05-13T09:30")) == local("2030-05-13T15:00")


# --- how far ahead ---------------------------------------------------------------------------------------------------


def test_a_single_weekly_interval_just_missed_comes_again_in_a_week() -> None:
    sunday = hours(LONDON, sun="09:00-10:00")
    assert next_opening(sunday, local("2030-05-12T10:00")) == local("2030-05-19T09:00")


def test_a_weekly_opening_that_the_gap_swallows_comes_in_the_week_after() -> None:
    sunday = hours(LONDON, sun="01:15-01:45")
    assert next_opening(sunday, utc("2030-03-30T12:00")) == utc("2030-04-07T00:15")


@pytest.mark.parametrize(("days", "found"), [(1, True), (399, True), (400, True), (402, False)])
def test_one_open_day_is_found_within_400_days(days: int, found: bool) -> None:  # noqa: FBT001  # a column
    day = date(2030, 1, 1) + days * DAY
    once = hours(ZoneInfo("UTC"), exceptions={f"{day}": "09:00-10:00"})
    opening = datetime.combine(day, time(9), UTC)
    assert next_opening(once, utc("2030-01-01T12:00")) == (opening if found else None)


@pytest.mark.parametrize("at", ["2030-05-13T10:00", "2030-05-13T10:00:01"])
def test_hours_that_never_open(at: str) -> None:
    assert next_opening(NEVER, local(at)) is None
    assert after_opening_time(NEVER, local(at), MINUTE) is None


# --- the ends of an open span ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_hours", "at", "opened", "closes"),
    [
        (OFFICE, "2030-05-13T09:00", "2030-05-13T09:00", "2030-05-13T12:30"),
        (OFFICE, "2030-05-13T17:29", "2030-05-13T13:30", "2030-05-13T17:30"),
        (OFFICE, "2030-05-17T23:59", "2030-05-17T20:00", "2030-05-18T00:00"),
        (NIGHT, "2030-05-13T23:30", "2030-05-13T22:00", "2030-05-14T06:00"),
        (NIGHT, "2030-05-14T05:59", "2030-05-13T22:00", "2030-05-14T06:00"),
        # Open from Friday to Monday: spans of single days are one.
        (hours(LONDON, "00:00-24:00", mon_fri="09:00-24:00"), "2030-05-19T12:00", "2030-05-17T09:00", None),
    ],
)
def test_the_span_that_holds_an_instant(at_hours: OpeningHours, at: str, opened: str, closes: str | None) -> None:
    assert opened_at(at_hours, local(at)) == local(opened)
    assert closes_at(at_hours, local(at)) == local(closes or "2030-05-20T00:00")


def test_a_night_lasts_an_hour_less_or_more_when_the_clocks_change() -> None:
    assert opened_at(NIGHT, local("2030-03-31T05:00")) == utc("2030-03-30T22:00")
    assert closes_at(NIGHT, utc("2030-03-30T22:00")) == utc("2030-03-31T05:00")
    assert opened_at(NIGHT, local("2030-10-27T05:00")) == utc("2030-10-26T21:00")
    assert closes_at(NIGHT, utc("2030-10-26T21:00")) == utc("2030-10-27T06:00")


def test_what_is_open_all_week_does_not_close_and_opened_a_week_ago_or_more() -> None:
    at = local("2030-05-13T10:00")
    assert closes_at(ALWAYS, at) is None
    assert timedelta(days=8) <= at - opened_at(ALWAYS, at) <= timedelta(days=9)


@pytest.mark.parametrize(("at", "closes"), [("2030-05-05T23:00", None), ("2030-05-06T01:00", "2030-05-14T00:00")])
def test_an_end_is_looked_for_within_eight_days(at: str, closes: str | None) -> None:
    closing = hours(LONDON, "00:00-24:00", exceptions={"2030-05-14": ""})
    assert closes_at(closing, local(at)) == (local(closes) if closes else None)


def test_what_is_closed_has_no_span() -> None:
    with pytest.raises(ValueError, match="closed"):
        opened_at(OFFICE, local("2030-05-13T08:00"))
    with pytest.raises(ValueError, match="closed"):
        closes_at(OFFICE, local("2030-05-13T12:30"))


# --- opening time that passes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "length", "after"),
    [
        ("2030-05-13T10:00", timedelta(0), "2030-05-13T10:00"),
        ("2030-05-13T08:00", timedelta(0), "2030-05-13T08:00"),
        ("2030-05-13T10:00", HOUR, "2030-05-13T11:00"),
        ("2030-05-13T08:00", HOUR, "2030-05-13T10:00"),  # the time before it opens does not count
        ("2030-05-13T12:00", 30 * MINUTE, "2030-05-13T12:30"),  # just enough: at the closing
        ("2030-05-13T12:00", 31 * MINUTE, "2030-05-13T13:31"),  # over lunch
        ("2030-05-13T17:00", HOUR, "2030-05-14T09:30"),  # overnight
        ("2030-05-13T09:00", 7.5 * HOUR, "2030-05-13T17:30"),
        ("2030-05-16T17:30", 4 * HOUR, "2030-05-18T00:00"),
        ("2030-05-17T23:00", 2 * HOUR, "2030-05-20T10:00"),  # over the weekend
        ("2030-05-13T09:00", 34 * HOUR, "2030-05-18T00:00"),  # the whole week
        ("2030-05-13T09:00", 34 * HOUR + MINUTE, "2030-05-20T09:01"),
    ],
)
def test_opening_time(at: str, length: timedelta, after: str) -> None:
    assert after_opening_time(OFFICE, local(at), length) == local(after)


def test_more_opening_time_than_there_is_in_400_days() -> None:
    assert after_opening_time(hours(LONDON, sun="09:00-10:00"), local("2030-05-13T10:00"), 60 * HOUR) is None


# --- several windows at once -----------------------------------------------------------------------------------------

SYDNEY = hours(ZoneInfo("Australia/Sydney"), "08:00-21:00")
AUCKLAND = hours(ZoneInfo("Pacific/Auckland"), "08:00-21:00")
NINE_TO_FIVE = hours(LONDON, mon_fri="09:00-17:00")


@pytest.mark.parametrize(
    ("what", "windows", "at", "opening"),
    [
        ("none: always", [], "2030-05-13T03:00", "2030-05-13T03:00"),
        ("one: its own", [NINE_TO_FIVE], "2030-05-13T03:00", "2030-05-13T08:00"),
        ("both are open", [NINE_TO_FIVE, SYDNEY], "2030-05-13T10:30", "2030-05-13T10:30"),
        ("the second closed an hour ago", [NINE_TO_FIVE, SYDNEY], "2030-05-13T12:00", "2030-05-14T08:00"),
        ("the first has a weekend", [NINE_TO_FIVE, SYDNEY], "2030-05-17T12:00", "2030-05-20T08:00"),
        ("in Auckland's winter, an hour a day", [NINE_TO_FIVE, AUCKLAND], "2030-05-13T09:00", "2030-05-14T08:00"),
        # In its summer none: London's clocks go forward on 31 March, Auckland's go back on 7 April.
        ("in Auckland's summer, not before April", [NINE_TO_FIVE, AUCKLAND], "2030-01-14T09:00", "2030-04-08T08:00"),
        ("one of them never opens", [NINE_TO_FIVE, NEVER], "2030-05-13T10:00", None),
        ("never at the same time", [NINE_TO_FIVE, hours(LONDON, "18:00-20:00")], "2030-05-13T10:00", None),
    ],
)
def test_windows_that_must_all_be_open(what: str, windows: list[OpeningHours], at: str, opening: str | None) -> None:
    moment = utc(at)
    found = next_open_in_all(windows, moment)
    assert found == (utc(opening) if opening else None)
    assert open_in_all(windows, moment) == (found == moment)


def test_of_several_windows_the_first_to_close_counts() -> None:
    at = utc("2030-05-13T10:00")
    assert closes_in_all([NINE_TO_FIVE, SYDNEY, ALWAYS], at) == utc("2030-05-13T11:00")
    assert closes_in_all([ALWAYS, NINE_TO_FIVE], at) == utc("2030-05-13T16:00")
    assert closes_in_all([ALWAYS, ALWAYS], at) is None
    with pytest.raises(ValueError, match="closed"):
        closes_in_all([SYDNEY, NIGHT], at)


# --- against the definition ------------------------------------------------------------------------------------------


def by_definition(at_hours: OpeningHours, first: datetime, count: int) -> list[bool]:
    """Of each minute: whether the wall clock shows a time within an interval."""

    @cache
    def begun(day: date) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
        if day in at_hours.exceptions:
            return at_hours.exceptions[day], ()
        eve = day - DAY
        return at_hours.week[day.weekday()], at_hours.exceptions.get(eve, at_hours.week[eve.weekday()])

    def opened(wall: datetime) -> bool:
        clock = wall.time()
        today, evening = begun(wall.date())
        return any(
            each.start <= clock and (each.end is None or each.end <= each.start or clock < each.end) for each in today
        ) or any(each.end is not None and clock < each.end <= each.start for each in evening)

    return [opened((first + index * MINUTE).astimezone(at_hours.zone)) for index in range(count)]


@dataclass(frozen=True)
class Minutes:
    """Every minute of some days, as the definition says: open or not."""

    first: datetime
    opened: list[bool]

    def next(self, at: datetime, *, opened: bool) -> datetime | None:
        """The first minute that begins after `at` and is open, or closed; None beyond the last one."""
        index = self.index(at) + 1
        return self.first + self.opened.index(opened, index) * MINUTE if opened in self.opened[index:] else None

    def since(self, at: datetime) -> datetime | None:
        """The beginning of the open span that holds `at`; None before the first minute."""
        index = self.index(at)
        while self.opened[index]:
            if index == 0:
                return None
            index -= 1
        return self.first + (index + 1) * MINUTE

    def passed(self, at: datetime, length: timedelta) -> datetime | None:
        """When so much of open minutes has passed; None from the end of the last one on."""
        index = self.index(at)
        while index < len(self.opened):
            start, end = max(at, self.first + index * MINUTE), self.first + (index + 1) * MINUTE
            if self.opened[index]:
                if length <= end - start:
                    return start + length if start + length < self.last else None
                length -= end - start
            index += 1
        return None

    def index(self, at: datetime) -> int:
        return (at - self.first) // MINUTE

    @property
    def last(self) -> datetime:
        return self.first + len(self.opened) * MINUTE


AROUND = timedelta(days=2)

NOTED = [
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("Asia/Beirut", "2027-03-28"),  # at midnight
    ("Asia/Beirut", "2027-10-31"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-30"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Havana", "2026-11-01"),  # the day's first hour twice
    ("America/St_Johns", "2005-04-03"),  # a minute after midnight
    ("America/St_Johns", "2005-10-30"),  # a minute of Sunday, Saturday's last hour again, Sunday
    ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Antarctica/Troll", "2026-03-29"),  # two hours
    ("America/Caracas", "2016-05-01"),  # for good
    ("Pacific/Apia", "2011-12-30"),  # a whole day left out
]
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def _changed(zone: ZoneInfo, day: datetime) -> bool:
    return day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset()


@st.composite
def changes(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """A zone, and a UTC day on which its clocks change, or any day where they do not within a year."""
    if draw(st.booleans()):
        key, day = draw(st.sampled_from(NOTED))
        return ZoneInfo(key), utc(day)
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    start = utc("2000-01-01") + draw(st.integers(0, 37 * 365)) * DAY
    days = (start + count * DAY for count in range(366))
    return zone, next((day for day in days if _changed(zone, day)), start)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, ...]:
    def clock(minutes: int) -> time:
        return time(minutes // 60, minutes % 60)

    # Every five minutes, and more often than not where clocks change.
    minutes = st.integers(0, 287).map(lambda count: count * 5) | st.integers(0, 180) | st.integers(1380, 1439)
    return tuple(
        Interval(clock(draw(minutes)), draw(st.none() | minutes.map(clock))) for _ in range(draw(st.integers(0, 2)))
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[OpeningHours, datetime, list[datetime]]:
    """Hours, a UTC day on which their zone may change its clocks, and instants around it."""
    zone, day = draw(changes())
    week = draw(st.tuples(*[intervals()] * 7))
    dates = st.integers(-2, 2).map(lambda count: day.date() + count * DAY)
    exceptions = draw(st.dictionaries(dates, intervals(), max_size=2))
    seconds = st.integers(-86400, 86400) | st.integers(-24, 24).map(lambda count: count * 3600)
    instants = [day + timedelta(seconds=each) for each in draw(st.lists(seconds, min_size=4, max_size=12))]
    return OpeningHours(zone, week, exceptions), day, instants


@given(case=cases(), length=st.integers(1, 24 * 120).map(lambda count: count * timedelta(seconds=30)))
@example(
    case=(hours(LONDON, sun="01:30-01:45"), utc("2026-10-25"), [utc("2026-10-25T00:50"), utc("2026-10-25T01:40")]),
    length=20 * MINUTE,
)
@example(
    case=(
        hours(ZoneInfo("America/St_Johns"), "23:30-00:30"),
        utc("2005-10-30"),
        [utc("2005-10-30T02:00"), utc("2005-10-30T02:30:30"), utc("2005-10-30T02:31"), utc("2005-10-30T03:15")],
    ),
    length=90 * MINUTE,
)
@example(  # passed with the last of the minutes that are looked at
    case=(hours(LONDON, mon_fri="23:21-24:00"), utc("2026-10-25"), [utc("2026-10-25T00:00")]), length=39 * MINUTE
)
def test_every_answer_is_what_the_minutes_say(
    case: tuple[OpeningHours, datetime, list[datetime]], length: timedelta
) -> None:
    at_hours, day, instants = case
    first = day - AROUND
    count = 2 * AROUND // MINUTE
    minutes = Minutes(first, by_definition(at_hours, first, count))
    for at in instants:
        opened = minutes.opened[minutes.index(at)]
        assert is_open(at_hours, at) == opened
        assert _or_later(next_opening(at_hours, at), minutes) == (at if opened else minutes.next(at, opened=True))
        assert _or_later(after_opening_time(at_hours, at, length), minutes) == minutes.passed(at, length)
        if opened:
            assert _or_later(closes_at(at_hours, at), minutes) == minutes.next(at, opened=False)
            since = opened_at(at_hours, at)
            assert minutes.since(at) in {since, None}
            assert minutes.since(at) == since or since <= minutes.first


def _or_later(found: datetime | None, minutes: Minutes) -> datetime | None:
    """None for what lies beyond the minutes that were looked at."""
    return found if found is not None and found < minutes.last else None
