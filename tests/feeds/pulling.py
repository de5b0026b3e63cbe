"""A puller between a platform and a real store, without a daemon: its pauses are counted, not slept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from random import Random

from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.domain.errors import ConfigurationError
from dialer.http.client import HttpClient
from dialer.intake.limits import LimitRule, Limits
from dialer.intake.puller import FeedRules, News, Puller, Surroundings
from dialer.intake.taking import Bounds
from dialer.store.feed_store import FeedItem, FeedStore
from dialer.store.queries import callbacks
from dialer.store.rows import to_callback
from dialer.store.store import SqlStore
from dialer.store.views import CallbackFilter
from tests.feeds.platform import TOKEN, Platform
from tests.unit.intake.places import DIRECTORY, NOW
from tests.unit.outgoing.wires import LOOPBACK

POLL = 15.0


@dataclass
class Bench:
    """The store with what came into it, the pauses that the puller made, and what it told."""

    store: SqlStore
    url: str = ""
    http: HttpClient = field(default_factory=lambda: HttpClient(allow_private=LOOPBACK))
    directory: Directory = DIRECTORY
    limits: Limits = field(default_factory=Limits)
    now: datetime = NOW
    token: str = TOKEN
    site: str | None = "shop"
    page_size: int = 50
    wait: int = 1
    pauses: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    heard: list[tuple[int, bool]] = field(default_factory=list)
    """Of each page that brought something: how many callbacks it made, and whether it changed any."""

    @property
    def feeds(self) -> FeedStore:
        return FeedStore(self.store)

    async def pull(self, pauses: int = 1) -> None:
        """Pull until it has made so many pauses."""
        self.pauses = []

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            if len(self.pauses) >= pauses:
                raise asyncio.CancelledError
            await asyncio.sleep(0)

        rules = FeedRules(Bounds("mi", self.site), f"{self.url}/feed", self.page_size, self.wait, POLL, tell=True)
        with contextlib.suppress(asyncio.CancelledError):
            await Puller(rules, replace(self._around(), sleep=sleep)).run()

    def _around(self) -> Surroundings:
        return Surroundings(
            store=self.feeds,
            directory=self.directory,
            rule=LimitRule(self.limits),
            http=self.http,
            token=self._read_token,
            alarm=self,
            heard=self._heard,
            now=lambda: self.now,
            rng=Random(1),
        )

    def _read_token(self) -> str:
        if not self.token:
            raise ConfigurationError("cannot read the token", remedy="put it back")
        return self.token

    def _heard(self, news: News) -> None:
        self.heard.append((len(news.made), news.changed))

    def raised(self, what: str, remedy: str) -> None:
        assert remedy
        self.told.append(what)

    def cleared(self) -> None:
        if self.told and self.told[-1] != "cleared":
            self.told.append("cleared")

    async def callbacks(self) -> list[Callback]:
        rows = await self.store.read(callbacks(CallbackFilter(), 10_000, None))
        return [to_callback(row) for row in rows]

    async def quarantined(self) -> list[FeedItem]:
        return list((await self.feeds.quarantined("mi")).items)

    async def codes(self) -> dict[str, str]:
        """Why each item is in quarantine."""
        return {item.item: item.code for item in await self.quarantined()}


@contextlib.asynccontextmanager
async def bench(platform: Platform, folder: Path) -> AsyncIterator[Bench]:
    """A bench with a fresh store."""
    async with SqlStore.open(folder / "dialer.db", exclusive=True) as store:
        made = Bench(store, platform.url)
        async with made.http:
            yield made
