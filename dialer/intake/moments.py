"""Times as requests give them: ISO 8601 with an offset, or by the wall clock of the site's zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.domain.errors import RequestRefused

PAST_TOLERANCE = timedelta(seconds=60)
"""A time this little ago is "now": the request was under way."""

MAX_AHEAD = timedelta(days=365)


def moment(text: str, field: str, zone: ZoneInfo) -> datetime:
    """The instant (UTC) that `text` names. Without an offset it is read in `zone`, where it must exist exactly once:
    of two readings of a promise, one would be broken."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid(field) from None
    if _is_date(text):
        raise RequestRefused("time_invalid", field, "a date without a time", remedy="add the time: …T14:30")
    try:
        return read.astimezone(UTC) if read.tzinfo else _local(read, field, zone)
    except OverflowError:
        raise _invalid(field) from None


def wanted(text: str, field: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The time at which to call (UTC); None for now: as soon as possible. `now` is UTC."""
    at = moment(text, field, zone)
    if at < now - PAST_TOLERANCE:
        raise RequestRefused("time_past", field, "the time is past", remedy="give a later time, or none for now")
    return _near(at, field, now) if at > now else None


def window(at: str, until: str, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
    """From when (None: as soon as possible) and until when (None: no end) to call, UTC; '' is none given. Fields `at`
    and `until`. A window may have begun already, but must not be over."""
    if not until:
        return (wanted(at, "at", zone, now) if at else None), None
    if not at:
        remedy = "say from when on, too"
        raise RequestRefused("field_missing", "at", "the window has an end and no beginning", remedy=remedy)
    begins, ends = moment(at, "at", zone), moment(until, "until", zone)
    if ends <= begins:
        what = "the window ends before it begins"
        raise RequestRefused("window_empty", "until", what, remedy="give a time after the beginning")
    if ends <= now:
        raise RequestRefused("time_past", "until", "the window is past", remedy="give a later one")
    return (_near(begins, "at", now) if begins > now else None), _near(ends, "until", now)


def _near(at: datetime, field: str, now: datetime) -> datetime:
    if at > now + MAX_AHEAD:
        raise RequestRefused(
            "time_too_far", field, f"more than {MAX_AHEAD.days} days ahead", remedy="give an earlier time"
        )
    return at


def _local(read: datetime, field: str, zone: ZoneInfo) -> datetime:
    first, second = (read.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    # Around a clock change the two readings differ: after the gap, neither gives back the time that was asked for.
    if first.astimezone(zone).replace(tzinfo=None) == read:
        raise RequestRefused(
            "time_ambiguous", field, "the clocks show this time twice that day", remedy="add an offset"
        )
    raise RequestRefused(
        "time_nonexistent", field, "the clocks leave this time out that day", remedy="give another time"
    )


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _invalid(field: str) -> RequestRefused:
    return RequestRefused("time_invalid", field, "not an ISO 8601 time", remedy="for example 2030-05-17T14:30:00+01:00")
