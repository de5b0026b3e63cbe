"""Messages to visitors: what there is to say, by which way, and how far each has come. Each is sent at most once."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dialer.domain.callback import Callback
from dialer.domain.ids import CallbackId


class MessageKind(StrEnum):
    """What a message says: a time is booked, has moved, or is near; the callback was cancelled; we could not reach the
    visitor; the promise ran out."""

    BOOKED = "booked"
    MOVED = "moved"
    REMINDER = "reminder"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"


class Channel(StrEnum):
    """The way to the visitor."""

    EMAIL = "email"
    SMS = "sms"


class MessageState(StrEnum):
    """How far a message has come; the last four are final. `sending`: claimed, from then on it may have left us.
    `unknown`: it may or may not have arrived, and is not sent again."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is to be sent. Times are UTC.

    Of one callback, way, kind and `about` there is ever only one: `about` is the version that a move, or the promise of
    a reminder, gave the callback, and 0 of what can be said but once. `wanted_at` and `wanted_until` are the visitor's
    wish of which it tells (None: as soon as possible, and without an end), `promised_at` when the call was due by it.
    Sent not before `send_at`; until `asked_until` the visitor has only just asked for it and quiet hours do
    not hold it back (None: they do); from `give_up_at` on it makes no sense any more.
    """

    callback: CallbackId
    kind: MessageKind
    channel: Channel
    about: int
    wanted_at: datetime | None
    wanted_until: datetime | None
    promised_at: datetime
    send_at: datetime
    asked_until: datetime | None
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the store has it. `detail` says why it stands where it does, with nothing personal; `tries` counts
    those that came to nothing."""

    id: int
    draft: Draft
    state: MessageState
    detail: str
    tries: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from a change: messages to send, and those still waiting that have lost their sense."""

    new: tuple[Draft, ...] = ()
    drop: tuple[int, ...] = ()
    why: str = field(default="")


class Messages(Protocol):
    """The store's part. Raises `StoreError` when nothing was read or written."""

    async def of(self, callback: CallbackId) -> list[Message]:
        """Every message of a callback, in the order of their making."""

    async def plan(self, plan: Plan) -> None:
        """Write a plan; a message that there is already stays as it is, and so does one that waits no more."""

    async def due(self, channel: Channel, now: datetime, limit: int) -> list[Message]:
        """Messages of one way that wait and whose time has come, the longest due first."""

    async def next_at(self, channel: Channel) -> datetime | None:
        """When the next message waiting for this way is due; None when none waits."""

    async def claim(self, message: Message, callback: Callback) -> bool:
        """Note that it leaves us now, durable on return: once. False when it waits no more, when the callback has
        changed since it was read, or its number is on the do-not-call list."""

    async def settle(self, message: Message, state: MessageState, detail: str) -> None:
        """Note what became of a message that waits or is being sent."""

    async def postpone(self, message: Message, until: datetime, detail: str, *, failed: bool) -> None:
        """Let a message that waits or is being sent, and surely has not left us, wait again; `failed` counts a try."""


class Pages(Protocol):
    """The visitors' own pages."""

    def page_of(self, callback: CallbackId) -> str:
        """The address of a callback's page."""
