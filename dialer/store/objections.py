"""The numbers that are never called. Made as `operations` says."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, exists, insert, literal, select, update

from dialer.domain.callback import Status, Wish, WishKind
from dialer.domain.ids import CallbackId
from dialer.store.operations import Alone
from dialer.store.tables import NEXT_VERSION, OPEN, callback, do_not_call
from dialer.store.views import Objected
from dialer.store.wishes import NO_WISH, wished

OBJECTION = "objection"
"""The reason of a callback that was rejected because its number is never called."""

IN_FORCE = do_not_call.c.allowed_at.is_(None)
IS_LISTED = exists().where(do_not_call.c.number == callback.c.phone, IN_FORCE).correlate(callback)
"""A callback's number is on the list."""


@dataclass(frozen=True, slots=True)
class Object(Alone[Objected]):
    """Put a number on the list, unless `who` did so before; reject what waits for it, and wish the same of what is in
    progress. What others objected is not enough: they may take that back.

    The list comes first: what is claimed or admitted from here on finds it there.
    """

    number: str = field(repr=False)
    who: str
    why: str = field(repr=False)

    def change(self, connection: Connection, now: datetime) -> Objected:
        c = do_not_call.c
        values = {"number": self.number, "who": self.who, "why": self.why, "since": now}
        new = select(*(literal(value, c[name].type) for name, value in values.items()))
        listed = exists().where(c.number == self.number, c.who == self.who, IN_FORCE)
        connection.execute(insert(do_not_call).from_select(list(values), new.where(~listed)))
        rejected = {"status": Status.REJECTED.value, "reason": OBJECTION, **NO_WISH}
        change = (
            update(callback)
            .where(callback.c.phone == self.number, OPEN)
            .values(version=NEXT_VERSION, updated_at=now, **wished(Wish(WishKind.OBJECTION, OBJECTION), rejected))
            .returning(callback.c.id, callback.c.status)
        )
        found = connection.execute(change).all()
        return Objected(
            tuple(CallbackId(row.id) for row in found if row.status == Status.REJECTED),
            tuple(CallbackId(row.id) for row in found if row.status == Status.IN_PROGRESS),
        )


@dataclass(frozen=True, slots=True)
class Allow(Alone[bool]):
    """Take a number off the list, whoever put it there; False when it was not there."""

    number: str = field(repr=False)
    who: str

    def change(self, connection: Connection, now: datetime) -> bool:
        listed = update(do_not_call).where(do_not_call.c.number == self.number, IN_FORCE)
        return connection.execute(listed.values(allowed_by=self.who, allowed_at=now)).rowcount > 0
