"""The times that can be promised: what is offered here, submission and a move accept with exactly that promise."""

from datetime import datetime, timedelta

from dialer.domain.directory import Department, Directory
from dialer.domain.errors import RequestRefused
from dialer.intake.promises import promised
from dialer.scheduling.promise import Promise


def slots(
    directory: Directory,
    department: Department,
    number: str,
    since: datetime,
    until: datetime,
    every: timedelta,
    limit: int,
) -> list[Promise]:
    """The first `limit` times from `since` to before `until` (UTC), at whole steps of `every` by the site's clock, at
    which `number` (E.164) can be promised a call; none where it can never be called."""
    zone = directory.sites[department.site].zone
    found: list[Promise] = []
    at = _next_step(since, zone.utcoffset(since.astimezone(zone)) or timedelta(0), every)
    try:
        while at < until and len(found) < limit:
            made = promised(directory, department, number, (at, None), since)
            if made.due_at == at:
                found.append(made)
                at += every
            else:
                offset = zone.utcoffset(made.due_at.astimezone(zone)) or timedelta(0)
                at = _next_step(made.due_at, offset, every)
    except RequestRefused:
        return found
    return found


def _next_step(at: datetime, offset: timedelta, every: timedelta) -> datetime:
    """The first whole step at or after `at`, by a clock that shows `offset` more than UTC."""
    epoch = datetime.fromtimestamp(0, at.tzinfo)
    return at + (-((at - epoch) + offset)) % every
