"""Opening hours: open at an instant, and until when; the next opening; how much opening time has passed.

It is open when the wall clock of the hours' zone shows a time within an interval: an hour that the clocks show twice is
open twice, one that they leave out never. All is read from the open spans of single UTC days, which are worked out
exactly and remembered. All instants given are aware; all instants returned are UTC.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, reduce
from zoneinfo import ZoneInfo

from dialer.domain.directory import Interval, OpeningHours
from dialer.scheduling.holidays import is_bank_holiday

_Span = tuple[datetime, datetime]
"""From the first instant up to, not including, the second."""

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

_HORIZON_DAYS = 400
"""How far ahead an opening is looked for: past a year of exceptions, and past any wish that is accepted."""

_REACH = timedelta(days=8)
"""How far the ends of an open span are followed: a week that does not close in it never does."""

_REMEMBERED = 8192
"""Days remembered, of all hours together: about 3 MB. What a reload of the configuration left behind is pushed out."""


def is_open(hours: OpeningHours, at: datetime) -> bool:
    """Whether it is open at this instant."""
    at = at.astimezone(UTC)
    return any(opens <= at < closes for opens, closes in _spans(hours, at.toordinal()))


def next_opening(hours: OpeningHours, at: datetime) -> datetime | None:
    """The first instant at or after `at` when it is open; None when it does not open within 400 days."""
    at = at.astimezone(UTC)
    today = at.toordinal()
    for opens, closes in _spans(hours, today):
        if at < closes:
            return max(opens, at)
    return _first_from(hours, today + 1)


def opened_at(hours: OpeningHours, at: datetime) -> datetime:
    """The beginning of the open span that holds `at`, followed about eight days back. ValueError when it is closed."""
    at = at.astimezone(UTC)
    opens, _ = _span_at(hours, at)
    day = at.toordinal()
    while opens > at - _REACH:
        day -= 1
        before = _spans(hours, day)
        if not before or before[-1][1] != opens:
            break
        opens = before[-1][0]
    return opens


def closes_at(hours: OpeningHours, at: datetime) -> datetime | None:
    """The end of the open span that holds `at`; None when it does not close within eight days. ValueError when it is
    closed."""
    at = at.astimezone(UTC)
    _, closes = _span_at(hours, at)
    day = at.toordinal()
    while closes < at + _REACH:
        day += 1
        after = _spans(hours, day)
        if not after or after[0][0] != closes:
            return closes
        closes = after[0][1]
    return None


def after_opening_time(hours: OpeningHours, at: datetime, length: timedelta) -> datetime | None:
    """The first instant by which `length` of opening time has passed since `at`: at the latest when it closes, where
    that is just enough. None when it is not open for so long within 400 days."""
    at = at.astimezone(UTC)
    if not length:
        return at
    today = at.toordinal()
    for day in range(today, today + _HORIZON_DAYS):
        for opens, closes in _spans(hours, day):
            since = max(opens, at)
            if since >= closes:
                continue
            if length <= closes - since:
                return since + length
            length -= closes - since
    return None


def open_in_all(windows: Sequence[OpeningHours], at: datetime) -> bool:
    """Whether all of them are open at this instant."""
    return all(is_open(hours, at) for hours in windows)


def next_open_in_all(windows: Sequence[OpeningHours], at: datetime) -> datetime | None:
    """The first instant at or after `at` when all of them are open; None when there is none within 400 days."""
    moment = at.astimezone(UTC)
    if not windows:
        return moment
    first, others = windows[0], tuple(windows[1:])
    today = moment.toordinal()
    for day in range(today, today + _HORIZON_DAYS):
        for opens, closes in _agreed(first, others, day):
            if closes > moment:
                return max(opens, moment)
    return None


def closes_in_all(windows: Sequence[OpeningHours], at: datetime) -> datetime | None:
    """When the first of them closes; None when none does within eight days. ValueError when one is closed."""
    ends = [closes_at(hours, at) for hours in windows]
    return min((end for end in ends if end is not None), default=None)


def _span_at(hours: OpeningHours, at: datetime) -> _Span:
    for opens, closes in _spans(hours, at.toordinal()):
        if opens <= at < closes:
            return opens, closes
    raise ValueError(f"it is closed at {at}")


# --- what is worked out, and remembered ------------------------------------------------------------------------------


@lru_cache(_REMEMBERED)
def _first_from(hours: OpeningHours, day: int) -> datetime | None:
    """The first opening on this UTC day (its ordinal) or on one of those that follow."""
    days = range(day, day + _HORIZON_DAYS)
    return next((spans[0][0] for each in days if (spans := _spans(hours, each))), None)


@lru_cache(_REMEMBERED)
def _agreed(first: OpeningHours, others: tuple[OpeningHours, ...], day: int) -> tuple[_Span, ...]:
    """The spans of a UTC day (its ordinal) in which all are open. The others, a called person's, are remembered by
    themselves: every department asks for them."""
    mine = _spans(first, day)
    return _common(mine, _of_all(others, day)) if mine and others else mine


@lru_cache(_REMEMBERED)
def _of_all(windows: tuple[OpeningHours, ...], day: int) -> tuple[_Span, ...]:
    return reduce(_common, (_spans(each, day) for each in windows))


def _common(some: tuple[_Span, ...], more: tuple[_Span, ...]) -> tuple[_Span, ...]:
    both = ((max(a, c), min(b, d)) for a, b in some for c, d in more)
    return tuple((opens, closes) for opens, closes in both if opens < closes)


@lru_cache(_REMEMBERED)
def _spans(hours: OpeningHours, day: int) -> tuple[_Span, ...]:
    """The open spans of a UTC day (its ordinal), in order; they end with it at the latest, and never touch."""
    found: list[_Span] = []
    for start, end, offset in _segments(hours.zone, day):
        for local_day in range((start + offset).toordinal(), (end + offset).toordinal() + 1):
            for opens, closes in _by_the_wall(hours, date.fromordinal(local_day)):
                first, last = max(opens - offset, start), min(closes - offset, end)
                if first < last:
                    found.append((first, last))
    return tuple(_merged(found))


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for opens, closes in sorted(spans):
        if merged and opens <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], closes)
        else:
            merged.append((opens, closes))
    return merged


def _by_the_wall(hours: OpeningHours, day: date) -> list[_Span]:
    """The opening time of a local day by its wall clock, whose times are written as if they were UTC; a span without
    length is none."""
    intervals, are_all = _intervals(hours, day)
    written = [_written(day, interval) for interval in intervals]
    if not are_all:
        eve = day - _DAY
        written += [_written(eve, interval) for interval in _intervals(hours, eve)[0]]
    midnight = datetime.combine(day, time(), UTC)
    return [(max(opens, midnight), min(closes, midnight + _DAY)) for opens, closes in written]


def _intervals(hours: OpeningHours, day: date) -> tuple[tuple[Interval, ...], bool]:
    """The intervals that begin on a local day, and whether nothing may run over into it from the evening before."""
    if day in hours.exceptions:
        return hours.exceptions[day], True
    if hours.nation is not None and is_bank_holiday(hours.nation, day):
        return hours.on_holidays, True
    return hours.week[day.weekday()], False


def _written(day: date, interval: Interval) -> _Span:
    opens = datetime.combine(day, interval.start, UTC)
    closes = datetime.combine(day, interval.end or time(), UTC)
    return opens, closes if opens < closes else closes + _DAY


def _segments(zone: ZoneInfo, day: int) -> list[tuple[datetime, datetime, timedelta]]:
    """A UTC day in pieces of one offset from UTC each: two when the clocks change, for no zone changes them twice."""
    start = datetime.combine(date.fromordinal(day), time(), UTC)
    end = start + _DAY
    before, after = _offset(zone, start), _offset(zone, end)
    if before == after:
        return [(start, end, before)]
    change = _clock_change(zone, start, end)
    return [(start, change, before), (change, end, after)]


def _clock_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset, found between two whole seconds with different ones."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).replace(tzinfo=UTC) - at
