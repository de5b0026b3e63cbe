"""Sends the messages that are due by one way, each at most once.

A message is claimed in the store, durably, in the moment before it may arrive. Whoever dies between that and the note
of what became of it leaves it `unknown`, and nobody sends it again.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from dialer.domain.callback import Callback
from dialer.domain.errors import StoreError
from dialer.domain.ids import CallbackId
from dialer.http.patience import Rng, pause_after
from dialer.notify.gateway import Clock
from dialer.notify.messages import Channel, Message, Messages, MessageState
from dialer.notify.planner import TOO_LATE, hold, permitted
from dialer.notify.sending import MaybeSent, NotSent
from dialer.notify.ways import Voice, Way

log = structlog.get_logger()

_AT_ONCE = 4
"""Messages sent at the same time by one way."""

_COMPANY = 0.05
"""Seconds between two looks at what is due, at least."""

_FLOOR = timedelta(seconds=30)
"""The store is looked at even when nothing woke us: a clock may have been set."""

_STORE_REST, _STORE_REST_MOST = timedelta(seconds=1), timedelta(seconds=30)
_FIRST, _MOST = timedelta(minutes=1), timedelta(hours=1)
"""Pauses between two tries of a message."""

_DOWN_FIRST, _DOWN_MOST = timedelta(seconds=10), timedelta(minutes=10)
"""Pauses while a way takes nothing at all."""

_STUCK_AFTER = timedelta(minutes=5)


class Callbacks(Protocol):
    """The part of the store that knows callbacks. Raises `StoreError`."""

    async def get(self, id_: CallbackId) -> Callback | None: ...

    async def objected(self, number: str) -> bool: ...


class Watch(Protocol):
    """Is told how a way does. Neither call waits or raises."""

    def stuck(self, channel: Channel, why: str) -> None:
        """It has taken nothing for so long that a person should look at it."""

    def well(self, channel: Channel) -> None:
        """It took something."""


@dataclass(frozen=True, slots=True)
class World:
    """What sending needs of the world around it."""

    callbacks: Callbacks
    clock: Clock
    rng: Rng
    watch: Watch
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Carrier:
    """Sends what is due by one way. While that takes nothing it rests, for growing pauses, and is tried with one."""

    def __init__(
        self, channel: Channel, way: Way, messages: Messages, voices: Mapping[str, Voice], world: World
    ) -> None:
        self._channel = channel
        self._way = way
        self._messages = messages
        self._voices = voices
        self._world = world
        self._awake = asyncio.Event()
        self._stopping = False
        self._rest_until: datetime | None = None
        self._rests = 0
        self._failing_since: datetime | None = None

    def wake(self) -> None:
        """Something may be due."""
        self._awake.set()

    def stop(self) -> None:
        """Return from `run` when what is being sent has its end."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Send what is due, until stopped."""
        failures = 0
        while not self._stopping:
            self._awake.clear()
            try:
                pause = await self._round()
                failures = 0
            except StoreError as error:
                failures += 1
                pause = pause_after(failures, self._world.rng, first=_STORE_REST, most=_STORE_REST_MOST)
                log.warning("messages.not_read", channel=self._channel.value, why=error.what)
            if pause:
                await self._woken(pause)
            await self._world.sleep(_COMPANY)

    async def _woken(self, pause: timedelta) -> None:
        if self._stopping:
            return
        naps = [
            asyncio.ensure_future(self._awake.wait()),
            asyncio.ensure_future(self._world.sleep(pause.total_seconds())),
        ]
        try:
            await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for nap in naps:
                nap.cancel()

    async def _round(self) -> timedelta:
        """Send some of what is due; how long there is nothing more to send, unless woken."""
        now = self._world.clock.now()
        if self._rest_until is not None and now < self._rest_until:
            return min(self._rest_until - now, _FLOOR)
        due = await self._messages.due(self._channel, now, _AT_ONCE if self._rest_until is None else 1)
        if due:
            ends = await asyncio.gather(*(self._handle(message) for message in due), return_exceptions=True)
            for end in ends:
                if isinstance(end, BaseException):
                    raise end
            return timedelta(0)
        first = await self._messages.next_at(self._channel)
        return _FLOOR if first is None else min(max(first - now, timedelta(0)), _FLOOR)

    async def _handle(self, message: Message) -> None:
        """Send one message, or see why not."""
        draft = message.draft
        callback = await self._world.callbacks.get(draft.callback)
        voice = self._voices.get(callback.site) if callback is not None else None
        if callback is None or voice is None:
            await self._settle(message, MessageState.DROPPED, "its site is no longer configured")
        elif self._channel not in permitted(callback.visitor, voice.manner):
            await self._settle(message, MessageState.DROPPED, "no permission")
        elif await self._world.callbacks.objected(callback.visitor.phone):
            await self._settle(message, MessageState.DROPPED, "objection")
        else:
            held = hold(draft, callback, voice.site, self._world.clock.now())
            if held is None:
                await self._send(message, callback, voice)
            elif isinstance(held, datetime):
                await self._messages.postpone(message, held, "quiet hours", failed=False)
            elif held == TOO_LATE and message.tries:
                await self._settle(message, MessageState.FAILED, f"not in time: {message.detail}")
            else:
                await self._settle(message, MessageState.DROPPED, held)

    async def _send(self, message: Message, callback: Callback, voice: Voice) -> None:
        claimed = False

        async def leaving() -> bool:
            nonlocal claimed
            claimed = await self._messages.claim(message, callback)
            return claimed

        try:
            if await self._way.send(voice, message.draft, callback, leaving):
                self._took()
                await self._settle(message, MessageState.SENT, "")
        except NotSent as failure:
            await self._not_sent(message, failure)
        except MaybeSent as doubt:
            await self._settle(message, MessageState.UNKNOWN, doubt.what)
        except StoreError:
            # It was not claimed.
            raise
        except Exception as error:  # noqa: BLE001  # a fault of our own must neither end calls nor stop other messages
            # Where it happened, and no more: what it says may hold anything.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            state = MessageState.UNKNOWN if claimed else MessageState.FAILED
            await self._settle(message, state, f"a fault of the dialer's own: {where}")

    async def _not_sent(self, message: Message, failure: NotSent) -> None:
        now = self._world.clock.now()
        if failure.final:
            await self._settle(message, MessageState.FAILED, failure.what)
            return
        pause = pause_after(message.tries + 1, self._world.rng, first=_FIRST, most=_MOST)
        if failure.down:
            pause = self._rest(now, failure)
        until = min(now + pause, message.draft.give_up_at)
        log.info("message.not_sent", **self._named(message), why=failure.what)
        await self._noted(lambda: self._messages.postpone(message, until, failure.what, failed=True))

    def _rest(self, now: datetime, failure: NotSent) -> timedelta:
        """Leave the way alone for a while; how long. What failed together is one failure."""
        if self._rest_until is None or now >= self._rest_until:
            self._rests += 1
            pause = pause_after(self._rests, self._world.rng, first=_DOWN_FIRST, most=_DOWN_MOST)
            self._rest_until = now + max(pause, failure.retry_after or pause)
        if self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= _STUCK_AFTER:
            self._world.watch.stuck(self._channel, failure.what)
        return self._rest_until - now

    def _took(self) -> None:
        self._rest_until = self._failing_since = None
        self._rests = 0
        self._world.watch.well(self._channel)

    async def _settle(self, message: Message, state: MessageState, detail: str) -> None:
        tell = log.warning if state in {MessageState.FAILED, MessageState.UNKNOWN} else log.info
        tell(f"message.{state}", **self._named(message), why=detail)
        await self._noted(lambda: self._messages.settle(message, state, detail))

    def _named(self, message: Message) -> dict[str, str]:
        draft = message.draft
        return {"callback": draft.callback, "kind": draft.kind.value, "channel": draft.channel.value}

    async def _noted(self, note: Callable[[], Awaitable[None]]) -> None:
        """Write what became of a message, once the store takes it: it must not be sent again for want of a note."""
        failures = 0
        while True:
            try:
                await note()
            except StoreError as error:
                failures += 1
                log.warning("message.not_noted", channel=self._channel.value, why=error.what)
                pause = pause_after(failures, self._world.rng, first=_STORE_REST, most=_STORE_REST_MOST)
                await self._world.sleep(pause.total_seconds())
            else:
                return
