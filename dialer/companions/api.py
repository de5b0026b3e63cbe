"""The HTTP API, in the daemon's loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic

from fastapi import APIRouter

from dialer.companions.host import Host
from dialer.domain.callback import Callback
from dialer.domain.errors import StoreError
from dialer.engine.engine import Engine
from dialer.engine.ports import Clock
from dialer.intake.changes import Waiting
from dialer.intake.limits import LimitRule
from dialer.settings import ApiSettings
from dialer.store.events import Events
from dialer.store.keys import Keys
from dialer.store.reports import ReportRows
from dialer.store.site import SiteViews
from dialer.store.submissions import KEPT, Submissions
from dialer.web.app import make_app
from dialer.web.doorkeeper import Doorkeeper
from dialer.web.pace import Pacer
from dialer.web.reporter import Reporter
from dialer.web.server import Listening, serving
from dialer.web.services import Services
from dialer.web.visitor.deeds import Services as VisitorServices
from dialer.web.visitor.routes import Served, visitor_router
from dialer.web.visitor.throttle import MOVES, Throttle

_PATIENCE = 5.0
"""Seconds for which a request that changes a callback waits for who was first."""
_NOTES = 60.0
"""Seconds between two notes of which keys were used."""
_FORGETTING = 3600.0
"""Seconds between two rounds in which old answers are dropped."""


@contextlib.asynccontextmanager
async def api(host: Host, given: ApiSettings) -> AsyncIterator[None]:
    """Serve it. Raises `ConfigurationError` for an address that cannot be had, or a certificate that cannot be used."""
    settings, submissions = host.settings, Submissions(host.store)
    keys = Keys(host.store)
    doorkeeper = Doorkeeper(keys, Pacer(given.per_key, monotonic), Pacer(given.per_address, monotonic), monotonic)
    events_door = Doorkeeper(
        keys, Pacer(given.events_per_key, monotonic), Pacer(given.events_per_address, monotonic), monotonic
    )
    services = Services(
        directory=host.directory,
        clock=host.clock,
        doorkeeper=doorkeeper,
        events_door=events_door,
        origins={id_: frozenset(site.origins) for id_, site in settings.site.items()},
        submissions=submissions,
        views=SiteViews(host.store),
        events=Events(host.store),
        reporter=Reporter(ReportRows(host.store)),
        changing=host.store,
        daemon=_Running(host.engine, submissions),
        rule=LimitRule(settings.limits()),
        waiting=Waiting(patience=_PATIENCE),
    )
    address, port = given.address
    certificate, key = (path and settings.resolve(path) for path in (given.tls_certificate, given.tls_key))
    app = make_app(
        services, max_body=given.max_body, trusted_proxies=given.trusted_proxies, visitor=_visitor_page(host)
    )
    async with serving(app, Listening(address, port, certificate, key)), asyncio.TaskGroup() as tasks:
        noting = tasks.create_task(_noting(doorkeeper, events_door), name="key uses")
        forgetting = tasks.create_task(_forgetting(submissions, host.clock), name="old answers")
        yield
        for task in (noting, forgetting):
            task.cancel()
    await _note(doorkeeper, events_door)


def _visitor_page(host: Host) -> APIRouter | None:
    page, links = host.settings.page, host.settings.links(host.clock.now)
    if page is None or links is None:
        return None
    services = VisitorServices(host.store, host.directory, links, host.clock, host.engine.poke, Waiting())
    languages = {id_: site.language.value for id_, site in host.settings.site.items()}
    throttles = Throttle(monotonic), Throttle(monotonic, MOVES)
    return visitor_router(Served(services, page.base_url, languages, *throttles))


async def _noting(*doors: Doorkeeper) -> None:
    while True:
        await asyncio.sleep(_NOTES)
        await _note(*doors)


async def _note(*doors: Doorkeeper) -> None:
    for door in doors:
        await door.note_uses()


async def _forgetting(submissions: Submissions, clock: Clock) -> None:
    while True:
        with contextlib.suppress(StoreError):  # the next round does it
            await submissions.forget(clock.now() - KEPT)
        await asyncio.sleep(_FORGETTING)


@dataclass(frozen=True, slots=True)
class _Running:
    """Implements the web's `Daemon`."""

    engine: Engine
    submissions: Submissions

    def pbx_ready(self) -> bool:
        return self.engine.ready

    async def store_ready(self) -> bool:
        return await self.submissions.writable()

    def taken_in(self, new: Callback) -> None:
        self.engine.taken_in([new])

    def wake(self) -> None:
        self.engine.poke()
