"""The span of time that a report is about: whole days of a zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.errors import RequestRefused

_USUAL = timedelta(days=7)
_DAY = timedelta(days=1)
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to, not including, `before` (UTC): whole days of `zone`."""

    since: datetime
    before: datetime
    zone: ZoneInfo


def last_days(first: date | None, until: date | None, zone: ZoneInfo, now: datetime) -> Span:
    """From the beginning of `first` up to the beginning of `until`, by the zone's clock. Without `until`: with today;
    without `first`: seven days. Raises `RequestRefused`."""
    end = until or _today(zone, now) + _DAY
    return _span(first or _check(end, "until") - _USUAL, end, zone)


def month_so_far(first: date | None, until: date | None, zone: ZoneInfo, now: datetime) -> Span:
    """As `last_days`; without `first`: from the beginning of the month of the last day."""
    end = until or _today(zone, now) + _DAY
    return _span(first or (_check(end, "until") - _DAY).replace(day=1), end, zone)


def day_start(zone: ZoneInfo, at: datetime) -> datetime:
    """When the day of `at` began by the zone's clock; UTC."""
    return _midnight(at.astimezone(zone).date(), zone)


def _span(first: date, end: date, zone: ZoneInfo) -> Span:
    if _check(first, "from") >= _check(end, "until"):
        raise RequestRefused("span_empty", "until", "not after from", remedy="give a later day: it is not included")
    return Span(_midnight(first, zone), _midnight(end, zone), zone)


def _check(day: date, field: str) -> date:
    if day.year not in _YEARS:
        raise RequestRefused("span_range", field, "out of range", remedy=f"give a year from {_YEARS[0]}")
    return day


def _today(zone: ZoneInfo, now: datetime) -> date:
    return now.astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Where the clocks leave midnight out, this is the moment at which they jump over it.
    return datetime.combine(day, time(0), zone).astimezone(UTC)
