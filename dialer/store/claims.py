"""What the engine makes of callbacks that are due: an attempt's intent, another time, or an end. Made as `operations`
says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from dialer.domain.callback import Callback, Status
from dialer.domain.ids import CallbackId
from dialer.engine.ports import Claim
from dialer.store.objections import IS_LISTED, OBJECTION
from dialer.store.operations import Operation, in_slices
from dialer.store.rows import attempt_values
from dialer.store.tables import NEXT_VERSION, ONE_MORE, attempt, callback, word

_SCHEDULED = callback.c.status == word(Status.SCHEDULED)
_UNCHANGED = update(callback).where(
    callback.c.id == bindparam("b_id"), callback.c.version == bindparam("b_version"), _SCHEDULED
)

_TAKE = _UNCHANGED.where(
    ~exists().where(attempt.c.agent == bindparam("b_agent"), attempt.c.ended_at.is_(None)), ~IS_LISTED
).values(
    status=word(Status.IN_PROGRESS),
    version=NEXT_VERSION,
    attempts=callback.c.attempts + ONE_MORE,
    attempt_id=bindparam("b_attempt"),
    updated_at=bindparam("b_now", type_=callback.c.updated_at.type),
)


@dataclass(frozen=True, slots=True)
class Take(Operation[bool]):
    """Write a claim's intent: True when it won its callback and its agent. Of two claims in a group that want the same
    one, the second loses. A callback whose number is on the do-not-call list is rejected instead."""

    claim: Claim

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[bool]:
        # The statement sees agents held by earlier groups only. (On PostgreSQL, where a second writer may hold one that
        # is not committed yet, the attempts' index refuses, and each claim is then written for itself.)
        first_of: dict[str, Claim] = {}
        for take in group:
            first_of.setdefault(take.claim.attempt.agent, take.claim)
        claims = list(first_of.values())
        wanted = [claim.attempt.id for claim in claims]
        taken = connection.execute(
            _TAKE,
            [
                {
                    "b_id": claim.callback.id,
                    "b_version": claim.callback.version,
                    "b_agent": claim.attempt.agent,
                    "b_attempt": claim.attempt.id,
                    "b_now": now,
                }
                for claim in claims
            ],
        )
        # Almost always every claim wins, and the count alone shows it. A driver that cannot count says -1.
        won: set[str] = set(wanted)
        if taken.rowcount != len(wanted):
            won = _latest_attempts(connection, claims)
            _reject(connection, [claim.callback.id for claim in claims if claim.attempt.id not in won], now)
        rows = [attempt_values(claim.attempt, now) for claim in claims if claim.attempt.id in won]
        if rows:
            connection.execute(insert(attempt), rows)
        return [take.claim.attempt.id in won for take in group]


def _latest_attempts(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    ids = [claim.callback.id for claim in claims]
    latest = select(callback.c.attempt_id)
    return {id_ for some in in_slices(ids) for id_ in connection.scalars(latest.where(callback.c.id.in_(some)))}


def _reject(connection: Connection, lost: Sequence[CallbackId], now: datetime) -> None:
    values = {"status": Status.REJECTED.value, "reason": OBJECTION, "updated_at": now}
    listed = update(callback).where(_SCHEDULED, IS_LISTED).values(version=NEXT_VERSION, **values)
    for some in in_slices(lost):
        connection.execute(listed.where(callback.c.id.in_(some)))


_PUT_AWAY = _UNCHANGED.values(version=NEXT_VERSION)


@dataclass(frozen=True, slots=True)
class PutAway(Operation[bool]):
    """Make a scheduled callback due at another time, or end it: True when it was as `callback` says."""

    callback: Callback
    status: Status
    due_at: datetime
    reason: str

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[bool]:
        changed = connection.execute(_PUT_AWAY, [_put_away(put, now) for put in group])
        if changed.rowcount == len(group):
            return [True] * len(group)
        # Some were changed by somebody else meanwhile: not those that stand as they were to be.
        c = callback.c
        as_wanted = select(c.id, c.version, c.status, c.due_at, c.reason)
        ids = [put.callback.id for put in group]
        stands = {tuple(row) for some in in_slices(ids) for row in connection.execute(as_wanted.where(c.id.in_(some)))}
        return [
            (put.callback.id, put.callback.version + 1, put.status.value, put.due_at, put.reason) in stands
            for put in group
        ]


def _put_away(put: PutAway, now: datetime) -> dict[str, object]:
    return {
        "b_id": put.callback.id,
        "b_version": put.callback.version,
        "status": put.status.value,
        "due_at": put.due_at,
        "reason": put.reason,
        "updated_at": now,
    }
