"""Hours as a person would check them: what does the clock on the wall show, and is that within the hours on the door?

Nothing here is shared with the code that is judged by it.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import phonenumbers
from phonenumbers import timezone

from dialer.domain.directory import Interval, OpeningHours

_SUBDIVISIONS = {"england": "ENG", "wales": "WLS", "scotland": "SCT", "northern_ireland": "NIR"}


def on_the_door(hours: OpeningHours, at: datetime) -> bool:
    """Whether the hours hold at an instant, by the wall clock of their zone."""
    there = at.astimezone(hours.zone)
    today, now = there.date(), there.time()
    intervals, special = _of_day(hours, today)
    if any(_shows(each, now) for each in intervals):
        return True
    if special:
        return False
    yesterday, _ = _of_day(hours, today - timedelta(days=1))
    return any(_over_midnight(each) and now < (each.end or time.max) for each in yesterday)


def _of_day(hours: OpeningHours, day: date) -> tuple[tuple[Interval, ...], bool]:
    if day in hours.exceptions:
        return hours.exceptions[day], True
    if hours.nation is not None and day in _bank_holidays(hours.nation.value, day.year):
        return hours.on_holidays, True
    return hours.week[day.weekday()], False


@lru_cache
def _bank_holidays(nation: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv=_SUBDIVISIONS[nation], years=year))


def _over_midnight(interval: Interval) -> bool:
    return interval.end is not None and interval.end <= interval.start


def _shows(interval: Interval, now: time) -> bool:
    """Whether a clock that shows `now` is within the part of the interval on the day of its start."""
    if interval.end is None or _over_midnight(interval):
        return interval.start <= now
    return interval.start <= now < interval.end


def zones_of(e164: str) -> tuple[ZoneInfo, ...]:
    """Every zone in which the number may ring; none where that is not known."""
    names = timezone.time_zones_for_number(phonenumbers.parse(e164))
    return tuple(ZoneInfo(name) for name in names if name != timezone.UNKNOWN_TIMEZONE)


def may_be_rung(zones: tuple[ZoneInfo, ...], between: Interval, at: datetime) -> bool:
    """Whether it is neither too early nor too late wherever the phone may be."""
    for zone in zones:
        now = at.astimezone(zone).time()
        night = _over_midnight(between) and now < (between.end or time.max)
        if not _shows(between, now) and not night:
            return False
    return True
