"""What became of a feed's items that made no callback of their own, told back to the feed in their order."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol

import structlog

from dialer.domain.errors import DialerError, StoreError
from dialer.http.client import Answer, HttpClient
from dialer.http.patience import pause_after, retry_after

log = structlog.get_logger()

_WITHIN = 30.0
"""Seconds for one delivery."""

_MOST_ANSWER = 64 * 1024
_FIRST, _LONGEST = timedelta(seconds=1), timedelta(minutes=10)
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ItemReport:
    """What became of one item. `answer` is an `ItemAnswer`; `callback` the one that it speaks of ('': none), `code`,
    `field` and `what` why it was not taken; `retry_at` from when it may be (UTC). `differs` counts how often its id
    came again with other content, `told` what the feed heard of it before. `row` is the store's."""

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
        return f"item.{self.item}.{self.told + 1}"


class Reports(Protocol):
    """Where reports wait. Raises `StoreError`."""

    async def untold(self, feed: str, limit: int) -> Sequence[ItemReport]:
        """The oldest items of which a feed has not heard what became of them."""

    async def told(self, report: ItemReport) -> None:
        """It has heard this; not what became of the item since."""


def report_body(report: ItemReport) -> dict[str, object]:
    """A report as the feed gets it: `docs/feed.md`."""
    return {
        "id": report.event_id,
        "type": "item",
        "item": report.item,
        "status": report.answer,
        "callback": report.callback or None,
        "code": report.code or None,
        "field": report.field or None,
        "what": report.what or None,
        "retry_at": moment(report.retry_at),
        "differs": report.differs > 0,
        "at": moment(report.at),
    }


def moment(at: datetime | None) -> str | None:
    """An instant as all bodies give it: `2030-05-17T13:30:00.000000Z`."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Refused(Exception):
    """A delivery that the feed did not take: why, and for how long it wants to be left alone."""

    def __init__(self, why: str, again: timedelta | None = None) -> None:
        self.why = why
        self.again = again
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Return:
    """The way back to a feed. `token` reads its secret: raises `DialerError`."""

    feed: str
    url: str = field(repr=False)
    http: HttpClient
    token: Callable[[], str]
    now: Callable[[], datetime]

    async def post(self, body: Mapping[str, object]) -> None:
        """Deliver one event. Raises `Refused`."""
        try:
            headers = {"authorization": f"Bearer {self.token()}", "content-type": "application/json"}
            content = json.dumps(body, separators=(",", ":")).encode()
            answer = await self.http.send(
                "POST", self.url, headers=headers, content=content, within=_WITHIN, most=_MOST_ANSWER
            )
        except DialerError as error:
            # An address may hold a secret; the error's own words do not.
            raise Refused(error.what) from None
        if not answer.good:
            raise Refused(f"it answered {answer.status}", self._again(answer))

    def _again(self, answer: Answer) -> timedelta | None:
        return retry_after(answer.headers.get("retry-after", ""), self.now())


class Feedback:
    """Tells a feed of its items, in their order, while `run` runs. What it does not take is told again, ever less
    often, and stops what comes after it: nothing is left out."""

    def __init__(
        self,
        reports: Reports,
        way: Return,
        rng: Random,
        *,
        floor: timedelta = timedelta(seconds=60),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reports = reports
        self._way = way
        self._rng = rng
        self._floor = floor
        self._sleep = sleep
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something to tell."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. `floor` is how often it looks although nothing woke it: another process may have written."""
        failed = 0
        while True:
            try:
                await self._tell()
                failed = 0
            except (Refused, StoreError) as error:
                failed += 1
                asked = error.again if isinstance(error, Refused) else None
                pause = max(pause_after(failed, self._rng, first=_FIRST, most=_LONGEST), asked or timedelta(0))
                why = error.why if isinstance(error, Refused) else error.what
                log.warning(
                    "feed.not_told", feed=self._way.feed, why=why, again_in_seconds=round(pause.total_seconds())
                )
                await self._sleep(pause.total_seconds())
                continue
            await self._woken()

    async def _tell(self) -> None:
        while found := await self._reports.untold(self._way.feed, _AT_ONCE):
            for report in found:
                await self._way.post(report_body(report))
                await self._reports.told(report)

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(self._floor.total_seconds()):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()
