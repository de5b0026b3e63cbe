"""What is promised for a wish: when we call, or why we cannot."""

from datetime import datetime

from dialer.domain.directory import Department, Directory
from dialer.domain.errors import RequestRefused
from dialer.scheduling.promise import Promise, promise
from dialer.scheduling.quiet import called_windows


def promised(
    directory: Directory,
    department: Department,
    number: str,
    wish: tuple[datetime | None, datetime | None],
    now: datetime,
) -> Promise:
    """The promise to call `number` (E.164) within `wish`: from when (None: now), and until when (None: no end).

    Raises `RequestRefused`: `window_closed` where the wish holds no moment at which we may call, `department_closed`
    where there is none at all.
    """
    quiet = called_windows(directory.sites[department.site], number)
    wanted_at, wanted_until = wish
    if (made := promise(department, quiet, wanted_at, wanted_until, now)) is not None:
        return made
    if promise(department, quiet, wanted_at, None, now) is not None:
        what = "the department is closed then, or the hour too early or too late for this number"
        raise RequestRefused("window_closed", "until", what, remedy="choose another time")
    what = "the department is never open at an hour at which this number may be called"
    raise RequestRefused("department_closed", "department", what, remedy="choose another department")
