"""Feeds: pulled, and told what became of what they brought."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from dialer.companions.clients import client_for
from dialer.companions.host import Host
from dialer.domain.ids import feed_source
from dialer.engine.ports import Alerting, AlertKind
from dialer.intake.limits import LimitRule
from dialer.intake.puller import FeedRules, News, Puller, Surroundings
from dialer.intake.taking import Bounds
from dialer.notify.feedback import Feedback, Return
from dialer.notify.outbox import Subscriber
from dialer.notify.pump import Subscription
from dialer.settings.feeds import FeedSettings
from dialer.store.feed_store import FeedStore


@asynccontextmanager
async def feeds(host: Host) -> AsyncIterator[Sequence[Subscription]]:
    """Those that want to hear of their callbacks, as subscribers."""
    async with AsyncExitStack() as clients:
        ways = [await _way(host, id_, given, clients) for id_, given in host.settings.feed.items()]
        yield [
            Subscription(Subscriber(feed_source(way.feed), source=feed_source(way.feed)), way.change)
            for way in ways
            if way is not None
        ]


@asynccontextmanager
async def pulling(host: Host) -> AsyncIterator[None]:
    """Pull every feed, and tell it of items that made no callback of their own. Raises `ConfigurationError` for a token
    or a CA file that cannot be used."""
    store = FeedStore(host.store)
    async with AsyncExitStack() as clients:
        tellers: dict[str, Feedback] = {}
        runs: list[Callable[[], Coroutine[Any, Any, None]]] = []
        for id_, given in host.settings.feed.items():
            # Jitter needs no secrecy.
            rng = Random()  # noqa: S311  # as just said
            if (way := await _way(host, id_, given, clients)) is not None:
                tellers[id_] = Feedback(store, way, rng)
                runs.append(tellers[id_].run)
            runs.append((await _puller(host, id_, _Work(store, rng, tellers.get(id_)), clients)).run)

        def wake() -> None:
            for teller in tellers.values():
                teller.wake()

        with host.poked.heard_by(wake):
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(run(), name="feed") for run in runs]
                yield
                for task in running:
                    task.cancel()


@dataclass(frozen=True, slots=True)
class _Work:
    """What a puller works with beside the host's."""

    store: FeedStore
    rng: Random
    teller: Feedback | None


async def _puller(host: Host, id_: str, work: _Work, clients: AsyncExitStack) -> Puller:
    given = host.settings.feed[id_]

    def heard(news: News) -> None:
        if news.changed:
            host.engine.poke()
        else:
            host.engine.taken_in(news.made)  # which costs it no reading, as a poke would
        if work.teller is not None:
            work.teller.wake()

    rules = FeedRules(
        bounds=Bounds(id_, given.site),
        url=given.url,
        page_size=given.page_size,
        wait=given.wait_seconds,
        poll=given.poll_seconds,
        tell=given.outcomes_url is not None,
    )
    around = Surroundings(
        store=work.store,
        directory=host.directory,
        rule=LimitRule(host.settings.limits()),
        http=await clients.enter_async_context(client_for(host.settings, given.url, given)),
        token=_token(host, id_),
        alarm=_Alarm(host.alerts, id_),
        heard=heard,
        now=host.clock.now,
        rng=work.rng,
    )
    return Puller(rules, around)


async def _way(host: Host, id_: str, given: FeedSettings, clients: AsyncExitStack) -> Return | None:
    """The way back to a feed that has one."""
    if given.outcomes_url is None:
        return None
    client = await clients.enter_async_context(client_for(host.settings, given.outcomes_url, given))
    return Return(id_, given.outcomes_url, client, _token(host, id_), host.clock)


def _token(host: Host, id_: str) -> Callable[[], str]:
    """Reads the feed's token, and has read it once: one that is not there is told at the start."""

    def read() -> str:
        return host.settings.feed_token(id_).get_secret_value()

    read()
    return read


@dataclass(frozen=True, slots=True)
class _Alarm:
    """One feed's alert."""

    alerts: Alerting
    feed: str

    def raised(self, what: str, remedy: str) -> None:
        self.alerts.raised(AlertKind.FEED_FAILED, self.feed, what, remedy)

    def cleared(self) -> None:
        self.alerts.cleared(AlertKind.FEED_FAILED, self.feed)
