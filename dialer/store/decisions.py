"""What people decide about callbacks, whether or not they know it. Made as `operations` says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, and_, case, insert, literal, null, or_, select, update

from dialer.domain.callback import Callback, Status, Wish, WishKind
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.store.objections import IS_LISTED
from dialer.store.operations import Alone, Operation
from dialer.store.rows import CALLBACK_COLUMNS, to_callback
from dialer.store.tables import NEXT_VERSION, callback, resolution, word
from dialer.store.views import Decision, Resolution
from dialer.store.wishes import IS_MOVE, MOVED, NO_END_WISHED, NO_WISH, wished

CALLED_IN = "customer_called_in"
"""The reason of a callback that was cancelled because its customer got through to us."""

_SCHEDULED = callback.c.status == word(Status.SCHEDULED)
_IN_PROGRESS = callback.c.status == word(Status.IN_PROGRESS)
_ENDING = frozenset({WishKind.CANCEL, WishKind.OBJECTION})
_NEEDS_REVIEW = callback.c.status == word(Status.NEEDS_REVIEW)


@dataclass(frozen=True, slots=True)
class Cancel(Alone[Callback]):
    """End a callback that is scheduled, for a reason; of one in progress, wish it."""

    id: CallbackId
    reason: str

    def change(self, connection: Connection, now: datetime) -> Callback | IllegalState:
        over = {"status": Status.CANCELLED.value, "reason": self.reason}
        values = wished(Wish(WishKind.CANCEL, self.reason), over)
        found, changed = _change(connection, self.id, or_(_SCHEDULED, _IN_PROGRESS), values, now)
        return found if found and changed else _refusal(self.id, found, "be cancelled")


@dataclass(frozen=True, slots=True)
class Reschedule(Alone[Callback]):
    """Make a callback that is scheduled due at another time, with that time's promise; of one in progress, wish it.

    `wanted_at` and `wanted_until` are what the visitor wants now.
    """

    id: CallbackId
    due_at: datetime
    expires_at: datetime | None
    wanted_at: datetime | None
    wanted_until: datetime | None

    def change(self, connection: Connection, now: datetime) -> Callback | IllegalState:
        moved = {
            "due_at": self.due_at,
            "expires_at": self.expires_at,
            "reason": MOVED,
            # By then the trunk may work again, and the agent be gone.
            "prefer_agent": "",
            "failed_trunks": (),
        }
        values = {
            **wished(Wish(WishKind.MOVE, MOVED, self.due_at, self.expires_at), moved),
            "wanted_at": self.wanted_at,
            "wanted_until": self.wanted_until,
        }
        movable = or_(_SCHEDULED, and_(_IN_PROGRESS, NO_END_WISHED))
        found, changed = _change(connection, self.id, movable, values, now)
        return found if found and changed else _refusal(self.id, found, "be rescheduled")


@dataclass(frozen=True, slots=True)
class CalledIn(Alone[list[Callback]]):
    """Cancel what these departments owe a number that got through to us; of what is in progress, wish it unless it is
    to end already."""

    number: str = field(repr=False)
    departments: tuple[str, ...]

    def change(self, connection: Connection, now: datetime) -> list[Callback]:
        over = {"status": Status.CANCELLED.value, "reason": CALLED_IN}
        change = (
            update(callback)
            .where(
                callback.c.phone == self.number,
                callback.c.department.in_(self.departments),
                or_(_SCHEDULED, and_(_IN_PROGRESS, NO_END_WISHED)),
            )
            .values(version=NEXT_VERSION, updated_at=now, **wished(Wish(WishKind.CALLED_IN, CALLED_IN), over))
            .returning(*CALLBACK_COLUMNS)
        )
        return [to_callback(row) for row in connection.execute(change).all()]


@dataclass(frozen=True, slots=True)
class TooLate(Operation[None]):
    """Note that a wish came too late for the attempt under way."""

    id: CallbackId

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        ids = [late.id for late in group]
        wish = update(callback).where(callback.c.id.in_(ids), _IN_PROGRESS, callback.c.wish_kind.is_not(None))
        connection.execute(wish.values(wish_late=True, version=NEXT_VERSION, updated_at=now))
        return [None] * len(group)


_STATUS = {
    Decision.COMPLETED: Status.COMPLETED,
    Decision.RETRY: Status.SCHEDULED,
    Decision.FAILED: Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class Resolve(Alone[Callback]):
    """Decide on a callback that waits for a person, as that person saw it. A retry is due at once, or when somebody
    wished; it is refused where somebody wished that the callback ends, and for a number that is never called."""

    callback: Callback
    decision: Decision
    who: str
    why: str = field(repr=False)
    forced: bool

    def change(self, connection: Connection, now: datetime) -> Callback | IllegalState:
        made = Resolution(self.decision, self.who, self.why, self.forced, now)
        values = {"status": _STATUS[self.decision].value, "reason": made.words, **NO_WISH}
        allowed = and_(_NEEDS_REVIEW, callback.c.version == self.callback.version)
        if self.decision is Decision.RETRY:
            values |= _at_once(now)
            allowed = and_(allowed, NO_END_WISHED, ~IS_LISTED)
        found, changed = _change(connection, self.callback.id, allowed, values, now)
        if found is None or not changed:
            return self._refusal(found)
        connection.execute(insert(resolution).values(callback_id=found.id, **asdict(made)))
        return found

    def _refusal(self, found: Callback | None) -> IllegalState:
        if found is None or found.status is not Status.NEEDS_REVIEW:
            return _refusal(self.callback.id, found, "be resolved")
        if found.version != self.callback.version:
            return IllegalState("it changed meanwhile", where=found.id, remedy="look at it again")
        if found.wish and found.wish.kind is WishKind.CANCEL:
            what = "it is not tried again: somebody asked to cancel it"
            return IllegalState(what, where=found.id, remedy="resolve it as failed")
        what = "its number is not called any more: whoever has it objected"
        return IllegalState(what, where=found.id, remedy="resolve it as failed")


def _at_once(now: datetime) -> dict[str, ColumnElement[Any]]:
    """A retry's time and promise. What ran out while the callback waited for a person is not held against it."""
    c, at = callback.c, literal(now, callback.c.due_at.type)
    expires_at = case((IS_MOVE, c.wish_expires_at), else_=c.expires_at)
    return {
        "due_at": case((and_(IS_MOVE, c.wish_due_at > at), c.wish_due_at), else_=at),
        "expires_at": case((expires_at <= at, null()), else_=expires_at),
        "wanted_until": case((c.wanted_until <= at, null()), else_=c.wanted_until),
    }


def _change(
    connection: Connection, id_: CallbackId, allowed: ColumnElement[bool], values: Mapping[str, Any], now: datetime
) -> tuple[Callback | None, bool]:
    """Write the values where that is allowed: the callback after that, and whether it was."""
    change = update(callback).where(callback.c.id == id_, allowed)
    changed = connection.execute(change.values(version=NEXT_VERSION, updated_at=now, **values)).rowcount > 0
    row = connection.execute(select(*CALLBACK_COLUMNS).where(callback.c.id == id_)).one_or_none()
    return (None if row is None else to_callback(row)), changed


def _refusal(id_: CallbackId, found: Callback | None, what: str) -> IllegalState:
    if found is None:
        return IllegalState("there is no such callback", where=id_)
    ending = found.status is Status.IN_PROGRESS and found.wish and found.wish.kind in _ENDING
    state = "being cancelled" if ending else found.status
    return IllegalState(f"a callback that is {state} can no longer {what}", where=id_)
