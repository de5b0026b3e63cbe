"""What people write: their decisions on callbacks, and the pause. Made as `operations` says."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, exists, insert, literal, select, update

from dialer.domain.callback import Callback, Status
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.store.operations import Operation
from dialer.store.rows import CALLBACK_COLUMNS, to_callback
from dialer.store.tables import callback, pause, resolution
from dialer.store.views import Decision, Pause, Resolution

_EVERYTHING = "everything"


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


_STATUS = {
    Decision.COMPLETED: Status.COMPLETED,
    Decision.RETRY: Status.SCHEDULED,
    Decision.FAILED: Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class Resolve(Operation[Callback]):
    """Decide on a callback that waits for a person, as that person saw it. A retry is due at once."""

    callback: Callback
    decision: Decision
    who: str
    why: str = field(repr=False)
    forced: bool

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[Callback | IllegalState]:
        return [_resolved(connection, resolve, now) for resolve in group]


def _resolved(connection: Connection, by: Resolve, now: datetime) -> Callback | IllegalState:
    made = Resolution(by.decision, by.who, by.why, by.forced, now)
    values = {"status": _STATUS[by.decision].value, "reason": made.words, "updated_at": now}
    if by.decision is Decision.RETRY:
        values["due_at"] = now
    as_seen = (callback.c.status == Status.NEEDS_REVIEW.value, callback.c.version == by.callback.version)
    found, changed = _change(connection, by.callback.id, as_seen, values)
    if found is None or not changed:
        return _refusal(by.callback.id, found, Status.NEEDS_REVIEW, "be resolved")
    connection.execute(insert(resolution).values(callback_id=found.id, **asdict(made)))
    return found


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


def _change_scheduled(
    connection: Connection, id_: CallbackId, values: dict[str, Any], what: str
) -> Callback | IllegalState:
    found, changed = _change(connection, id_, (callback.c.status == Status.SCHEDULED.value,), values)
    if found is None or not changed:
        return _refusal(id_, found, Status.SCHEDULED, what)
    return found


def _change(
    connection: Connection, id_: CallbackId, expected: Sequence[ColumnElement[bool]], values: dict[str, Any]
) -> tuple[Callback | None, bool]:
    """Write the values where the callback is as expected: the callback after that, and whether it was."""
    change = update(callback).where(callback.c.id == id_, *expected)
    changed = connection.execute(change.values(version=callback.c.version + 1, **values)).rowcount > 0
    row = connection.execute(select(*CALLBACK_COLUMNS).where(callback.c.id == id_)).one_or_none()
    return (None if row is None else to_callback(row)), changed


def _refusal(id_: CallbackId, found: Callback | None, needed: Status, what: str) -> IllegalState:
    if found is None:
        return IllegalState("there is no such callback", where=id_)
    if found.status is needed:
        return IllegalState("it changed meanwhile", where=id_, remedy="look at it again")
    return IllegalState(f"a callback that is {found.status} can no longer {what}", where=id_)
