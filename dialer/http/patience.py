"""How long to wait before something that failed on the wire is tried again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

LONGEST = timedelta(days=1)
"""What another side may ask for at most."""

_MOST_DOUBLINGS = 32
_MOST_DIGITS = 9


class Rng(Protocol):
    """A source of jitter: `random.Random` is one."""

    def random(self) -> float:
        """A number from 0 to 1, without 1."""


def pause_after(tries: int, rng: Rng, *, first: timedelta, most: timedelta) -> timedelta:
    """The pause after so many tries (≥ 1) that failed: it doubles from `first` up to `most`, and up to a half of it is
    left out at random, so that what failed together is not tried again together."""
    whole = min(first * (1 << min(tries - 1, _MOST_DOUBLINGS)), most)
    return whole * (1 - rng.random() / 2)


def retry_after(header: str, now: datetime) -> timedelta | None:
    """What a Retry-After header (RFC 9110, 10.2.3: seconds or an HTTP date) asks for from `now` (UTC) on, from 0 to
    `LONGEST`; None where it says nothing that can be read."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return LONGEST if len(text) > _MOST_DIGITS else min(timedelta(seconds=int(text)), LONGEST)
    try:
        at = parsedate_to_datetime(text)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST)
