"""What can be written. Each kind knows how to write a whole group of itself in few statements, inside a transaction
that the writer opens and commits.

A group's answer has one entry per operation, in order: its result, or an `IllegalState` that concerns it alone. What
is raised concerns the whole transaction. Every change begins with its UPDATE or INSERT, never with a question: the
row is locked before it is judged, on SQLite and PostgreSQL alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import Column, Connection, Update, bindparam, exists, insert, literal, select, update

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Verdict
from dialer.engine.ports import Claim
from dialer.scheduling.retry import NextStep
from dialer.store.columns import Instant
from dialer.store.rows import (
    CALLBACK_COLUMNS,
    attempt_values,
    callback_values,
    end_values,
    progress_values,
    to_callback,
)
from dialer.store.tables import attempt, callback, pause
from dialer.store.views import Pause

R = TypeVar("R")

_EVERYTHING = "everything"
_MAX_PARAMETERS = 500


class Operation(ABC, Generic[R]):
    """One change to the store, with a result of type R."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[R | IllegalState]:
        """Write a group of this kind at `now` (UTC)."""


@dataclass(frozen=True, slots=True)
class Add(Operation[None]):
    """Store new callbacks that came from `source`."""

    callbacks: tuple[Callback, ...]
    source: str

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        rows = [callback_values(new, add.source, now) for add in group for new in add.callbacks]
        if rows:
            connection.execute(insert(callback), rows)
        return [None] * len(group)


_TAKE = (
    update(callback)
    .where(
        callback.c.id == bindparam("b_id"),
        callback.c.version == bindparam("b_version"),
        callback.c.status == Status.SCHEDULED.value,
    )
    .values(
        status=Status.IN_PROGRESS.value,
        version=callback.c.version + 1,
        attempts=callback.c.attempts + 1,
        attempt_id=bindparam("b_attempt"),
        updated_at=bindparam("b_now", type_=Instant),
    )
)


@dataclass(frozen=True, slots=True)
class Take(Operation[bool]):
    """Write a claim's intent: True when it won its callback. Of two claims in a group the first wins."""

    claim: Claim

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[bool]:
        claims = [take.claim for take in group]
        taken = connection.execute(
            _TAKE,
            [
                {"b_id": c.callback.id, "b_version": c.callback.version, "b_attempt": c.attempt.id, "b_now": now}
                for c in claims
            ],
        )
        wanted = [claim.attempt.id for claim in claims]
        # Almost always every claim wins, and the count alone shows it. A driver that cannot count says -1.
        won = set(wanted) if taken.rowcount == len(wanted) else _present(connection, callback.c.attempt_id, wanted)
        rows = [attempt_values(claim.attempt, now) for claim in claims if claim.attempt.id in won]
        if rows:
            connection.execute(insert(attempt), rows)
        return [id_ in won for id_ in wanted]


_LIVING = update(attempt).where(attempt.c.id == bindparam("b_id"), attempt.c.ended_at.is_(None))
"""Writes to a living attempt only: a note that comes late must not undo an end, nor a second end the first."""

_MOVE_ON = (
    update(callback)
    .where(
        callback.c.id == bindparam("b_id"),
        callback.c.attempt_id == bindparam("b_attempt"),
        callback.c.status == Status.IN_PROGRESS.value,
    )
    .values(version=callback.c.version + 1)
)


@dataclass(frozen=True, slots=True)
class Note(Operation[None]):
    """Remember how far a living attempt has come."""

    attempt: Attempt

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        connection.execute(_LIVING, [{"b_id": note.attempt.id, **progress_values(note.attempt, now)} for note in group])
        return [None] * len(group)


@dataclass(frozen=True, slots=True)
class End(Operation[None]):
    """Write an attempt's end and its callback's next step. Writing it again changes nothing."""

    attempt: Attempt
    verdict: Verdict
    step: NextStep

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[IllegalState | None]:
        ids = [end.attempt.id for end in group]
        ended = connection.execute(
            _LIVING, [{"b_id": end.attempt.id, **end_values(end.attempt, end.verdict, now)} for end in group]
        )
        connection.execute(_MOVE_ON, [_next_values(end, now) for end in group])
        known = set(ids) if ended.rowcount == len(ids) else _present(connection, attempt.c.id, ids)
        return [None if id_ in known else IllegalState("this attempt was never claimed", where=id_) for id_ in ids]


def _next_values(end: End, now: datetime) -> dict[str, Any]:
    return {
        "b_id": end.attempt.callback_id,
        "b_attempt": end.attempt.id,
        "status": end.step.status.value,
        "due_at": end.step.due_at,
        "reason": end.step.reason,
        "customer_attempts": end.step.customer_attempts,
        "agent_rings": end.step.agent_rings,
        "updated_at": now,
    }


@dataclass(frozen=True, slots=True)
class Cancel(Operation[Callback]):
    """End a callback that is still scheduled, for a reason."""

    id: CallbackId
    reason: str

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[Callback | IllegalState]:
        over = {"status": Status.CANCELLED.value, "updated_at": now}
        return [_change_scheduled(connection, c.id, {**over, "reason": c.reason}, "be cancelled") for c in group]


@dataclass(frozen=True, slots=True)
class Reschedule(Operation[Callback]):
    """Make a callback that is still scheduled due at another time. The visitor's wish stays on record."""

    id: CallbackId
    due_at: datetime

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[Callback | IllegalState]:
        return [
            _change_scheduled(connection, r.id, {"due_at": r.due_at, "updated_at": now}, "be rescheduled")
            for r in group
        ]


IN_FORCE = (pause.c.scope == _EVERYTHING, pause.c.key == "", pause.c.resumed_at.is_(None))
"""The pause that holds all claims, if there is one."""


@dataclass(frozen=True, slots=True)
class Hold(Operation[Pause]):
    """Pause everything; the result is the pause in force, an earlier one if there is one."""

    who: str
    why: str = field(repr=False)

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[Pause]:
        first = group[0]
        values = {"scope": _EVERYTHING, "key": "", "who": first.who, "why": first.why, "since": now}
        new = select(*(literal(value, pause.c[name].type) for name, value in values.items()))
        connection.execute(insert(pause).from_select(list(values), new.where(~exists().where(*IN_FORCE))))
        who, why, since = connection.execute(select(pause.c.who, pause.c.why, pause.c.since).where(*IN_FORCE)).one()
        return [Pause(who, why, since)] * len(group)


@dataclass(frozen=True, slots=True)
class Release(Operation[bool]):
    """Lift the pause; False when there was none."""

    who: str

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[bool]:
        lifted = connection.execute(update(pause).where(*IN_FORCE).values(resumed_by=group[0].who, resumed_at=now))
        return [lifted.rowcount > 0] * len(group)


_CHANGE_SCHEDULED: Update = (
    update(callback)
    .where(callback.c.id == bindparam("b_id"), callback.c.status == Status.SCHEDULED.value)
    .values(version=callback.c.version + 1)
)


def _change_scheduled(
    connection: Connection, id_: CallbackId, values: dict[str, Any], what: str
) -> Callback | IllegalState:
    changed = connection.execute(_CHANGE_SCHEDULED, {"b_id": id_, **values}).rowcount
    row = connection.execute(select(*CALLBACK_COLUMNS).where(callback.c.id == id_)).one_or_none()
    if row is None:
        return IllegalState("there is no such callback", where=id_)
    found = to_callback(row)
    if not changed:
        return IllegalState(f"a callback that is {found.status} can no longer {what}", where=id_)
    return found


def _present(connection: Connection, column: Column[str], wanted: Sequence[str]) -> set[str]:
    """Which of these values the column holds."""
    found: set[str] = set()
    for start in range(0, len(wanted), _MAX_PARAMETERS):
        some = wanted[start : start + _MAX_PARAMETERS]
        found.update(connection.scalars(select(column).where(column.in_(some))))
    return found
