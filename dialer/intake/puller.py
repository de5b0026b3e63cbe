"""The puller: asks a feed for what is new, for as long as the daemon runs, and is patient with whatever it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from time import monotonic
from typing import Protocol
from urllib.parse import quote

import structlog

from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.errors import ConfigurationError, DialerError
from dialer.http.client import Answer, HttpClient, TargetRefused
from dialer.http.patience import pause_after, retry_after
from dialer.intake.admission import AdmissionRule
from dialer.intake.feed import MAX_PAGE, NOTHING, FeedPage, read_page
from dialer.intake.taking import Bounds, Entry, FeedStore, prepare

log = structlog.get_logger()

_SLACK = 30.0
"""Seconds for an answer beside those that the feed was asked to wait."""

_AT_LEAST = 1.0
"""Seconds that an empty answer of a feed that waits takes; one that came faster did not wait."""

_FIRST, _LONGEST = timedelta(seconds=1), timedelta(minutes=5)

_TELLING = 3
"""Failures in a row that are told: one alone is the Internet."""

_IN_VAIN = 5
"""Items in a row none of which could be taken: one visitor's slip is not told, another shape of all requests is."""

_OK, _NO_CONTENT = 200, 204
_REFUSALS = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class FeedRules:
    """One feed: where, how many items a page, and how long it is asked to wait and left alone, in seconds. `tell`: it
    wants to hear what becomes of its items."""

    bounds: Bounds
    url: str = field(repr=False)
    page_size: int
    wait: int
    poll: float
    tell: bool

    @property
    def name(self) -> str:
        """Its id in the configuration."""
        return self.bounds.feed


class News(Protocol):
    """What a page brought."""

    @property
    def new(self) -> int: ...

    @property
    def quarantined(self) -> int: ...

    @property
    def differing(self) -> int: ...

    @property
    def made(self) -> Sequence[Callback]: ...

    @property
    def changed(self) -> bool: ...


class PulledStore(FeedStore, Protocol):
    """The part of the store in which a feed's items are kept. Raises `StoreError`."""

    async def cursor(self, name: str) -> str | None:
        """How far a feed was read; None before its first page."""

    async def take(
        self, name: str, entries: Sequence[Entry], cursor: str | None, rule: AdmissionRule, *, tell: bool
    ) -> News:
        """Take a page in, and move the cursor to `cursor` (None: it stays) in the same transaction."""


class Alarm(Protocol):
    """Where a person is told that a feed fails: once, until it clears. Neither waits or raises."""

    def raised(self, what: str, remedy: str) -> None: ...

    def cleared(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a puller works with. `token` reads the feed's secret and raises `DialerError`; `heard` is called with
    what a page brought, `clock` and `sleep` go by seconds."""

    store: PulledStore
    directory: Directory
    rule: AdmissionRule
    http: HttpClient
    token: Callable[[], str]
    alarm: Alarm
    heard: Callable[[News], object]
    now: Callable[[], datetime]
    rng: Random
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class _Failed(DialerError):
    """The feed answered, but not with a page. `again`: for how long it wants to be left alone."""

    def __init__(self, what: str, again: timedelta | None = None, remedy: str = "") -> None:
        self.again = again
        super().__init__(what, remedy=remedy)


async def read_beside(body: bytes, most: int) -> FeedPage:
    """As `read_page`, without keeping the loop from calls: what is long takes a tenth of a second, what is rubbish
    even longer."""
    return await asyncio.to_thread(read_page, body, most)


class Puller:
    """Pulls one feed while `run` runs. Nothing is taken twice and nothing is left out, whatever fails: a page's cursor
    is kept with its callbacks, or the page is asked for again."""

    def __init__(self, rules: FeedRules, around: Surroundings) -> None:
        self._rules = rules
        self._around = around
        self._failed = 0
        self._in_vain = 0
        self._token = ""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                pause = await self._round()
            except DialerError as error:
                pause = self._fail(error)
            except Exception as error:  # noqa: BLE001  # whatever a feed brings about must not end the calls
                pause = self._fail(_Failed(f"unexpected {type(error).__name__}: this is a bug", remedy="report it"))
            else:
                self._succeed()
            if pause:
                await self._around.sleep(pause)

    async def _round(self) -> float:
        """Ask for one page and take it; the seconds until the next one is asked for."""
        around, rules = self._around, self._rules
        cursor = await around.store.cursor(rules.name)
        began = around.clock()
        page, waits = await self._fetch(cursor)
        waited = around.clock() - began >= _AT_LEAST
        if page.more and page.cursor == cursor:
            raise _Failed("it says that there is more, but its cursor does not move")
        news = await self._take(page)
        if news and self._in_vain < _IN_VAIN:
            # Of a feed that waits, the next answer comes when there is one.
            return 0.0 if page.more or waits else rules.poll
        if page.more:
            # Known already, or rubbish: gone through with measure, in case it never ends.
            return min(_AT_LEAST, rules.poll)
        return 0.0 if waits and waited else rules.poll

    async def _fetch(self, cursor: str | None) -> tuple[FeedPage, bool]:
        """What comes after the cursor, and whether the feed waits until there is something."""
        rules, around = self._rules, self._around
        self._token = self._token or around.token()
        asked = {"limit": str(rules.page_size), "wait": str(rules.wait)}
        if cursor is not None:
            asked["cursor"] = cursor
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
        answer = await around.http.send(
            "GET",
            f"{rules.url}{'&' if '?' in rules.url else '?'}{query}",
            headers={"authorization": f"Bearer {self._token}", "accept": "application/json"},
            within=rules.wait + _SLACK,
            most=MAX_PAGE,
        )
        waits = answer.headers.get("feed-waits", "").strip().lower() == "true"
        return await self._page(answer), waits

    async def _page(self, answer: Answer) -> FeedPage:
        if answer.status == _NO_CONTENT:
            return NOTHING
        if answer.status == _OK:
            return await read_beside(answer.body, self._rules.page_size)
        again = retry_after(answer.headers.get("retry-after", ""), self._around.now())
        remedy = "give the daemon a token that the feed takes" if answer.status in _REFUSALS else ""
        raise _Failed(f"it answered {answer.status}", again, remedy)

    async def _take(self, page: FeedPage) -> int:
        """How many of its items are new."""
        rules, around = self._rules, self._around
        entries = await prepare(around.store, around.directory, rules.bounds, page.items, around.now())
        news = await around.store.take(rules.name, entries, page.cursor, around.rule, tell=rules.tell)
        if news.differing:
            # Which, and what of them, is for `dialer feed show`: an id is the feed's, and could be anything.
            log.warning("feed.items_differ", feed=rules.name, count=news.differing, note="the first content counts")
        if news.new:
            log.info("feed.taken", feed=rules.name, items=news.new, quarantined=news.quarantined)
            self._in_vain = self._in_vain + news.new if news.quarantined == news.new else 0
        if news.new or news.differing:
            around.heard(news)
        return news.new

    def _succeed(self) -> None:
        if self._failed:
            log.info("feed.works", feed=self._rules.name, failures=self._failed)
        self._failed = 0
        if self._in_vain >= _IN_VAIN:
            what = f"nothing that feed {self._rules.name} brings can be taken: all of it is in quarantine"
            self._around.alarm.raised(what, f"see why: dialer feed show {self._rules.name}")
        else:
            self._around.alarm.cleared()

    def _fail(self, error: DialerError) -> float:
        """Tell that it failed; the seconds until it is asked again."""
        self._failed += 1
        # It may have been replaced.
        self._token = ""
        pause = pause_after(self._failed, self._around.rng, first=_FIRST, most=_LONGEST)
        if isinstance(error, _Failed) and error.again is not None:
            pause = max(pause, error.again)
        seconds = round(pause.total_seconds(), 1)
        log.warning("feed.failed", feed=self._rules.name, why=error.what, again_in_seconds=seconds)
        # What has a remedy of its own does not pass.
        lasting = isinstance(error, (_Failed, TargetRefused, ConfigurationError)) and bool(error.remedy)
        if lasting or self._failed >= _TELLING:
            remedy = error.remedy or "ask whoever runs the feed; nothing is lost, it is asked again"
            self._around.alarm.raised(f"feed {self._rules.name} fails: {error.what}", remedy)
        return pause.total_seconds()
