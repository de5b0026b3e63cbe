"""The page served on loopback beside a real store, by a clock of our own; the daemon's part is played where it matters.

What the daemon itself does when a visitor changes their mind is shown on a lab: see `test_visitor_on_asterisk`.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from ulid import ULID

from dialer.domain.callback import Callback, Visitor
from dialer.domain.directory import Directory, Interval
from dialer.domain.ids import CallbackId
from dialer.intake.changes import Waiting
from dialer.notify.links import Links
from dialer.store.store import SqlStore
from dialer.web.gate import Gate
from dialer.web.visitor.deeds import Services
from dialer.web.visitor.routes import Served, visitor_router
from dialer.web.visitor.throttle import MOVES, Allowance, Throttle
from tests.unit.intake.places import DIRECTORY, NOW

SECRET = "a secret of at least 32 characters"
NUMBER = "+442079460123"
PLANNED = datetime(2030, 5, 14, 13, 30, tzinfo=UTC)  # a Tuesday, 14:30 in London


@dataclass
class Clock:
    """Time that stands still."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Meanwhile:
    """What the daemon does each time that somebody waits for its answer, until it has nothing left to do."""

    happens: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    waited: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.waited += seconds
        if self.happens:
            await self.happens.pop(0)()


@dataclass
class Place:
    """The page's address, and what is behind it."""

    base: str
    store: SqlStore
    links: Links
    clock: Clock
    meanwhile: Meanwhile
    woken: list[datetime]

    async def add(self, **changes: object) -> Callback:
        """A new callback, planned for tomorrow, with whatever else is wanted of it."""
        visitor = Visitor(phone=NUMBER, name="Maria Hostile <b>", email="maria@example.com", message="my secret")
        id_ = CallbackId(str(ULID()))
        made = Callback(id_, "shop", "sales", visitor, NOW, PLANNED, PLANNED, expires_at=PLANNED + timedelta(hours=2))
        made = replace(made, **changes)  # type: ignore[arg-type]  # a case's own
        await self.store.add([made])
        return made

    async def now(self, of: Callback) -> Callback:
        """The callback as it stands."""
        found = await self.store.get(of.id)
        assert found is not None
        return found

    def page_of(self, of: Callback) -> str:
        return self.links.page_of(of.id)


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    allowance: Allowance = Allowance(most=1e6),  # noqa: B008  # frozen
    directory: Directory = DIRECTORY,
) -> AsyncIterator[Place]:
    """The page, served until the end beside the store in `folder`."""
    site = replace(directory.sites["shop"], name="Caffi & Siop <Môr>", call_between=Interval(time(0), None))
    directory = replace(directory, sites={**directory.sites, "shop": site})
    clock, meanwhile, woken = Clock(), Meanwhile(), list[datetime]()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        base = f"http://127.0.0.1:{sock.getsockname()[1]}"
        links = Links(base, [SECRET], timedelta(days=14), clock.now)
        waiting = Waiting(sleep=meanwhile.sleep, clock=lambda: meanwhile.waited)
        async with SqlStore.open(folder / "dialer.db", now=clock.now) as store:
            services = Services(store, directory, links, clock, lambda: woken.append(clock.at), waiting)
            throttles = [Throttle(lambda: clock.now().timestamp(), each) for each in (allowance, MOVES)]
            app = FastAPI(openapi_url=None, middleware=[Middleware(Gate, max_body=64 * 1024)])
            app.include_router(visitor_router(Served(services, base, {"other": "cy"}, *throttles)))
            async with _running(app, sock):
                yield Place(base, store, links, clock, meanwhile, woken)


@contextlib.asynccontextmanager
async def _running(app: FastAPI, sock: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    # Signals are the test runner's.
    running = asyncio.create_task(server._serve([sock]))
    try:
        # The socket listens already: what comes before the server is ready waits in its backlog.
        yield
    finally:
        server.should_exit = True
        await running
