"""Lengths of time, and what is counted within one, as a configuration writes them."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, PlainValidator

from dialer.domain.directory import Delay
from dialer.intake.limits import Limit
from dialer.settings.problems import Invalid

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"([0-9]{1,5})([smhd])")
_LONGEST = timedelta(days=30)
_EXAMPLE = 'write it like "30s", "5m", "1h" or "1d"'

_OPEN = " open"
_FOR_EVER = "never"

_COUNT = re.compile(r"[0-9]{1,4}")
_HIGHEST = 1000


def _length(value: object) -> timedelta | None:
    """The length that `value` gives; None when it gives none, or one of more than 30 days."""
    parts = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    length = timedelta(**{_UNITS[parts[2]]: int(parts[1])}) if parts else None
    return None if length is None or length > _LONGEST else length


def _duration(value: object) -> timedelta:
    length = _length(value)
    if length is None:
        raise Invalid("not a duration", f"{_EXAMPLE}, 30 days at most")
    return length


Duration = Annotated[timedelta, PlainValidator(_duration)]


def _step(value: object) -> Delay:
    text = value if isinstance(value, str) else ""
    length = _length(text.removesuffix(_OPEN))
    if length is None:
        raise Invalid("not a duration", f'{_EXAMPLE}, or "2h open" for opening time, 30 days at most')
    return Delay(length, opening=text.endswith(_OPEN))


Ladder = Annotated[tuple[Annotated[Delay, PlainValidator(_step)], ...], Field(max_length=20)]
"""Delays one after the other."""

Steps = Annotated[Ladder, Field(min_length=1)]
"""At least one of them."""


def _patience(value: object) -> timedelta | None:
    if value == _FOR_EVER:
        return None
    length = _length(value)
    if not length:
        raise Invalid("not a patience", f'{_EXAMPLE}, more than nothing and 30 days at most, or "{_FOR_EVER}"')
    return length


Patience = Annotated[timedelta | None, PlainValidator(_patience)]
"""How long something is waited for; None: for ever."""


def _limit(value: object) -> Limit:
    count, _, within = value.partition("/") if isinstance(value, str) else ("", "", "")
    length = _length(within)
    if not _COUNT.fullmatch(count) or not 1 <= int(count) <= _HIGHEST or not length:
        raise Invalid("not a limit", f'write 7 in 15 minutes as "7/15m"; {_HIGHEST} and 30 days at most')
    return Limit(int(count), length)


Bound = Annotated[Limit, PlainValidator(_limit)]
Bounds = Annotated[tuple[Bound, ...], Field(max_length=10)]
"""Limits that hold together."""
