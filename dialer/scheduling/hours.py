"""Opening hours: is a department open at an instant, and when does it open next?"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.directory import OpeningHours

_HORIZON_DAYS = 15
"""A weekly pattern repeats within eight days; a clock change can swallow one opening, and the next is a week later."""

_SECOND = timedelta(seconds=1)


def is_open(hours: OpeningHours, at: datetime) -> bool:
    """True when `at` (aware) lies within the department's opening hours by its own wall clock."""
    local = at.astimezone(hours.zone)
    moment = local.time()
    return any(
        interval.start <= moment and (interval.end is None or moment < interval.end)
        for interval in hours.week[local.weekday()]
    )


def next_opening(hours: OpeningHours, at: datetime) -> datetime | None:
    """The first instant at or after `at` (aware) when the department is open, in UTC; None if it never opens."""
    if is_open(hours, at):
        return at.astimezone(UTC)
    today = at.astimezone(hours.zone).date()
    for day in range(_HORIZON_DAYS):
        moments = _moments(hours, today + timedelta(days=day))
        opening = min((moment for moment in moments if moment >= at and is_open(hours, moment)), default=None)
        if opening is not None:
            return opening
    return None


def _moments(hours: OpeningHours, day: date) -> Iterator[datetime]:
    """The instants of a local day at which a department may open: its intervals' starts, both times where the clocks
    show one twice, and a clock change, which can lead into an interval past its start."""
    for interval in hours.week[day.weekday()]:
        for fold in (0, 1):
            yield datetime.combine(day, interval.start.replace(fold=fold), hours.zone).astimezone(UTC)
    before, after = (
        datetime.combine(midnight, time(), hours.zone).astimezone(UTC) for midnight in (day, day + timedelta(days=1))
    )
    if _offset(hours.zone, before) != _offset(hours.zone, after):
        yield _clock_change(hours.zone, before, after)


def _clock_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset, found between two instants with different ones."""
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
