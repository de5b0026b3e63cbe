"""The kinds of value that a configuration holds, each with its check."""

import re
from datetime import time, timedelta
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, PlainValidator

from dialer.domain.directory import Interval
from dialer.domain.phone import known_region
from dialer.settings.problems import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Week = tuple[tuple[Interval, ...], ...]
"""Seven days of intervals, Monday first."""


def _matching(pattern: str, what: str, remedy: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise Invalid(what, remedy)
        return text

    return AfterValidator(check)


Id = Annotated[str, _matching(r"[a-z0-9_-]{1,40}", "not an id", "use 1 to 40 of a-z, 0-9, _ and -")]

Label = Annotated[
    str,
    _matching(
        r"(?=\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,60}(?<=\S)", "not a name", "use 1 to 60 printable characters"
    ),
]
"""A name for people to read; it reaches phones' displays."""

# Endpoints, devices, sounds and the user name go into AMI actions and the dialplan: nothing there may have a meaning.
Endpoint = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", "not an endpoint's name", "use letters, digits, _ . and -")
]
Phone = Annotated[str, _matching(r"PJSIP/[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", "not a phone", 'write it like "PJSIP/anna"')]
Device = Annotated[
    str,
    _matching(r"[A-Za-z0-9]+[/:][A-Za-z0-9][A-Za-z0-9_.-]{0,79}", "not a device", 'write it like "PJSIP/anna"'),
]
Sounds = Annotated[
    str,
    _matching(r"(?:[A-Za-z0-9][A-Za-z0-9_/-]*(?:&[A-Za-z0-9][A-Za-z0-9_/-]*)*)?", "not sounds", "join names with &"),
]
UserName = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,79}", "not a user name", "use letters, digits, _ . @ -")
]
Host = Annotated[str, _matching(r"[A-Za-z0-9:][A-Za-z0-9_.:%-]{0,252}", "not a host", "give a name or an address")]
Credential = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "not a credential's name", "use letters, digits, _ . and -")
]


def _zone(value: object) -> ZoneInfo:
    try:
        # A folder's name among the zones is an OSError.
        return ZoneInfo(value) if isinstance(value, str) else _no_zone()
    except (KeyError, ValueError, OSError):
        return _no_zone()


def _no_zone() -> ZoneInfo:
    raise Invalid("no such time zone", 'write it like "Europe/London"')


Zone = Annotated[ZoneInfo, PlainValidator(_zone)]


def _region(text: str) -> str:
    if not known_region(text):
        raise Invalid("no such region", 'write it like "GB"')
    return text


Region = Annotated[str, AfterValidator(_region)]


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,5})([smhd])")
_LONGEST = timedelta(days=30)


def _duration(value: object) -> timedelta:
    parts = _DURATION.fullmatch(value) if isinstance(value, str) else None
    length = timedelta(**{_UNITS[parts[2]]: int(parts[1])}) if parts else None
    if length is None or length > _LONGEST:
        raise Invalid("not a duration", 'write it like "30s", "5m", "1h" or "1d", 30 days at most')
    return length


Delay = Annotated[timedelta, PlainValidator(_duration)]


_INTERVAL = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")


def _hours(value: object) -> Week:
    if not isinstance(value, dict):
        raise Invalid("not opening hours", 'write them like { mon-fri = ["09:00-17:30"] }')
    week: dict[int, tuple[Interval, ...]] = {}
    for name, spans in value.items():
        day_intervals = _intervals(name, spans)
        for day in _days(name):
            if day in week:
                raise Invalid(f"{DAYS[day]} is given twice", "give each day once")
            week[day] = day_intervals
    if not any(week.values()):
        raise Invalid("the department never opens", "give it hours on a day")
    return tuple(week.get(day, ()) for day in range(len(DAYS)))


def _days(name: str) -> list[int]:
    first, dash, last = name.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise Invalid(f'"{name}" is not a day', "use mon, tue, wed, thu, fri, sat, sun or a range like mon-fri")
    start = DAYS.index(first)
    length = (DAYS.index(last) - start) % len(DAYS) if dash else 0
    return [(start + offset) % len(DAYS) for offset in range(length + 1)]


def _intervals(day: str, spans: object) -> tuple[Interval, ...]:
    if not isinstance(spans, list):
        raise Invalid(f"{day} is not a list", 'write it like ["09:00-12:30", "13:30-17:30"]')
    found = sorted((_interval(day, span) for span in spans), key=lambda interval: interval.start)
    for earlier, later in pairwise(found):
        if earlier.end is None or later.start < earlier.end:
            raise Invalid(f"{day} has hours that overlap", "let one end before the next starts")
    return tuple(found)


def _interval(day: str, span: object) -> Interval:
    parts = _INTERVAL.fullmatch(span) if isinstance(span, str) else None
    try:
        start = time.fromisoformat(parts[1]) if parts else None
        end = None if parts is None or parts[2] == "24:00" else time.fromisoformat(parts[2])
    except ValueError:
        start = end = None
    if start is None or (end is not None and end <= start):
        raise Invalid(f"{day} has a bad time", 'write it like "09:00-17:30", start before end, 24:00 at the latest')
    return Interval(start, end)


Hours = Annotated[Week, PlainValidator(_hours)]
