"""What can be asked: statements only, each answered by an index however large the store is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, func, select, tuple_

from dialer.domain.callback import Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import AttemptId, CallbackId
from dialer.domain.outcome import Outcome
from dialer.store.columns import from_micros, to_micros
from dialer.store.decisions import IN_FORCE
from dialer.store.rows import ATTEMPT_COLUMNS, CALLBACK_COLUMNS
from dialer.store.tables import attempt, callback, pause, resolution
from dialer.store.views import CallbackFilter, CallFilter

_CALLBACK = select(*CALLBACK_COLUMNS)
_ATTEMPT = select(*ATTEMPT_COLUMNS)
_SCHEDULED = callback.c.status == Status.SCHEDULED.value

_ATTEMPT_WITH_CALLBACK = select(*ATTEMPT_COLUMNS, *CALLBACK_COLUMNS).join(
    callback, callback.c.id == attempt.c.callback_id
)

OPEN_ATTEMPTS = _ATTEMPT_WITH_CALLBACK.where(attempt.c.ended_at.is_(None)).order_by(attempt.c.id)
PAUSE = select(pause.c.who, pause.c.why, pause.c.since).where(*IN_FORCE)
STATUSES = select(callback.c.status, func.count()).group_by(callback.c.status)
OUTCOMES = select(attempt.c.outcome, func.count()).group_by(attempt.c.outcome)


def upcoming(department: str, until: datetime, limit: int) -> Select[Any]:
    """Scheduled callbacks of a department due at or before `until`, earliest first."""
    due = _CALLBACK.where(callback.c.department == department, _SCHEDULED, callback.c.due_at <= until)
    return due.order_by(callback.c.due_at, callback.c.id).limit(limit)


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
        at, id_ = _read_cursor(cursor)
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
        at, id_ = _read_cursor(cursor)
        wanted.append(tuple_(c.ended_at, c.id) < (at, id_))
    return _ATTEMPT.where(*wanted).order_by(c.ended_at.desc(), c.id.desc()).limit(limit + 1)


def cursor_after(at: datetime, id_: str) -> str:
    """The cursor that asks for what comes after this moment and id."""
    return f"{to_micros(at)}.{id_}"


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    micros, _, id_ = cursor.partition(".")
    try:
        return from_micros(int(micros)), id_
    except (ValueError, OverflowError):
        remedy = "ask for the first page"
        raise IllegalState("this cursor was never handed out", where="cursor", remedy=remedy) from None


def _among(column: Column[Any], values: Iterable[str]) -> Iterable[ColumnElement[bool]]:
    wanted = sorted(values)
    return (column.in_(wanted),) if wanted else ()


def _between(column: Column[Any], since: datetime | None, before: datetime | None) -> Iterable[ColumnElement[bool]]:
    if since is not None:
        yield column >= since
    if before is not None:
        yield column < before
