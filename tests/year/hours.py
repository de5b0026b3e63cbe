"""Random opening hours: offices with a lunch break, nights over midnight, round the clock, with holidays and single
days of their own."""

from collections.abc import Sequence
from datetime import date, time
from random import Random
from zoneinfo import ZoneInfo

from dialer.domain.directory import Interval, Nation, OpeningHours

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")

_Day = tuple[Interval, ...]

_OFFICE = (Interval(time(9), time(17, 30)),)
_WITH_LUNCH = (Interval(time(8, 30), time(12, 15)), Interval(time(13), time(18)))
_LONG = (Interval(time(8), time(21)),)
_EVENING = (Interval(time(17), time(23, 30)),)
_NIGHT = (Interval(time(20, 30), time(4, 45)),)
_ALL_DAY = (Interval(time(), None),)
_MORNING = (Interval(time(0, 30), time(11)),)

_WEEKS: tuple[tuple[_Day, ...], ...] = (
    (*[_OFFICE] * 5, (), ()),
    (*[_WITH_LUNCH] * 5, _MORNING, ()),
    (_LONG,) * 7,
    (*[_LONG] * 4, _EVENING, _NIGHT, _NIGHT),
    (_ALL_DAY,) * 7,
    (*[_WITH_LUNCH] * 3, (), _OFFICE, _NIGHT, _MORNING),
    (*[(*_OFFICE, *_NIGHT)] * 5, _NIGHT, _ALL_DAY),
)
_EXCEPTIONS: tuple[_Day, ...] = ((), (), (Interval(time(10), time(12)),), _ALL_DAY, _NIGHT)


def random_hours(random: Random, zone: ZoneInfo, days: Sequence[date]) -> OpeningHours:
    """Any of the weeks; with a nation's holidays where the clocks are its own, and some days that are exceptions."""
    exceptions = {day: random.choice(_EXCEPTIONS) for day in random.sample(days, len(days) // 20)}
    if zone is LONDON:
        return OpeningHours(
            zone, random.choice(_WEEKS), exceptions, random.choice(list(Nation)), random.choice(((), _OFFICE))
        )
    return OpeningHours(zone, random.choice(_WEEKS), exceptions)


def giant_hours(random: Random, zone: ZoneInfo) -> OpeningHours:
    """Long days, so that the giants' backlog stands while others are open."""
    nation = Nation.ENGLAND if zone is LONDON else None
    week = random.choice(((*[_LONG] * 6, ()), (*[_OFFICE] * 6, ()), (_LONG,) * 7))
    return OpeningHours(zone, week, {}, nation, _OFFICE)
