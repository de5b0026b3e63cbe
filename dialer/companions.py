"""What runs beside the engine in the daemon's loop: each lives from before the daemon is ready until it has drained."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from time import monotonic

from fastapi import APIRouter

from dialer.domain.directory import Directory
from dialer.domain.errors import StoreError
from dialer.engine.engine import Engine
from dialer.engine.ports import Alerting, Clock
from dialer.intake.changes import Waiting
from dialer.settings import ApiSettings, Settings
from dialer.store.keys import Keys
from dialer.store.store import SqlStore
from dialer.store.submissions import KEPT, Submissions
from dialer.web.app import make_app
from dialer.web.doorkeeper import Doorkeeper
from dialer.web.pace import Pacer
from dialer.web.server import Listening, serving
from dialer.web.services import Services
from dialer.web.visitor.deeds import Services as VisitorServices
from dialer.web.visitor.routes import Served, visitor_router
from dialer.web.visitor.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Host:
    """What the daemon has to share."""

    settings: Settings
    directory: Directory
    store: SqlStore
    engine: Engine
    clock: Clock
    alerts: Alerting


def companions(host: Host) -> Iterator[AbstractAsyncContextManager[None]]:
    """All of them, in the order of their start. Entering one raises the `DialerError` that made it impossible."""
    if host.settings.api is not None:
        yield _api(host, host.settings.api)


# --- the HTTP API ----------------------------------------------------------------------------------------------------

_NOTES = 60.0
"""Seconds between two notes of which keys were used."""
_FORGETTING = 3600.0
"""Seconds between two rounds in which old answers are dropped."""


@contextlib.asynccontextmanager
async def _api(host: Host, given: ApiSettings) -> AsyncIterator[None]:
    settings, submissions = host.settings, Submissions(host.store)
    doorkeeper = Doorkeeper(
        Keys(host.store), Pacer(given.per_key, monotonic), Pacer(given.per_address, monotonic), monotonic
    )
    services = Services(
        directory=host.directory,
        clock=host.clock,
        doorkeeper=doorkeeper,
        health=_Health(host.engine, submissions),
        origins={id_: frozenset(site.origins) for id_, site in settings.site.items()},
    )
    address, port = given.address
    certificate, key = (path and settings.resolve(path) for path in (given.tls_certificate, given.tls_key))
    app = make_app(
        services, max_body=given.max_body, trusted_proxies=given.trusted_proxies, visitor=_visitor_page(host)
    )
    async with serving(app, Listening(address, port, certificate, key)), asyncio.TaskGroup() as tasks:
        noting = tasks.create_task(_noting(doorkeeper), name="key uses")
        forgetting = tasks.create_task(_forgetting(submissions, host.clock), name="old answers")
        yield
        for task in (noting, forgetting):
            task.cancel()
    await doorkeeper.note_uses()


def _visitor_page(host: Host) -> APIRouter | None:
    page, links = host.settings.page, host.settings.links(host.clock.now)
    if page is None or links is None:
        return None
    services = VisitorServices(host.store, host.directory, links, host.clock, host.engine.poke, Waiting())
    return visitor_router(Served(services, page.base_url, {}, Throttle(monotonic)))


async def _noting(doorkeeper: Doorkeeper) -> None:
    while True:
        await asyncio.sleep(_NOTES)
        await doorkeeper.note_uses()


async def _forgetting(submissions: Submissions, clock: Clock) -> None:
    while True:
        with contextlib.suppress(StoreError):  # the next round does it
            await submissions.forget(clock.now() - KEPT)
        await asyncio.sleep(_FORGETTING)


@dataclass(frozen=True, slots=True)
class _Health:
    """Implements the web's `Health`."""

    engine: Engine
    submissions: Submissions

    def pbx_ready(self) -> bool:
        return self.engine.ready

    async def store_ready(self) -> bool:
        return await self.submissions.writable()
