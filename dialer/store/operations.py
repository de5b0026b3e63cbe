"""What the engine writes. Each kind knows how to write a whole group of itself in few statements, inside a transaction
that the writer opens and commits.

A group's answer has one entry per operation, in order: its result, or an `IllegalState` that concerns it alone. What
is raised concerns the whole transaction. Every change begins with its UPDATE or INSERT, never with a question: the
row is locked before it is judged, on SQLite and PostgreSQL alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import Column, Connection, bindparam, exists, insert, select, update

from dialer.domain.attempt import Attempt
from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.outcome import Outcome, Verdict
from dialer.engine.ports import Claim
from dialer.scheduling.retry import NextStep
from dialer.store.columns import Instant
from dialer.store.rows import attempt_values, callback_values, end_values, progress_values
from dialer.store.tables import attempt, callback

R = TypeVar("R")

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


_AMEND = update(attempt).where(attempt.c.id == bindparam("b_id"), attempt.c.outcome == Outcome.IN_DOUBT.value)

_MOVE_ON_FROM_DOUBT = (
    update(callback)
    .where(
        callback.c.id == bindparam("b_id"),
        callback.c.attempt_id == bindparam("b_attempt"),
        callback.c.status == Status.NEEDS_REVIEW.value,
        exists().where(attempt.c.id == bindparam("b_attempt"), attempt.c.outcome == Outcome.IN_DOUBT.value),
    )
    .values(version=callback.c.version + 1)
)


@dataclass(frozen=True, slots=True)
class Amend(Operation[None]):
    """Write the end that was found of an attempt in doubt, and its callback's next step where that still waits for a
    person because of this attempt. Writing it again changes nothing."""

    attempt: Attempt
    verdict: Verdict
    step: NextStep

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        # The callback first: once the attempt is amended, nothing shows any more that it was in doubt.
        connection.execute(_MOVE_ON_FROM_DOUBT, [_next_values(amend, now) for amend in group])
        connection.execute(
            _AMEND, [{"b_id": amend.attempt.id, **end_values(amend.attempt, amend.verdict, now)} for amend in group]
        )
        return [None] * len(group)


def _next_values(end: End | Amend, now: datetime) -> dict[str, Any]:
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


def _present(connection: Connection, column: Column[str], wanted: Sequence[str]) -> set[str]:
    """Which of these values the column holds."""
    found: set[str] = set()
    for start in range(0, len(wanted), _MAX_PARAMETERS):
        some = wanted[start : start + _MAX_PARAMETERS]
        found.update(connection.scalars(select(column).where(column.in_(some))))
    return found
