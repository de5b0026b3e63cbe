"""The times that can be promised, by the rules of a submission's own promise: a widget offers only what is kept."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.directory import Department, Directory
from dialer.scheduling.hours import next_open_in_all
from dialer.scheduling.promise import Promise, given_up_at
from dialer.scheduling.quiet import called_windows


def slots(
    directory: Directory,
    department: Department,
    number: str | None,
    since: datetime,
    until: datetime,
    every: timedelta,
    limit: int,
) -> list[Promise]:
    """At most `limit` promises from `since` (not past) up to, not including, `until`, earliest first.

    They lie at whole multiples of `every` (a part of an hour, in whole minutes) by the department's clock. None is too
    early or too late for whoever has `number` (E.164; None: a number of the site's own zone). A request for exactly
    such a time gets exactly that promise.
    """
    quiet = called_windows(directory.sites[department.site], number)
    zone, found = department.hours.zone, list[Promise]()
    at = _rounded_up(since, zone, every)
    while at < until and len(found) < limit:
        opens = next_open_in_all((department.hours, *quiet), at)
        if opens is None:
            break
        if opens == at:
            found.append(Promise(opens, given_up_at(department, opens, None)))
            at = _rounded_up(at + every, zone, every)
        else:
            at = _rounded_up(opens, zone, every)
    return found


def _rounded_up(at: datetime, zone: ZoneInfo, every: timedelta) -> datetime:
    """The first multiple of `every` by the zone's clock from then on. Clocks change by whole quarters of an hour, but
    not all at a multiple: the wall's own minutes decide."""
    wall = at.astimezone(zone)
    past = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond) % every
    return at + (every - past) % every
