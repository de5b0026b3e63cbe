"""The outbox as people see it: what waits, what was given up, and sending that again. Made as `operations` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Update, exists, select, update

from dialer.domain.errors import IllegalState
from dialer.notify.outbox import Change, DeliveryState
from dialer.store.operations import Alone
from dialer.store.outbox import CHANGE_COLUMNS, to_change
from dialer.store.outbox_tables import UNDELIVERED, WAITS, outbox, subscriber
from dialer.store.store import SqlStore
from dialer.store.tables import word
from dialer.store.views import Page

_SLICE = 500
"""Rows sent again in one transaction."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A change on its way to a subscriber. `try_at` is when it is tried next, where it waits; `why` the last failure;
    `settled_at` when it was delivered or given up."""

    change: Change
    state: DeliveryState
    try_at: datetime
    why: str
    settled_at: datetime | None


_OWN = ("state", "try_at", "why", "settled_at")
_DELIVERY = select(*CHANGE_COLUMNS, *(outbox.c[name] for name in _OWN))


def _to_delivery(row: Sequence[Any]) -> Delivery:
    own = len(CHANGE_COLUMNS)
    state, *rest = row[own:]
    return Delivery(to_change(row[:own]), DeliveryState(state), *rest)


def undelivered(name: str | None, state: DeliveryState | None, after: int, limit: int) -> Select[Any]:
    """A page of what waits or was given up, first to last, one row longer than `limit` when there is more."""
    c = outbox.c
    # By arithmetic, so that SQLite goes by the index of what is undelivered, which needs no sorting.
    narrowed = [*([c.subscriber.concat("") == name] if name else ()), *([c.state == state.value] if state else ())]
    return _DELIVERY.where(UNDELIVERED, c.id > after, *narrowed).order_by(c.id).limit(limit + 1)


_AGAIN = (
    update(outbox)
    .where(exists().where(subscriber.c.name == outbox.c.subscriber).correlate(outbox))
    .values(state=DeliveryState.WAITING.value, settled_at=None)
)
_DEAD = outbox.c.state == word(DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class Retry(Alone[Delivery]):
    """Try one delivery now: what was given up has its whole time again."""

    id: int

    def change(self, connection: Connection, now: datetime) -> Delivery | IllegalState:
        this = outbox.c.id == self.id
        dead = connection.execute(_AGAIN.where(this, UNDELIVERED, _DEAD).values(since=now, try_at=now, tries=0))
        if not dead.rowcount:
            connection.execute(_line_of(self.id).values(try_at=now))
        row = connection.execute(_DELIVERY.where(this)).one_or_none()
        if row is None:
            return IllegalState("there is no such delivery", where=str(self.id))
        found = _to_delivery(row)
        if found.state is DeliveryState.WAITING:
            return found
        what = "it was delivered" if found.state is DeliveryState.DELIVERED else _gone(found.change.subscriber)
        return IllegalState(what, where=str(self.id))


@dataclass(frozen=True, slots=True)
class RetryThese(Alone[int]):
    """As `Retry`, for those of these that were given up; how many those were."""

    ids: tuple[int, ...]

    def change(self, connection: Connection, now: datetime) -> int:
        which = _AGAIN.where(outbox.c.id.in_(self.ids), UNDELIVERED, _DEAD)
        return connection.execute(which.values(since=now, try_at=now, tries=0)).rowcount


def _line_of(id_: int) -> Update:
    """What waits with a change that waits: its callback's line."""
    c = outbox.c
    of, callback = (
        select(column).where(c.id == id_, WAITS).scalar_subquery() for column in (c.subscriber, c.callback_id)
    )
    return update(outbox).where(WAITS, c.subscriber == of, c.callback_id == callback)


def _gone(name: str) -> str:
    return f"{name} is not told of anything any more"


class Deliveries:
    """The deliveries of a store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def page(
        self, limit: int, cursor: str | None, name: str | None = None, state: DeliveryState | None = None
    ) -> Page[Delivery]:
        """What waits or was given up, of one subscriber or all, first to last; `limit` is at least 1."""
        rows = await self._store.read(undelivered(name, state, int(cursor or 0), limit))
        found = tuple(_to_delivery(row) for row in rows[:limit])
        return Page(found, str(found[-1].change.id) if len(rows) > limit else None)

    async def get(self, id_: int) -> Delivery:
        """One delivery, also one that was made. Raises `IllegalState` where there is none."""
        rows = await self._store.read(_DELIVERY.where(outbox.c.id == id_))
        if not rows:
            raise IllegalState("there is no such delivery", where=str(id_))
        return _to_delivery(rows[0])

    async def retry(self, id_: int) -> Delivery:
        """Try one delivery now. Raises `IllegalState` where it was made, and where nobody is to be told any more."""
        return await self._store.write(Retry(id_))

    async def retry_all(self, name: str) -> int:
        """As `retry`, for all that was given up for a subscriber; how many those were. Raises `IllegalState`."""
        if not await self._store.read(select(subscriber.c.name).where(subscriber.c.name == name)):
            raise IllegalState(_gone(name), where="subscriber", remedy="see: dialer outbox list")
        # Each once: what is told again may be given up at once.
        count, cursor = 0, None
        while True:
            page = await self.page(_SLICE, cursor, name, DeliveryState.DEAD)
            count += await self._store.write(RetryThese(tuple(each.change.id for each in page.items)))
            if (cursor := page.cursor) is None:
                return count
