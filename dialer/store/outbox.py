"""The outbox in the store: what is read of it, and what is made of its rows. Made as `operations` says; the rows
themselves are made by the database's triggers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    case,
    delete,
    exists,
    insert,
    select,
    update,
)

from dialer.domain.callback import Status
from dialer.domain.outcome import Outcome
from dialer.notify.outbox import Change, DeliveryState, Subscriber
from dialer.store.operations import Alone, Operation
from dialer.store.outbox_tables import SETTLED, WAITS, outbox, subscriber
from dialer.store.store import SqlStore
from dialer.store.tables import ONE_MORE, word

NO_LONGER_CONFIGURED = "no longer configured"
"""Why what waited for a subscriber that is gone was given up."""

_SLICE = 500
"""Rows given up in one transaction."""

_SAME = (
    *("id", "subscriber", "version", "reason", "due_at", "wanted_at", "wanted_until", "expires_at", "attempts"),
    *("customer_attempts", "site", "department", "source", "external_id", "requested_at", "at", "tries", "since"),
)
"""A change's fields that are columns of the same name."""

_KEPT_OTHERWISE = ("callback_id", "attempt_id", "status", "previous", "outcome")

CHANGE_COLUMNS = tuple(outbox.c[name] for name in (*_KEPT_OTHERWISE, *_SAME))


def to_change(row: Sequence[Any]) -> Change:
    """A change from `CHANGE_COLUMNS`."""
    callback, attempt, status, previous, outcome, *same = row
    return Change(
        callback=callback,
        attempt=attempt,
        status=Status(status),
        previous=None if previous is None else Status(previous),
        outcome=None if outcome is None else Outcome(outcome),
        **dict(zip(_SAME, same, strict=True)),
    )


# --- questions -------------------------------------------------------------------------------------------------------

_older = outbox.alias("older")
IS_FIRST = ~exists().where(
    _older.c.state == word(DeliveryState.WAITING),
    _older.c.subscriber == outbox.c.subscriber,
    _older.c.callback_id == outbox.c.callback_id,
    _older.c.version < outbox.c.version,
).correlate(outbox)
"""A waiting change that has no older one of its callback before it."""


def ready(name: str, now: datetime, limit: int) -> Select[Any]:
    """What a subscriber can be told at `now`, the longest due first."""
    c = outbox.c
    due = select(*CHANGE_COLUMNS).where(c.subscriber == name, WAITS, c.try_at <= now, IS_FIRST)
    return due.order_by(c.try_at, c.id).limit(limit)


def next_at(name: str) -> Select[Any]:
    """When the first of all that waits for a subscriber can be told."""
    c = outbox.c
    return select(c.try_at).where(c.subscriber == name, WAITS, IS_FIRST).order_by(c.try_at, c.id).limit(1)


def old(name: str, since: datetime, limit: int) -> Select[Any]:
    """The ids of what has waited for a subscriber since before a moment."""
    c = outbox.c
    return select(c.id).where(c.subscriber == name, WAITS, c.since < since).limit(limit)


def ownerless(names: Collection[str], limit: int) -> Select[Any]:
    """The ids of what waits for anybody but these."""
    return select(outbox.c.id).where(WAITS, outbox.c.subscriber.not_in(sorted(names))).limit(limit)


# --- changes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subscribe(Alone[None]):
    """Let exactly these be told of what changes from now on. Who was told before is told on."""

    subscribers: frozenset[Subscriber]

    quiet: ClassVar[bool] = True

    def change(self, connection: Connection, now: datetime) -> None:
        c = subscriber.c
        for each in self.subscribers:
            wanted = {"site": each.site, "source": each.source}
            changed = connection.execute(update(subscriber).where(c.name == each.name).values(wanted))
            if not changed.rowcount:
                connection.execute(insert(subscriber).values(name=each.name, since=now, **wanted))
        names = sorted(each.name for each in self.subscribers)
        connection.execute(delete(subscriber).where(c.name.not_in(names)))


_THIS = update(outbox).where(outbox.c.id == bindparam("b_id"), WAITS)
_SETTLE = _THIS.values(
    state=bindparam("b_state"),
    why=bindparam("b_why"),
    settled_at=bindparam("b_now", type_=outbox.c.settled_at.type),
    tries=outbox.c.tries + bindparam("b_tries", type_=outbox.c.tries.type),
)


@dataclass(frozen=True, slots=True)
class Settle(Operation[None]):
    """Note that changes were told, or given up after so many more tries that failed. Noting it again changes
    nothing."""

    changes: tuple[int, ...]
    state: DeliveryState
    why: str = ""
    tries: int = 0

    quiet: ClassVar[bool] = True

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        rows = [
            {"b_id": id_, "b_state": each.state.value, "b_why": each.why, "b_now": now, "b_tries": each.tries}
            for each in group
            for id_ in each.changes
        ]
        if rows:
            connection.execute(_SETTLE, rows)
        return [None] * len(group)


_UNTIL = bindparam("b_until", type_=outbox.c.try_at.type)
_POSTPONE = _THIS.values(tries=outbox.c.tries + ONE_MORE, why=bindparam("b_why"), try_at=_UNTIL)
# They wait for it anyway: so nobody has to pass them by on the way to what can be told. Without a condition on the
# time: for that, SQLite would go through all that is due.
_POSTPONE_LINE = (
    update(outbox)
    .where(
        WAITS,
        outbox.c.subscriber == bindparam("b_subscriber"),
        outbox.c.callback_id == bindparam("b_callback"),
    )
    .values(try_at=case((outbox.c.try_at < _UNTIL, _UNTIL), else_=outbox.c.try_at))
)


@dataclass(frozen=True, slots=True)
class Postpone(Operation[None]):
    """Try a change, and so the rest of its callback's line, again at `until` (UTC)."""

    change: Change
    until: datetime
    why: str

    quiet: ClassVar[bool] = True

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        del now
        these = [{"b_id": each.change.id, "b_why": each.why, "b_until": each.until} for each in group]
        lines = [
            {"b_subscriber": each.change.subscriber, "b_callback": each.change.callback, "b_until": each.until}
            for each in group
        ]
        connection.execute(_POSTPONE, these)
        connection.execute(_POSTPONE_LINE, lines)
        return [None] * len(group)


@dataclass(frozen=True, slots=True)
class Prune(Alone[int]):
    """Delete at most `limit` of what was settled before a moment; how many those were."""

    before: datetime
    limit: int

    quiet: ClassVar[bool] = True

    def change(self, connection: Connection, now: datetime) -> int:
        del now
        its = select(outbox.c.id).where(SETTLED, outbox.c.settled_at < self.before).limit(self.limit)
        return connection.execute(delete(outbox).where(outbox.c.id.in_(its))).rowcount


class SqlOutbox:
    """The outbox of a store; `notify`'s `Outbox` and more."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def subscribe(self, subscribers: Collection[Subscriber]) -> None:
        """Let exactly these be told of what changes from now on. Who was told before is told on; what waits for those
        that are gone is given up."""
        await self._store.write(Subscribe(frozenset(subscribers)))
        names = {each.name for each in subscribers}
        await self._give_up_all(ownerless(names, _SLICE), NO_LONGER_CONFIGURED)

    async def ready(self, subscriber: str, now: datetime, limit: int) -> list[Change]:
        """What can be told at `now`, the longest due first: of each callback only its oldest change that waits."""
        return [to_change(row) for row in await self._store.read(ready(subscriber, now, limit))]

    async def next_at(self, subscriber: str) -> datetime | None:
        """When the first of all that waits can be told; None when nothing waits."""
        rows = await self._store.read(next_at(subscriber))
        return rows[0][0] if rows else None

    async def delivered(self, changes: Sequence[Change]) -> None:
        """They were told."""
        await self._store.write(Settle(tuple(change.id for change in changes), DeliveryState.DELIVERED))

    async def postpone(self, change: Change, until: datetime, why: str) -> None:
        """It could not be told, and is tried again; later changes of its callback wait with it."""
        await self._store.write(Postpone(change, until, why))

    async def give_up(self, change: Change, why: str) -> None:
        """It is not tried again by itself; later changes of its callback go on."""
        await self._store.write(Settle((change.id,), DeliveryState.DEAD, why, tries=1))

    async def give_up_before(self, subscriber: str, since: datetime, why: str) -> int:
        """As `give_up`, for all that has waited since before then; how many those were."""
        return await self._give_up_all(old(subscriber, since, _SLICE), why)

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` of what was settled before then; how many those were."""
        return await self._store.write(Prune(before, limit))

    async def _give_up_all(self, which: Select[Any], why: str) -> int:
        """Give up what a statement finds, a slice at a time: they are looked for beside the writer, which calls need,
        and are not changed but by what is settled here."""
        count = 0
        while ids := tuple(row[0] for row in await self._store.read(which)):
            await self._store.write(Settle(ids, DeliveryState.DEAD, why))
            count += len(ids)
        return count
