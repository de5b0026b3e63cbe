"""The promise that a request gets: when it is called, and until when that holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dialer.domain.directory import Department, OpeningHours
from dialer.scheduling.hours import after_opening_time, next_open_in_all


@dataclass(frozen=True, slots=True)
class Promise:
    """Called at `due_at`, or later, but not at `expires_at` any more (None: it does not expire). Both UTC."""

    due_at: datetime
    expires_at: datetime | None


def promise(
    department: Department,
    quiet: Sequence[OpeningHours],
    wanted_at: datetime | None,
    wanted_until: datetime | None,
    now: datetime,
) -> Promise | None:
    """What can be promised at `now` to a visitor who wants to be called as soon as possible, at `wanted_at`, or before
    `wanted_until`: the first moment from then on when the department and all of `quiet` are open. None: no such moment.
    """
    earliest = now if wanted_at is None else max(wanted_at, now)
    due = next_open_in_all((department.hours, *quiet), earliest)
    if due is None or (wanted_until is not None and wanted_until <= due):
        return None
    return Promise(due, given_up_at(department, due, wanted_until))


def given_up_at(department: Department, due: datetime, wanted_until: datetime | None) -> datetime | None:
    """When a promise for `due` expires: once the department's patience has passed in opening time, or with the
    visitor's window, whichever comes first. None: never."""
    if department.patience is None:
        return wanted_until
    tired = after_opening_time(department.hours, due, department.patience)
    return min((end for end in (tired, wanted_until) if end is not None), default=None)
