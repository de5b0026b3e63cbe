"""The way back to a feed: the changes of its callbacks, and what became of items that made none of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from dialer.domain.errors import DialerError, StoreError
from dialer.http.client import HttpClient
from dialer.http.patience import Rng, pause_after, retry_after
from dialer.notify.events import event_data, event_type, instant
from dialer.notify.outbox import Change
from dialer.notify.pump import Clock, NotDelivered

log = structlog.get_logger()

_WITHIN = 15.0
"""Seconds for one delivery."""

_MOST_ANSWERED = 256 * 1024
_OF_THIS_EVENT = frozenset({400, 409, 413, 415, 422})
"""Answers that say something of one event; any other failure is the feed's as a whole."""

_FIRST, _LONGEST = timedelta(seconds=1), timedelta(minutes=10)
_FLOOR = timedelta(seconds=60)
"""The store is looked into even when nothing woke the teller."""

_AT_ONCE = 100
_GIVE_UP_AFTER = timedelta(hours=72)
"""For so long a report is told again that the feed refuses for itself, while it takes others."""


@dataclass(frozen=True, slots=True)
class ItemReport:
    """What became of one item. `answer` is one of intake's words for it; `callback` the one that it speaks of ('':
    none), `code`, `field` and `what` why it was not taken; `retry_at` from when it may be (UTC). `differs` counts how
    often its id came again with other content, `told` what there was to tell of it before. `row` is the store's."""

    row: int
    item: str
    answer: str
    callback: str
    code: str
    field: str
    what: str
    retry_at: datetime | None
    at: datetime
    differs: int
    told: int

    @property
    def event_id(self) -> str:
        """The same in every delivery of this report; another one once there is something else to tell."""
        return f"item-{self.item}-{self.told + 1}"


class Reports(Protocol):
    """Where reports wait. Raises `StoreError`."""

    async def untold(self, feed: str, limit: int, after: int = 0) -> Sequence[ItemReport]:
        """The oldest items behind the row `after` of which a feed has not heard what became of them."""

    async def told(self, report: ItemReport) -> None:
        """It has heard this; not what became of the item since."""


def report_body(report: ItemReport) -> dict[str, object]:
    """A report as the feed gets it: `docs/feed.md`. What was not taken, the feed has itself: none of it is here."""
    return {
        "id": report.event_id,
        "type": f"item.{report.answer}",
        "timestamp": instant(report.at),
        "item": report.item,
        "data": {
            "callback": report.callback or None,
            "code": report.code or None,
            "field": report.field or None,
            "what": report.what or None,
            "retry_at": report.retry_at and instant(report.retry_at),
            "differs": report.differs > 0,
        },
    }


def change_body(change: Change) -> dict[str, object]:
    """A change of a feed's callback, as the feed gets it."""
    return {
        "id": change.event_id,
        "type": event_type(change),
        "timestamp": instant(change.at),
        "item": change.external_id,
        "data": event_data(change),
    }


@dataclass(frozen=True, slots=True)
class Return:
    """The way back to one feed. `token` reads its secret: raises `DialerError`."""

    feed: str
    url: str = field(repr=False)
    http: HttpClient
    token: Callable[[], str]
    clock: Clock

    async def change(self, change: Change) -> None:
        """Tell a change of one of its callbacks. Raises `NotDelivered`."""
        await self.post(change_body(change))

    async def post(self, body: Mapping[str, object]) -> None:
        """Deliver one event. Raises `NotDelivered`."""
        try:
            answer = await self.http.send(
                "POST",
                self.url,
                headers={"authorization": f"Bearer {self.token()}", "content-type": "application/json"},
                content=json.dumps(body, separators=(",", ":")).encode("ascii"),
                within=_WITHIN,
                most=_MOST_ANSWERED,
            )
        except DialerError as error:
            raise NotDelivered(error.what, down=True) from None
        if not answer.good:
            raise NotDelivered(
                f"it answered {answer.status}",
                retry_after=retry_after(answer.headers.get("retry-after", ""), self.clock.now()),
                down=answer.status not in _OF_THIS_EVENT,
            )


class Feedback:
    """Tells a feed of its items, in their order, while `run` runs. What it does not take is told again, ever less
    often. What it refuses for itself lets the others pass, and after three days waits for the daemon's next start."""

    def __init__(
        self,
        reports: Reports,
        way: Return,
        rng: Rng,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reports = reports
        self._way = way
        self._rng = rng
        self._sleep = sleep
        self._awake = asyncio.Event()
        self._given_up: set[str] = set()

    def wake(self) -> None:
        """There may be something to tell."""
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled. What was told but not noted by then is told again by the next life."""
        failed = 0
        while True:
            self._awake.clear()
            try:
                await self._tell()
                failed = 0
            except (NotDelivered, StoreError) as error:
                failed += 1
                await self._rest(failed, error)
            else:
                await self._woken()

    async def _tell(self) -> None:
        """Tell all that waits, each once. Raises `NotDelivered` where the feed did not take one, `StoreError`."""
        after, refused = 0, None
        while found := await self._reports.untold(self._way.feed, _AT_ONCE, after):
            for report in found:
                after = report.row
                if report.event_id in self._given_up:
                    continue
                try:
                    await self._way.post(report_body(report))
                except NotDelivered as error:
                    if error.down:
                        raise
                    refused = error
                    self._give_up_old(report, error.what)
                else:
                    await self._reports.told(report)
        if refused is not None:
            raise refused

    def _give_up_old(self, report: ItemReport, why: str) -> None:
        if self._way.clock.now() - report.at > _GIVE_UP_AFTER:
            self._given_up.add(report.event_id)
            log.error("feed.report_given_up", feed=self._way.feed, row=report.row, why=why)

    async def _rest(self, failed: int, error: NotDelivered | StoreError) -> None:
        pause = pause_after(failed, self._rng, first=_FIRST, most=_LONGEST)
        if isinstance(error, NotDelivered) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        seconds = round(pause.total_seconds(), 1)
        log.warning("feed.not_told", feed=self._way.feed, why=error.what, again_in_seconds=seconds)
        await self._sleep(pause.total_seconds())

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(_FLOOR.total_seconds()):
                await self._awake.wait()
        except TimeoutError:
            return
