"""Opening hours as a configuration writes them. An interval whose end is not after its start reaches over midnight."""

import re
from collections.abc import Mapping
from datetime import date, time
from itertools import pairwise
from typing import Annotated

from pydantic import PlainValidator

from dialer.domain.directory import Interval
from dialer.settings.problems import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Week = tuple[tuple[Interval, ...], ...]
"""Seven days of intervals, Monday first."""

_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_INTERVAL = re.compile(rf"({_TIME})-({_TIME}|24:00)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MIDNIGHT = ("24:00", "00:00")


def _hours(value: object) -> Week:
    if not isinstance(value, dict):
        raise Invalid("not opening hours", 'write them like { mon-fri = ["09:00-17:30"] }')
    given: dict[int, tuple[Interval, ...]] = {}
    for name, spans in value.items():
        day_intervals = _intervals(name, spans)
        for day in _days(name):
            if day in given:
                raise Invalid(f"{DAYS[day]} is given twice", "give each day once")
            given[day] = day_intervals
    if not any(given.values()):
        raise Invalid("the department never opens", "give it hours on a day")
    week = tuple(given.get(day, ()) for day in range(len(DAYS)))
    _check_nights(week)
    return week


def _check_nights(week: Week) -> None:
    """Refuse a night whose hours run into those of the next morning."""
    for day, intervals in enumerate(week):
        tomorrow = (day + 1) % len(DAYS)
        ends = [interval.end for interval in intervals if interval.end and _over_midnight(interval)]
        starts = [interval.start for interval in week[tomorrow]]
        if ends and starts and starts[0] < ends[0]:
            what = f"{DAYS[day]} has hours that overlap {DAYS[tomorrow]}'s"
            raise Invalid(what, "let the night end before the next day starts")


def _days(name: str) -> list[int]:
    first, dash, last = name.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise Invalid(f'"{name}" is not a day', "use mon, tue, wed, thu, fri, sat, sun or a range like mon-fri")
    start = DAYS.index(first)
    length = (DAYS.index(last) - start) % len(DAYS) if dash else 0
    return [(start + offset) % len(DAYS) for offset in range(length + 1)]


def _exceptions(value: object) -> Mapping[date, tuple[Interval, ...]]:
    if not isinstance(value, dict):
        raise Invalid("not exceptions", 'write them like { "2026-12-24" = ["09:00-12:00"], "2026-12-27" = [] }')
    return {_date(name): _intervals(name, spans) for name, spans in value.items()}


def _date(name: str) -> date:
    try:
        # The library would take other ways of writing the same date, and one date could be given twice.
        return date.fromisoformat(name if _DATE.fullmatch(name) else "")
    except ValueError:
        raise Invalid(f'"{name}" is not a date', 'write it like "2026-12-24"') from None


def _holiday(value: object) -> tuple[Interval, ...]:
    return _intervals("a bank holiday", value)


def _intervals(day: str, spans: object) -> tuple[Interval, ...]:
    if not isinstance(spans, list):
        raise Invalid(f"{day} is not a list", 'write it like ["09:00-12:30", "13:30-17:30"]')
    found = sorted((_interval(day, span) for span in spans), key=lambda interval: interval.start)
    for earlier, later in pairwise(found):
        if earlier.end is None or _over_midnight(earlier) or later.start < earlier.end:
            raise Invalid(f"{day} has hours that overlap", "let one end before the next starts")
    return tuple(found)


def _interval(day: str, span: object) -> Interval:
    found = _read(span)
    if found is None:
        remedy = 'write it like "09:00-17:30", or "22:00-02:00" over midnight; "24:00" is a day\'s end'
        raise Invalid(f"{day} has a bad time", remedy)
    return found


def _read(span: object) -> Interval | None:
    """The interval that is written so; None when none is."""
    parts = _INTERVAL.fullmatch(span) if isinstance(span, str) else None
    if parts is None or parts[1] == parts[2]:
        return None
    start, end = time.fromisoformat(parts[1]), parts[2]
    return Interval(start, None if end in _MIDNIGHT else time.fromisoformat(end))


def _over_midnight(interval: Interval) -> bool:
    return interval.end is not None and interval.end <= interval.start


def _within_a_day(value: object) -> Interval:
    found = _read(value)
    if found is None or _over_midnight(found):
        raise Invalid("not one span within a day", 'write it like "08:00-21:00", "24:00" at the latest')
    return found


Hours = Annotated[Week, PlainValidator(_hours)]
Exceptions = Annotated[Mapping[date, tuple[Interval, ...]], PlainValidator(_exceptions)]
HolidayHours = Annotated[tuple[Interval, ...], PlainValidator(_holiday)]
WithinADay = Annotated[Interval, PlainValidator(_within_a_day)]
