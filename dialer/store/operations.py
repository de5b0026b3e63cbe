"""What the engine writes. Each kind knows how to write a whole group of itself in few statements, inside a transaction
that the writer opens and commits.

A group's answer has one entry per operation, in order: its result, or an `IllegalState` that concerns it alone. What
is raised concerns the whole transaction. Every change begins with its UPDATE or INSERT, never with a question: the
row is locked before it is judged, on SQLite and PostgreSQL alike. (`admission` alone must ask first, and says how.)
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar

from sqlalchemy import ColumnElement, Connection, Update, bindparam, insert, select, update

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import AttemptId
from dialer.domain.outcome import Outcome, Verdict
from dialer.scheduling.retry import NextStep
from dialer.store.rows import callback_values, end_values, progress_values
from dialer.store.tables import NEXT_VERSION, attempt, callback, word
from dialer.store.wishes import NO_WISH, honoured

R = TypeVar("R")
T = TypeVar("T")

_MAX_PARAMETERS = 500


class Operation(ABC, Generic[R]):
    """One change to the store, with a result of type R. `quiet`: of no callback, so that nobody has to hear of it."""

    __slots__ = ()
    quiet: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[R | IllegalState]:
        """Write a group of this kind at `now` (UTC)."""


class Alone(Operation[R]):
    """A change that comes so seldom that it has statements of its own."""

    __slots__ = ()

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[R | IllegalState]:
        return [each.change(connection, now) for each in group]

    @abstractmethod
    def change(self, connection: Connection, now: datetime) -> R | IllegalState:
        """Write it at `now` (UTC)."""


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


_LIVING = update(attempt).where(attempt.c.id == bindparam("b_id"), attempt.c.ended_at.is_(None))
"""Writes to a living attempt only: a note that comes late must not undo an end, nor a second end the first."""


@dataclass(frozen=True, slots=True)
class Note(Operation[None]):
    """Remember how far a living attempt has come."""

    attempt: Attempt

    quiet: ClassVar[bool] = True

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        connection.execute(_LIVING, [{"b_id": note.attempt.id, **progress_values(note.attempt, now)} for note in group])
        return [None] * len(group)


_STEP = {
    name: bindparam(f"b_{name}", type_=callback.c[name].type)
    for name in (
        *("status", "due_at", "reason", "customer_attempts", "agent_rings", "expires_at", "day", "day_attempts"),
        *("prefer_agent", "failed_trunks", "updated_at"),
    )
}
"""The columns of a callback that an attempt's end decides."""


def _moves_on(*waiting: ColumnElement[bool]) -> Mapping[Status | None, Update]:
    """What moves a callback on that still waits for its attempt, by the status that is planned (None: any other final
    one).

    One statement for each, so that hardly any attempt pays for wishes, which hardly any callback has.
    """
    c = callback.c
    plain = (
        update(callback)
        .where(c.id == bindparam("b_callback"), c.attempt_id == bindparam("b_attempt"), *waiting)
        .values(version=NEXT_VERSION, **_STEP)
    )
    as_wished = plain.values(**honoured(_STEP), **NO_WISH)
    return {
        Status.SCHEDULED: as_wished,
        # The time that ran out is the one from before the wish. What is over for any other reason stays so.
        Status.EXPIRED: as_wished,
        Status.NEEDS_REVIEW: plain,
        None: plain.values(**NO_WISH),
    }


_FROM_PROGRESS = _moves_on(callback.c.status == word(Status.IN_PROGRESS))


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
        _move_on(connection, _FROM_PROGRESS, group, now)
        known = set(ids) if ended.rowcount == len(ids) else _known(connection, ids)
        return [None if id_ in known else IllegalState("this attempt was never claimed", where=id_) for id_ in ids]


_AMEND = (
    update(attempt)
    .where(attempt.c.id == bindparam("b_id"), attempt.c.outcome == word(Outcome.IN_DOUBT))
    .returning(attempt.c.id)
)

_FROM_DOUBT = _moves_on(callback.c.status == word(Status.NEEDS_REVIEW))


@dataclass(frozen=True, slots=True)
class Amend(Operation[None]):
    """Write the end that was found of an attempt in doubt, and its callback's next step where that still waits for a
    person because of this attempt. Writing it again changes nothing."""

    attempt: Attempt
    verdict: Verdict
    step: NextStep

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        # The attempt first, as in every end: the outbox tells its outcome with its callback's change. One at a time,
        # because no driver returns rows of many; they are few.
        amended = [amend for amend in group if _amended(connection, amend, now)]
        _move_on(connection, _FROM_DOUBT, amended, now)
        return [None] * len(group)


def _amended(connection: Connection, amend: Amend, now: datetime) -> bool:
    """Write what was found of an attempt: False when that was not, or no longer, in doubt."""
    values = {"b_id": amend.attempt.id, **end_values(amend.attempt, amend.verdict, now)}
    return connection.execute(_AMEND, values).one_or_none() is not None


def _move_on(
    connection: Connection, statements: Mapping[Status | None, Update], group: Sequence[End | Amend], now: datetime
) -> None:
    first: dict[str, End | Amend] = {}
    for end in group:
        first.setdefault(end.attempt.id, end)
    for planned, statement in statements.items():
        rows = [
            _step_values(end, now)
            for end in first.values()
            if (end.step.status if end.step.status in statements else None) is planned
        ]
        if rows:
            connection.execute(statement, rows)


def _step_values(end: End | Amend, now: datetime) -> dict[str, Any]:
    step = end.step
    return {
        "b_callback": end.attempt.callback_id,
        "b_attempt": end.attempt.id,
        "b_status": step.status.value,
        "b_due_at": step.due_at,
        "b_reason": step.reason,
        "b_customer_attempts": step.customer_attempts,
        "b_agent_rings": step.agent_rings,
        "b_expires_at": step.expires_at,
        "b_day": step.day,
        "b_day_attempts": step.day_attempts,
        "b_prefer_agent": step.prefer_agent,
        "b_failed_trunks": step.failed_trunks,
        "b_updated_at": now,
    }


def _known(connection: Connection, ids: Sequence[AttemptId]) -> set[str]:
    c = attempt.c
    return {id_ for some in in_slices(ids) for id_ in connection.scalars(select(c.id).where(c.id.in_(some)))}


def in_slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as a statement may hold."""
    for start in range(0, len(values), _MAX_PARAMETERS):
        yield values[start : start + _MAX_PARAMETERS]
