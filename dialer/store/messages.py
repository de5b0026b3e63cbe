"""The messages to visitors in the store: planned, claimed before they leave, settled. Made as `operations` says."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, select, update

from dialer.domain.callback import Callback
from dialer.domain.errors import IllegalState
from dialer.domain.ids import CallbackId
from dialer.notify.messages import Channel, Draft, Message, MessageKind, MessageState, Plan
from dialer.store.message_tables import WAITING, message
from dialer.store.objections import IS_LISTED
from dialer.store.operations import Alone
from dialer.store.store import SqlStore
from dialer.store.tables import ONE_MORE, callback
from dialer.store.views import Page

_c = message.c
_UNSETTLED = _c.state.in_([MessageState.WAITING.value, MessageState.SENDING.value])
_COLUMNS = {field.name: _c["callback_id" if field.name == "callback" else field.name] for field in fields(Draft)}
"""A draft's fields and their columns."""

_MESSAGE = select(_c.id, _c.state, _c.detail, _c.tries, _c.created_at, _c.updated_at, *_COLUMNS.values())
_OWN = 6


@dataclass(frozen=True, slots=True)
class Make(Alone[None]):
    """Write a plan: drop what still waits and has lost its sense, add what is not there."""

    plan: Plan

    def change(self, connection: Connection, now: datetime) -> None:
        dropped = update(message).where(_c.id.in_(self.plan.drop), WAITING)
        connection.execute(dropped.values(state=MessageState.DROPPED.value, detail=self.plan.why, updated_at=now))
        for draft in self.plan.new:
            connection.execute(_insert(draft, now))


def _insert(draft: Draft, now: datetime) -> Any:
    values: dict[str, object] = {column.name: getattr(draft, name) for name, column in _COLUMNS.items()}
    values |= {"kind": draft.kind.value, "channel": draft.channel.value}
    values |= {"state": MessageState.WAITING.value, "detail": "", "tries": 0, "created_at": now, "updated_at": now}
    the_same = exists().where(*(_c[name] == values[name] for name in ("callback_id", "channel", "kind", "about")))
    new = select(*(literal(value, _c[name].type) for name, value in values.items())).where(~the_same)
    return insert(message).from_select(list(values), new)


@dataclass(frozen=True, slots=True)
class Claim(Alone[bool]):
    """Note that a message leaves us now, if it still waits, says what is so, and may be said."""

    id: int
    callback: CallbackId
    version: int

    def change(self, connection: Connection, now: datetime) -> bool:
        as_read = exists().where(callback.c.id == self.callback, callback.c.version == self.version, ~IS_LISTED)
        claimed = update(message).where(_c.id == self.id, WAITING, as_read)
        return connection.execute(claimed.values(state=MessageState.SENDING.value, updated_at=now)).rowcount > 0


@dataclass(frozen=True, slots=True)
class Settle(Alone[None]):
    """Note where messages stand now that had no end yet; `send_at` is for one that waits again."""

    which: ColumnElement[bool]
    state: MessageState
    detail: str
    send_at: datetime | None = None
    failed: bool = False

    def change(self, connection: Connection, now: datetime) -> None:
        values: dict[str, Any] = {"state": self.state.value, "detail": self.detail, "updated_at": now}
        if self.send_at is not None:
            values["send_at"] = self.send_at
        if self.failed:
            values["tries"] = _c.tries + ONE_MORE
        connection.execute(update(message).where(self.which, _UNSETTLED).values(**values))


class MessageStore:
    """The store's part of `dialer.notify.messages`, whose `Messages` says what each method does."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def of(self, callback: CallbackId) -> list[Message]:
        return [_to_message(row) for row in await self._store.read(of_callback(callback))]

    async def plan(self, plan: Plan) -> None:
        await self._store.write(Make(plan))

    async def due(self, channel: Channel, now: datetime, limit: int) -> list[Message]:
        return [_to_message(row) for row in await self._store.read(due(channel, now, limit))]

    async def next_at(self, channel: Channel) -> datetime | None:
        ((at,),) = await self._store.read(next_at(channel))
        found: datetime | None = at
        return found

    async def claim(self, message: Message, callback: Callback) -> bool:
        return await self._store.write(Claim(message.id, callback.id, callback.version))

    async def settle(self, message: Message, state: MessageState, detail: str) -> None:
        await self._store.write(Settle(_c.id == message.id, state, detail))

    async def postpone(self, message: Message, until: datetime, detail: str, *, failed: bool) -> None:
        await self._store.write(Settle(_c.id == message.id, MessageState.WAITING, detail, until, failed))

    async def forget_sending(self) -> None:
        """Whatever was being sent when an earlier daemon ended may have left, and is not sent again."""
        left = _c.state == MessageState.SENDING.value
        await self._store.write(Settle(left, MessageState.UNKNOWN, "the daemon ended while it was sent"))

    async def page(
        self, states: Sequence[MessageState], callback: CallbackId | None, limit: int, cursor: str | None
    ) -> Page[Message]:
        """Messages, the newest first; of no states: all."""
        rows = await self._store.read(page(states, callback, limit, cursor))
        found = tuple(_to_message(row) for row in rows[:limit])
        return Page(found, str(found[-1].id) if len(rows) > limit else None)


def of_callback(callback: CallbackId) -> Any:
    """Every message of a callback, in the order of their making."""
    return _MESSAGE.where(_c.callback_id == callback).order_by(_c.id)


def due(channel: Channel, now: datetime, limit: int) -> Any:
    """What waits for this way and is due, the longest first."""
    waiting = _MESSAGE.where(_c.channel == channel.value, WAITING, _c.send_at <= now)
    return waiting.order_by(_c.send_at, _c.id).limit(limit)


def next_at(channel: Channel) -> Any:
    """When the next of this way is due."""
    return select(func.min(_c.send_at)).where(_c.channel == channel.value, WAITING)


def page(states: Sequence[MessageState], callback: CallbackId | None, limit: int, cursor: str | None) -> Any:
    """A page of messages, newest first, one row longer than `limit` when there is more."""
    wanted: list[ColumnElement[bool]] = []
    if states:
        wanted.append(_c.state.in_([state.value for state in states]))
    if callback is not None:
        wanted.append(_c.callback_id == callback)
    if cursor is not None:
        if not cursor.isascii() or not cursor.isdigit():
            raise IllegalState("this cursor was never handed out", where="cursor", remedy="ask for the first page")
        wanted.append(_c.id < int(cursor))
    return _MESSAGE.where(and_(True, *wanted)).order_by(_c.id.desc()).limit(limit + 1)


def _to_message(row: Sequence[Any]) -> Message:
    id_, state, detail, tries, created_at, updated_at = row[:_OWN]
    values = dict(zip(_COLUMNS, row[_OWN:], strict=True))
    values |= {"kind": MessageKind(values["kind"]), "channel": Channel(values["channel"])}
    return Message(id_, Draft(**values), MessageState(state), detail, tries, created_at, updated_at)
