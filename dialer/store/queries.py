"""What can be asked: statements only, each answered by an index however large the store is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Select, and_, false, func, not_, or_, select, tuple_

from dialer.domain.callback import Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome, may_have_rung, verdict
from dialer.store import objections, pauses
from dialer.store.columns import from_micros, to_micros
from dialer.store.rows import ATTEMPT_COLUMNS, CALLBACK_COLUMNS
from dialer.store.tables import (
    EXPIRING,
    HAS_ORIGIN,
    HAS_SESSION,
    OPEN,
    attempt,
    callback,
    do_not_call,
    pause,
    resolution,
)
from dialer.store.views import CallbackFilter, CallFilter

T = TypeVar("T")

_CALLBACK = select(*CALLBACK_COLUMNS)
_ATTEMPT = select(*ATTEMPT_COLUMNS)
_SCHEDULED = callback.c.status == Status.SCHEDULED.value

_ATTEMPT_WITH_CALLBACK = select(*ATTEMPT_COLUMNS, *CALLBACK_COLUMNS).join(
    callback, callback.c.id == attempt.c.callback_id
)

OPEN_ATTEMPTS = _ATTEMPT_WITH_CALLBACK.where(attempt.c.ended_at.is_(None)).order_by(attempt.c.id)
WISHES = _CALLBACK.where(
    callback.c.status == Status.IN_PROGRESS.value, callback.c.wish_kind.is_not(None), not_(callback.c.wish_late)
)
STOPS = select(pause.c.scope, pause.c.key).where(pauses.IN_FORCE)
PAUSES = (
    select(pause.c.scope, pause.c.key, pause.c.who, pause.c.why, pause.c.since)
    .where(pauses.IN_FORCE)
    .order_by(pause.c.since, pause.c.id)
)
STATUSES = select(callback.c.status, func.count()).group_by(callback.c.status)
WAITING = select(callback.c.department, func.count()).where(_SCHEDULED).group_by(callback.c.department)
NEWEST_ATTEMPT = select(func.max(attempt.c.id))
OUTCOMES = select(attempt.c.outcome, func.count()).group_by(attempt.c.outcome)


def upcoming(department: str, until: datetime, limit: int, numbers: tuple[str, ...] = ()) -> Select[Any]:
    """Scheduled callbacks of a department due at or before `until`, earliest first; of numbers that begin with one of
    these (none: of all)."""
    due = _CALLBACK.where(callback.c.department == department, _SCHEDULED, callback.c.due_at <= until)
    if numbers:
        due = due.where(or_(*(callback.c.phone.startswith(each, autoescape=True) for each in numbers)))
    return due.order_by(callback.c.due_at, callback.c.id).limit(limit)


def expired(now: datetime, limit: int) -> Select[Any]:
    """Scheduled callbacks whose promise was to be given up at or before `now`, the longest ago first."""
    c = callback.c
    return _CALLBACK.where(EXPIRING, c.expires_at <= now).order_by(c.expires_at, c.id).limit(limit)


def callback_by_id(id_: CallbackId) -> Select[Any]:
    """One callback."""
    return _CALLBACK.where(callback.c.id == id_)


def attempts_of(id_: CallbackId) -> Select[Any]:
    """A callback's attempts, first to last."""
    return _ATTEMPT.where(attempt.c.callback_id == id_).order_by(attempt.c.number)


def ended_attempts(pbx: str, after: AttemptId, until: AttemptId, limit: int) -> Select[Any]:
    """The ids between the two of a PBX's attempts that have an end, in their order."""
    c = attempt.c
    wanted = select(c.id).where(c.id > after, c.id < until, c.pbx == pbx, c.ended_at.is_not(None))
    return wanted.order_by(c.id).limit(limit)


def doubtful(since: datetime) -> Select[Any]:
    """Attempts in doubt, made since then, with their callbacks that wait for a person."""
    return _ATTEMPT_WITH_CALLBACK.where(
        attempt.c.outcome == Outcome.IN_DOUBT.value,
        attempt.c.created_at >= since,
        callback.c.status == Status.NEEDS_REVIEW.value,
    ).order_by(attempt.c.ended_at, attempt.c.id)


_NEVER_RANG = [each.value for each in Outcome if not may_have_rung(verdict(each))]
_RANG_UNLESS_TOLD = [
    each.value
    for each in Outcome
    if may_have_rung(verdict(each)) and not may_have_rung(replace(verdict(each), rang=False))
]


def rings(since: datetime) -> Select[Any]:
    """Each number and end of the attempts ended since then that rang their customer or may have, first to last."""
    c = attempt.c
    # In the negative: SQLite would rather go through every outcome's index than take the ends in their order.
    silent = (c.outcome.in_(_NEVER_RANG), and_(c.outcome.in_(_RANG_UNLESS_TOLD), c.rang.is_(false())))
    return select(c.dialled, c.ended_at).where(c.ended_at >= since, *map(not_, silent)).order_by(c.ended_at)


def usage(departments: Sequence[str], since: datetime) -> Select[Any]:
    """How many attempts these departments have made since then, and the microseconds talked in those that have ended
    since then: also where they began before."""
    c = attempt.c
    ours = c.department.in_(departments)
    made = select(func.count()).where(ours, c.created_at >= since)
    talked = select(func.coalesce(func.sum(c.talk_us), 0)).where(ours, c.ended_at >= since)
    return select(made.scalar_subquery(), talked.scalar_subquery())


def begun(departments: Sequence[str], since: datetime) -> Select[Any]:
    """The last beginning of these departments' attempts by each trunk since then."""
    c = attempt.c
    last = select(c.department, c.pbx, c.trunk, func.max(c.created_at))
    return last.where(c.department.in_(departments), c.created_at >= since).group_by(c.department, c.pbx, c.trunk)


def open_callbacks_of(numbers: Sequence[str]) -> Select[Any]:
    """What is promised to these numbers."""
    return _CALLBACK.where(callback.c.phone.in_(numbers), OPEN)


def requests_for(numbers: Sequence[str], since: datetime) -> Select[Any]:
    """Each of these numbers with the moments of its requests since then."""
    c = callback.c
    return select(c.phone, c.requested_at).where(c.phone.in_(numbers), c.requested_at >= since)


def requests_in(sessions: Sequence[str], since: datetime) -> Select[Any]:
    """Each of these sessions (none is empty) with its requests since then: callback, moment and number."""
    c = callback.c
    asked = select(c.session, c.id, c.requested_at, c.phone)
    return asked.where(c.session.in_(sessions), HAS_SESSION, c.requested_at >= since)


def requests_from(origins: Sequence[str], since: datetime) -> Select[Any]:
    """As `requests_in`, for the keys of addresses."""
    c = callback.c
    asked = select(c.origin, c.id, c.requested_at, c.phone)
    return asked.where(c.origin.in_(origins), HAS_ORIGIN, c.requested_at >= since)


def listed(numbers: Sequence[str]) -> Select[Any]:
    """Which of these numbers are on the do-not-call list."""
    return select(do_not_call.c.number).where(do_not_call.c.number.in_(numbers), objections.IN_FORCE)


def objections_after(limit: int, cursor: str | None) -> Select[Any]:
    """A page of the do-not-call list, first to last, one row longer than `limit` when there is more."""
    c = do_not_call.c
    wanted: list[ColumnElement[bool]] = [objections.IN_FORCE]
    if cursor is not None:
        _, id_ = _read_cursor(cursor, _row_number)
        wanted.append(c.id > id_)
    return select(c.number, c.who, c.why, c.since, c.id).where(*wanted).order_by(c.id).limit(limit + 1)


def resolutions_of(id_: CallbackId) -> Select[Any]:
    """What people decided on a callback, first to last."""
    c = resolution.c
    return select(c.decision, c.who, c.why, c.forced, c.decided_at).where(c.callback_id == id_).order_by(c.id)


def callbacks(which: CallbackFilter, limit: int, cursor: str | None) -> Select[Any]:
    """A page of callbacks by due time, one row longer than `limit` when there is more."""
    c = callback.c
    wanted = [
        *_among(c.status, which.statuses),
        *([c.department == which.department] if which.department is not None else ()),
        *_between(c.due_at, which.due_from, which.due_before),
    ]
    if cursor is not None:
        at, id_ = _read_cursor(cursor, str)
        wanted.append(tuple_(c.due_at, c.id) > (at, id_))
    return _CALLBACK.where(*wanted).order_by(c.due_at, c.id).limit(limit + 1)


def calls(which: CallFilter, limit: int, cursor: str | None) -> Select[Any]:
    """A page of ended attempts, newest end first, one row longer than `limit` when there is more."""
    c = attempt.c
    wanted = [
        c.ended_at.is_not(None),
        *_among(c.outcome, which.outcomes),
        *([c.department == which.department] if which.department is not None else ()),
        *_between(c.ended_at, which.since, which.before),
    ]
    if cursor is not None:
        at, id_ = _read_cursor(cursor, str)
        wanted.append(tuple_(c.ended_at, c.id) < (at, id_))
    return _ATTEMPT.where(*wanted).order_by(c.ended_at.desc(), c.id.desc()).limit(limit + 1)


def cursor_after(at: datetime, id_: str | int) -> str:
    """The cursor that asks for what comes after this moment and id."""
    return f"{to_micros(at)}.{id_}"


def _read_cursor(cursor: str, read_id: Callable[[str], T]) -> tuple[datetime, T]:
    micros, _, id_ = cursor.partition(".")
    try:
        return from_micros(int(micros)), read_id(id_)
    except (ValueError, OverflowError):
        remedy = "ask for the first page"
        raise IllegalState("this cursor was never handed out", where="cursor", remedy=remedy) from None


def _row_number(text: str) -> int:
    number = int(text)
    number.to_bytes(8, signed=True)  # `OverflowError` where no database has so many
    return number


def _among(column: Column[Any], values: Iterable[str]) -> Iterable[ColumnElement[bool]]:
    wanted = sorted(values)
    return (column.in_(wanted),) if wanted else ()


def _between(column: Column[Any], since: datetime | None, before: datetime | None) -> Iterable[ColumnElement[bool]]:
    if since is not None:
        yield column >= since
    if before is not None:
        yield column < before
