"""The pump: tells one subscriber what waits for it in the outbox, each callback's changes in their order, for as long
as that takes."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import structlog

from dialer.domain.errors import DialerError, StoreError
from dialer.domain.ids import CallbackId
from dialer.http.patience import Rng, pause_after
from dialer.notify.outbox import Change, Outbox, Subscriber

log = structlog.get_logger()

T = TypeVar("T")

Deliver = Callable[[Change], Awaitable[None]]
"""Tells one change, or raises `NotDelivered`."""

_COMPANY = 0.02
"""Seconds between two looks into the outbox at least: what is committed meanwhile is found by one."""

_STORE_REST = timedelta(seconds=1)
_STORE_REST_MOST = timedelta(seconds=30)


class NotDelivered(DialerError):
    """A change was not told, and `what` says why: nothing personal, no secret.

    `retry_after` is what the other side asked for, `final`: trying again is pointless; `down`: the other side takes
    nothing at present, this change or another.
    """

    def __init__(
        self, why: str, *, retry_after: timedelta | None = None, final: bool = False, down: bool = False
    ) -> None:
        self.retry_after = retry_after
        self.final = final
        self.down = down
        super().__init__(why)


class Clock(Protocol):
    """Wall time, UTC and aware."""

    def now(self) -> datetime: ...


class Watch(Protocol):
    """Is told how a subscriber does. Neither call waits or raises."""

    def stuck(self, subscriber: str, why: str) -> None:
        """It was told nothing for so long that a person should look at it; said at every failure from then on."""

    def well(self, subscriber: str) -> None:
        """It was told something."""


@dataclass(frozen=True, slots=True)
class PumpRules:
    """Pauses between tries grow from `first` to `most`; what cannot be told within `give_up_after` is given up;
    `at_once` changes, each of another callback, are told at the same time; `patience` is how long a subscriber may fail
    before a person should look at it. Even when nothing woke the pump, it looks each `floor`: a clock may have been
    set."""

    first: timedelta = timedelta(seconds=5)
    most: timedelta = timedelta(minutes=30)
    give_up_after: timedelta = timedelta(hours=72)
    at_once: int = 8
    patience: timedelta = timedelta(minutes=5)
    floor: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber, how it is told, and by which rules."""

    subscriber: Subscriber
    deliver: Deliver
    rules: PumpRules = PumpRules()  # frozen


class Pump:
    """`run` it, and `wake` it whenever something was committed.

    While the subscriber as a whole is down it rests, for growing pauses, and is then tried with one change.
    """

    def __init__(
        self,
        outbox: Outbox,
        subscription: Subscription,
        *,
        clock: Clock,
        rng: Rng,
        watch: Watch,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._outbox = outbox
        self._name = subscription.subscriber.name
        self._deliver = subscription.deliver
        self._rules = subscription.rules
        self._clock = clock
        self._rng = rng
        self._watch = watch
        self._sleep = sleep
        self._awake = asyncio.Event()
        self._under_way: set[CallbackId] = set()
        self._rest_until: datetime | None = None
        """While it is down. Once that is over, one change is tried."""
        self._no_sooner = clock.now()
        self._rests = 0
        self._rests_in_a_row = 0
        self._failing_since: datetime | None = None

    def wake(self) -> None:
        """Something was committed: look into the outbox."""
        self._awake.set()

    def nudge(self) -> None:
        """As `wake`, by a person, who may know that the subscriber is there again: try it soon, but not sooner than it
        asked for."""
        if self._rest_until is not None:
            self._rest_until = min(self._rest_until, self._no_sooner)
        self._awake.set()

    async def run(self) -> None:
        """Tell what waits, until cancelled. What was told but not noted by then is told again by the next life."""
        store_failures = 0
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._awake.clear()
                try:
                    pause = await self._look(tasks)
                    store_failures = 0
                except StoreError as error:
                    store_failures += 1
                    pause = self._store_pause(store_failures)
                    log.warning("outbox.not_read", subscriber=self._name, why=error.what)
                await self._woken(pause)
                await self._sleep(_COMPANY)

    async def _woken(self, pause: timedelta) -> None:
        """Return when woken, or after the pause."""
        naps = [asyncio.ensure_future(self._awake.wait()), asyncio.ensure_future(self._sleep(pause.total_seconds()))]
        try:
            await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for nap in naps:
                nap.cancel()

    async def _look(self, tasks: asyncio.TaskGroup) -> timedelta:
        """Begin what can be told now; how long there is nothing more to begin, unless woken."""
        now, floor = self._clock.now(), self._rules.floor
        if self._rest_until is not None and now < self._rest_until:
            return min(self._rest_until - now, floor)
        free = (self._rules.at_once if self._rest_until is None else 1) - len(self._under_way)
        if free <= 0:
            return floor
        # What is under way still waits, as far as the outbox knows: also what ends while it is asked.
        busy = set(self._under_way)
        found = await self._outbox.ready(self._name, now, free + len(busy))
        new = [change for change in found if change.callback not in busy][:free]
        for change in new:
            self._under_way.add(change.callback)
            tasks.create_task(self._tell(change, self._rests), name=f"{self._name} {change.event_id}")
        if new or self._under_way:
            return floor  # their ends wake it
        first = await self._outbox.next_at(self._name)
        return floor if first is None else min(max(first - now, timedelta(0)), floor)

    async def _tell(self, change: Change, rests: int) -> None:
        """Tell one change and note what became of that. `rests`: how often the subscriber had rested when it began."""
        try:
            failure = await self._try(change)
            if failure is None:
                self._succeeded()
                await self._noted(partial(self._outbox.delivered, [change]))
            else:
                await self._failed(change, failure, rests)
        finally:
            self._under_way.discard(change.callback)
            self._awake.set()

    async def _try(self, change: Change) -> NotDelivered | None:
        try:
            await self._deliver(change)
        except NotDelivered as failure:
            return failure
        except Exception as error:  # noqa: BLE001  # a fault of our own must neither end calls nor stop what else waits
            # Where it happened, and no more: what it says may hold anything.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            log.error("outbox.fault", subscriber=self._name, id=change.event_id, kind=type(error).__name__, at=where)  # noqa: TRY400  # as just said
            return NotDelivered("a fault of the dialer's own: its log tells where")
        return None

    def _succeeded(self) -> None:
        self._up()
        self._failing_since = None
        self._watch.well(self._name)

    def _up(self) -> None:
        """It is there, whatever it says of one change."""
        self._rest_until = None
        self._rests_in_a_row = 0

    async def _failed(self, change: Change, failure: NotDelivered, rests: int) -> None:
        now = self._clock.now()
        oldest = now - self._rules.give_up_after
        log.info("outbox.not_delivered", subscriber=self._name, id=change.event_id, why=failure.what)
        self._tell_watch(now, failure.what)
        until = now + self._pause(change.tries + 1, failure.retry_after)
        if failure.down:
            until = max(until, self._rest(now, failure.retry_after, rests))
        else:
            self._up()
        if failure.final or change.since < oldest:
            await self._noted(partial(self._outbox.give_up, change, failure.what))
            log.error("outbox.given_up", subscriber=self._name, id=change.event_id, why=failure.what)
        else:
            await self._noted(partial(self._outbox.postpone, change, until, failure.what))
        if failure.down:
            # With one try at a time, the others would never come to their end.
            given_up = await self._noted(partial(self._outbox.give_up_before, self._name, oldest, failure.what))
            if given_up:
                log.error("outbox.given_up", subscriber=self._name, count=given_up, why=failure.what)

    def _rest(self, now: datetime, retry_after: timedelta | None, rests: int) -> datetime:
        """Until when the subscriber is left alone. What failed together is one failure, and makes one pause."""
        if rests == self._rests or self._rest_until is None:
            self._rests += 1
            self._rests_in_a_row += 1
            self._no_sooner = now + max(self._rules.first, retry_after or timedelta(0))
            self._rest_until = now + self._pause(self._rests_in_a_row, retry_after)
        return self._rest_until

    def _pause(self, tries: int, retry_after: timedelta | None) -> timedelta:
        pause = pause_after(tries, self._rng, first=self._rules.first, most=self._rules.most)
        return pause if retry_after is None else max(pause, retry_after)

    def _tell_watch(self, now: datetime, why: str) -> None:
        if self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since >= self._rules.patience:
            self._watch.stuck(self._name, why)

    async def _noted(self, note: Callable[[], Awaitable[T]]) -> T:
        """What `note` returns, once the store takes it: until then the change stays under way."""
        failures = 0
        while True:
            try:
                return await note()
            except StoreError as error:
                failures += 1
                log.warning("outbox.not_noted", subscriber=self._name, why=error.what)
                await self._sleep(self._store_pause(failures).total_seconds())

    def _store_pause(self, failures: int) -> timedelta:
        return pause_after(failures, self._rng, first=_STORE_REST, most=_STORE_REST_MOST)
