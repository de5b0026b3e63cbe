"""Who is told of changes, each by a pump of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from datetime import timedelta
from random import Random

import structlog

from dialer.companions.host import Host
from dialer.domain.errors import StoreError
from dialer.engine.ports import Alerting, AlertKind
from dialer.notify.pump import Pump, Subscription
from dialer.settings import Settings
from dialer.store.outbox import SqlOutbox

log = structlog.get_logger()

Part = Callable[[Host], AbstractAsyncContextManager[Sequence[Subscription]]]

_KEPT = timedelta(days=30)
"""How long it can be seen what was told, and what was given up."""

_PRUNE_EVERY = timedelta(hours=1)
_BETWEEN_SLICES = timedelta(milliseconds=100)
_AT_ONCE = 1_000


@asynccontextmanager
async def outbox(host: Host) -> AsyncIterator[None]:
    """Tell whoever is configured what changes, from now on and since the last life."""
    store = SqlOutbox(host.store)
    async with AsyncExitStack() as parts:
        subscriptions = [each for part in _parts(host.settings) for each in await parts.enter_async_context(part(host))]
        await store.subscribe([each.subscriber for each in subscriptions])
        watch = _Watch(host.alerts)
        pumps = [
            # Jitter needs no secrecy.
            Pump(store, each, clock=host.clock, rng=Random(), watch=watch)  # noqa: S311  # as just said
            for each in subscriptions
        ]

        with ExitStack() as hearing:
            for pump in pumps:
                hearing.enter_context(host.store.heard_by(pump.wake))
                hearing.enter_context(host.poked.heard_by(pump.nudge))
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(pump.run(), name="outbox") for pump in pumps]
                running.append(tasks.create_task(_prune(host, store), name="outbox pruning"))
                yield
                for task in running:
                    task.cancel()


def _parts(settings: Settings) -> Iterator[Part]:
    """What there is to be told, each with what it needs to live while it is told; loaded where it is configured."""
    if settings.webhook:
        from dialer.companions.webhooks import webhooks  # noqa: PLC0415  # as just said

        yield webhooks
    if settings.feed:
        from dialer.companions.feeds import feeds  # noqa: PLC0415  # as just said

        yield feeds
    if settings.mail or settings.sms:
        from dialer.companions.messages import messages  # noqa: PLC0415  # as just said

        yield messages


class _Watch:
    """How subscribers do, as alerts."""

    def __init__(self, alerts: Alerting) -> None:
        self._alerts = alerts

    def stuck(self, subscriber: str, why: str) -> None:
        what = f"{subscriber} is told nothing: {why}"
        self._alerts.raised(AlertKind.OUTBOX_STUCK, subscriber, what, "put it right; what waits: dialer outbox list")

    def well(self, subscriber: str) -> None:
        self._alerts.cleared(AlertKind.OUTBOX_STUCK, subscriber)


async def _prune(host: Host, store: SqlOutbox) -> None:
    """Delete what was settled long ago, in slices: the store has other things to do in between."""
    while True:
        pause = _PRUNE_EVERY
        try:
            if await store.prune(host.clock.now() - _KEPT, _AT_ONCE) == _AT_ONCE:
                pause = _BETWEEN_SLICES
        except StoreError as error:
            log.warning("outbox.not_pruned", why=error.what)
        await asyncio.sleep(pause.total_seconds())
