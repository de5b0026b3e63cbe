"""The times that the page offers to move to: whole days of them, some thirty times at once."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from dialer.domain.callback import Callback
from dialer.domain.directory import Department, Directory
from dialer.domain.errors import RequestRefused
from dialer.intake.promises import promised
from dialer.intake.slots import slots

AHEAD = timedelta(days=28)
"""How far ahead a callback may be moved here."""

EVERY = timedelta(minutes=30)

_SHOWN = 32
_LOOKED_FOR = 100
"""Two days without a pause are 96 times, or 98 when the clocks go back: so that one whole day is always found."""

_TO_DECIDE = timedelta(minutes=5)
"""A time that comes sooner may be past when the visitor has chosen it."""

_LONGEST_TIME = 40


@dataclass(frozen=True, slots=True)
class Offer:
    """The times (of the site's zone), in order, by their days; `later`: the first day that has more, if any."""

    days: tuple[tuple[datetime, ...], ...]
    later: date | None


def offer(
    directory: Directory, department: Department, number: str, first: date | None, now: datetime, free: datetime
) -> Offer:
    """What can be offered to `number` (E.164) at `now` (UTC), from the day `first` on (None: today), and not before
    `free`, when the account's caps allow a promise."""
    zone = directory.sites[department.site].zone
    since = max(now + _TO_DECIDE, free)
    if first is not None and since.date() < first <= (now + AHEAD).date():
        since = max(since, datetime.combine(first, time(), zone).astimezone(UTC))
    found = slots(directory, department, number, since, now + AHEAD, EVERY, _LOOKED_FOR)
    times = (made.due_at.astimezone(zone) for made in found)
    days = [tuple(group) for _, group in groupby(times, key=datetime.date)]
    shown: list[tuple[datetime, ...]] = []
    for day in days:
        if shown and sum(map(len, shown)) + len(day) > _SHOWN:
            break
        shown.append(day)
    left = days[len(shown) :]
    return Offer(tuple(shown), left[0][0].date() if left else None)


def chosen(directory: Directory, department: Department, callback: Callback, text: str, now: datetime) -> str | None:
    """The time that a form gave, as a move takes it; None where it is none that can be kept exactly."""
    try:
        at = datetime.fromisoformat(text) if len(text) <= _LONGEST_TIME else now
    except ValueError:
        return None
    if at.tzinfo is None or not now < at < now + AHEAD:
        return None
    try:
        made = promised(directory, department, callback.visitor.phone, (at.astimezone(UTC), None), now)
    except RequestRefused:
        return None
    return made.due_at.isoformat() if made.due_at == at else None
